//! What can be done to a valid batch so that it is valid no more, or still.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What stands between records.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Break {
    /// A line feed.
    LineFeed,
    /// A carriage return and a line feed.
    CarriageReturnLineFeed,
    /// Nothing.
    Nothing,
}

impl Break {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::LineFeed, Self::CarriageReturnLineFeed, Self::Nothing];

    /// The bytes themselves.
    #[must_use]
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::LineFeed => b"\n",
            Self::CarriageReturnLineFeed => b"\r\n",
            Self::Nothing => b"",
        }
    }
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldFault {
    /// Blank though mandatory.
    Missing,
    /// A character that its class does not have.
    WrongClass,
    /// A value that is on none of its lists.
    WrongCode,
    /// Digits that are no day.
    NoDate,
    /// Zero.
    Zero,
    /// The largest number that fits: valid, but not small.
    Largest,
    /// A check digit that is not the right one.
    CheckDigit,
    /// Letters where a check asks for digits.
    NotDigits,
    /// Something in a filler.
    FilledFiller,
    /// A character that no keyboard has.
    OddCharacter,
    /// Another value than in the record it must agree with.
    Disagreeing,
}

/// A control record, by its place in a batch.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// A.
    BatchHeader,
    /// B.
    BlockHeader,
    /// Y.
    BlockTrailer,
    /// Z.
    BatchTrailer,
}

/// One change of a batch. Records are counted from zero.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mutation {
    /// None: it must be accepted.
    Nothing,
    /// Other columns in a record.
    Field {
        /// The record.
        row: usize,
        /// The first column, from zero.
        column: usize,
        /// What stands there now.
        bytes: Vec<u8>,
        /// What is wrong with that.
        fault: FieldFault,
    },
    /// Records taken out.
    Drop {
        /// The first one.
        first: usize,
        /// Behind the last one.
        end: usize,
    },
    /// Records once more, behind themselves.
    Repeat {
        /// The first one.
        first: usize,
        /// Behind the last one.
        end: usize,
        /// How many times more.
        times: usize,
    },
    /// A record put elsewhere.
    Move {
        /// The record.
        from: usize,
        /// Where it comes to stand once it is taken out.
        to: usize,
    },
    /// Another control identifier.
    Rename {
        /// The record.
        row: usize,
        /// Its identifier.
        identifier: Vec<u8>,
    },
    /// A record that ends too early or goes on too long.
    Length {
        /// The record.
        row: usize,
        /// Its length.
        length: usize,
    },
    /// Lower case letters in a record.
    LowerCase {
        /// The record.
        row: usize,
    },
    /// A control record taken out.
    DropControl(Control),
    /// All between a B-record and its Y-record taken out.
    EmptyBlock {
        /// Behind the last one; the first one stands behind the B-record.
        end: usize,
    },
    /// Another separator.
    Separate(Break),
    /// The stream ends early.
    Cut(usize),
}

