//! JSON as it grows.

use std::io::{self, Write};

use serde::Serialize;

/// Text that is written to its end over and over. Its bytes are there before they are written, so that
/// short pieces can be copied as whole blocks.
#[derive(Debug, Default)]
pub(super) struct Text {
    bytes: Vec<u8>,
    length: usize,
}

impl Text {
    /// Room for so many bytes behind the end. How many of them are used is said by
    /// [`grow`](Self::grow).
    #[inline]
    pub(super) fn room(&mut self, size: usize) -> &mut [u8] {
        if self.bytes.len() < self.length + size {
            self.bytes.resize((self.length + size).next_power_of_two(), 0);
        }
        &mut self.bytes[self.length..]
    }

    /// Adds the first bytes of the [`room`](Self::room) behind the end.
    #[inline]
    pub(super) fn grow(&mut self, size: usize) {
        self.length += size;
    }

    #[inline]
    pub(super) fn push(&mut self, text: &str) {
        self.push_bytes(text.as_bytes());
    }

    #[inline]
    pub(super) fn push_bytes(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    /// Adds a value.
    ///
    /// # Errors
    /// None that texts and numbers could cause.
    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> io::Result<()> {
        Ok(serde_json::to_writer(self, value)?)
    }

    /// Ends a list or an object: its last element needs no comma behind it.
    #[inline]
    pub(super) fn close(&mut self, bracket: &str) {
        if self.as_bytes().last() == Some(&b',') {
            self.length -= 1;
        }
        self.push(bracket);
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn clear(&mut self) {
        self.length = 0;
    }
}

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push_bytes(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
