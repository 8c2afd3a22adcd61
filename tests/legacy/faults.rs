//! What is wrong with files as people have them: each fault with its reason, at its place.

use super::*;

const HEADER: &str = "action,filer_code,entry_number,port_of_entry,carrier,line,country_of_origin,description_1,location_of_goods\n";

fn table() -> FlatLayout {
    FlatLayout::entry_lines(Grammar::builtin()).unwrap()
}

fn long_table() -> FlatLayout {
    FlatLayout::tariff_lines(Grammar::builtin()).unwrap()
}

/// The batch of `entries.abi` up to a part of its last record.
fn cut_off() -> Vec<u8> {
    let whole = sample("legacy/entries.abi");
    let end = whole.windows(3).position(|window| window == b"\n90").unwrap();
    whole[..end - 20].to_vec()
}

#[test]
fn a_batch_that_was_cut_off_in_transfer_is_told_whatever_it_becomes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cut.abi");
    std::fs::write(&file, cut_off()).unwrap();
    let file = file.to_str().unwrap();
    for to in ["catair", "csv", "csv-long", "model", "model-ndjson", "records", "ndjson", "flat"] {
        let layout: &[&str] = if to == "flat" { &["--layout", BROKER] } else { &[] };
        let output = abigate(&[&["convert", file, "--from", "catair", "--to", to], layout].concat());
        assert_eq!(output.status.code(), Some(1), "{to}");
        let said = told(&output).join("\n");
        assert!(
            said.contains("the block of record 2 and the batch of record 1 are not closed"),
            "{to}: {said}"
        );
    }
}

#[test]
fn a_batch_that_was_cut_off_does_not_come_back_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("cut.abi"), cut_off()).unwrap();
    for (to, from) in [("csv", "csv"), ("csv-long", "csv"), ("model", "model"), ("records", "records")] {
        abigate(&["convert", &path("cut.abi"), "--to", to, "-o", &path("there")]);
        let back = abigate(&["convert", &path("there"), "--from", from, "--to", "catair"]);
        let batch = String::from_utf8(back.stdout.clone()).unwrap();
        assert!(!batch.contains("\nY") && !batch.contains("\nZ"), "{to}: {batch}");
        assert_eq!(back.status.code(), Some(if from == "csv" { 0 } else { 1 }), "{to}");
    }
    // The rejects of a table are what it left out.
    abigate(&["convert", &path("cut.abi"), "--to", "csv", "-o", &path("out"), "--rejects", &path("rest")]);
    assert!(std::fs::read_to_string(path("rest")).unwrap().starts_with("10AEEE  00001015"));
}

#[test]
fn a_file_without_the_row_that_counts_is_told() {
    let file = sample("legacy/broker.dat");
    let whole = read(&layout(&broker()), &file);
    let outcome = read(&layout(&broker()), &file[..file.len() - 200]);
    assert_eq!(
        outcome.said(),
        [
            "row 1 (batch): found no row trailer in this batch, expected the row that counts what came: the file may be cut off"
        ]
    );
    assert!(outcome.rows.len() < whole.rows.len() && !outcome.rejected.is_empty());
}

#[test]
fn rows_of_one_entry_that_are_not_adjacent_are_refused_at_the_second_place() {
    let table = format!(
        "{HEADER}add,EEE,00001015,2704,,001,VN,,\n\
         add,EEE,00001197,2704,,001,DE,,\n\
         add,EEE,00001015,2704,,002,VN,,\n"
    );
    let outcome = read(&self::table(), table.as_bytes());
    assert_eq!(
        outcome.said(),
        [
            "row 4 (item), column 3 (entry_number): found \"00001015\" again, expected all rows of this summary one below the other: it began in row 2, and another one came between; sort the rows"
        ]
    );
    assert_eq!(text(&outcome.rows).matches("10AEEE  00001015").count(), 1);
}

