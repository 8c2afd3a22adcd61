//! Every record of every chapter: values of every class and edge go to JSON and come back unchanged.
use std::collections::BTreeSet;
use std::sync::OnceLock;

use abigate::grammar::{Field, Grammar, Layout};
use abigate::message::judge;
use abigate::wire::Columns;
use proptest::prelude::*;
use serde_json::Value;

use crate::stream::{self, Desk, blank, put};
use crate::values::{clumsy, values_of};

/// Rows in which every field of a layout takes every one of its values, as often as the field with the
/// most of them needs, and how many different values these are.
fn rows(layout: &Layout, values: impl Fn(&Field) -> Vec<String>) -> (Vec<Columns>, usize) {
    let all =
        layout.fields.iter().map(|field| if is_known(layout, field) { Vec::new() } else { values(field) });
    let all = all.collect::<Vec<_>>();
    let most = all.iter().map(Vec::len).max().unwrap_or_default().max(1);
    let rows = (0..most).map(|turn| {
        let mut row = blank(layout);
        for (field, values) in layout.fields.iter().zip(&all).filter(|(_, values)| !values.is_empty()) {
            put(&mut row, field, &values[turn % values.len()]);
        }
        row
    });
    (rows.collect(), all.iter().map(Vec::len).sum())
}

/// Whether a record is of this layout: a value may make it one of another.
fn is_of(layout: &Layout, row: &Columns) -> bool {
    let found = Grammar::builtin().resolve(&layout.application, layout.direction, &layout.record, row);
    found.is_some_and(|found| found.id == layout.id)
}

/// Whether a field is a part of the control identifier, or a filler.
fn is_known(layout: &Layout, field: &Field) -> bool {
    field.is_filler() || field.cell.last_column() <= layout.record.len()
}

/// The text of the first value that is given as characters or bytes.
fn raw_value(json: &Value) -> Option<String> {
    match json {
        Value::Object(object) if object.contains_key("raw") || object.contains_key("raw_hex") => {
            Some(json.to_string())
        }
        Value::Object(object) => object.values().find_map(raw_value),
        Value::Array(array) => array.iter().find_map(raw_value),
        _ => None,
    }
}

/// All desks with the layouts that stand on them, each layout once a desk.
fn desks() -> Vec<(Desk, Vec<&'static Layout>)> {
    let grammar = Grammar::builtin();
    let mut all = Vec::new();
    for (structure, _) in grammar.structures() {
        let (application, direction) = (structure.application.as_str(), structure.direction);
        let Some(desk) = Desk::new(application, direction) else { continue };
        all.push((desk, grammar.layouts_under(application, direction)));
    }
    all
}

#[test]
fn every_layout_stands_on_a_desk() {
    let reached = desks()
        .iter()
        .flat_map(|(_, layouts)| layouts.iter().map(|layout| layout.id))
        .collect::<BTreeSet<_>>();
    let envelope = ["A", "B", "Y", "Z", "X0", "X1"];
    for layout in Grammar::builtin().layouts() {
        let control = layout.application == "*" && envelope.contains(&layout.record.as_str());
        assert!(
            control || reached.contains(&layout.id),
            "{} {} {} {}",
            layout.application,
            layout.direction.name(),
            layout.record,
            layout.variant
        );
    }
}

#[test]
fn every_value_of_every_record_survives() {
    let (mut records, mut values, mut written) = (0, 0, 0);
    for (desk, layouts) in desks() {
        for layout in layouts {
            let (rows, count) = rows(layout, values_of);
            records += 1;
            values += count;
            written += rows.len();
            let stream = desk.stream(&rows);
            let json = stream::to_json(&stream, false);
            assert!(stream::from_json(&json) == stream, "{} of {}", layout.record, desk.application());
            let own = rows.into_iter().filter(|row| is_of(layout, row)).collect::<Vec<_>>();
            let json = serde_json::from_str(&stream::to_json(&desk.stream(&own), false)).unwrap();
            assert_eq!(raw_value(&json), None, "{} of {}", layout.record, desk.application());
        }
    }
    println!("{records} records, {values} values in {written} rows");
    assert!(records > 600 && values > 40_000);
}

