//! Records to JSON and back, and in words.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::path::{Path, PathBuf};

use abigate::grammar::Grammar;
use abigate::message::{
    Explainer, Form, ReadError, RecordsWriter, TextPage, canonical, no_filings, read_ndjson, read_records,
};
use abigate::translate::EntrySummaryCodec;
use abigate::wire::{Columns, RECORD_LENGTH, records};
use proptest::prelude::*;
use serde_json::{Value, json};

const LINES: Form = Form { lines: true, canonical: false, mask_passwords: false };

fn samples() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["good", "bad"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary").join(folder);
        files.extend(std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()));
    }
    files.retain(|path| path.extension().is_some_and(|kind| kind == "abi"));
    files.sort();
    assert!(files.len() >= 30);
    files
}

fn rows_of(stream: &[u8]) -> Vec<Columns> {
    records(stream).map(|record| record.columns).collect()
}

fn sample(name: &str) -> Vec<Columns> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary").join(name);
    rows_of(&std::fs::read(path).unwrap())
}

fn written(rows: &[Columns], form: Form) -> String {
    let mut writer = RecordsWriter::new(Grammar::builtin(), form, Vec::new());
    rows.iter().for_each(|row| writer.push(row).unwrap());
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

fn read(json: &str, lines: bool) -> Result<Vec<Columns>, ReadError> {
    let mut rows = Vec::new();
    let mut sink = |row: &Columns| {
        rows.push(*row);
        Ok(())
    };
    let read = if lines {
        read_ndjson(Grammar::builtin(), json.as_bytes(), &no_filings, &mut sink)
    } else {
        read_records(Grammar::builtin(), json.as_bytes(), &no_filings, &mut sink)
    };
    read.map(|()| rows)
}

fn text_explainer() -> Explainer<'static, TextPage<Vec<u8>>> {
    Explainer::new(Grammar::builtin(), TextPage::new(Vec::new(), false, true))
}

fn text(rows: &[Columns]) -> Vec<String> {
    rows.iter().map(|row| row.escape_ascii().to_string()).collect()
}

/// Both forms give the same records back, and are JSON.
fn comes_back(rows: &[Columns]) {
    let document = written(rows, Form::default());
    assert!(serde_json::from_str::<Value>(&document).is_ok(), "{document}");
    let back = read(&document, false).unwrap_or_else(|error| panic!("{error}\n{document}"));
    assert_eq!(text(&back), text(rows), "{document}");
    let lines = written(rows, LINES);
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{lines}");
    let back = read(&lines, true).unwrap_or_else(|error| panic!("{error}\n{lines}"));
    assert_eq!(text(&back), text(rows), "{lines}");
}

#[test]
fn every_sample_comes_back() {
    let mut everything = Vec::new();
    for path in samples() {
        let rows = rows_of(&std::fs::read(path).unwrap());
        comes_back(&rows);
        everything.extend(rows);
    }
    comes_back(&everything);
}

#[test]
fn good_samples_have_structure_and_no_raw_values() {
    for path in samples().iter().filter(|path| path.parent().unwrap().ends_with("good")) {
        let document = written(&rows_of(&std::fs::read(path).unwrap()), Form::default());
        for word in ["unstructured", "\"raw", "filler_"] {
            assert!(!document.contains(word), "{word} in {}: {document}", path.display());
        }
    }
}

/// Filings in the place of transactions; canonical records come back as they were.
#[test]
fn good_samples_come_back_from_the_model() {
    let grammar = Grammar::builtin();
    let codec = EntrySummaryCodec::new(grammar).unwrap();
    let is_answer = |path: &Path| path.to_str().unwrap().ends_with(".answer.abi");
    let is_good = |path: &Path| path.parent().unwrap().ends_with("good");
    for path in samples().iter().filter(|path| is_good(path) && !is_answer(path)) {
        let rows = canonical_rows(&rows_of(&std::fs::read(path).unwrap()));
        for lines in [false, true] {
            let form = Form { lines, ..Form::default() };
            let mut writer = RecordsWriter::new(grammar, form, Vec::new())
                .translated(Box::new(|body, out| codec.write_json(body, out).is_ok()));
            rows.iter().for_each(|row| writer.push(row).unwrap());
            let document = String::from_utf8(writer.finish().unwrap()).unwrap();
            assert!(document.contains("\"filing"), "{document}");
            let mut back = Vec::new();
            let filings = |filing: &Value| codec.from_json(filing);
            let mut sink = |row: &Columns| {
                back.push(*row);
                Ok(())
            };
            if lines {
                read_ndjson(grammar, document.as_bytes(), &filings, &mut sink).unwrap();
            } else {
                read_records(grammar, document.as_bytes(), &filings, &mut sink).unwrap();
            }
            assert_eq!(text(&back), text(&rows), "{}", path.display());
        }
    }
}

