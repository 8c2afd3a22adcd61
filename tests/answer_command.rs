//! `abigate answer` as a shell runs it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn sample(name: &str) -> String {
    format!("{}/samples/entry_summary/{name}.abi", env!("CARGO_MANIFEST_DIR"))
}

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_abigate"))
        .arg("answer")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn batches_on_standard_input_are_answered_one_after_the_other() {
    let batch = std::fs::read(sample("good/01-air-one-line")).unwrap();
    let output = run(&[], &[batch.clone(), batch].concat());
    let text = text(&output);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.lines().all(|line| line.len() == 80));
    let dispositions = text.lines().filter(|line| line.starts_with("E1A")).map(|line| &line[4..7]);
    assert_eq!(dispositions.collect::<Vec<_>>(), ["995", "996"]);
}

#[test]
fn a_data_folder_remembers() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new");
    let (file, data) = (sample("good/01-air-one-line"), data.to_str().unwrap());
    let added = run(&[&file, "--data", data], b"");
    assert!(text(&added).contains("E1A 995"), "{}", String::from_utf8_lossy(&added.stderr));
    assert!(text(&run(&[&file, "--data", data], b"")).contains("E1A 996"));
    assert!(Path::new(data).is_dir());
}

#[test]
fn a_rejection_and_an_unreadable_world_have_exit_codes_of_their_own() {
    let rejected = run(&[&sample("bad/B16-check-digit")], b"");
    assert_eq!(rejected.status.code(), Some(1));
    assert!(text(&rejected).contains("E1RF998"));
    let unreadable = run(&["--world", &sample("no-such-file")], b"");
    assert_eq!(unreadable.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unreadable.stderr).contains("no-such-file"));
}

/// What `admin summary` prints of the store of a data folder.
fn summary(data: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_abigate"));
    let output = command.args(["admin", "summary"]).args(arguments).args(["--data", data]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    text(&output)
}

#[test]
fn a_warehouse_entry_is_shown_with_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    run(&[&sample("good/31-warehouse-withdrawal"), "--data", data], b"");
    let shown = summary(data, &["show", "EEE 00001924"]);
    assert!(shown.contains("  warehouse: "), "{shown}");
    let json = summary(data, &["show", "EEE 00001924", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let line = json["balance"]["lines"][0].as_object().unwrap();
    for column in ["entered", "withdrawn", "left"] {
        let said = format!(" {} {column}", line[column].as_str().unwrap());
        assert!(shown.contains(&said), "{shown}");
    }
    assert!(json["balance"]["closed"].is_boolean() && json.get("versions").is_none());
    let withdrawal = summary(data, &["show", "EEE 00002187"]);
    assert!(!withdrawal.contains("warehouse: "), "{withdrawal}");
}

#[test]
fn superseded_versions_are_shown_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let file = sample("good/01-air-one-line");
    run(&[&file, "--data", data], b"");
    assert!(!summary(data, &["show", "EEE 00001197", "--versions"]).contains("superseded"));
    summary(data, &["take-control", "EEE 00001197"]);
    summary(data, &["take-off-statement", "EEE 00001197"]);
    assert!(text(&run(&[&file, "--data", data], b"")).contains("E1A 996"));
    let shown = summary(data, &["show", "EEE 00001197", "--versions"]);
    assert!(shown.contains("  version 00100 until ") && shown.contains("\n    10AEEE  00001197"), "{shown}");
    let json = summary(data, &["show", "EEE 00001197", "--versions", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["versions"][0]["version"], "00100");
    assert_eq!(json["summary"]["version"], "00200");
    assert!(!summary(data, &["show", "EEE 00001197"]).contains("superseded"));
}
