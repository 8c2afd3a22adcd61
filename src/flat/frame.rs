//! Rows cut from bytes.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use memchr::memchr;

use super::layout::{FlatLayout, Format};
use super::parse::Separator;

/// A row as it came.
pub(super) struct Frame<'a> {
    /// Its number, from 1; empty lines are counted and not given.
    pub(super) number: u64,
    /// Its bytes, filled up to the length of a row.
    pub(super) columns: Cow<'a, [u8]>,
    /// Its bytes with what separates it from the next one.
    pub(super) raw: Cow<'a, [u8]>,
    /// How many bytes it has, where that is wrong.
    pub(super) wrong_length: Option<usize>,
}

impl Frame<'_> {
    pub(super) fn into_owned(self) -> Frame<'static> {
        Frame {
            columns: Cow::Owned(self.columns.into_owned()),
            raw: Cow::Owned(self.raw.into_owned()),
            ..self
        }
    }
}

/// What stands behind the end of a file of DOS or fills up a transfer. EBCDIC has its own byte for the former.
const PADDING: [u8; 2] = [0x1a, 0];

/// How many bytes beyond its length a line is kept to show it in full.
const EXCESS: usize = 4096;

/// Gives the rows of a file to `sink`, in order. Lines that are too short are filled with spaces.
pub(super) fn frames(
    layout: &FlatLayout,
    mut input: impl BufRead,
    sink: &mut dyn FnMut(Frame<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let Format::Fixed { length, separator, encoding } = layout.format else { return Ok(()) };
    if let Separator::Descriptors { blocks } = separator {
        return described(layout, input, (length, encoding.space(), blocks), sink);
    }
    if let Some(word) = looks_described(input.fill_buf()?) {
        let message =
            format!("the rows have descriptor words before them: the layout is to say separator {word}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    let is_lines = separator != Separator::None;
    let end = layout.separator().last().copied().unwrap_or_default();
    let mut raw = Vec::with_capacity(length + 2);
    let mut columns = vec![0; length];
    let mut number = 0;
    loop {
        raw.clear();
        let found = if is_lines {
            read_line(&mut input, end, length + EXCESS, &mut raw)?
        } else {
            input.by_ref().take(length as u64).read_to_end(&mut raw)?
        };
        if found == 0 {
            return Ok(());
        }
        number += 1;
        let line = if is_lines { without_end(&raw, end, length) } else { raw.as_slice() };
        let substitute = encoding.encode_char('\u{1a}').unwrap_or_default();
        // A line that says nothing, and what pads a file behind its last row.
        let is_blank = |byte: &u8| *byte == encoding.space() || PADDING.contains(byte) || *byte == substitute;
        if line.iter().all(is_blank) && (is_lines || line.len() < length) {
            continue;
        }
        // What is not kept of a line counts.
        let true_length = found - (raw.len() - line.len());
        let kept = line.len().min(length);
        columns[..kept].copy_from_slice(&line[..kept]);
        columns[kept..].fill(encoding.space());
        let wrong = true_length > length || !is_lines && true_length < length;
        sink(Frame {
            number,
            columns: Cow::Borrowed(&columns),
            raw: Cow::Borrowed(&raw),
            wrong_length: wrong.then_some(true_length),
        })?;
    }
}

/// The length of a descriptor word.
pub(super) const DESCRIPTOR: usize = 4;

/// The length that a descriptor word states, itself included; none if it is no such word. What is no whole
/// row (a segment of a spanned one) has other bits.
fn stated(word: &[u8]) -> Option<usize> {
    let [high, low, 0, 0] = *word.first_chunk::<DESCRIPTOR>()? else { return None };
    Some(usize::from(u16::from_be_bytes([high, low]))).filter(|length| *length > DESCRIPTOR)
}

/// What a layout is to say of a file whose rows have descriptor words: two in a row are no accident.
fn looks_described(start: &[u8]) -> Option<&'static str> {
    let block = stated(start)?;
    let inner = start.get(DESCRIPTOR..).and_then(stated);
    if inner.is_some_and(|inner| inner + DESCRIPTOR <= block) {
        return Some("BDW");
    }
    let next = start.get(block..)?;
    (next.is_empty() || stated(next).is_some()).then_some("RDW")
}

/// Gives rows that descriptor words tell the length of. Rows that are too short are filled with spaces.
fn described(
    layout: &FlatLayout,
    mut input: impl BufRead,
    (length, space, blocks): (usize, u8, bool),
    sink: &mut dyn FnMut(Frame<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let (mut block, mut number) = (0, 0);
    loop {
        number += 1;
        if blocks && block == 0 {
            let Some(stated) = descriptor(&mut input, number, "block")? else { return Ok(()) };
            block = stated;
        }
        let Some(stated) = descriptor(&mut input, number, "record")? else { return Ok(()) };
        let mut row = Vec::with_capacity(stated);
        let found = input.by_ref().take(stated as u64).read_to_end(&mut row)?;
        if found < stated {
            let message = format!("row {number} ends after {found} of {stated} bytes: the file is cut off");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        if blocks {
            block = block.checked_sub(stated + DESCRIPTOR).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, format!("row {number} is longer than its block"))
            })?;
        }
        let raw = layout.framed(row.clone());
        row.resize(length, space);
        let wrong_length = (found > length).then_some(found);
        sink(Frame { number, columns: Cow::Owned(row), raw: Cow::Owned(raw), wrong_length })?;
    }
}

/// Reads a descriptor word and gives the length of what it describes; none at the end of the file.
fn descriptor(input: &mut impl BufRead, number: u64, what: &str) -> io::Result<Option<usize>> {
    let mut word = Vec::with_capacity(DESCRIPTOR);
    if input.by_ref().take(DESCRIPTOR as u64).read_to_end(&mut word)? == 0 {
        return Ok(None);
    }
    let length = stated(&word).ok_or_else(|| {
        let digits = word.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let message = format!("row {number}: found x\"{digits}\", expected a {what} descriptor word");
        io::Error::new(io::ErrorKind::InvalidData, message)
    })?;
    Ok(Some(length - DESCRIPTOR))
}

/// Reads up to the end of a line, keeps so much of it, and gives its length with the end.
fn read_line(input: &mut impl BufRead, end: u8, keep: usize, line: &mut Vec<u8>) -> io::Result<usize> {
    let mut length = 0;
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            return Ok(length);
        }
        let at = memchr(end, chunk);
        let taken = at.map_or(chunk.len(), |at| at + 1);
        let room = keep.saturating_sub(line.len()).min(taken);
        line.extend_from_slice(&chunk[..room]);
        length += taken;
        input.consume(taken);
        if at.is_some() {
            return Ok(length);
        }
    }
}

