//! Batches that come again since their answers may have got lost, and what outlives a restart.

use abigate::host::{Action, Host, Peer, Receipts};
use abigate::store::{ControlState, SetAsideKind, SqliteStore, Store, Unit};

use crate::support::*;

/// A connection that may break.
#[derive(Default)]
struct Connection(Receipts);

impl Peer for Connection {
    fn certificate(&self) -> Option<&str> {
        None
    }

    fn knows_password(&self, _hash: &str, _password: &[u8]) -> bool {
        true
    }

    fn receipts(&self) -> Option<&Receipts> {
        Some(&self.0)
    }
}

type TestHost = Host<'static, SqliteStore>;

/// The dispositions that a connection gets.
fn ask(host: &mut TestHost, connection: &Connection, batch: &abigate::envelope::RawBatch) -> Vec<String> {
    dispositions(&lines(&host.answer(batch, connection, &noon()).unwrap()))
}

fn steps(host: &mut TestHost, number: &str) -> Vec<String> {
    let history = host.store().begin().unwrap().ledger().unwrap().history(&key(number)).unwrap();
    history.into_iter().map(|step| step.event).collect()
}

fn adding() -> abigate::envelope::RawBatch {
    batch(&[summary(&[])])
}

fn deleting() -> abigate::envelope::RawBatch {
    batch(&[delete(&[])])
}

#[test]
fn a_batch_whose_answer_was_lost_gets_it_again_and_does_nothing_twice() {
    let mut host = host();
    for _ in 0..3 {
        // each connection breaks before anything shows that the answer has arrived
        assert_eq!(ask(&mut host, &Connection::default(), &adding()), ["995"]);
    }
    assert_eq!(steps(&mut host, "00001197"), ["file"]);
    for _ in 0..3 {
        assert_eq!(ask(&mut host, &Connection::default(), &deleting()), ["997"]);
    }
    assert_eq!(steps(&mut host, "00001197"), ["file", "delete"]);
    assert_eq!(host.store().batches().unwrap().len(), 2);
}

#[test]
fn a_repeated_add_gets_its_answer_after_cbp_has_taken_control() {
    let mut host = host();
    let first = host.answer(&adding(), &Connection::default(), &noon()).unwrap();
    let action: Action = toml::from_str("[take_control]\nentry = \"EEE 00001197\"").unwrap();
    host.act(&action, &noon()).unwrap();
    assert_eq!(host.answer(&adding(), &Connection::default(), &noon()).unwrap(), first);
    // a peer that cannot have lost it is judged as ACE judges it
    assert!(codes(&answer(&mut host, &adding()))[0].contains(&"B29".to_owned()));
}

#[test]
fn once_its_answer_has_arrived_the_same_bytes_are_a_new_batch() {
    let mut host = host();
    let connection = Connection::default();
    assert_eq!(ask(&mut host, &connection, &adding()), ["995"]);
    // a further batch on the connection
    connection.0.all_arrived();
    assert_eq!(ask(&mut host, &connection, &adding()), ["996"]);
    // a farewell
    connection.0.all_arrived();
    host.note_arrivals(&connection.0).unwrap();
    assert_eq!(ask(&mut host, &Connection::default(), &adding()), ["996"]);
    assert_eq!(steps(&mut host, "00001197"), ["file", "file", "file"]);
}

#[test]
fn who_goes_on_over_another_connection_has_got_his_answer() {
    let mut host = host();
    assert_eq!(ask(&mut host, &Connection::default(), &adding()), ["995"]);
    assert_eq!(ask(&mut host, &Connection::default(), &deleting()), ["997"]);
    assert_eq!(ask(&mut host, &Connection::default(), &adding()), ["995"]);
    assert_eq!(steps(&mut host, "00001197"), ["file", "delete", "file"]);
    assert!(on_file(host.store(), "00001197").is_some());
}

