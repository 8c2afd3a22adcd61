//! UTF-16, cut anywhere.

use super::{Content, Unreadable};

/// Reads UTF-16 as it comes.
#[derive(Clone, Debug)]
pub(super) struct Utf16 {
    is_big_endian: bool,
    /// Bytes of a character whose end has not come: at most three.
    held: Vec<u8>,
    /// The stream's bytes before them.
    offset: u64,
}

impl Utf16 {
    /// At the start of a stream, behind a mark of so many bytes.
    pub(super) fn new(is_big_endian: bool, mark: usize) -> Self {
        Self { is_big_endian, held: Vec::new(), offset: mark as u64 }
    }

    /// Adds the characters of a chunk: in records a byte each, else as UTF-8.
    pub(super) fn pass(
        &mut self,
        chunk: &[u8],
        content: Content,
        out: &mut Vec<u8>,
    ) -> Result<(), Unreadable> {
        let mut bytes = std::mem::take(&mut self.held);
        bytes.extend_from_slice(chunk);
        let (pairs, odd) = bytes.as_chunks::<2>();
        let mut units: Vec<u16> = pairs.iter().map(|pair| self.unit(*pair)).collect();
        let waits = units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit));
        if waits {
            units.pop();
        }
        self.held = bytes[2 * units.len()..2 * pairs.len() + odd.len()].to_vec();
        for character in char::decode_utf16(units) {
            let offset = self.offset;
            let character = character.map_err(|_| Unreadable::BrokenUtf16 { offset })?;
            self.offset += 2 * character.len_utf16() as u64;
            if matches!(content, Content::Text | Content::Rows) {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                let latin = u8::try_from(u32::from(character));
                out.push(latin.map_err(|_| Unreadable::NoColumn { character, offset })?);
            }
        }
        Ok(())
    }

    /// Whether the stream may end here.
    pub(super) fn finish(&self) -> Result<(), Unreadable> {
        if self.held.is_empty() { Ok(()) } else { Err(Unreadable::BrokenUtf16 { offset: self.offset }) }
    }

    fn unit(&self, pair: [u8; 2]) -> u16 {
        if self.is_big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    }
}
