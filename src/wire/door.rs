//! The one door through which bytes come in, whatever they are to become.
//!
//! A door looks at the first bytes of a stream and decides once how all of them are read. An ordinary
//! stream then passes untouched ([`Door::is_open`]); only an odd one is turned into plain bytes:
//! - a UTF-8 byte order mark is skipped, UTF-16 is read;
//! - of records, EBCDIC becomes columns, and whatever ends or frames records (carriage returns alone,
//!   VT, FS, STX, ETX and their like, ASCII line feeds in EBCDIC) becomes a line feed;
//! - of text, the signs of DOS and of padding behind the end (0x1A, NUL) are dropped.
//!
//! What cannot be read is [`Unreadable`], which says in one sentence why.

mod form;
mod kinds;
#[cfg(test)]
mod tests;
mod utf16;

use std::error::Error;
use std::path::Path;
use std::{fmt, fs, io};

pub(super) use self::form::UTF8_MARK;
use self::form::{Characters, Form, look};
use super::{Encoding, Separator, says_nothing};

/// What the bytes of a stream should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Content {
    /// A file of batches. One that holds none is refused.
    Records,
    /// Batches on a connection. What is no batch gets an answer like any other that is wrong.
    Connection,
    /// Text: JSON, layouts, comma separated values, settings.
    Text,
    /// Text in rows whose ends are for the layout to judge.
    Rows,
}

/// Why a stream cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// There is nothing, or nothing but blanks.
    #[error("it is empty: there is nothing to read")]
    Empty,
    /// It is of another kind.
    #[error("it holds no batch: it looks like {0}")]
    Foreign(&'static str),
    /// It is text or bytes of which nothing looks like a record.
    #[error("it holds no batch: none of its first lines begins as a record of 80 columns does")]
    NoRecords,
    /// IBM's records of variable length, transferred with their lengths.
    #[error(
        "its records stand behind record descriptor words (IBM, RECFM=V or VB): \
         transfer it without them, as lines or as records of 80 bytes"
    )]
    DescriptorWords,
    /// UTF-16 with half a character in it.
    #[error("it is UTF-16 with half a character at byte {offset}")]
    BrokenUtf16 {
        /// The bytes of the stream before it.
        offset: u64,
    },
    /// A character of UTF-16 that no record can hold.
    #[error("it is UTF-16 with {character:?} at byte {offset}, which no record can hold")]
    NoColumn {
        /// The character.
        character: char,
        /// The bytes of the stream before it.
        offset: u64,
    },
    /// EBCDIC whose code page does not show, with a byte for which it matters.
    #[error(
        "byte {byte:02x} is another character in code page 037 than in 1047: say --encoding cp037 or cp1047"
    )]
    CodePage {
        /// The byte.
        byte: u8,
    },
}

/// Reads the bytes of one stream, as they come.
///
/// ```
/// use abigate::wire::{Content, Door};
///
/// let mut door = Door::new(Content::Text);
/// let mut text = Vec::new();
/// for chunk in [&b"\xef\xbb"[..], b"\xbf{}\n\x1a"] {
///     door.push(chunk, &mut text)?;
/// }
/// door.finish(&mut text)?;
/// assert_eq!(text, b"{}\n");
/// # Ok::<(), abigate::wire::Unreadable>(())
/// ```
#[derive(Clone)]
pub struct Door {
    content: Content,
    encoding: Option<Encoding>,
    /// The first bytes, until they tell how the stream is read.
    head: Vec<u8>,
    form: Option<Form>,
    /// What of text may turn out to be padding behind its end.
    held: Vec<u8>,
    failed: Option<Unreadable>,
}

impl Door {
    /// A door at the start of a stream.
    #[must_use]
    pub fn new(content: Content) -> Self {
        Self { content, encoding: None, head: Vec::new(), form: None, held: Vec::new(), failed: None }
    }

    /// Reads records in this encoding, whatever they look like.
    #[must_use]
    pub fn with_encoding(self, encoding: Encoding) -> Self {
        Self { encoding: Some(encoding), ..self }
    }

