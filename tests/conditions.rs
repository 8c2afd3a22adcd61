//! Conditions: which one a change to a valid entry summary raises, where, and that nothing else is.
//!
//! `tests/conditions/*.cases` name a sample as base, then one change a case and the conditions it must
//! raise with their signposts. No base raises anything. The register lists the codes that
//! are provoked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "conditions/bench.rs"]
mod bench;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use abigate::grammar::Grammar;
use abigate::host::World;
use abigate::rules::{NoReference, RuleBook};
use bench::{Bench, cases, judged, shown};

/// The samples of a folder, without their answers.
fn samples(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new("samples/entry_summary").join(folder);
    let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    files.retain(|path| !path.to_str().unwrap().ends_with(".answer.abi"));
    files
}

#[test]
fn accepted_samples_raise_nothing() {
    let bench = Bench::new();
    let (mut count, mut wrong) = (0, Vec::new());
    for path in samples("good") {
        for (index, rows) in bench.summaries(&path).into_iter().enumerate() {
            let found = judged(&bench, &rows, &bench.block(&path, index)).unwrap();
            if !found.is_empty() {
                wrong.push(format!("{} summary {}: {}", path.display(), index + 1, shown(&found)));
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 30, "{count} summaries");
}

/// In the demo world, where the tariff and the parties are known as well.
#[test]
fn samples_raise_what_they_are_made_for() {
    let bench = Bench::new();
    let world = World::demo(bench.grammar).unwrap();
    made_for(&bench, &world);
}

/// And in that with more reference data, in which conditions are provoked.
#[test]
fn more_reference_data_change_nothing_about_the_samples() {
    let bench = Bench::new();
    made_for(&bench, bench.world("reference"));
}

fn made_for(bench: &Bench, world: &World) {
    let known =
        bench.book.conditions().into_iter().map(|(_, code)| code.to_string()).collect::<BTreeSet<_>>();
    let mut wrong = Vec::new();
    for folder in ["good", "bad"] {
        for path in samples(folder) {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let expected = name.split('-').next().filter(|code| folder == "bad" && known.contains(*code));
            if folder == "bad" && expected.is_none() {
                continue;
            }
            let mut found = Vec::new();
            let summaries = bench.summaries(&path);
            // Faults of structure are told before any rule is asked.
            if summaries.iter().any(|rows| bench.assembled(rows).is_err()) {
                continue;
            }
            for (index, rows) in summaries.into_iter().enumerate() {
                let transaction = bench.assembled(&rows).unwrap();
                let block = bench.block(&path, index);
                found.extend(bench.book.judge(&transaction, &bench.context(world, &block)));
            }
            if shown(&found).split(' ').next() != expected.or(Some("")) || found.len() > 1 {
                wrong.push(format!("{folder} {name}: {}", shown(&found)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_change_raises_its_conditions_and_no_other() {
    let bench = Bench::new();
    let mut provoked = BTreeSet::new();
    let mut wrong = Vec::new();
    for case in cases() {
        let found = case.judged(&bench);
        let found = found.map_or_else(|fault| fault, |raised| shown(&raised));
        let expected = case.expected.join("; ");
        if found == expected {
            provoked.extend(case.expected.iter().filter_map(|one| one.split(' ').next()).map(str::to_owned));
        } else {
            wrong.push(format!("{}: {}\n  expected {expected}\n  found    {found}", case.place, case.change));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    let register = bench.grammar.list("condition_register").unwrap();
    let listed = register.rows().iter().filter(|row| row[3] == "tests/conditions").map(|row| row[1].clone());
    let listed = listed.collect::<BTreeSet<_>>();
    let unlisted = provoked.symmetric_difference(&listed).cloned().collect::<Vec<_>>();
    assert!(unlisted.is_empty(), "grammars/codes/condition_register.tsv differs in {}", unlisted.join(" "));
}

/// docs/entry-summary-notes.md has a row for each usage note, and names no condition that no test provokes.
#[test]
fn the_notes_name_conditions_that_are_tested() {
    let register = Grammar::builtin().list("condition_register").unwrap();
    let tested = register.rows().iter().filter(|row| row[0] == "AE" && row[2] == "tested");
    let tested = tested.map(|row| row[1].as_str()).collect::<BTreeSet<_>>();
    let text = std::fs::read_to_string("docs/entry-summary-notes.md").unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ("));
    let rows = rows.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>()).collect::<Vec<_>>();
    let single = ('a'..='z').map(|letter| format!("({letter})"));
    let letters = single.chain(('a'..='l').map(|letter| format!("({letter}{letter})")));
    assert_eq!(rows.iter().map(|row| row[1].to_owned()).collect::<Vec<_>>(), letters.collect::<Vec<_>>());
    for row in &rows {
        let unknown = row[4].split(' ').filter(|code| !tested.contains(code)).collect::<Vec<_>>();
        assert!(unknown.is_empty() && !row[4].is_empty(), "{}: {}", row[1], unknown.join(" "));
    }
}

#[test]
fn every_condition_of_the_book_is_known_and_has_a_narrative() {
    let grammar = Grammar::builtin();
    let book = RuleBook::builtin(grammar).unwrap();
    let conditions = book.conditions();
    assert!(conditions.len() >= 200, "{} conditions", conditions.len());
    for (application, code) in conditions {
        let condition = grammar.conditions().get(application, code);
        assert!(condition.is_some_and(|condition| !condition.narrative.is_empty()), "{application} {code}");
    }
}

#[test]
fn wrong_rules_are_named_with_line_and_column() {
    let grammar = Grammar::builtin();
    for (text, message) in [
        ("rules AE\nrule 722 on 90 when duty != 0\n", "line 2, column 21: AE 90 has no field duty"),
        ("rules AE\nrule 722 on 91 when any 40\n", "line 2, column 13: no record 91 in AE"),
        ("rules AE\nrule ZZZ on 90 when any 40\n", "line 2, column 1: AE has no condition ZZZ"),
        ("rules AE\n  rule 722 on 90 if any 40\n", "line 2, column 18: expected `when`"),
        ("rules AE\nrule 722 on 90 when any 40 in lines\n", "line 2, column 25: no group lines in AE"),
        (
            "rules AE\nrule 722 on 90 when gap grand_total_duty_amount\n",
            "line 2, column 21: a gap is between the items of a record",
        ),
        ("rules AE\nrule 722 on 90 when (any 40\n", "line 3, column 1: expected `)`"),
        ("rules AE\nrule 722 on 90 when any 40 ?\n", "line 2, column 28: neither a word, a text nor a sign"),
    ] {
        let error = RuleBook::compile(grammar, &[text]).expect_err(text);
        assert_eq!(error.to_string(), message);
    }
}

/// Nothing that a transaction holds makes a judgement fail: blanks, letters and signs in every column.
#[test]
fn any_content_is_judged() {
    let bench = Bench::new();
    let path = Path::new("samples/entry_summary/good/03-antidumping-and-countervailing-low-rates.abi");
    let rows = bench.summaries(path).remove(0);
    let (book, block) = (RuleBook::builtin(bench.grammar).unwrap(), bench.block(path, 0));
    for byte in [b' ', b'0', b'9', b'A', b'*', b'a', 0xC3] {
        for row in 0..rows.len() {
            let mut changed = rows.clone();
            let identifier = if changed[row].starts_with(b"SE") { 4 } else { 2 };
            changed[row][identifier..].fill(byte);
            let transaction = bench.assembled(&changed).unwrap();
            let _ = book.judge(&transaction, &bench.context(&NoReference, &block));
        }
    }
}
