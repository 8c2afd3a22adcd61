//! Streams around single records, and their way to JSON and back.

use abigate::grammar::{Designation, Direction, Field, Grammar, Layout, Values};
use abigate::message::{Form, RecordsWriter, no_filings, read_records};
use abigate::wire::Columns;

/// The control records around the transactions of one application.
pub struct Desk {
    application: String,
    header: [Columns; 2],
    trailer: [Columns; 2],
}

impl Desk {
    /// `None` for what is no application: a message set travels inside others.
    pub fn new(application: &str, direction: Direction) -> Option<Self> {
        let grammar = Grammar::builtin();
        let e_manifest = grammar.application(application)?.e_manifest;
        let other = if e_manifest { "esar" } else { "eman" };
        let control = |record: &str| {
            let mut layouts = grammar.variants("*", direction, record).filter(|layout| {
                layout.variant != other && layout.variant != "ace_generated" && layout.variant != "statement"
            });
            let layout = layouts.next().unwrap();
            let mut row = blank(layout);
            for field in layout
                .fields
                .iter()
                .filter(|field| !field.is_filler() && field.designation == Designation::Mandatory)
            {
                match (&field.values, field.cell.class().is_numeric(), field.cell.width()) {
                    (Values::Any, false, 3) => put(&mut row, field, "EEE"),
                    (Values::Any, false, 6) => put(&mut row, field, "PASSWD"),
                    (Values::Any | Values::List(_), _, 4) => put(&mut row, field, "2704"),
                    (Values::Any, true, width) => put(&mut row, field, &"0".repeat(width)),
                    _ => {}
                }
            }
            if let Some(field) = layout.field("application_identifier_code") {
                put(&mut row, field, application);
            }
            row
        };
        Some(Self {
            application: application.to_owned(),
            header: [control("A"), control("B")],
            trailer: [control("Y"), control("Z")],
        })
    }

    /// The desk at which a control record may stand.
    pub fn around(layout: &Layout) -> Self {
        let e_manifest = layout.variant == "eman" || layout.record.starts_with('E');
        let application = match (layout.direction, e_manifest) {
            (Direction::Input, false) => "AE",
            (Direction::Input, true) => "QP",
            (Direction::Output, false) => "AX",
            (Direction::Output, true) => "QT",
        };
        Self::new(application, layout.direction).unwrap()
    }

    pub fn application(&self) -> &str {
        &self.application
    }

    /// How many records stand before those of a transaction.
    pub fn header_rows(&self) -> usize {
        self.header.len()
    }

    /// A batch of these records.
    pub fn stream(&self, rows: &[Columns]) -> Vec<Columns> {
        [&self.header[..], rows, &self.trailer[..]].concat()
    }

    /// A batch with this control record in its place, or, if it has none, between the others.
    pub fn with(&self, layout: &Layout, row: Columns) -> Vec<Columns> {
        let place = ["A", "B", "Y", "Z"].into_iter().position(|record| record == layout.record);
        let mut stream = self.stream(if place.is_none() { std::slice::from_ref(&row) } else { &[] });
        if let Some(place) = place {
            stream[place] = row;
        }
        stream
    }
}

/// A record with its identifier and its constants, and all its other columns blank.
pub fn blank(layout: &Layout) -> Columns {
    let mut row = layout.blank();
    row[..layout.record.len()].copy_from_slice(layout.record.as_bytes());
    // A deciding field of several values has the first one, until it gets another.
    for field in layout.fields.iter().filter(|field| field.decides) {
        if let Values::OneOf(texts) = &field.values {
            put(&mut row, field, &texts[0]);
        }
    }
    row
}

/// Writes characters at the beginning of a field and spaces behind them.
pub fn put(row: &mut Columns, field: &Field, text: &str) {
    let target = &mut row[field.cell.first_column() - 1..field.cell.last_column()];
    target.fill(b' ');
    target[..text.len()].copy_from_slice(text.as_bytes());
}

pub fn to_json(rows: &[Columns], canonical: bool) -> String {
    let form = Form { lines: false, canonical, mask_passwords: false };
    let mut writer = RecordsWriter::new(Grammar::builtin(), form, Vec::new());
    rows.iter().for_each(|row| writer.push(row).unwrap());
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

pub fn from_json(json: &str) -> Vec<Columns> {
    let mut rows = Vec::new();
    let mut sink = |row: &Columns| {
        rows.push(*row);
        Ok(())
    };
    read_records(Grammar::builtin(), json.as_bytes(), &no_filings, &mut sink).unwrap();
    rows
}
