//! `abigate convert`

mod lines;
mod side;
mod target;

use std::fs;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde_json::Value;

use self::side::Side;
use self::target::{RowWriter, Target};
use super::output::Outputs;
use super::stream::EncodingName;
use super::{Ending, output, stream};
use crate::flat::{Event, FlatLayout, Translator, read_flat};
use crate::grammar::{Grammar, Source};
use crate::message::{Form, ReadError, read_ndjson, read_records};
use crate::translate::EntrySummaryCodec;
use crate::wire::{Columns, Encoding, Separator};

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
    /// Comma separated values of entry summaries, a row for each line item
    Csv,
    /// A file of your own layout, see `--layout`
    Flat,
}

impl Format {
    /// Whether each transaction has a line of its own.
    fn is_in_lines(self) -> bool {
        matches!(self, Self::Ndjson | Self::ModelNdjson)
    }

    /// Whether a layout says what it looks like.
    fn is_flat(self) -> bool {
        matches!(self, Self::Csv | Self::Flat)
    }
}

/// What stands between records that are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum SeparatorName {
    /// Nothing
    None,
    /// A line feed; in EBCDIC a new line
    Lf,
    /// A carriage return and a line feed
    Crlf,
}

impl From<SeparatorName> for Separator {
    fn from(name: SeparatorName) -> Self {
        match name {
            SeparatorName::None => Self::None,
            SeparatorName::Lf => Self::LineFeed,
            SeparatorName::Crlf => Self::CarriageReturnLineFeed,
        }
    }
}

/// Convert between 80-column records, their JSON, the entry summary model and flat files
///
/// The JSON of records is without loss, for what is in error as well; `abigate check` says what is wrong.
/// The model and flat files hold entry summaries that can be read; others are named with row and column
/// and left out, and the exit code is 1. `--rejects` keeps them. Records are written one a line, ended by
/// a line feed.
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
    /// The grammar file of your own layout, for `--from flat` or `--to flat` (docs/flat-files.md)
    #[arg(long, value_name = "FILE", visible_alias = "grammar")]
    layout: Option<PathBuf>,
    /// The layout to write where another one is read
    #[arg(long, value_name = "FILE")]
    to_layout: Option<PathBuf>,
    /// The file for what is left out, as it came
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// The encoding of the records that are read; EBCDIC is found out by looking if not given
    #[arg(long, value_name = "ENCODING")]
    encoding: Option<EncodingName>,
    /// The encoding of the records that are written
    #[arg(long, value_name = "ENCODING", default_value = "ascii")]
    to_encoding: EncodingName,
    /// What stands between the records that are written: line feeds, or nothing in EBCDIC
    #[arg(long, value_name = "SEPARATOR")]
    separator: Option<SeparatorName>,
    /// Turn lower case into upper case and fill numbers with zeros in place of spaces
    #[arg(long)]
    canonical: bool,
    /// Leave the passwords of A- and Z-records out of the JSON
    #[arg(long)]
    mask_passwords: bool,
}

impl Arguments {
    fn form(&self) -> Form {
        Form { lines: self.to.is_in_lines(), canonical: self.canonical, mask_passwords: self.mask_passwords }
    }
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    convert(&arguments, outputs)
}

