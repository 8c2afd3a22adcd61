//! Tables of reference data: rows as they are read, and their look-up by the keys of lists.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use foldhash::fast::RandomState;
use jiff::civil::Date;

use super::kind::{Form, List, ReferenceKind};
use crate::rules::ColumnName;

/// Rows of a kind. All cells stand in one text, so that tens of thousands of rows are read quickly and
/// looked up by a hash.
#[derive(Clone)]
pub struct ReferenceTable {
    kind: Arc<ReferenceKind>,
    text: String,
    /// Where each cell ends in the text, row by row.
    ends: Vec<usize>,
    /// By the lists of the kind.
    indexes: Vec<Index>,
    /// With what the keys of each list begin, for lists whose keys have several parts.
    firsts: Vec<HashSet<Box<str>, RandomState>>,
}

#[derive(Clone)]
enum Index {
    Plain(HashMap<Box<str>, usize, RandomState>),
    /// The rows of a key with their first days, in order.
    Dated(HashMap<Box<str>, Vec<(Date, usize)>, RandomState>),
}

/// A key that an earlier row has as well.
#[derive(Debug)]
pub(super) struct Twice {
    /// The key as a message may show it.
    pub(super) key: String,
    /// The earlier row, counted from zero.
    pub(super) row: usize,
}

/// A party's number as an error may show it: its last three characters.
pub(super) fn masked(number: &str) -> String {
    let shown = number.chars().count().saturating_sub(3);
    number.chars().enumerate().map(|(index, sign)| if index < shown { '*' } else { sign }).collect()
}

/// Counts the rows only: some are of taxpayers.
impl fmt::Debug for ReferenceTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = formatter.debug_struct("ReferenceTable");
        table.field("kind", &self.kind.name).field("rows", &self.len()).finish()
    }
}

impl ReferenceTable {
    pub(super) fn new(kind: Arc<ReferenceKind>) -> Self {
        let index = |list: &List| {
            if list.dated { Index::Dated(HashMap::default()) } else { Index::Plain(HashMap::default()) }
        };
        let indexes = kind.lists.iter().map(index).collect();
        let firsts = vec![HashSet::default(); kind.lists.len()];
        Self { kind, text: String::new(), ends: Vec::new(), indexes, firsts }
    }

    /// Adds a row; each cell is what its column's [`value`](super::kind::ReferenceColumn::value) gave.
    ///
    /// # Errors
    /// Its key stands there already. The row is not added then.
    pub(super) fn push(&mut self, cells: &[String]) -> Result<(), Twice> {
        debug_assert_eq!(cells.len(), self.kind.columns.len());
        let kind = Arc::clone(&self.kind);
        let row = self.len();
        for (number, (list, index)) in kind.lists.iter().zip(&mut self.indexes).enumerate() {
            if list.only.as_ref().is_some_and(|(column, value)| cells[*column] != *value) {
                continue;
            }
            for key in keys(list, &kind, cells) {
                if list.key.len() > 1 && !self.firsts[number].contains(first_part(&key)) {
                    self.firsts[number].insert(first_part(&key).into());
                }
                let earlier = index.insert(key, row);
                if number == 0
                    && let Some(row) = earlier
                {
                    return Err(Twice { key: shown_key(list, &kind, cells), row });
                }
            }
        }
        for cell in cells {
            self.text.push_str(cell);
            self.ends.push(self.text.len());
        }
        Ok(())
    }

    /// What kind of rows they are.
    #[must_use]
    pub fn kind(&self) -> &ReferenceKind {
        &self.kind
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len() / self.kind.columns.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// A row's cells in the order of the columns; empty if there is no such row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = &str> {
        let columns = if row < self.len() { 0..self.kind.columns.len() } else { 0..0 };
        columns.map(move |column| self.cell(row, column))
    }

