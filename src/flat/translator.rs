//! Between the JSON of the model and records of 80 columns, with the envelope around them.

use serde_json::{Map, Value};

use super::mapping::{BATCH, BLOCK};
use crate::envelope::EnvelopeCodec;
use crate::grammar::{Grammar, Layout, UnknownName};
use crate::message::{Body, field_value, put_value};
use crate::model::EntrySummaryFiling;
use crate::translate::EntrySummaryCodec;
use crate::wire::Columns;

/// Translates entry summaries and the headers and trailers around them. All names are resolved when it
/// is made.
#[derive(Debug)]
pub struct Translator<'g> {
    codec: EntrySummaryCodec,
    /// The A-, B-, Y- and Z-record.
    control: [&'g Layout; 4],
}

/// A value that a record or the model does not take.
#[derive(Debug)]
pub(super) struct Refused {
    /// Where in the object it stands.
    pub(super) path: String,
    pub(super) found: String,
    pub(super) expected: String,
}

impl<'g> Translator<'g> {
    /// A translator by a grammar.
    ///
    /// # Errors
    /// The grammar lacks a name.
    pub fn new(grammar: &'g Grammar) -> Result<Self, UnknownName> {
        let control = EnvelopeCodec::new(grammar)?.input_layouts(EntrySummaryCodec::APPLICATION);
        Ok(Self { codec: EntrySummaryCodec::new(grammar)?, control })
    }

    /// The header of a batch or block with these fields.
    pub(super) fn header(&self, level: usize, fields: &Value) -> Result<Columns, Refused> {
        let layout = self.control[level.min(BLOCK)];
        let mut row = layout.blank();
        for (name, value) in fields.as_object().into_iter().flatten() {
            let refused = |found: String, expected: String| Refused { path: name.clone(), found, expected };
            let field = layout.fields.iter().find(|field| !field.is_filler() && field.name == *name);
            let field = field.ok_or_else(|| {
                refused(format!("{name:?}"), format!("a field of the {}-record", layout.record))
            })?;
            put_value(field, &mut row, value).map_err(|expected| refused(value.to_string(), expected))?;
        }
        Ok(row)
    }

    /// The fields of a header of a batch or block.
    pub(super) fn fields(&self, level: usize, row: &Columns) -> Value {
        let layout = self.control[level.min(BLOCK)];
        let mut fields = Map::new();
        for field in &layout.fields {
            let name = match field.is_filler() {
                true => format!("filler_{}", field.cell.first_column()),
                false => field.name.clone(),
            };
            fields.extend(field_value(layout, field, row).map(|value| (name, value)));
        }
        Value::Object(fields)
    }

    /// The trailer that belongs to a header: what both have is the same.
    pub(super) fn trailer(&self, level: usize, header: &Columns) -> Columns {
        let (of_header, layout) = match level {
            BATCH => (self.control[0], self.control[3]),
            _ => (self.control[1], self.control[2]),
        };
        let mut row = layout.blank();
        for field in layout.fields.iter().filter(|field| !field.is_filler()) {
            let same = of_header.field(&field.name).filter(|same| same.cell.width() == field.cell.width());
            if let Some(same) = same
                && field.name != layout.fields[0].name
            {
                let target = &mut row[field.cell.first_column() - 1..field.cell.last_column()];
                target.copy_from_slice(same.cell.raw(header));
            }
        }
        row
    }

    /// The records of a filing.
    pub(super) fn records(&self, filing: &Value) -> Result<Vec<Columns>, Refused> {
        let filing: EntrySummaryFiling = serde_path_to_error::deserialize(filing).map_err(|error| {
            let path = error.path().to_string();
            let path = if path == "." { String::new() } else { path };
            let message = error.inner().to_string();
            if let Some(field) = message.strip_prefix("missing field ") {
                let separator = if path.is_empty() { "" } else { "." };
                let path = format!("{path}{separator}{}", field.trim_matches('`'));
                return Refused {
                    expected: format!("a value for {path}"),
                    found: "nothing".to_owned(),
                    path,
                };
            }
            let expected = message.split_once("expected ").map_or(message.as_str(), |(_, expected)| expected);
            Refused { expected: expected.to_owned(), found: String::new(), path }
        })?;
        self.codec.encode(&filing).map_err(|problem| Refused {
            found: if problem.path.is_empty() { problem.to_string() } else { format!("{:?}", problem.found) },
            path: problem.path.into(),
            expected: problem.expected.into(),
        })
    }

    /// The filing that a transaction is, as the model has it.
    pub(super) fn typed(&self, body: &Body<'_>) -> Result<EntrySummaryFiling, String> {
        self.codec.filing(body)
    }

    /// The filing that a transaction is. How many values each of its records held is nothing that a flat
    /// file tells.
    pub(super) fn filing(&self, body: &Body<'_>) -> Result<Value, String> {
        let mut filing = self.codec.to_json(body)?;
        join_records(&mut filing);
        Ok(filing)
    }
}

/// Makes one list of lists of the values of each record.
pub(super) fn join_records(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(join_records),
        Value::Array(elements) => {
            if elements.iter().all(Value::is_array) {
                let records = std::mem::take(elements).into_iter();
                elements.extend(records.flat_map(|record| record.as_array().cloned().unwrap_or_default()));
            }
            elements.iter_mut().for_each(join_records);
        }
        _ => {}
    }
}
