//! Every command of the README and of the pages on flat files runs as printed, and prints what is
//! printed there.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::Duration;

/// A code block: its language and its lines.
struct Block {
    language: String,
    lines: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::<Block>::new();
    let mut open = false;
    for line in text.lines() {
        match (line.strip_prefix("```"), open) {
            (Some(language), false) => {
                blocks.push(Block { language: language.to_owned(), lines: Vec::new() });
                open = true;
            }
            (Some(_), true) => open = false,
            (None, true) => blocks.last_mut().unwrap().lines.push(line.to_owned()),
            (None, false) => {}
        }
    }
    blocks
}

/// The README's command as the program under test; `None` for what the test run itself is.
fn command(line: &str, folder: &Path) -> Option<Command> {
    let arguments = line.strip_prefix("abigate ").or_else(|| line.strip_prefix("cargo run --release -- "));
    let Some(arguments) = arguments else {
        assert_eq!(line, "cargo test", "a command that no test runs");
        return None;
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_abigate"));
    command.args(arguments.split_whitespace()).current_dir(folder);
    Some(command)
}

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn workplace() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::os::unix::fs::symlink(root.join("samples"), folder.path().join("samples")).unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

fn printed(output: &Output) -> String {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8(all).unwrap();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Runs a command; one that needs a gateway which is still starting is tried again.
fn run(line: &str, folder: &Path) -> Option<Output> {
    for attempt in 0.. {
        let output = command(line, folder)?.output().unwrap();
        let is_too_early = ["abigate send", "abigate listen"].iter().any(|begin| line.starts_with(begin))
            && output.status.code() == Some(2);
        if !is_too_early || attempt == 100 {
            assert_ne!(output.status.code(), Some(2), "{line}: {}", printed(&output));
            return Some(output);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    None
}

#[test]
fn every_command_runs_as_printed() {
    assert_eq!(run_all(include_str!("../README.md")), 1);
}

#[test]
fn every_command_on_flat_files_runs_as_printed() {
    assert_eq!(run_all(include_str!("../docs/flat-files.md")), 0);
    assert_eq!(run_all(include_str!("../samples/legacy/README.md")), 0);
}

/// The languages of blocks that are run.
const RUN: [&str; 2] = ["sh", "python"];

/// Runs a program; `None` where there is no Python.
fn python(program: &str, folder: &Path) -> Option<Output> {
    let output = Command::new("python3").args(["-c", program]).current_dir(folder).output().ok()?;
    assert!(output.status.success(), "{}", printed(&output));
    Some(output)
}

/// Runs the commands of a page; gives how many of them go on in the background.
fn run_all(text: &str) -> usize {
    let (_kept, folder) = workplace();
    let blocks = blocks(text);
    let mut served = Vec::new();
    for (index, block) in
        blocks.iter().enumerate().filter(|(_, block)| RUN.contains(&block.language.as_str()))
    {
        let mut last = None;
        if block.language == "python" {
            last = python(&block.lines.join("\n"), &folder);
        }
        for line in block.lines.iter().filter(|_| block.language == "sh") {
            if let Some(line) = line.strip_suffix(" &") {
                served.push(Served(command(line, &folder).unwrap().spawn().unwrap()));
            } else if let Some(output) = run(line, &folder) {
                last = Some(output);
            }
        }
        let expected = blocks.get(index + 1).filter(|next| next.language == "text");
        if let (Some(expected), Some(output)) = (expected, last) {
            let (printed, expected) = (printed(&output), expected.lines.join("\n"));
            match expected.strip_suffix('…') {
                Some(beginning) => assert!(printed.starts_with(beginning), "{printed}"),
                None => assert_eq!(printed, expected, "{}", block.lines.join("; ")),
            }
        }
    }
    served.len()
}
