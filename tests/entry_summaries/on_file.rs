//! Conditions that what is on file decides: `on_file.cases`, one change a case.

use std::collections::BTreeSet;

use abigate::envelope::RawBatch;
use abigate::grammar::{Direction, Grammar};
use abigate::host::World;
use abigate::store::SqliteStore;
use abigate::wire::Columns;
use toml::{Table, Value};

use crate::bench::{Bench, Case, cases_of};
use crate::support::*;

/// The tables of the world that cases change, and the column by which their rows are known.
const KEYS: [(&str, &str); 5] = [
    ("entry_summary", "entry_number"),
    ("release", "entry_number"),
    ("filer", "code"),
    ("importer", "number"),
    ("bond", "importer"),
];

#[test]
fn each_change_of_file_or_message_raises_its_conditions_and_no_other() {
    let bench = Bench::new();
    let (mut provoked, mut wrong) = (BTreeSet::new(), Vec::new());
    for case in cases_of(&["tests/entry_summaries/on_file.cases".into()]) {
        let found = conditions(&bench, &case);
        if found == case.expected {
            provoked.extend(case.expected.iter().filter_map(|one| one.split(' ').next()).map(str::to_owned));
        } else {
            let expected = case.expected.join("; ");
            wrong.push(format!(
                "{}: {}\n  expected {expected}\n  found    {}",
                case.place,
                case.change,
                found.join("; ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    let register = bench.grammar.list("condition_register").unwrap();
    let listed = |row: &&Vec<String>| row[0] == "AE" && row[3] == "tests/entry_summaries/on_file.cases";
    let listed = register.rows().iter().filter(listed).map(|row| row[1].clone()).collect::<BTreeSet<_>>();
    let missing = listed.difference(&provoked).cloned().collect::<Vec<_>>();
    assert!(missing.is_empty(), "not provoked: {}", missing.join(" "));
    let untold = register.rows().iter().filter(|row| row[0] == "AE" && row[2] != "tested");
    let untold = untold.map(|row| row[1].clone()).filter(|code| provoked.contains(code)).collect::<Vec<_>>();
    assert!(untold.is_empty(), "the register does not know: {}", untold.join(" "));
}

/// What a case raises: the code, the signpost before it, and its occurrence unless it counts summaries.
fn conditions(bench: &Bench, case: &Case) -> Vec<String> {
    let mut unchanged = case.clone();
    "block".clone_into(&mut unchanged.change);
    let base = unchanged.rows(bench);
    let mut host = host_in(changed_world(bench, case, &base), SqliteStore::in_memory().unwrap());
    let frame = abigate::wire::records(&std::fs::read(case.path()).unwrap())
        .map(|record| record.columns)
        .collect::<Vec<_>>();
    let mut rows = frame[..2].to_vec();
    rows.extend(case.rows(bench));
    rows.extend(&frame[frame.len() - 2..]);
    let answer = answer(&mut host, &RawBatch::from_rows(rows));
    let (mut signpost, mut found) = (String::new(), Vec::new());
    for line in &answer {
        if let Some(rest) = line.strip_prefix("E0 ") {
            let occurrence = rest[7..13].trim_start_matches('0');
            signpost = match &rest[..6] {
                "SUMMRY" => "SUMMRY".to_owned(),
                other => format!("{other} {occurrence}"),
            };
        } else if line.starts_with("E1") {
            found.push(format!("{} {signpost}", &line[4..7]));
        }
    }
    let disposition = found.pop().unwrap_or_default();
    let is_refused = disposition.starts_with("998");
    assert_eq!(is_refused, !found.is_empty(), "{}: {answer:#?}", case.place);
    found
}

fn changed_world(bench: &Bench, case: &Case, base: &[Columns]) -> World {
    let mut world = World::DEMO.parse::<Table>().unwrap();
    for change in case.change.split(';').filter_map(|change| change.trim().strip_prefix("held ")) {
        let words = change.splitn(4, ' ').collect::<Vec<_>>();
        let (table, key, column) = (words[0], words[1], words[2]);
        let key = if key == "BASE" { text(base, "10", "entry_number") } else { key.to_owned() };
        let (_, key_column) = KEYS.iter().find(|known| known.0 == table).unwrap();
        let rows = world[table].as_array_mut().unwrap();
        let at = rows.iter().position(|row| row[*key_column].as_str() == Some(&key));
        if column == "drop" {
            rows.remove(at.unwrap());
            continue;
        }
        let at = at.unwrap_or_else(|| {
            rows.push(Value::Table(like(table, &key, base)));
            rows.len() - 1
        });
        let row = rows[at].as_table_mut().unwrap();
        match (column, words.get(3).copied().unwrap_or_default()) {
            (_, "-") => drop(row.remove(column)),
            ("records", "base") => drop(row.insert(column.to_owned(), records(base))),
            ("records", _) => {
                drop(row.insert(column.to_owned(), records(&bench.summaries(&case.path()).remove(0))));
            }
            ("marks", mark) => drop(row.insert(column.to_owned(), Value::Array(vec![mark.into()]))),
            (_, truth @ ("true" | "false")) => drop(row.insert(column.to_owned(), (truth == "true").into())),
            (_, value) => drop(row.insert(column.to_owned(), value.into())),
        }
    }
    World::parse(&toml::to_string(&world).unwrap(), Grammar::builtin()).unwrap()
}

/// A row for an entry that the demo world does not have: like the message.
fn like(table: &str, number: &str, base: &[Columns]) -> Table {
    let mut row = Table::new();
    let mut put = |column: &str, value: String| drop(row.insert(column.to_owned(), value.into()));
    put("entry_number", number.to_owned());
    put("filer", text(base, "10", "entry_filer_code"));
    put("port", text(base, "10", "district_port_of_entry"));
    if table == "release" {
        put("released", "2026-07-30".to_owned());
    } else {
        put("entry_type", text(base, "10", "entry_type_code"));
        put("broker_reference", text(base, "10", "broker_reference_number"));
        put("importer", text(base, "11", "importer_of_record_number"));
        put("entry_date", "2026-07-01".to_owned());
    }
    row
}

fn text(rows: &[Columns], record: &str, field: &str) -> String {
    let layout = Grammar::builtin().find("AE", Direction::Input, record, "").unwrap();
    let row = rows.iter().find(|row| row.starts_with(record.as_bytes())).unwrap();
    layout.cell(field).unwrap().text(row).to_owned()
}

fn records(rows: &[Columns]) -> Value {
    rows.iter().map(|row| Value::from(String::from_utf8(row.to_vec()).unwrap())).collect::<Vec<_>>().into()
}
