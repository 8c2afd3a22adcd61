//! Where the records go.

use std::io::{self, Write};
use std::rc::Rc;

use super::side::Side;
use super::{Arguments, Format};
use crate::flat::{Event, FlatLayout, FlatProblem, FlatWriter, Translator};
use crate::grammar::Grammar;
use crate::message::{
    Body, Closure, Form, Outline, Part, RecordsWriter, Translation, Unclosed, canonical, cover,
};
use crate::translate::EntrySummaryCodec;
use crate::wire::{Columns, Encoding, Separator};

/// What is made of the records, and where it is written.
pub(super) struct Target<'g> {
    kind: Kind<'g>,
    closure: Closure,
    side: Rc<Side>,
}

enum Kind<'g> {
    Plain(RowWriter),
    /// In canonical form, without passwords, or both.
    Rewritten(Box<Outline<'g>>, Vec<Part<'g>>, RowWriter, Form),
    Json(Box<RecordsWriter<'g, Box<dyn Write>>>),
    Flat {
        outline: Box<Outline<'g>>,
        parts: Vec<Part<'g>>,
        writer: Box<FlatWriter<'g>>,
        out: Box<dyn Write>,
    },
}

impl<'g> Target<'g> {
    pub(super) fn new(
        grammar: &'g Grammar,
        arguments: &Arguments,
        (layout, translator): (&'g FlatLayout, &'g Translator<'g>),
        codec: &Rc<EntrySummaryCodec>,
        side: &Rc<Side>,
        rows: RowWriter,
    ) -> Self {
        let form = arguments.form();
        let outline = || Box::new(Outline::new(grammar));
        let kind = match arguments.to {
            Format::Records | Format::Ndjson => {
                Kind::Json(Box::new(RecordsWriter::new(grammar, form, rows.out)))
            }
            Format::Model | Format::ModelNdjson => {
                let writer = RecordsWriter::new(grammar, form, rows.out);
                Kind::Json(Box::new(writer.translated(translation(codec, side))))
            }
            Format::Catair if form.canonical || form.mask_passwords => {
                Kind::Rewritten(outline(), Vec::new(), rows, form)
            }
            Format::Catair => Kind::Plain(rows),
            Format::Csv | Format::CsvLong | Format::Flat => Kind::Flat {
                outline: outline(),
                parts: Vec::new(),
                writer: Box::new(FlatWriter::new(layout, translator).masked(form.mask_passwords)),
                out: rows.out,
            },
        };
        Self { kind, closure: Closure::default(), side: Rc::clone(side) }
    }

    pub(super) fn push(&mut self, row: &Columns) -> io::Result<()> {
        let unclosed = self.closure.push(row);
        self.tell_unclosed(unclosed);
        match &mut self.kind {
            Kind::Plain(rows) => rows.write(row, &self.side),
            Kind::Rewritten(outline, parts, rows, form) => {
                outline.push(row, parts);
                write_rewritten(parts, rows, *form, &self.side)
            }
            Kind::Json(writer) => writer.push(row),
            Kind::Flat { outline, parts, writer, out } => {
                outline.push(row, parts);
                write_flat(parts, writer, out, &self.side)
            }
        }
    }

    fn tell_unclosed(&self, unclosed: Option<Unclosed>) {
        if let Some(unclosed) = unclosed {
            self.side.tell(&unclosed.to_string());
        }
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        let unclosed = self.closure.finish();
        self.tell_unclosed(unclosed);
        match self.kind {
            Kind::Plain(mut rows) => rows.out.flush(),
            Kind::Rewritten(mut outline, mut parts, mut rows, form) => {
                outline.finish(&mut parts);
                write_rewritten(&mut parts, &mut rows, form, &self.side)?;
                rows.out.flush()
            }
            Kind::Json(writer) => writer.finish().map(drop),
            Kind::Flat { mut outline, mut parts, mut writer, mut out } => {
                outline.finish(&mut parts);
                write_flat(&mut parts, &mut writer, &mut out, &self.side)?;
                out.flush()
            }
        }
    }
}

/// Makes filings of transactions, and names those that it cannot make one of.
fn translation<'g>(codec: &Rc<EntrySummaryCodec>, side: &Rc<Side>) -> Translation<'g> {
    let (codec, side) = (Rc::clone(codec), Rc::clone(side));
    Box::new(move |body, out| {
        let Err(problem) = codec.write_json(body, out) else { return true };
        let first = body.items.first().map_or(0, |item| item.number);
        side.tell(&format!("transaction at record {first} is left out: {problem}"));
        if let Err(error) = side.reject(&records_of(body)) {
            side.tell(&format!("what is left out cannot be kept: {error}"));
        }
        false
    })
}

/// The records of a transaction, one a line.
pub(super) fn records_of(body: &Body<'_>) -> Vec<u8> {
    body.items.iter().flat_map(|item| item.row.iter().copied().chain([b'\n'])).collect()
}

/// Writes records of 80 columns.
pub(super) struct RowWriter {
    pub(super) out: Box<dyn Write>,
    pub(super) encoding: Encoding,
    pub(super) separator: Separator,
    /// Whether a character beyond ASCII has no place in what is written.
    pub(super) is_ascii: bool,
    pub(super) number: u64,
}

impl RowWriter {
    fn write(&mut self, row: &Columns, side: &Side) -> io::Result<()> {
        self.number += 1;
        if let Some(at) = row.iter().position(|byte| self.is_ascii && !byte.is_ascii()) {
            side.tell_problem(&FlatProblem {
                row: self.number,
                record: String::new(),
                field: String::new(),
                columns: Some((at + 1, at + 1)),
                found: format!("{:?}", char::from(row[at]).to_string()),
                expected: "a character of ASCII".to_owned(),
            });
            return side.reject(&[row, &b"\n"[..]].concat());
        }
        if !self.encoding.is_ebcdic() {
            self.out.write_all(row)?;
            return self.out.write_all(self.separator.as_bytes());
        }
        let mut encoded = *row;
        self.encoding.encode(&mut encoded);
        self.out.write_all(&encoded)?;
        self.out.write_all(match self.separator {
            Separator::None => &[],
            Separator::LineFeed => &[Encoding::EBCDIC_NEW_LINE],
            Separator::CarriageReturnLineFeed => &[b'\r', Encoding::EBCDIC_LINE_FEED],
            Separator::CarriageReturn => b"\r",
        })
    }
}

fn write_rewritten(
    parts: &mut Vec<Part<'_>>,
    rows: &mut RowWriter,
    form: Form,
    side: &Side,
) -> io::Result<()> {
    for part in parts.drain(..) {
        let items = match part {
            Part::Control(_, item) => vec![item],
            Part::Body(body) => body.items,
            Part::BatchBegins { .. } | Part::BlockBegins | Part::BlockEnds | Part::BatchEnds => continue,
        };
        for item in &items {
            let mut row = if form.canonical { canonical(item.layout, &item.row) } else { item.row };
            if form.mask_passwords {
                cover(&mut row, item.hidden, b' ');
            }
            rows.write(&row, side)?;
        }
    }
    Ok(())
}

fn write_flat(
    parts: &mut Vec<Part<'_>>,
    writer: &mut FlatWriter<'_>,
    out: &mut impl Write,
    side: &Side,
) -> io::Result<()> {
    let mut events = Vec::new();
    writer.parts(parts, &mut events);
    parts.clear();
    for event in events {
        match event {
            Event::Rows(bytes) => out.write_all(&bytes)?,
            Event::Problem(problem) => side.tell_problem(&problem),
            Event::Rejected(bytes) => side.reject(&bytes)?,
            Event::Record(_) => {}
        }
    }
    Ok(())
}
