//! Where something stands in the records of a transaction, found once for all rules.

use crate::grammar::{ALL_COLUMNS, Bits, Cell};
use crate::wire::Columns;

/// The records of a transaction with a map of their columns.
#[derive(Debug)]
pub(super) struct Presence<'a>(Vec<Row<'a>>);

#[derive(Debug)]
struct Row<'a> {
    /// The columns in which something stands; bit 0 is column 1.
    columns: u128,
    /// The record, if all of it is ASCII.
    text: Option<&'a str>,
    raw: &'a Columns,
}

impl<'a> Presence<'a> {
    pub(super) fn of(rows: &'a [Columns]) -> Self {
        let row = |raw: &'a Columns| {
            let bits = Bits::of(raw);
            let text = std::str::from_utf8(raw).ok().filter(|_| bits.nonstandard() == 0);
            Row { columns: ALL_COLUMNS & !bits.space, text, raw }
        };
        Self(rows.iter().map(row).collect())
    }

    /// Whether something stands in a field.
    #[inline]
    pub(super) fn is_given(&self, cell: Cell, record: u32) -> bool {
        self.0[record as usize].columns & cell.mask() != 0
    }

    /// The text of a field without the spaces around it, as by [`Cell::text`].
    #[inline]
    pub(super) fn text(&self, cell: Cell, record: u32) -> &'a str {
        let row = &self.0[record as usize];
        let columns = row.columns & cell.mask();
        let Some(text) = row.text else { return cell.text(row.raw) };
        if columns == 0 {
            return "";
        }
        let (first, end) = (columns.trailing_zeros() as usize, 128 - columns.leading_zeros() as usize);
        text.get(first..end).unwrap_or_default()
    }
}
