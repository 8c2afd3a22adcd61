//! Reference data as CSV files, one a kind and a day: `port.2026-11-01.csv` says what is known of ports
//! from that day on.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::{Reader, ReaderBuilder, StringRecord, Trim};
use jiff::civil::Date;

use super::kind::{ReferenceKind, ReferenceKinds};
use super::reference::ReferenceTable;
use crate::tariff::TableError;
use crate::wire::text_of;

/// How many problems of one file are told.
const TOLD: usize = 100;

/// What is wrong with a row of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RowProblem {
    /// The line, counted from one.
    pub line: u64,
    /// The column, if it is one.
    pub column: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for RowProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}", self.line)?;
        if let Some(column) = &self.column {
            write!(formatter, ", column {column}")?;
        }
        write!(formatter, ": {}", self.message)
    }
}

/// A file of reference data that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceFileError {
    /// It cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Its name is not made of a kind, a day and `csv`.
    #[error("{0}: not the name of a file of reference data, such as port.2026-11-01.csv")]
    Name(String),
    /// Rows are wrong; the first hundred are told.
    #[error("{path}: {first}{more}", first = problems[0], more = more(*count))]
    Rows {
        /// The file.
        path: String,
        /// What is wrong; never empty.
        problems: Vec<RowProblem>,
        /// How many problems there are.
        count: usize,
    },
    /// A schedule of the tariff cannot be read.
    #[error(transparent)]
    Schedule(#[from] TableError),
    /// There is one of that kind and day.
    #[error("{0} is there already")]
    There(String),
}

fn more(count: usize) -> String {
    if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() }
}

