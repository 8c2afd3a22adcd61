//! Census warnings of accepted summaries.

use jiff::civil::Date;
use rusqlite::{Transaction, params};

use super::{EntryKey, StoreError};

/// A Census warning of an accepted summary, as it stood when that was last accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CensusWarning {
    /// The summary.
    pub entry: EntryKey,
    /// Its district and port of entry.
    pub port: String,
    /// The day on which it was accepted.
    pub accepted: Date,
    /// The line item identifier.
    pub line: String,
    /// The tariff number; empty if the warning is one of the line.
    pub hts: String,
    /// The warning's code.
    pub code: String,
}

/// Which warnings are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct WarningQuery<'a> {
    /// The filer of the summaries.
    pub filer: &'a str,
    /// Only of this summary.
    pub number: Option<&'a str>,
    /// Only of summaries of this port.
    pub port: Option<&'a str>,
    /// Only of summaries accepted on these days or between them.
    pub accepted: Option<(Date, Date)>,
    /// No more than so many.
    pub most: u32,
}

pub(super) fn put(
    transaction: &Transaction<'_>,
    entry: &EntryKey,
    warnings: &[CensusWarning],
) -> Result<(), StoreError> {
    transaction
        .prepare_cached("DELETE FROM census_warning WHERE filer = ?1 AND number = ?2")?
        .execute([&entry.filer, &entry.number])?;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO census_warning (filer, number, port, accepted, line, hts, code)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for warning in warnings {
        let CensusWarning { port, accepted, line, hts, code, .. } = warning;
        statement.execute(params![entry.filer, entry.number, port, accepted.to_string(), line, hts, code])?;
    }
    Ok(())
}

pub(super) fn find(
    transaction: &Transaction<'_>,
    query: &WarningQuery<'_>,
) -> Result<Vec<CensusWarning>, StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT number, port, accepted, line, hts, code FROM census_warning
         WHERE override IS NULL AND filer = ?1 AND (?2 IS NULL OR number = ?2) AND (?3 IS NULL OR port = ?3)
             AND accepted BETWEEN ?4 AND ?5
         ORDER BY accepted DESC, number DESC, rowid LIMIT ?6",
    )?;
    // days sort as their texts do
    let (from, to) = query
        .accepted
        .map_or_else(|| (String::new(), "~".to_owned()), |(from, to)| (from.to_string(), to.to_string()));
    let rows = statement
        .query_map(params![query.filer, query.number, query.port, from, to, query.most], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        })?
        .collect::<Result<Vec<(String, String, String, String, String, String)>, _>>()?;
    rows.into_iter()
        .map(|(number, port, accepted, line, hts, code)| {
            let column = "census_warning.accepted";
            let accepted = accepted.parse().map_err(|_| StoreError::Damaged { column, found: accepted })?;
            let entry = EntryKey { filer: query.filer.to_owned(), number };
            Ok(CensusWarning { entry, port, accepted, line, hts, code })
        })
        .collect()
}

pub(super) fn resolve(
    transaction: &Transaction<'_>,
    entry: &EntryKey,
    line: &str,
    code: &str,
    reason: &str,
) -> Result<bool, StoreError> {
    let mut statement = transaction.prepare_cached(
        "UPDATE census_warning SET override = ?5
         WHERE filer = ?1 AND number = ?2 AND line = ?3 AND code = ?4",
    )?;
    Ok(statement.execute([&entry.filer, &entry.number, line, code, reason])? > 0)
}
