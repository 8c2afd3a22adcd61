//! Flat files of any layout, EBCDIC and comma separated values: both ways, and what is wrong in them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use abigate::flat::{Event, FlatLayout, FlatProblem, FlatWriter, Translator, read_flat};
use abigate::grammar::{Grammar, Source};
use abigate::message::{Outline, Part};
use abigate::wire::{Columns, Encoding, records};
use proptest::prelude::*;

#[path = "legacy/faults.rs"]
mod faults;

const BROKER: &str = "samples/legacy/broker.grammar";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(root().join("samples").join(name)).unwrap()
}

fn abigate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_abigate")).args(arguments).current_dir(root()).output().unwrap()
}

fn told(output: &Output) -> Vec<String> {
    String::from_utf8(output.stderr.clone()).unwrap().lines().map(str::to_owned).collect()
}

fn layout(text: &str) -> FlatLayout {
    let source = Source { name: "test.grammar".to_owned(), text: text.to_owned() };
    FlatLayout::load(&source, Grammar::builtin()).unwrap_or_else(|error| panic!("{error}"))
}

fn broker() -> String {
    String::from_utf8(sample("legacy/broker.grammar")).unwrap()
}

fn rows_of(stream: &[u8]) -> Vec<Columns> {
    records(stream).map(|record| record.columns).collect()
}

fn text(rows: &[Columns]) -> String {
    rows.iter().map(|row| String::from_utf8_lossy(row).into_owned() + "\n").collect()
}

/// What becomes of a file: records, problems, what is rejected.
#[derive(Debug, Default)]
struct Outcome {
    rows: Vec<Columns>,
    bytes: Vec<u8>,
    problems: Vec<FlatProblem>,
    rejected: Vec<u8>,
}

impl Outcome {
    fn take(&mut self, event: Event) {
        match event {
            Event::Record(row) => self.rows.push(row),
            Event::Rows(bytes) => self.bytes.extend(bytes),
            Event::Problem(problem) => self.problems.push(problem),
            Event::Rejected(bytes) => self.rejected.extend(bytes),
        }
    }

    fn said(&self) -> Vec<String> {
        self.problems.iter().map(FlatProblem::to_string).collect()
    }
}

fn try_read(layout: &FlatLayout, bytes: &[u8]) -> Result<Outcome, String> {
    let translator = Translator::new(Grammar::builtin()).unwrap();
    let mut outcome = Outcome::default();
    let read = read_flat(layout, &translator, bytes, &mut |event| {
        outcome.take(event);
        Ok(())
    });
    read.map(|()| outcome).map_err(|error| error.to_string())
}

fn read(layout: &FlatLayout, bytes: &[u8]) -> Outcome {
    try_read(layout, bytes).unwrap()
}

fn write(layout: &FlatLayout, rows: &[Columns]) -> Outcome {
    write_with(layout, rows, |writer| writer)
}