fn convert(arguments: &Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let grammar = Grammar::builtin();
    let file = arguments.file.as_deref();
    let name = file.map_or("standard input".to_owned(), |file| file.display().to_string());
    let own = arguments.from.or(arguments
        .layout
        .as_ref()
        .filter(|_| arguments.to != Format::Flat)
        .map(|_| Format::Flat));
    if own == Some(Format::Flat) && arguments.encoding.is_some() {
        bail!("--encoding is for records: a layout says the encoding of its file");
    }
    let is_written_as_is = arguments.to_encoding == EncodingName::Ascii && arguments.separator.is_none();
    if arguments.to != Format::Catair && !is_written_as_is {
        bail!("--to-encoding and --separator are for --to catair");
    }
    let (mut input, encoding) = match own {
        Some(Format::Flat) => (stream::input(file)?, Encoding::Ascii),
        _ => stream::records_input(file, arguments.encoding)?,
    };
    let layout =
        |path: &Option<PathBuf>| open_layout(path.as_deref().or(arguments.layout.as_deref()), grammar);
    let entry_lines = FlatLayout::entry_lines(grammar)?;
    let from = match own {
        Some(format) => format,
        None => look(&mut input, &entry_lines)?,
    };
    if from == Format::Catair && arguments.to.is_in_lines() {
        let codec = Some(EntrySummaryCodec::new(grammar)?).filter(|_| arguments.to == Format::ModelNdjson);
        let side = Side::new(&name, arguments.rejects.as_deref(), outputs, false)?;
        let mut out = outputs.open(arguments.output.as_deref())?;
        let read = lines::convert(grammar, arguments.form(), codec.as_ref(), &mut input, &mut out, &side);
        let ending = read.map_err(|error| output::name_input(&name, error))?;
        return Ok(if side.has_problems() { Ending::Findings } else { ending });
    }
    let to_layout = match arguments.to {
        Format::Csv => entry_lines.clone(),
        Format::Flat => layout(&arguments.to_layout)?,
        _ => entry_lines.clone(),
    };
    let translator = Translator::new(grammar)?;
    let side = Rc::new(Side::new(&name, arguments.rejects.as_deref(), outputs, from.is_flat())?);
    let to_encoding = Encoding::from(arguments.to_encoding);
    let default = if to_encoding.is_ebcdic() { Separator::None } else { Separator::LineFeed };
    let rows = RowWriter {
        out: Box::new(outputs.open(arguments.output.as_deref())?),
        encoding: to_encoding,
        separator: arguments.separator.map_or(default, Separator::from),
        is_ascii: encoding.is_ebcdic() && !to_encoding.is_ebcdic(),
        number: 0,
    };
    let codec = Rc::new(EntrySummaryCodec::new(grammar)?);
    let mut target = Target::new(grammar, arguments, (&to_layout, &translator), &codec, &side, rows);
    let mut sink = |row: &Columns| target.push(row);
    let filings = |filing: &Value| codec.from_json(filing);
    let read = match from {
        Format::Catair => stream::records(input, &mut sink),
        Format::Csv => flat(&entry_lines, &translator, input, &side, &mut sink),
        Format::Flat => flat(&layout(&None)?, &translator, input, &side, &mut sink),
        _ if from.is_in_lines() => done(read_ndjson(grammar, input, &filings, &mut sink)),
        _ => done(read_records(grammar, input, &filings, &mut sink)),
    };
    let ending = read.map_err(|error| output::name_input(&name, error))?;
    target.finish()?;
    Ok(if side.has_problems() { Ending::Findings } else { ending })
}

fn done(read: Result<(), ReadError>) -> anyhow::Result<Ending> {
    Ok(read.map(|()| Ending::Clean)?)
}

fn open_layout(path: Option<&Path>, grammar: &Grammar) -> anyhow::Result<FlatLayout> {
    let Some(path) = path else { bail!("a flat file needs its layout: --layout FILE") };
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(FlatLayout::load(&Source { name: path.display().to_string(), text }, grammar)?)
}

fn flat(
    layout: &FlatLayout,
    translator: &Translator<'_>,
    input: impl BufRead,
    side: &Side,
    sink: &mut dyn FnMut(&Columns) -> io::Result<()>,
) -> anyhow::Result<Ending> {
    read_flat(layout, translator, input, &mut |event| match event {
        Event::Record(row) => sink(&row),
        other => side.take_read(other),
    })?;
    Ok(Ending::Clean)
}

/// What the first bytes look like: of JSON, a document begins with its list of batches; comma separated
/// values begin with the name of a column.
fn look(input: &mut impl BufRead, entry_lines: &FlatLayout) -> io::Result<Format> {
    let start = input.fill_buf()?.trim_ascii_start();
    let Some(object) = start.strip_prefix(b"{") else {
        let first = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        let first = first.split(|byte| b",\r\n".contains(byte)).next().unwrap_or_default();
        let is_csv = entry_lines.columns().any(|column| column.as_bytes() == first);
        return Ok(if is_csv { Format::Csv } else { Format::Catair });
    };
    let is_document = object.trim_ascii_start().starts_with(b"\"batches\"");
    Ok(if is_document { Format::Records } else { Format::Ndjson })
}
