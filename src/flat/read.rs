//! Rows to records of 80 columns, one entry summary after the other.

use std::io::{self, BufRead, Read};

use super::frame::{Bounded, Frame, frames};
use super::layout::FlatLayout;
use super::parse::Standing;
use super::problem::{FlatError, FlatProblem, shown};
use super::reader::Reader;
use super::translator::Translator;
use crate::wire::Columns;

/// What becomes of the rows of a file.
#[derive(Debug)]
pub enum Event {
    /// A record of 80 columns.
    Record(Columns),
    /// Bytes of a file of the layout.
    Rows(Vec<u8>),
    /// What is wrong with a row.
    Problem(FlatProblem),
    /// What is left out because something is wrong with it, as it came.
    Rejected(Vec<u8>),
}

/// Reads a file of a layout and gives what becomes of it to `sink`, in order. One entry summary is
/// held at a time.
///
/// # Errors
/// The file cannot be read on, or the sink fails. What is wrong with single rows is told as events.
pub fn read_flat(
    layout: &FlatLayout,
    translator: &Translator<'_>,
    input: impl BufRead,
    sink: &mut dyn FnMut(Event) -> io::Result<()>,
) -> Result<(), FlatError> {
    let mut reader = Reader::new(layout, translator);
    if layout.is_csv() {
        return read_csv(reader, input, sink);
    }
    let looks_ahead = layout.rows.iter().any(|row| row.standing == Standing::Last);
    let mut held: Option<Frame<'static>> = None;
    let space = layout.encoding().space();
    frames(layout, input, &mut |frame| {
        if frame.wrong_length.is_none() && frame.columns.iter().all(|byte| *byte == space) {
            // A row of spaces says nothing; editors and transfers leave some at the end.
            return Ok(());
        }
        if !looks_ahead {
            reader.frame(&frame, false);
        } else if let Some(before) = held.replace(frame.into_owned()) {
            reader.frame(&before, false);
        }
        reader.events.drain(..).try_for_each(&mut *sink)
    })?;
    if let Some(last) = held {
        reader.frame(&last, true);
    }
    reader.finish();
    Ok(reader.events.drain(..).try_for_each(sink)?)
}

fn read_csv(
    mut reader: Reader<'_>,
    input: impl Read,
    sink: &mut dyn FnMut(Event) -> io::Result<()>,
) -> Result<(), FlatError> {
    let (bounded, renewal) = Bounded::new(input);
    let mut csv = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bounded);
    let mut record = csv::ByteRecord::new();
    let mut numbers = RowNumbers::default();
    loop {
        if !csv.read_byte_record(&mut record)? {
            return Ok(());
        }
        numbers.next(&record, csv.position().line());
        if record.iter().any(|name| !name.trim_ascii().is_empty()) {
            break;
        }
    }
    reader.places = header(reader.layout, &record)?.into();
    let header = csv_row(&record);
    let mut is_first_rejected = true;
    loop {
        renewal.renew();
        if !csv.read_byte_record(&mut record)? {
            break;
        }
        reader.csv_row(&record, numbers.next(&record, csv.position().line()));
        for event in reader.events.drain(..) {
            with_header(event, &header, &mut is_first_rejected, sink)?;
        }
    }
    reader.finish();
    for event in reader.events.drain(..) {
        with_header(event, &header, &mut is_first_rejected, sink)?;
    }
    Ok(())
}

/// Counts rows as a spreadsheet does: empty lines are rows, and a line break in a cell begins none.
#[derive(Default)]
struct RowNumbers {
    row: u64,
    /// Lines before the next row.
    lines: u64,
}

impl RowNumbers {
    /// The number of a row that has been read up to this line.
    fn next(&mut self, record: &csv::ByteRecord, line: u64) -> u64 {
        let within = record.iter().flatten().filter(|byte| **byte == b'\n').count() as u64;
        let lines = line.saturating_sub(1);
        let empty = (lines - self.lines).saturating_sub(1 + within);
        self.lines = lines;
        self.row += 1 + empty;
        self.row
    }
}

/// What is rejected is a file of its own, with a header.
fn with_header(
    event: Event,
    header: &[u8],
    is_first: &mut bool,
    sink: &mut dyn FnMut(Event) -> io::Result<()>,
) -> io::Result<()> {
    if matches!(event, Event::Rejected(_)) && std::mem::take(is_first) {
        sink(Event::Rejected(header.to_vec()))?;
    }
    sink(event)
}

/// A row of comma separated values with the end of its line.
pub(super) fn csv_row<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut writer =
        csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(values);
    writer.into_inner().unwrap_or_default()
}

/// Where the columns of a header stand in the layout's row.
fn header(layout: &FlatLayout, record: &csv::ByteRecord) -> Result<Vec<usize>, FlatError> {
    let mut places = Vec::new();
    let Some(row) = layout.rows.first() else { return Ok(places) };
    let wrong = |found: String, expected: String| FlatError::Header { found, expected };
    let names: Vec<String> = record
        .iter()
        .map(|name| String::from_utf8_lossy(name.trim_ascii()).trim_start_matches('\u{feff}').to_owned())
        .collect();
    if names.iter().all(|name| row.field(name).is_none()) {
        return Err(no_header(layout, &names));
    }
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() && names[index..].iter().all(String::is_empty) {
            // A spreadsheet's columns without anything in them.
            break;
        }
        let field = row.field(name).ok_or_else(|| {
            let found = format!("column {} with the name {}", index + 1, shown(name, false));
            wrong(found, format!("the columns that {} has", layout.source))
        })?;
        if places.contains(&field) {
            return Err(wrong(format!("column {name:?} twice"), "each column once".to_owned()));
        }
        places.push(field);
    }
    let is_missing = |index: &usize| row.fields[*index].mandatory && !places.contains(index);
    if let Some(missing) = (0..row.fields.len()).find(is_missing) {
        let expected = format!("a column {:?}", row.fields[missing].name);
        return Err(wrong("no such column".to_owned(), expected));
    }
    Ok(places)
}

/// What a first line is that names none of the columns.
fn no_header(layout: &FlatLayout, names: &[String]) -> FlatError {
    let knows = |name: &str| layout.columns().any(|column| column == name.trim_matches([' ', '"']));
    let line = names.join(",");
    for (sign, word) in [(';', "semicolons"), ('\t', "tabs"), ('|', "vertical bars")] {
        if line.split(sign).filter(|name| knows(name)).count() > 1 {
            return FlatError::Separated(word);
        }
    }
    let some: Vec<&str> = layout.columns().take(3).collect();
    let expected = format!("a first row with the names of columns, such as {}", some.join(", "));
    FlatError::Header { found: shown(&line, false), expected }
}
