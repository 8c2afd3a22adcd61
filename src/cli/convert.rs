//! `abigate convert`

use std::cell::Cell;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::{Ending, stream};
use crate::grammar::Grammar;
use crate::message::{Form, Outline, Part, ReadError, RecordsWriter, Translation};
use crate::message::{canonical, read_ndjson, read_records};
use crate::translate::EntrySummaryCodec;
use crate::wire::Columns;

/// A form in which messages are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// Records of 80 columns
    Catair,
    /// JSON of batches, blocks, transactions, groups, records and fields
    Records,
    /// The same, one transaction a line
    Ndjson,
    /// JSON of entry summaries by the model, within the records of their batches and blocks
    Model,
    /// The same, one entry summary a line
    ModelNdjson,
}

impl Format {
    /// Whether each transaction has a line of its own.
    fn is_in_lines(self) -> bool {
        matches!(self, Self::Ndjson | Self::ModelNdjson)
    }
}

/// Convert between 80-column records, their JSON and the entry summary model
///
/// The JSON of records is without loss, for what is in error as well; `abigate check` says what is wrong.
/// The model holds entry summaries that can be read; others are named and left out. Records are written
/// one a line, ended by a line feed.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file to read; standard input if none is named, or for `-`
    file: Option<PathBuf>,
    /// What it holds; found out by looking if not given
    #[arg(long, value_name = "FORMAT")]
    from: Option<Format>,
    /// What to write
    #[arg(long, value_name = "FORMAT")]
    to: Format,
    /// The file to write; standard output if none is named, or for `-`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Turn lower case into upper case and fill numbers with zeros in place of spaces
    #[arg(long)]
    canonical: bool,
    /// Leave the passwords of A- and Z-records out of the JSON
    #[arg(long)]
    mask_passwords: bool,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Ending> {
    stream::unless_closed(convert(&arguments))
}

fn convert(arguments: &Arguments) -> anyhow::Result<Ending> {
    let grammar = Grammar::builtin();
    let mut input = stream::input(arguments.file.as_deref())?;
    let from = match arguments.from {
        Some(format) => format,
        None => look(&mut input)?,
    };
    let codec = Rc::new(EntrySummaryCodec::new(grammar)?);
    let left_out = Rc::new(Cell::new(false));
    let out = stream::output(arguments.output.as_deref())?;
    let mut target = Target::new(grammar, arguments, &codec, &left_out, out);
    let mut sink = |row: &Columns| target.push(row);
    let filings = |filing: &Value| codec.from_json(filing);
    let read = match from {
        Format::Catair => stream::records(input, &mut sink),
        _ if from.is_in_lines() => done(read_ndjson(grammar, input, &filings, &mut sink)),
        _ => done(read_records(grammar, input, &filings, &mut sink)),
    };
    let name = arguments.file.as_ref().map_or("standard input".into(), |file| file.display().to_string());
    let ending = read.context(name)?;
    target.finish()?;
    Ok(if left_out.get() { Ending::Findings } else { ending })
}

fn done(read: Result<(), ReadError>) -> anyhow::Result<Ending> {
    Ok(read.map(|()| Ending::Clean)?)
}

/// Makes filings of transactions, and names those that it cannot make one of.
fn translation<'g>(codec: &Rc<EntrySummaryCodec>, left_out: &Rc<Cell<bool>>) -> Translation<'g> {
    let (codec, left_out) = (Rc::clone(codec), Rc::clone(left_out));
    Box::new(move |body| {
        let made = codec.to_json(body);
        made.map_err(|problem| {
            let first = body.items.first().map_or(0, |item| item.number);
            eprintln!("abigate: transaction at record {first} is left out: {problem}");
            left_out.set(true);
        })
        .ok()
    })
}

/// What the first bytes look like: of JSON, a document begins with its list of batches.
fn look(input: &mut impl BufRead) -> io::Result<Format> {
    let start = input.fill_buf()?.trim_ascii_start();
    let Some(object) = start.strip_prefix(b"{") else { return Ok(Format::Catair) };
    let is_document = object.trim_ascii_start().starts_with(b"\"batches\"");
    Ok(if is_document { Format::Records } else { Format::Ndjson })
}

/// Where the records go.
enum Target<'g> {
    Plain(Box<dyn Write>),
    Canonical(Box<Outline<'g>>, Vec<Part<'g>>, Box<dyn Write>),
    Json(Box<RecordsWriter<'g, Box<dyn Write>>>),
}

impl<'g> Target<'g> {
    fn new(
        grammar: &'g Grammar,
        arguments: &Arguments,
        codec: &Rc<EntrySummaryCodec>,
        left_out: &Rc<Cell<bool>>,
        out: Box<dyn Write>,
    ) -> Self {
        let form = Form {
            lines: arguments.to.is_in_lines(),
            canonical: arguments.canonical,
            mask_passwords: arguments.mask_passwords,
        };
        match arguments.to {
            Format::Records | Format::Ndjson => Self::Json(Box::new(RecordsWriter::new(grammar, form, out))),
            Format::Model | Format::ModelNdjson => {
                let writer = RecordsWriter::new(grammar, form, out);
                Self::Json(Box::new(writer.translated(translation(codec, left_out))))
            }
            Format::Catair if form.canonical => {
                Self::Canonical(Box::new(Outline::new(grammar)), Vec::new(), out)
            }
            Format::Catair => Self::Plain(out),
        }
    }

    fn push(&mut self, row: &Columns) -> io::Result<()> {
        match self {
            Self::Plain(out) => write_row(out, row),
            Self::Canonical(outline, parts, out) => {
                outline.push(row, parts);
                write_canonical(parts, out)
            }
            Self::Json(writer) => writer.push(row),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut out) => out.flush(),
            Self::Canonical(mut outline, mut parts, mut out) => {
                outline.finish(&mut parts);
                write_canonical(&mut parts, &mut out)?;
                out.flush()
            }
            Self::Json(writer) => writer.finish().map(drop),
        }
    }
}

fn write_row(out: &mut impl Write, row: &Columns) -> io::Result<()> {
    out.write_all(row)?;
    out.write_all(b"\n")
}

fn write_canonical(parts: &mut Vec<Part<'_>>, out: &mut impl Write) -> io::Result<()> {
    for part in parts.drain(..) {
        let items = match part {
            Part::Control(_, item) => vec![item],
            Part::Body(body) => body.items,
            Part::BatchBegins { .. } | Part::BlockBegins | Part::BlockEnds | Part::BatchEnds => continue,
        };
        items.iter().try_for_each(|item| write_row(out, &canonical(item.layout, &item.row)))?;
    }
    Ok(())
}