    fn cell(&self, row: usize, column: usize) -> &str {
        let position = row * self.kind.columns.len() + column;
        let start = position.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[position]]
    }

    /// The row of a key of the kind's first list: the values of its columns with spaces between. Where
    /// the key ends in a date, the newest row that is not after it.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<usize> {
        self.find_in(0, key)
    }

    /// The row of a key of one of the kind's lists.
    pub(super) fn find_in(&self, list: usize, key: &str) -> Option<usize> {
        match self.indexes.get(list)? {
            Index::Plain(rows) => rows.get(key).copied(),
            Index::Dated(rows) => {
                let (key, day) = key.rsplit_once(' ')?;
                let day = day.parse::<Date>().ok()?;
                let rows = rows.get(key)?;
                let newer = rows.partition_point(|(first, _)| *first <= day);
                newer.checked_sub(1).map(|newest| rows[newest].1)
            }
        }
    }

    /// Whether a key of one of the kind's lists may begin with this part. It is the quick way to learn that
    /// there is nothing to find.
    pub(super) fn may_have(&self, list: usize, first: &str) -> bool {
        let has_parts = self.kind.lists.get(list).is_some_and(|list| list.key.len() > 1);
        !has_parts || self.firsts.get(list).is_some_and(|firsts| firsts.contains(first_part(first)))
    }

    /// A column of a row; `None` if the kind has no such column.
    pub(super) fn value(&self, row: usize, column: &str) -> Option<&str> {
        let column = self.kind.position(column)?;
        (row < self.len()).then(|| self.cell(row, column))
    }

    /// A column of a row, as rules name it.
    #[inline]
    pub(super) fn named(&self, row: u32, column: &ColumnName) -> Option<&str> {
        let row = usize::try_from(row).ok().filter(|row| *row < self.len())?;
        let place = column.place.map(usize::from).filter(|place| *place < self.kind.columns.len());
        Some(self.cell(row, place.or_else(|| self.kind.position(&column.name))?))
    }

    /// The keys of a list, sorted, without the day in which they may end.
    pub(super) fn codes(&self, list: usize) -> Vec<&str> {
        let mut codes = match self.indexes.get(list) {
            Some(Index::Plain(rows)) => rows.keys().map(|key| &**key).collect::<Vec<_>>(),
            Some(Index::Dated(rows)) => rows.keys().map(|key| &**key).collect(),
            None => Vec::new(),
        };
        codes.sort_unstable();
        codes
    }

    /// The rows in the order of the keys of the kind's first list.
    #[must_use]
    pub fn sorted(&self) -> Vec<usize> {
        let mut keys = match self.indexes.first() {
            Some(Index::Plain(rows)) => rows.iter().map(|(key, row)| (&**key, Date::MIN, *row)).collect(),
            Some(Index::Dated(rows)) => rows
                .iter()
                .flat_map(|(key, rows)| rows.iter().map(move |(day, row)| (&**key, *day, *row)))
                .collect::<Vec<_>>(),
            None => Vec::new(),
        };
        keys.sort_unstable();
        keys.into_iter().map(|(.., row)| row).collect()
    }
}

impl Index {
    /// Adds a row; the earlier row with the same key, which stays, if there is one.
    fn insert(&mut self, key: String, row: usize) -> Option<usize> {
        match self {
            Self::Plain(rows) => match rows.entry(key.into()) {
                std::collections::hash_map::Entry::Occupied(known) => Some(*known.get()),
                std::collections::hash_map::Entry::Vacant(free) => {
                    free.insert(row);
                    None
                }
            },
            Self::Dated(rows) => {
                let (key, day) = key.rsplit_once(' ').unwrap_or((&key, ""));
                // a row that does not say since when counts from the beginning
                let day = day.parse::<Date>().unwrap_or(Date::MIN);
                let rows = rows.entry(key.into()).or_default();
                match rows.binary_search_by(|(known, _)| known.cmp(&day)) {
                    Ok(known) => Some(rows[known].1),
                    Err(place) => {
                        rows.insert(place, (day, row));
                        None
                    }
                }
            }
        }
    }
}

/// The keys of a row in a list: one, or one for each word of a column with several.
fn keys(list: &List, kind: &ReferenceKind, cells: &[String]) -> Vec<String> {
    let mut keys = vec![String::new()];
    for (number, part) in list.key.iter().enumerate() {
        let cell = &cells[part.column];
        let cell = match part.signs {
            Some((from, to)) => cell.get(from - 1..to.min(cell.len())).unwrap_or(cell),
            None => cell,
        };
        let several = matches!(kind.columns[part.column].form, Form::Words | Form::Parties);
        let values = if several { cell.split(' ').collect::<Vec<_>>() } else { vec![cell] };
        let separator = if number > 0 { " " } else { "" };
        keys = keys
            .iter()
            .flat_map(|key| values.iter().map(move |value| format!("{key}{separator}{value}")))
            .collect();
    }
    keys
}

fn first_part(key: &str) -> &str {
    key.split(' ').next().unwrap_or_default()
}

fn shown_key(list: &List, kind: &ReferenceKind, cells: &[String]) -> String {
    let shown = |column: usize| {
        let cell = &cells[column];
        if kind.columns[column].is_private() { masked(cell) } else { cell.clone() }
    };
    list.key.iter().map(|part| shown(part.column)).collect::<Vec<_>>().join(" ")
}

/// The key of a row as a message may show it.
pub(super) fn key_of(kind: &ReferenceKind, cells: &[String]) -> String {
    kind.lists.first().map(|list| shown_key(list, kind, cells)).unwrap_or_default()
}
