//! Actions as files name them, what is wrong with them, and what time does.

use abigate::host::{Action, ActionError};
use abigate::store::ControlState;

use crate::support::*;

#[test]
fn an_action_survives_its_file() {
    let texts = [
        "reject = { entry = \"EEE 00001197\", reasons = [\"003/001\"], remarks = \"WRONG\" }",
        "end_of_day = {}",
        "review = { entry = \"EEE-0000119-7\", team = \"701\", officer = { name = \"DOE JANE\" } }",
    ];
    for text in texts {
        let action = action(text);
        let again: Action = serde_json::from_str(&serde_json::to_string(&action).unwrap()).unwrap();
        assert_eq!(again, action);
    }
    for wrong in [
        "reject = { entry = \"EEE 0000119\", reasons = [] }",
        "reject = { entry = \"EEE 00001197\" }",
        "cancel = { entry = \"EEE 00001197\", reasons = [] }",
        "forget = { entry = \"EEE 00001197\" }",
    ] {
        assert!(toml::from_str::<Action>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_wrong_action_changes_nothing() {
    let long = format!("remarks = \"{}\"", "X".repeat(501));
    let cases = [
        ("reject", "reasons = [\"000\"]", "\"000\" is not in uc_notification_reason"),
        ("reject", "reasons = []", "reject needs a reason"),
        ("request_documents", "documents = [\"00\"]", "\"00\" is not in ae_missing_document"),
        ("request_documents", "kind = \"documents\"", "request_documents needs documents or remarks"),
        ("request_information", "", "request_information needs remarks"),
        ("review", "team = \"\"", "review needs a team"),
        ("quota_status", "lines = []", "quota_status needs a line"),
        ("cancel", &long, "remarks have 501 characters, 500 is the limit"),
        ("cancel", "remarks = \"\u{e9}\"", ""),
        ("receive", "", "nothing was asked for"),
        ("review", "team = \"7011\"", ""),
    ];
    for (name, more, message) in cases {
        let mut host = host_with("paid", "");
        let done = host.act(&on_entry(name, more), &noon());
        if name == "review" && message.is_empty() {
            // a team that no notification can name is found out when one is written
            done.unwrap();
            let told = host.act(&on_entry("cancel", ""), &noon());
            assert!(matches!(told, Err(ActionError::Host(_))), "{told:?}");
            continue;
        }
        let error = done.unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
        assert!(mail(&mut host, &broker()).is_empty());
        let (summary, history) = end(host);
        assert_eq!((summary.unwrap().state, history.len()), (ControlState::Paid, 0), "{name}");
    }
}

#[test]
fn what_is_asked_for_is_asked_until_it_comes() {
    let mut host = host_with("paid", "");
    host.act(&on_entry("request_documents", ""), &noon()).unwrap();
    assert!(host.act(&on_entry("receive", ""), &noon()).is_ok());
    let again = host.act(&on_entry("receive", ""), &noon());
    assert!(matches!(again, Err(ActionError::Illegal { .. })), "{again:?}");
}

#[test]
fn a_summary_goes_on_its_statement_on_the_day_of_that() {
    let mut host = host_with("none", "");
    let statement = [
        ("entry_number", "00001197"),
        ("payment_type_code", "2"),
        ("preliminary_statement_print_date", "081226"),
    ];
    let filed = codes(&mut host, &batch("good/01-air-one-line", &statement), &noon());
    assert_eq!(filed, ["995"]);
    assert!(host.advance(&at("2026-08-11")).unwrap().steps.is_empty());
    let steps = host.advance(&at("2026-08-12")).unwrap().steps;
    assert_eq!(steps.len(), 1, "{steps:?}");
    assert_eq!(
        (&steps[0].entry, steps[0].event.as_str(), steps[0].by.as_str()),
        (&key(), "place_on_statement", "CBP")
    );
    assert!(host.advance(&at("2026-08-12")).unwrap().steps.is_empty());
    assert_eq!(state_of(host), Some(ControlState::CbpControl));
}

#[test]
fn a_paid_summary_liquidates_on_its_day_unless_it_is_under_review() {
    for (is_reviewed, after) in [(false, ControlState::Liquidated), (true, ControlState::UnderReview)] {
        let mut host = host_with("cbp_control", "");
        host.act(&on_entry("collect", ""), &noon()).unwrap();
        if is_reviewed {
            host.act(&on_entry("review", "team = \"701\""), &noon()).unwrap();
        }
        host.advance(&at("2026-12-03")).unwrap();
        // 314 days after January 20, on a Friday
        let steps = host.advance(&at("2026-12-04")).unwrap().steps;
        assert_eq!(steps.iter().any(|step| step.entry == key()), !is_reviewed);
        assert_eq!(state_of(host), Some(after));
    }
}
