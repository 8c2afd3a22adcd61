//! Tables of facts: tab separated text with a header line, `#` before a comment.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use flate2::read::DeflateDecoder;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// The files of `grammars/tariff` by their names, compressed by `build.rs`.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/tariff.rs"));
const SUFFIX: &str = ".table";

/// A table that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct TableError {
    /// The table's file.
    pub file: String,
    /// The line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong, and what was expected.
    pub message: String,
}

/// The texts of the tables by their names.
#[derive(Clone, Debug)]
pub struct Sources(HashMap<String, String>);

impl Sources {
    /// The tables that come with the program.
    #[must_use]
    pub fn builtin() -> Self {
        let named = FILES.iter().filter_map(|(file, compressed)| {
            let name = file.strip_suffix(SUFFIX)?;
            let mut text = String::new();
            // What the build compressed can be decompressed; should it not, the table is missing and told as such.
            DeflateDecoder::new(*compressed).read_to_string(&mut text).ok()?;
            Some((name.to_owned(), text))
        });
        Self(named.collect())
    }

    /// Puts a text in the place of the table of that name.
    pub fn replace(&mut self, name: &str, text: String) {
        self.0.insert(name.to_owned(), text);
    }

    /// Whether there is a table of that file name.
    #[must_use]
    pub fn knows(&self, path: &Path) -> bool {
        Self::name(path).is_some_and(|name| self.0.contains_key(name))
    }

    /// The name of the table that a file of this name holds.
    #[must_use]
    pub fn name(path: &Path) -> Option<&str> {
        path.file_name()?.to_str()?.strip_suffix(SUFFIX)
    }

    pub(super) fn text(&self, name: &str) -> Result<&str, TableError> {
        let missing = || TableError { file: name.to_owned(), line: 0, message: "no such table".to_owned() };
        self.0.get(name).map(String::as_str).ok_or_else(missing)
    }

    pub(super) fn table(&self, name: &str) -> Result<Table<'_>, TableError> {
        Ok(Table { file: format!("{name}{SUFFIX}"), text: self.text(name)? })
    }
}

/// A table's rows.
pub(super) struct Table<'t> {
    file: String,
    text: &'t str,
}

impl Table<'_> {
    /// Gives each row to `take`.
    pub(super) fn each<F>(&self, mut take: F) -> Result<(), TableError>
    where
        F: FnMut(&Row<'_>) -> Result<(), String>,
    {
        let lines = self.text.lines().enumerate();
        let mut lines = lines.filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
        let Some((_, header)) = lines.next() else { return Ok(()) };
        let header = header.split('\t').collect::<Vec<_>>();
        for (index, line) in lines {
            let row = Row::new(&header, line);
            let wrong = |message| TableError { file: self.file.clone(), line: index + 1, message };
            take(&row).map_err(wrong)?;
        }
        Ok(())
    }
}

/// A row by its columns' names.
pub(super) struct Row<'t> {
    header: &'t [&'t str],
    cells: Vec<&'t str>,
}

impl<'t> Row<'t> {
    pub(super) fn new(header: &'t [&'t str], line: &'t str) -> Self {
        Self { header, cells: line.split('\t').collect() }
    }

    /// The cell of a column; empty if there is none.
    pub(super) fn cell(&self, column: &str) -> &'t str {
        let place = self.header.iter().position(|name| *name == column);
        place.and_then(|place| self.cells.get(place)).map_or("", |cell| cell.trim())
    }

    /// The cell as a date, if it is not blank.
    pub(super) fn date(&self, column: &str) -> Result<Option<Date>, String> {
        self.parsed(column, "a date CCYY-MM-DD")
    }

    /// The cell as an exact number, if it is not blank.
    pub(super) fn decimal(&self, column: &str) -> Result<Option<Decimal>, String> {
        self.parsed(column, "a number")
    }

    fn parsed<T: std::str::FromStr>(&self, column: &str, expected: &str) -> Result<Option<T>, String> {
        match self.cell(column) {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| format!("column {column}: found {text:?}, expected {expected}")),
        }
    }

    /// The cell's words, between spaces or commas.
    pub(super) fn words(&self, column: &str) -> impl Iterator<Item = &'t str> {
        self.cell(column).split([' ', ',']).filter(|word| !word.is_empty())
    }

    /// The publication that the row rests on, and whether that was not at hand when the row was written.
    pub(super) fn source(&self) -> String {
        let (source, checked) = (self.cell("source"), self.cell("checked"));
        if checked == "unverified" { format!("{source} ({checked})") } else { source.to_owned() }
    }

    /// The dates between which the row counts.
    pub(super) fn period(&self) -> Result<Period, String> {
        Ok(Period {
            from: self.date("from")?.unwrap_or(Date::MIN),
            to: self.date("to")?.unwrap_or(Date::MAX),
        })
    }
}

/// The dates between which something counts, both included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Period {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

impl Period {
    /// Whether a day lies in it.
    #[must_use]
    pub fn contains(&self, date: Date) -> bool {
        self.from <= date && date <= self.to
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.from == Date::MIN, self.to == Date::MAX) {
            (true, true) => formatter.write_str("always"),
            (true, false) => write!(formatter, "until {}", self.to),
            (false, true) => write!(formatter, "from {}", self.from),
            (false, false) => write!(formatter, "from {} to {}", self.from, self.to),
        }
    }
}
