//! The door of the command line: files and standard input, whatever form they have.

use std::io::{self, Read};

use crate::wire::{Content, Door, Encoding, Unreadable};

/// How much is read from a source at once.
pub(super) const BUFFER: usize = 256 << 10;

/// Reads what bytes stand for. An ordinary stream is read straight from its source.
pub(super) struct Entrance {
    input: Box<dyn Read>,
    door: Door,
    /// What has been let in and not been read, from `read` on.
    ready: Vec<u8>,
    read: usize,
    has_ended: bool,
    /// What is read from the source at once, if the stream is odd.
    chunk: Vec<u8>,
}

impl Entrance {
    /// Reads so much that it is known how the rest is to be read.
    ///
    /// # Errors
    /// The source fails, or holds something else.
    pub(super) fn new(
        input: Box<dyn Read>,
        content: Content,
        encoding: Option<Encoding>,
    ) -> io::Result<Self> {
        let door = Door::new(content);
        let door = match encoding {
            Some(encoding) => door.with_encoding(encoding),
            None => door,
        };
        let mut entrance =
            Self { input, door, ready: Vec::new(), read: 0, has_ended: false, chunk: vec![0; BUFFER] };
        while !entrance.door.is_settled() && !entrance.has_ended {
            entrance.let_in()?;
        }
        Ok(entrance)
    }

    /// The encoding of the records.
    pub(super) fn encoding(&self) -> Encoding {
        self.door.encoding()
    }

    /// What is odd about the stream and read all the same.
    pub(super) fn oddity(&self) -> Option<&'static str> {
        self.door.oddity()
    }

    fn let_in(&mut self) -> io::Result<()> {
        let length = self.input.read(&mut self.chunk)?;
        self.has_ended = length == 0;
        if self.has_ended {
            return self.door.finish(&mut self.ready).map_err(invalid);
        }
        self.door.push(&self.chunk[..length], &mut self.ready).map_err(invalid)
    }
}

impl Read for Entrance {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.ready.len() {
            if self.has_ended {
                return Ok(0);
            }
            if self.door.is_open() {
                return self.input.read(buffer);
            }
            self.ready.clear();
            self.read = 0;
            self.let_in()?;
        }
        let length = buffer.len().min(self.ready.len() - self.read);
        buffer[..length].copy_from_slice(&self.ready[self.read..self.read + length]);
        self.read += length;
        Ok(length)
    }
}

fn invalid(unreadable: Unreadable) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, unreadable)
}
