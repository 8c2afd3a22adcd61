//! Every condition that can be provoked: a good batch with one change raises exactly it.
//!
//! Not provoked: X02 is never sent (an answer that cannot be delivered), and X38, a gap in a row of
//! repeated fields, is raised by the rules of an application that has such rows.

use std::collections::BTreeSet;

use abigate::envelope::RawBatch;
use abigate::grammar::Fault;
use abigate::wire::{Columns, Defect};

use crate::support::{CODEC, GRAMMAR, Profiles, conditions, profiles, put, read, record, records};

fn entry_summaries() -> Vec<Columns> {
    records(&[
        "A1234N01PASSWD040108     AE",
        "B  1201N01AE",
        "10",
        "90",
        "Y  1201N01AE",
        "Z1234N01      040108",
    ])
}

/// The same, filed by a preparer.
fn prepared() -> Vec<Columns> {
    let mut rows = entry_summaries();
    rows[1] = record("B  1202N01AE                                  1232N01  1");
    rows[4] = record("Y  1202N01AE");
    rows
}

fn overrides() -> Vec<Columns> {
    records(&[
        "A1234N01PASSWD040108     CW",
        "B  1201N01CW",
        "CW01",
        "CW02",
        "CW04",
        "CW01",
        "CW02",
        "Y  1201N01CW",
        "Z1234N01      040108",
    ])
}

fn queries() -> Vec<Columns> {
    records(&["A1234N01PASSWD040108     EQ", "B  1201N01EQ", "J1", "Y  1201N01EQ", "Z1234N01      040108"])
}

fn remove(rows: &mut Vec<Columns>, index: usize) {
    rows.remove(index);
}

type Batch = fn() -> Vec<Columns>;
type Change = fn(&mut Vec<Columns>, &mut Profiles);

