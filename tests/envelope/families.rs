//! The e-Manifest family, lower case, and what comes back unchanged.

use abigate::envelope::BlockAnswer;
use abigate::wire::Columns;

use crate::support::{CODEC, Profiles, conditions, profiles, put, read, record, records, text, texts};

fn in_bond(application: &str) -> Vec<Columns> {
    let mut rows = records(&[
        "A1234N01PASSWD040108                                       0123456789ABCDEFGHIJK",
        "B  1201N01QP                                               BLOCK-AAAAAA-TEXT-001",
        "QP01 ONE",
        "QP01 TWO",
        "Y  1201N01QP00002",
        "Z1234N01PASSWD040108",
    ]);
    put(&mut rows[0], 26, application);
    rows
}

#[test]
fn e_manifest_may_leave_the_application_out() {
    for application in ["  ", "QP"] {
        let reading = read(in_bond(application), &profiles());
        assert!(reading.is_accepted(), "{reading:?}");
        assert_eq!(reading.application, "QP");
        assert_eq!(
            texts(&CODEC.response(&reading, &[records(&["QT01"]).into()]).unwrap()),
            [
                "A1234N01PASSWD040108                                                 ABCDEFGHIJK",
                "B  1201N01QT                                               BLOCK-AAAAAA-TEXT-001",
                "QT01",
                "Y  1201N01QT00001",
                "Z1234N01PASSWD040108",
            ]
        );
    }
}

#[test]
fn e_manifest_control_records_are_checked() {
    let cases: [(&str, usize, usize, &str); 6] = [
        ("X14", 5, 9, "SECRET"),
        ("X32@1", 4, 13, "00003"),
        ("X32@1", 4, 13, "     "),
        ("X39@1", 4, 18, "1"),
        ("X39", 5, 21, "1"),
        ("X09", 0, 2, "1235"),
    ];
    for (expected, row, column, value) in cases {
        let mut rows = in_bond("  ");
        put(&mut rows[row], column, value);
        if expected == "X09" {
            put(&mut rows[5], column, value);
        }
        assert_eq!(conditions(&read(rows, &profiles())), [expected], "{row} {column}");
    }
}

#[test]
fn e_manifest_refusal_returns_no_application() {
    let mut rows = in_bond("QP");
    put(&mut rows[2], 1, "QPXX");
    let answer = CODEC.rejection(&read(rows, &profiles())).unwrap();
    assert_eq!(
        text(&answer[0]),
        "A1234N01PASSWD040108                                                 ABCDEFGHIJK"
    );
}

#[test]
fn blocks_of_an_e_manifest_batch_agree() {
    let mut rows = in_bond("  ");
    rows.splice(5..5, records(&["B  1201N01AE", "10", "Y  1201N01AE"]));
    // The second block's Y-record has no count, which this family requires.
    assert_eq!(conditions(&read(rows, &profiles())), ["X19@2", "X32@2"]);
}

#[test]
fn lower_case_is_read_as_upper_case_and_user_data_comes_back_unchanged() {
    let reading = read(
        records(&[
            "a1234n01passwd040108     ae                                batch-Aaaaaa-text-001",
            "b  1201n01ae                                               block-Aaaaaa-text-001",
            "10a",
            "90",
            "y  1201n01ae",
            "z1234n01      040108",
        ]),
        &profiles(),
    );
    assert!(reading.conditions.is_empty(), "{reading:?}");
    assert_eq!(text(&reading.blocks[0].transactions[0].rows()[0]), "10A");
    let answer = CODEC.response(&reading, &[records(&["E1"]).into()]).unwrap();
    assert_eq!(
        texts(&answer),
        [
            "A1234N01      040108     AX                                batch-Aaaaaa-text-001",
            "B  1201N01AX                                               block-Aaaaaa-text-001",
            "E1",
            "Y  1201N01AX00001",
            "Z1234N01      040108",
        ]
    );
}

#[test]
fn preparer_and_offices_come_back() {
    let mut profiles = profiles();
    profiles.senders.iter_mut().for_each(|(sender, _)| sender.office = "S1".to_owned());
    for profile in &mut profiles.parties {
        profile.senders.iter_mut().for_each(|sender| sender.office = "S1".to_owned());
        if profile.party.port == "1232" {
            profile.party.office = "R1".to_owned();
        }
    }
    let header = "B  1202N01AE                                P11232N01R11";
    let reading = read(
        records(&[
            "A1234N01PASSWD           AE          S1",
            header,
            "10",
            "Y  1202N01AE                                P1",
            "Z1234N01                             S1",
        ]),
        &profiles,
    );
    assert!(reading.is_accepted(), "{:?}", conditions(&reading));
    assert_eq!(reading.blocks[0].preparer.as_ref().unwrap().office, "R1");
    let answer = CODEC.response(&reading, &[records(&["E1"]).into()]).unwrap();
    assert_eq!(text(&answer[1]), header.replace("AE", "AX"));
    assert_eq!(text(&answer[3]), "Y  1202N01AX00001                           P1");
    assert_eq!(text(&answer[4]), "Z1234N01                             S1");
}