/// The files of a folder whose names end so, in their order.
pub(super) fn ending_in(folder: &Path, end: &str) -> Result<Vec<PathBuf>, ReferenceFileError> {
    let failed = |source| ReferenceFileError::Io { path: folder.display().to_string(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == end) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A file in a folder of reference data.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ReferenceFile {
    /// The kind.
    pub kind: String,
    /// The first day on which it is in force.
    pub since: Date,
    /// Where it is.
    pub path: PathBuf,
}

impl ReferenceFile {
    /// The files of a folder, by kind and day. What does not end in `.csv` is none.
    ///
    /// # Errors
    /// The folder cannot be read, or a name is not made of a kind and a day.
    pub fn all(folder: &Path, kinds: &ReferenceKinds) -> Result<Vec<Self>, ReferenceFileError> {
        let files = ending_in(folder, "csv")?.into_iter().map(|path| Self::named(path, kinds));
        let mut files = files.collect::<Result<Vec<_>, _>>()?;
        files.sort();
        Ok(files)
    }

    fn named(path: PathBuf, kinds: &ReferenceKinds) -> Result<Self, ReferenceFileError> {
        let name = path.file_stem().and_then(|name| name.to_str()).and_then(|name| name.split_once('.'));
        let parts = name.and_then(|(kind, day)| Some((kinds.get(kind)?, day.parse::<Date>().ok()?)));
        match parts {
            Some((kind, since)) => Ok(Self { kind: kind.name.clone(), since, path }),
            None => Err(ReferenceFileError::Name(path.display().to_string())),
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// It cannot be read, or holds rows that are wrong.
    pub fn read(&self, kinds: &ReferenceKinds) -> Result<ReferenceTable, ReferenceFileError> {
        let kind = kinds.get(&self.kind);
        let kind = kind.ok_or_else(|| ReferenceFileError::Name(self.path.display().to_string()))?;
        read(kind, &self.path)
    }

    /// Puts a file of a kind into a folder, in force from a day on. Its rows are checked first, and the
    /// folder holds either all of it or nothing.
    ///
    /// # Errors
    /// The file cannot be read, a row is wrong, the folder has one of that kind and day and it is not to
    /// be replaced, or it cannot be written.
    pub fn import(
        kind: &ReferenceKind,
        source: &Path,
        since: Date,
        folder: &Path,
        replace: bool,
    ) -> Result<(Self, ReferenceTable), ReferenceFileError> {
        let text = bytes(source)?;
        let table = parse(kind, &text).map_err(|wrong| wrong.of(source))?;
        let path = folder.join(format!("{}.{since}.csv", kind.name));
        if path.exists() && !replace {
            return Err(ReferenceFileError::There(path.display().to_string()));
        }
        let file = Self { kind: kind.name.clone(), since, path };
        file.write(folder, &text)
            .map_err(|source| ReferenceFileError::Io { path: file.path.display().to_string(), source })?;
        Ok((file, table))
    }

    /// Writes beside the file and then renames, so that none is ever seen in part.
    #[allow(clippy::disallowed_methods, reason = "the host keeps reference data without the command line")]
    fn write(&self, folder: &Path, text: &[u8]) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let draft = self.path.with_extension(format!("csv.{}", std::process::id()));
        let written = fs::File::create(&draft).and_then(|mut file| {
            file.write_all(text)?;
            file.sync_all()
        });
        let renamed = written.and_then(|()| fs::rename(&draft, &self.path));
        if renamed.is_err() {
            // the draft is of no use; why it could not be written is what is told
            let _ = fs::remove_file(&draft);
            return renamed;
        }
        #[cfg(unix)]
        fs::File::open(folder)?.sync_all()?;
        Ok(())
    }
}

/// Reads a file of a kind, whatever its name.
///
/// # Errors
/// It cannot be read, or holds rows that are wrong.
fn read(kind: &ReferenceKind, path: &Path) -> Result<ReferenceTable, ReferenceFileError> {
    parse(kind, &bytes(path)?).map_err(|wrong| wrong.of(path))
}

fn bytes(path: &Path) -> Result<Vec<u8>, ReferenceFileError> {
    let failed = |source| ReferenceFileError::Io { path: path.display().to_string(), source };
    let text = text_of(&fs::read(path).map_err(failed)?);
    text.map_err(|unreadable| failed(io::Error::new(io::ErrorKind::InvalidData, unreadable)))
}

#[derive(Debug, Default)]
struct Wrong {
    problems: Vec<RowProblem>,
    count: usize,
}

impl Wrong {
    fn tell(&mut self, line: u64, column: Option<&str>, message: impl Into<String>) {
        self.count += 1;
        if self.problems.len() < TOLD {
            let column = column.map(str::to_owned);
            self.problems.push(RowProblem { line, column, message: message.into() });
        }
    }

    fn of(self, path: &Path) -> ReferenceFileError {
        let path = path.display().to_string();
        ReferenceFileError::Rows { path, problems: self.problems, count: self.count }
    }
}

/// Every row of a text is checked, so that all that is wrong can be told at once.
fn parse(kind: &ReferenceKind, text: &[u8]) -> Result<ReferenceTable, Wrong> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut reader = ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(text);
    let mut wrong = Wrong::default();
    let Some(places) = header(kind, &mut reader, &mut wrong) else { return Err(wrong) };
    let mut table = ReferenceTable::new(Arc::new(kind.clone()));
    let mut lines = Vec::new();
    let mut cells = vec![String::new(); kind.columns.len()];
    let mut record = StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let line = error.position().map_or(line, csv::Position::line);
                wrong.tell(line, None, "not UTF-8");
                continue;
            }
        }
        let line = record.position().map_or(line, csv::Position::line);
        if record.len() != reader.headers().map_or(0, StringRecord::len) {
            wrong.tell(line, None, format!("{} cells, not as many as the header has", record.len()));
            continue;
        }
        let before = wrong.count;
        for ((column, place), cell) in kind.columns.iter().zip(&places).zip(&mut cells) {
            match column.value(place.and_then(|place| record.get(place)).unwrap_or_default()) {
                Ok(value) => *cell = value,
                Err(expected) => wrong.tell(line, Some(&column.name), format!("expected {expected}")),
            }
        }
        if wrong.count > before {
            continue;
        }
        match table.push(&cells) {
            Ok(()) => lines.push(line),
            Err(twice) => {
                let message = format!("{} stands in line {} as well", twice.key, lines[twice.row]);
                wrong.tell(line, None, message);
            }
        }
    }
    if wrong.count > 0 { Err(wrong) } else { Ok(table) }
}

/// Where each column of the kind stands in the file.
fn header(kind: &ReferenceKind, reader: &mut Reader<&[u8]>, wrong: &mut Wrong) -> Option<Vec<Option<usize>>> {
    let Ok(names) = reader.headers().cloned() else {
        wrong.tell(1, None, "not UTF-8");
        return None;
    };
    for (place, name) in names.iter().enumerate() {
        if kind.position(name).is_none() {
            wrong.tell(1, Some(name), format!("{} has no such column", kind.name));
        } else if names.iter().take(place).any(|earlier| earlier == name) {
            wrong.tell(1, Some(name), "stands there twice");
        }
    }
    let places = kind.columns.iter().map(|column| names.iter().position(|name| name == column.name));
    let places = places.collect::<Vec<_>>();
    for (column, place) in kind.columns.iter().zip(&places) {
        if place.is_none() && column.need == super::kind::Need::Required {
            wrong.tell(1, Some(&column.name), "is missing");
        }
    }
    (wrong.count == 0).then_some(places)
}
