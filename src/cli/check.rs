//! `abigate check`.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use anyhow::Context;

use super::color::Color;
use super::report::{Format, Report};
use super::stream::EncodingName;
use super::{Ending, stream};
use crate::grammar::Grammar;
use crate::message::{Checker, Finding};
use crate::wire::{Limits, RECORD_LENGTH, Splitter};

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

/// Bytes read at a time: what a worker checks at once, so long as batches are no larger.
const CHUNK: usize = 1 << 18;

/// The most that a part may hold; a stream that shows no end of a batch for so long is checked as it comes.
const LARGEST: usize = 1 << 24;

/// Threads that check.
const WORKERS: usize = 2;

/// Parts that are read before a thread is free for them.
const AHEAD: usize = 4;

/// Findings that wait until those before them are written.
const WAITING: usize = 256;

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

/// A part of the stream that begins where a batch does, and where to tell of it.
type Part = (Vec<u8>, SyncSender<anyhow::Result<News>>);

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
    std::thread::scope(|scope| {
        let (parts, received) = sync_channel::<Part>(AHEAD);
        let received = Arc::new(Mutex::new(received));
        for _ in 0..WORKERS {
            let received = Arc::clone(&received);
            scope.spawn(move || {
                let mut checker = Checker::new(grammar, name);
                while let Some((part, news)) = next_of(&received) {
                    check_part(&mut checker, part, &news);
                }
            });
        }
        drop(received);
        let mut told = VecDeque::new();
        let mut totals = (0, 0);
        let mut rest = Vec::new();
        // The memory of parts that are done: fresh memory costs more than checking what is in it.
        let mut spare = Vec::new();
        loop {
            let (part, reach) = next_part(&mut *input, spare.pop().unwrap_or_default(), &mut rest)?;
            if reach == Reach::Endless {
                told.iter().try_for_each(|heard| tell(heard, &mut totals, &mut spare, report))?;
                return check_rest(grammar, name, &part, &mut *input, totals, report);
            }
            let is_last = reach == Reach::Whole;
            let (news, heard) = sync_channel(WAITING);
            parts.send((part, news)).context("the workers are gone")?;
            told.push_back(heard);
            while told.len() >= if is_last { 1 } else { AHEAD + WORKERS } {
                let Some(heard) = told.pop_front() else { break };
                tell(&heard, &mut totals, &mut spare, report)?;
            }
            if is_last {
                break;
            }
        }
        Ok(totals)
    })
}

/// The next part for whoever is free; none when all have been read.
fn next_of(received: &Mutex<Receiver<Part>>) -> Option<Part> {
    received.lock().ok()?.recv().ok()
}

/// How far a part of the stream reaches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reach {
    /// To where a batch begins.
    Batch,
    /// To the end of the stream.
    Whole,
    /// Nowhere in particular.
    Endless,
}

/// Reads on to the last place where a batch begins; what is behind stays in `rest`.
fn next_part(input: &mut dyn Read, mut part: Vec<u8>, rest: &mut Vec<u8>) -> io::Result<(Vec<u8>, Reach)> {
    part.clear();
    part.append(rest);
    loop {
        part.reserve(CHUNK + 1);
        let read = input.take(CHUNK as u64).read_to_end(&mut part)?;
        if read < CHUNK {
            return Ok((part, Reach::Whole));
        }
        if let Some(cut) = last_beginning(&part) {
            rest.extend_from_slice(&part[cut..]);
            part.truncate(cut);
            return Ok((part, Reach::Batch));
        }
        if part.len() >= LARGEST {
            return Ok((part, Reach::Endless));
        }
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

/// Where the last batch begins that comes behind another one's Z-record, on a line by itself: one that
/// tells the checker of the next part, too, that lines are separated.
fn last_beginning(part: &[u8]) -> Option<usize> {
    let lines = memchr::memrchr_iter(b'\n', part);
    let mut behind = None;
    for end in lines {
        let line = &part[end + 1..];
        if line.first() == Some(&b'Z') && behind.is_some() {
            return behind;
        }
        let is_line = memchr::memchr(b'\n', &line[..line.len().min(RECORD_LENGTH)]).is_some()
            || line.get(RECORD_LENGTH) == Some(&b'\n');
        behind = (line.first() == Some(&b'A') && is_line).then_some(end + 1);
    }
    None
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

/// Reports what a worker tells, counted from the beginning of the stream.
fn tell(
    heard: &Receiver<anyhow::Result<News>>,
    totals: &mut (u64, u32),
    spare: &mut Vec<Vec<u8>>,
    report: &mut impl FnMut(Finding) -> io::Result<()>,
) -> anyhow::Result<()> {
    for news in heard {
        match news? {
            News::Found(finding) => report(counted_on(*finding, *totals))?,
            News::Done { records, batches, part } => {
                totals.0 += records;
                totals.1 += batches;
                spare.push(part);
            }
        }
    }
    Ok(())
}
