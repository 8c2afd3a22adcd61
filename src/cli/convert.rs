//! `abigate convert`

mod lines;
mod side;
mod tables;
mod target;

use std::fs;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde_json::Value;

use self::side::Side;
use self::tables::Table;
use self::target::{RowWriter, Target};
use super::output::Outputs;
use super::sources::{self, RECORDS, Source};
use super::stream::EncodingName;
use super::{Ending, stream};
use crate::flat::{Event, FlatLayout, Translator, read_flat};
use crate::grammar::{self, Grammar};
use crate::message::{Form, ReadError, read_ndjson, read_records};
use crate::translate::EntrySummaryCodec;
use crate::wire::{Columns, Encoding, Separator, read_text};

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
    /// The same, a row for each tariff number of a line item: for pivot tables
    CsvLong,
    /// A file of your own layout, see `--layout`
    Flat,
}

impl Format {
    /// Whether each transaction has a line of its own.
    fn is_in_lines(self) -> bool {
        matches!(self, Self::Ndjson | Self::ModelNdjson)
    }

    /// How names of its files end; those of a layout of one's own end in anything.
    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Catair => RECORDS,
            Self::Records | Self::Model => &["json"],
            Self::Ndjson | Self::ModelNdjson => &["ndjson"],
            Self::Csv | Self::CsvLong => &["csv"],
            Self::Flat => &[],
        }
    }

    /// Whether it is one of the tables that come with the program.
    fn is_table(self) -> bool {
        matches!(self, Self::Csv | Self::CsvLong)
    }

    /// Whether a layout says what it looks like.
    fn is_flat(self) -> bool {
        matches!(self, Self::Csv | Self::CsvLong | Self::Flat)
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
    /// Files to read, and folders: the files in them that end in .abi, or as `--from` says in .csv, .json or
    /// .ndjson; all of them for `--from flat`. `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,
    /// What it holds; found out by looking if not given
    #[arg(long, value_name = "FORMAT")]
    from: Option<Format>,
    /// What to write
    #[arg(long, value_name = "FORMAT")]
    to: Format,
    /// The file to write; standard output if none is named, or for `-`. For several files, the folder for what
    /// becomes of each, under its name with the ending of what is written
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The grammar file of your own layout, for `--from flat` or `--to flat` (docs/flat-files.md)
    #[arg(long, value_name = "FILE", visible_alias = "grammar")]
    layout: Option<PathBuf>,
    /// The layout to write where another one is read
    #[arg(long, value_name = "FILE")]
    to_layout: Option<PathBuf>,
    /// The file for what is left out, as it came; for several files, the folder for such files
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
    /// Leave passwords out: in JSON they are null, in records and rows blank
    #[arg(long)]
    mask_passwords: bool,
}

impl Arguments {
    fn form(&self) -> Form {
        Form { lines: self.to.is_in_lines(), canonical: self.canonical, mask_passwords: self.mask_passwords }
    }

    /// What the files hold, if that is said.
    fn source_format(&self) -> Option<Format> {
        let of_layout = self.layout.as_ref().filter(|_| self.to != Format::Flat).map(|_| Format::Flat);
        self.from.or(of_layout)
    }

