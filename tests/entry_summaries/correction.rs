//! Stories of corrections and consolidated summaries (usage notes z, gg).

use abigate::envelope::RawBatch;
use abigate::host::Host;
use abigate::store::{ControlState, SqliteStore, Store, Unit};
use abigate::wire::Columns;

use crate::support::*;

const NUMBER: (&str, &str) = ("entry_number", "00001197");
const REFERENCE: (&str, &str) = ("broker_reference_number", "ORC-26119");

/// The host, once CBP has put a summary into a state.
fn moved(host: Host<'static, SqliteStore>, number: &str, state: ControlState) -> Host<'static, SqliteStore> {
    let mut store = host.into_store();
    let mut unit = store.begin().unwrap();
    let mut summary = unit.entry_summary(&key(number)).unwrap().unwrap();
    summary.state = state;
    summary.standing.was_controlled = true;
    summary.standing.version_due = state == ControlState::Rejected;
    unit.put_entry_summary(&summary).unwrap();
    unit.commit().unwrap();
    host_in(world(""), store)
}

fn version(answer: &[String]) -> &str {
    &answer.iter().rfind(|line| line.starts_with("E1A")).unwrap()[63..68]
}

/// What is on file, corrected: nothing but the reasons and the explanation of the sample are new.
fn correction(rows: &[Columns]) -> Vec<Columns> {
    let blank = [
        "payment_type_code",
        "preliminary_statement_print_date",
        "periodic_statement_month",
        "consolidated_summary_indicator",
    ];
    let mut values = vec![("post_summary_correction_indicator", "Y")];
    values.extend(blank.map(|field| (field, "")));
    let mut corrected = with(rows.to_vec(), &values);
    corrected.retain(|row| !row.starts_with(b"32"));
    put(&mut corrected, "20", "location_of_goods_code", "");
    let sample = summary_of("good/01-post-summary-correction");
    let of_sample =
        |prefix: &[u8]| sample.iter().filter(|row| row.starts_with(prefix)).copied().collect::<Vec<_>>();
    let bond = corrected.iter().position(|row| row.starts_with(b"31")).unwrap();
    corrected.splice(bond + 1..bond + 1, of_sample(b"36"));
    let totals = corrected.iter().position(|row| row.starts_with(b"89")).unwrap();
    corrected.splice(totals..totals, of_sample(b"63"));
    corrected
}

fn in_block_of(name: &str, summaries: &[Vec<Columns>]) -> RawBatch {
    let frame = sample(name);
    let mut rows = frame[..2].to_vec();
    rows.extend(summaries.iter().flatten());
    rows.extend(&frame[frame.len() - 2..]);
    RawBatch::from_rows(rows)
}

fn versions(host: &mut Host<'static, SqliteStore>) -> Vec<(String, Vec<Columns>)> {
    let mut unit = host.store().begin().unwrap();
    let versions = unit.ledger().unwrap().versions(&key(NUMBER.1)).unwrap();
    versions.into_iter().map(|one| (one.version.to_string(), one.records)).collect()
}

#[test]
fn what_cbp_has_had_in_hand_is_kept_when_another_takes_its_place() {
    let filed = summary(&[NUMBER, REFERENCE]);
    let replaced = with(filed.clone(), &[("live_entry_indicator", "Y")]);
    let mut host = host();
    // Nothing is kept while the filer alone controls it.
    answer(&mut host, &batch(std::slice::from_ref(&filed)));
    answer(&mut host, &batch(std::slice::from_ref(&replaced)));
    assert_eq!(versions(&mut host), []);
    let mut host = moved(host, NUMBER.1, ControlState::RejectedUnpaid);
    assert_eq!(dispositions(&answer(&mut host, &batch(std::slice::from_ref(&filed)))), ["996"]);
    let mut kept = vec![("00100".to_owned(), replaced)];
    assert_eq!(versions(&mut host), kept);
    let mut host = moved(host, NUMBER.1, ControlState::Paid);
    let corrected = correction(&filed);
    for superseded in [&filed, &corrected] {
        assert_eq!(dispositions(&answer(&mut host, &batch(std::slice::from_ref(&corrected)))), ["996"]);
        let version = kept.last().unwrap().0.clone();
        kept.push((version, superseded.clone()));
        assert_eq!(versions(&mut host), kept);
    }
    // A refused one leaves everything as it is.
    let refused = with(corrected, &[("electronic_signature", "")]);
    assert_eq!(dispositions(&answer(&mut host, &batch(&[refused]))), ["998"]);
    assert_eq!(versions(&mut host), kept);
}

#[test]
fn a_paid_summary_is_corrected_more_than_once_and_keeps_its_version() {
    let filed = summary(&[NUMBER, REFERENCE]);
    let mut host = host();
    assert_eq!(dispositions(&answer(&mut host, &batch(std::slice::from_ref(&filed)))), ["995"]);
    let mut host = moved(host, NUMBER.1, ControlState::Paid);
    for _ in 0..2 {
        let answer = answer(&mut host, &batch(&[correction(&filed)]));
        assert_eq!(
            (dispositions(&answer), version(&answer)),
            (vec!["996".to_owned()], "00100"),
            "{answer:#?}"
        );
    }
    // A change of the header needs its reason.
    let mut changed = correction(&filed);
    put(&mut changed, "11", "us_state_of_destination_code", "NV");
    assert_eq!(codes(&answer(&mut host, &batch(&[changed.clone()]))), [["283", "998"]]);
    assert_eq!(
        on_file(&mut host.into_store(), NUMBER.1).unwrap().state,
        ControlState::Paid,
        "it stays as it was"
    );
}

#[test]
fn once_corrected_a_summary_is_not_replaced_in_the_ordinary_way() {
    let filed = summary(&[NUMBER, REFERENCE]);
    let mut host = host();
    answer(&mut host, &batch(std::slice::from_ref(&filed)));
    let mut host = moved(host, NUMBER.1, ControlState::Paid);
    answer(&mut host, &batch(&[correction(&filed)]));
    assert_eq!(codes(&answer(&mut host, &batch(&[filed]))), [["B54", "998"]]);
}

#[test]
fn corrections_leave_the_releases_of_a_consolidated_summary_alone() {
    const NAME: &str = "good/01-consolidated";
    let mut filed = summary_of(NAME);
    // Corrections are not marked as consolidated, so a consignee must be named in them.
    put(&mut filed, "11", "consignee_number", "28-3140001RT");
    let releases = |host: Host<'static, SqliteStore>| {
        let mut store = host.into_store();
        store.begin().unwrap().consolidated_by(&key("00002591")).unwrap().len()
    };
    let mut host = host();
    assert_eq!(dispositions(&answer(&mut host, &in_block_of(NAME, std::slice::from_ref(&filed)))), ["995"]);
    // A release that is consolidated has no summary of its own (B28), and no second one (243).
    let own = with(summary_of("good/01-vessel-three-lines"), &[("entry_number", "00090018")]);
    assert_eq!(codes(&answer(&mut host, &in_block_of(NAME, &[own]))), [["B28", "998"]]);
    let second = with(filed.clone(), &[("entry_number", "00002344")]);
    assert_eq!(codes(&answer(&mut host, &in_block_of(NAME, &[second]))), [["243", "243", "998"]]);
    let mut host = moved(host, "00002591", ControlState::Paid);
    let answered = answer(&mut host, &in_block_of(NAME, &[correction(&filed)]));
    assert_eq!(dispositions(&answered), ["996"], "{answered:#?}");
    let mut host = moved(host, "00002591", ControlState::Rejected);
    // What CBP rejected after payment cannot be certified for cargo release (256).
    let mut unpaid = correction(&filed);
    unpaid.retain(|row| !row.starts_with(b"36") && !row.starts_with(b"63"));
    let unpaid = with(unpaid, &[("post_summary_correction_indicator", "")]);
    let certified = with(unpaid.clone(), &[("cargo_release_certification_request_indicator", "A")]);
    let raised = codes(&answer(&mut host, &in_block_of(NAME, &[certified]))).remove(0);
    assert!(raised.contains(&"256".to_owned()), "{raised:?}");
    assert_eq!(releases(host), 2);
}

