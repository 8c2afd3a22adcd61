//! `abigate answer`

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use bytes::BytesMut;
use clap::Args;

use super::admin::REFERENCE;
use super::color::Color;
use super::output::Outputs;
use super::report::{Format, Report};
use super::sources::Source;
use super::stream::EncodingName;
use super::{Ending, sources, stream};
use crate::envelope::RawBatch;
use crate::gateway::{Answer, HostWithClock, Intake, Outliner, Peer};
use crate::grammar::Grammar;
use crate::host::World;
use crate::store::SqliteStore;
use crate::wire::{Columns, Encoding, Limits};

/// The name of the store in a data folder.
pub(super) const STORE: &str = "abigate.db";
/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// Print what the gateway would answer to batches, without a gateway
///
/// The answers are plain records, one a line. The demo world stands still on a day of its own; another
/// world does so only if it has a clock.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Files with the batches, and folders: the files in them that end in .abi. They are answered in this
    /// order, each by what the host has on file from those before. `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,
    /// The folder that keeps what was accepted, and reference data that `admin reference` imported;
    /// without it each run begins afresh
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The senders, filers, ports, importers and other reference data, TOML
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Write the conditions as findings in place of the answers: each with its record, columns, what was
    /// found and expected, and its rule. Those of Census overrides (CW) are told by the answer alone
    #[arg(long, value_enum, value_name = "FORMAT")]
    findings: Option<Format>,
    /// With `--findings`: count them by condition and field, with the first of each as an example
    #[arg(long, requires = "findings")]
    summary: bool,
    /// Whether findings are coloured
    #[arg(long, value_enum, default_value = "auto", requires = "findings")]
    color: Color,
    /// The encoding of the batches; EBCDIC is found out by looking if not given
    #[arg(long, value_name = "ENCODING")]
    encoding: Option<EncodingName>,
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let grammar = Grammar::builtin();
    let mut world = match &arguments.world {
        Some(file) => World::open(file, grammar)?,
        None => World::demo(grammar)?,
    };
    let store = match &arguments.data {
        Some(folder) => {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            let reference = folder.join(REFERENCE);
            if reference.is_dir() {
                world.add_reference(&reference)?;
            }
            SqliteStore::open_or_create(&folder.join(STORE))?
        }
        None => SqliteStore::in_memory()?,
    };
    let mut host = HostWithClock::new(world, store)?;
    // Who works on this machine shows no certificate; the password speaks for the sender.
    let peer = Peer::new(None)?;
    let mut output = outputs.standard();
    if let Some(format) = arguments.findings {
        let report = Report::new(grammar, format, arguments.color, arguments.summary, output)?;
        return findings(report, (&arguments.files, arguments.encoding), &mut host, &peer);
    }
    let outliner = Outliner::new(grammar)?;
    let mut ending = Ending::Clean;
    let encoding = arguments.encoding.map(Encoding::from);
    let read = read_batches(&arguments.files, encoding, |_, _, batch| {
        let answer = host.answer(&batch, &peer).map_err(anyhow::Error::from_boxed)?;
        if outliner.outcome(&answer).rejected > 0 {
            ending = Ending::Findings;
        }
        write(&mut output, &answer)
    })?;
    Ok(ending.max(read))
}

/// Tells the findings of batches, which are answered as without: what one of them changes is there for the
/// next.
fn findings(
    mut report: Report<'_, impl Write>,
    (files, encoding): (&[PathBuf], Option<EncodingName>),
    host: &mut HostWithClock<SqliteStore>,
    peer: &Peer,
) -> anyhow::Result<Ending> {
    let read = read_batches(files, encoding.map(Encoding::from), |source, number, batch| {
        let name = (source.path != Path::new("-")).then(|| Arc::<str>::from(source.name()));
        let (_, findings) = host.answer_explained(&batch, peer, name.as_ref(), number)?;
        for finding in &findings {
            report.finding(finding)?;
        }
        report.source(batch.rows.len() as u64, 1);
        Ok(())
    })?;
    Ok(read.max(report.finish()?))
}

/// Each answer is flushed, so that a program at the other end of a pipe gets it before it goes on.
fn write(output: &mut impl Write, records: &[Columns]) -> anyhow::Result<()> {
    for record in records {
        output.write_all(record)?;
        output.write_all(b"\n")?;
    }
    Ok(output.flush()?)
}

/// Gives the batches of all files in order, each with its file and its number in it.
fn read_batches(
    files: &[PathBuf],
    encoding: Option<Encoding>,
    mut take: impl FnMut(&Source, u32, RawBatch) -> anyhow::Result<()>,
) -> anyhow::Result<Ending> {
    sources::each(sources::expand(files, sources::RECORDS), |source| {
        let mut number = 0;
        let read = read_file(source, encoding, &mut |batch| {
            number += 1;
            take(source, number, batch)
        });
        read.map(|()| Ending::Clean).map_err(|error| source.named(error))
    })
}

fn read_file(
    source: &Source,
    encoding: Option<Encoding>,
    take: &mut impl FnMut(RawBatch) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut input: Box<dyn Read> = match source.path == Path::new("-") {
        false => Box::new(File::open(&source.path)?),
        true => Box::new(io::stdin().lock()),
    };
    let mut intake = Intake::of_file(Limits::default(), encoding);
    let mut chunk = BytesMut::new();
    let mut is_told = false;
    loop {
        chunk.resize(CHUNK, 0);
        let length = input.read(&mut chunk)?;
        chunk.truncate(length);
        if length == 0 {
            break;
        }
        while let Some(batch) = intake.next_batch(&mut chunk)? {
            take(batch)?;
        }
        if let Some(oddity) = intake.oddity().filter(|_| !is_told) {
            is_told = true;
            stream::tell_oddity(&source.name(), oddity);
        }
    }
    while let Some(batch) = intake.finish()? {
        take(batch)?;
    }
    Ok(())
}
