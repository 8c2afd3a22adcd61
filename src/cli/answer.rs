//! `abigate answer`

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::BytesMut;
use clap::Args;

use super::admin::REFERENCE;
use super::output::Outputs;
use super::{Ending, sources};
use crate::envelope::RawBatch;
use crate::gateway::{Answer, HostWithClock, Intake, Outliner, Peer};
use crate::grammar::Grammar;
use crate::host::World;
use crate::store::SqliteStore;
use crate::wire::{Columns, Limits};

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
    let outliner = Outliner::new(grammar)?;
    let mut output = outputs.standard();
    let mut ending = Ending::Clean;
    let read = read_batches(&arguments.files, |batch| {
        let answer = host.answer(&batch, &peer).map_err(anyhow::Error::from_boxed)?;
        if outliner.outcome(&answer).rejected > 0 {
            ending = Ending::Findings;
        }
        write(&mut output, &answer)
    })?;
    Ok(ending.max(read))
}

/// Each answer is flushed, so that a program at the other end of a pipe gets it before it goes on.
fn write(output: &mut impl Write, records: &[Columns]) -> anyhow::Result<()> {
    for record in records {
        output.write_all(record)?;
        output.write_all(b"\n")?;
    }
    Ok(output.flush()?)
}

/// Gives the batches of all files in order.
fn read_batches(
    files: &[PathBuf],
    mut take: impl FnMut(RawBatch) -> anyhow::Result<()>,
) -> anyhow::Result<Ending> {
    sources::each(sources::expand(files, sources::RECORDS), |source| {
        let read = read_file(&source.path, &mut take);
        read.map(|()| Ending::Clean).map_err(|error| source.named(error))
    })
}

fn read_file(path: &Path, take: &mut impl FnMut(RawBatch) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut input: Box<dyn Read> = match path == Path::new("-") {
        false => Box::new(File::open(path)?),
        true => Box::new(io::stdin().lock()),
    };
    let mut intake = Intake::new(Limits::default());
    let mut chunk = BytesMut::new();
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
    }
    while let Some(batch) = intake.finish()? {
        take(batch)?;
    }
    Ok(())
}