#[test]
fn a_batch_that_has_changed_nothing_is_judged_again() {
    let mut host = host();
    assert_eq!(ask(&mut host, &Connection::default(), &deleting()), ["998"]);
    assert_eq!(ask(&mut host, &Connection::default(), &adding()), ["995"]);
    assert_eq!(ask(&mut host, &Connection::default(), &deleting()), ["997"]);
}

#[test]
fn what_may_come_again_is_forgotten_after_a_week() {
    let mut host = host();
    assert_eq!(ask(&mut host, &Connection::default(), &adding()), ["995"]);
    let later = noon().saturating_add(jiff::Span::new().days(8));
    assert!(!host.forget_unarrived(&later, 10).unwrap());
    assert_eq!(ask(&mut host, &Connection::default(), &adding()), ["996"]);
}

#[test]
fn batches_that_are_too_old_are_removed_in_steps_and_the_newest_stays() {
    let mut host = host();
    for number in ["00001197", "00001270", "00009059", "00009042"] {
        answer(&mut host, &batch(&[summary(&[("entry_number", number)])]));
    }
    let later = noon().saturating_add(jiff::Span::new().days(1)).timestamp();
    assert!(!host.remove_batches(noon().timestamp(), 2).unwrap(), "none is older");
    assert!(host.remove_batches(later, 2).unwrap());
    assert_eq!(host.store().batches().unwrap().len(), 2);
    host.remove_batches(later, 2).unwrap();
    assert_eq!(host.store().batches().unwrap().len(), 1);
    assert!(on_file(host.store(), "00001197").is_some(), "summaries stay");
}

#[test]
fn what_an_officer_does_before_the_first_batch_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("abigate.db");
    let action: Action = toml::from_str("[cancel]\nentry = \"EEE 00009018\"").unwrap();
    host_in(world(""), SqliteStore::create(&path).unwrap()).act(&action, &noon()).unwrap();
    let mut host = host_in(world(""), SqliteStore::open(&path).unwrap());
    assert_eq!(on_file(host.store(), "00009018").unwrap().state, ControlState::Cancelled);
}

/// A store as the program wrote it in November 2026, with a summary of each state, two batches and mail.
#[test]
fn a_store_of_november_2026_is_opened_with_all_that_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("abigate.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../stores/2026-11.sql")).unwrap();
    drop(old);
    let mut host = host_in(world(""), SqliteStore::open(&path).unwrap());
    let summary = on_file(host.store(), "00001197").unwrap();
    assert_eq!((summary.state, summary.records.len() > 5), (ControlState::CbpControl, true));
    assert_eq!(steps(&mut host, "00001197"), ["file", "request_information", "file", "take_control"]);
    let report = host.store().check().unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(
        report.rows,
        [
            ("entry_summary", 6),
            ("entry_summary_history", 4),
            ("entry_summary_version", 0),
            ("mail", 1),
            ("batch", 2),
        ]
    );
    // what CBP has done since is not undone by the world
    let action: Action = toml::from_str("[cancel]\nentry = \"EEE 00009018\"").unwrap();
    host.act(&action, &noon()).unwrap();
    drop(host);
    let mut host = host_in(world(""), SqliteStore::open(&path).unwrap());
    assert_eq!(on_file(host.store(), "00009018").unwrap().state, ControlState::Cancelled);
}

