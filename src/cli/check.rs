//! `abigate check`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;

use jiff::Zoned;

use super::color::Color;
use super::output::Outputs;
use super::parts::{self, CHUNK};
use super::report::{Format, Report};
use super::stream::EncodingName;
use super::world::WorldName;
use super::{Ending, sources, stream};
use crate::grammar::Grammar;
use crate::host::{Inspection, Inspector};
use crate::message::Finding;
use crate::wire::{LimitExceeded, Limits, Splitter};

/// Names every finding in files of batches: records, fields, order, envelope, rules
///
/// Rules are judged as of the day in the A-record. Without a world they judge what a message says of
/// itself, such as sums and check digits; with one, also parties, ports, tariff numbers, duty and fees.
/// What is on file is not known; `abigate answer --findings` knows it.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files of batches, and folders: the files in them that end in .abi. `-` is standard input.
    #[arg(default_value = "-")]
    files: Vec<PathBuf>,
    /// How findings are written.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Whether drawings are coloured.
    #[arg(long, value_enum, default_value = "auto")]
    color: Color,
    /// A folder of grammars that add to or override the built-in ones.
    #[arg(long, value_name = "FOLDER")]
    grammars: Option<PathBuf>,
    /// The encoding of the records; EBCDIC is found out by looking if not given.
    #[arg(long, value_name = "ENCODING")]
    encoding: Option<EncodingName>,
    #[command(flatten)]
    world: WorldName,
    /// Leave out what rules find: records, fields, order and envelope alone, which is faster.
    #[arg(long, conflicts_with_all = ["world", "demo"])]
    no_rules: bool,
    /// Count findings by condition and field, with the first of each as an example.
    #[arg(long)]
    summary: bool,
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let own = arguments.grammars.as_deref().map(Grammar::with_folder).transpose()?;
    let grammar = own.as_ref().unwrap_or_else(|| Grammar::builtin());
    let world = arguments.world.open(grammar)?;
    let inspection = match arguments.no_rules {
        true => Inspection::without_rules(grammar)?,
        false => Inspection::new(grammar, world, Zoned::now().date())?,
    };
    let Arguments { format, color, summary, encoding, .. } = arguments;
    let mut told = Report::new(grammar, format, color, summary, outputs.standard())?;
    let ending = sources::each(sources::expand(&arguments.files, sources::RECORDS), |source| {
        let read = check_file(&inspection, &source.path, encoding, &mut |finding| told.finding(&finding));
        let (records, batches) = read.map_err(|error| source.named(error))?;
        told.source(records, batches);
        Ok(Ending::Clean)
    })?;
    Ok(ending.max(told.finish()?))
}

/// What a worker tells of its part of the stream.
enum News {
    Found(Box<Finding>),
    TooLong(LimitExceeded),
    Done { records: u64, batches: u32, part: Vec<u8> },
}

/// Checks a stream on two threads. Batches know nothing of each other, so parts that hold whole
/// batches can be checked apart; findings are told in the order of the stream.
fn check_file(
    inspection: &Inspection<'_>,
    path: &Path,
    encoding: Option<EncodingName>,
    report: &mut impl FnMut(Finding) -> io::Result<()>,
) -> anyhow::Result<(u64, u32)> {
    let standard_input = path == Path::new("-");
    let input: Box<dyn Read> =
        if standard_input { Box::new(io::stdin().lock()) } else { Box::new(File::open(path)?) };
    let name = path.display().to_string();
    let shown = if standard_input { "standard input".to_owned() } else { name.clone() };
    let (mut input, _) = stream::decoded(input, shown, encoding)?;
    let name = (!standard_input).then_some(name.as_str());
    let mut before = Before::default();
    let worker = || {
        let mut checker = inspection.inspector(name);
        move |part: Vec<u8>, news: &SyncSender<News>| check_part(&mut checker, part, news)
    };
    let rest = parts::work(&mut input, worker, &mut |news| match news {
        News::Found(finding) => {
            report(before.count_finding(*finding))?;
            Ok(None)
        }
        News::TooLong(exceeded) => Err(before.count_line(exceeded).into()),
        News::Done { records, batches, part } => {
            before.records += records;
            before.batches += batches;
            before.bytes += part.len() as u64;
            Ok(Some(part))
        }
    })?;
    match rest {
        None => Ok((before.records, before.batches)),
        Some(part) => check_rest(inspection, name, &part, &mut input, before, report),
    }
}

/// What stands in a stream before a part of it.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    records: u64,
    batches: u32,
    bytes: u64,
}

impl Before {
    /// A finding of the part, counted from the beginning of the stream.
    fn count_finding(self, mut finding: Finding) -> Finding {
        finding.position.record += self.records;
        finding.position.batch += self.batches;
        finding
    }

    /// The same of a line that is too long.
    fn count_line(self, exceeded: LimitExceeded) -> LimitExceeded {
        let LimitExceeded { number, offset, .. } = exceeded;
        LimitExceeded { number: self.records + number, offset: self.bytes + offset, ..exceeded }
    }
}

/// Checks what is left of a stream as it comes.
fn check_rest(
    inspection: &Inspection<'_>,
    name: Option<&str>,
    part: &[u8],
    input: &mut dyn Read,
    before: Before,
    report: &mut impl FnMut(Finding) -> io::Result<()>,
) -> anyhow::Result<(u64, u32)> {
    let mut checker = inspection.inspector(name);
    let mut splitter = Splitter::new(Limits::default());
    let mut written = Ok(());
    let mut sink = |finding: Finding| {
        if written.is_ok() {
            written = report(before.count_finding(finding));
        }
    };
    let too_long = |exceeded| before.count_line(exceeded);
    splitter.push(part, &mut |line| checker.line(&line, &mut sink)).map_err(too_long)?;
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = input.read(&mut chunk)?;
        if length == 0 {
            break;
        }
        splitter.push(&chunk[..length], &mut |line| checker.line(&line, &mut sink)).map_err(too_long)?;
    }
    splitter.finish(&mut |line| checker.line(&line, &mut sink)).map_err(too_long)?;
    checker.finish(&mut sink);
    written?;
    Ok((before.records + checker.records(), before.batches + checker.batches()))
}

fn check_part(checker: &mut Inspector<'_, '_>, part: Vec<u8>, news: &SyncSender<News>) {
    checker.restart();
    let mut splitter = Splitter::new(Limits::default());
    // Whoever listened may have stopped: then nothing is left to tell.
    let mut sink = |finding| drop(news.send(News::Found(Box::new(finding))));
    let pushed = splitter
        .push(&part, &mut |line| checker.line(&line, &mut sink))
        .and_then(|()| splitter.finish(&mut |line| checker.line(&line, &mut sink)));
    checker.finish(&mut sink);
    drop(news.send(match pushed {
        Ok(()) => News::Done { records: checker.records(), batches: checker.batches(), part },
        Err(exceeded) => News::TooLong(exceeded),
    }));
}
