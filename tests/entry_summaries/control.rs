//! Every action on a summary in every state (ESF-132, ESF-183, ESF-210).

use abigate::envelope::RawBatch;
use abigate::grammar::{Direction, Grammar};
use abigate::host::{Action, Host};
use abigate::store::{ControlState, SqliteStore};
use abigate::wire::Columns;

use crate::support::*;

const NUMBER: (&str, &str) = ("entry_number", "00001197");
const ADD: (&str, &str) = ("summary_filing_action_request_code", "A");
const REPLACE: (&str, &str) = ("summary_filing_action_request_code", "R");

/// A summary in a state, as a world has it on file.
fn filed(state: &str, more: &str) -> String {
    format!(
        "[[entry_summary]]\nfiler = \"EEE\"\nentry_number = \"00001197\"\nport = \"2720\"\nentry_type = \"01\"\n\
         importer = \"07-4417702\"\nbroker_reference = \"ORC-26119\"\nstate = \"{state}\"\n\
         entry_date = \"2026-01-20\"\n{more}"
    )
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Filing {
    Add,
    AddOtherReference,
    Replace,
    Delete,
    Correction,
}

impl Filing {
    fn rows(self) -> Vec<abigate::wire::Columns> {
        match self {
            Self::Add => summary(&[ADD]),
            Self::AddOtherReference => summary(&[ADD, ("broker_reference_number", "OTHER")]),
            Self::Replace => summary(&[REPLACE, ("broker_reference_number", "OTHER")]),
            Self::Delete => delete(&[]),
            Self::Correction => with(
                summary_of("good/01-post-summary-correction"),
                &[NUMBER, ("broker_reference_number", "ORC-26119")],
            ),
        }
    }
}

/// What is on file afterwards.
#[derive(Clone, Copy, Debug, PartialEq)]
enum After {
    Nothing,
    Before,
    New,
}

use After::{Before, New, Nothing};
use Filing::{Add, AddOtherReference, Correction, Delete, Replace};

/// State, filing, a condition that it raises, the disposition, and what is on file afterwards.
const MATRIX: [(&str, Filing, &str, &str, After); 38] = [
    ("", Add, "", "995", New),
    ("", Replace, "", "995", New),
    ("", Delete, "B25", "998", Nothing),
    ("", Correction, "B42", "998", Nothing),
    ("trade_control", Add, "", "996", New),
    ("trade_control", AddOtherReference, "B35", "998", Nothing),
    ("trade_control", Replace, "", "996", New),
    ("trade_control", Delete, "", "997", Nothing),
    ("trade_control", Correction, "B45", "998", Nothing),
    ("cbp_control", Add, "B29", "998", Before),
    ("cbp_control", AddOtherReference, "B35", "998", Before),
    ("cbp_control", Replace, "B29", "998", Before),
    ("cbp_control", Delete, "B29", "998", Before),
    ("cbp_control", Correction, "B47", "998", Before),
    ("paid", Add, "B29", "998", Before),
    ("paid", AddOtherReference, "B35", "998", Before),
    ("paid", Replace, "B29", "998", Before),
    ("paid", Delete, "B29", "998", Before),
    ("paid", Correction, "", "996", New),
    ("under_review", Add, "B29", "998", Before),
    ("under_review", Replace, "B29", "998", Before),
    ("under_review", Delete, "B29", "998", Before),
    ("under_review", Correction, "B59", "998", Before),
    // Payment is not reported again (217), so these stay refused; see the test of versions.
    ("rejected", Add, "217", "998", Before),
    ("rejected", AddOtherReference, "B35", "998", Before),
    ("rejected", Replace, "217", "998", Before),
    ("rejected", Delete, "B29", "998", Before),
    ("rejected", Correction, "B46", "998", Before),
    ("liquidated", Add, "B30", "998", Before),
    ("liquidated", AddOtherReference, "B35", "998", Before),
    ("liquidated", Replace, "B30", "998", Before),
    ("liquidated", Delete, "B30", "998", Before),
    ("liquidated", Correction, "B50", "998", Before),
    ("cancelled", Add, "B31", "998", Before),
    ("cancelled", AddOtherReference, "B35", "998", Before),
    ("cancelled", Replace, "B31", "998", Before),
    ("cancelled", Delete, "B31", "998", Before),
    ("cancelled", Correction, "B56", "998", Before),
];

#[test]
fn every_filing_meets_every_state() {
    for (state, filing, condition, disposition, after) in MATRIX {
        let more = if state.is_empty() { String::new() } else { filed(state, "") };
        let mut host = host_in(world(&more), SqliteStore::in_memory().unwrap());
        let answer = answer(&mut host, &batch(&[filing.rows()]));
        let codes = codes(&answer).remove(0);
        assert_eq!(codes.last().unwrap(), disposition, "{filing:?} on {state:?}: {answer:#?}");
        match condition {
            "" => assert_eq!(codes.len(), 1, "{filing:?} on {state:?}: {answer:#?}"),
            code => assert!(codes.iter().any(|found| found == code), "{filing:?} on {state:?}: {answer:#?}"),
        }
        let found = on_file(&mut host.into_store(), NUMBER.1);
        let is = match found {
            None => Nothing,
            Some(summary) if summary.records.is_empty() => Before,
            Some(_) => New,
        };
        assert_eq!(is, after, "{filing:?} on {state:?}");
    }
}

#[test]
fn a_condition_of_the_file_is_raised_once_a_fact_is_so() {
    let cases = [
        (filed("paid", "corrected = true"), summary(&[REPLACE]), "B54"),
        (filed("paid", "reconciled = true"), Filing::Correction.rows(), "B52"),
        (filed("paid", "liquidation_date = \"2026-08-17\""), Filing::Correction.rows(), "B51"),
        (filed("paid", "").replace("2026-01-20", "2025-11-06"), Filing::Correction.rows(), "B48"),
        (filed("paid", "").replace("07-4417702", "28-3140001RT"), Filing::Correction.rows(), "286"),
        (filed("paid", "").replace("2720", "2704"), Filing::Correction.rows(), "B44"),
        (filed("trade_control", "").replace("2720", "2704"), summary(&[REPLACE]), "B32"),
        (filed("trade_control", "").replace("2720", "2704"), delete(&[]), "B32"),
        (filed("rejected", "").replace("\"01\"", "\"03\""), summary(&[REPLACE]), "B33"),
    ];
    for (more, rows, code) in cases {
        let mut host = host_in(world(&more), SqliteStore::in_memory().unwrap());
        let answer = answer(&mut host, &batch(&[rows]));
        let codes = codes(&answer).remove(0);
        assert!(codes.iter().any(|found| found == code), "{code}: {answer:#?}");
        assert_eq!(codes.last().unwrap(), "998");
    }
}

#[test]
fn corrections_are_in_time_up_to_the_last_day() {
    for (more, disposition) in [
        (filed("paid", "liquidation_date = \"2026-08-19\""), "996"),
        (filed("paid", "").replace("2026-01-20", "2025-11-07"), "996"),
    ] {
        let mut host = host_in(world(&more), SqliteStore::in_memory().unwrap());
        let answer = answer(&mut host, &batch(&[Filing::Correction.rows()]));
        assert_eq!(dispositions(&answer), [disposition], "{answer:#?}");
    }
}

#[test]
fn the_reference_on_file_is_shown_where_it_must_match() {
    let mut host = host_in(world(&filed("cbp_control", "")), SqliteStore::in_memory().unwrap());
    let answer = answer(&mut host, &batch(&[Filing::AddOtherReference.rows()]));
    let lines = answer.iter().filter(|line| line.starts_with("E1")).collect::<Vec<_>>();
    assert!(lines.iter().all(|line| line[68..].trim() == "ORC-26119"), "{answer:#?}");
    assert!(answer[2].ends_with("OTHER"), "the signpost shows what was sent: {}", answer[2]);
}

#[test]
fn a_filer_whose_profile_demands_references_must_give_one() {
    let demo = include_str!("../../samples/world.toml");
    let text = demo.replacen("code = \"EEE\"", "code = \"EEE\"\nbroker_reference_required = true", 1);
    let world = abigate::host::World::parse(&text, abigate::grammar::Grammar::builtin()).unwrap();
    let mut host = host_in(world, SqliteStore::in_memory().unwrap());
    let without = summary(&[("broker_reference_number", "")]);
    let answer = answer(&mut host, &batch(&[without, summary(&[])]));
    assert_eq!(dispositions(&answer), ["998", "995"]);
    assert!(codes(&answer)[0].contains(&"B34".to_owned()));
}

#[test]
fn versions_rise_with_a_rejection_only() {
    let mut host = host_in(world(&filed("rejected", "")), SqliteStore::in_memory().unwrap());
    let unpaid = [REPLACE, ("payment_type_code", "")];
    let replaced = answer(&mut host, &batch(&[summary(&unpaid)]));
    let last = replaced.iter().rfind(|line| line.starts_with("E1")).unwrap();
    assert_eq!((&last[4..7], &last[63..68]), ("996", "00200"), "{replaced:#?}");
    let mut store = host.into_store();
    let summary = on_file(&mut store, NUMBER.1).unwrap();
    assert_eq!((summary.version.major, summary.state), (2, ControlState::Paid));
}

#[test]
fn replacing_in_trade_control_keeps_the_version() {
    let mut host = host();
    let answer = answer(&mut host, &batch(&[summary(&[ADD]), summary(&[REPLACE]), summary(&[ADD])]));
    let versions = answer.iter().filter(|line| line.starts_with("E1A")).map(|line| &line[63..68]);
    assert_eq!(versions.collect::<Vec<_>>(), ["00100", "00100", "00100"]);
    assert_eq!(dispositions(&answer), ["995", "996", "996"]);
}

#[test]
fn a_refused_correction_takes_the_summary_with_it_only_for_its_own_filer() {
    // CU1 names a summary of EEE; whatever else is wrong with that, EEE's summary stays.
    let mut host = host_in(world(&filed("trade_control", "")), SqliteStore::in_memory().unwrap());
    let foreign = sample("good/01-service-bureau-two-filers");
    let mut rows = foreign[..2].to_vec();
    rows.extend(summary(&[REPLACE, ("district_port_of_entry", "3002")]));
    let end = foreign.iter().position(|row| row[0] == b'Y').unwrap();
    rows.extend([foreign[end], foreign[foreign.len() - 1]]);
    let answer = answer(&mut host, &abigate::envelope::RawBatch::from_rows(rows));
    assert_eq!(dispositions(&answer), ["998"], "{answer:#?}");
    assert!(on_file(&mut host.into_store(), NUMBER.1).is_some());
}

#[test]
fn a_statement_printed_before_its_day_takes_no_more_summaries() {
    let filed = summary_of("good/01-vessel-three-lines");
    let number = text_of(&filed, "entry_number");
    let frame = sample("good/01-vessel-three-lines");
    let send = |host: &mut Host<'static, SqliteStore>, values: &[(&str, &str)]| {
        let mut rows = frame[..2].to_vec();
        rows.extend(with(filed.clone(), values));
        rows.extend(&frame[frame.len() - 2..]);
        codes(&answer(host, &RawBatch::from_rows(rows))).remove(0)
    };
    let mut host = host();
    assert_eq!(send(&mut host, &[]), ["995"]);
    let other = [("entry_number", "00001197"), ("broker_reference_number", "OTHER")];
    let act = |host: &mut Host<'static, SqliteStore>, text: &str| {
        let action: Action = toml::from_str(&text.replace("ENTRY", &format!("EEE {number}"))).unwrap();
        host.act(&action, &noon()).unwrap();
    };
    act(&mut host, "place_on_statement = { entry = \"ENTRY\" }");
    assert_eq!(send(&mut host, &other), ["216", "998"]);
    // Another day, and another kind of statement of the same day.
    for (field, value) in [("preliminary_statement_print_date", "081326"), ("payment_type_code", "3")] {
        let answer = send(&mut host, &[other[0], other[1], (field, value)]);
        assert!(matches!(answer[0].as_str(), "995" | "996"), "{answer:?}");
    }
    // One that has left it needs another as well.
    act(&mut host, "take_off_statement = { entry = \"ENTRY\" }");
    assert_eq!(send(&mut host, &[]), ["216", "998"]);
    assert_eq!(send(&mut host, &[("preliminary_statement_print_date", "081326")]), ["996"]);
}

fn text_of(rows: &[Columns], field: &str) -> String {
    let header = Grammar::builtin().find("AE", Direction::Input, "10", "").unwrap();
    header.cell(field).unwrap().text(&rows[0]).to_owned()
}
