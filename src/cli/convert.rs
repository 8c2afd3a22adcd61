//! `abigate convert`

use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::{Ending, stream};
use crate::grammar::Grammar;
use crate::message::{Form, Outline, Part, RecordsWriter, canonical, read_ndjson, read_records};
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
}

/// Convert between 80-column records and their JSON, without loss
///
/// What is in error is converted as well; `abigate check` says what is wrong. Records are written one
/// a line, ended by a line feed.
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
    let out = stream::output(arguments.output.as_deref())?;
    let mut target = Target::new(grammar, arguments, out);
    let ending = {
        let mut sink = |row: &Columns| target.push(row);
        let read = match from {
            Format::Catair => stream::records(input, &mut sink),
            Format::Records => {
                read_records(grammar, input, &mut sink).map(|()| Ending::Clean).map_err(Into::into)
            }
            Format::Ndjson => {
                read_ndjson(grammar, input, &mut sink).map(|()| Ending::Clean).map_err(Into::into)
            }
        };
        let name = arguments.file.as_ref().map_or("standard input".into(), |file| file.display().to_string());
        read.with_context(|| name)?
    };
    target.finish()?;
    Ok(ending)
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
    Canonical(Outline<'g>, Vec<Part<'g>>, Box<dyn Write>),
    Json(RecordsWriter<'g, Box<dyn Write>>),
}

impl<'g> Target<'g> {
    fn new(grammar: &'g Grammar, arguments: &Arguments, out: Box<dyn Write>) -> Self {
        let form = Form {
            lines: arguments.to == Format::Ndjson,
            canonical: arguments.canonical,
            mask_passwords: arguments.mask_passwords,
        };
        match arguments.to {
            Format::Records | Format::Ndjson => Self::Json(RecordsWriter::new(grammar, form, out)),
            Format::Catair if form.canonical => Self::Canonical(Outline::new(grammar), Vec::new(), out),
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
