//! The line form: a transaction takes the control records around it along.

use std::io::{self, Write};

use super::pen::{Pen, WrittenPart};
use super::text::Text;
use super::{Form, Translation};
use crate::grammar::{Direction, Grammar};
use crate::message::outline::{Control, Item, Outline, Part};
use crate::wire::Columns;

/// Makes lines of a stream of records or of a part of one that begins where a batch does.
pub struct RecordLines<'g> {
    outline: Outline<'g, Pen<'g>>,
    parts: Vec<WrittenPart<'g>>,
    batch: u64,
    block: u64,
    transaction: u64,
    application: String,
    direction: Direction,
    line: Line,
    /// The control records before the transaction.
    before: Text,
    text: Text,
    /// Where in the text a batch is to be named, and which.
    batches: Vec<(usize, u64)>,
}

/// How far the line in hand has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Line {
    None,
    Before,
    Content,
    After,
}

impl<'g> RecordLines<'g> {
    /// Lines of one stream.
    #[must_use]
    pub fn new(grammar: &'g Grammar, form: Form) -> Self {
        Self {
            outline: Outline::with(grammar, Pen::new(grammar, form)),
            parts: Vec::new(),
            batch: 0,
            block: 0,
            transaction: 0,
            application: String::new(),
            direction: Direction::Input,
            line: Line::None,
            before: Text::default(),
            text: Text::default(),
            batches: Vec::new(),
        }
    }

    /// Writes filings in the place of transactions.
    pub fn translate(&mut self, translation: Translation<'g>) {
        self.outline.keeper().translate(translation);
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// A value that is no JSON, which none is.
    pub fn push(&mut self, row: &Columns) -> io::Result<()> {
        self.outline.push(row, &mut self.parts);
        self.write_parts()
    }

    /// Ends the stream or the part. What comes next begins anew, with the first batch.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(&mut self) -> io::Result<()> {
        self.outline.finish(&mut self.parts);
        self.write_parts()?;
        self.end_line()
    }

    /// The batches so far.
    #[must_use]
    pub fn batches(&self) -> u64 {
        self.batch
    }

    /// Begins another part of a stream: its batches and records are counted anew.
    pub fn restart(&mut self) {
        self.outline.restart();
        self.batch = 0;
    }

    /// The bytes that wait to be written, numbers of batches apart.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether none wait.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// Whatever the output fails with.
    pub fn write_to(&mut self, out: &mut impl Write) -> io::Result<()> {
        write_numbered(&self.text.as_bytes()[..self.ready()], &self.batches, 0, out)?;
        self.forget_ready();
        Ok(())
    }

    /// Takes what waits, to be written later.
    pub fn take(&mut self) -> Piece {
        let text = self.text.as_bytes()[..self.ready()].to_vec();
        let batches = std::mem::take(&mut self.batches);
        self.forget_ready();
        Piece { text, batches }
    }

    /// How much of the text is sure: the end of a line in hand may be a comma too many.
    fn ready(&self) -> usize {
        self.text.len().saturating_sub(usize::from(self.line != Line::None))
    }

    fn forget_ready(&mut self) {
        let rest = self.text.as_bytes()[self.ready()..].first().copied();
        self.text.clear();
        self.text.push_bytes(rest.as_slice());
        self.batches.clear();
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
                self.end_line()?;
                self.batch += 1;
                self.block = 0;
                self.transaction = 0;
                self.application = application;
                self.direction = direction;
                Ok(())
            }
            Part::BlockBegins => {
                if self.line != Line::Before {
                    self.end_line()?;
                }
                self.line = Line::Before;
                self.block += 1;
                self.transaction = 0;
                Ok(())
            }
            Part::Control(Control::BatchHeader | Control::BlockHeader, item) => self.header(&item),
            Part::Control(Control::BlockTrailer | Control::BatchTrailer, item) => self.trailer(&item),
            Part::Body(body) => {
                let written = body?;
                self.body(written.as_ref())?;
                self.outline.recycle(Ok(written));
                Ok(())
            }
            Part::BlockEnds | Part::BatchEnds => Ok(()),
        }
    }

    fn header(&mut self, item: &Item<'g>) -> io::Result<()> {
        if self.line != Line::Before {
            self.end_line()?;
        }
        self.line = Line::Before;
        self.outline.keeper().item(item, &mut self.before)
    }

    fn trailer(&mut self, item: &Item<'g>) -> io::Result<()> {
        self.begin_line()?;
        if self.line != Line::After {
            self.text.push("\"after\":[");
            self.line = Line::After;
        }
        self.outline.keeper().item(item, &mut self.text)
    }

    fn body(&mut self, written: Option<&Text>) -> io::Result<()> {
        let Some(written) = written else { return Ok(()) };
        if self.line != Line::Before {
            self.end_line()?;
        }
        self.transaction += 1;
        self.begin_line()?;
        self.line = Line::Content;
        if self.outline.keeper().translates() {
            self.text.push("\"filing\":");
        }
        self.text.push_bytes(written.as_bytes());
        Ok(())
    }

    /// Writes what a line begins with, unless it has begun.
    fn begin_line(&mut self) -> io::Result<()> {
        if matches!(self.line, Line::Content | Line::After) {
            return Ok(());
        }
        self.text.push("{\"batch\":");
        self.batches.push((self.text.len(), self.batch));
        self.text.push(",\"block\":");
        self.text.value(&self.block)?;
        self.text.push(",\"transaction\":");
        self.text.value(&self.transaction)?;
        self.text.push(",\"application\":");
        self.text.value(&self.application)?;
        self.text.push(",\"direction\":");
        self.text.value(self.direction.name())?;
        self.text.push(",");
        if !self.before.as_bytes().is_empty() {
            self.text.push("\"before\":[");
            self.text.push_bytes(self.before.as_bytes());
            self.text.close("],");
            self.before.clear();
        }
        Ok(())
    }

    fn end_line(&mut self) -> io::Result<()> {
        if self.line == Line::None {
            return Ok(());
        }
        self.begin_line()?;
        if self.line == Line::After {
            self.text.close("],");
        }
        self.text.close("}\n");
        self.line = Line::None;
        Ok(())
    }
}

/// Some text of the lines of a part of a stream.
#[derive(Debug)]
pub struct Piece {
    text: Vec<u8>,
    batches: Vec<(usize, u64)>,
}

impl Piece {
    /// Writes it, its batches numbered behind those of the parts before.
    ///
    /// # Errors
    /// Whatever the output fails with.
    pub fn write_to(&self, out: &mut impl Write, batches_before: u64) -> io::Result<()> {
        write_numbered(&self.text, &self.batches, batches_before, out)
    }
}

/// Writes text with the numbers of batches put in.
fn write_numbered(
    text: &[u8],
    batches: &[(usize, u64)],
    batches_before: u64,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut written = 0;
    for &(at, batch) in batches {
        out.write_all(&text[written..at])?;
        write!(out, "{}", batches_before + batch)?;
        written = at;
    }
    out.write_all(&text[written..])
}
