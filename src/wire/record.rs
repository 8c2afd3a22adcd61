//! Records as they stood on the wire, borrowed and owned, and the plain iterator over a slice.

use std::collections::VecDeque;
use std::fmt;

use super::door::PADDING;
use super::{Columns, Limits, RECORD_LENGTH, Splitter};

/// What stands between two records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Separator {
    /// Nothing: a record every 80 bytes.
    None,
    /// A line feed.
    LineFeed,
    /// A carriage return and a line feed.
    CarriageReturnLineFeed,
    /// A carriage return alone. Streams are read so through a [`Door`](super::Door) only.
    CarriageReturn,
}

impl Separator {
    /// The bytes to write behind a record.
    #[must_use]
    pub fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::None => b"",
            Self::LineFeed => b"\n",
            Self::CarriageReturnLineFeed => b"\r\n",
            Self::CarriageReturn => b"\r",
        }
    }
}

/// What is wrong with the length of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Defect {
    /// An unseparated stream ended within the record (condition X42); the rest is filled with spaces.
    Short {
        /// The bytes there were: 1 to 79.
        found: usize,
    },
    /// The line has more than 80 columns; only the first 80 are delivered.
    Long {
        /// The columns of the line.
        found: usize,
    },
}

/// Whether columns say nothing: blanks, and what DOS and transfers put behind the end of a file.
#[must_use]
pub fn says_nothing(columns: &[u8]) -> bool {
    columns.iter().all(|byte| byte.is_ascii_whitespace() || PADDING.contains(byte))
}

/// A record where it stood, borrowed from the chunk it arrived in.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// Its columns, whatever bytes they are.
    pub columns: &'a Columns,
    /// Its number in the stream, counted from one; empty lines do not count.
    pub number: u64,
    /// The stream's bytes before its first column.
    pub offset: u64,
    /// Its bytes as found, without the separator; never 0.
    pub length: usize,
    /// What is wrong with its length.
    pub defect: Option<Defect>,
}

impl Line<'_> {
    /// The record with its own columns.
    #[must_use]
    pub fn to_record(&self) -> Record {
        Record {
            columns: *self.columns,
            number: self.number,
            offset: self.offset,
            length: self.length,
            defect: self.defect,
        }
    }
}

/// Says where the record stood but not what: control records hold passwords.
impl fmt::Debug for Line<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Line")
            .field("number", &self.number)
            .field("offset", &self.offset)
            .field("length", &self.length)
            .field("defect", &self.defect)
            .finish_non_exhaustive()
    }
}

/// A record where it stood; see [`Line`] for the fields.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Record {
    /// Its columns, whatever bytes they are.
    pub columns: Columns,
    /// Its number in the stream, counted from one; empty lines do not count.
    pub number: u64,
    /// The stream's bytes before its first column.
    pub offset: u64,
    /// Its bytes as found, without the separator; never 0.
    pub length: usize,
    /// What is wrong with its length.
    pub defect: Option<Defect>,
}

impl Record {
    /// The record, borrowed.
    #[must_use]
    pub fn as_line(&self) -> Line<'_> {
        Line {
            columns: &self.columns,
            number: self.number,
            offset: self.offset,
            length: self.length,
            defect: self.defect,
        }
    }
}

/// Says where the record stood but not what: control records hold passwords.
impl fmt::Debug for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_line().fmt(formatter)
    }
}

/// The records of a slice that holds a whole stream. Lines may have any length, for the bytes are
/// in memory already.
#[must_use]
pub fn records(stream: &[u8]) -> Records<'_> {
    let limits = Limits { line_length: usize::MAX, ..Limits::default() };
    Records { splitter: Splitter::new(limits), rest: stream, ready: VecDeque::new() }
}

/// The iterator that [`records`] makes.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    splitter: Splitter,
    rest: &'a [u8],
    ready: VecDeque<Record>,
}

impl Records<'_> {
    /// How records are separated; `None` as long as that is not known.
    #[must_use]
    pub fn separator(&self) -> Option<Separator> {
        self.splitter.separator()
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let ready = &mut self.ready;
        while ready.is_empty() && !self.rest.is_empty() {
            let (piece, rest) = self.rest.split_at(self.rest.len().min(PIECE));
            self.rest = rest;
            // No limit can be exceeded: there is none on lines.
            let _ = self.splitter.push(piece, &mut |line| ready.push_back(line.to_record()));
        }
        if ready.is_empty() {
            let _ = self.splitter.finish(&mut |line| ready.push_back(line.to_record()));
        }
        ready.pop_front()
    }
}

/// How much of a slice is cut at once: enough to make the search for separators cheap, little
/// enough for the records to stay in the nearest cache.
const PIECE: usize = 50 * RECORD_LENGTH;