    /// Whether the options go together.
    fn check(&self) -> anyhow::Result<()> {
        if self.source_format() == Some(Format::Flat) && self.encoding.is_some() {
            bail!("--encoding is for records: a layout says the encoding of its file");
        }
        let is_written_as_is = self.to_encoding == EncodingName::Ascii && self.separator.is_none();
        if self.to != Format::Catair && !is_written_as_is {
            bail!("--to-encoding and --separator are for --to catair");
        }
        Ok(())
    }
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    arguments.check()?;
    let endings = arguments.source_format().map_or(RECORDS, Format::endings);
    let (sources, ending) = sources::expand(&arguments.files, endings);
    if !sources::are_several(&arguments.files) && !arguments.output.as_deref().is_some_and(Path::is_dir) {
        let (output, rejects) = (arguments.output.clone(), arguments.rejects.clone());
        return sources::each((sources, ending), |source| {
            convert(
                &arguments,
                source,
                &Targets { output: output.clone(), rejects: rejects.clone() },
                outputs,
            )
        });
    }
    let Some(folder) = &arguments.output else {
        bail!("several files become several files: -o names the folder for them");
    };
    let ending_of_names = arguments.to.endings().first().copied().unwrap_or("txt");
    let mut targets = sources::targets(&sources, folder, ending_of_names)?.into_iter();
    sources::each((sources, ending), |source| {
        // each file is written when it is done, whatever becomes of the others
        let outputs = Outputs::new();
        let rejects = arguments.rejects.as_ref().map(|folder| folder.join(&source.within));
        let targets = Targets { output: targets.next(), rejects };
        for folder in
            [&targets.output, &targets.rejects].into_iter().flatten().filter_map(|file| file.parent())
        {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let ending = convert(&arguments, source, &targets, &outputs)?;
        outputs.end(ending)?;
        Ok(ending)
    })
}

/// Where what becomes of a file is written.
struct Targets {
    output: Option<PathBuf>,
    rejects: Option<PathBuf>,
}

fn convert(
    arguments: &Arguments,
    source: &Source,
    targets: &Targets,
    outputs: &Outputs,
) -> anyhow::Result<Ending> {
    let grammar = Grammar::builtin();
    let file = Some(source.path.as_path());
    let name = source.name();
    if targets.rejects.as_deref().is_some_and(|rejects| is_same_file(rejects, &source.path)) {
        bail!("{name}: --rejects names the file that is read, of which it would keep what is left out");
    }
    let layout =
        |path: &Option<PathBuf>| open_layout(path.as_deref().or(arguments.layout.as_deref()), grammar);
    let entry_lines = FlatLayout::entry_lines(grammar)?;
    let tariff_lines = FlatLayout::tariff_lines(grammar)?;
    let own = arguments.source_format();
    let mut looked = None;
    let opened = match own {
        Some(Format::Flat) => {
            let encoding = layout(&None)?.encoding();
            stream::rows_input(file, encoding).map(|input| (input, Encoding::Ascii))
        }
        Some(Format::Catair) => stream::records_input(file, arguments.encoding),
        Some(_) => stream::input(file).map(|input| (input, Encoding::Ascii)),
        None => stream::any_input(file, arguments.encoding, |start| {
            looked = look(start, &entry_lines);
            looked.is_some()
        }),
    };
    let (mut input, encoding) = opened.map_err(|error| source.named(error))?;
    let from = own.or(looked).unwrap_or(Format::Catair);
    let to_layout = match arguments.to {
        Format::CsvLong => tariff_lines.clone(),
        Format::Flat => layout(&arguments.to_layout)?,
        _ => entry_lines.clone(),
    };
    let translator = Translator::new(grammar)?;
    if from == Format::Catair && (arguments.to.is_in_lines() || arguments.to.is_table()) {
        let table = Table {
            grammar,
            layout: &to_layout,
            translator: &translator,
            masks_passwords: arguments.mask_passwords,
        };
        return in_parts(arguments, (source, targets), outputs, &table, &mut input);
    }
    let side = Rc::new(Side::new(&name, targets.rejects.as_deref(), outputs, from.is_flat())?);
    let to_encoding = Encoding::from(arguments.to_encoding);
    let default = if to_encoding.is_ebcdic() { Separator::None } else { Separator::LineFeed };
    let rows = RowWriter {
        out: Box::new(outputs.open(targets.output.as_deref())?),
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
        Format::Catair => stream::records(&name, input, &mut sink),
        Format::Csv | Format::CsvLong => {
            table([&entry_lines, &tariff_lines], &translator, input, &side, &mut sink)
        }
        Format::Flat => flat(&layout(&None)?, &translator, input, &side, &mut sink),
        _ if from.is_in_lines() => done(read_ndjson(grammar, input, &filings, &mut sink)),
        _ => done(read_records(grammar, input, &filings, &mut sink)),
    };
    let ending = read.map_err(|error| source.named(error))?;
    target.finish()?;
    Ok(if side.has_problems() { Ending::Findings } else { ending })
}

/// Converts records to what can be made of each batch by itself: by both threads.
fn in_parts(
    arguments: &Arguments,
    (source, targets): (&Source, &Targets),
    outputs: &Outputs,
    table: &Table<'_>,
    input: &mut dyn Read,
) -> anyhow::Result<Ending> {
    let side = Side::new(&source.name(), targets.rejects.as_deref(), outputs, false)?;
    let mut out = outputs.open(targets.output.as_deref())?;
    let read = if arguments.to.is_table() {
        tables::convert(table, input, &mut out, &side)
    } else {
        let grammar = table.grammar;
        let codec = Some(EntrySummaryCodec::new(grammar)?).filter(|_| arguments.to == Format::ModelNdjson);
        lines::convert(grammar, arguments.form(), codec.as_ref(), input, &mut out, &side)
    };
    let ending = read.map_err(|error| source.named(error))?;
    Ok(if side.has_problems() { Ending::Findings } else { ending })
}

/// Whether two names stand for one file that is there.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    real(one).is_some_and(|one| Some(one) == real(other))
}

