//! The files that commands write, and the streams beside them: nothing is lost when a run fails, is interrupted
//! or has no reader.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const OLD: &str = "the last good output\n";

fn sample(name: &str) -> Vec<u8> {
    fs::read(format!("{}/samples/entry_summary/{name}.abi", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A folder in which a command runs.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("a.abi", sample("good/01-air-one-line"));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_abigate"));
        command.args(line.split_whitespace()).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// The names of what is there.
    fn names(&self) -> Vec<String> {
        let files = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_failing_run_leaves_the_last_good_output() {
    let place = Place::new();
    place.write("bad.csv", "batch,no_such_column\n1,2\n");
    place.write("cut.json", "{\"batches\": [{");
    place.write("cut.ndjson", "{\"batch\": 1, \"records\": [\n");
    place.write("wrong.grammar", "flat broker\n  nonsense\n");
    place.write("rows.txt", "10EEE\n");
    place.write("long.abi", [&sample("good/01-air-one-line")[..], &vec![b'x'; 3 << 20]].concat());
    place.write("good.csv", "HTS number,description\n");
    fs::create_dir_all(place.path("schemas/records/AE.schema.json")).unwrap();
    place.write("schemas/model.schema.json", OLD);
    let before = place.names();
    for line in [
        "convert --to catair -o OUT missing.abi",
        "convert --to catair -o OUT --from csv bad.csv",
        "convert --to catair -o OUT --from records cut.json",
        "convert --to catair -o OUT --from ndjson cut.ndjson",
        "convert --to catair -o OUT --layout wrong.grammar rows.txt",
        "convert --to catair -o OUT --layout missing.grammar rows.txt",
        "convert --to csv -o OUT long.abi",
        "convert --to ndjson -o OUT long.abi",
        "convert --to records --rejects OUT long.abi",
        "explain -o OUT long.abi",
        "explain --html -o OUT long.abi",
        "explain -o OUT missing.abi",
        "generate --app ZZ -o OUT",
        "tariff import missing.json -o OUT",
        "tariff import bad.csv -o OUT",
        "grammar schema --all schemas",
    ] {
        place.write("last.out", OLD);
        let output = place.run(&line.replace("OUT", "last.out"));
        assert_eq!(output.status.code(), Some(2), "{line}: {}", told(&output));
        assert_eq!(place.text("last.out"), OLD, "{line}");
        fs::remove_file(place.path("last.out")).unwrap();
        assert_eq!(place.names(), before, "{line}");
    }
    assert_eq!(place.text("schemas/model.schema.json"), OLD);
}

#[test]
fn a_file_can_be_converted_onto_itself() {
    let place = Place::new();
    let batch = place.text("a.abi");
    assert!(place.run("convert --to catair a.abi -o a.abi").status.success());
    assert_eq!(place.text("a.abi"), batch);
    assert!(place.run("convert --to records a.abi -o ./a.abi").status.success());
    assert!(place.text("a.abi").starts_with("{\"batches\""));
    assert!(place.run("convert --to catair a.abi -o a.abi").status.success());
    assert_eq!(place.text("a.abi"), batch);
    assert_eq!(place.names(), ["a.abi"]);
}

#[test]
fn a_schedule_can_be_imported_onto_its_source() {
    let place = Place::new();
    let source = r#"[{"htsno":"8513.10.20.00","indent":"1","description":"Flashlights","superior":null,
        "units":["No."],"general":"12.5%","special":"","other":"35%","footnotes":[]}]"#;
    place.write("s.json", source);
    let output = place.run("tariff import s.json --from 2025-01-01 -o s.json");
    assert!(output.status.success(), "{}", told(&output));
    assert!(place.text("s.json").contains("8513102000"), "{}", place.text("s.json"));
}

#[test]
fn what_is_left_out_does_not_take_the_place_of_the_file_that_was_read() {
    let place = Place::new();
    let batch = place.text("a.abi");
    for line in
        ["convert --to csv a.abi -o a.csv --rejects a.abi", "convert --to model a.abi --rejects ./a.abi"]
    {
        let output = place.run(line);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(told(&output).contains("--rejects names the file that is read"), "{}", told(&output));
        assert_eq!(place.text("a.abi"), batch);
        assert_eq!(place.names(), ["a.abi"]);
    }
}

#[test]
fn two_outputs_of_one_name_are_refused() {
    let place = Place::new();
    let batch = place.text("a.abi");
    place.write("b.csv", OLD);
    fs::create_dir(place.path("folder")).unwrap();
    for line in [
        "convert --to csv a.abi -o b.csv --rejects b.csv",
        "convert --to csv a.abi -o b.csv --rejects folder/../b.csv",
        "convert --to csv a.abi -o a.abi --rejects a.abi",
        "convert --to csv a.abi --rejects -",
    ] {
        let output = place.run(line);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(told(&output).contains("is named for two outputs"), "{line}: {}", told(&output));
    }
    assert_eq!((place.text("b.csv").as_str(), place.text("a.abi")), (OLD, batch));
    assert_eq!(place.names(), ["a.abi", "b.csv", "folder"]);
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A place with a folder of files and folders: two good batches and a bad one, and other files.
fn with_folder() -> Place {
    let place = Place::new();
    fs::create_dir_all(place.path("day/late")).unwrap();
    fs::create_dir_all(place.path("day/.hidden")).unwrap();
    place.write("day/b.abi", sample("bad/419-export-date"));
    place.write("day/a.ABI", sample("good/01-air-one-line"));
    place.write("day/late/c.abi", sample("good/01-air-one-line"));
    place.write("day/.hidden/d.abi", "no batch");
    place.write("day/notes.txt", "no batch");
    place
}

#[test]
fn a_missing_file_is_named_once_and_the_others_are_read() {
    let place = Place::new();
    for command in ["check", "explain", "answer", "convert --to catair -o out", "tariff explain"] {
        let output = place.run(&format!("{command} missing.abi a.abi"));
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert_eq!(told(&output).matches("missing.abi").count(), 1, "{command}: {}", told(&output));
    }
    assert!(printed(&place.run("answer missing.abi a.abi")).contains("E1A 995"));
    assert!(printed(&place.run("explain missing.abi a.abi")).contains("Batch control header"));
    assert!(told(&place.run("check missing.abi a.abi")).contains("1 batch"));
    assert_eq!(place.text("out/a.abi"), place.text("a.abi"));
    // nothing is written to one file of which a part would be missing
    place.write("page.txt", OLD);
    assert_eq!(place.run("explain missing.abi a.abi -o page.txt").status.code(), Some(2));
    assert_eq!(place.text("page.txt"), OLD);
}

#[test]
fn a_folder_stands_for_its_batches_in_order() {
    let place = with_folder();
    let output = place.run("check --format json a.abi day");
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let text = printed(&output);
    assert!(!text.is_empty());
    for line in text.lines() {
        let finding: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(finding.to_string().contains("day/b.abi"), "{finding}");
    }
    let sarif: serde_json::Value =
        serde_json::from_str(&printed(&place.run("check --format sarif day a.abi"))).unwrap();
    assert!(sarif.to_string().contains("day/b.abi"));
    let explained = printed(&place.run("explain day"));
    let found = ["day/a.ABI\n", "day/b.abi\n", "day/late/c.abi\n"].map(|name| explained.find(name).unwrap());
    assert!(found.is_sorted() && !explained.contains("notes.txt"));
}

#[test]
fn a_folder_without_batches_says_so() {
    let place = Place::new();
    fs::create_dir(place.path("empty")).unwrap();
    let output = place.run("check empty");
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("empty: no file in this folder ends in .abi"), "{}", told(&output));
}

#[test]
fn several_files_are_answered_by_one_host() {
    let place = Place::new();
    place.write("b.abi", sample("good/01-air-one-line"));
    let text = printed(&place.run("answer a.abi b.abi"));
    let dispositions = text.lines().filter(|line| line.starts_with("E1A")).map(|line| &line[4..7]);
    assert_eq!(dispositions.collect::<Vec<_>>(), ["995", "996"]);
}

#[test]
fn a_folder_is_converted_into_a_folder() {
    let place = with_folder();
    let output = place.run("convert --to records day -o json");
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    for name in ["a", "b", "late/c"] {
        assert!(place.text(&format!("json/{name}.json")).starts_with("{\"batches\""), "{name}");
    }
    let output = place.run("convert --from records --to catair json -o back");
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(place.text("back/late/c.abi"), place.text("day/late/c.abi"));
    // one that fails keeps its old file, and the others get theirs
    place.write("json/a.json", "{\"batches\": [{");
    place.write("back/b.abi", "");
    assert_eq!(place.run("convert --from records --to catair json -o back").status.code(), Some(2));
    assert_eq!(place.text("back/a.abi"), place.text("day/a.ABI"));
    assert_eq!(place.text("back/b.abi"), place.text("day/b.abi"));
    // and two that would have one name are refused
    let output = place.run("convert --to records a.abi day/a.ABI -o json");
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("would both be written to json/a.json"), "{}", told(&output));
    let output = place.run("convert --to records a.abi day");
    assert_eq!(output.status.code(), Some(2));
    assert!(place.run("explain --html day -o pages").status.success());
    assert!(place.text("pages/late/c.html").contains("<html"));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn links_and_permissions_of_the_old_file_are_kept() {
        let place = Place::new();
        fs::create_dir(place.path("folder")).unwrap();
        place.write("folder/real.csv", OLD);
        fs::set_permissions(place.path("folder/real.csv"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("folder/real.csv", place.path("link.csv")).unwrap();
        symlink("folder/new.csv", place.path("dangling.csv")).unwrap();
        for output in ["link.csv", "dangling.csv"] {
            assert!(place.run(&format!("convert --to csv a.abi -o {output}")).status.success());
        }
        assert!(place.text("folder/real.csv").starts_with("batch,"));
        assert_eq!(place.text("folder/new.csv"), place.text("folder/real.csv"));
        assert!(fs::symlink_metadata(place.path("link.csv")).unwrap().is_symlink());
        assert!(fs::symlink_metadata(place.path("dangling.csv")).unwrap().is_symlink());
        assert_eq!(mode(&place.path("folder/real.csv")), 0o640);
        place.write("plain", "");
        assert_eq!(mode(&place.path("folder/new.csv")), mode(&place.path("plain")));
    }

    #[test]
    fn both_names_of_a_file_have_the_new_contents() {
        let place = Place::new();
        place.write("b.csv", OLD);
        fs::hard_link(place.path("b.csv"), place.path("c.csv")).unwrap();
        assert!(place.run("convert --to csv a.abi -o b.csv").status.success());
        assert!(place.text("c.csv").starts_with("batch,"));
        assert_eq!(place.names(), ["a.abi", "b.csv", "c.csv"]);
    }

    #[test]
    fn devices_and_descriptors_are_written_as_they_are() {
        let place = Place::new();
        let plain = place.run("convert --to csv a.abi").stdout;
        for output in ["-", "/dev/stdout", "/dev/fd/1"] {
            assert_eq!(place.run(&format!("convert --to csv a.abi -o {output}")).stdout, plain, "{output}");
        }
        assert!(place.run("convert --to csv a.abi -o /dev/null --rejects /dev/null").status.success());
        assert_eq!(place.names(), ["a.abi"]);
    }

    /// Commands that print.
    const PRINTING: [&str; 19] = [
        "--help",
        "--version",
        "help convert",
        "completions bash",
        "manual check",
        "manual --list",
        "check bad.abi",
        "check --format json bad.abi",
        "check --format sarif bad.abi",
        "explain a.abi",
        "explain --html a.abi",
        "convert --to records a.abi",
        "convert --to csv a.abi",
        "answer a.abi",
        "generate --app AE",
        "grammar show AE",
        "grammar export AE",
        "admin reference list",
        "tariff interest 100 --from 2025-01-01 --to 2025-02-01",
    ];

    #[test]
    fn a_full_disk_is_told_in_one_line() {
        let place = Place::new();
        place.write("bad.abi", sample("bad/419-export-date"));
        let full = || Stdio::from(fs::File::options().write(true).open("/dev/full").unwrap());
        for line in PRINTING {
            let output = place.command(line).stdout(full()).output().unwrap();
            let words = told(&output);
            let name = "abigate: standard output: No space left on device (os error 28)";
            assert_eq!(words.lines().last(), Some(name), "{line}: {words}");
            assert_eq!(output.status.code(), Some(2), "{line}");
        }
        let output = place.run("convert --to csv a.abi -o /dev/full");
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(told(&output), "abigate: /dev/full: No space left on device (os error 28)\n");
        // nobody can be told
        let output = place.command("check bad.abi").stderr(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
    }

    #[test]
    fn commands_are_quiet_when_nobody_reads_on() {
        let place = Place::new();
        place.write("bad.abi", sample("bad/419-export-date"));
        for line in PRINTING.into_iter().chain(["demo --list"]) {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let output = place.command(line).stdout(writer).output().unwrap();
            assert_eq!(told(&output), "", "{line}");
            assert!(output.status.code().unwrap() < 2, "{line}");
        }
        // nor is it a panic when both are gone
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = place.command("check missing.abi");
        let output = command.stdout(writer.try_clone().unwrap()).stderr(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
    }

    #[test]
    fn a_file_is_written_although_nobody_reads_the_report() {
        let place = Place::new();
        place.write(
            "s.csv",
            "hts8,brief_description,quantity_1_code,begin_effect_date,end_effective_date,mfn_text_rate\n",
        );
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        place.write("x.schedule", OLD);
        let output = place.command("tariff import s.csv -o x.schedule").stdout(writer).output().unwrap();
        assert!(output.status.code() != Some(2), "{}", told(&output));
        assert_ne!(place.text("x.schedule"), OLD);
    }

    /// Waits for something that a command does.
    pub(super) fn wait_until(mut is_so: impl FnMut() -> bool) {
        for _ in 0..6000 {
            if is_so() {
                return;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("it did not come to that within a minute");
    }

    pub(super) fn signal(child: &Child, name: &str) {
        let kill = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }

    #[test]
    fn an_interrupt_leaves_the_last_good_output_and_nothing_else() {
        for (name, code) in [("-INT", 130), ("-TERM", 143)] {
            let place = Place::new();
            place.write("b.json", OLD);
            let mut command = place.command("convert --from catair --to records -o b.json");
            let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
            let mut input = child.stdin.take().unwrap();
            input.write_all(&sample("good/01-air-one-line")).unwrap();
            wait_until(|| place.names().len() == 3);
            signal(&child, name);
            assert_eq!(child.wait().unwrap().code(), Some(code));
            assert_eq!(place.text("b.json"), OLD);
            assert_eq!(place.names(), ["a.abi", "b.json"]);
        }
    }

    #[test]
    fn an_interrupted_fuzz_tells_and_keeps_what_it_has() {
        let place = Place::new();
        place.write("target.sh", "#!/bin/sh\necho once more >> seen\n");
        fs::set_permissions(place.path("target.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        let line =
            "fuzz --app CJ --runs 1000000000 --failures 1000000 --no-minimise --target exec:./target.sh";
        let child = place.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_until(|| fs::read(place.path("seen")).is_ok_and(|seen| seen.len() > 20));
        signal(&child, "-INT");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", told(&output));
        let summary = String::from_utf8(output.stdout).unwrap();
        assert!(summary.contains("failures\nreached"), "{summary}");
        let kept = fs::read_dir(place.path("abigate-fuzz")).unwrap();
        assert!(kept.count() >= 2);
        assert!(place.names().iter().all(|name| !name.starts_with(".")));
    }

    #[test]
    fn a_fuzz_without_a_reader_keeps_its_failures() {
        let place = Place::new();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let line = "fuzz --app CJ --runs 2 --no-minimise --target exec:/bin/true";
        let output = place.command(line).stdout(writer).output().unwrap();
        assert_eq!((told(&output).as_str(), output.status.code()), ("", Some(1)));
        assert!(fs::read_dir(place.path("abigate-fuzz")).unwrap().count() >= 2);
    }
}
