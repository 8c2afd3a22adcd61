//! Census warnings of accepted summaries: kept, asked for (CJ) and overridden (CW).

use abigate::envelope::RawBatch;
use abigate::store::SqliteStore;
use abigate::wire::Columns;

use crate::support::*;

type Host = abigate::host::Host<'static, SqliteStore>;

/// The answer to a block of another application, without its control records.
fn ask_in(host: &mut Host, application: &str, port: &str, records: &[&str]) -> Vec<String> {
    let frame = sample("good/01-air-one-line");
    let mut rows = frame[..2].to_vec();
    rows.extend(records.iter().map(|text| columns(text)));
    rows.extend(&frame[frame.len() - 2..]);
    for row in &mut rows {
        match row[0] {
            b'A' => row[25..27].copy_from_slice(application.as_bytes()),
            b'B' | b'Y' => {
                row[3..7].copy_from_slice(port.as_bytes());
                row[10..12].copy_from_slice(application.as_bytes());
            }
            _ => {}
        }
    }
    let mut answer = answer(host, &RawBatch::from_rows(rows));
    answer.drain(2..answer.len() - 2).collect()
}

fn ask(host: &mut Host, application: &str, records: &[&str]) -> Vec<String> {
    ask_in(host, application, "2720", records)
}

fn columns(text: &str) -> Columns {
    format!("{text:80}").into_bytes().try_into().unwrap()
}

/// A summary of one line whose weight and price are improbable: 27H and 27D.
fn improbable(values: &[(&str, &str)]) -> Vec<Columns> {
    let mut rows = summary(values);
    for row in &mut rows {
        match &row[..2] {
            b"40" => row[41..51].copy_from_slice(b"0000102061"),
            b"50" => row[35..47].copy_from_slice(b"000000000001"),
            _ => {}
        }
    }
    rows
}

/// A host that has accepted such a summary.
fn warned() -> Host {
    let mut host = host();
    assert_eq!(dispositions(&answer(&mut host, &batch(&[improbable(&[])]))), ["995"]);
    host
}

const OF_ENTRY: &str = "CJ1                EEE  00001197";
const BOTH: [&str; 2] =
    ["CJ22720080326EEE  00001197  001          27H", "CJ22720080326EEE  00001197  001903180808527D"];

#[test]
fn warnings_are_told_and_the_summary_is_accepted() {
    let answer = answer(&mut host(), &batch(&[improbable(&[])]));
    let expected = "\
E0 SUMMRY 000001 REF ID: EEE 00001197 ORC-26119
E0 LINITM 000001 REF ID: 001
E1 W27H   *CENSUS* GROSS WEIGHT - AIR             EEE  00001197     ORC-26119
E0 LINITM 000001 REF ID: 001
E0 TARIFF 000001 REF ID: 9031808085
E1 W27D   *CENSUS* OR-HI VAL/QTY (1)              EEE  00001197     ORC-26119
E1AW995   SUMMARY HAS BEEN ADDED                  EEE  0000119700100ORC-26119";
    assert_eq!(answer[2..answer.len() - 2].join("\n"), expected);
}

#[test]
fn overrides_in_the_line_leave_no_warning() {
    let mut rows = improbable(&[]);
    let totals = rows.iter().position(|row| row.starts_with(b"89")).unwrap();
    rows.insert(totals, columns("CW02     27H2227D04"));
    let mut host = host();
    assert_eq!(codes(&answer(&mut host, &batch(&[rows]))), [["995"]]);
    assert_eq!(
        ask(&mut host, "CJ", &[OF_ENTRY]),
        ["CJ22720080326EEE  00001197                    007NO UNRSLVED WARNINGS FOUND FOR"]
    );
}

#[test]
fn an_override_resolves_a_warning_until_the_summary_is_filed_again() {
    let mut host = warned();
    assert_eq!(ask(&mut host, "CJ", &[OF_ENTRY]), BOTH);
    assert_eq!(
        ask(&mut host, "CW", &["CW01EEE  00001197", "CW02  00127D04"]),
        ["CW03EEE  00001197  00127D04C01CENSUS WARN OVERRIDE ACCPTD"]
    );
    assert_eq!(ask(&mut host, "CJ", &[OF_ENTRY]), BOTH[..1]);
    assert_eq!(
        ask(&mut host, "CW", &["CW01EEE  00001197", "CW02  00127H20"]),
        ["CW03EEE  00001197  00127H20C01CENSUS WARN OVERRIDE ACCPTD"]
    );
    let none = "CJ22720080326EEE  00001197                    007NO UNRSLVED WARNINGS FOUND FOR";
    assert_eq!(ask(&mut host, "CJ", &[OF_ENTRY]), [none]);
    assert_eq!(dispositions(&answer(&mut host, &batch(&[improbable(&[])]))), ["996"]);
    assert_eq!(ask(&mut host, "CJ", &[OF_ENTRY]), BOTH);
    assert_eq!(dispositions(&answer(&mut host, &batch(&[summary(&[])]))), ["996"]);
    assert_eq!(ask(&mut host, "CJ", &[OF_ENTRY]), [none]);
    assert_eq!(dispositions(&answer(&mut host, &batch(&[improbable(&[])]))), ["996"]);
    assert_eq!(dispositions(&answer(&mut host, &batch(&[delete(&[])]))), ["997"]);
    let gone = "CJ20000      EEE  00001197                    006ENTRY SUMMARY NOT FOUND FOR QU";
    assert_eq!(ask(&mut host, "CJ", &[OF_ENTRY]), [gone]);
}

