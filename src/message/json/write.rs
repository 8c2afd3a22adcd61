//! Records to JSON, one transaction after the other.

use std::io::{self, Write};

use super::lines::RecordLines;
use super::pen::{Pen, WrittenPart};
use super::text::Text;
use crate::grammar::Grammar;
use crate::message::outline::{Body, Control, Outline, Part};
use crate::wire::Columns;

/// What is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Form {
    /// One object a transaction, one a line, in place of one for the whole stream.
    pub lines: bool,
    /// Records as [`canonical`](super::canonical) makes them.
    pub canonical: bool,
    /// `null` in place of passwords; reading gives spaces.
    pub mask_passwords: bool,
}

/// Makes a filing of a transaction and writes its JSON; tells whether it could. What it cannot
/// translate is left out.
pub type Translation<'g> = Box<dyn FnMut(&Body<'g>, &mut dyn Write) -> bool + 'g>;

/// Bytes that are written at a time.
const ENOUGH: usize = 1 << 16;

/// Writes a stream of records as JSON. It holds one transaction at most.
pub struct RecordsWriter<'g, W> {
    kind: Kind<'g>,
    out: W,
}

enum Kind<'g> {
    Lines(RecordLines<'g>),
    Document(Document<'g>),
}

impl<'g, W: Write> RecordsWriter<'g, W> {
    /// A writer of one stream.
    pub fn new(grammar: &'g Grammar, form: Form, out: W) -> Self {
        let kind = if form.lines {
            Kind::Lines(RecordLines::new(grammar, form))
        } else {
            Kind::Document(Document::new(grammar, form))
        };
        Self { kind, out }
    }

    /// Writes filings in the place of transactions.
    #[must_use]
    pub fn translated(mut self, translation: Translation<'g>) -> Self {
        match &mut self.kind {
            Kind::Lines(lines) => lines.translate(translation),
            Kind::Document(document) => document.outline.keeper().translate(translation),
        }
        self
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// Whatever the output fails with.
    pub fn push(&mut self, row: &Columns) -> io::Result<()> {
        match &mut self.kind {
            Kind::Lines(lines) => {
                lines.push(row)?;
                if lines.len() >= ENOUGH { lines.write_to(&mut self.out) } else { Ok(()) }
            }
            Kind::Document(document) => {
                document.push(row)?;
                if document.text.len() >= ENOUGH { document.drain(&mut self.out) } else { Ok(()) }
            }
        }
    }

    /// Ends the stream; gives back the output.
    ///
    /// # Errors
    /// Whatever the output fails with.
    pub fn finish(mut self) -> io::Result<W> {
        match &mut self.kind {
            Kind::Lines(lines) => {
                lines.finish()?;
                lines.write_to(&mut self.out)?;
            }
            Kind::Document(document) => {
                document.finish()?;
                self.out.write_all(document.text.as_bytes())?;
            }
        }
        self.out.flush()?;
        Ok(self.out)
    }
}

/// One object for the whole stream.
struct Document<'g> {
    outline: Outline<'g, Pen<'g>>,
    parts: Vec<WrittenPart<'g>>,
    text: Text,
    /// Whether the list of the batches, of the batch's blocks, of the block's transactions has begun.
    lists: [bool; 3],
}

impl<'g> Document<'g> {
    fn new(grammar: &'g Grammar, form: Form) -> Self {
        Self {
            outline: Outline::with(grammar, Pen::new(grammar, form)),
            parts: Vec::new(),
            text: Text::default(),
            lists: [false; 3],
        }
    }

    fn push(&mut self, row: &Columns) -> io::Result<()> {
        self.outline.push(row, &mut self.parts);
        self.write_parts()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.outline.finish(&mut self.parts);
        self.write_parts()?;
        self.list(BATCHES, "batches");
        self.text.close("]}\n");
        Ok(())
    }

    /// Gives away all but the last byte, which may be a comma too many.
    fn drain(&mut self, out: &mut impl Write) -> io::Result<()> {
        if let Some((&last, before)) = self.text.as_bytes().split_last() {
            out.write_all(before)?;
            self.text.clear();
            self.text.push_bytes(&[last]);
        }
        Ok(())
    }

    fn write_parts(&mut self) -> io::Result<()> {
        // Most records complete nothing.
        if self.parts.is_empty() {
            return Ok(());
        }
        let mut parts = std::mem::take(&mut self.parts);
        let written = parts.drain(..).try_for_each(|part| self.part(part));
        self.parts = parts;
        written
    }

    fn part(&mut self, part: WrittenPart<'g>) -> io::Result<()> {
        match part {
            Part::BatchBegins { application, direction } => {
                self.list(BATCHES, "batches");
                self.text.push("\n{\"application\":");
                self.text.value(&application)?;
                self.text.push(",\"direction\":");
                self.text.value(direction.name())?;
                self.text.push(",");
            }
            Part::BlockBegins => {
                self.list(BLOCKS, "blocks");
                self.text.push("\n{");
            }
            Part::Control(control, item) => {
                let key = match control {
                    Control::BatchHeader | Control::BlockHeader => "\"header\":",
                    Control::BlockTrailer | Control::BatchTrailer => "\"trailer\":",
                };
                match control {
                    Control::BlockTrailer => self.close(TRANSACTIONS),
                    Control::BatchTrailer => self.close(BLOCKS),
                    Control::BatchHeader | Control::BlockHeader => {}
                }
                self.text.push(key);
                self.outline.keeper().item(&item, &mut self.text)?;
            }
            Part::Body(body) => {
                let written = body?;
                self.body(written.as_ref());
                self.outline.recycle(Ok(written));
            }
            Part::BlockEnds => {
                self.close(TRANSACTIONS);
                self.text.close("},");
            }
            Part::BatchEnds => {
                self.close(BLOCKS);
                self.text.close("},");
            }
        }
        Ok(())
    }

    fn body(&mut self, written: Option<&Text>) {
        let Some(written) = written else { return };
        let translates = self.outline.keeper().translates();
        self.list(TRANSACTIONS, if translates { "filings" } else { "transactions" });
        self.text.push("\n");
        if !translates {
            self.text.push("{");
        }
        self.text.push_bytes(written.as_bytes());
        if !translates {
            self.text.close("},");
        }
    }

    fn list(&mut self, list: usize, key: &str) {
        if std::mem::replace(&mut self.lists[list], true) {
            return;
        }
        if list == BATCHES {
            self.text.push("{");
        }
        self.text.push("\"");
        self.text.push(key);
        self.text.push("\":[");
    }

    fn close(&mut self, list: usize) {
        if std::mem::replace(&mut self.lists[list], false) {
            self.text.close("],");
        }
    }
}

/// Indices of [`Document::lists`].
const BATCHES: usize = 0;
const BLOCKS: usize = 1;
const TRANSACTIONS: usize = 2;
