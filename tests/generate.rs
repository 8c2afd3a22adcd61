//! Generated batches: nothing is found wrong with those of any application, and the host accepts what it
//! answers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::collections::{BTreeSet, HashSet};
use std::process::{Command, Stdio};

use abigate::envelope::RawBatch;
use abigate::gateway::{Outcome, Outliner};
use abigate::generate::{GenerateError, Generator, Specification};
use abigate::grammar::{Direction, Grammar};
use abigate::host::{Host, LocalPeer, World};
use abigate::message::{Checker, Identifier, Outline, Part};
use abigate::store::SqliteStore;
use abigate::translate::EntrySummaryCodec;
use abigate::wire::{Columns, Line, records};

fn world() -> World {
    World::demo(Grammar::builtin()).unwrap()
}

fn order(application: &str, seed: u64, variety: usize) -> Specification {
    Specification {
        application: application.to_owned(),
        seed,
        date: None,
        separator: b"\n".to_vec(),
        variety,
        password: "PASSWD".to_owned(),
    }
}

fn generated(wanted: &Specification, transactions: usize) -> Vec<u8> {
    let world = world();
    let mut generator = Generator::new(Grammar::builtin(), &world, wanted).unwrap();
    let mut batch = Vec::new();
    generator.batch(transactions, &mut batch);
    batch
}

fn rows(batch: &[u8]) -> Vec<Columns> {
    records(batch).map(|record| record.columns).collect()
}

fn findings(rows: &[Columns]) -> Vec<String> {
    let mut found = Vec::new();
    let mut checker = Checker::new(Grammar::builtin(), None);
    for (columns, number) in rows.iter().zip(1..) {
        let line = Line { columns, number, offset: 0, length: columns.len(), defect: None };
        checker.line(&line, &mut |finding| found.push(finding.to_string()));
    }
    checker.finish(&mut |finding| found.push(finding.to_string()));
    found
}

/// Every application that has a map, as [`Generator`] takes it.
fn applications() -> BTreeSet<String> {
    let grammar = Grammar::builtin();
    let mapped = grammar.structures().map(|(structure, _)| structure.application.clone());
    mapped.filter(|code| grammar.application(code).is_some()).collect()
}

#[test]
fn nothing_is_found_wrong_with_any_application() {
    assert!(applications().len() > 1);
    for application in applications() {
        for seed in 1..=2 {
            let batch = generated(&order(&application, seed, 6), 15);
            assert_eq!(findings(&rows(&batch)), Vec::<String>::new(), "{application} seed {seed}");
        }
    }
}

#[test]
fn every_record_of_every_application_is_generated() {
    let (grammar, world) = (Grammar::builtin(), world());
    for application in applications() {
        let direction = grammar.application(&application).unwrap().direction;
        let (_, automaton) = grammar.structure(&application, direction).unwrap();
        let identifier = Identifier::new(grammar, &application, direction, automaton);
        // The rules of entry summaries forbid most of what the map allows together.
        if abigate::rules::RuleBook::judges(&application) {
            continue;
        }
        let generator = Generator::new(grammar, &world, &order(&application, 1, 12)).unwrap();
        let mut missing = automaton.records().collect::<BTreeSet<_>>();
        for row in generator.transactions().iter().flatten() {
            let (symbol, _) = identifier.identify(row).unwrap();
            missing.remove(automaton.record(symbol));
        }
        assert_eq!(missing, BTreeSet::new(), "{application}");
    }
}

/// What the host of the demo world makes of a batch.
fn answered(batch: Vec<Columns>) -> Outcome {
    let grammar = Grammar::builtin();
    let now = world().clock().cloned().unwrap();
    let store = SqliteStore::in_memory().unwrap();
    let mut host = Host::new(grammar, world(), store, &now).unwrap();
    let answer = host.answer(&RawBatch::from_rows(batch), &LocalPeer, &now).unwrap();
    Outliner::new(grammar).unwrap().outcome(&answer)
}

#[test]
fn entry_summaries_are_accepted_by_the_host() {
    for seed in 1..=2 {
        let outcome = answered(rows(&generated(&order("AE", seed, 8), 30)));
        assert_eq!((outcome.accepted, outcome.rejected), (30, 0), "{outcome}");
    }
}

#[test]
fn entry_summaries_are_of_many_kinds() {
    let (grammar, world) = (Grammar::builtin(), world());
    let cell = grammar.find("AE", Direction::Input, "10", "").unwrap().cell("entry_type_code").unwrap();
    let generator = Generator::new(grammar, &world, &order("AE", 4, 16)).unwrap();
    let transactions = generator.transactions();
    let types = transactions.iter().map(|rows| cell.text(&rows[0]).to_owned()).collect::<HashSet<_>>();
    assert!(types.len() >= 4, "{types:?}");
    let identifiers = transactions.iter().flatten().map(|row| row[..2].to_vec()).collect::<HashSet<_>>();
    assert!(identifiers.len() >= 15, "{} kinds of records", identifiers.len());
    assert_eq!(transactions.iter().collect::<HashSet<_>>().len(), transactions.len());
}

