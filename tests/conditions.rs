//! Conditions: which one a change to a valid entry summary raises, where, and that nothing else is.
//!
//! `tests/conditions/*.cases` name a sample as base, then one change a case and the conditions it must
//! raise with their signposts. No base raises anything. The register lists the codes that
//! are provoked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "conditions/bench.rs"]
mod bench;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use abigate::grammar::{Direction, Grammar};
use abigate::host::World;
use abigate::rules::{Context, NoReference, Reference, RuleBook, RuleError, RuleText};
use bench::{Bench, cases, judged, shown};
use jiff::civil::date;

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
        ("rules AE\nrule 722 on 90 when absent 40\n", "line 2, column 28: expected a list"),
        ("rules AE\nrule B42 on 10 when absent @filed\n", "line 3, column 1: expected `[`"),
        ("rules AE\nrule B42 on 10 when absent @filed[]\n", "line 2, column 35: expected a column's name"),
        (
            "rules AE\nrule B42 on 10 when absent @filed[number = entry_number].\n",
            "line 3, column 1: expected a column's name",
        ),
        ("rules AE\nrule 722 on 90 when any 40\n", "line 1, column 1: no signpost"),
        ("rules AE\nrule 722 on 90 when any 40 ?\n", "line 2, column 28: neither a word, a text nor a sign"),
    ] {
        let error = compiled(text).expect_err(text);
        assert_eq!(error.to_string(), format!("some.rules, {message}"));
    }
}

/// The book of one file of rules.
fn compiled(text: &str) -> Result<RuleBook, RuleError> {
    RuleBook::compile(Grammar::builtin(), &[RuleText { name: "some.rules", text }])
}

#[test]
fn misspelled_lists_and_columns_are_told_together_with_the_nearest_right_name() {
    let text = "rules AE
let state = @filed[number = entry_number].stat
rule B29 on 10 when state = \"paid\" or state = \"rejected\"
rule B30 on 10 when @file[number = entry_number].state = \"liquidated\"
rule B22 on 10 when entry_number in @naamed_release
rule 300 on 30 when known @filed_warehouse[nummber = associated_warehouse_entry_number]
rule B34 on 10 when @filer[code = entry_filer_code].broker_reference_require = \"true\"
rule B44 on 10 when absent @filed[number = entry_number].prot
rule B45 on 10 when @filed[number = entry_number].preliminary_statement_print_date > today
rule 303 on 10 when @importer[number = 11.importer_of_record_number].stauts = \"void\"
rule B46 on 10 when known @quotta[tariff = 50.hts_number]
rule B47 on 10 when entry_number in @quota
rule B48 on 10 when @entry_type_records[entry_tipe = entry_type_code, record = \"88\"].requirement = \"N\"
rule B49 on 10 when @ae_entry_type[code = entry_type_code].colour = \"\"
rule B50 on 10 when @completely_other[code = entry_type_code].colour = \"\"
rule 722 on 91 when any 40
";
    let expected = "\
some.rules, line 2, column 43: filed has no column stat; did you mean state?
some.rules, line 4, column 21: no list file; did you mean filed?
some.rules, line 5, column 37: no list naamed_release; did you mean named_release?
some.rules, line 6, column 27: filed_warehouse is looked up by number
some.rules, line 7, column 53: filer has no column broker_reference_require; did you mean broker_reference_required?
some.rules, line 8, column 58: filed has no column prot; did you mean port?
some.rules, line 10, column 70: importer has no column stauts; did you mean status?
some.rules, line 11, column 27: no list quotta; did you mean quota?
some.rules, line 12, column 37: quota is looked up by tariff, countries, since: ask `known @quota[…]`
some.rules, line 13, column 41: entry_type_records has no column entry_tipe; did you mean entry_type?
some.rules, line 14, column 60: ae_entry_type has no column colour
some.rules, line 15, column 21: no list completely_other
some.rules, line 16, column 13: no record 91 in AE";
    assert_eq!(compiled(text).unwrap_err().to_string(), expected);
}

#[test]
fn a_broken_file_does_not_hide_what_is_wrong_in_another() {
    let files =
        [("first.rules", "rules AE\nrule"), ("second.rules", "rules AE\nrule 722 on 91 when any 40\n")];
    let files = files.map(|(name, text)| RuleText { name, text });
    let error = RuleBook::compile(Grammar::builtin(), &files).unwrap_err();
    assert_eq!(
        error.to_string(),
        "first.rules, line 2, column 5: expected a condition code\n\
         second.rules, line 2, column 13: no record 91 in AE"
    );
}

/// A host with ports of which it does not say all, and with no countries.
struct Ports;

impl Reference for Ports {
    fn has(&self, list: &str, code: &str) -> Option<bool> {
        (list == "schedule_d").then(|| ["2720", "2704"].contains(&code))
    }

    fn value(&self, list: &str, code: &str, column: &str) -> Option<Cow<'_, str>> {
        self.has(list, code)?
            .then(|| if code == "2720" && column == "name" { "Los Angeles" } else { "" }.into())
    }
}