/// What is raised, the good batch, and the one change.
const CASES: &[(&str, Batch, Change)] = &[
    ("X01", entry_summaries, |rows, _| remove(rows, 0)),
    ("X03", entry_summaries, |rows, _| remove(rows, 1)),
    ("X03", entry_summaries, |rows, _| rows.insert(1, record("10"))),
    ("X03", entry_summaries, |rows, _| rows.insert(5, record("10"))),
    ("X03", entry_summaries, |rows, _| drop(rows.drain(1..5))),
    ("X04@1", entry_summaries, |rows, _| drop(rows.drain(2..4))),
    ("X05", entry_summaries, |rows, _| remove(rows, 4)),
    ("X06", entry_summaries, |rows, _| remove(rows, 5)),
    ("X07", entry_summaries, |rows, _| put(&mut rows[0], 2, "    ")),
    ("X07", entry_summaries, |rows, _| put(&mut rows[5], 2, "    ")),
    ("X08", entry_summaries, |rows, _| put(&mut rows[0], 6, "   ")),
    ("X08", entry_summaries, |rows, _| put(&mut rows[5], 6, "   ")),
    ("X09", entry_summaries, |rows, _| put(&mut rows[0], 9, "SECRET")),
    ("X09", entry_summaries, |rows, _| {
        put(&mut rows[0], 38, "01");
        put(&mut rows[5], 38, "01");
    }),
    ("X10", entry_summaries, |rows, _| {
        put(&mut rows[0], 15, "043108");
        put(&mut rows[5], 15, "043108");
    }),
    ("X11", entry_summaries, |rows, _| put(&mut rows[0], 26, "  ")),
    ("X11@1", entry_summaries, |rows, _| put(&mut rows[1], 11, "  ")),
    ("X12", entry_summaries, |rows, _| put(&mut rows[0], 26, "EI")),
    ("X12", entry_summaries, |rows, _| put(&mut rows[0], 26, "AX")),
    ("X13", entry_summaries, |_, profiles| assert!(profiles.switched_off.insert("AE"))),
    // No grammar, so not available: a known application whose records cannot be read.
    ("X13", entry_summaries, |rows, _| put(&mut rows[0], 26, "RM")),
    ("X14", entry_summaries, |rows, _| put(&mut rows[5], 2, "1235")),
    ("X14", entry_summaries, |rows, _| put(&mut rows[5], 6, "N02")),
    ("X14", entry_summaries, |rows, _| put(&mut rows[5], 15, "040208")),
    ("X14", entry_summaries, |rows, _| put(&mut rows[5], 38, "01")),
    ("X15@1", entry_summaries, |rows, _| put(&mut rows[1], 4, "    ")),
    ("X15@1", entry_summaries, |_, profiles| assert!(profiles.ports.remove("1201"))),
    ("X16@1", entry_summaries, |rows, _| put(&mut rows[1], 8, "   ")),
    ("X17@1", entry_summaries, |_, profiles| profiles.profile_mut("1201").active = false),
    ("X17@1", entry_summaries, |_, profiles| profiles.parties.retain(|known| known.party.port != "1201")),
    ("X18@1", entry_summaries, |_, profiles| profiles.profile_mut("1201").senders.clear()),
    ("X19@1", overrides, |rows, _| {
        put(&mut rows[1], 11, "AE");
        put(&mut rows[7], 11, "AE");
    }),
    ("X20@1", entry_summaries, |_, profiles| {
        profiles.profile_mut("1201").not_set_up_for.insert("AE");
    }),
    ("X21@1", prepared, |rows, _| put(&mut rows[1], 56, "2")),
    ("X22@1", prepared, |rows, _| put(&mut rows[1], 56, " ")),
    ("X23@1", overrides, |rows, _| put(&mut rows[1], 47, "1232N01  1")),
    ("X24@1", prepared, |rows, _| put(&mut rows[1], 47, "    ")),
    ("X25@1", prepared, |rows, _| put(&mut rows[1], 51, "   ")),
    ("X26@1", prepared, |rows, _| put(&mut rows[1], 51, "EEE")),
    ("X27@1", prepared, |_, profiles| assert!(profiles.brokers_without_permit.insert("N01"))),
    ("X27@1", entry_summaries, |_, profiles| assert!(profiles.brokers_without_permit.insert("N01"))),
    ("X28@1", prepared, |rows, _| put(&mut rows[1], 54, "07")),
    ("X29@1", prepared, |_, profiles| profiles.profile_mut("1232").active = false),
    ("X30@1", prepared, |_, profiles| {
        profiles.profile_mut("1232").not_set_up_for.insert("AE");
    }),
    ("X31@1", prepared, |_, profiles| profiles.profile_mut("1232").ports.clear()),
    ("X32@1", entry_summaries, |rows, _| put(&mut rows[4], 4, "1202")),
    ("X32@1", entry_summaries, |rows, _| put(&mut rows[4], 8, "N02")),
    ("X32@1", entry_summaries, |rows, _| put(&mut rows[4], 11, "SE")),
    ("X32@1", entry_summaries, |rows, _| put(&mut rows[4], 45, "01")),
    ("X33@1.1 r3 c0", overrides, |rows, _| remove(rows, 2)),
    ("X34@1.1 r4 c0", overrides, |rows, _| rows.insert(3, record("CW09"))),
    ("X35@1.1 r6 c0", overrides, |rows, _| rows.insert(5, record("CW02"))),
    ("X36@1.1 r6 c0", overrides, |rows, _| drop(rows.splice(4..4, records(&["CW02", "CW02"])))),
    ("X37@1.1 r4 c0", overrides, |rows, _| remove(rows, 3)),
    ("X37@1.2 r6 c0", overrides, |rows, _| remove(rows, 6)),
    ("X39", entry_summaries, |rows, _| put(&mut rows[0], 22, "A")),
    ("X39", entry_summaries, |rows, _| put(&mut rows[5], 9, "PASSWD")),
    ("X39@1", entry_summaries, |rows, _| put(&mut rows[1], 2, "X")),
    ("X39@1", entry_summaries, |rows, _| put(&mut rows[4], 13, "00002")),
    ("X39@1.2 r7 c42", overrides, |rows, _| put(&mut rows[6], 42, "X")),
    ("X40", entry_summaries, |rows, _| rows[0][69] = 0),
    ("X40", entry_summaries, |rows, _| rows[5][79] = b'\r'),
    ("X40@1", entry_summaries, |rows, _| rows[1][2] = b'\t'),
    ("X40@1", entry_summaries, |rows, _| rows[4][2] = 0xC4),
    ("X40@1.2 r6 c9", overrides, |rows, _| rows[5][8] = 0x7F),
    ("X41@2", queries, |rows, _| drop(rows.splice(4..4, records(&["B  1201N01EQ", "J1", "Y  1201N01EQ"])))),
    ("X43@1", prepared, |_, profiles| profiles.profile_mut("1232").senders.clear()),
    ("X44@1", entry_summaries, |_, profiles| profiles.profile_mut("1201").local_permit = false),
    ("X44@1", prepared, |_, profiles| profiles.profile_mut("1232").local_permit = false),
];

#[test]
fn the_unchanged_batches_are_accepted() {
    for batch in [entry_summaries, prepared, overrides, queries] {
        let reading = read(batch(), &profiles());
        assert!(reading.is_accepted(), "{reading:?}");
    }
}

