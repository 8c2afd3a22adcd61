//! `abigate serve`, `send` and `demo` as programs of their own.

#![allow(missing_docs, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

const ABIGATE: &str = env!("CARGO_BIN_EXE_abigate");

/// `abigate serve --dev` in a folder.
struct Serving {
    process: Child,
    address: String,
}

impl Serving {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(ABIGATE)
            .args(["serve", "--dev", "--listen", "127.0.0.1:0"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").expect("does not listen").to_owned();
        Self { process, address }
    }

    /// As `kill -9`: nothing is finished, nothing is flushed.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn terminate(mut self) -> Option<i32> {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // fails where the test has ended it already
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary").join(name)
}

fn send(folder: &Path, to: &Serving, bytes: &[u8], more: &[&str]) -> Output {
    let mut process = Command::new(ABIGATE)
        .args(["send", "-", "--to", &to.address])
        .args(more)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(bytes).unwrap();
    process.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The final dispositions of an answer.
fn dispositions(output: &Output) -> Vec<String> {
    let finals = ["E1A", "E1R", "X1R"];
    let text = text(output);
    let lines = text.lines().filter(|line| finals.iter().any(|begin| line.starts_with(begin)));
    lines.map(|line| line[4..7].to_owned()).collect()
}

#[test]
fn what_was_answered_outlives_kill_9() {
    let folder = TempDir::new().unwrap();
    let batch = std::fs::read(sample("good/01-air-one-line.abi")).unwrap();

    let gateway = Serving::start(folder.path());
    let added = send(folder.path(), &gateway, &batch, &[]);
    assert_eq!((added.status.code(), dispositions(&added)), (Some(0), vec!["995".to_owned()]), "{added:?}");
    gateway.kill();

    let gateway = Serving::start(folder.path());
    let replaced = send(folder.path(), &gateway, &batch, &[]);
    assert_eq!(
        (replaced.status.code(), dispositions(&replaced)),
        (Some(0), vec!["996".to_owned()]),
        "{replaced:?}"
    );
    assert_eq!(gateway.terminate(), Some(0));
}

#[test]
fn a_batch_that_was_not_answered_has_not_happened() {
    let folder = TempDir::new().unwrap();
    let batch = std::fs::read(sample("good/01-air-one-line.abi")).unwrap();
    let half = &batch[..batch.len() - 81];

    let gateway = Serving::start(folder.path());
    let refused = send(folder.path(), &gateway, half, &[]);
    assert_eq!((refused.status.code(), dispositions(&refused)), (Some(1), vec!["999".to_owned()]));
    assert!(text(&refused).contains("X06"));
    gateway.kill();

    let gateway = Serving::start(folder.path());
    assert_eq!(dispositions(&send(folder.path(), &gateway, &batch, &[])), ["995"]);
}

#[test]
fn certificate_and_password_must_be_the_senders() {
    let folder = TempDir::new().unwrap();
    let gateway = Serving::start(folder.path());
    let batch = std::fs::read_to_string(sample("good/01-air-one-line.abi")).unwrap();
    let wrong_password = batch.replace("PASSWD", "WRONG ");
    for (bytes, sender) in [(&wrong_password, "demo-broker"), (&batch, "demo-bureau")] {
        let refused = send(folder.path(), &gateway, bytes.as_bytes(), &["--as", sender]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused).contains("X09"), "{refused:?}");
    }
    let accepted = send(folder.path(), &gateway, batch.as_bytes(), &["--wait", "1"]);
    assert_eq!(dispositions(&accepted), ["995"], "{accepted:?}");
}

#[test]
fn what_cannot_be_done_exits_with_2() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("bad.toml"), "certificate = \"c.pem\"").unwrap();
    let cases: [(&[&str], &str); 4] = [
        (&["send", "missing.abi"], "missing.abi"),
        (&["serve"], "--config"),
        (&["serve", "--config", "missing.toml"], "missing.toml"),
        (&["serve", "--config", "bad.toml"], "`certificate` and `key`"),
    ];
    for (arguments, said) in cases {
        let output = Command::new(ABIGATE).args(arguments).current_dir(folder.path()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn the_demo_goes_as_expected() {
    let output = Command::new(ABIGATE).arg("demo").output().unwrap();
    let shown = text(&output);
    let surprises: Vec<&str> = shown.lines().filter(|line| line.starts_with("unexpected answer")).collect();
    assert_eq!((output.status.code(), surprises), (Some(0), Vec::new()));
    for said in ["good/01-air-one-line.abi, sent by demo-broker", "995", "996", "answered as expected"] {
        assert!(shown.contains(said), "the demo does not show {said}");
    }
    assert!(!shown.contains("PASSWD"), "the demo shows a password");
}
