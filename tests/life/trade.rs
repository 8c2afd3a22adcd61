//! What a filer does to a summary between the acts of CBP.

use abigate::store::ControlState;

use crate::support::*;

const AIR: &str = "good/01-air-one-line";
const NUMBER: (&str, &str) = ("entry_number", "00001197");
const UNPAID: [(&str, &str); 4] = [
    NUMBER,
    ("summary_filing_action_request_code", "R"),
    ("payment_type_code", ""),
    ("preliminary_statement_print_date", ""),
];

fn version(host: TestHost) -> (ControlState, String) {
    let summary = end(host).0.unwrap();
    (summary.state, summary.version.to_string())
}

#[test]
fn a_paid_summary_that_was_rejected_is_replaced_as_a_new_version() {
    let mut host = host_with("none", "");
    assert_eq!(codes(&mut host, &batch(AIR, &[NUMBER]), &noon()), ["995"]);
    host.act(&on_entry("collect", ""), &noon()).unwrap();
    host.act(&on_entry("reject", "reasons = [\"003\"]"), &noon()).unwrap();
    assert_eq!(codes(&mut host, &batch(AIR, &UNPAID), &noon()), ["996"]);
    assert_eq!(version(host), (ControlState::Paid, "00200".to_owned()));
}

#[test]
fn an_unpaid_summary_that_was_rejected_keeps_its_payment() {
    let mut host = host_with("none", "");
    codes(&mut host, &batch(AIR, &[NUMBER]), &noon());
    host.act(&on_entry("take_control", ""), &noon()).unwrap();
    host.act(&on_entry("modify", ""), &noon()).unwrap();
    host.act(&on_entry("reject", "reasons = [\"003\"]"), &noon()).unwrap();
    assert_eq!(codes(&mut host, &batch(AIR, &[NUMBER]), &noon()), ["996"]);
    assert_eq!(version(host), (ControlState::CbpControl, "00200".to_owned()));
}

#[test]
fn a_summary_that_left_its_statement_is_replaced_as_a_new_version() {
    let mut host = host_with("none", "");
    codes(&mut host, &batch(AIR, &[NUMBER]), &noon());
    host.act(&on_entry("place_on_statement", ""), &noon()).unwrap();
    assert_eq!(codes(&mut host, &batch(AIR, &[NUMBER]), &noon()), ["B29", "998"]);
    host.act(&on_entry("take_off_statement", ""), &noon()).unwrap();
    assert_eq!(codes(&mut host, &batch(AIR, &[NUMBER]), &noon()), ["996"]);
    assert_eq!(codes(&mut host, &batch(AIR, &[NUMBER]), &noon()), ["996"]);
    assert_eq!(version(host), (ControlState::TradeControl, "00200".to_owned()));
}

#[test]
fn what_cbp_has_had_in_hand_is_not_deleted_by_a_refused_filing() {
    for (was_controlled, left) in [(false, false), (true, true)] {
        let mut host = host_with("none", "");
        codes(&mut host, &batch(AIR, &[NUMBER]), &noon());
        if was_controlled {
            host.act(&on_entry("take_control", ""), &noon()).unwrap();
            host.act(&on_entry("take_off_statement", ""), &noon()).unwrap();
        }
        let refused = batch(AIR, &[NUMBER, ("broker_reference_number", "OTHER")]);
        assert_eq!(codes(&mut host, &refused, &noon()).last().unwrap(), "998");
        let (summary, history) = end(host);
        assert_eq!(summary.is_some(), left);
        assert_eq!(history.last().unwrap().event == "refuse", !left);
    }
}

#[test]
fn a_correction_by_another_filer_is_told_to_the_one_who_loses_the_summary() {
    for (filer, told) in [("EEE", 0), ("LOC", 1)] {
        // LOC may file at the port of the summary
        let local = "national_permit = false\ncheck_digit_offsets = [0]\nports = [\"2704\"";
        let everywhere = "national_permit = true\ncheck_digit_offsets = [0]\nports = [\"2704\", \"2720\"";
        let demo = include_str!("../../samples/world.toml").replacen(local, everywhere, 1);
        let mut host = host_in(&demo, "paid", "");
        let reference = ("broker_reference_number", "ORC-26119");
        let mut corrected = batch("good/01-post-summary-correction", &[NUMBER, reference]);
        for row in [1, corrected.rows.len() - 2] {
            let text = String::from_utf8(corrected.rows[row].to_vec()).unwrap().replacen("EEE", filer, 1);
            corrected.rows[row].copy_from_slice(text.as_bytes());
        }
        assert_eq!(codes(&mut host, &corrected, &noon()), ["996"], "{filer}");
        let mail = mail(&mut host, &broker());
        assert_eq!(mail.len(), told, "{mail:?}");
        for batch in mail {
            let e1 = format!("E182      080326{:34}EEE  00001197     ORC-26119", "");
            assert_eq!(batch[1..4], ["B  2720EEEUC".to_owned(), e1, "Y  2720EEEUC00001".to_owned()]);
        }
        assert_eq!(end(host).0.unwrap().standing.owner.unwrap().filer, filer);
    }
}

#[test]
fn each_step_is_in_the_history() {
    let mut host = host_with("none", "");
    codes(&mut host, &batch(AIR, &[NUMBER]), &noon());
    let officer = "officer = { name = \"DOE JANE\" }\nremarks = \"see line 1\"";
    host.act(&on_entry("take_control", officer), &noon()).unwrap();
    host.act(&on_entry("modify", ""), &noon()).unwrap();
    let (_, history) = end(host);
    let steps = history
        .iter()
        .map(|step| {
            let from = step.from.map_or("none", ControlState::name);
            let to = step.to.map_or("none", ControlState::name);
            format!("{} {}: {from} > {to} {} {}", step.by, step.event, step.version, step.remarks)
        })
        .collect::<Vec<_>>();
    assert_eq!(
        steps,
        [
            "2704 EEE file: none > trade_control 00100 ",
            "DOE JANE take_control: trade_control > cbp_control 00100 see line 1",
            "CBP modify: cbp_control > cbp_control 00101 ",
        ]
    );
}
