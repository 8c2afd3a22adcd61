//! Hosts with summaries in any state, and batches out of the samples.

use abigate::envelope::{RawBatch, Sender};
use abigate::grammar::{Direction, Grammar};
use abigate::host::{Action, Host, Peer, World};
use abigate::store::{ControlState, EntryKey, EntrySummary, HistoryEntry, SqliteStore, Store, Unit};
use abigate::wire::{Columns, records};
use jiff::Zoned;

/// A peer whose word is taken.
pub struct Trusted;

impl Peer for Trusted {
    fn certificate(&self) -> Option<&str> {
        None
    }

    fn knows_password(&self, _hash: &str, _password: &[u8]) -> bool {
        true
    }
}

pub type TestHost = Host<'static, SqliteStore>;

/// The summary of the sample by air.
pub const ENTRY: &str = "EEE 00001197";

pub fn noon() -> Zoned {
    at("2026-08-03")
}

/// Noon of a day.
pub fn at(day: &str) -> Zoned {
    format!("{day}T12:00:00[America/New_York]").parse().unwrap()
}

/// A host with a summary in a state, and more of its columns in TOML; without one for `none`.
pub fn host_with(state: &str, more: &str) -> TestHost {
    host_in(include_str!("../../samples/world.toml"), state, more)
}

/// The same in another world than the demo's.
pub fn host_in(world: &str, state: &str, more: &str) -> TestHost {
    let filed = format!(
        "[[entry_summary]]\nfiler = \"EEE\"\nentry_number = \"00001197\"\nport = \"2720\"\nentry_type = \"01\"\n\
         importer = \"07-4417702\"\nbroker_reference = \"ORC-26119\"\nstate = \"{state}\"\n\
         entry_date = \"2026-01-20\"\n{more}"
    );
    let filed = if state == "none" { "" } else { &filed };
    let world = World::parse(&format!("{world}\n{filed}"), Grammar::builtin()).unwrap();
    Host::new(Grammar::builtin(), world, SqliteStore::in_memory().unwrap(), &noon()).unwrap()
}

/// An action as a file names it.
pub fn action(text: &str) -> Action {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// An action on [`ENTRY`], with more of its keys in TOML.
pub fn on_entry(name: &str, more: &str) -> Action {
    action(&format!("[{name}]\nentry = \"{ENTRY}\"\n{more}"))
}

pub fn key() -> EntryKey {
    ENTRY.parse().unwrap()
}

pub fn broker() -> Sender {
    Sender { site: "2704".into(), id: "EEE".into(), office: String::new() }
}

/// What is on file, and its history.
pub fn end(host: TestHost) -> (Option<EntrySummary>, Vec<HistoryEntry>) {
    let mut store = host.into_store();
    let mut unit = store.begin().unwrap();
    (unit.entry_summary(&key()).unwrap(), unit.ledger().unwrap().history(&key()).unwrap())
}

pub fn state_of(host: TestHost) -> Option<ControlState> {
    end(host).0.map(|summary| summary.state)
}

/// The mail that waits for a mailbox, a batch each.
pub fn mail(host: &mut TestHost, recipient: &Sender) -> Vec<Vec<String>> {
    host.mail(recipient).unwrap().iter().map(|mail| lines(&mail.records)).collect()
}

pub fn lines(rows: &[Columns]) -> Vec<String> {
    rows.iter().map(|row| String::from_utf8(row.to_vec()).unwrap().trim_end().to_owned()).collect()
}

pub fn sample(name: &str) -> Vec<Columns> {
    let path = format!("{}/samples/entry_summary/{name}.abi", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    records(&bytes).map(|record| record.columns).collect()
}

/// The batch of a sample with other values in its header record.
pub fn batch(name: &str, values: &[(&str, &str)]) -> RawBatch {
    let mut rows = sample(name);
    let header = Grammar::builtin().find("AE", Direction::Input, "10", "").unwrap();
    for (field, value) in values {
        header.cell(field).unwrap().put_text(&mut rows[2], value).unwrap();
    }
    RawBatch::from_rows(rows)
}

/// The condition codes of an answer; the last is the disposition.
pub fn codes(host: &mut TestHost, batch: &RawBatch, now: &Zoned) -> Vec<String> {
    let answer = lines(&host.answer(batch, &Trusted, now).unwrap());
    answer.iter().filter(|line| line.starts_with("E1")).map(|line| line[4..7].to_owned()).collect()
}
