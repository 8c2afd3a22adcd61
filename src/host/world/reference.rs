//! The world's tables by the names under which grammars and rules ask for them.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{WorldError, WorldFile};

/// The tables whose key is a party's number.
const PARTY_TABLES: [&str; 2] = ["importer", "bond"];

/// A party's number as an error may show it: its last three characters.
pub(super) fn masked(number: &str) -> String {
    let shown = number.chars().count().saturating_sub(3);
    number.chars().enumerate().map(|(index, sign)| if index < shown { '*' } else { sign }).collect()
}

/// A table of reference data: rows by their key, columns by name.
#[derive(Clone, Default)]
pub(super) struct ReferenceTable {
    rows: HashMap<String, HashMap<String, String>>,
}

/// Counts the rows only: some are of taxpayers.
impl fmt::Debug for ReferenceTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReferenceTable").field("rows", &self.rows.len()).finish()
    }
}

impl ReferenceTable {
    pub(super) fn has(&self, code: &str) -> bool {
        self.rows.contains_key(code)
    }

    /// The keys, sorted.
    pub(super) fn codes(&self) -> Vec<&str> {
        let mut codes = self.rows.keys().map(String::as_str).collect::<Vec<_>>();
        codes.sort_unstable();
        codes
    }

    pub(super) fn value(&self, code: &str, column: &str) -> Option<&str> {
        self.rows.get(code)?.get(column).map(String::as_str)
    }

    /// A table of these rows. A key of several columns is their values with a space between; a row
    /// whose key stands there already is refused.
    fn new<T: Serialize>(table: &'static str, key: &[&str], rows: &[T]) -> Result<Self, WorldError> {
        let mut found = Self::default();
        for row in rows {
            let Ok(Value::Object(columns)) = serde_json::to_value(row) else { continue };
            let key =
                key.iter().filter_map(|column| columns.get(*column)).map(text).collect::<Vec<_>>().join(" ");
            if found.rows.insert(key.clone(), texts(columns)).is_some() {
                let key = if PARTY_TABLES.contains(&table) { masked(&key) } else { key };
                return Err(WorldError::Twice { table, key });
            }
        }
        Ok(found)
    }
}

/// All tables that the file has, by the names of the lists they are.
pub(super) fn tables(file: &WorldFile) -> Result<HashMap<&'static str, ReferenceTable>, WorldError> {
    let mut tables = HashMap::new();
    let mut add = |list, table: Option<Result<ReferenceTable, WorldError>>| -> Result<(), WorldError> {
        if let Some(table) = table {
            tables.insert(list, table?);
        }
        Ok(())
    };
    add("filer", Some(ReferenceTable::new("filer", &["code"], &file.filer)))?;
    add("schedule_d", of("port", &["code"], file.port.as_deref()))?;
    add("schedule_k", of("foreign_port", &["code"], file.foreign_port.as_deref()))?;
    add("importer", of("importer", &["number"], file.importer.as_deref()))?;
    add("surety", of("surety", &["code"], file.surety.as_deref()))?;
    add("bond", of("bond", &["importer"], file.bond.as_deref()))?;
    let single = file.single_transaction_bond.as_deref();
    add("single_transaction_bond", of("single_transaction_bond", &["filer", "entry_number"], single))?;
    add("manufacturer", of("manufacturer", &["code"], file.manufacturer.as_deref()))?;
    add("carrier", of("carrier", &["code"], file.carrier.as_deref()))?;
    add("firms", of("firms", &["code"], file.firms.as_deref()))?;
    add("hts", of("tariff", &["number"], file.tariff.as_deref()))?;
    add("case", of("case", &["number"], file.case.as_deref()))?;
    add("release", of("release", &["filer", "entry_number"], file.release.as_deref()))?;
    Ok(tables)
}

fn of<T: Serialize>(
    table: &'static str,
    key: &[&str],
    rows: Option<&[T]>,
) -> Option<Result<ReferenceTable, WorldError>> {
    rows.map(|rows| ReferenceTable::new(table, key, rows))
}

fn texts(columns: Map<String, Value>) -> HashMap<String, String> {
    columns.into_iter().map(|(name, value)| (name, text(&value))).collect()
}

/// A value as text: several with a space between, a truth as `true` or `false`.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
