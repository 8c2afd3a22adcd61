//! A valid transaction of every kind of every application is checked, explained and converted.

use std::collections::HashMap;
use std::sync::OnceLock;

use abigate::grammar::{Designation, Grammar, Layout, Symbol};
use abigate::message::{Checker, Explainer, Identifier, TextPage, records_schema};
use abigate::wire::{Columns, Line};
use serde_json::Value;

use crate::stream::{self, Desk, blank, put};
use crate::structures::{Size, transactions};
use crate::values::values_of;

/// The kinds of transaction and the direction that a desk takes, with one stream each.
fn streams() -> &'static [(Desk, Vec<Columns>)] {
    static STREAMS: OnceLock<Vec<(Desk, Vec<Columns>)>> = OnceLock::new();
    STREAMS.get_or_init(made_streams)
}

fn made_streams() -> Vec<(Desk, Vec<Columns>)> {
    let grammar = Grammar::builtin();
    let mut all = Vec::new();
    for (structure, automaton) in grammar.structures() {
        let (application, direction) = (structure.application.as_str(), structure.direction);
        let identifier = Identifier::new(grammar, application, direction, automaton);
        for size in [Size::Smallest, Size::Largest(1)] {
            for steps in transactions(automaton, &structure.root, size) {
                let Some(desk) = Desk::new(application, direction) else { continue };
                if steps.is_empty() {
                    continue;
                }
                let row = |(record, kind): &(String, Option<Symbol>)| {
                    let layouts = grammar.layouts_of(application, direction, record);
                    let mark = automaton.symbols_of(record).find(|(symbol, _)| Some(*symbol) == *kind);
                    // The first value of a marked field may be that of another place.
                    let tries = (0..2).flat_map(|turn| layouts.iter().map(move |id| (*id, turn)));
                    let mut rows = tries.map(|(id, turn)| {
                        let layout = grammar.layout(id);
                        let mut row = filled(layout, size != Size::Smallest, turn);
                        if let Some((_, Some(mark))) = mark {
                            put(&mut row, layout.field(&mark.field).unwrap(), &mark.values[0]);
                        }
                        (row, id)
                    });
                    let found = rows.find(|(row, id)| identifier.identify(row) == Some((kind.unwrap(), *id)));
                    found.unwrap_or_else(|| panic!("{record} of {application}")).0
                };
                let rows = steps.iter().map(row).collect::<Vec<_>>();
                let stream = desk.stream(&rows);
                all.push((desk, stream));
            }
        }
    }
    all
}

/// A record with the first value, or one of the next, of each of its fields or of the mandatory ones.
fn filled(layout: &Layout, all: bool, turn: usize) -> Columns {
    let mut row = blank(layout);
    for field in layout.fields.iter().filter(|field| !field.is_filler()) {
        let known = field.cell.last_column() <= layout.record.len() || field.decides;
        if !known && (all || field.designation == Designation::Mandatory) {
            let values = values_of(field);
            put(&mut row, field, &values[turn % values.len()]);
        }
    }
    row
}

#[test]
fn every_kind_of_transaction_is_clean_to_check() {
    let mut count = 0;
    for (desk, rows) in streams() {
        let mut findings = Vec::new();
        let mut checker = Checker::new(Grammar::builtin(), None);
        for (index, columns) in rows.iter().enumerate() {
            let line = Line {
                columns,
                number: index as u64 + 1,
                offset: index as u64 * 81,
                length: 80,
                defect: None,
            };
            checker.line(&line, &mut |finding| findings.push(finding.to_string()));
        }
        checker.finish(&mut |finding| findings.push(finding.to_string()));
        assert!(findings.is_empty(), "{}: {}", desk.application(), findings.join("\n"));
        count += 1;
    }
    assert!(count > 100, "{count} transactions");
}

#[test]
fn every_kind_of_transaction_has_its_structure() {
    for (desk, rows) in streams() {
        let json = stream::to_json(rows, false);
        assert!(!json.contains("unstructured"), "{}: {json}", desk.application());
        assert!(stream::from_json(&json) == *rows, "{}", desk.application());
        let mut explainer = Explainer::new(Grammar::builtin(), TextPage::new(Vec::new(), false, false));
        rows.iter().for_each(|row| explainer.push(row).unwrap());
        let text = String::from_utf8(explainer.finish().unwrap().into_inner()).unwrap();
        let title = format!("Batch 1: {} ", desk.application());
        assert!(text.starts_with(&title) && text.contains("Transaction 1: "), "{text}");
        assert!(!text.contains("Of no known layout") && !text.contains("! "), "{text}");
    }
}

#[test]
fn every_kind_of_transaction_is_valid_by_its_schema() {
    let mut schemas = HashMap::new();
    for (desk, rows) in streams() {
        let application = Grammar::builtin().application(desk.application()).unwrap();
        let validator = schemas.entry(desk.application()).or_insert_with(|| {
            let schema = records_schema(Grammar::builtin(), &application.code, application.direction);
            jsonschema::validator_for(&schema).unwrap()
        });
        let json: Value = serde_json::from_str(&stream::to_json(rows, false)).unwrap();
        let faults = validator.iter_errors(&json).map(|fault| format!("{}: {fault}", fault.instance_path()));
        let faults = faults.collect::<Vec<_>>();
        assert!(faults.is_empty(), "{}: {}", desk.application(), faults.join("\n"));
    }
    assert!(schemas.len() > 40, "{} applications", schemas.len());
}
