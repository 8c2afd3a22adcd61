//! `check` over the samples and over streams with one fault each.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::path::{Path, PathBuf};

use abigate::grammar::{Grammar, Severity};
use abigate::message::{Checker, Finding};
use abigate::wire::{Limits, Splitter};

fn check(stream: &[u8]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut checker = Checker::new(Grammar::builtin(), None);
    let mut splitter = Splitter::new(Limits::default());
    splitter.push(stream, &mut |line| checker.line(&line, &mut |finding| findings.push(finding))).unwrap();
    splitter.finish(&mut |line| checker.line(&line, &mut |finding| findings.push(finding))).unwrap();
    assert!(checker.records() > 0);
    checker.finish(&mut |finding| findings.push(finding));
    findings
}

/// The samples of a folder and their answers.
fn samples(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary").join(folder);
    let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "abi"));
    files.sort();
    assert!(files.len() >= 15);
    files
}

fn is_answer(path: &Path) -> bool {
    path.to_str().unwrap().ends_with(".answer.abi")
}

#[test]
fn good_samples_and_all_answers_are_clean() {
    // An answer repeats the transmission date as it came, which is what X10 is about.
    let is_clean = |path: &PathBuf| is_answer(path) && !path.to_str().unwrap().contains("/X10-");
    let answers = samples("bad").into_iter().filter(is_clean);
    for path in samples("good").into_iter().chain(answers) {
        let findings = check(&std::fs::read(&path).unwrap());
        let listed = findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(findings.is_empty(), "{}:\n{listed}", path.display());
    }
}

const SMALL: [&str; 10] = [
    "A2704EEEPASSWD080326     AE",
    "B  2704EEEAE",
    "10AEEE  00004571 2720ORC-26457   0140 X           1",
    "1149-8800217  49-8800217                 073126073026       CA",
    "40  001 DEDE072926        0000000760     0000000210    N",
    "47MDEMESTEC9STU",
    "509031808085 0000031280 0000018400 000000001600NO",
    "9000000031280 00000006374 00000000000 00000000000 00000000000 00000000000",
    "Y  2704EEEAE",
    "Z2704EEE      080326",
];

fn with(edit: impl Fn(&mut Vec<String>)) -> Vec<Finding> {
    let mut lines = SMALL.map(str::to_owned).to_vec();
    edit(&mut lines);
    check(lines.join("\n").as_bytes())
}

#[track_caller]
fn only(findings: &[Finding], code: &str, record: u64) -> Finding {
    let codes = findings.iter().map(|finding| finding.to_string()).collect::<Vec<_>>();
    assert_eq!(findings.len(), 1, "{codes:#?}");
    assert_eq!(findings[0].condition.map(|code| code.to_string()).unwrap_or_default(), code, "{codes:#?}");
    assert_eq!(findings[0].position.record, record, "{codes:#?}");
    findings[0].clone()
}

#[test]
fn a_clean_stream_has_no_findings() {
    assert!(with(|_| {}).is_empty());
}

#[test]
fn faults_of_structure_name_their_condition() {
    only(&with(|lines| lines[2].replace_range(0..2, "Q9")), "A00", 3);
    only(&with(|lines| lines[3].replace_range(0..2, "Q9")), "A02", 4);
    only(&with(|lines| lines.swap(2, 3)), "A00", 3);
    only(&with(|lines| lines.swap(4, 5)), "A04", 5);
    only(&with(|lines| lines.insert(3, lines[3].clone())), "A24", 5);
    only(&with(|lines| drop(lines.drain(2..8))), "X04", 3);
    only(&with(|lines| drop(lines.remove(8))), "X05", 9);
    only(&with(|lines| drop(lines.remove(9))), "X06", 9);
}

#[test]
fn faults_of_fields_name_columns_and_what_was_found() {
    let finding = only(&with(|lines| lines[2].replace_range(33..35, "99")), "B18", 3);
    assert_eq!((finding.columns, finding.found.as_str()), (Some((34, 35)), "99"));
    assert!(finding.help.is_some());
    let finding = only(&with(|lines| lines[6].replace_range(24..34, "00000184O0")), "437", 7);
    assert_eq!(finding.field.as_deref(), Some("value_of_goods_amount"));
    let finding = only(&with(|lines| lines[3].replace_range(41..47, "023126")), "125", 4);
    assert_eq!(finding.expected, "a calendar date MMDDYY");
    only(&with(|lines| lines[2].replace_range(6..7, "Q")), "X39", 3);
    only(&with(|lines| lines[3].replace_range(2..12, "          ")), "100", 4);
    only(&with(|lines| lines[5].replace_range(5..6, "\u{7}")), "X40", 6);
    let finding = only(&with(|lines| lines[5].replace_range(3.., "demestec9stu")), "", 6);
    assert_eq!(finding.severity, Severity::Informational);
}

#[test]
fn findings_count_batch_block_and_transaction() {
    let mut lines = SMALL.map(str::to_owned).to_vec();
    let second = lines[2..8].to_vec();
    lines.splice(8..8, second);
    lines[10] = lines[10].replace("DEDE", "D?DE");
    let twice = [lines.join("\n"), lines.join("\n")].join("\n");
    let findings = check(twice.as_bytes());
    let places = findings
        .iter()
        .map(|finding| {
            let at = &finding.position;
            (at.batch, at.block, at.transaction, at.record, at.record_in_batch)
        })
        .collect::<Vec<_>>();
    assert_eq!(places, [(1, 1, 2, 11, 11), (2, 1, 2, 27, 11)], "{findings:#?}");
}

#[test]
fn passwords_stand_in_no_finding() {
    let findings = with(|lines| lines[0].replace_range(8..14, "s3cr\u{1}t"));
    assert!(!findings.is_empty());
    let text = format!("{findings:?}");
    assert!(!text.contains("s3cr") && !text.contains("3cr"), "{text}");
}
