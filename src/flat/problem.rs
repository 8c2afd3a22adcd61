//! What is wrong with a row, and what makes a file unreadable.

use std::fmt;
use std::io;

/// What is wrong with one row. The others are not touched by it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FlatProblem {
    /// The row in the file, from 1, as an editor or a spreadsheet counts: the header of comma separated
    /// values and empty lines are rows. Of records of 80 columns that become rows it is the record.
    pub row: u64,
    /// The kind of row, or the record's control identifier; empty if it is not known.
    pub record: String,
    /// The field; empty if it is the row as a whole.
    pub field: String,
    /// The first and last column, from 1, if it is one field's fault; of comma separated values the
    /// number of the value in its row, both times.
    pub columns: Option<(usize, usize)>,
    /// What was found; stars for the letters and digits of what is not to be shown.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

impl fmt::Display for FlatProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "row {}", self.row)?;
        if !self.record.is_empty() {
            write!(formatter, " ({})", self.record)?;
        }
        match self.columns {
            Some((first, last)) if first == last => write!(formatter, ", column {first}")?,
            Some((first, last)) => write!(formatter, ", columns {first}-{last}")?,
            None => {}
        }
        if !self.field.is_empty() {
            write!(formatter, " ({})", self.field)?;
        }
        write!(formatter, ": found {}, expected {}", self.found, self.expected)
    }
}

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlatError {
    /// The input or what takes the records failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Comma separated values that are none.
    #[error("{0}")]
    Csv(#[from] csv::Error),
    /// Values that something else than commas stands between.
    #[error("the values are separated by {0}: save the file with commas between them")]
    Separated(&'static str),
    /// A header that is not the layout's.
    #[error("header: found {found}, expected {expected}")]
    Header {
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
    },
}

/// Bytes or text as a problem shows them: quoted, and no longer than a line.
pub(super) fn shown(text: &str, secret: bool) -> String {
    const LONGEST: usize = 60;
    let letters = text.chars().map(|letter| if secret && letter.is_alphanumeric() { '*' } else { letter });
    let mut shown: String = letters.take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("{shown:?}")
}