fn done(read: Result<(), ReadError>) -> anyhow::Result<Ending> {
    Ok(read.map(|()| Ending::Clean)?)
}

fn open_layout(path: Option<&Path>, grammar: &Grammar) -> anyhow::Result<FlatLayout> {
    let Some(path) = path else { bail!("a flat file needs its layout: --layout FILE") };
    let text = read_text(path).with_context(|| path.display().to_string())?;
    Ok(FlatLayout::load(&grammar::Source { name: path.display().to_string(), text }, grammar)?)
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

/// What text looks like by its first characters: of JSON, a document begins with its list of batches; comma
/// separated values begin with the name of a column. Semicolons and tabs are refused by name where commas are
/// read. `None` if it is neither.
fn look(start: &[u8], table: &FlatLayout) -> Option<Format> {
    let start = start.trim_ascii_start();
    let Some(object) = start.strip_prefix(b"{") else {
        let first = start.split(|byte| b",;\t|\r\n".contains(byte)).next().unwrap_or_default().trim_ascii();
        let unquoted = first.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(first);
        let is_csv = table.columns().any(|column| column.as_bytes() == unquoted);
        return is_csv.then_some(Format::Csv);
    };
    let is_document = object.trim_ascii_start().starts_with(b"\"batches\"");
    Some(if is_document { Format::Records } else { Format::Ndjson })
}

/// The bytes of a header that are looked at to tell which of the tables it is.
const HEADER: u64 = 1 << 16;

/// Reads one of the two tables that come with the program, whichever has the columns of its header.
fn table(
    layouts: [&FlatLayout; 2],
    translator: &Translator<'_>,
    mut input: impl BufRead,
    side: &Side,
    sink: &mut dyn FnMut(&Columns) -> io::Result<()>,
) -> anyhow::Result<Ending> {
    let mut header = Vec::new();
    input.by_ref().take(HEADER).read_until(b'\n', &mut header)?;
    let known = |layout: &FlatLayout| {
        let names = header.split(|byte| b",;\t|\r\n\"".contains(byte)).map(<[u8]>::trim_ascii);
        names.filter(|name| layout.columns().any(|column| column.as_bytes() == *name)).count()
    };
    let [lines, tariffs] = layouts;
    let layout = if known(tariffs) > known(lines) { tariffs } else { lines };
    flat(layout, translator, io::Cursor::new(header).chain(input), side, sink)
}
