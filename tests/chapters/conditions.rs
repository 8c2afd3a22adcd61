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
const ORDERS: [(&str, &str, &str); 30] = [
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
    ("QP", "10B 10A", "001"),
    ("QP", "10D*1000", "002"),
    ("QP", "10A 30 50", "003"),
    ("QP", "10A 30 40 55", "004"),
    ("QP", "10A 30 40 50 65", "005"),
    ("QP", "10A 30*10000", "006"),
    ("QP", "10A 30 40 50 55 65 75", "007"),
    ("QP", "10A 30 32 32", "016"),
    ("SE", "SE10A SE15R", "208"),
];

/// The same, with what raises nothing.
const RIGHT_ORDERS: [(&str, &str); 28] = [
    (
        "SE",
        "SE10A SE13 SE15R*9 SE15M SE15H SE15M SE15H SE15I SE15T SE15I SE15M SE15H SE16*99 SE17 SE15R SE20 SE40 SE60",
    ),
    (
        "SE",
        "SE10D SE13 SE20 SE10U SE11 SE13 SE15R SE16 SE15R SE10R SE13 SE40 SE60*32 SF10 SF20 SF30 SF30 SF35",
    ),
    ("SE", "SE10A SE13 SE40 SE50 SE51*3 SE55 SE56 SE50 SE60 SE61 OI PG01 PG02 PG19 PG20 PG21 SE60 SE40 SE60"),
    ("CB", "10B 12 20 30 35*99 36 40 45*99 10C 40 46 10V 10R 36 10T"),
    (
        "QP",
        "10A 20 30*99 32 33*9 30 40 50 55 60 60 61 65 70 71 71 72 70 71 75 76 76 75 65 71 30 10B 30 30 10D 10D",
    ),
    (
        "SF",
        "SF101 SF13 SF15*9 SF20 SF25 SF30 SF35*3 SF36 SF30 SF40*9 SF30 SF40 SF10D SF102 SF15 SF30 SF30 SF40*9 SF50",
    ),
    ("EQ", "J0 J1 J1 J2 J1"),
    ("AD", "Q1*9 Q2"),
    ("$I", "$1A $2 $3 $4 $A $1A $3 $1U $4 $A $1U $4"),
    (
        "DE",
        "10 31 40 41 42 41 42*3 43*20 40 41 42 43 50 51 52 53 50 51 60 61 62 63 63 64 64 70 71 72 73 89 90",
    ),
    ("FT", "10A 20 40 41 42 43 50 51 60 60 61 50 51 40 20 40 10R 11 12 12 10S 20 40 50 51 50 51 10D 61"),
    ("TP", "T1 TA T2 T3 TB TC TD TE TF TG TH TI TJ TI TJ TK TK TL TM TN T1 T2 TD TE TF TL"),
    ("CW", "CW01 CW02*9 CW01 CW02"),
    ("RE", "10 11 20 21 21 20 50 51 58 50 90 91 92"),
    (
        "SX",
        "SE10 SE9011 SE15R SE9013*2 SE15R SE15M SE15H SE40 SE9011 SE60 SE61 SE9011 OI PG01 SE9011 SE9001 SE10 SE9002",
    ),
    ("CX", "10 90*3 30 90 35 40 90A 10 90R"),
    ("QT", "10 20 95 30 95 30 95*11 32 33 95 33 95 40 95 65 71 95 75 95 10 95 EA EB EB EY EZ"),
    ("WT", "10 95 20 95 10 20 95 EA"),
    ("SN", "SF10 SF9011 SF15 SF15 SF20 SF30 SF9013 SF30 SF35 SF40 SF40 SF9001 SF10 SF9002"),
    (
        "C1",
        "WR1 WR2 WR4 WR4 WR5 WN0 WN1 WR1 WSC WSD WSC WN1 WSC WR1 WS4 WR4 WR4 WN0 WR1 WR4 WS5 WR4 WS5 WR0 WSA",
    ),
    ("C1", "WO10 WO20 WO40 WO42 WO50 WO40 WO60 WO70 WO71 WO70 WR1 WR2 WR4 WR5 WR1 WSC WO10 WR1 WR4 WSB"),
    ("DX", "E0SUMMRY E1 E0TARIFF E1 E1 E0IMPORT E1 E1A E0SUMMRY E1R"),
    (
        "ER",
        "JA JB JC JD JE JF JG JH JI*2 JJ JK JL JM JN 10 11 4A 40 50 51 50 62 4A 40 50 89 90 JB JC JD JE JF JG JH JI JZ",
    ),
    ("HY", "W1 W2 WL W1 W3 W0 W0"),
    ("KR", "K1 K1 K2 K7 K8 K8 K1 K3"),
    ("NS", "05 30 40 50 50 60 10 30 05 30"),
    ("PF", "Q1 Q2 QA Q1 Q2 Q3 Q4 QE Q5 Q6 QJ Q7 Q7 Q1 Q2 Q3 Q4"),
    ("TX", "E0 E1 E1 E1A E0 E1R"),
];

fn fault_of(application: &str, text: &str) -> String {
    let structure = |direction| Grammar::builtin().structure(application, direction);
    let (_, automaton) = structure(Direction::Input).or_else(|| structure(Direction::Output)).unwrap();
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
        let kind = kinds.find(|(_, known)| known.is_none_or(|known| known.admits(mark)));
        let kind = kind.unwrap_or_else(|| panic!("{word} of {application}")).0;
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
    for (application, text) in RIGHT_ORDERS {
        assert_eq!(fault_of(application, text), "", "{application} {text}");
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
