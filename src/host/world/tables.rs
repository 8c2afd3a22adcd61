//! What a world file says beside who may transmit: the summaries on file when a store begins, and rows
//! of reference data. Parties' numbers stand in them, so they have no `Debug`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::kind::{ReferenceKind, ReferenceKinds};
use super::reference::{ReferenceTable, key_of};
use super::{WorldError, line_of};
use crate::store::{ControlState, Mark};
use crate::wire::{Columns, RECORD_LENGTH};

/// A summary that is on file when a store begins.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FiledSummary {
    pub(in crate::host) filer: String,
    pub(in crate::host) entry_number: String,
    pub(in crate::host) port: String,
    pub(in crate::host) entry_type: String,
    pub(in crate::host) importer: String,
    #[serde(default)]
    pub(in crate::host) broker_reference: String,
    #[serde(default)]
    pub(in crate::host) state: ControlState,
    #[serde(default)]
    pub(in crate::host) corrected: bool,
    #[serde(default)]
    pub(in crate::host) reconciled: bool,
    pub(in crate::host) entry_date: Option<Date>,
    pub(in crate::host) import_date: Option<Date>,
    pub(in crate::host) liquidation_date: Option<Date>,
    #[serde(default)]
    pub(in crate::host) marks: Vec<Mark>,
    /// The records as they were accepted, if what they hold matters.
    #[serde(default, deserialize_with = "records")]
    pub(in crate::host) records: Vec<Columns>,
}

fn records<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Columns>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let record = |text: &String| {
        let padded = format!("{text:RECORD_LENGTH$}").into_bytes();
        padded.try_into().map_err(|_| D::Error::custom("a record is longer than 80 columns"))
    };
    texts.iter().map(record).collect()
}

/// Says which summary it is but not whose: the importer's number is a taxpayer's.
impl fmt::Debug for FiledSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FiledSummary")
            .field("filer", &self.filer)
            .field("entry_number", &self.entry_number)
            .finish_non_exhaustive()
    }
}

/// The tables of a world file by their kinds.
pub(super) type Tables = HashMap<String, ReferenceTable>;

/// Takes the tables of reference data out of a world file.
pub(super) fn take(text: &str, file: &mut DeTable<'_>, kinds: &ReferenceKinds) -> Result<Tables, WorldError> {
    let mut tables = Tables::new();
    for kind in kinds.iter() {
        let Some(rows) = file.remove(kind.name.as_str()) else { continue };
        let wrong = || WorldError::Syntax {
            line: line_of(text, rows.span().start),
            message: format!("{} is no table of rows", kind.name),
        };
        let mut table = ReferenceTable::new(Arc::new(kind.clone()));
        for row in rows.get_ref().as_array().ok_or_else(wrong)?.iter() {
            let cells = cells(text, kind, row, row.get_ref().as_table().ok_or_else(wrong)?)?;
            table
                .push(&cells)
                .map_err(|twice| WorldError::Twice { table: kind.name.clone(), key: twice.key })?;
        }
        tables.insert(kind.name.clone(), table);
    }
    Ok(tables)
}

fn cells(
    text: &str,
    kind: &ReferenceKind,
    row: &Spanned<DeValue<'_>>,
    values: &DeTable<'_>,
) -> Result<Vec<String>, WorldError> {
    for name in values.keys() {
        if kind.position(name.get_ref()).is_none() {
            let message = format!("{} has no column `{}`", kind.name, name.get_ref());
            return Err(WorldError::Syntax { line: line_of(text, name.span().start), message });
        }
    }
    let value = |name: &str| values.get(name).map(|value| words(value.get_ref())).unwrap_or_default();
    let texts = kind.columns.iter().map(|column| value(&column.name)).collect::<Vec<_>>();
    let mut cells = Vec::new();
    for (column, cell) in kind.columns.iter().zip(&texts) {
        cells.push(column.value(cell).map_err(|expected| WorldError::Invalid {
            line: Some(line_of(text, row.span().start)),
            table: kind.name.clone(),
            key: key_of(kind, &texts),
            column: column.name.clone(),
            expected,
        })?);
    }
    Ok(cells)
}

/// A value as text: several with a space between.
fn words(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(day) => day.to_string(),
        DeValue::Array(values) => {
            values.iter().map(|value| words(value.get_ref())).collect::<Vec<_>>().join(" ")
        }
        // no column holds one: a control sign is refused by all of them
        DeValue::Table(_) => "\0".to_owned(),
    }
}
