//! The records of AX, byte for byte but for trailing spaces.

use abigate::envelope::RawBatch;
use abigate::store::SqliteStore;

use crate::support::*;

#[test]
fn blocks_and_summaries_are_answered_in_order() {
    let expected = "\
A2704EEE      080326     AX                                TWO BLOCKS
B  2704EEEAX                                               LOS ANGELES
E0 SUMMRY 000001 REF ID: EEE 00003417 HHG-26341
E1A 995   SUMMARY HAS BEEN ADDED                  EEE  0000341700100HHG-26341
E0 SUMMRY 000002 REF ID: EEE 00003581 PER-26358
E1A 995   SUMMARY HAS BEEN ADDED                  EEE  0000358100100PER-26358
Y  2704EEEAX00004
B  2304EEEAX                                               LAREDO
E0 SUMMRY 000001 REF ID: EEE 00003664 ORC-26366
E1A 995   SUMMARY HAS BEEN ADDED                  EEE  0000366400100ORC-26366
Y  2304EEEAX00002
Z2704EEE      080326";
    let two_blocks = RawBatch::from_rows(sample("good/01-two-blocks"));
    assert_eq!(answer(&mut host(), &two_blocks).join("\n"), expected);
}

#[test]
fn a_deletion_is_answered_without_a_version() {
    let answer = answer(&mut host(), &batch(&[summary(&[]), delete(&[])]));
    let expected = "\
E0 SUMMRY 000002 REF ID: EEE 00001197 ORC-26119
E1A 997   ENTRY SUMMARY DELETED                   EEE  00001197     ORC-26119";
    assert_eq!(answer[4..6].join("\n"), expected);
}

#[test]
fn conditions_stand_behind_the_signposts_that_lead_to_them() {
    let rows = sample("good/01-consolidated");
    let first = rows[2..rows.len() - 2].to_vec();
    let second = with(first.clone(), &[("entry_number", "00002344"), ("broker_reference_number", "HHG-2")]);
    let mut both = rows[..2].to_vec();
    both.extend(first.iter().chain(&second));
    both.extend(&rows[rows.len() - 2..]);
    let answer = answer(&mut host(), &RawBatch::from_rows(both));
    let expected = "\
E0 SUMMRY 000001 REF ID: EEE 00002591 HHG-26259
E1A 995   SUMMARY HAS BEEN ADDED                  EEE  0000259100100HHG-26259
E0 SUMMRY 000002 REF ID: EEE 00002344 HHG-2
E0 CONREL 000001 REF ID: EEE  00090018
E1 F243   RLSE ENTRY ALREADY CONSOLIDATED         EEE  00002344     HHG-2
E0 CONREL 000002 REF ID: EEE  00090190
E1 F243   RLSE ENTRY ALREADY CONSOLIDATED         EEE  00002344     HHG-2
E1RF998   TRANSACTION DATA REJECTED               EEE  00002344     HHG-2";
    assert_eq!(answer[2..answer.len() - 2].join("\n"), expected);
}

#[test]
fn conditions_of_the_summary_follow_its_own_signpost() {
    let answer = answer(&mut host(), &batch(&[delete(&[])]));
    let expected = "\
E0 SUMMRY 000001 REF ID: EEE 00001197 ORC-26119
E1 FB25   ENTRY SUMMARY NOT FOUND FOR DELETE      EEE  00001197     ORC-26119
E1RF998   TRANSACTION DATA REJECTED               EEE  00001197     ORC-26119";
    assert_eq!(answer[2..5].join("\n"), expected);
}