fn write_with(
    layout: &FlatLayout,
    rows: &[Columns],
    setting: fn(FlatWriter<'_>) -> FlatWriter<'_>,
) -> Outcome {
    let translator = Translator::new(Grammar::builtin()).unwrap();
    let mut writer = setting(FlatWriter::new(layout, &translator));
    let mut outline = Outline::new(Grammar::builtin());
    let mut outcome = Outcome::default();
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut events = Vec::new();
    rows.iter().for_each(|row| outline.push(row, &mut parts));
    outline.finish(&mut parts);
    writer.parts(&parts, &mut events);
    events.into_iter().for_each(|event| outcome.take(event));
    outcome
}

#[test]
fn the_samples_are_converted_both_ways_byte_for_byte() {
    let to_flat = ["--to", "flat", "--layout", BROKER];
    let vessel = "samples/entry_summary/good/01-vessel-three-lines.abi";
    let catair = ["--to", "catair"];
    for (from, to, arguments) in [
        ("samples/legacy/ae-batch.cp037", vessel, &catair[..]),
        (vessel, "samples/legacy/ae-batch.cp037", &["--to", "catair", "--to-encoding", "cp037"]),
        ("samples/legacy/broker.dat", "samples/legacy/broker.abi", &["--to", "catair", "--grammar", BROKER]),
        ("samples/legacy/broker.abi", "samples/legacy/broker.dat", &to_flat),
        ("samples/legacy/entries.csv", "samples/legacy/entries.abi", &catair),
        ("samples/legacy/entries.abi", "samples/legacy/entries.csv", &["--to", "csv"]),
    ] {
        let output = abigate(&[&["convert", from][..], arguments].concat());
        assert_eq!(told(&output), [""; 0], "{from}");
        assert_eq!(output.status.code(), Some(0), "{from}");
        assert!(output.stdout == std::fs::read(root().join(to)).unwrap(), "{from} is not {to}");
    }
}

#[test]
fn every_format_leads_to_every_other() {
    let folder = tempfile::tempdir().unwrap();
    let expected = sample("legacy/broker.abi");
    let step = |from: &Path, from_format: &str, to_format: &str| -> PathBuf {
        let to = folder.path().join(format!("{from_format}-{to_format}"));
        let (from, out) = (from.to_str().unwrap(), to.to_str().unwrap());
        let (with, layout) =
            if [from_format, to_format].contains(&"flat") { ("--layout", BROKER) } else { ("-o", out) };
        let arguments =
            ["convert", from, "--from", from_format, "--to", to_format, with, layout, "--output", out];
        let arguments = if with == "-o" { &arguments[..8] } else { &arguments[..] };
        let output = abigate(arguments);
        assert_eq!((told(&output), output.status.code()), (vec![], Some(0)), "{from_format} to {to_format}");
        to
    };
    let dat = root().join("samples/legacy/broker.dat");
    for (format, other) in [("records", "csv"), ("ndjson", "records"), ("model", "flat"), ("csv", "ndjson")] {
        let there = step(&step(&dat, "flat", format), format, other);
        let catair = step(&there, other, "catair");
        assert!(std::fs::read(&catair).unwrap() == expected, "{format}, {other}");
    }
    let lines = step(&dat, "flat", "model-ndjson");
    assert!(std::fs::read(step(&lines, "model-ndjson", "flat")).unwrap() == sample("legacy/broker.dat"));
}

#[test]
fn the_broker_s_batches_and_the_table_s_are_accepted() {
    for (file, count) in [("samples/legacy/broker.abi", 2), ("samples/legacy/entries.abi", 3)] {
        let output = abigate(&["answer", file]);
        let answer = String::from_utf8(output.stdout).unwrap();
        assert_eq!(answer.matches("SUMMARY HAS BEEN ADDED").count(), count, "{answer}");
        assert_eq!(output.status.code(), Some(0));
    }
}

fn good_samples() -> Vec<PathBuf> {
    let folder = root().join("samples/entry_summary/good");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| !file.to_str().unwrap().ends_with(".answer.abi"));
    files.sort();
    assert!(files.len() > 20);
    files
}

/// What has no column of its own stands in one of the columns for what is left.
#[test]
fn every_good_sample_comes_back_from_a_table() {
    let layout = FlatLayout::entry_lines(Grammar::builtin()).unwrap();
    for file in good_samples() {
        let rows = rows_of(&std::fs::read(&file).unwrap());
        let table = write(&layout, &rows);
        assert_eq!((table.said(), table.rejected.len()), (vec![], 0), "{}", file.display());
        let back = read(&layout, &table.bytes);
        assert_eq!(back.said(), [""; 0], "{}", file.display());
        assert_eq!(text(&back.rows), text(&rows), "{}", file.display());
        // Rows that go on may leave out what the first one said.
        assert!(table.bytes.starts_with(b"batch,block,summary,"));
    }
}