#[test]
fn blank_rows_are_skipped_and_missing_last_cells_are_blank() {
    let table = format!(
        "\n{HEADER}add,EEE,00001015,2704,,001,VN,,\n,,,,,,,,\n , ,\n\nadd,EEE,00001197,2704,,001,DE\nadd,EEE,00001841,LAX,,001,DE\n"
    );
    let outcome = read(&self::table(), table.as_bytes());
    // The row is the one that a spreadsheet shows.
    assert_eq!(
        outcome.said(),
        ["row 8 (item), column 4 (port_of_entry): found \"LAX\", expected a port code of four digits"]
    );
    assert_eq!(text(&outcome.rows).matches("\n10A").count(), 2);
}

#[test]
fn a_row_of_spaces_at_the_end_is_nothing() {
    let right = "20260803            \n0000101527040000100{\n00010000001000      \n";
    let outcome = read(&layout(SMALL), format!("{right}{:20}\n", "").as_bytes());
    assert_eq!(outcome.said(), [""; 0]);
    assert_eq!(outcome.rows.len(), 6);
}

#[test]
fn each_fault_of_a_cell_has_its_own_reason() {
    for (row, expected) in [
        (
            "add,EEE,00001015,2704,,001,VN,CAFÉ CUPS,",
            "column 8 (description_1): found \"CAFÉ CUPS\", expected only characters that CATAIR has: 'É' (character 4) is none of them",
        ),
        (
            "add,EEE,00001015,2704,,001,VN,Cups,",
            "column 8 (description_1): found \"Cups\", expected upper case: 'u' (character 2) is lower case",
        ),
        (
            "add,EEE,00001015,2704,,001,VN,\"CUPS\nAND JARS\",",
            "column 8 (description_1): found \"CUPS\\nAND JARS\", expected one line of text: character 5 is a line break",
        ),
        (
            "add,EEE,00001015,2704,ONEYX,001,VN,,",
            "column 5 (carrier): found \"ONEYX\", expected at most 4 characters, which are 5 here",
        ),
        (
            "add,EEE,00001015,2704,,001,VN,,Z7-4",
            "column 9 (location_of_goods): found \"Z7-4\", expected letters and digits (AN)",
        ),
        (
            "add,EEE,\"=\"\"00001015\"\"\",2704,,001,VN,,",
            "expected an entry number of seven digits and a check digit, and no formula of a spreadsheet",
        ),
    ] {
        let outcome = read(&table(), format!("{HEADER}{row}\n").as_bytes());
        let said = outcome.said();
        assert!(
            said.len() == 1 && said[0].starts_with("row 2 (item)") && said[0].contains(expected),
            "{said:?}"
        );
    }
}

#[test]
fn a_table_that_is_none_is_refused_in_one_sentence() {
    for (text, expected) in [
        (HEADER.replace(',', ";"), "the values are separated by semicolons: save the file with commas"),
        (HEADER.replace(',', "\t"), "the values are separated by tabs"),
        (String::from_utf8(sample("legacy/broker.abi")).unwrap(), "header: found \"A2704EEEPASSWD"),
    ] {
        let error = try_read(&table(), text.as_bytes()).unwrap_err();
        assert!(error.starts_with(expected) && error.len() < 250, "{error}");
    }
}

#[test]
fn a_fault_that_a_record_shows_is_told_of_the_row_that_has_it() {
    let mut file = sample("legacy/broker.dat");
    let row = 3 * 200;
    // The sign of the duty of row 4, which is its last half byte.
    file[row + 34] = file[row + 34] & 0xf0 | 0x0d;
    let outcome = read(&layout(&broker()), &file);
    assert_eq!(
        outcome.said()[0],
        "row 4 (tariff), columns 29-35 (duty): found \"-424.32\", expected an amount that is not below zero"
    );
}

const COLUMNS_WITH_SPACES: &str = r#"
flat "ES-003 lines" csv
row item
  "Entry Summary Number"   AN  M  "with its check digit"
  "Line Number"            AN  M
  "HTS Number - Full"      N   M
  Value                    SN  M  decimals 2 point
  Duty                     SN  M  decimals 2 point
