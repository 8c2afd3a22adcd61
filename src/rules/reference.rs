//! What rules may ask of reference data: the lists and columns that a grammar folder describes. A list
//! that is not described, such as `filer`, may be asked for anything.

use super::ast::TableKey;
use super::{ColumnName, ListName};
use crate::grammar::Grammar;

/// The list of lists that hosts hold, and that of their columns.
const LISTS: &str = "reference_list";
const COLUMNS: &str = "reference_column";

/// Whether a list is one that a host may hold.
pub(super) fn is_held(grammar: &Grammar, list: &str) -> bool {
    grammar.list(LISTS).is_some_and(|lists| lists.contains(list))
}

/// A list by its name.
pub(super) fn named(grammar: &Grammar, list: &str) -> ListName {
    let rows = grammar.list(LISTS).map(|lists| lists.codes()).into_iter().flatten();
    let place = rows.into_iter().position(|known| known == list).and_then(|place| u16::try_from(place).ok());
    ListName { name: list.into(), place }
}

/// A column of a list by its name.
pub(super) fn column(grammar: &Grammar, list: &str, column: &str) -> ColumnName {
    let place = || {
        let kind = grammar.list(LISTS)?.value(list, "kind")?;
        let columns = grammar.list(COLUMNS)?;
        let cell = |row, name| columns.cell(row, name).unwrap_or_default();
        let mut of_kind = columns.rows().iter().filter(|row| cell(row, "kind") == kind);
        u16::try_from(of_kind.position(|row| cell(row, "column") == column)?).ok()
    };
    ColumnName { name: column.into(), place: place() }
}

/// Whether a host is to be asked for a column of a list, or for a row if there is no column; if not, the
/// grammar has it.
///
/// # Errors
/// The list has another key, or no such column.
pub(super) fn check(
    grammar: &Grammar,
    list: &str,
    keys: &[TableKey],
    column: Option<&str>,
) -> Result<bool, String> {
    let lists = grammar.list(LISTS);
    let Some((kind, expected)) =
        lists.and_then(|lists| Some((lists.value(list, "kind")?, lists.value(list, "key")?)))
    else {
        return Ok(false);
    };
    let has_column = |column: &str| {
        let columns = grammar.list(COLUMNS);
        columns.is_some_and(|columns| {
            let cell = |row, name| columns.cell(row, name).unwrap_or_default();
            columns.rows().iter().any(|row| cell(row, "kind") == kind && cell(row, "column") == column)
        })
    };
    if let Some(column) = column.filter(|column| !has_column(column)) {
        // the grammar's list of the same name may have it
        let own = grammar.list(list).is_some_and(|list| list.header().iter().any(|name| name == column));
        return if own { Ok(false) } else { Err(format!("{list} has no column {column}")) };
    }
    let expected = expected.split(' ').map(|part| part.split('[').next().unwrap_or_default());
    if keys.iter().map(|key| key.column.as_str()).eq(expected.clone()) {
        Ok(true)
    } else {
        Err(format!("{list} is looked up by {}", expected.collect::<Vec<_>>().join(", ")))
    }
}