/// Each condition of an override; several overrides are answered in their order.
#[test]
fn overrides_that_are_not_accepted() {
    let filed = |number: &str, state: &str| {
        format!(
            "[[entry_summary]]\nfiler = \"EEE\"\nentry_number = \"{number}\"\nport = \"2720\"\nentry_type = \"01\"\n\
             importer = \"07-4417702\"\nstate = \"{state}\"\n"
        )
    };
    let more = filed("00000132", "rejected") + &filed("00000140", "cancelled");
    let mut host = host_in(world(&more), SqliteStore::in_memory().unwrap());
    answer(&mut host, &batch(&[improbable(&[])]));
    for (entry, line, expected) in [
        ("EEE  99999998", "00127D04", "C02ENTRY SUMMARY NOT FOUND"),
        ("EEE  00000132", "00127D04", "C04ENTRY NOT IN ACCEPTED STATUS"),
        ("EEE  00000140", "00127D04", "C04ENTRY NOT IN ACCEPTED STATUS"),
        ("EEE  00001197", "00227D04", "C05ENTRY SUMMARY LINE DOES NOT EXIST"),
        ("EEE  00001197", "00199904", "484CENSUS WARNING COND CD UNKNOWN"),
        ("EEE  00001197", "00127F04", "485CENSUS WARNING COND NOT FOUND FOR OVRD"),
        ("EEE  00001197", "00127D99", "486CENSUS WARNING COND OVRD CD UNKNOWN"),
        ("EEE  00001197", "00127D01", "487CENSUS OVRD CD NOT ALLOWED FOR CONDITION"),
    ] {
        let found = ask(&mut host, "CW", &[&format!("CW01{entry}"), &format!("CW02  {line}")]);
        let code = &expected[..3];
        let narrative = &expected[3..].get(..40).unwrap_or(&expected[3..]);
        assert_eq!(found, [format!("CW03{entry}  {line}{code}{}", narrative.trim_end())]);
    }
    let several =
        ["CW01EEE  00001197", "CW02  00127D0427D05", "CW02  00127H22", "CW01EEE  99999998", "CW02  00127D04"];
    assert_eq!(
        ask(&mut host, "CW", &several),
        [
            "CW03EEE  00001197  00127D04C01CENSUS WARN OVERRIDE ACCPTD",
            "CW03EEE  00001197  00127D05488DUPLICATE CENSUS WARNING CD ENCOUNTERED",
            "CW03EEE  00001197  00127H22C01CENSUS WARN OVERRIDE ACCPTD",
            "CW03EEE  99999998  00127D04C02ENTRY SUMMARY NOT FOUND",
        ]
    );
}

/// What other records have in the columns of the line item identifier is no line.
#[test]
fn an_override_of_a_line_that_is_not_there_is_answered_c05_whatever_other_records_hold() {
    let mut host = warned();
    let rows = improbable(&[]);
    let others = rows.iter().filter(|row| !row.starts_with(b"40"));
    let lines = others.map(|row| String::from_utf8(row[4..7].to_vec()).unwrap());
    let lines = lines.filter(|line| !line.contains(' ')).collect::<Vec<_>>();
    assert!(lines.len() > 3);
    for line in lines {
        let found = ask(&mut host, "CW", &["CW01EEE  00001197", &format!("CW02  {line}27D04")]);
        let expected = format!("CW03EEE  00001197  {line}27D04C05ENTRY SUMMARY LINE DOES NOT EXIST");
        assert_eq!(found, [expected]);
    }
}