mapping
  batch { sender_receiver_site_code = "2704" application_identifier_code = "AE" }
  block { processing_filer_code = "EEE" application_identifier_code = "AE" }
  summary from item by "Entry Summary Number" {
    action = "add"
    header.filer_code = "EEE"
    header.port_of_entry = "2704"
    header.entry_number "Entry Summary Number"
    each lines from item {
      identifier             "Line Number"
      country_of_origin      = "VN"
      tariffs[0].hts_number  "HTS Number - Full"
      tariffs[0].value       Value
      tariffs[0].duty        Duty
    }
  }
end
"#;

#[test]
fn a_layout_names_columns_with_spaces() {
    let layout = layout(COLUMNS_WITH_SPACES);
    let file = "Entry Summary Number,Line Number,HTS Number - Full,Value,Duty\r\n00001015,001,3924104000,12480.00,424.32\r\n";
    let outcome = read(&layout, file.as_bytes());
    assert_eq!(outcome.said(), [""; 0]);
    assert_eq!(outcome.rows.len(), 7);
    assert_eq!(String::from_utf8(write(&layout, &outcome.rows).bytes).unwrap(), file);
}

#[test]
fn a_layout_says_what_spaces_and_zero_bytes_stand_for() {
    let mut file = sample("legacy/broker.dat");
    // The processing fee of row 3, and the end of the vessel of row 2.
    file[2 * 200 + 137..2 * 200 + 142].fill(0x40);
    file[200 + 105..200 + 110].fill(0);
    let said = read(&layout(&broker()), &file).said().join("\n");
    assert!(
        said.contains("row 3 (line), columns 138-142 (processing_fee)") && said.contains("space_blank"),
        "{said}"
    );
    assert!(said.contains("row 2 (entry), columns 91-110 (vessel)") && said.contains("low_blank"), "{said}");
    let own = broker()
        .replace(
            "processing_fee       N   O  packed decimals 2 zero_blank\n  143",
            "processing_fee       N   O  packed decimals 2 space_blank\n  143",
        )
        .replace("vessel               X   O", "vessel               X   O  low_blank");
    let own = layout(&own);
    let outcome = read(&own, &file);
    assert_eq!(outcome.said(), [""; 0]);
    assert!(text(&outcome.rows).contains("PACIFIC LANTERN     "));
    let again = write(&own, &outcome.rows);
    assert_eq!(again.said(), [""; 0]);
    assert_eq!(&again.bytes[2 * 200 + 137..2 * 200 + 142], [0x40; 5]);
}

#[test]
fn rows_with_descriptor_words_are_read_where_the_layout_says_so() {
    let plain = layout(&broker());
    let rows = read(&plain, &sample("legacy/broker.dat")).rows;
    for word in ["RDW", "BDW"] {
        let own = layout(&broker().replace("separator none", &format!("separator {word}")));
        let written = write(&own, &rows).bytes;
        assert_eq!(
            written.len(),
            sample("legacy/broker.dat").len() / 200 * (200 + if word == "RDW" { 4 } else { 8 })
        );
        let back = read(&own, &written);
        assert_eq!(back.said(), [""; 0]);
        assert!(back.rows == rows);
        let error = try_read(&plain, &written).unwrap_err();
        assert!(error.contains(&format!("the layout is to say separator {word}")), "{error}");
        // A row that is short is filled; a file that ends within one is told.
        let error = try_read(&own, &written[..written.len() - 10]).unwrap_err();
        assert!(error.contains("the file is cut off"), "{error}");
    }
    let error =
        try_read(&layout(&broker().replace("separator none", "separator RDW")), &sample("legacy/broker.dat"));
    assert!(error.unwrap_err().contains("expected a record descriptor word"));
}

#[test]
fn the_signs_of_ibm_that_are_not_preferred_are_read() {
    let zoned = SMALL.replace("encoding ascii", "encoding cp037").replace("separator LF", "separator none");
    let own = layout(&zoned);
    let ascii = "20260803            0000101527040000100{00010000001000      ";
    let mut file: Vec<u8> =
        ascii.chars().map(|letter| Encoding::Ebcdic037.encode_char(letter).unwrap()).collect();
    for sign in [0xa0, 0xc0, 0xe0, 0xf0] {
        file[39] = sign;
        let outcome = read(&own, &file);
        assert_eq!(outcome.said(), [""; 0], "{sign:x}");
    }
    for sign in [0xb0, 0xd0] {
        file[39] = sign;
        let said = read(&own, &file).said().join("\n");
        assert!(
            said.contains("row 2 (entry), columns 13-20 (tax)") && said.contains("not below zero"),
            "{said}"
        );
    }
}

