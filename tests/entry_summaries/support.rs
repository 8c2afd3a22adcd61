//! Batches made out of the samples, and answers taken apart.

use abigate::envelope::RawBatch;
use abigate::grammar::{Direction, Grammar};
use abigate::host::{Host, Peer, World};
use abigate::store::{EntryKey, EntrySummary, SqliteStore, Store, Unit};
use abigate::wire::{Columns, records};
use jiff::Zoned;

/// A peer whose password is always right: what passwords cost is not of interest here.
pub struct Trusted;

impl Peer for Trusted {
    fn certificate(&self) -> Option<&str> {
        None
    }

    fn knows_password(&self, _hash: &str, _password: &[u8]) -> bool {
        true
    }
}

/// The demo world with more in it.
pub fn world(more: &str) -> World {
    let demo = include_str!("../../samples/world.toml");
    World::parse(&format!("{demo}\n{more}"), Grammar::builtin()).unwrap()
}

pub fn noon() -> Zoned {
    world("").clock().cloned().unwrap()
}

pub fn host_in<S: Store>(world: World, store: S) -> Host<'static, S> {
    Host::new(Grammar::builtin(), world, store, &noon()).unwrap()
}

pub fn host() -> Host<'static, SqliteStore> {
    host_in(world(""), SqliteStore::in_memory().unwrap())
}

/// The records of a sample.
pub fn sample(name: &str) -> Vec<Columns> {
    let path = format!("{}/samples/entry_summary/{name}.abi", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    records(&bytes).map(|record| record.columns).collect()
}

/// The one entry summary of a sample.
pub fn summary_of(name: &str) -> Vec<Columns> {
    let rows = sample(name);
    rows[2..rows.len() - 2].to_vec()
}

/// A summary of one line by air, with other values in fields of its header.
pub fn summary(values: &[(&str, &str)]) -> Vec<Columns> {
    with(summary_of("good/01-air-one-line"), values)
}

pub fn delete(values: &[(&str, &str)]) -> Vec<Columns> {
    let mut rows = summary(values);
    rows.truncate(1);
    let kept = [
        "control_identifier",
        "entry_filer_code",
        "entry_number",
        "district_port_of_entry",
        "broker_reference_number",
        "entry_type_code",
    ];
    let header = Grammar::builtin().find("AE", Direction::Input, "10", "").unwrap();
    for field in header.fields.iter().filter(|field| !kept.contains(&field.name.as_str())) {
        field.cell.put_blank(&mut rows[0]);
    }
    with(rows, &[("summary_filing_action_request_code", "D")])
}

pub fn with(mut rows: Vec<Columns>, values: &[(&str, &str)]) -> Vec<Columns> {
    let header = Grammar::builtin().find("AE", Direction::Input, "10", "").unwrap();
    for (field, value) in values {
        header.cell(field).unwrap().put_text(&mut rows[0], value).unwrap();
    }
    rows
}

/// One block of summaries, at the port of the sample by air.
pub fn batch(summaries: &[Vec<Columns>]) -> RawBatch {
    let frame = sample("good/01-air-one-line");
    let mut rows = frame[..2].to_vec();
    rows.extend(summaries.iter().flatten());
    rows.extend(&frame[frame.len() - 2..]);
    RawBatch::from_rows(rows)
}

pub fn answer<S: Store>(host: &mut Host<'_, S>, batch: &RawBatch) -> Vec<String> {
    lines(&host.answer(batch, &Trusted, &noon()).unwrap())
}

pub fn lines(rows: &[Columns]) -> Vec<String> {
    rows.iter().map(|row| String::from_utf8(row.to_vec()).unwrap().trim_end().to_owned()).collect()
}

/// The condition codes of an answer, transaction by transaction; the last of each is the disposition.
pub fn codes(answer: &[String]) -> Vec<Vec<String>> {
    let mut transactions: Vec<Vec<String>> = Vec::new();
    for line in answer {
        if line.starts_with("E0 SUMMRY") {
            transactions.push(Vec::new());
        } else if line.starts_with("E1") {
            transactions.last_mut().unwrap().push(line[4..7].to_owned());
        }
    }
    transactions
}

/// The dispositions of an answer.
pub fn dispositions(answer: &[String]) -> Vec<String> {
    codes(answer).into_iter().map(|mut codes| codes.pop().unwrap()).collect()
}

pub fn key(number: &str) -> EntryKey {
    EntryKey { filer: "EEE".to_owned(), number: number.to_owned() }
}

pub fn on_file(store: &mut impl Store, number: &str) -> Option<EntrySummary> {
    store.begin().unwrap().entry_summary(&key(number)).unwrap()
}

/// Puts a value into a field of the first record of a kind.
pub fn put(rows: &mut [Columns], record: &str, field: &str, value: &str) {
    let layout = Grammar::builtin().find("AE", Direction::Input, record, "").unwrap();
    let row = rows.iter_mut().find(|row| row.starts_with(record.as_bytes())).unwrap();
    layout.cell(field).unwrap().put_text(row, value).unwrap();
}
