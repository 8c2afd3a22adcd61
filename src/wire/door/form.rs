//! How a stream is read, by its first bytes.

use super::kinds::{foreign, judge};
use super::utf16::Utf16;
use super::{Content, PADDING, Unreadable};
use crate::wire::{Encoding, RECORD_LENGTH, Separator};

/// How many bytes are looked at, at most.
const WINDOW: usize = 4096;

/// Within how many columns the end of the first record shows, if records have ends: with the second record
/// of 80 bytes a stream without ends has told that it has none.
const TELLING: usize = 2 * RECORD_LENGTH;

/// UTF-8's byte order mark.
pub(in crate::wire) const UTF8_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// What may frame a batch or a record before it: SOH, STX, VT.
const OPENING: [u8; 3] = [0x01, 0x02, 0x0b];

/// What may stand behind a record where no line feed does: NUL, ETX, EOT, VT, FF, CR, ETB, FS, GS, RS, US,
/// and NEL of ISO 8859-1.
const ENDING: [u8; 12] = [0x00, 0x03, 0x04, 0x0b, 0x0c, b'\r', 0x17, 0x1c, 0x1d, 0x1e, 0x1f, 0x85];

/// What bytes stand for.
#[derive(Clone, Debug)]
pub(super) enum Characters {
    /// Themselves.
    Plain,
    Utf16(Utf16),
    Ebcdic {
        encoding: Encoding,
        /// Whether somebody said which code page it is.
        is_named: bool,
        /// What ends lines: one of the two ends of EBCDIC, or the line feed of ASCII.
        line_end: u8,
    },
}

/// What becomes a line feed besides line feeds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ends {
    /// Nothing.
    Plain,
    /// One byte that stands behind each record, and carriage returns.
    Byte(u8),
    /// All that frames and ends records.
    Frames,
}

/// How a stream is read.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) characters: Characters,
    ends: Ends,
    /// The bytes of the mark that have not been skipped.
    mark: usize,
}

impl Form {
    fn plain() -> Self {
        Self { characters: Characters::Plain, ends: Ends::Plain, mark: 0 }
    }

    pub(super) fn is_plain(&self) -> bool {
        matches!(self.characters, Characters::Plain) && self.ends == Ends::Plain && self.mark == 0
    }

    pub(super) fn separator(&self) -> Option<Separator> {
        (self.ends == Ends::Byte(b'\r')).then_some(Separator::CarriageReturn)
    }

    pub(super) fn oddity(&self) -> Option<&'static str> {
        match (&self.characters, self.ends) {
            (_, Ends::Byte(b'\r')) => Some("its records end with a carriage return alone"),
            (_, Ends::Byte(_)) => Some("its records end with a control character that is no line feed"),
            (_, Ends::Frames) => Some("its records stand in frames of control characters"),
            (Characters::Utf16(_), Ends::Plain) => Some("it is UTF-16"),
            (Characters::Ebcdic { line_end: b'\n', .. }, Ends::Plain) => {
                Some("it is EBCDIC with the line feeds of ASCII")
            }
            (Characters::Plain | Characters::Ebcdic { .. }, Ends::Plain) => None,
        }
    }

    /// Adds what a chunk stands for.
    pub(super) fn pass(
        &mut self,
        chunk: &[u8],
        content: Content,
        out: &mut Vec<u8>,
    ) -> Result<(), Unreadable> {
        let (mark, chunk) = chunk.split_at(chunk.len().min(self.mark));
        self.mark -= mark.len();
        let start = out.len();
        match &mut self.characters {
            Characters::Plain => out.extend_from_slice(chunk),
            Characters::Utf16(utf16) => utf16.pass(chunk, content, out)?,
            Characters::Ebcdic { encoding, is_named, line_end } => {
                if !*is_named && let Some(at) = Encoding::ambiguous(chunk) {
                    return Err(Unreadable::CodePage { byte: chunk[at] });
                }
                out.extend_from_slice(chunk);
                let added = &mut out[start..];
                if *line_end == b'\n' {
                    added.iter_mut().for_each(|byte| {
                        if *byte == b'\n' {
                            *byte = Encoding::EBCDIC_LINE_FEED;
                        }
                    });
                }
                encoding.decode_stream(added);
            }
        }
        self.ends.pass(&mut out[start..]);
        Ok(())
    }

    pub(super) fn finish(&self) -> Result<(), Unreadable> {
        match &self.characters {
            Characters::Utf16(utf16) => utf16.finish(),
            Characters::Plain | Characters::Ebcdic { .. } => Ok(()),
        }
    }
}