#[test]
fn a_rejected_consolidated_summary_stays_one() {
    const NAME: &str = "good/01-consolidated";
    let filed = summary_of(NAME);
    let mut host = host();
    answer(&mut host, &in_block_of(NAME, std::slice::from_ref(&filed)));
    let mut host = moved(host, "00002591", ControlState::Rejected);
    let blank = ["payment_type_code", "preliminary_statement_print_date", "consolidated_summary_indicator"];
    let mut replaced = with(filed, &blank.map(|field| (field, "")));
    replaced.retain(|row| !row.starts_with(b"32"));
    // Without the indicator the consignee must be named.
    put(&mut replaced, "11", "consignee_number", "28-3140001RT");
    let answered = answer(&mut host, &in_block_of(NAME, &[replaced]));
    assert_eq!(
        (dispositions(&answered), version(&answered)),
        (vec!["996".to_owned()], "00200"),
        "{answered:#?}"
    );
    let mut store = host.into_store();
    assert_eq!(store.begin().unwrap().consolidated_by(&key("00002591")).unwrap().len(), 2);
}

#[test]
fn a_zone_entry_keeps_its_emergency_tariffs_when_it_is_corrected() {
    const NAME: &str = "good/06-foreign-trade-zone";
    let filed = summary_of(NAME);
    let mut host = host();
    assert_eq!(dispositions(&answer(&mut host, &in_block_of(NAME, std::slice::from_ref(&filed)))), ["995"]);
    let mut host = moved(host, "00001767", ControlState::Paid);
    let mut changed = correction(&filed);
    let emergency = changed.iter().position(|row| row.starts_with(b"5099030124")).unwrap();
    changed.remove(emergency);
    for (day, is_raised) in [("2026-08-20", false), ("2026-08-21", true)] {
        let now = noon().with().date(day.parse().unwrap()).build().unwrap();
        let rows = host.answer(&in_block_of(NAME, std::slice::from_ref(&changed)), &Trusted, &now).unwrap();
        let lines = rows.iter().map(|row| String::from_utf8(row.to_vec()).unwrap()).collect::<Vec<_>>();
        let raised = codes(&lines).remove(0);
        assert_eq!(raised.contains(&"883".to_owned()), is_raised, "{lines:#?}");
        let kept = host.answer(&in_block_of(NAME, &[correction(&filed)]), &Trusted, &now).unwrap();
        assert!(!kept.iter().any(|row| row.starts_with(b"E1 F883")));
    }
}
