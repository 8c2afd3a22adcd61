//! `abigate check` over streams of many batches: parts checked apart tell what one pass tells.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::process::Command;

use abigate::grammar::Grammar;
use abigate::host::Inspection;
use abigate::wire::{Limits, Splitter};

/// What one pass over the stream tells, as `--format json` writes it.
fn in_one_pass(name: &str, stream: &[u8], has_rules: bool) -> String {
    let mut told = String::new();
    let grammar = Grammar::builtin();
    let inspection = match has_rules {
        true => Inspection::new(grammar, None, jiff::civil::date(2026, 8, 3)).unwrap(),
        false => Inspection::without_rules(grammar).unwrap(),
    };
    let mut checker = inspection.inspector(Some(name));
    let mut splitter = Splitter::new(Limits::default());
    let mut sink = |finding| {
        told.push_str(&serde_json::to_string(&finding).unwrap());
        told.push('\n');
    };
    splitter.push(stream, &mut |line| checker.line(&line, &mut sink)).unwrap();
    splitter.finish(&mut |line| checker.line(&line, &mut sink)).unwrap();
    checker.finish(&mut sink);
    told
}

#[track_caller]
fn tells_the_same(stream: &[u8]) {
    tells_the_same_with(stream, false);
}

#[track_caller]
fn tells_the_same_with(stream: &[u8], has_rules: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stream.abi");
    std::fs::write(&path, stream).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_abigate"));
    command.args(["check", "--format", "json"]).args((!has_rules).then_some("--no-rules"));
    let output = command.arg(&path).output().unwrap();
    let expected = in_one_pass(&path.display().to_string(), stream, has_rules);
    assert!(!expected.is_empty());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap() == expected, "{} bytes told otherwise", expected.len());
}

fn sample(name: &str) -> Vec<u8> {
    let path = format!("{}/samples/entry_summary/{name}.abi", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

#[test]
fn many_batches_are_told_in_order() {
    let good = sample("good/01-vessel-three-lines").repeat(700);
    let mut stream = Vec::new();
    for bad in [
        "B18-entry-type-unknown",
        "X05-block-trailer-missing",
        "419-export-date",
        "A04-record-out-of-sequence",
    ] {
        stream.extend_from_slice(&good);
        stream.extend_from_slice(&sample(&format!("bad/{bad}")));
    }
    stream.extend_from_slice(b"10 no batch at all");
    tells_the_same(&stream);
}

#[test]
fn a_batch_without_end_is_told_as_it_comes() {
    let batch = sample("bad/B18-entry-type-unknown");
    let lines = batch.split_inclusive(|&byte| byte == b'\n').collect::<Vec<_>>();
    let summary = lines[2..lines.len() - 2].concat();
    let mut stream = batch.clone();
    stream.extend_from_slice(&lines[..2].concat());
    let clean = String::from_utf8(summary.clone()).unwrap().replacen("   0511", "   0111", 1);
    stream.extend_from_slice(&clean.as_bytes().repeat((17 << 20) / clean.len()));
    stream.extend_from_slice(&summary);
    tells_the_same(&stream);
}

#[test]
fn a_line_beyond_the_limit_is_counted_from_the_beginning_of_the_stream() {
    let batches = sample("good/01-vessel-three-lines").repeat(700);
    let line = [b'X'; 2000];
    let mut stream = batches.clone();
    stream.extend_from_slice(&line);
    stream.extend_from_slice(b"\n");
    stream.extend_from_slice(&batches);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stream.abi");
    std::fs::write(&path, &stream).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_abigate"));
    let output = command.arg("check").arg(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    let record = batches.iter().filter(|byte| **byte == b'\n').count() + 1;
    let expected = format!("more than 1024 bytes in a line, at record {record}, byte {}", batches.len());
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn findings_of_rules_are_told_in_order_too() {
    let mut stream = sample("good/01-vessel-three-lines").repeat(100);
    stream.extend_from_slice(&sample("bad/722-duty-total"));
    stream.extend_from_slice(&sample("good/01-vessel-three-lines").repeat(20));
    stream.extend_from_slice(&sample("bad/B16-check-digit"));
    tells_the_same_with(&stream, true);
}