#[test]
fn a_damaged_summary_is_set_aside_and_time_goes_on_for_all_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("abigate.db");
    let mut host = host_in(world(""), SqliteStore::create(&path).unwrap());
    let numbers = ["00001197", "00001270", "00009059"];
    answer(&mut host, &batch(&numbers.map(|number| summary(&[("entry_number", number)]))));
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute("UPDATE entry_summary SET due = '2026-08-01' WHERE state = 'trade_control'", []).unwrap();
    other.execute("UPDATE entry_summary SET state = 'nonsense' WHERE number = '00001270'", []).unwrap();
    let passed = host.advance(&noon()).unwrap();
    let moved = passed.steps.iter().map(|step| step.entry.number.as_str()).collect::<Vec<_>>();
    assert_eq!(moved, ["00001197", "00009059"]);
    assert!(host.advance(&noon()).unwrap().steps.is_empty());
    let report = host.store().check().unwrap();
    assert_eq!(
        report.problems,
        ["entry_summary EEE 00001270: store: entry_summary.state holds \"nonsense\""]
    );
    let aside = &report.set_aside[0];
    assert_eq!((aside.kind, aside.name.as_str()), (SetAsideKind::EntrySummary, "EEE 00001270"));
    assert_eq!(host.store().take_back_what_is_sound().unwrap(), 0);
    other.execute("UPDATE entry_summary SET state = 'trade_control' WHERE number = '00001270'", []).unwrap();
    assert_eq!(host.store().take_back_what_is_sound().unwrap(), 1);
    assert_eq!(host.advance(&noon()).unwrap().steps[0].entry, key("00001270"));
    assert!(host.store().check().unwrap().is_clean());
}

#[test]
fn a_damaged_notification_is_set_aside_and_the_next_one_goes_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("abigate.db");
    let mut host = host_in(world(""), SqliteStore::create(&path).unwrap());
    for remarks in ["FIRST", "SECOND"] {
        let action = format!("[request_information]\nentry = \"EEE 00009000\"\nremarks = \"{remarks}\"");
        host.act(&toml::from_str(&action).unwrap(), &noon()).unwrap();
    }
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute("UPDATE mail SET records = X'0299' WHERE id = 1", []).unwrap();
    let mailbox = abigate::envelope::Sender { site: "2704".into(), id: "EEE".into(), office: String::new() };
    assert_eq!(host.next_mail(&mailbox, 0, &noon()).unwrap().unwrap().id, 2);
    assert_eq!(host.next_mail(&mailbox, 0, &noon()).unwrap().unwrap().id, 2);
    let report = host.store().check().unwrap();
    assert_eq!((report.problems.len(), report.set_aside.len()), (1, 1), "{report:?}");
    assert_eq!(report.set_aside[0].name, "1");
}

#[test]
fn a_backup_is_the_store_of_one_moment_and_never_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("abigate.db"), folder.path().join("backup.db"));
    let mut host = host_in(world(""), SqliteStore::create(&path).unwrap());
    answer(&mut host, &adding());
    std::fs::write(&copy, "yesterday's").unwrap();
    host.store().back_up(&copy).unwrap();
    answer(&mut host, &deleting());
    for own in ["abigate.db", "abigate.db-wal", "./abigate.db"] {
        assert!(host.store().back_up(&folder.path().join(own)).is_err(), "{own}");
    }
    assert!(host.store().back_up(&folder.path().join("no-such-folder/backup.db")).is_err());
    let mut copied = SqliteStore::open(&copy).unwrap();
    assert!(on_file(&mut copied, "00001197").is_some());
    assert!(copied.check().unwrap().is_clean());
    assert_eq!(on_file(host.store(), "00001197"), None);
    let left = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().ends_with(".part")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn damaged_records_of_a_batch_are_found_by_their_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("abigate.db");
    let mut host = host_in(world(""), SqliteStore::create(&path).unwrap());
    answer(&mut host, &adding());
    let other = rusqlite::Connection::open(&path).unwrap();
    let mut stored: Vec<u8> = other.query_row("SELECT answer FROM batch", [], |row| row.get(0)).unwrap();
    let middle = stored.len() / 2;
    stored[middle] ^= 1;
    other.execute("UPDATE batch SET answer = ?1", [stored]).unwrap();
    let report = host.store().check().unwrap();
    assert_eq!(report.problems.len(), 1, "{report:?}");
    assert!(report.problems[0].starts_with("batch 1: store: batch.answer"), "{report:?}");
}