/// A line without its end; a carriage return before it is one, unless the row is full with it.
fn without_end(raw: &[u8], end: u8, length: usize) -> &[u8] {
    let line = raw.strip_suffix(&[end]).unwrap_or(raw);
    match line.strip_suffix(b"\r") {
        Some(shorter) if line.len() != length => shorter,
        _ => line,
    }
}

/// The most bytes of one row of comma separated values.
const LONGEST_ROW: u64 = 1 << 20;

/// A reader that stops where a row of comma separated values has no end.
pub(super) struct Bounded<R> {
    inner: R,
    left: Rc<Cell<u64>>,
}

/// Says that a new row begins.
pub(super) struct Renewal(Rc<Cell<u64>>);

impl Renewal {
    pub(super) fn renew(&self) {
        self.0.set(LONGEST_ROW);
    }
}

impl<R: Read> Bounded<R> {
    pub(super) fn new(inner: R) -> (Self, Renewal) {
        let left = Rc::new(Cell::new(LONGEST_ROW));
        (Self { inner, left: Rc::clone(&left) }, Renewal(left))
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            let message = format!("a row is longer than {LONGEST_ROW} bytes: is a quote not closed?");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let length = self.inner.read(buffer)?;
        self.left.set(self.left.get().saturating_sub(length as u64));
        Ok(length)
    }
}
