//! The table of transitions: whole, and obeyed.

use std::collections::BTreeMap;

use abigate::grammar::Grammar;
use abigate::host::ActionError;
use abigate::store::ControlState;

use crate::support::*;

struct Row {
    by: String,
    next: String,
    version: String,
    disposition: String,
    illegal: String,
}

/// The rows by event and state.
fn table() -> BTreeMap<(String, String), Row> {
    let list = Grammar::builtin().list("entry_summary_transitions").unwrap();
    let mut rows = BTreeMap::new();
    for row in list.rows() {
        let column = |name| list.cell(row, name).unwrap().to_owned();
        for state in column("state").split(' ') {
            let key = (column("event"), state.to_owned());
            let is_new = rows.insert(
                key.clone(),
                Row {
                    by: column("by"),
                    next: column("next"),
                    version: column("version"),
                    disposition: column("disposition"),
                    illegal: column("illegal"),
                },
            );
            assert!(is_new.is_none(), "{key:?} stands there twice");
        }
    }
    rows
}

fn states() -> Vec<&'static str> {
    std::iter::once("none").chain(ControlState::ALL.map(ControlState::name)).collect()
}

#[test]
fn every_event_is_answered_in_every_state() {
    let table = table();
    let events = table.keys().map(|(event, _)| event.as_str()).collect::<std::collections::BTreeSet<_>>();
    for event in events {
        for state in states() {
            let row = table.get(&(event.to_owned(), state.to_owned()));
            let row = row.unwrap_or_else(|| panic!("no row for {event} in {state}"));
            assert!(row.next.is_empty() != row.illegal.is_empty(), "{event} in {state}");
            if row.by == "trade" && !row.illegal.is_empty() {
                let code = abigate::grammar::ConditionCode::new(&row.illegal).unwrap();
                assert!(Grammar::builtin().conditions().get("AE", code).is_some(), "{}", row.illegal);
            }
        }
    }
}

/// The keys that an event needs beside the summary.
fn more(event: &str) -> (&str, &str) {
    match event {
        "reject" => ("reject", "reasons = [\"003\"]"),
        "review" => ("review", "team = \"701\""),
        "request_information" => ("request_information", "remarks = \"HOW IS IT USED\""),
        "request_invoice" => ("request_documents", "kind = \"invoice\""),
        "request_package" => ("request_documents", ""),
        "request_documents" => ("request_documents", "kind = \"documents\"\ndocuments = [\"26\"]"),
        "quota_status" => (
            "quota_status",
            "at_once = true\nlines = [{ line = \"001\", status = \"Q01\", requested = \"10\", unit = \"KG\" }]",
        ),
        "agency_status" => ("agency_status", "agencies = [{ agency = \"FDA\" }]"),
        other => (other, ""),
    }
}

#[test]
fn what_cbp_does_goes_as_the_table_says() {
    for ((event, state), row) in table().iter().filter(|(_, row)| row.by != "trade") {
        let mut host = host_with(state, "");
        let case = format!("{event} in {state}");
        if event == "receive" && row.illegal.is_empty() && !state.starts_with("rejected") {
            host.act(&on_entry("request_documents", ""), &noon()).unwrap();
            let id = host.mail(&broker()).unwrap()[0].id;
            host.mark_delivered(&broker(), id, &noon()).unwrap();
        } else if event == "receive" && row.illegal.is_empty() {
            // a rejected summary is asked for nothing new
            continue;
        }
        let (name, keys) = more(event);
        let done = host.act(&on_entry(name, keys), &noon());
        let told = mail(&mut host, &broker());
        let (after, history) = end(host);
        let after_name = after.as_ref().map_or("none", |summary| summary.state.name());
        if !row.illegal.is_empty() {
            match done {
                Err(ActionError::Illegal { reason, .. }) => assert_eq!(reason, row.illegal, "{case}"),
                other => panic!("{case}: {other:?}"),
            }
            assert_eq!((after_name, history.len(), told.len()), (state.as_str(), 0, 0), "{case}");
            continue;
        }
        let done = done.unwrap_or_else(|error| panic!("{case}: {error}"));
        let expected = if row.next == "same" { state } else { &row.next };
        assert_eq!(after_name, expected, "{case}");
        let last = history.last().unwrap();
        assert_eq!((&last.event, done.steps.last()), (event, Some(last)), "{case}");
        if let Some(summary) = after {
            let minor = u8::from(row.version == "minor");
            assert_eq!((summary.version.major, summary.version.minor), (1, minor), "{case}");
            assert!(row.version != "mark" || summary.standing.version_due, "{case}");
        }
        match row.disposition.as_str() {
            "" => assert!(told.is_empty(), "{case}: {told:?}"),
            kind => {
                assert_eq!(told.len(), 1, "{case}");
                assert_eq!(&told[0][2][..3], format!("E1{kind}"), "{case}");
            }
        }
    }
}