#[test]
fn a_filing_that_the_model_does_not_admit_is_named() {
    let codec = EntrySummaryCodec::new(Grammar::builtin()).unwrap();
    let document = br#"{"batches":[{"application":"AE","blocks":[{"filings":[{"action":"no such"}]}]}]}"#;
    let filings = |filing: &Value| codec.from_json(filing);
    let error = read_records(Grammar::builtin(), document.as_slice(), &filings, &mut |_| Ok(())).unwrap_err();
    assert!(error.to_string().starts_with("batches[0].blocks[0].filings[0]: "), "{error}");
}

#[test]
fn nothing_is_an_empty_list() {
    assert_eq!(written(&[], Form::default()), "{\"batches\":[]}\n");
    assert_eq!(written(&[], LINES), "");
    comes_back(&[]);
}

#[test]
fn a_sample_as_json() {
    let document = written(&sample("good/01-air-one-line.abi"), Form::default());
    let value: Value = serde_json::from_str(&document).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn a_sample_in_words() {
    let mut explainer = text_explainer();
    sample("good/01-air-one-line.abi").iter().for_each(|row| explainer.push(row).unwrap());
    insta::assert_snapshot!(String::from_utf8(explainer.finish().unwrap().into_inner()).unwrap());
}

/// Rows like those on the wire: of samples, with changes, among rows of any bytes.
fn any_rows() -> impl Strategy<Value = Vec<Columns>> {
    let pool: Vec<Columns> =
        samples().iter().flat_map(|path| rows_of(&std::fs::read(path).unwrap())).collect();
    let taken = proptest::sample::select(pool);
    let byte = prop_oneof![Just(b' '), b'0'..=b'9', b'A'..=b'Z', b'a'..=b'z', any::<u8>()];
    let changes = proptest::collection::vec((0..RECORD_LENGTH, byte), 0..4);
    let changed = (taken, changes).prop_map(|(mut row, changes)| {
        changes.into_iter().for_each(|(column, byte)| row[column] = byte);
        row
    });
    let garbage = proptest::collection::vec(any::<u8>(), RECORD_LENGTH)
        .prop_map(|bytes| Columns::try_from(bytes).expect("eighty bytes"));
    proptest::collection::vec(prop_oneof![9 => changed, 1 => garbage], 0..60)
}

/// A sample with a few changed, dropped, doubled or exchanged records.
fn mutated_sample() -> impl Strategy<Value = Vec<Columns>> {
    let change = (0..4_u8, any::<prop::sample::Index>(), 0..RECORD_LENGTH, any::<u8>());
    (proptest::sample::select(samples()), proptest::collection::vec(change, 0..6)).prop_map(
        |(path, changes)| {
            let mut rows = rows_of(&std::fs::read(path).unwrap());
            for (kind, at, column, byte) in changes {
                if rows.is_empty() {
                    break;
                }
                let at = at.index(rows.len());
                match kind {
                    0 => rows[at][column] = byte,
                    1 => drop(rows.remove(at)),
                    2 => rows.insert(at, rows[at]),
                    _ => {
                        let other = column % rows.len();
                        rows.swap(at, other);
                    }
                }
            }
            rows
        },
    )
}

fn canonical_rows(rows: &[Columns]) -> Vec<Columns> {
    read(&written(rows, Form { canonical: true, ..Form::default() }), false).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_rows_come_back(rows in any_rows()) {
        comes_back(&rows);
    }

    #[test]
    fn mutated_samples_come_back(rows in mutated_sample()) {
        comes_back(&rows);
    }

    #[test]
    fn canonical_records_stay_so(rows in mutated_sample()) {
        let once = canonical_rows(&rows);
        prop_assert_eq!(once.len(), rows.len());
        prop_assert_eq!(text(&canonical_rows(&once)), text(&once));
    }

    #[test]
    fn anything_can_be_explained_without_its_password(rows in any_rows()) {
        let mut explainer = text_explainer();
        rows.iter().for_each(|row| explainer.push(row).unwrap());
        let told = String::from_utf8(explainer.finish().unwrap().into_inner()).unwrap();
        for row in rows.iter().filter(|row| b"AaZz".contains(&row[0])) {
            let password = row[8..14].escape_ascii().to_string();
            let is_secret = password.bytes().all(|byte| byte.is_ascii_alphabetic());
            prop_assert!(!is_secret || !told.contains(&format!(" {password}")), "{}", password);
        }
    }
}

#[test]
fn canonical_numbers_have_zeros_and_letters_are_upper_case() {
    let grammar = Grammar::builtin();
    let layout = grammar.find("AE", abigate::grammar::Direction::Input, "90", "").unwrap();
    let mut row = layout.blank();
    let field = layout.fields.iter().find(|field| field.decimals == Some(2)).unwrap();
    let cell = field.cell;
    row[cell.last_column() - 4..cell.last_column()].copy_from_slice(b"1234");
    row[79] = b'x';
    let made = canonical(Some(layout), &row);
    assert_eq!(cell.decimal(&made).unwrap().unwrap().to_string(), "12.34");
    assert!(cell.raw(&made).starts_with(b"000"));
    assert_eq!(made[79], b'X');
}

#[test]
fn passwords_can_be_masked() {
    let rows = sample("good/01-air-one-line.abi");
    assert!(written(&rows, Form::default()).contains("PASSWD"));
    for lines in [false, true] {
        let masked = written(&rows, Form { mask_passwords: true, lines, ..Form::default() });
        assert!(!masked.contains("PASSWD"));
        let back = read(&masked, lines).unwrap();
        assert_eq!(&back[0][8..14], b"      ");
        assert_eq!(text(&back[1..]), text(&rows[1..]));
    }
}

/// An answer's A-record has no password, but who writes the wrong application may have put one there.
#[test]
fn passwords_are_masked_where_none_should_stand() {
    let mut rows = sample("good/01-air-one-line.abi");
    let last = rows.len() - 1;
    rows[0][26] = b'X';
    rows[last][8..14].copy_from_slice(b"PASSWD");
    assert!(written(&rows, Form::default()).contains(r#""direction":"out""#));
    comes_back(&rows);
    for lines in [false, true] {
        assert!(!written(&rows, Form { mask_passwords: true, lines, ..Form::default() }).contains("PASSWD"));
    }
    let mut explainer = text_explainer();
    rows.iter().for_each(|row| explainer.push(row).unwrap());
    assert!(!String::from_utf8(explainer.finish().unwrap().into_inner()).unwrap().contains("PASSWD"));
}

fn by_hand(fields: Value) -> Value {
    json!({"batches": [{
        "header": {"record": "A", "fields": {"sender_receiver_site_code": "2704", "application_identifier_code": "AE"}},
        "blocks": [{
            "header": {"record": "B", "fields": {"processing_filer_code": "EEE", "application_identifier_code": "AE"}},
            "transactions": [{"group": "entry_summary", "members": [{"record": "90", "fields": fields}]}],
        }],
        "trailer": {"record": "Z"},
    }]})
}

#[test]
fn what_is_written_by_hand_is_read() {
    let layout = Grammar::builtin().find("AE", abigate::grammar::Direction::Input, "90", "").unwrap();
    let field = layout.fields.iter().find(|field| field.decimals == Some(2)).unwrap();
    let rows = read(&by_hand(json!({field.name.clone(): "12.5"})).to_string(), false).unwrap();
    assert_eq!(rows.len(), 4);
    assert!(rows[0].starts_with(b"A2704 "));
    assert!(rows[2].starts_with(b"90"));
    assert_eq!(field.cell.decimal(&rows[2]).unwrap().unwrap().to_string(), "12.50");
    assert!(rows[3].starts_with(b"Z "));
}

#[test]
fn what_is_wrong_is_named() {
    let layout = Grammar::builtin().find("AE", abigate::grammar::Direction::Input, "90", "").unwrap();
    let field = layout.fields.iter().find(|field| field.decimals == Some(2)).unwrap();
    let error = read(&by_hand(json!({field.name.clone(): "12.505"})).to_string(), false).unwrap_err();
    let ReadError::Fault(fault) = error else { panic!("{error}") };
    let path = "batches[0].blocks[0].transactions[0].members[0]";
    assert_eq!(fault.path, format!("{path}.fields.{}", field.name));
    assert_eq!(fault.record, "90");
    assert_eq!(fault.columns, Some((field.cell.first_column(), field.cell.last_column())));
    assert_eq!(fault.found, "\"12.505\"");
    assert!(fault.expected.contains("2 of them decimals"), "{}", fault.expected);

    let error = read(&by_hand(json!({"no_such_field": "1"})).to_string(), false).unwrap_err();
    assert!(
        error.to_string().starts_with(&format!("{path}: record 90: found field \"no_such_field\"")),
        "{error}"
    );
    for (json, expected) in [
        (r#"{"batches":[{"header":{"record":"Q"}}]}"#, "batches[0].header: found \"Q\", expected one of"),
        (r#"{"batches":[{"blocks":{}}]}"#, "batches[0].blocks: found an object, expected a list"),
        (r#"{"batches":[{"heder":{}}]}"#, "batches[0]: found \"heder\", expected one of application"),
        (
            r#"{"batches":[{"trailer":{"raw":1}}]}"#,
            "batches[0].trailer: found an object, expected at most 80",
        ),
        (r#"{"batch":[]}"#, "unknown field `batch`"),
    ] {
        let error = read(json, false).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
