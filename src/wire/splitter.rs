//! Cuts a stream that arrives in chunks.

use std::fmt;

use memchr::memchr;

use super::door::{PADDING, UTF8_MARK};
use super::{Columns, Defect, Limit, LimitExceeded, Limits, Line, RECORD_LENGTH, Separator, says_nothing};

/// Cuts records from the chunks of a stream, as they come.
///
/// A record that lies within one chunk is lent out from it; only what is cut by the end of a chunk
/// or has to be padded is copied. Memory does not grow with the stream.
///
/// ```
/// use abigate::wire::{Limits, Splitter};
///
/// let mut splitter = Splitter::new(Limits::default());
/// let mut found = Vec::new();
/// for chunk in [&b"A1234"[..], b"56\r\nB12", b"3\r\n"] {
///     splitter.push(chunk, &mut |line| found.push((line.number, line.offset, line.length)))?;
/// }
/// splitter.finish(&mut |_| ())?;
/// assert_eq!(found, [(1, 0, 7), (2, 9, 4)]);
/// # Ok::<(), abigate::wire::LimitExceeded>(())
/// ```
#[derive(Clone)]
pub struct Splitter {
    limits: Limits,
    separator: Option<Separator>,
    /// The first bytes of the stream, kept until they tell how records are separated.
    head: Vec<u8>,
    /// The columns of a record whose end has not arrived.
    columns: Columns,
    /// The bytes of that record so far: 0 if there is none. May be more than 80 for a line.
    length: usize,
    /// The last of those bytes: a carriage return may turn out to be half of a separator.
    last: u8,
    /// Records delivered.
    number: u64,
    /// The stream's bytes before the next record.
    offset: u64,
    /// Whether the last record ended a batch: padding before the next one is none of its columns.
    is_between: bool,
    exceeded: Option<LimitExceeded>,
}