/// A layout of one broker's own does not carry everything: it takes an entry summary whole or names why
/// not.
#[test]
fn what_a_layout_cannot_carry_is_named_and_kept() {
    let layout = layout(&broker());
    let mut carried = 0;
    for file in good_samples() {
        let rows = rows_of(&std::fs::read(&file).unwrap());
        let written = write(&layout, &rows);
        let back = read(&layout, &written.bytes);
        assert_eq!(back.said(), [""; 0], "{}", file.display());
        let rejected = rows_of(&written.rejected);
        assert_eq!(written.problems.is_empty(), rejected.is_empty(), "{:?}", written.said());
        for row in rows.iter().filter(|row| row[0].is_ascii_digit()) {
            assert!(back.rows.contains(row) || rejected.contains(row), "{}", file.display());
        }
        carried += usize::from(back.rows == rows);
    }
    assert!((1..good_samples().len()).contains(&carried));
}

#[test]
fn good_rows_go_on_and_bad_ones_to_the_side_file() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("good.abi"), folder.path().join("bad.dat"));
    let output = abigate(&[
        "convert",
        "samples/legacy/broker-bad.dat",
        "--layout",
        BROKER,
        "--to",
        "catair",
        "-o",
        good.to_str().unwrap(),
        "--rejects",
        bad.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let said = told(&output);
    assert_eq!(said.len(), 4, "{said:?}");
    let batch = std::fs::read_to_string(&good).unwrap();
    assert_eq!(batch.matches("\n10A").count(), 1);
    assert!(batch.contains("ORC-26119") && batch.lines().last().unwrap().starts_with('Z'));
    // All but the entry that is right: the header once, 8 rows, 4, 5 and the trailer.
    let file = sample("legacy/broker-bad.dat");
    let row = |number: usize| &file[(number - 1) * 200..number * 200];
    let expected = [1].into_iter().chain(2..=9).chain(14..=23).map(row).collect::<Vec<_>>().concat();
    assert!(std::fs::read(&bad).unwrap() == expected);
}

/// The rejects of a table are a table: put right, they are converted.
#[test]
fn rejected_rows_can_be_put_right() {
    let layout = FlatLayout::entry_lines(Grammar::builtin()).unwrap();
    let table = String::from_utf8(sample("legacy/entries.csv")).unwrap();
    let outcome = read(&layout, table.replace(",1331.00,", ",\"1,331.00\",").as_bytes());
    assert_eq!(
        outcome.said(),
        ["row 3 (item), column 82 (tariff_1_duty): found \"1,331.00\", expected digits, 2 of them decimals"]
    );
    let rejected = String::from_utf8(outcome.rejected).unwrap();
    assert_eq!(rejected.lines().count(), 4);
    let again = read(&layout, rejected.replace("\"1,331.00\"", "1331.00").as_bytes());
    assert_eq!(again.said(), [""; 0]);
    let all = [&outcome.rows[..], &again.rows[..]].concat();
    for row in rows_of(&sample("legacy/entries.abi")) {
        assert!(all.contains(&row), "{}", String::from_utf8_lossy(&row));
    }
}

#[test]
fn tables_need_not_be_whole_or_in_order() {
    let layout = FlatLayout::entry_lines(Grammar::builtin()).unwrap();
    let table = "\u{feff}entry_number,filer_code,line,country_of_origin,tariff_1,tariff_1_value,tariff_1_duty,action,port_of_entry,sender_site,sender_id,transmission_date,port,filer\n\
        00001015,EEE,001,VN,3924104000,12480,424.32,add,2704,2704,EEE,2026-08-03,2704,EEE\n\
        ,,002,VN,8715000020,30250,1331,,,,,,,\n\
        00001197,EEE,001,DE,9031808085,18400,312.8,add,2720,,,,,\n";
    let outcome = read(&layout, table.as_bytes());
    assert_eq!(outcome.said(), [""; 0]);
    let ids: String = outcome.rows.iter().map(|row| String::from_utf8_lossy(&row[..2]) + " ").collect();
    assert_eq!(ids, "A2 B  10 40 50 40 50 10 40 50 Y  Z2 ");
}

#[test]
fn what_is_wrong_in_a_table_is_named() {
    let layout = FlatLayout::entry_lines(Grammar::builtin()).unwrap();
    let header = "action,filer_code,entry_number,port_of_entry,importer_of_record,line,country_of_origin,summary_more\n";
    for (row, expected) in [
        (
            "add,EEE,00001015,LAX,,001,VN,",
            "row 2 (item), column 4 (port_of_entry): found \"LAX\", expected a port code of four digits",
        ),
        (
            "gone,EEE,00001015,2704,,001,VN,",
            "row 2 (item), column 1 (action): found \"gone\", expected one of `add`, `replace`, `delete`",
        ),
        (
            "add,EEE,00001015,2704,28-314,001,VN,",
            "row 2 (item), column 5 (importer_of_record): found \"**-***\", expected a number",
        ),
        (
            "add,EEE,00001015,2704,,001,VN,,more",
            "row 2 (item): found \"****\" in column 9, expected no more than the 8 columns of the header",
        ),
        (
            "add,EEE,00001015,2704,,001,VN,{",
            "row 2 (item), column 8 (summary_more): found \"{\", expected a JSON object",
        ),
        ("add,EEE,00001015,2704,,001,VN,\"{\"\"action\"\":\"\"add\"\"}\"", "expected what no column has"),
        ("add,EEE,,2704,,001,VN,", "row 2 (item), column 3 (entry_number): found nothing, expected a value"),
        ("add,EEE,00001015,2704,,001,É,", "column 7 (country_of_origin)"),
    ] {
        let outcome = read(&layout, format!("{header}{row}\n").as_bytes());
        let said = outcome.said();
        assert!(said.len() == 1 && said[0].contains(expected), "{row}: {said:?}");
        assert_eq!(outcome.rows.len(), 0);
        assert!(outcome.rejected.starts_with(b"action,"), "{row}");
    }
    for (table, expected) in [
        ("action,colour\n", "header: found column 2 with the name \"colour\", expected"),
        ("action,action\n", "header: found column \"action\" twice"),
    ] {
        assert!(try_read(&layout, table.as_bytes()).unwrap_err().contains(expected), "{table}");
    }
    let endless = format!("{header}add,\"{}", "x".repeat(4 << 20));
    assert!(try_read(&layout, endless.as_bytes()).unwrap_err().contains("is a quote not closed?"));
}

#[test]
fn an_amount_that_does_not_fit_is_not_cut() {
    let narrow = broker().replace("29-35    duty                 N   M  packed decimals 2\n  36-47", "29-31    duty                 N   M  packed decimals 2\n  32-35    filler               S   M\n  36-47");
    let outcome = write(&layout(&narrow), &rows_of(&sample("legacy/broker.abi")));
    assert_eq!(
        outcome.said(),
        [
            "row 3 (tariff), columns 29-31 (duty): found \"1331.00\", expected at most 5 packed digits, 2 of them decimals"
        ]
    );
    assert_eq!(outcome.bytes.len(), 200 * 6);
    assert_eq!(rows_of(&outcome.rejected).len(), 30);
}

#[test]
fn ebcdic_is_checked_as_ascii_is() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["good/01-wine-deferred-tax", "bad/B18-entry-type-unknown", "bad/X40-not-displayable"] {
        let file = root().join("samples/entry_summary").join(name).with_extension("abi");
        let rows = rows_of(&std::fs::read(&file).unwrap());
        let (ascii, ebcdic) = (folder.path().join("ascii"), folder.path().join("ebcdic"));
        let mut stream = rows.concat();
        std::fs::write(&ascii, &stream).unwrap();
        Encoding::Ebcdic1047.encode(&mut stream);
        std::fs::write(&ebcdic, &stream).unwrap();
        let named = abigate(&["check", "--format", "json", "--encoding", "cp1047", ebcdic.to_str().unwrap()]);
        let expected = abigate(&["check", "--format", "json", ascii.to_str().unwrap()]);
        let findings = String::from_utf8(named.stdout).unwrap().replace("/ebcdic", "/ascii");
        assert_eq!(findings, String::from_utf8(expected.stdout).unwrap(), "{}", file.display());
        assert_eq!(named.status.code(), expected.status.code());
    }
}