#[test]
fn numbers_are_unique_in_a_run() {
    let (grammar, world) = (Grammar::builtin(), world());
    let cell = grammar.find("AE", Direction::Input, "10", "").unwrap().cell("entry_number").unwrap();
    let mut generator = Generator::new(grammar, &world, &order("AE", 5, 2)).unwrap();
    let mut batches = Vec::new();
    for _ in 0..5 {
        generator.batch(400, &mut batches);
    }
    let all = rows(&batches);
    let numbers = all.iter().filter(|row| row.starts_with(b"10")).map(|row| cell.text(row));
    assert_eq!(numbers.clone().count(), 2000);
    assert_eq!(numbers.collect::<HashSet<_>>().len(), 2000);
}

#[test]
fn a_seed_decides_everything() {
    for application in ["AE", "AX"] {
        let first = generated(&order(application, 9, 4), 6);
        assert_eq!(first, generated(&order(application, 9, 4), 6));
        assert_ne!(first, generated(&order(application, 10, 4), 6));
    }
}

#[test]
fn separators_change_nothing_else() {
    let plain = rows(&generated(&order("AX", 2, 3), 5));
    for separator in ["", "\r\n"] {
        let other = Specification { separator: separator.as_bytes().to_vec(), ..order("AX", 2, 3) };
        let batch = generated(&other, 5);
        assert_eq!(batch.len(), plain.len() * (80 + separator.len()));
        assert_eq!(rows(&batch), plain);
    }
}

#[test]
fn counts_are_those_of_the_block() {
    let batch = rows(&generated(&order("AX", 4, 3), 7));
    let layout = Grammar::builtin().find("*", Direction::Output, "Y", "response").unwrap();
    let trailer = batch.iter().find(|row| row[0] == b'Y').unwrap();
    let count = layout.cell("output_transaction_image_count").unwrap().digits(trailer).unwrap();
    assert_eq!(count, Some(batch.len() as u64 - 4));
}

#[test]
fn an_unknown_application_is_refused() {
    let world = world();
    let refused = Generator::new(Grammar::builtin(), &world, &order("??", 1, 1)).err();
    assert!(matches!(refused, Some(GenerateError::Application(code)) if code == "??"));
}

fn abigate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_abigate"));
    command.args(arguments);
    command
}

#[test]
fn the_command_writes_what_check_accepts() {
    for arguments in [
        &["generate", "--app", "ae", "--count", "3", "--per-batch", "2"][..],
        &["generate", "--app", "AE", "--responses", "--count", "3", "--separator", "none"],
        &["generate", "--app", "AX", "--size", "20kB", "--variety", "2", "--date", "2026-09-01"],
    ] {
        let mut generate = abigate(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let check = abigate(&["check", "-"]).stdin(generate.stdout.take().unwrap()).output().unwrap();
        assert!(generate.wait().unwrap().success());
        let told = String::from_utf8(check.stdout).unwrap() + str::from_utf8(&check.stderr).unwrap();
        assert_eq!(check.status.code(), Some(0), "{told}");
        assert!(told.contains("0 findings"), "{told}");
    }
    let without = abigate(&["generate", "--app", "AX", "--responses"]).output().unwrap();
    assert_eq!(without.status.code(), Some(2));
}

/// What the host accepts, the model carries: each summary comes back from it as it was.
#[test]
fn accepted_entry_summaries_come_back_from_the_model() {
    let grammar = Grammar::builtin();
    let codec = EntrySummaryCodec::new(grammar).unwrap();
    let world = world();
    for seed in 1..=6 {
        let mut batch = Vec::new();
        Generator::new(grammar, &world, &order("AE", seed, 8)).unwrap().batch(8, &mut batch);
        let batch = rows(&batch);
        let mut outline = Outline::new(grammar);
        let mut parts = Vec::new();
        batch.iter().for_each(|row| outline.push(row, &mut parts));
        outline.finish(&mut parts);
        let bodies = parts.into_iter().filter_map(|part| match part {
            Part::Body(body) => Some(body),
            _ => None,
        });
        let mut summaries = 0;
        for body in bodies {
            let filing = codec.to_json(&body).unwrap_or_else(|problem| panic!("seed {seed}: {problem}"));
            let back = codec.from_json(&filing).unwrap();
            let stood = body.items.iter().map(|item| item.row.escape_ascii().to_string());
            let made = back.iter().map(|row| row.escape_ascii().to_string());
            assert_eq!(made.collect::<Vec<_>>(), stood.collect::<Vec<_>>(), "seed {seed}");
            summaries += 1;
        }
        assert_eq!(summaries, 8);
        let outcome = answered(batch);
        assert_eq!((outcome.accepted, outcome.rejected), (8, 0), "seed {seed}: {outcome}");
    }
}