impl Ends {
    fn pass(self, columns: &mut [u8]) {
        let is_end = |byte: u8| match self {
            Self::Plain => false,
            Self::Byte(end) => byte == end || byte == b'\r',
            Self::Frames => OPENING.contains(&byte) || ENDING.contains(&byte) && byte != 0,
        };
        if self != Self::Plain {
            columns.iter_mut().filter(|byte| is_end(**byte)).for_each(|byte| *byte = b'\n');
        }
    }
}

/// How a stream that begins with these bytes is read; `None` if more are needed.
pub(super) fn look(
    head: &[u8],
    content: Content,
    named: Option<Encoding>,
    is_whole: bool,
) -> Result<Option<Form>, Unreadable> {
    let is_enough = is_whole || head.len() >= WINDOW;
    let Some((characters, mark)) = characters(head, content, named, is_enough)? else { return Ok(None) };
    let mut form = Form { characters, mark, ..Form::plain() };
    let mut columns = Vec::new();
    form.clone().pass(head, content, &mut columns)?;
    let says = |byte: &u8| !(PADDING.contains(byte) || byte.is_ascii_whitespace());
    let Some(start) = columns.iter().position(says) else {
        let is_nothing = is_whole && content != Content::Connection;
        return if is_nothing { Err(Unreadable::Empty) } else { Ok(is_enough.then_some(form)) };
    };
    if matches!(content, Content::Text | Content::Rows) {
        return Ok(Some(form));
    }
    // What looks like a frame around the first record may be how a file of another kind begins.
    if content == Content::Records
        && let Some(kind) = foreign(&columns[start..])
    {
        return Err(Unreadable::Foreign(kind));
    }
    // A record never begins with a space, but spaces in front may be what is wrong with the first one.
    let blank = columns[..start].iter().rev().take_while(|byte| **byte == b' ').count();
    let Some(ends) = ends(&columns[start - blank..], is_enough) else { return Ok(None) };
    form.ends = ends;
    ends.pass(&mut columns);
    let opened = columns[start..].iter().position(|byte| !byte.is_ascii_control()).unwrap_or_default();
    Ok(judge(&columns[start + opened..], content, is_enough)?.map(|()| form))
}

/// What the bytes stand for, and how long the mark is that says so.
fn characters(
    head: &[u8],
    content: Content,
    named: Option<Encoding>,
    is_enough: bool,
) -> Result<Option<(Characters, usize)>, Unreadable> {
    if head.len() < UTF16_SHOWN && !is_enough && may_be_odd(head) {
        return Ok(None);
    }
    let is_text = matches!(content, Content::Text | Content::Rows);
    if !is_text && has_descriptor_words(head) {
        return Err(Unreadable::DescriptorWords);
    }
    if let Some(encoding) = named.filter(|encoding| encoding.is_ebcdic()) {
        return Ok(ebcdic(encoding, true, head, is_enough));
    }
    if head.starts_with(&UTF8_MARK) {
        return Ok(Some((Characters::Plain, UTF8_MARK.len())));
    }
    if let Some((is_big_endian, mark)) = utf16(head) {
        return Ok(Some((Characters::Utf16(Utf16::new(is_big_endian, mark)), mark)));
    }
    if is_text || named.is_some() {
        return Ok(Some((Characters::Plain, 0)));
    }
    if Encoding::detect(head) {
        return Ok(ebcdic(Encoding::Ebcdic037, false, head, is_enough));
    }
    let may_be_ebcdic = head.len() < Encoding::LOOKED_AT && head.iter().any(|byte| *byte >= 0x80);
    Ok((is_enough || !may_be_ebcdic).then_some((Characters::Plain, 0)))
}