#[test]
fn a_fault_of_structure_refuses_the_batch_and_nothing_of_it_is_done() {
    let mut rows = sample("good/01-two-blocks");
    let last = rows.iter().rposition(|row| row.starts_with(b"40")).unwrap();
    rows.swap(last, last + 1);
    let mut host = host();
    let answer = answer(&mut host, &RawBatch::from_rows(rows));
    let expected = "\
A2704EEE      080326     AX                                TWO BLOCKS
B  2304EEEAX                                               LAREDO
E1 FA04   OUT OF SEQUENCE RECORD FOUND IN GROUPING
E1 IA03   RECORD: 44 STARTING POSITION: 01
E1RF999   BATCH REJECTED
Y  2304EEEAX00003
Z2704EEE      080326";
    assert_eq!(answer.join("\n"), expected);
    let mut store = host.into_store();
    assert_eq!(on_file(&mut store, "00003417"), None);
    assert_eq!(store.batches().unwrap().len(), 1, "the refused batch and its answer are kept");
}

#[test]
fn an_application_without_a_host_is_not_available() {
    let mut rows = sample("good/01-air-one-line");
    for row in &mut rows {
        let at = match row[0] {
            b'A' => 25,
            b'B' | b'Y' => 10,
            _ => continue,
        };
        row[at..at + 2].copy_from_slice(b"SE");
    }
    let answer = answer(&mut host(), &RawBatch::from_rows(rows));
    assert!(answer.iter().any(|line| line.starts_with("X1 FX13")), "{answer:#?}");
}

#[test]
fn a_withdrawal_sees_the_warehouse_entry_of_its_own_batch() {
    let both = RawBatch::from_rows(sample("good/31-warehouse-withdrawal"));
    let mut host = host();
    assert_eq!(dispositions(&answer(&mut host, &both)), ["995", "995"]);
    // As long as goods have been withdrawn from it the warehouse entry cannot go.
    let warehouse = delete(&[
        ("entry_number", "00001924"),
        ("entry_type_code", "21"),
        ("district_port_of_entry", "2704"),
    ]);
    let refused = answer(&mut host, &batch(&[warehouse]));
    assert!(codes(&refused)[0].contains(&"B66".to_owned()), "{refused:#?}");
    let rows = sample("good/31-warehouse-withdrawal");
    let from = rows.iter().rposition(|row| row.starts_with(b"10")).unwrap();
    let alone = [&rows[..2], &rows[from..]].concat();
    let unknown = answer(&mut self::host(), &RawBatch::from_rows(alone));
    assert!(codes(&unknown)[0].contains(&"298".to_owned()), "{unknown:#?}");
}

#[test]
fn what_was_committed_is_there_when_the_store_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("abigate.db");
    let open = || host_in(world(""), SqliteStore::open_or_create(&path).unwrap());
    assert_eq!(dispositions(&answer(&mut open(), &batch(&[summary(&[])]))), ["995"]);
    assert_eq!(dispositions(&answer(&mut open(), &batch(&[summary(&[])]))), ["996"]);
    assert_eq!(dispositions(&answer(&mut open(), &batch(&[delete(&[])]))), ["997"]);
    let mut store = open().into_store();
    assert_eq!(on_file(&mut store, "00001197"), None);
    let batches = store.batches().unwrap();
    assert_eq!(batches.len(), 3);
    let kept = batches[0].records.as_flattened();
    assert!(!kept.windows(6).any(|bytes| bytes == b"PASSWD"), "the password is not kept");
}

#[test]
fn a_batch_answered_in_parts_gets_the_answer_of_one_answered_whole() {
    let numbers = ["00002674", "00001015", "00009018", "00002674"];
    let summaries = numbers.map(|number| summary(&[("entry_number", number)]));
    let batch = batch(&summaries);
    let whole = answer(&mut host(), &batch);
    for records in [1, 17, 40, 1000] {
        let mut host = host();
        let (mut examined, mut parts) = (None, 1);
        let rows = loop {
            let part = host.answer_part(&batch, &Trusted, &mut examined, records, &noon()).unwrap();
            match part {
                Some(rows) => break rows,
                None => parts += 1,
            }
        };
        assert_eq!(lines(&rows), whole, "{records} records a part");
        assert_eq!(parts > 1, records < 60, "{parts} parts");
    }
}
