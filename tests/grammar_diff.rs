//! Revisions of a chapter compared.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::path::Path;
use std::process::Command;

use abigate::grammar::{Change, ChangeKind, Grammar, diff};

const OLD: &str = r#"
chapter "Sightings" revision "1" pages "S-1 to S-3"

transaction S1 answers S2

record S1 in 10 sighting
  1-2    control_identifier  AN  M  = "10"             "Control Identifier"
  3-6    place               N   M                     "Place"  missing A01
  7-9    count               N   C                     "Count"
  10     kind                A   M  in {A B}           "Kind"  unknown A02
  11-18  value               N   C  decimals 2         "Value"
  19-20  grade               AN  C                     "Grade"
  21-22  country             A   C  in @bird_country   "Country"
  23-30  observer            AN  C                     "Observer"
  31-80  filler              S   M

record S1 in 20 remark
  1-2    control_identifier  AN  M  = "20"             "Control Identifier"
  3-80   text                X   M                     "Text"

record S1 in 30 trailer
  1-2    control_identifier  AN  M  = "30"             "Control Identifier"
  3-80   filler              S   M

structure S1 in sighting
  10 M 1
  group notes C 5 { 20 M 1 }
  30 C 1
end
"#;

const NEW: &str = r#"
chapter "Sightings" revision "2" pages "S-1 to S-4"

transaction S1 answers S2

record S1 in 10 sighting
  1-2    control_identifier  AN  M  = "10"             "Control Identifier"
  3-7    place               AN  M                     "Place"  missing A03
  8-10   count               N   M                     "Count"
  11     kind                A   M  in {A C}           "Kind"  unknown A02
  12-18  value               N   C  decimals 1         "Value"
  19-20  rank                AN  C                     "Rank"
  21-22  country             A   C  in @bird_country   "Country"
  23-30  filler              S   M
  31-36  seen_on             D   C                     "Seen On"
  37-80  filler              S   M

record S1 in 30 trailer
  1-2    control_identifier  AN  M  = "30"             "Control Identifier"
  3-80   filler              S   M

record S1 in 40 weather
  1-2    control_identifier  AN  M  = "40"             "Control Identifier"
  3-4    sky                 AN  M                     "Sky"
  5-80   filler              S   M

structure S1 in sighting
  10 M 1
  30 M 2
  group notes C 9 { 40 M 1 }
end
"#;

const COUNTRIES: [&str; 2] = [
    "code\tmeaning\nCA\tCanada\nUS\tUnited States\n",
    "code\tmeaning\nMX\tMexico\nUS\tUnited States of America\n",
];

fn folder(grammar: &str, countries: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sightings.grammar"), grammar).unwrap();
    std::fs::write(folder.path().join("bird_country.tsv"), countries).unwrap();
    folder
}

fn compared(old: &Path, new: &Path) -> Vec<Change> {
    let [old, new] = [old, new].map(|path| Grammar::alone(path).unwrap());
    diff(&old, &new, &|_, _| true)
}

/// The list, structure, record and field that a change is about.
fn at(change: &Change) -> String {
    let structure = change.structure.join(">");
    [&change.list, &structure, &change.record, &change.field].map(String::as_str).join("/")
}

/// Whether a change of this kind is told at this place, in these words.
#[track_caller]
fn tells(changes: &[Change], place: &str, kind: ChangeKind, words: &str) {
    let found = changes.iter().filter(|change| at(change) == place && change.kind == kind);
    let texts = found.map(|change| change.text.as_str()).collect::<Vec<_>>();
    assert!(texts.iter().any(|text| text.contains(words)), "{place} {kind:?}: {texts:?} of {changes:#?}");
}

