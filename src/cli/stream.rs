//! Files and standard streams of records.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, IsTerminal, Read};
use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use super::entrance::{BUFFER, Entrance};
use super::{Ending, output};
use crate::wire::{Columns, Content, Defect, Door, Encoding, Limits, Line, Splitter, says_nothing};

/// Files above this many bytes take long enough for a progress bar.
const LONG: u64 = 16 << 20;
/// How much of a file is looked at to tell its format.
const LOOKED_AT: u64 = 4096;

/// An encoding of records, as the command line names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum EncodingName {
    /// ASCII
    Ascii,
    /// EBCDIC, code page 037
    Cp037,
    /// EBCDIC, code page 1047
    Cp1047,
}

impl From<EncodingName> for Encoding {
    fn from(name: EncodingName) -> Self {
        match name {
            EncodingName::Ascii => Self::Ascii,
            EncodingName::Cp037 => Self::Ebcdic037,
            EncodingName::Cp1047 => Self::Ebcdic1047,
        }
    }
}

/// Opens a file of text, or standard input for `-` and where no file is named. Shows progress on a terminal.
pub(super) fn input(file: Option<&Path>) -> anyhow::Result<Box<dyn BufRead>> {
    Ok(buffered(Entrance::new(source(file)?, Content::Text, None)?))
}

/// The same for rows of a layout.
pub(super) fn rows_input(file: Option<&Path>, encoding: Encoding) -> anyhow::Result<Box<dyn BufRead>> {
    if encoding.is_ebcdic() {
        return raw_input(file);
    }
    Ok(buffered(Entrance::new(source(file)?, Content::Rows, None)?))
}

/// The bytes as they are.
pub(super) fn raw_input(file: Option<&Path>) -> anyhow::Result<Box<dyn BufRead>> {
    Ok(buffered(source(file)?))
}

/// The same for records, as columns; also tells the encoding.
pub(super) fn records_input(
    file: Option<&Path>,
    encoding: Option<EncodingName>,
) -> anyhow::Result<(Box<dyn BufRead>, Encoding)> {
    let (input, encoding) = decoded(source(file)?, name_of(file), encoding)?;
    Ok((buffered(input), encoding))
}

/// The same for what `is_text` tells to be text by its first characters, and takes for records otherwise.
pub(super) fn any_input(
    file: Option<&Path>,
    encoding: Option<EncodingName>,
    is_text: impl FnOnce(&[u8]) -> bool,
) -> anyhow::Result<(Box<dyn BufRead>, Encoding)> {
    let mut source = source(file)?;
    let mut start = Vec::new();
    source.by_ref().take(LOOKED_AT).read_to_end(&mut start)?;
    let mut text = Vec::new();
    // What cannot be read as text is none; why it cannot be read as records either is told below.
    let is_text = encoding.is_none()
        && Door::new(Content::Rows).push(&start, &mut text).is_ok()
        && is_text(if text.is_empty() { &start } else { &text });
    let source = Box::new(Cursor::new(start).chain(source));
    if is_text {
        return Ok((buffered(Entrance::new(source, Content::Text, None)?), Encoding::Ascii));
    }
    let (input, encoding) = decoded(source, name_of(file), encoding)?;
    Ok((buffered(input), encoding))
}

fn buffered(input: impl Read + 'static) -> Box<dyn BufRead> {
    Box::new(BufReader::with_capacity(BUFFER, input))
}

/// How messages name a source.
fn name_of(file: Option<&Path>) -> String {
    let file = file.filter(|path| *path != Path::new("-"));
    file.map_or("standard input".to_owned(), |path| path.display().to_string())
}

fn source(file: Option<&Path>) -> anyhow::Result<Box<dyn Read>> {
    let Some(path) = file.filter(|path| *path != Path::new("-")) else {
        return Ok(Box::new(io::stdin().lock()));
    };
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let length = file.metadata().with_context(|| path.display().to_string())?.len();
    if length <= LONG || !io::stderr().is_terminal() {
        return Ok(Box::new(file));
    }
    let style = ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {eta} left")?;
    let bar = ProgressBar::new(length).with_style(style);
    Ok(Box::new(bar.wrap_read(file)))
}

/// Records as columns: in the encoding that is named, or else in the one that they begin in. What is odd
/// about them and read all the same is told on standard error.
pub(super) fn decoded(
    input: Box<dyn Read>,
    name: String,
    encoding: Option<EncodingName>,
) -> io::Result<(Entrance, Encoding)> {
    let entrance = Entrance::new(input, Content::Records, encoding.map(Encoding::from))?;
    if let Some(oddity) = entrance.oddity() {
        tell_oddity(&name, oddity);
    }
    let encoding = entrance.encoding();
    Ok((entrance, encoding))
}

/// Tells what is odd about a stream and read all the same.
pub(super) fn tell_oddity(name: &str, oddity: &str) {
    output::tell_problem(format_args!("{name}: note: {oddity}; it is read all the same"));
}

/// Gives the records of a stream to `sink`. Records of the wrong length are told on standard error
/// and are findings: what is beyond 80 columns is lost.
pub(super) fn records(
    name: &str,
    mut input: impl BufRead,
    sink: &mut dyn FnMut(&Columns) -> io::Result<()>,
) -> anyhow::Result<Ending> {
    let mut splitter = Splitter::new(Limits::default());
    let mut ending = Ending::Clean;
    let mut written = Ok(());
    let mut between = Between::default();
    let mut take = |line: Line<'_>| {
        if between.skips(line.columns) {
            return;
        }
        if let Some(Defect::Short { found } | Defect::Long { found }) = line.defect {
            ending = Ending::Findings;
            wrong_length(name, line.number, found);
        }
        if written.is_ok() {
            written = sink(line.columns);
        }
    };
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        let length = chunk.len();
        splitter.push(chunk, &mut take)?;
        input.consume(length);
    }
    splitter.finish(&mut take)?;
    written?;
    Ok(ending)
}

/// Whether a stream is between its batches, where lines that say nothing are nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between(bool);

impl Default for Between {
    /// At the start of a stream.
    fn default() -> Self {
        Self(true)
    }
}

impl Between {
    /// Takes the next line; tells whether it is nothing.
    pub(super) fn skips(&mut self, columns: &Columns) -> bool {
        if self.0 && says_nothing(columns) {
            return true;
        }
        self.0 = columns[0].eq_ignore_ascii_case(&b'Z');
        false
    }
}

/// Tells of a record of the wrong length.
pub(super) fn wrong_length(name: &str, record: u64, found: usize) {
    output::tell_problem(format_args!("{name}: record {record} has {found} columns, expected 80"));
}
