//! Files and standard streams of records.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, IsTerminal, Read};
use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Ending, output};
use crate::wire::{Columns, Defect, Encoding, Limits, Line, Splitter};

/// Files above this many bytes take long enough for a progress bar.
const LONG: u64 = 16 << 20;
const BUFFER: usize = 256 << 10;

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

/// Opens a file, or standard input for `-` and where no file is named. Shows progress on a terminal.
pub(super) fn input(file: Option<&Path>) -> anyhow::Result<Box<dyn BufRead>> {
    Ok(Box::new(BufReader::with_capacity(BUFFER, source(file)?)))
}

/// The same for records, as columns; also tells the encoding.
pub(super) fn records_input(
    file: Option<&Path>,
    encoding: Option<EncodingName>,
) -> anyhow::Result<(Box<dyn BufRead>, Encoding)> {
    let (input, encoding) = decoded(source(file)?, encoding)?;
    Ok((Box::new(BufReader::with_capacity(BUFFER, input)), encoding))
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

/// Records as columns: in the encoding that is named, or else in the one that they begin in.
pub(super) fn decoded(
    mut input: Box<dyn Read>,
    encoding: Option<EncodingName>,
) -> io::Result<(Box<dyn Read>, Encoding)> {
    if let Some(encoding) = encoding.map(Encoding::from) {
        let input = match encoding {
            Encoding::Ascii => input,
            _ => Box::new(Decoded { input, encoding, is_named: true }),
        };
        return Ok((input, encoding));
    }
    let mut start = Vec::new();
    input.by_ref().take(Encoding::LOOKED_AT as u64).read_to_end(&mut start)?;
    let is_ebcdic = Encoding::detect(&start);
    let input = Cursor::new(start).chain(input);
    if !is_ebcdic {
        return Ok((Box::new(input), Encoding::Ascii));
    }
    let encoding = Encoding::Ebcdic037;
    Ok((Box::new(Decoded { input, encoding, is_named: false }), encoding))
}

/// EBCDIC as columns.
struct Decoded<R> {
    input: R,
    encoding: Encoding,
    /// Whether somebody said which code page it is.
    is_named: bool,
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        let chunk = &mut buffer[..length];
        if !self.is_named
            && let Some(at) = Encoding::ambiguous(chunk)
        {
            let message = format!(
                "byte {:02x} is another character in code page 037 than in 1047: say --encoding cp037 or cp1047",
                chunk[at]
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        self.encoding.decode_stream(chunk);
        Ok(length)
    }
}

/// Gives the records of a stream to `sink`. Records of the wrong length are told on standard error
/// and are findings: what is beyond 80 columns is lost.
pub(super) fn records(
    mut input: impl BufRead,
    sink: &mut dyn FnMut(&Columns) -> io::Result<()>,
) -> anyhow::Result<Ending> {
    let mut splitter = Splitter::new(Limits::default());
    let mut ending = Ending::Clean;
    let mut written = Ok(());
    let mut take = |line: Line<'_>| {
        if let Some(Defect::Short { found } | Defect::Long { found }) = line.defect {
            ending = Ending::Findings;
            wrong_length(line.number, found);
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

/// Tells of a record of the wrong length.
pub(super) fn wrong_length(record: u64, found: usize) {
    output::tell_problem(format_args!("record {record} has {found} columns, expected 80"));
}
