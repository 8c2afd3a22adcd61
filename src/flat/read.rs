//! Rows to records of 80 columns, one entry summary after the other.

use std::io::{self, BufRead, Read};

use super::frame::{Bounded, Frame, frames};
use super::layout::FlatLayout;
use super::parse::Standing;
use super::problem::{FlatError, FlatProblem};
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
    frames(layout, input, &mut |frame| {
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
    if !csv.read_byte_record(&mut record)? {
        return Ok(());
    }
    reader.places = header(reader.layout, &record)?.into();
    let header = csv_row(&record);
    let mut is_first_rejected = true;
    loop {
        renewal.renew();
        if !csv.read_byte_record(&mut record)? {
            break;
        }
        reader.csv_row(&record);
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
    for (index, name) in record.iter().enumerate() {
        let name = if index == 0 { name.strip_prefix(b"\xef\xbb\xbf").unwrap_or(name) } else { name };
        let name = String::from_utf8_lossy(name.trim_ascii()).into_owned();
        let wrong =
            |found: String, expected: &str| FlatError::Header { found, expected: expected.to_owned() };
        let field = row.field(&name);
        let field = field.ok_or_else(|| wrong(format!("column {name:?}"), "the layout's columns"))?;
        if places.contains(&field) {
            return Err(wrong(format!("column {name:?} twice"), "each column once"));
        }
        places.push(field);
    }
    let is_missing = |index: &usize| row.fields[*index].mandatory && !places.contains(index);
    if let Some(missing) = (0..row.fields.len()).find(is_missing) {
        let expected = format!("a column {:?}", row.fields[missing].name);
        return Err(FlatError::Header { found: "no such column".to_owned(), expected });
    }
    Ok(places)
}
