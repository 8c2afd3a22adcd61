//! UC in its printed forms (ESS-14 to ESS-33; the example of B&B-38).

use abigate::grammar::Grammar;
use abigate::message::Checker;
use abigate::wire::{Limits, Splitter};

use crate::support::*;

const OFFICER: &str = "officer = { name = \"Doe Jane\", telephone = \"2125550100\", extension = \"12\" }\n";

fn told(state: &str, name: &str, more: &str) -> Vec<Vec<String>> {
    let mut host = host_with(state, "");
    host.act(&on_entry("review", "team = \"701\""), &noon()).unwrap();
    host.act(&on_entry(name, more), &noon()).unwrap();
    mail(&mut host, &broker())
}

#[test]
fn a_rejection_is_a_batch_a_reason() {
    let more = format!("{OFFICER}reasons = [\"003/001\", \"016\"]\nremarks = \"See line 1\"");
    let told = told("paid", "reject", &more);
    let batch = |reason: &str, line: &str| {
        vec![
            "A2704EEE      080326     UC".to_owned(),
            "B  2720EEEUC".to_owned(),
            format!("E141701{reason}080326{:34}EEE  00001197  {line:3}ORC-26119", ""),
            format!("E2  {:30}  2125550100  EEE00001197  12", "DOE JANE"),
            "E3SEE LINE 1".to_owned(),
            "Y  2720EEEUC00003".to_owned(),
            "Z2704EEE      080326".to_owned(),
        ]
    };
    assert_eq!(told, [batch("003", "001"), batch("016", "")]);
}

#[test]
fn only_a_rejection_shows_a_telephone_number() {
    let told = told("paid", "cancel", OFFICER);
    assert_eq!(told[0][2], format!("E161701   080326{:34}EEE  00001197     ORC-26119", ""));
    assert_eq!(told[0][3], format!("E2  {:30}{:14}EEE00001197", "DOE JANE", ""));
}

#[test]
fn what_the_system_does_names_no_officer() {
    let told = told("paid", "detain", "");
    assert_eq!(told[0][2], format!("E1D2701   080326{:34}EEE  00001197     ORC-26119", ""));
    assert_eq!(told[0][3], format!("E2{:46}EEE00001197", ""));
}

#[test]
fn remarks_fill_seven_records_and_no_more() {
    let remarks = "ABCDEFGHI ".repeat(50);
    let told = told("paid", "request_information", &format!("remarks = \"{remarks}\""));
    let parts = told[0].iter().filter_map(|line| line.strip_prefix("E3")).collect::<Vec<_>>();
    assert_eq!(parts.len(), 7);
    assert!(parts[..6].iter().all(|part| part.len() >= 77));
    let joined = parts.iter().map(|part| format!("{part:78}")).collect::<String>();
    assert_eq!(joined.trim_end(), remarks.trim_end());
    assert!(told[0][2].starts_with("E132"), "{told:?}");
}

#[test]
fn documents_are_named() {
    let more = "documents = [\"26\", \"22\"]\nkind = \"documents\"\nremarks = \"soon\"";
    let told = told("paid", "request_documents", more);
    assert_eq!(told[0][4], "E3PACKING LIST, CHEMICAL ANALYSIS. SOON");
}

#[test]
fn quota_is_told_at_the_end_of_the_day() {
    let mut host = host_with("paid", "");
    let lines = "lines = [{ line = \"001\", status = \"Q02\", requested = \"1000\", unit = \"KG\", reserved = \"512.5\" },\n\
                 { line = \"002\", status = \"Q03\", requested = \"20.25\", unit = \"NO\" }]";
    host.act(&on_entry("quota_status", lines), &noon()).unwrap();
    host.act(&on_entry("detain", ""), &noon()).unwrap();
    let kinds = |mail: &[Vec<String>]| mail.iter().map(|batch| batch[2][..3].to_owned()).collect::<Vec<_>>();
    assert_eq!(kinds(&mail(&mut host, &broker())), ["E1D"]);
    let ended = host.act(&action("end_of_day = {}"), &noon()).unwrap();
    assert_eq!(ended.released, 1);
    let told = mail(&mut host, &broker());
    assert_eq!(kinds(&told), ["E1D", "E1Q"]);
    let numbers = host.mail(&broker()).unwrap().iter().map(|mail| mail.id).collect::<Vec<_>>();
    assert!(numbers.is_sorted());
    assert_eq!(
        told[1][4..6],
        [
            format!("E4001Q02   {:30}000000100000KG 000000051250KG", "QUOTA APPORTIONED"),
            format!("E4002Q03   {:30}000000002025NO", "QUOTA FILLED"),
        ]
    );
    assert_eq!(host.act(&action("end_of_day = {}"), &noon()).unwrap().released, 0);
}

#[test]
fn agencies_are_passed_on() {
    let more = "agencies = [{ agency = \"FDA\", program = \"FOO\", at = \"2026-08-03T09:05:00\", entry_status = \"07\",\n\
                message = \"MAY PROCEED\", fields = { beginning_cbp_line = \"001\" },\n\
                reviews = [{ pga_line_sub_reason_1 = \"A01\" }], comments = [\"thank you\"] }]";
    let told = told("paid", "agency_status", more);
    assert_eq!(
        told[0][4..7],
        [
            format!("SO70FDAFOO080326090507{:28}      001", "MAY PROCEED"),
            format!("SO71{:26}A01", ""),
            "SO72THANK YOU".to_owned(),
        ]
    );
}

#[test]
fn what_is_written_is_what_the_grammar_reads() {
    let mut host = host_with("paid", "");
    host.act(&on_entry("reject", "reasons = [\"003\"]\nremarks = \"A, B\""), &noon()).unwrap();
    let mail = host.mail(&broker()).unwrap();
    let mut findings = Vec::new();
    let mut checker = Checker::new(Grammar::builtin(), None);
    let mut splitter = Splitter::new(Limits::default());
    let bytes = mail[0].records.as_flattened();
    splitter.push(bytes, &mut |line| checker.line(&line, &mut |finding| findings.push(finding))).unwrap();
    splitter.finish(&mut |line| checker.line(&line, &mut |finding| findings.push(finding))).unwrap();
    checker.finish(&mut |finding| findings.push(finding));
    assert_eq!((checker.records(), findings.len()), (7, 0), "{findings:?}");
}
