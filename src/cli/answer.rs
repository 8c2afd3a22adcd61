//! `abigate answer`

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::BytesMut;
use clap::Args;

use super::Ending;
use super::admin::REFERENCE;
use super::output::Outputs;
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
    /// The file with the batches; standard input if there is none or it is `-`
    file: Option<PathBuf>,
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
    read_batches(arguments.file.as_deref(), |batch| {
        let answer = host.answer(&batch, &peer).map_err(anyhow::Error::from_boxed)?;
        if outliner.outcome(&answer).rejected > 0 {
            ending = Ending::Findings;
        }
        write(&mut output, &answer)
    })?;
    Ok(ending)
}

/// Each answer is flushed, so that a program at the other end of a pipe gets it before it goes on.
fn write(output: &mut impl Write, records: &[Columns]) -> anyhow::Result<()> {
    for record in records {
        output.write_all(record)?;
        output.write_all(b"\n")?;
    }
    Ok(output.flush()?)
}

fn read_batches(
    file: Option<&Path>,
    mut take: impl FnMut(RawBatch) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let file = file.filter(|path| *path != Path::new("-"));
    let name = file.map_or("standard input".to_owned(), |path| path.display().to_string());
    let mut input: Box<dyn Read> = match file {
        Some(path) => Box::new(File::open(path).with_context(|| name.clone())?),
        None => Box::new(io::stdin().lock()),
    };
    let mut intake = Intake::new(Limits::default());
    let mut chunk = BytesMut::new();
    loop {
        chunk.resize(CHUNK, 0);
        let length = input.read(&mut chunk).with_context(|| name.clone())?;
        chunk.truncate(length);
        if length == 0 {
            break;
        }
        while let Some(batch) = intake.next_batch(&mut chunk).with_context(|| name.clone())? {
            take(batch)?;
        }
    }
    while let Some(batch) = intake.finish().with_context(|| name.clone())? {
        take(batch)?;
    }
    Ok(())
}