impl Splitter {
    /// A splitter at the start of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            separator: None,
            head: Vec::new(),
            columns: [b' '; RECORD_LENGTH],
            length: 0,
            last: 0,
            number: 0,
            offset: 0,
            is_between: false,
            exceeded: None,
        }
    }

    /// Takes the next bytes and hands over every record that they complete.
    ///
    /// # Errors
    /// A line is longer than the limit. The records before it have been handed over; every later
    /// call fails the same way.
    pub fn push(&mut self, chunk: &[u8], sink: &mut impl FnMut(Line<'_>)) -> Result<(), LimitExceeded> {
        if self.separator.is_some() {
            return self.cut(chunk, sink);
        }
        let rest = self.look(chunk);
        if self.separator.is_some() {
            let head = std::mem::take(&mut self.head);
            self.cut(&head, sink)?;
        }
        self.cut(rest, sink)
    }

    /// Hands over what is left when no more bytes will come: a last line without separator, or a
    /// last record that is too short. A carriage return at the end of a last line belongs to a
    /// separator that was cut off.
    ///
    /// The splitter may be used on, for a peer that leaves out the separator behind its last record
    /// and waits for an answer: what follows starts a new record.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(&mut self, sink: &mut impl FnMut(Line<'_>)) -> Result<(), LimitExceeded> {
        if self.separator.is_none() && !self.head.is_empty() {
            // Half a separator behind a whole record: it was a line.
            let is_line = self.head.len() > RECORD_LENGTH && self.head.ends_with(&[CARRIAGE_RETURN]);
            self.separator = Some(if is_line { Separator::LineFeed } else { Separator::None });
            let head = std::mem::take(&mut self.head);
            self.cut(&head, sink)?;
        }
        if let Some(exceeded) = self.exceeded {
            return Err(exceeded);
        }
        match self.separator {
            Some(Separator::None) => self.end_unseparated(sink),
            _ => self.end_line(0, sink),
        }
        Ok(())
    }

    /// How records are separated; `None` as long as that is not known.
    #[must_use]
    pub fn separator(&self) -> Option<Separator> {
        self.separator
    }

    /// The bytes of a record that has begun and whose end has not arrived.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.head.len() + self.length
    }

    /// Gathers the first bytes until they tell how records are separated; gives back the others.
    fn look<'a>(&mut self, mut chunk: &'a [u8]) -> &'a [u8] {
        while self.separator.is_none() && !chunk.is_empty() {
            let room = WINDOW - self.head.len();
            let (first, rest) = chunk.split_at(chunk.len().min(room));
            self.head.extend_from_slice(first);
            chunk = rest;
            let empty = empty_lines(&self.head);
            self.head.drain(..empty);
            self.offset += empty as u64;
            self.separator = separator_of(&self.head);
        }
        chunk
    }

    fn cut(&mut self, chunk: &[u8], sink: &mut impl FnMut(Line<'_>)) -> Result<(), LimitExceeded> {
        if let Some(exceeded) = self.exceeded {
            return Err(exceeded);
        }
        if chunk.is_empty() {
            return Ok(());
        }
        match self.separator {
            Some(Separator::None) => {
                self.cut_unseparated(chunk, sink);
                Ok(())
            }
            _ => self.cut_lines(chunk, sink),
        }
    }

    fn cut_lines(&mut self, mut rest: &[u8], sink: &mut impl FnMut(Line<'_>)) -> Result<(), LimitExceeded> {
        loop {
            if self.length == 0 {
                rest = self.lend_lines(rest, sink);
            }
            let Some(end) = memchr(LINE_FEED, rest) else {
                self.keep(rest);
                return self.check_line();
            };
            self.keep(&rest[..end]);
            self.check_line()?;
            self.end_line(1, sink);
            rest = &rest[end + 1..];
        }
    }

    /// Lends out lines of exactly 80 columns as long as there are any; gives back what follows.
    fn lend_lines<'a>(&mut self, mut rest: &'a [u8], sink: &mut impl FnMut(Line<'_>)) -> &'a [u8] {
        loop {
            if self.is_between {
                rest = self.skip_padding(rest);
            }
            let Some((columns, after)) = rest.split_first_chunk::<RECORD_LENGTH>() else { break };
            let separator = match after {
                // Behind 79 columns, the carriage return belongs to the separator.
                [LINE_FEED, ..] if columns[RECORD_LENGTH - 1] != CARRIAGE_RETURN => 1,
                [CARRIAGE_RETURN, LINE_FEED, ..] => 2,
                _ => break,
            };
            if holds_line_feed(columns) {
                break;
            }
            self.lend(columns, separator, sink);
            rest = &after[separator..];
        }
        rest
    }

    fn cut_unseparated(&mut self, mut rest: &[u8], sink: &mut impl FnMut(Line<'_>)) {
        if self.length > 0 {
            if self.length == 1 && self.last == CARRIAGE_RETURN && rest[0] == LINE_FEED {
                self.length = 0;
                self.offset += 2;
                rest = &rest[1..];
            } else {
                let (first, after) = rest.split_at(rest.len().min(RECORD_LENGTH - self.length));
                self.keep(first);
                rest = after;
                if self.length < RECORD_LENGTH {
                    return;
                }
                self.end_unseparated(sink);
            }
        }
        loop {
            let empty = empty_lines(rest);
            self.offset += empty as u64;
            rest = &rest[empty..];
            if self.is_between && rest.first().is_some_and(is_padding) {
                rest = self.skip_padding(rest);
                continue;
            }
            let Some((columns, after)) = rest.split_first_chunk::<RECORD_LENGTH>() else {
                return self.keep(rest);
            };
            self.lend(columns, 0, sink);
            rest = after;
        }
    }

    /// Delivers a record straight from the chunk.
    #[inline]
    fn lend(&mut self, columns: &Columns, separator: usize, sink: &mut impl FnMut(Line<'_>)) {
        self.number += 1;
        sink(Line { columns, number: self.number, offset: self.offset, length: RECORD_LENGTH, defect: None });
        self.offset += (RECORD_LENGTH + separator) as u64;
        self.is_between = ends_batch(columns) || self.is_between && says_nothing(columns);
    }

    /// Skips what pads the end of a batch.
    #[cold]
    fn skip_padding<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let padding = bytes.iter().take_while(|byte| is_padding(byte)).count();
        self.offset += padding as u64;
        &bytes[padding..]
    }

    /// Adds bytes to the record whose end has not arrived.
    fn keep(&mut self, bytes: &[u8]) {
        let Some(&last) = bytes.last() else { return };
        if let Some(free) = self.columns.get_mut(self.length..) {
            let copied = bytes.len().min(free.len());
            free[..copied].copy_from_slice(&bytes[..copied]);
        }
        self.length += bytes.len();
        self.last = last;
    }

    /// The columns of the line so far, without what may be half of a separator.
    fn line_length(&self) -> usize {
        self.length - usize::from(self.length > 0 && self.last == CARRIAGE_RETURN)
    }

    fn check_line(&mut self) -> Result<(), LimitExceeded> {
        if self.line_length() <= self.limits.line_length {
            return Ok(());
        }
        let exceeded = LimitExceeded {
            limit: Limit::LineLength,
            allowed: self.limits.line_length,
            number: self.number + 1,
            offset: self.offset,
        };
        self.exceeded = Some(exceeded);
        Err(exceeded)
    }

    /// Delivers the kept line unless it is empty, and goes on behind it and its line feed, if any.
    fn end_line(&mut self, line_feed: usize, sink: &mut impl FnMut(Line<'_>)) {
        let found = self.line_length();
        let defect = (found > RECORD_LENGTH).then_some(Defect::Long { found });
        self.deliver(found, defect, sink);
        self.offset += (self.length + line_feed) as u64;
        self.length = 0;
    }

    /// Delivers the kept record of an unseparated stream, if any.
    fn end_unseparated(&mut self, sink: &mut impl FnMut(Line<'_>)) {
        let found = self.length;
        let defect = (found < RECORD_LENGTH).then_some(Defect::Short { found });
        self.deliver(found, defect, sink);
        self.offset += found as u64;
        self.length = 0;
    }

    fn deliver(&mut self, length: usize, defect: Option<Defect>, sink: &mut impl FnMut(Line<'_>)) {
        if length == 0 {
            return;
        }
        if let Some(missing) = self.columns.get_mut(length..) {
            missing.fill(b' ');
        }
        self.number += 1;
        sink(Line { columns: &self.columns, number: self.number, offset: self.offset, length, defect });
        self.is_between = ends_batch(&self.columns) || self.is_between && says_nothing(&self.columns);
    }
}

/// Says where the splitter stands but not what it holds: control records hold passwords.
impl fmt::Debug for Splitter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Splitter")
            .field("limits", &self.limits)
            .field("separator", &self.separator)
            .field("number", &self.number)
            .field("offset", &self.offset)
            .field("pending", &self.pending())
            .field("exceeded", &self.exceeded)
            .finish_non_exhaustive()
    }
}

const LINE_FEED: u8 = b'\n';
const CARRIAGE_RETURN: u8 = b'\r';

/// How many bytes of a stream are looked at to find out how its records are separated. Two records
/// nearly always tell; a first line that goes on with spaces needs more.
const WINDOW: usize = 1024;

/// How records are separated, by the first bytes of a stream; `None` if more bytes are needed. What
/// is told by some bytes stays told when more arrive.
fn separator_of(head: &[u8]) -> Option<Separator> {
    let first = &head[..head.len().min(2 * RECORD_LENGTH)];
    if let Some(end) = memchr(LINE_FEED, first) {
        return Some(match first[..end].last() {
            Some(&CARRIAGE_RETURN) => Separator::CarriageReturnLineFeed,
            _ => Separator::LineFeed,
        });
    }
    // Until a second record of 80 columns is there, this may be a line that is too long.
    if head.len() < 2 * RECORD_LENGTH {
        return None;
    }
    // No record starts with a space, so spaces behind 80 columns belong to a long line.
    let after = &head[RECORD_LENGTH..];
    let spaces = after.iter().take_while(|&&byte| byte == b' ').count();
    match &after[spaces..] {
        [] | [CARRIAGE_RETURN] if head.len() < WINDOW => None,
        [LINE_FEED, ..] => Some(Separator::LineFeed),
        [CARRIAGE_RETURN, LINE_FEED, ..] => Some(Separator::CarriageReturnLineFeed),
        _ => Some(Separator::None),
    }
}

/// Whether it is a Z-record, behind which a stream may be padded: the one thing that cutting knows of what
/// records mean.
#[inline]
fn ends_batch(columns: &Columns) -> bool {
    columns[0] | 0x20 == b'z'
}

/// Whether a byte in front of a batch is padding, or part of a byte order mark: no record begins with one.
fn is_padding(byte: &u8) -> bool {
    PADDING.contains(byte) || UTF8_MARK.contains(byte)
}

/// How many bytes the empty lines take at the start of these bytes.
fn empty_lines(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let [LINE_FEED, after @ ..] | [CARRIAGE_RETURN, LINE_FEED, after @ ..] = rest {
        rest = after;
    }
    bytes.len() - rest.len()
}

/// Whether a line ends within these columns. Looks at all of them, which is faster than a search.
#[inline]
fn holds_line_feed(columns: &Columns) -> bool {
    columns.iter().fold(false, |found, &byte| found | (byte == LINE_FEED))
}