    /// Whether bytes need the door no more: what follows is what it stands for.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.content != Content::Text && self.form.as_ref().is_some_and(Form::is_plain)
    }

    /// Whether it is known how the stream is read.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.form.is_some()
    }

    /// The encoding of the records.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        match self.form.as_ref().map(|form| &form.characters) {
            Some(Characters::Ebcdic { encoding, .. }) => *encoding,
            _ => Encoding::Ascii,
        }
    }

    /// What ends records, where it is neither a line feed, with or without a carriage return, nor nothing.
    #[must_use]
    pub fn separator(&self) -> Option<Separator> {
        self.form.as_ref()?.separator()
    }

    /// What is odd about the stream and read all the same, for a note.
    #[must_use]
    pub fn oddity(&self) -> Option<&'static str> {
        self.form.as_ref()?.oddity()
    }

    /// The bytes that are held because more are needed; 0 if they say nothing.
    #[must_use]
    pub fn pending(&self) -> usize {
        if says_nothing(&self.head) { 0 } else { self.head.len() }
    }

    /// Turns records in ASCII, as they are to be answered, into the encoding of those that came in.
    pub fn encode(&self, records: &mut [u8]) {
        if let Some(Characters::Ebcdic { encoding, line_end, .. }) =
            self.form.as_ref().map(|form| &form.characters)
        {
            let ends: Vec<usize> = memchr::memchr_iter(b'\n', records).collect();
            encoding.encode(records);
            ends.into_iter().for_each(|at| records[at] = *line_end);
        }
    }

    /// Takes the next bytes; adds what they stand for.
    ///
    /// # Errors
    /// The stream cannot be read; every later call fails the same way.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
        self.lasting(|door| {
            if door.form.is_some() {
                return door.pass(chunk, out);
            }
            door.head.extend_from_slice(chunk);
            door.form = look(&door.head, door.content, door.encoding, false)?;
            if door.form.is_some() {
                let head = std::mem::take(&mut door.head);
                door.pass(&head, out)?;
            }
            Ok(())
        })
    }

    /// Ends the stream; adds what was held.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        self.lasting(|door| {
            if door.form.is_none() {
                door.form = look(&door.head, door.content, door.encoding, true)?;
                let head = std::mem::take(&mut door.head);
                door.pass(&head, out)?;
            }
            if let Some(form) = &door.form {
                form.finish()?;
            }
            out.extend(door.held.drain(..).filter(|byte| !PADDING.contains(byte)));
            Ok(())
        })
    }

    fn lasting(&mut self, act: impl FnOnce(&mut Self) -> Result<(), Unreadable>) -> Result<(), Unreadable> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let done = act(self);
        self.failed = done.err();
        done
    }

    fn pass(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
        let Some(form) = &mut self.form else { return Ok(()) };
        let start = out.len();
        if self.content == Content::Text {
            out.append(&mut self.held);
        }
        form.pass(chunk, self.content, out)?;
        if self.content == Content::Text {
            let ends = |byte: &&u8| PADDING.contains(byte) || byte.is_ascii_whitespace();
            let end = out.len() - out[start..].iter().rev().take_while(ends).count();
            self.held = out.split_off(end);
        }
        Ok(())
    }
}

/// Says how the stream is read but not what it holds: control records hold passwords.
impl fmt::Debug for Door {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Door")
            .field("content", &self.content)
            .field("oddity", &self.oddity())
            .field("pending", &self.pending())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// What stands behind the end of a file of DOS, and what fills up the last block of a transfer.
pub(super) const PADDING: [u8; 2] = [0x1a, 0];

/// A whole text in memory, from whatever form it has.
///
/// # Errors
/// It is broken UTF-16. What is not UTF-8 is told by whoever makes a string of the bytes, and an empty text
/// by whoever reads it.
pub fn text_of(bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut door = Door::new(Content::Text);
    let mut text = Vec::with_capacity(bytes.len());
    match door.push(bytes, &mut text).and_then(|()| door.finish(&mut text)) {
        Ok(()) | Err(Unreadable::Empty) => Ok(text),
        Err(unreadable) => Err(unreadable),
    }
}

/// The text of a file, from whatever form it has.
///
/// # Errors
/// The file cannot be read, or is no text.
pub fn read_text(path: &Path) -> io::Result<String> {
    let invalid = |error: Box<dyn Error + Send + Sync>| io::Error::new(io::ErrorKind::InvalidData, error);
    let text = text_of(&fs::read(path)?).map_err(|error| invalid(error.into()))?;
    String::from_utf8(text).map_err(|error| invalid(error.utf8_error().into()))
}