/// Valid values are right: nothing is found wrong in them.
#[test]
fn every_value_is_right() {
    let grammar = Grammar::builtin();
    let mut wrong = Vec::new();
    for layout in grammar.layouts() {
        for row in rows(layout, values_of).0 {
            if is_of(layout, &row) {
                judge(layout, &row, |trouble| {
                    wrong.push(format!(
                        "{} {} {} {}: {:?} {:?}",
                        layout.application,
                        layout.direction.name(),
                        layout.record,
                        trouble.field.name,
                        trouble.trouble,
                        trouble.field.cell.text(&row),
                    ));
                });
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}

#[test]
fn every_control_record_survives() {
    let grammar = Grammar::builtin();
    let (mut records, mut values) = (0, 0);
    for layout in grammar.layouts().iter().filter(|layout| layout.application == "*") {
        let desk = Desk::around(layout);
        let (rows, count) = rows(layout, values_of);
        (records, values) = (records + 1, values + count);
        for row in rows {
            let stream = desk.with(layout, row);
            assert!(stream::from_json(&stream::to_json(&stream, false)) == stream, "{}", row.escape_ascii());
        }
    }
    println!("{records} control records, {values} values");
}

#[test]
fn clumsy_input_becomes_canonical_and_stays_so() {
    let (mut records, mut changed) = (0, 0);
    for (desk, layouts) in desks() {
        for layout in layouts {
            let (clumsy_rows, _) = rows(layout, clumsy);
            let clumsy_stream = desk.stream(&clumsy_rows);
            // As they are they survive, too.
            assert!(
                stream::from_json(&stream::to_json(&clumsy_stream, false)) == clumsy_stream,
                "{}",
                layout.record
            );
            let once = stream::from_json(&stream::to_json(&clumsy_stream, true));
            let twice = stream::from_json(&stream::to_json(&once, true));
            assert!(once == twice, "{} of {}", layout.record, desk.application());
            records += 1;
            changed += once.iter().zip(&clumsy_stream).filter(|(one, other)| one != other).count();
            for row in &once {
                assert!(!row.iter().any(u8::is_ascii_lowercase), "{}", row.escape_ascii());
            }
            let first = desk.header_rows();
            let back = &once[first..first + clumsy_rows.len()];
            let own = back.iter().zip(&clumsy_rows).filter(|(_, before)| is_of(layout, before));
            own.for_each(|(row, _)| assert_filled(layout, row));
        }
    }
    println!("{records} records, {changed} rows made canonical");
    assert!(changed > 2_500);
}

/// Numbers without a sign have no spaces before them.
fn assert_filled(layout: &Layout, row: &Columns) {
    let numbers = layout.fields.iter().filter(|field| field.cell.class().is_numeric() && !field.holds_date());
    for field in numbers {
        let text = String::from_utf8_lossy(field.cell.raw(row)).into_owned();
        let spaced = text.starts_with(' ') && text.trim_start().bytes().all(|byte| byte.is_ascii_digit());
        assert!(!spaced || text.trim().is_empty(), "{} {}: {text:?}", layout.record, field.name);
    }
}

/// One field of a record, as it stands and as JSON has it.
fn in_json(application: &str, record: &str, field: &str, text: &str) -> Value {
    let (desk, layouts) = desks().into_iter().find(|(desk, _)| desk.application() == application).unwrap();
    let layout = layouts.into_iter().rfind(|layout| layout.record == record).unwrap();
    let mut row = blank(layout);
    put(&mut row, layout.field(field).unwrap(), text);
    let json = stream::to_json(&desk.stream(&[row]), false);
    let json = serde_json::from_str::<Value>(&json).unwrap();
    json.pointer("/batches/0/blocks/0/transactions/0/unstructured/0/fields").unwrap()[field].clone()
}

#[test]
fn amounts_and_dates_have_their_values() {
    for (application, record, field, text, value) in [
        ("ER", "JD", "liquidated_duty", "000000001234", Value::from("12.34")),
        ("ER", "JD", "liquidated_duty", "       -1234", Value::from("-12.34")),
        ("ER", "JE", "estimated_fees", "          -10", Value::from("-0.10")),
        ("ER", "JD", "liquidated_duty", "00000000-123", serde_json::json!({"raw": "00000000-123"})),
        ("PF", "Q3", "daily_statement_print_date", "080326", Value::from("2026-08-03")),
        ("NS", "40", "entry_number", "12345678", Value::from("12345678")),
    ] {
        assert_eq!(
            in_json(application, record, field, text),
            value,
            "{application} {record} {field} {text:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 400 } else { 4_000 }))]

    /// Whatever stands in the columns behind the identifier of any record of any application.
    #[test]
    fn any_columns_survive(
        desk in any::<prop::sample::Index>(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), any::<[u8; 32]>(), any::<u8>()), 1..6),
    ) {
        let desks = DESKS.get_or_init(desks);
        let (desk, layouts) = &desks[desk.index(desks.len())];
        let rows = picks.iter().map(|(pick, noise, kind)| {
            let layout = layouts[pick.index(layouts.len())];
            let mut row = blank(layout);
            for (index, byte) in row[layout.record.len()..].iter_mut().enumerate() {
                let noise = noise[index % noise.len()].wrapping_add(index as u8);
                *byte = match kind % 4 {
                    0 => noise,
                    1 => b' ' + noise % 95,
                    2 => b"0123456789 "[usize::from(noise % 11)],
                    _ => *byte,
                };
            }
            row
        }).collect::<Vec<_>>();
        let stream = desk.stream(&rows);
        prop_assert!(stream::from_json(&stream::to_json(&stream, false)) == stream);
    }
}

static DESKS: OnceLock<Vec<(Desk, Vec<&'static Layout>)>> = OnceLock::new();
