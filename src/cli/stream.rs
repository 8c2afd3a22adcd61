//! Files and standard streams of records.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use super::Ending;
use crate::wire::{Columns, Defect, Limits, Line, Splitter};

/// Files above this many bytes take long enough for a progress bar.
const LONG: u64 = 16 << 20;
const BUFFER: usize = 256 << 10;

/// Opens a file, or standard input for `-` and where no file is named. Shows progress on a terminal.
pub(super) fn input(file: Option<&Path>) -> anyhow::Result<Box<dyn BufRead>> {
    let Some(path) = file.filter(|path| *path != Path::new("-")) else {
        return Ok(Box::new(io::stdin().lock()));
    };
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let length = file.metadata().with_context(|| path.display().to_string())?.len();
    if length <= LONG || !io::stderr().is_terminal() {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, file)));
    }
    let style = ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {eta} left")?;
    let bar = ProgressBar::new(length).with_style(style);
    Ok(Box::new(BufReader::with_capacity(BUFFER, bar.wrap_read(file))))
}

/// Creates a file, or takes standard output for `-` and where no file is named.
pub(super) fn output(file: Option<&Path>) -> anyhow::Result<Box<dyn Write>> {
    match file.filter(|path| *path != Path::new("-")) {
        None => Ok(Box::new(BufWriter::with_capacity(BUFFER, io::stdout().lock()))),
        Some(path) => {
            let file = File::create(path).with_context(|| path.display().to_string())?;
            Ok(Box::new(BufWriter::with_capacity(BUFFER, file)))
        }
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
            eprintln!("abigate: record {} has {found} columns, expected 80", line.number);
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

/// Nothing is wrong when whoever reads the output has seen enough.
pub(super) fn unless_closed(ending: anyhow::Result<Ending>) -> anyhow::Result<Ending> {
    let closed = |error: &anyhow::Error| {
        error.chain().any(|cause| {
            cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
        })
    };
    match ending {
        Err(error) if closed(&error) => Ok(Ending::Clean),
        other => other,
    }
}