#[test]
fn one_change_raises_one_condition() {
    for (number, (expected, batch, change)) in CASES.iter().enumerate() {
        let (mut rows, mut profiles) = (batch(), profiles());
        change(&mut rows, &mut profiles);
        let reading = read(rows, &profiles);
        assert_eq!(conditions(&reading), [*expected], "case {number}");
        assert!(reading.structure_fault.is_none());
        assert!(reading.blocks.iter().all(|block| block.transactions.is_empty()));
        let answer = CODEC.rejection(&reading).unwrap();
        assert_eq!(&answer[answer.len() - 3][..7], b"X1RF999", "case {number}");
    }
}

#[test]
fn a_short_last_record_and_a_long_one() {
    for (index, defect, expected) in
        [(5, Defect::Short { found: 20 }, "X42"), (2, Defect::Long { found: 90 }, "X40")]
    {
        let mut batch = RawBatch::from_rows(entry_summaries());
        batch.defects.push((index, defect));
        assert_eq!(conditions(&CODEC.read_batch(&batch, &profiles())), [expected]);
    }
}

#[test]
fn all_but_two_conditions_are_provoked() {
    let mut provoked = CASES.iter().map(|(expected, ..)| &expected[..3]).collect::<BTreeSet<_>>();
    provoked.insert("X42");
    let conditions = GRAMMAR.conditions().rows().iter().filter(|known| known.application == "*");
    let codes = conditions.map(|known| known.code.as_str()).filter(|code| code.starts_with('X'));
    let missing = codes.filter(|code| !provoked.contains(code)).collect::<BTreeSet<_>>();
    assert_eq!(missing, BTreeSet::from(["X02", "X38"]));
}

/// All blocks are evaluated, and all that is wrong with each is said, by code.
#[test]
fn several_conditions_of_several_blocks() {
    let mut rows = entry_summaries();
    let mut second = prepared()[1..5].to_vec();
    put(&mut rows[1], 4, "    ");
    put(&mut rows[1], 57, "X");
    put(&mut second[0], 47, "       ");
    rows.splice(5..5, second);
    assert_eq!(conditions(&read(rows, &profiles())), ["X15@1", "X39@1", "X24@2", "X25@2"]);
}

/// What is wrong with a batch keeps its blocks from being looked at, what is wrong with a block its
/// transactions.
#[test]
fn graver_levels_hide_the_others() {
    let mut rows = overrides();
    rows.remove(2);
    assert_eq!(conditions(&read(rows.clone(), &profiles())), ["X33@1.1 r3 c0"]);
    put(&mut rows[1], 4, "    ");
    assert_eq!(conditions(&read(rows.clone(), &profiles())), ["X15@1"]);
    put(&mut rows[0], 9, "SECRET");
    assert_eq!(conditions(&read(rows, &profiles())), ["X09"]);
}

/// Entry summaries have conditions of their own for faults of structure (ESF-207).
#[test]
fn structure_faults_of_entry_summaries_are_their_own() {
    for (details, code, transaction, record) in [
        (&["11"][..], "A00", 1, 3),
        (&["10", "90", "40"], "A00", 2, 5),
        (&["10", "90", "QQ"], "A00", 2, 5),
        (&["QQ"], "A00", 1, 3),
        (&["10", "QQ"], "A02", 1, 4),
        (&["10", "40", "50", "11"], "A04", 1, 6),
        (&["10", "11", "11"], "A24", 1, 5),
    ] {
        let mut rows = entry_summaries();
        rows.splice(2..4, records(details));
        let reading = read(rows, &profiles());
        assert_eq!(conditions(&reading), [""; 0]);
        let fault = reading.structure_fault.unwrap();
        let found = (fault.fault.condition().to_string(), fault.block, fault.transaction, fault.record);
        assert_eq!(found, (code.to_owned(), 1, transaction, record), "{details:?}: {:?}", fault.fault);
        assert_eq!(fault.application, "AE");
        assert!(reading.blocks.iter().all(|block| block.transactions.is_empty()));
    }
}

/// Validation ends with the first fault: the second block's is not reported.
#[test]
fn the_first_structure_fault_ends_the_reading() {
    let mut rows = entry_summaries();
    rows.splice(2..4, records(&["11"]));
    let mut second = prepared()[1..5].to_vec();
    second[1] = record("11");
    rows.splice(4..4, second);
    let fault = read(rows, &profiles()).structure_fault.unwrap();
    assert_eq!(fault.block, 1);
    assert!(matches!(fault.fault, Fault::HeaderMissing { .. }));
}