/// Another filer's summary is found by no query, and an override of it is refused.
#[test]
fn summaries_of_others_are_theirs() {
    let more = "[[entry_summary]]\nfiler = \"CU1\"\nentry_number = \"00001197\"\nport = \"2704\"\nentry_type = \"01\"\n\
                importer = \"07-4417702\"\n";
    let mut host = host_in(world(more), SqliteStore::in_memory().unwrap());
    assert_eq!(
        ask(&mut host, "CW", &["CW01CU1  00001197", "CW02  00127D04"]),
        ["CW03CU1  00001197  00127D04C03OVERRIDE NOT PERMITTED FOR ENTRY NUMBER"]
    );
    assert_eq!(
        ask(&mut host, "CJ", &["CJ1                CU1  00001197", "CJ12704            CU1"]),
        [
            "CJ20000      CU1  00001197                    006ENTRY SUMMARY NOT FOUND FOR QU",
            "CJ22704      CU1                              016QUERY COMPLETE - NO SUMMARIES",
        ]
    );
}

#[test]
fn queries_by_port_and_dates() {
    let mut host = warned();
    let other = improbable(&[("entry_number", "00001270"), ("broker_reference_number", "ORC-26127")]);
    assert_eq!(dispositions(&answer(&mut host, &batch(&[other]))), ["995"]);
    let second = BOTH.map(|line| line.replace("00001197", "00001270"));
    let all = [&second[..], &BOTH.map(str::to_owned)].concat();
    for criteria in ["2720            ", "    080326080326", "    070426080326", "2720080326090326"] {
        assert_eq!(ask(&mut host, "CJ", &[&format!("CJ1{criteria}EEE")]), all, "{criteria}");
    }
    for (criteria, port) in
        [("2704            ", "2704"), ("    080426080526", "0000"), ("2720070326080226", "2720")]
    {
        let none =
            format!("CJ2{port}      EEE                              016QUERY COMPLETE - NO SUMMARIES");
        assert_eq!(ask(&mut host, "CJ", &[&format!("CJ1{criteria}EEE")]), [none], "{criteria}");
    }
    let by_number = ask(&mut host, "CJ", &["CJ1                EEE  00001270  00009042  00001197"]);
    assert_eq!(by_number[..2], second);
    assert_eq!(
        by_number[2],
        "CJ20000      EEE  00009042                    006ENTRY SUMMARY NOT FOUND FOR QU"
    );
    assert_eq!(by_number[3..], BOTH);
}

/// Each condition of a query's criteria.
#[test]
fn queries_that_cannot_be_answered() {
    let mut host = warned();
    for (criteria, expected) in [
        ("2720               ", "003ENTRY FILER CODE MISSING"),
        ("                EEE", "004ENTRY NUMBER MISSING"),
        ("                EEE            00001197", "004ENTRY NUMBER MISSING"),
        ("          080326EEE", "009REQUESTED FROM DATE MISSING"),
        ("    083226080326EEE", "010REQUESTED FROM DATE UNKNOWN"),
        ("    080326      EEE", "011REQUESTED TO DATE MISSING"),
        ("    080326083226EEE", "012REQUESTED TO DATE UNKNOWN"),
        ("    080326080226EEE", "013REQUESTED TO DATE < REQUESTED"),
        ("    070226080326EEE", "014DATE RANGE EXCEEDS QUERY LIMIT"),
        ("2799            EEE", "015ENTRY DISTRICT/PORT UNKNOWN"),
    ] {
        let port = Some(&criteria[..4]).filter(|port| !port.trim().is_empty()).unwrap_or("0000");
        let filer = &criteria[16..19];
        let row = format!("CJ2{port}      {filer}                              {expected}");
        assert_eq!(ask(&mut host, "CJ", &[&format!("CJ1{criteria}")]), [row], "{criteria}");
    }
}

#[test]
fn faults_of_structure_are_answered_by_the_application() {
    let mut host = host();
    assert_eq!(
        ask(&mut host, "CJ", &["CJ9"]),
        ["CJ20000                                       A01CW QUERY REQUEST MISSING"]
    );
    assert_eq!(
        ask(&mut host, "CJ", &[OF_ENTRY, "CJ9"]),
        ["CJ20000                                       A01CW QUERY REQUEST MISSING"]
    );
}

/// One block a batch (X41), and the filer must be set up for the application (X20).
#[test]
fn queries_stand_in_one_block() {
    let frame = sample("good/01-air-one-line");
    let mut rows = vec![frame[0]];
    for _ in 0..2 {
        rows.extend([frame[1], columns(OF_ENTRY), frame[frame.len() - 2]]);
    }
    rows.push(frame[frame.len() - 1]);
    for row in &mut rows {
        match row[0] {
            b'A' => row[25..27].copy_from_slice(b"CJ"),
            b'B' | b'Y' => row[10..12].copy_from_slice(b"CJ"),
            _ => {}
        }
    }
    let answer = answer(&mut host(), &RawBatch::from_rows(rows));
    assert!(answer.iter().any(|line| line.starts_with("X1 FX41")), "{answer:#?}");
}