impl Mutation {
    /// Its kind in a word, for summaries and names of files.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Field { fault, .. } => match fault {
                FieldFault::Missing => "missing-field",
                FieldFault::WrongClass => "wrong-class",
                FieldFault::WrongCode => "wrong-code",
                FieldFault::NoDate => "no-date",
                FieldFault::Zero => "zero",
                FieldFault::Largest => "largest-number",
                FieldFault::CheckDigit => "check-digit",
                FieldFault::NotDigits => "not-digits",
                FieldFault::FilledFiller => "filled-filler",
                FieldFault::OddCharacter => "odd-character",
                FieldFault::Disagreeing => "disagreeing",
            },
            Self::Drop { .. } => "drop",
            Self::Repeat { .. } => "repeat",
            Self::Move { .. } => "move",
            Self::Rename { .. } => "unknown-record",
            Self::Length { .. } => "length",
            Self::LowerCase { .. } => "lower-case",
            Self::DropControl(_) => "drop-control",
            Self::EmptyBlock { .. } => "empty-block",
            Self::Separate(_) => "separator",
            Self::Cut(_) => "cut",
        }
    }

    /// The records it is about, if it is about some in particular.
    #[must_use]
    pub fn rows(&self) -> Option<(usize, usize)> {
        match self {
            Self::Field { row, .. }
            | Self::Rename { row, .. }
            | Self::Length { row, .. }
            | Self::LowerCase { row } => Some((*row, row + 1)),
            Self::Drop { first, end } | Self::Repeat { first, end, .. } => Some((*first, *end)),
            Self::Move { from, to } => Some((*from.min(to), from.max(to) + 1)),
            Self::EmptyBlock { end } => Some((2, *end)),
            _ => None,
        }
    }

    /// The same once some records are gone; none if it is about one of them.
    pub(super) fn without(&self, first: usize, end: usize) -> Option<Self> {
        if let Self::EmptyBlock { end: last } = self {
            return (end < *last && first > 2).then_some(Self::EmptyBlock { end: last - (end - first) });
        }
        let moved = |at: usize| if at >= end { at - (end - first) } else { at };
        match self.rows() {
            Some((from, to)) if from < end && first < to => return None,
            _ => {}
        }
        let mut other = self.clone();
        match &mut other {
            Self::Field { row, .. }
            | Self::Rename { row, .. }
            | Self::Length { row, .. }
            | Self::LowerCase { row } => *row = moved(*row),
            Self::Drop { first, end } | Self::Repeat { first, end, .. } => {
                let length = *end - *first;
                *first = moved(*first);
                *end = *first + length;
            }
            Self::Move { from, to } => (*from, *to) = (moved(*from), moved(*to)),
            Self::Cut(_) => return None,
            _ => {}
        }
        Some(other)
    }

    /// Does it to the records of a batch.
    pub(super) fn apply(&self, lines: &mut Vec<Vec<u8>>) {
        match self {
            Self::Nothing | Self::Separate(_) | Self::Cut(_) => {}
            Self::Field { row, column, bytes, .. } => {
                lines[*row][*column..][..bytes.len()].copy_from_slice(bytes)
            }
            Self::Drop { first, end } => drop(lines.drain(first..end)),
            Self::Repeat { first, end, times } => {
                let again = lines[*first..*end].to_vec();
                let copies = std::iter::repeat_n(again, *times).flatten().collect::<Vec<_>>();
                lines.splice(*end..*end, copies);
            }
            Self::Move { from, to } => {
                let line = lines.remove(*from);
                lines.insert(*to, line);
            }
            Self::Rename { row, identifier } => lines[*row][..identifier.len()].copy_from_slice(identifier),
            Self::Length { row, length } => lines[*row].resize(*length, b'X'),
            // The identifier stays as it is: by it a record is known at all.
            Self::LowerCase { row } => lines[*row][4..].make_ascii_lowercase(),
            Self::DropControl(control) => {
                let count = lines.len();
                lines.remove(match control {
                    Control::BatchHeader => 0,
                    Control::BlockHeader => 1,
                    Control::BlockTrailer => count - 2,
                    Control::BatchTrailer => count - 1,
                });
            }
            Self::EmptyBlock { end } => drop(lines.drain(2..*end)),
        }
    }
}

impl fmt::Display for Mutation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field { row, column, bytes, .. } => {
                let text = bytes.escape_ascii();
                write!(
                    formatter,
                    "{}: record {} from column {} holds \"{text}\"",
                    self.kind(),
                    row + 1,
                    column + 1
                )
            }
            Self::Repeat { first, end, times } => {
                write!(formatter, "repeat: records {} to {end} {times} times more", first + 1)
            }
            Self::Move { from, to } => write!(formatter, "move: record {} to place {}", from + 1, to + 1),
            Self::Length { row, length } => {
                write!(formatter, "length: record {} has {length} columns", row + 1)
            }
            Self::DropControl(control) => write!(formatter, "drop-control: {control:?}"),
            Self::Separate(separator) => write!(formatter, "separator: {separator:?}"),
            Self::Cut(length) => write!(formatter, "cut: only the first {length} bytes"),
            other => match other.rows() {
                Some((first, end)) if end > first + 1 => {
                    write!(formatter, "{}: records {} to {end}", other.kind(), first + 1)
                }
                Some((first, _)) => write!(formatter, "{}: record {}", other.kind(), first + 1),
                None => formatter.write_str(other.kind()),
            },
        }
    }
}