#[test]
fn a_path_that_the_model_does_not_have_is_refused_when_the_layout_is_read() {
    for (old, new, expected) in [
        (
            "grand_totals.tax tax",
            "grand_totals.taxes tax",
            "grand_totals.taxes: the model has no taxes here, but",
        ),
        ("grand_totals.tax tax", "lines tax", "lines: the model has several values here, not one"),
        ("grand_totals.tax tax", "manifests[0].quantity tax", "the model has a number: say integer"),
        ("grand_totals.tax tax", "header.signed tax", "the model has true or false"),
        ("action = \"add\"", "action = \"ad\"", "action: found \"ad\", expected one of add replace delete"),
        ("transmission_date sent", "transmission_dat sent", "the A-record has no such field, but"),
        (
            "processing_filer_code = \"EEE\"",
            "processing_filer_code = \"EEEE\"",
            "found \"EEEE\", expected at most 3",
        ),
    ] {
        assert!(SMALL.contains(old), "{old}");
        let text = SMALL.replace(old, new);
        let before = &text[..text.find(new).unwrap()];
        let (line, column) =
            (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap().len() + 1);
        let source = Source { name: "small.grammar".to_owned(), text };
        let error = FlatLayout::load(&source, Grammar::builtin()).map(drop).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("small.grammar:{line}:{column}:")) && error.contains(expected),
            "{error}"
        );
    }
}

/// Amounts stand once, so that they can be added up; what they are grouped by stands in every row.
#[test]
fn the_long_table_has_a_row_for_each_tariff_number() {
    let rows = rows_of(&sample("entry_summary/good/01-vessel-three-lines.abi"));
    let written = write(&long_table(), &rows);
    assert_eq!(written.said(), [""; 0]);
    let mut csv = csv::Reader::from_reader(written.bytes.as_slice());
    let names = csv.headers().unwrap().clone();
    let place = |name: &str| names.iter().position(|known| known == name).unwrap();
    let table: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    assert_eq!(table.len(), text(&rows).matches("\n50").count());
    for row in &table {
        assert_eq!(&row[place("entry_number")], "00001015");
        assert!(!row[place("importer_of_record")].is_empty() && !row[place("tariff")].is_empty());
    }
    let sum = |name: &str| table.iter().filter(|row| !row[place(name)].is_empty()).count();
    assert_eq!(sum("manifest_quantity"), 1);
}

#[test]
fn every_good_sample_comes_back_from_the_long_table() {
    for file in good_samples() {
        let rows = rows_of(&std::fs::read(&file).unwrap());
        let written = write(&long_table(), &rows);
        assert_eq!((written.said(), written.rejected.len()), (vec![], 0), "{}", file.display());
        let back = read(&long_table(), &written.bytes);
        assert_eq!(back.said(), [""; 0], "{}", file.display());
        assert_eq!(text(&back.rows), text(&rows), "{}", file.display());
    }
}

/// The short cut of simple tables writes what the general way does.
#[test]
fn tables_are_the_same_both_ways_of_writing() {
    let generated = abigate(&["generate", "--app", "AE", "--count", "120", "--seed", "7"]).stdout;
    let mut files: Vec<Vec<u8>> = good_samples().iter().map(|file| std::fs::read(file).unwrap()).collect();
    files.push(generated);
    for layout in [table(), long_table()] {
        for file in &files {
            let rows = rows_of(file);
            let (short, general) =
                (write(&layout, &rows), write_with(&layout, &rows, |writer| writer.without_short_cuts()));
            assert_eq!(short.said(), general.said());
            assert_eq!(String::from_utf8_lossy(&short.bytes), String::from_utf8_lossy(&general.bytes));
        }
    }
}
