//! What a field or the order of records raises by itself, for every chapter but that of entry summaries.

use std::collections::BTreeSet;

use abigate::grammar::{ConditionCode, Cursor, Direction, Field, Grammar, Layout, Values};
use abigate::message::{Checker, Finding};
use abigate::wire::{Columns, Line};

use crate::stream::{Desk, blank, put};
use crate::values::values_of;

fn check(rows: &[Columns]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut checker = Checker::new(Grammar::builtin(), None);
    for (index, columns) in rows.iter().enumerate() {
        let offset = index as u64 * 81;
        let line = Line { columns, number: index as u64 + 1, offset, length: 80, defect: None };
        checker.line(&line, &mut |finding| findings.push(finding));
    }
    findings
}

/// A record with a value in every field.
fn filled(layout: &Layout) -> Columns {
    let mut row = blank(layout);
    for field in layout.fields.iter().filter(|field| !field.is_filler()) {
        if field.cell.last_column() > layout.record.len() {
            put(&mut row, field, &values_of(field)[0]);
        }
    }
    row
}

/// Whether a value that is not on a field's list is known without a host.
fn is_listed(field: &Field) -> bool {
    std::iter::once(&field.values).chain(&field.also).all(|values| match values {
        Values::Any => false,
        Values::Constant(_) | Values::OneOf(_) => true,
        Values::List(name) => Grammar::builtin().list(name).is_some(),
    })
}

/// The values that raise a field's conditions, and which.
fn faults(field: &Field) -> Vec<(String, ConditionCode)> {
    let own = &field.conditions;
    let width = field.cell.width();
    let mut all = Vec::new();
    all.extend(own.missing.map(|code| (String::new(), code)));
    let unknown = own.unknown.filter(|_| is_listed(field));
    let sign = if field.cell.class().is_numeric() { "0" } else { "Q" };
    all.extend(unknown.map(|code| (sign.repeat(width), code)));
    let may_be_invalid = field.cell.class().is_numeric() || field.holds_date();
    all.extend(own.invalid.filter(|_| may_be_invalid).map(|code| ("X".repeat(width), code)));
    all
}

/// A condition as the register names it: by the application that has it, the one asked or its response.
fn registered(application: &str, code: ConditionCode) -> String {
    let known = Grammar::builtin().condition(application, code);
    format!("{} {code}", known.unwrap_or_else(|| panic!("{application} {code}")).application)
}

fn provoked_by_fields() -> BTreeSet<String> {
    let grammar = Grammar::builtin();
    let mut provoked = BTreeSet::new();
    let strange = |layout: &&Layout| !["*", "AE", "AX", "PGA"].contains(&layout.application.as_str());
    for layout in grammar.layouts().iter().filter(strange) {
        let desk = Desk::new(&layout.application, layout.direction).unwrap();
        for field in &layout.fields {
            for (value, code) in faults(field) {
                let mut row = filled(layout);
                put(&mut row, field, &value);
                let findings = check(&desk.stream(&[row]));
                let found = findings.iter().find(|found| found.field.as_ref() == Some(&field.name));
                let place = format!("{} {} {}", layout.application, layout.record, field.name);
                assert_eq!(found.and_then(|found| found.condition), Some(code), "{place} {value:?}");
                assert!(!found.unwrap().message.is_empty(), "{place} {code}");
                provoked.insert(registered(&layout.application, code));
            }
        }
    }
    provoked
}

/// Records in a row, each with the value that marks it if it has one, and the condition of the last.
const ORDERS: [(&str, &str, &str); 29] = [
    ("CB", "12", "S01"),
    ("CB", "10B Q9", "S03"),
    ("CB", "10B 20 12", "S71"),
    ("CB", "10V*1000", "S02"),
    ("CB", "10B 35", "S31"),
    ("CB", "10B 30 30", "S66"),
    ("CB", "10B 30 45", "S49"),
    ("CB", "10B 30 40 40", "S67"),
    ("CB", "10B 30 35*100", "S37"),
    ("CB", "10B 30 36*1000", "S43"),
    ("CB", "10R 36*1000", "S43"),
    ("CB", "10C 40 45*100", "S68"),
    ("CB", "10C 40 46 46", "SR1"),
    ("CB", "10B 12 12", "S62"),
    ("CB", "10B 20 20", "S26"),
    ("EQ", "J0", "002"),
    ("CJ", "Q9", "A01"),
    ("QA", "Q9", "Q42"),
    ("QA", "Q1*100", "Q41"),
    ("TE", "Q9", "8WR"),
    ("QP", "10A 10D", "001"),
    ("QP", "10D*1000", "002"),
    ("QP", "10A 30 50", "003"),
    ("QP", "10A 30 40 55", "004"),
    ("QP", "10A 30 40 50 65", "005"),
    ("QP", "10A 30*10000", "006"),
    ("QP", "10A 30 40 50 55 65 75", "007"),
    ("QP", "10A 30 32 32", "016"),
    ("SE", "SE10A SE15", "208"),
];

fn fault_of(application: &str, text: &str) -> String {
    let (_, automaton) = Grammar::builtin().structure(application, Direction::Input).unwrap();
    let mut cursor = Cursor::default();
    for word in text.split(' ') {
        let (word, times) =
            word.split_once('*').map_or((word, 1), |(word, times)| (word, times.parse().unwrap()));
        let record = automaton.records().find(|record| word.starts_with(record));
        let Some(record) = record else {
            return cursor.unknown(automaton, word.to_owned()).condition().to_string();
        };
        let mark = &word[record.len()..];
        let mut kinds = automaton.symbols_of(record);
        let kind = kinds.find(|(_, known)| known.is_none_or(|known| known.admits(mark))).unwrap().0;
        for _ in 0..times {
            if let Err(fault) = cursor.step(automaton, kind) {
                return fault.condition().to_string();
            }
        }
    }
    cursor.finish(automaton).err().map(|fault| fault.condition().to_string()).unwrap_or_default()
}

#[test]
fn the_register_names_what_fields_and_order_raise() {
    let mut provoked = provoked_by_fields();
    for (application, text, code) in ORDERS {
        assert_eq!(fault_of(application, text), code, "{application} {text}");
        provoked.insert(registered(application, ConditionCode::new(code).unwrap()));
    }
    let register = Grammar::builtin().list("condition_register").unwrap();
    let listed = register.rows().iter().filter(|row| row[3] == "tests/chapters");
    let listed = listed.map(|row| format!("{} {}", row[0], row[1])).collect::<BTreeSet<_>>();
    let differing = provoked.symmetric_difference(&listed).cloned().collect::<Vec<_>>();
    assert!(
        differing.is_empty(),
        "grammars/codes/condition_register.tsv differs in {}",
        differing.join(", ")
    );
}

#[test]
fn the_register_has_every_condition() {
    let grammar = Grammar::builtin();
    let register = grammar.list("condition_register").unwrap();
    let listed = register.rows().iter().map(|row| (row[0].clone(), row[1].clone())).collect::<BTreeSet<_>>();
    for condition in grammar.conditions().rows() {
        // What both a chapter and the error dictionary have stands under the application that is answered.
        let asked = grammar.applications().iter().find(|known| known.response == condition.application);
        let mut names = vec![condition.application.as_str()];
        names.extend(asked.map(|known| known.code.as_str()));
        let code = condition.code.to_string();
        let found = names.iter().any(|name| listed.contains(&((*name).to_owned(), code.clone())));
        assert!(found, "{} {code} is missing", condition.application);
    }
}