#[test]
fn what_ascii_has_not_is_an_error_and_not_a_question_mark() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("batch");
    let (out, bad) = (folder.path().join("out"), folder.path().join("bad"));
    let mut stream = sample("legacy/ae-batch.cp037");
    // é, in the 11th record.
    stream[10 * 80 + 2] = 0x51;
    std::fs::write(&file, &stream).unwrap();
    let path = file.to_str().unwrap();
    let output = abigate(&[
        "convert",
        path,
        "--to",
        "catair",
        "-o",
        out.to_str().unwrap(),
        "--rejects",
        bad.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let said = told(&output);
    assert!(
        said.len() == 1 && said[0].ends_with("row 11, column 3: found \"é\", expected a character of ASCII"),
        "{said:?}"
    );
    assert_eq!(std::fs::read(&out).unwrap().len(), 81 * (stream.len() / 80 - 1));
    assert_eq!(std::fs::read(&bad).unwrap().len(), 81);
    // In EBCDIC it can stay.
    let same =
        abigate(&["convert", path, "--to", "catair", "--encoding", "cp1047", "--to-encoding", "cp1047"]);
    assert!(same.stdout == stream);
    // Which character this is depends on the code page.
    stream[10 * 80 + 2] = 0xba;
    std::fs::write(&file, &stream).unwrap();
    let unsure = abigate(&["check", path]);
    assert_eq!(unsure.status.code(), Some(2));
    assert!(told(&unsure)[0].contains("say --encoding cp037 or cp1047"), "{:?}", told(&unsure));
    assert_eq!(abigate(&["check", "--encoding", "cp037", path]).status.code(), Some(0));
    assert_eq!(abigate(&["check", "--encoding", "cp1047", path]).status.code(), Some(1));
}

#[test]
fn passwords_can_be_left_out_of_tables() {
    let output = abigate(&["convert", "samples/legacy/broker.abi", "--to", "csv", "--mask-passwords"]);
    assert!(output.status.success() && !String::from_utf8(output.stdout).unwrap().contains("PASSWD"));
}

#[test]
fn what_makes_no_sense_together_is_refused() {
    for (arguments, expected) in [
        (&["--to", "flat"][..], "a flat file needs its layout"),
        (&["--to", "csv", "--to-encoding", "cp037"], "--to-encoding and --separator are for --to catair"),
        (&["--to", "catair", "--layout", BROKER, "--encoding", "cp037"], "--encoding is for records"),
    ] {
        let output = abigate(&[&["convert", "samples/legacy/broker.abi"][..], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(told(&output)[0].contains(expected), "{:?}", told(&output));
    }
}

/// The example of the page on flat files.
#[test]
fn the_first_layout_of_the_page_works() {
    let page = include_str!("../docs/flat-files.md");
    let blocks: Vec<&str> = page.split("```\n").collect();
    let data = blocks.iter().find(|block| block.starts_with("EEE")).unwrap();
    let own = layout(blocks.iter().find(|block| block.starts_with("flat ")).unwrap());
    let outcome = read(&own, data.as_bytes());
    assert_eq!(outcome.said(), [""; 0]);
    assert_eq!(outcome.rows.len(), 7);
    assert!(text(&outcome.rows).contains("503924104000 0000042432 0000012480 "), "{}", text(&outcome.rows));
    let again = write(&own, &outcome.rows);
    assert_eq!(String::from_utf8(again.bytes).unwrap(), *data);
}

#[test]
fn the_page_names_every_column_of_the_table() {
    let layout = FlatLayout::entry_lines(Grammar::builtin()).unwrap();
    let page = include_str!("../docs/flat-files.md");
    let (_, table) = page.split_once("| column | what it is |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap_or((table, ""));
    let named = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(named.collect::<Vec<_>>(), layout.columns().collect::<Vec<_>>());
}

const SMALL: &str = r#"
flat "Small" length 20 separator LF encoding ascii
row head first
  1-8   sent   N  M date CCYYMMDD
  9-20  filler S  M
row entry
  1-8   number N  M
  9-12  port   AN M
  13-20 tax    N  M zoned decimals 2
row tail last
  1-4   count  N  M decimals 0
  5-14  tax    N  M decimals 2
  15-20 filler S  M
mapping
  batch from head {
    transmission_date sent
    sender_receiver_site_code = "2704"
    application_identifier_code = "AE"
    with tail { count count of entry sum tax of entry.tax }
  }
  block { processing_filer_code = "EEE" application_identifier_code = "AE" }
  summary from entry {
    action = "add"
    header.filer_code = "EEE"
    header.entry_number number
    header.port_of_entry port
    grand_totals.tax tax
  }
end
"#;

/// Rows that nothing but their place tells.
#[test]
fn headers_and_trailers_are_told_by_their_place() {
    let layout = layout(SMALL);
    let file = "20260803\n00001015270400001000\n000011972704000000}\n00001197270400000 1{\n000312345\n000200001000\n".to_owned();
    let right = "20260803            \n0000101527040000100{\n0000119727040000005{\n00020000001050      \n";
    let outcome = read(&layout, right.as_bytes());
    assert_eq!(outcome.said(), [""; 0]);
    assert_eq!(outcome.rows.len(), 2 + 4 + 2);
    assert_eq!(String::from_utf8(write(&layout, &outcome.rows).bytes).unwrap(), right);
    // A trailer that counts something else is told; the entries have gone on.
    let wrong = read(&layout, right.replace("00020000001050", "00030000001051").as_bytes());
    assert_eq!(wrong.rows.len(), outcome.rows.len());
    assert_eq!(
        wrong.said(),
        [
            "row 4 (tail), columns 1-4 (count): found \"0003\", expected 2",
            "row 4 (tail), columns 5-14 (tax): found \"0000001051\", expected 10.50"
        ]
    );
    // Whatever else stands there, nothing stops.
    assert!(read(&layout, file.as_bytes()).problems.len() > 2);
}

#[test]
fn negative_amounts_and_long_lines_are_no_surprise() {
    let layout = layout(SMALL);
    let file = "20260803\n0000101527040000100}\n000010152704000100{ and more\n00010000001000\n";
    let outcome = read(&layout, file.as_bytes());
    let said = outcome.said();
    assert_eq!(said[0], "row 3: found 28 columns, expected 20");
    // The wire has no amounts below zero, and a row that cannot be told may be of the entry before it.
    assert_eq!(outcome.rows.len(), 0);
    assert!(outcome.rejected.starts_with(b"20260803\n0000101527040000100}\n000010152704000100{ and more\n"));
}

#[test]
fn an_entry_summary_without_end_is_let_go() {
    let layout = layout(
        &SMALL
            .replace(
                "grand_totals.tax tax\n",
                "grand_totals.tax tax\n each lines from more { identifier y }\n",
            )
            .replace("row tail last", "row more\n 1-2 kind A M = \"MO\" decides\n 3-20 y X O\nrow tail last")
            .replace(
                "row entry\n  1-8   number N  M",
                "row entry\n  1-8   number N  M in {00001015 00001197} decides",
            ),
    );
    let mut file = "20260803\n0000101527040000100{\n".to_owned();
    (0..100_100).for_each(|_| file.push_str("MO more\n"));
    file.push_str("0000119727040000005{\n00020000001050\n");
    let outcome = read(&layout, file.as_bytes());
    assert!(outcome.said().iter().any(|said| said.contains("more than 100000 rows")), "{:?}", outcome.said());
    assert_eq!(outcome.rows.len(), 6);
    assert_eq!(outcome.rejected.len(), "20260803\n0000101527040000100{\n".len() + 100_100 * 8);
}

#[test]
fn a_layout_that_cannot_be_is_refused_with_its_place() {
    let cases = [
        ("length 20", "length 0", "the length of a row is to be 1 to 32760"),
        ("length 20", "length 21", "row head ends at 20, expected 21"),
        ("separator LF", "separator NEL", "NEL separates rows in EBCDIC only"),
        ("encoding ascii", "encoding utf8", ":2:46: found utf8, expected ascii, cp037 or cp1047"),
        ("  9-12  port", "  9-13  port", ":9:3: tax begins at 13, expected 14"),
        ("port   AN M", "port   AN M decimals 2", ":8:3: port is of no numeric class"),
        ("date CCYYMMDD", "date CCYYMMXX", "expected a date's order"),
        ("date CCYYMMDD", "date CCYYDDD", "sent has 8 columns, a date as CCYYDDD"),
        ("header.port_of_entry port", "header.port_of_entry harbor", "row entry has no field harbor"),
        ("header.port_of_entry port\n", "\n", "the mapping does not speak of port in row entry"),
        ("from entry {", "from entries {", "there is no row entries"),
        ("summary from entry", "summary", "there is no row that could have fields"),
        ("block {", "blok {", "found blok, expected batch, block, summary or end"),
        ("sum tax of entry.tax", "sum tax of entry.port", "entry.port is no amount"),
        ("\nend", "\n", "summary or end"),
        ("row tail last", "row entry last", "row entry stands twice"),
        ("port   AN M", "port   AN M in {LONDON}", "\"LONDON\" does not fit port"),
        ("port   AN M", "port   AN M in @no_such", "there is no code list no_such"),
        ("grand_totals.tax tax", "grand_totals.tax[ tax", "grand_totals.tax[ is no path of the model"),
    ];
    for (old, new, expected) in cases {
        assert!(SMALL.contains(old), "{old}");
        let source = Source { name: "small.grammar".to_owned(), text: SMALL.replace(old, new) };
        let error = FlatLayout::load(&source, Grammar::builtin()).map(drop).unwrap_err().to_string();
        assert!(error.starts_with("small.grammar:") && error.contains(expected), "{old} → {new}: {error}");
    }
}

/// A file that nobody can read further ends the run, and its failure is the output's.
#[test]
fn an_output_that_fails_ends_the_run() {
    let translator = Translator::new(Grammar::builtin()).unwrap();
    let failed =
        read_flat(&layout(&broker()), &translator, sample("legacy/broker.dat").as_slice(), &mut |_| {
            Err(io::Error::other("full"))
        });
    assert_eq!(failed.unwrap_err().to_string(), "full");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// The same batches in any framing and encoding.
    #[test]
    fn any_framing_and_encoding_comes_back(
        encoding in proptest::sample::select(vec!["ascii", "cp037", "cp1047"]),
        separator in proptest::sample::select(vec!["none", "LF", "CRLF", "NEL"]),
        number in "[0-9]{8}", port in "[0-9]{4}", tax in 0_u32..99_999_999,
    ) {
        prop_assume!(separator != "NEL" || encoding != "ascii");
        let text_of = SMALL
            .replace("separator LF", &format!("separator {separator}"))
            .replace("encoding ascii", &format!("encoding {encoding}"));
        let layout = layout(&text_of);
        let plain = self::layout(SMALL);
        let amount = format!("{tax:08}");
        let (start, last) = amount.split_at(7);
        let zoned = &"{ABCDEFGHI"[last.parse().unwrap()..][..1];
        let file = format!("20260803\n{number}{port}{start}{zoned}\n0001{tax:010}\n");
        let rows = read(&plain, file.as_bytes());
        prop_assert_eq!(rows.said(), Vec::<String>::new());
        let written = write(&layout, &rows.rows);
        prop_assert_eq!(written.said(), Vec::<String>::new());
        let back = read(&layout, &written.bytes);
        prop_assert_eq!(text(&back.rows), text(&rows.rows));
        let again = write(&layout, &back.rows);
        prop_assert!(again.bytes == written.bytes);
    }

    /// Whatever bytes come, each of them is converted or rejected, and nothing fails.
    #[test]
    fn any_bytes_are_read(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        for (name, layout) in [
            ("legacy/broker.dat", layout(&broker())),
            ("legacy/entries.csv", FlatLayout::entry_lines(Grammar::builtin()).unwrap()),
        ] {
            let mut bytes = sample(name);
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            bytes.truncate(cut.index(bytes.len()) + bytes.len() / 2);
            if let Ok(outcome) = try_read(&layout, &bytes) {
                prop_assert_eq!(outcome.rejected.is_empty(), outcome.problems.is_empty());
            }
        }
    }
}