/// How many bytes tell UTF-16 without a mark, or descriptor words.
const UTF16_SHOWN: usize = 10;

/// Whether the first bytes may turn out to be a mark, UTF-16 or descriptor words.
fn may_be_odd(head: &[u8]) -> bool {
    let starts = |byte: &u8| *byte == 0 || *byte >= 0x80;
    head.len() < 2 || head[..head.len().min(4)].iter().any(starts)
}

/// Whether it is UTF-16 with its high bytes first, and how long its mark is. Without a mark the first four
/// characters have to be ASCII.
fn utf16(head: &[u8]) -> Option<(bool, usize)> {
    match head {
        [0xff, 0xfe, ..] => return Some((false, 2)),
        [0xfe, 0xff, ..] => return Some((true, 2)),
        _ => {}
    }
    let (pairs, _) = head.get(..8)?.as_chunks::<2>();
    let is_text = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let is_of = |high: usize| pairs.iter().all(|pair| pair[high] == 0 && is_text(pair[1 - high]));
    if is_of(0) { Some((true, 0)) } else { is_of(1).then_some((false, 0)) }
}

/// Whether a stream begins as IBM's records of variable length do, when they are transferred with their
/// lengths: a record descriptor word, perhaps behind one of a block, and then a letter or digit. The word
/// has the length, itself included, in two bytes, and two bytes of zero.
pub(super) fn has_descriptor_words(head: &[u8]) -> bool {
    let word = |at: usize| match head.get(at..at + 4) {
        Some(&[high, low, 0, 0]) => Some(usize::from(u16::from_be_bytes([high, low]))),
        _ => None,
    };
    // Whether what is behind the word says something: a space or what is above, in ASCII or EBCDIC.
    let says = |at: usize| head.get(at).is_some_and(|byte| *byte >= b' ');
    let is_record = |at: usize| word(at).is_some_and(|length| (5..=0x7ff8).contains(&length)) && says(at + 4);
    let is_block = word(0).zip(word(4)).is_some_and(|(block, record)| block >= record + 4);
    is_record(0) || is_block && is_record(4)
}

/// EBCDIC, once it is known whether its lines end with the line feed of ASCII: then that is the first end of
/// a line.
fn ebcdic(encoding: Encoding, is_named: bool, head: &[u8], is_enough: bool) -> Option<(Characters, usize)> {
    let is_end = |byte: &&u8| [b'\n', Encoding::EBCDIC_NEW_LINE, Encoding::EBCDIC_LINE_FEED].contains(byte);
    let end = head.iter().take(TELLING).find(is_end);
    let line_end = end.copied().unwrap_or(Encoding::EBCDIC_LINE_FEED);
    let is_known = end.is_some() || is_enough || head.len() >= TELLING;
    is_known.then_some((Characters::Ebcdic { encoding, is_named, line_end }, 0))
}

/// What ends records besides line feeds; `None` if more bytes are needed.
fn ends(columns: &[u8], is_enough: bool) -> Option<Ends> {
    if columns.first().is_some_and(|byte| OPENING.contains(byte)) {
        return Some(Ends::Frames);
    }
    let first = &columns[..columns.len().min(TELLING)];
    if first.contains(&b'\n') {
        return Some(Ends::Plain);
    }
    for (at, end) in first.iter().enumerate().filter(|(_, byte)| ENDING.contains(byte)) {
        let behind = &first[at..];
        match behind.iter().find(|byte| !ENDING.contains(byte)) {
            Some(next) if next.is_ascii_alphanumeric() => return Some(Ends::Byte(*end)),
            Some(_) => {}
            None if is_enough => return Some(Ends::Byte(*end)),
            None => break,
        }
    }
    (is_enough || columns.len() >= TELLING).then_some(Ends::Plain)
}