/// A block that has nothing to say, as those behind the fault of a refused batch, is left out.
#[test]
fn blocks_without_answer_are_left_out() {
    let rows = records(&[
        "A1234N01PASSWD040108     AE",
        "B  1201N01AE",
        "10",
        "Y  1201N01AE",
        "B  1202N01AE",
        "11",
        "Y  1202N01AE",
        "Z1234N01      040108",
    ]);
    let reading = read(rows, &profiles());
    assert_eq!(reading.structure_fault.as_ref().unwrap().block, 2);
    let answer = CODEC.response(&reading, &[vec![].into(), records(&["E1 F", "E1RF"]).into()]).unwrap();
    assert_eq!(texts(&answer)[1..5], ["B  1202N01AX", "E1 F", "E1RF", "Y  1202N01AX00002"]);
}

/// The count of a Y-record has five digits: 25,000 refused deletions are answered by 100,000 records.
#[test]
fn an_answer_longer_than_a_block_can_count_is_divided_between_transactions() {
    let rows = records(&[
        "A1234N01PASSWD040108     AE",
        "B  1201N01AE",
        "10",
        "Y  1201N01AE",
        "Z1234N01      040108",
    ]);
    let reading = read(rows, &profiles());
    let mut block = BlockAnswer::default();
    for _ in 0..50_001 {
        block.records.extend(records(&["E0", "E1", "E1", "E1RF"]));
        block.end_transaction();
    }
    let answer = CODEC.response(&reading, &[block]).unwrap();
    let rows = texts(&answer);
    let trailers = rows.iter().filter(|row| row.starts_with('Y')).collect::<Vec<_>>();
    assert_eq!(trailers, ["Y  1201N01AX99996", "Y  1201N01AX99996", "Y  1201N01AX00012"]);
    let behind = |first: &str| rows.iter().skip_while(|row| *row != first).nth(1).cloned();
    assert_eq!(behind("B  1201N01AX"), Some("E0".to_owned()));
    assert!(rows.windows(2).all(|pair| !pair[0].starts_with('B') || pair[1] == "E0"));
    // one transaction alone that is too long
    let long = BlockAnswer::from(vec![record("E1"); 100_000]);
    let answer = CODEC.response(&reading, &[long]).unwrap();
    let counts = texts(&answer).into_iter().filter(|row| row.starts_with('Y')).collect::<Vec<_>>();
    assert_eq!(counts, ["Y  1201N01AX99999", "Y  1201N01AX00001"]);
}

#[test]
fn a_batch_without_header_gets_an_answer() {
    let answer = CODEC.rejection(&read(vec![record("HELLO")], &Profiles::default())).unwrap();
    let codes = answer.iter().filter(|row| row.starts_with(b"X1")).map(|row| text(row)[4..7].to_owned());
    assert_eq!(codes.collect::<Vec<_>>(), ["X01", "X03", "X06", "999"]);
    assert_eq!(text(&answer[0]), "A");
}

/// What cannot be printed does not come back, so that the answer can be read as records.
#[test]
fn control_characters_do_not_come_back() {
    let mut rows = in_bond("QP");
    rows[0][75] = b'\n';
    rows[0][76] = b'\0';
    let answer = CODEC.rejection(&read(rows, &profiles())).unwrap();
    assert!(answer.iter().flatten().all(|byte| byte.is_ascii_graphic() || *byte == b' '));
}

/// The password is in no `Debug` output, whatever happens to the batch.
#[test]
fn the_password_is_not_shown() {
    for application in ["AE", "QP", "??"] {
        let mut rows = in_bond("  ");
        put(&mut rows[0], 26, application);
        let batch = abigate::envelope::RawBatch::from_rows(rows.clone());
        assert!(!format!("{batch:?} {:?}", read(rows, &profiles())).contains("PASSWD"));
    }
}

/// A refusal counts its records in five digits; what would not fit is left out.
#[test]
fn a_refusal_is_never_longer_than_can_be_counted() {
    let mut rows = records(&["A1234N01PASSWD040108     AE"]);
    for _ in 0..50_000 {
        rows.extend(records(&["B  1201N01AE", "Y  1201N01AE"]));
    }
    rows.push(record("Z1234N01      040108"));
    let reading = read(rows, &profiles());
    assert_eq!(reading.conditions.len(), 50_000);
    let answer = CODEC.rejection(&reading).unwrap();
    let [.., last, trailer, _] = answer.as_slice() else { panic!("{}", answer.len()) };
    assert_eq!((&last[..7], &trailer[12..17]), (&b"X1RF999"[..], &b"99999"[..]));
    assert_eq!(answer.len(), 99_999 + 4);
}