#[test]
fn every_kind_of_change_is_told() {
    let (old, new) = (folder(OLD, COUNTRIES[0]), folder(NEW, COUNTRIES[1]));
    let changes = compared(old.path(), new.path());
    for (place, kind, words) in [
        ("//10/place", ChangeKind::Grew, "grew from 4 columns (3-6) to 5 (3-7)"),
        ("//10/place", ChangeKind::Class, "digits (N)"),
        ("//10/place", ChangeKind::Condition, "if left blank was A01, is A03"),
        ("//10/count", ChangeKind::Moved, "moved from 7-9 to 8-10"),
        ("//10/count", ChangeKind::Designation, "was conditional, is mandatory"),
        ("//10/kind", ChangeKind::Values, r#"may now hold "C", no longer "B""#),
        ("//10/value", ChangeKind::Shrank, "shrank from 8 columns"),
        ("//10/value", ChangeKind::Decimals, "was 2 decimal places, is 1 decimal place"),
        ("//10/rank", ChangeKind::Renamed, "its name was grade, is rank"),
        ("//10/rank", ChangeKind::Renamed, r#"was "Grade", is "Rank""#),
        ("//10/observer", ChangeKind::Vanished, "its columns are filler"),
        ("//10/seen_on", ChangeKind::Appeared, "conditional, a date (D); its columns were filler"),
        ("//20/", ChangeKind::Vanished, "record vanished"),
        ("//40/", ChangeKind::Appeared, "record appeared, with sky"),
        ("/sighting/30/", ChangeKind::Repeats, "could stand once, may stand 2 times"),
        ("/sighting/30/", ChangeKind::Designation, "was conditional, is mandatory"),
        ("/sighting>notes//", ChangeKind::Repeats, "could stand 5 times, may stand 9 times"),
        ("/sighting>notes/20/", ChangeKind::Vanished, "record 20 vanished"),
        ("/sighting>notes/40/", ChangeKind::Appeared, "record 40 appeared, first: mandatory, may stand once"),
        ("bird_country///", ChangeKind::Appeared, "code MX appeared: Mexico"),
        ("bird_country///", ChangeKind::Vanished, "code CA vanished: Canada"),
        ("bird_country///", ChangeKind::Meaning, "code US was United States, is United States of America"),
    ] {
        tells(&changes, place, kind, words);
    }
    let moved = changes.iter().filter(|change| change.kind == ChangeKind::Moved && change.field.is_empty());
    assert_eq!(moved.count(), 1, "either the group or the trailer has moved");
    assert!(!changes.iter().any(|change| change.field == "country"), "{changes:#?}");
}

#[test]
fn a_comparison_the_other_way_round_tells_as_much() {
    let (old, new) = (folder(OLD, COUNTRIES[0]), folder(NEW, COUNTRIES[1]));
    let (there, back) = (compared(old.path(), new.path()), compared(new.path(), old.path()));
    assert_eq!(there.len(), back.len());
}

#[test]
fn a_revision_equals_itself() {
    assert!(diff(Grammar::builtin(), Grammar::builtin(), &|_, _| true).is_empty());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
    let alone = Grammar::alone(&root.join("entry_summary.grammar")).unwrap();
    let changes = diff(&alone, Grammar::builtin(), &|application, _| application == "AE");
    assert!(changes.is_empty(), "a chapter alone has the fragments of others: {changes:#?}");
}

/// The chapter of entry summary queries as it was three years before, beside that of today: what its
/// table of changes tells (ESQ-4 to ESQ-7) and nothing else.
#[test]
fn revisions_of_a_chapter_differ_by_its_table_of_changes() {
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/revisions/entry_summary_query_21");
    let old = Grammar::alone(&old).unwrap();
    let changes = diff(&old, Grammar::builtin(), &|application, _| ["EQ", "ER"].contains(&application));
    let expected = [
        ("//J2/entry_summaries_flag", 2, ChangeKind::Renamed, "onsumption"),
        ("//JD/immediate_delivery_indicator", 1, ChangeKind::Appeared, "its columns were filler"),
        ("//JF/accelerated_drawback_indicator", 1, ChangeKind::Designation, "was mandatory, is conditional"),
        ("//JI/surety_liability_amount", 1, ChangeKind::Appeared, "whole units"),
        ("//JI/", 1, ChangeKind::Appeared, "message_text"),
        ("//JK/bill_number", 1, ChangeKind::Class, "was digits (N), is letters and digits (AN)"),
        ("//JK/bill_collection_status", 2, ChangeKind::Renamed, "tatus"),
        ("//JN/bill_collection_status", 2, ChangeKind::Renamed, "tatus"),
        ("//JL/collection_date", 2, ChangeKind::Renamed, "rocessing"),
        ("eq_bill_type///", 1, ChangeKind::Appeared, "code 7 appeared: debit voucher"),
        ("eq_class_code///", 1, ChangeKind::Appeared, "code 044 appeared: interest"),
        ("eq_liquidation_reason///", 20, ChangeKind::Appeared, "code "),
        // the first nine codes had no zero before them
        ("eq_bill_collection_status///", 9, ChangeKind::Appeared, "code 0"),
        ("eq_bill_collection_status///", 9, ChangeKind::Vanished, "code "),
    ];
    for (place, count, kind, words) in expected {
        let found = changes.iter().filter(|change| at(change) == place && change.kind == kind);
        let texts = found.map(|change| change.text.as_str()).collect::<Vec<_>>();
        assert_eq!(texts.len(), count, "{place} {texts:?}");
        assert!(texts.iter().all(|text| text.contains(words)), "{place} {texts:?}");
    }
    let told = expected.iter().map(|(_, count, ..)| count).sum::<usize>();
    assert_eq!(changes.len(), told, "{changes:#?}");
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_abigate")).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_exit_code_tells_whether_there_are_differences() {
    let (old, new) = (folder(OLD, COUNTRIES[0]), folder(NEW, COUNTRIES[1]));
    let [old, new] = [old.path(), new.path()].map(|path| path.display().to_string());
    let (code, words) = run(&["grammar", "diff", &old, &new]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.starts_with("from  Sightings, 1\nto    Sightings, 2\n"), "{words}");
    let (code, json) = run(&["grammar", "diff", &old, &new, "--format", "json"]);
    let json = serde_json::from_str::<serde_json::Value>(&json).unwrap();
    assert_eq!((code, json["from"].as_str()), (Some(1), Some("Sightings, 1")));
    let changes = json["changes"].as_array().unwrap();
    assert!(words.contains(&format!("{} differences", changes.len())), "{words}");
    assert!(changes.iter().all(|change| change["text"].is_string() && change["kind"].is_string()));
    assert_eq!(run(&["grammar", "diff", &old, &old]).0, Some(0));
    assert_eq!(run(&["grammar", "diff", &old, "no-such-file"]).0, Some(2));
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/grammars/entry_summary.grammar");
    assert_eq!(run(&["grammar", "diff", own]).0, Some(0), "the second one is that of the program");
}
