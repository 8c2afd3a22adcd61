//! `abigate check`.

use std::fs::File;
use std::io::{self, BufWriter, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;

use anyhow::Context;

use super::color::Color;
use super::parts::{self, CHUNK};
use super::report::{Format, Report};
use super::stream::EncodingName;
use super::{Ending, stream};
use crate::grammar::Grammar;
use crate::message::{Checker, Finding};
use crate::wire::{Limits, Splitter};

/// Names every finding in files of batches: records, fields, order, envelope.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files of batches; `-` is standard input.
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
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Ending> {
    stream::unless_closed(check(&arguments))
}

fn check(arguments: &Arguments) -> anyhow::Result<Ending> {
    let own = arguments.grammars.as_deref().map(Grammar::with_folder).transpose()?;
    let grammar = own.as_ref().unwrap_or_else(|| Grammar::builtin());
    let out = BufWriter::new(io::stdout().lock());
    let mut told = Report::new(grammar, arguments.format, arguments.color.is_on(), out);
    for path in &arguments.files {
        let read = check_file(grammar, path, arguments.encoding, &mut |finding| told.finding(&finding));
        let (records, batches) = read.with_context(|| format!("cannot check {}", path.display()))?;
        told.source(records, batches);
    }
    Ok(told.finish()?)
}

/// What a worker tells of its part of the stream.
enum News {
    Found(Box<Finding>),
    Done { records: u64, batches: u32, part: Vec<u8> },
}

/// Checks a stream on two threads. Batches know nothing of each other, so parts that hold whole
/// batches can be checked apart; findings are told in the order of the stream.
fn check_file(
    grammar: &Grammar,
    path: &Path,
    encoding: Option<EncodingName>,
    report: &mut impl FnMut(Finding) -> io::Result<()>,
) -> anyhow::Result<(u64, u32)> {
    let standard_input = path == Path::new("-");
    let input: Box<dyn Read> =
        if standard_input { Box::new(io::stdin().lock()) } else { Box::new(File::open(path)?) };
    let (mut input, _) = stream::decoded(input, encoding)?;
    let name = path.display().to_string();
    let name = (!standard_input).then_some(name.as_str());
    let mut totals = (0, 0);
    let worker = || {
        let mut checker = Checker::new(grammar, name);
        move |part: Vec<u8>, news: &SyncSender<anyhow::Result<News>>| check_part(&mut checker, part, news)
    };
    let rest = parts::work(&mut *input, worker, &mut |news| match news? {
        News::Found(finding) => {
            report(counted_on(*finding, totals))?;
            Ok(None)
        }
        News::Done { records, batches, part } => {
            totals.0 += records;
            totals.1 += batches;
            Ok(Some(part))
        }
    })?;
    match rest {
        None => Ok(totals),
        Some(part) => check_rest(grammar, name, &part, &mut *input, totals, report),
    }
}

/// Checks what is left of a stream as it comes.
fn check_rest(
    grammar: &Grammar,
    name: Option<&str>,
    part: &[u8],
    input: &mut dyn Read,
    before: (u64, u32),
    report: &mut impl FnMut(Finding) -> io::Result<()>,
) -> anyhow::Result<(u64, u32)> {
    let mut checker = Checker::new(grammar, name);
    let mut splitter = Splitter::new(Limits::default());
    let mut written = Ok(());
    let mut sink = |finding: Finding| {
        if written.is_ok() {
            written = report(counted_on(finding, before));
        }
    };
    splitter.push(part, &mut |line| checker.line(&line, &mut sink))?;
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = input.read(&mut chunk)?;
        if length == 0 {
            break;
        }
        splitter.push(&chunk[..length], &mut |line| checker.line(&line, &mut sink))?;
    }
    splitter.finish(&mut |line| checker.line(&line, &mut sink))?;
    checker.finish(&mut sink);
    written?;
    Ok((before.0 + checker.records(), before.1 + checker.batches()))
}

/// A finding of a part, counted from the beginning of the stream.
fn counted_on(mut finding: Finding, (records, batches): (u64, u32)) -> Finding {
    finding.position.record += records;
    finding.position.batch += batches;
    finding
}

fn check_part(checker: &mut Checker<'_>, part: Vec<u8>, news: &SyncSender<anyhow::Result<News>>) {
    checker.restart();
    let mut splitter = Splitter::new(Limits::default());
    // Whoever listened may have stopped: then nothing is left to tell.
    let mut sink = |finding| drop(news.send(Ok(News::Found(Box::new(finding)))));
    let pushed = splitter
        .push(&part, &mut |line| checker.line(&line, &mut sink))
        .and_then(|()| splitter.finish(&mut |line| checker.line(&line, &mut sink)));
    checker.finish(&mut sink);
    let done = News::Done { records: checker.records(), batches: checker.batches(), part };
    drop(news.send(pushed.map(|()| done).map_err(anyhow::Error::from)));
}