#[test]
fn a_missing_row_is_told_from_a_blank_column_and_from_what_is_undecided() {
    let bench = Bench::new();
    let path = Path::new("samples/entry_summary/good/01-air-one-line.abi");
    let (rows, block) = (bench.summaries(path).remove(0), bench.block(path, 0));
    let header = bench.grammar.find("AE", Direction::Input, "10", "").unwrap();
    let of_port = |port: &str, test: &str| {
        let mut rows = rows.clone();
        header.cell("broker_reference_number").unwrap().put_text(&mut rows[0], port).unwrap();
        let book = compiled(&format!("rules AE\nsignpost SUMMRY of 10 block\nrule B10 on 10 when {test}\n"))
            .unwrap();
        let transaction = bench.assembled(&rows).unwrap();
        let context =
            Context { grammar: bench.grammar, reference: &Ports, today: date(2026, 8, 3), block: &block };
        let raised = book.judge(&transaction, &context);
        raised.iter().any(|raised| raised.code.as_str() == "B10")
    };
    const KEY: &str = "@schedule_d[code = broker_reference_number]";
    const COUNTRY: &str = "@country[code = \"FR\"]";
    for (test, expected) in [
        // a row with a name, a row without one, no row
        (format!("absent {KEY}"), [false, false, true]),
        (format!("not absent {KEY}"), [true, true, false]),
        (format!("known {KEY}"), [true, true, false]),
        (format!("absent {KEY}.name"), [false, true, true]),
        (format!("not absent {KEY}.name"), [true, false, false]),
        (format!("{KEY}.name = \"\""), [false, true, false]),
        // of a list that nobody holds nothing is decided
        (format!("absent {COUNTRY}"), [false; 3]),
        (format!("not absent {COUNTRY}"), [false; 3]),
        (format!("absent {COUNTRY}.name"), [false; 3]),
        (format!("not absent {COUNTRY}.name"), [false; 3]),
        // the grammar's own lists are always held
        ("absent @ae_entry_type[code = broker_reference_number]".to_owned(), [true; 3]),
        ("absent @ae_entry_type[code = entry_type_code]".to_owned(), [false; 3]),
        ("known @ae_entry_type[code = entry_type_code]".to_owned(), [true; 3]),
        ("absent @ae_entry_type[code = entry_type_code].meaning".to_owned(), [false; 3]),
    ] {
        let found = ["2720", "2704", "9999"].map(|port| of_port(port, &test));
        assert_eq!(found, expected, "{test}");
    }
}

/// docs/whose-entry.md has a row for each condition whose rules read what is on file.
#[test]
fn the_page_on_foreign_entries_lists_every_condition_that_reads_what_is_on_file() {
    let grammar = Grammar::builtin();
    let book = RuleBook::builtin(grammar).unwrap();
    let keyed_by_filer = grammar.list("reference_list").unwrap().rows().iter();
    let keyed_by_filer = keyed_by_filer.filter(|row| row[2].split(' ').next() == Some("filer"));
    let host = grammar.list("host_list").unwrap();
    let mut of_file = host.codes().filter(|list| *list != "census_parameter" && *list != "statement_month");
    let of_file = of_file.by_ref().chain(keyed_by_filer.map(|row| row[0].as_str())).collect::<BTreeSet<_>>();
    let mut expected = BTreeMap::<String, Vec<String>>::new();
    for (code, lists) in book.lists() {
        let asked = lists.iter().filter(|list| of_file.contains(**list)).map(|list| format!("`{list}`"));
        let asked = asked.collect::<Vec<_>>().join(" ");
        if !asked.is_empty() {
            expected.entry(asked).or_default().push(code.to_string());
        }
    }
    let rows = expected.iter().map(|(lists, codes)| format!("| {lists} | {} |\n", codes.join(" ")));
    let table = rows.collect::<String>();
    let page = std::fs::read_to_string("docs/whose-entry.md").unwrap();
    assert!(page.contains(&format!("|---|---|\n{table}\n")), "docs/whose-entry.md should say\n{table}");
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
