//! `abigate demo`

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use include_dir::{Dir, include_dir};
use indicatif::{ProgressBar, ProgressStyle};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::annotate::Annotator;
use super::output::{Output, Outputs};
use super::{Ending, development, story};
use crate::gateway::{Client, HostWithClock, Outcome, Outliner, Server, client_tls};
use crate::grammar::{ConditionCode, Grammar};
use crate::host::World;
use crate::store::SqliteStore;
use crate::wire::{Columns, records};

static SAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/samples/entry_summary");

/// What is shown unless everything is asked for: a walk through the kinds of batches and answers.
const CHOSEN: [&str; 9] = [
    "good/01-air-one-line.abi",
    "good/01-vessel-three-lines.abi",
    "good/03-antidumping-additional-bond.abi",
    "good/01-pga-food-certified.abi",
    "good/01-add-and-replace.abi",
    "good/01-service-bureau-two-filers.abi",
    "bad/433-tariff-number-unknown.abi",
    "bad/518-line-number-twice.abi",
    "bad/119-bond-missing.abi",
];

/// Watch a broker and a gateway talk
///
/// Both run in this process, over TLS on this machine, with a store in a temporary folder. Each
/// batch that is sent is shown shortened (>), each record of its answer (<) with an explanation.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Send every sample
    #[arg(long)]
    all: bool,
    /// Tell a story instead: one that comes with the program, or a TOML file (docs/scenarios.md)
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    scenario: Option<String>,
    /// List the stories that come with the program
    #[arg(long, conflicts_with_all = ["all", "scenario"])]
    list: bool,
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    if arguments.list {
        return story::list(&mut outputs.standard());
    }
    if let Some(name) = &arguments.scenario {
        return story::perform(name, outputs.standard());
    }
    let samples = samples(arguments.all)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(demonstrate(&samples, outputs.standard()))
}

/// A batch that comes with the program.
struct Sample {
    name: String,
    bytes: &'static [u8],
    /// The condition that it provokes, if it is a bad one.
    condition: Option<ConditionCode>,
}

fn samples(all: bool) -> anyhow::Result<Vec<Sample>> {
    let paths: Vec<String> = if all {
        let folders = ["good", "bad"].into_iter().filter_map(|name| SAMPLES.get_dir(name));
        let files = folders.flat_map(|folder| folder.files()).map(|file| file.path().display().to_string());
        files.filter(|path| path.ends_with(".abi") && !path.ends_with(".answer.abi")).collect()
    } else {
        CHOSEN.map(str::to_owned).to_vec()
    };
    let sample = |path: String| {
        let file = SAMPLES.get_file(&path).with_context(|| format!("sample {path}"))?;
        Ok(Sample { condition: provoked(&path), name: path, bytes: file.contents() })
    };
    paths.into_iter().map(sample).collect()
}

/// The condition a bad sample is named after.
fn provoked(path: &str) -> Option<ConditionCode> {
    let (code, _) = path.strip_prefix("bad/")?.split_once('-')?;
    ConditionCode::new(code)
}

async fn demonstrate(samples: &[Sample], mut output: Output) -> anyhow::Result<Ending> {
    let folder = temporary_folder()?;
    let grammar = Grammar::builtin();
    let world = World::demo(grammar)?;
    let mut config = development::prepare(folder.path(), &world)?;
    "127.0.0.1:0".clone_into(&mut config.listen);
    let store = SqliteStore::open(config.store.as_deref().context("the settings name no store")?)?;
    let server = Server::bind(&config, HostWithClock::new(World::demo(grammar)?, store)?).await?;
    let broker = Broker {
        address: server.local_addr()?.to_string(),
        folder: folder.path().to_owned(),
        outliner: Outliner::new(grammar)?,
        world,
    };
    let stop = CancellationToken::new();
    let serving = tokio::spawn(server.run(stop.clone().cancelled_owned()));
    let surprises = broker.talk(samples, &mut output).await;
    stop.cancel();
    let report = serving.await??;

    let surprises = surprises?;
    writeln!(
        output,
        "{} batches on {} connections, {} answered as expected",
        report.batches,
        report.connections,
        report.batches.saturating_sub(surprises.len() as u64)
    )?;
    for name in &surprises {
        writeln!(output, "unexpected answer to {name}")?;
    }
    Ok(if surprises.is_empty() { Ending::Clean } else { Ending::Findings })
}

struct Broker {
    address: String,
    folder: PathBuf,
    outliner: Outliner,
    world: World,
}

impl Broker {
    /// Sends samples and prints the conversation; the names of those whose answer was a surprise.
    async fn talk(&self, samples: &[Sample], output: &mut Output) -> anyhow::Result<Vec<String>> {
        let annotator = Annotator::new()?;
        // shows itself on a terminal only
        let progress = ProgressBar::new(samples.len() as u64)
            .with_style(ProgressStyle::with_template("{bar:40} {pos} of {len} batches")?);
        let mut surprises = Vec::new();
        for sample in samples {
            let rows: Vec<Columns> = records(sample.bytes).map(|record| record.columns).collect();
            let sender = self.sender(&rows);
            let answer = self.ask(sender, sample.bytes).await.with_context(|| sample.name.clone())?;
            let outcome = self.outliner.outcome(&answer);
            if !is_expected(sample, &outcome) {
                surprises.push(sample.name.clone());
            }
            progress.suspend(|| {
                writeln!(output, "{}, sent by {sender}", sample.name)?;
                write!(output, "{}{}", annotator.sent(&rows), annotator.answer(&answer))?;
                writeln!(output, "  = {outcome}\n")?;
                output.flush()
            })?;
            progress.inc(1);
        }
        progress.finish_and_clear();
        Ok(surprises)
    }

    /// Whose certificate belongs to a batch; of one from nobody, the demo's own sender's.
    fn sender(&self, rows: &[Columns]) -> &str {
        let outline = self.outliner.outline(rows);
        let known = self
            .world
            .senders()
            .iter()
            .find(|sender| outline.sender == format!("{}/{}", sender.site(), sender.id()));
        known.and_then(|sender| sender.certificate()).unwrap_or(development::SENDER)
    }

    async fn ask(&self, sender: &str, bytes: &[u8]) -> anyhow::Result<Vec<Columns>> {
        let tls = client_tls(&development::credentials(&self.folder, sender))?;
        let client = Client::connect(&self.address, tls).await?;
        let mut answer = Vec::new();
        client.converse(bytes, Duration::ZERO, |columns| answer.push(*columns)).await?;
        Ok(answer)
    }
}

/// Good samples are accepted as a whole; bad ones are answered with their condition.
fn is_expected(sample: &Sample, outcome: &Outcome) -> bool {
    match &sample.condition {
        None => outcome.accepted > 0 && outcome.rejected == 0,
        Some(condition) => outcome.codes.contains(condition),
    }
}

/// A folder for its owner only that is gone when the demo ends.
pub(super) fn temporary_folder() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("abigate-demo-").tempdir()
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn what_is_chosen_is_there() {
        assert_eq!(samples(false).unwrap().len(), CHOSEN.len());
        assert!(samples(true).unwrap().len() >= 30);
    }
}
