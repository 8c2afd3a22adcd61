//! Records to lines of JSON, a part of the stream on each thread.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::mpsc::SyncSender;

use super::side::Side;
use crate::cli::Ending;
use crate::cli::parts::{self, CHUNK};
use crate::cli::stream::{Between, wrong_length};
use crate::grammar::Grammar;
use crate::message::{Body, Closure, Form, Piece, RecordLines, Translation, Unclosed};
use crate::translate::EntrySummaryCodec;
use crate::wire::{Defect, LimitExceeded, Limits, Line, Splitter};

/// What is told of a part; records are counted from its beginning.
enum News {
    Piece(Piece),
    WrongLength { record: u64, found: usize },
    LeftOut(LeftOut),
    Unclosed(Unclosed),
    TooLong(LimitExceeded),
    Failed(anyhow::Error),
    Done { records: u64, batches: u64, part: Vec<u8> },
}

/// A transaction that cannot be translated.
struct LeftOut {
    record: u64,
    problem: String,
    records: Vec<u8>,
}

/// Bytes of JSON that are handed on at a time.
const PIECE: usize = 1 << 16;

/// Writes each transaction as a line; with a codec, each filing.
pub(super) fn convert(
    grammar: &Grammar,
    form: Form,
    codec: Option<&EntrySummaryCodec>,
    input: &mut dyn Read,
    out: &mut dyn Write,
    side: &Side,
) -> anyhow::Result<Ending> {
    let mut ending = Ending::Clean;
    // Records, batches and bytes of the parts before.
    let mut before = (0, 0, 0);
    let mut hear = |news| {
        match news {
            News::Piece(piece) => piece.write_to(&mut &mut *out, before.1)?,
            News::WrongLength { record, found } => {
                ending = Ending::Findings;
                wrong_length(side.source(), before.0 + record, found);
            }
            News::LeftOut(LeftOut { record, problem, records }) => {
                let record = before.0 + record;
                side.tell(&format!("transaction at record {record} is left out: {problem}"));
                side.reject(&records)?;
            }
            News::Unclosed(unclosed) => side.tell(&unclosed.behind(before.0).to_string()),
            News::TooLong(exceeded) => {
                let LimitExceeded { number, offset, .. } = exceeded;
                let (number, offset) = (before.0 + number, before.2 + offset);
                return Err(LimitExceeded { number, offset, ..exceeded }.into());
            }
            News::Failed(error) => return Err(error),
            News::Done { records, batches, part } => {
                before.0 += records;
                before.1 += batches;
                before.2 += part.len() as u64;
                return Ok(Some(part));
            }
        }
        Ok(None)
    };
    let worker = || {
        let mut converter = Converter::new(grammar, form, codec);
        move |part: Vec<u8>, news: &SyncSender<News>| {
            // Whoever listened may have stopped: then nothing is left to tell.
            let mut tell = |told| drop(news.send(told));
            converter.push(&part, &mut tell);
            converter.finish(part, &mut tell);
        }
    };
    if let Some(part) = parts::work(input, worker, &mut hear)? {
        let mut converter = Converter::new(grammar, form, codec);
        let mut chunk = vec![0; CHUNK];
        let mut heard = Ok(());
        let mut tell = |told: News| {
            if heard.is_ok() {
                heard = hear(told).map(drop);
            }
        };
        converter.push(&part, &mut tell);
        loop {
            let length = input.read(&mut chunk)?;
            if length == 0 {
                break;
            }
            converter.push(&chunk[..length], &mut tell);
        }
        converter.finish(Vec::new(), &mut tell);
        heard?;
    }
    out.flush()?;
    Ok(ending)
}

/// Makes lines of one part after the other.
struct Converter<'g> {
    splitter: Splitter,
    lines: RecordLines<'g>,
    left_out: Rc<RefCell<Vec<LeftOut>>>,
    closure: Closure,
    records: u64,
    between: Between,
}

impl<'g> Converter<'g> {
    fn new(grammar: &'g Grammar, form: Form, codec: Option<&'g EntrySummaryCodec>) -> Self {
        let mut lines = RecordLines::new(grammar, form);
        let left_out = Rc::default();
        if let Some(codec) = codec {
            lines.translate(translation(codec, Rc::clone(&left_out)));
        }
        Self {
            splitter: Splitter::new(Limits::default()),
            lines,
            left_out,
            closure: Closure::default(),
            records: 0,
            between: Between::default(),
        }
    }

    fn push(&mut self, bytes: &[u8], tell: &mut dyn FnMut(News)) {
        let Self { splitter, lines, left_out, closure, records, between } = self;
        let pushed = splitter.push(bytes, &mut |line| {
            if !between.skips(line.columns) {
                take(&line, lines, left_out, (closure, records), tell);
            }
        });
        too_long(pushed, lines, tell);
    }

    /// Ends a part; the next one begins anew.
    fn finish(&mut self, part: Vec<u8>, tell: &mut dyn FnMut(News)) {
        let Self { splitter, lines, left_out, closure, records, between } = self;
        let pushed = splitter.finish(&mut |line| {
            if !between.skips(line.columns) {
                take(&line, lines, left_out, (closure, records), tell);
            }
        });
        *between = Between::default();
        too_long(pushed, lines, tell);
        if let Err(error) = lines.finish() {
            tell(News::Failed(error.into()));
        }
        left_out.take().into_iter().for_each(|left| tell(News::LeftOut(left)));
        if let Some(unclosed) = closure.finish() {
            tell(News::Unclosed(unclosed));
        }
        tell(News::Piece(lines.take()));
        tell(News::Done { records: std::mem::take(records), batches: lines.batches(), part });
        lines.restart();
        *splitter = Splitter::new(Limits::default());
    }
}

fn take(
    line: &Line<'_>,
    lines: &mut RecordLines<'_>,
    left_out: &RefCell<Vec<LeftOut>>,
    (closure, records): (&mut Closure, &mut u64),
    tell: &mut dyn FnMut(News),
) {
    if let Some(unclosed) = closure.push(line.columns) {
        tell(News::Unclosed(unclosed));
    }
    *records = line.number;
    if let Some(Defect::Short { found } | Defect::Long { found }) = line.defect {
        tell(News::WrongLength { record: line.number, found });
    }
    if let Err(error) = lines.push(line.columns) {
        tell(News::Failed(error.into()));
    }
    if !left_out.borrow().is_empty() {
        left_out.take().into_iter().for_each(|left| tell(News::LeftOut(left)));
    }
    if lines.len() >= PIECE {
        tell(News::Piece(lines.take()));
    }
}

/// What stood before a line that is too long is written.
fn too_long(pushed: Result<(), LimitExceeded>, lines: &mut RecordLines<'_>, tell: &mut dyn FnMut(News)) {
    if let Err(exceeded) = pushed {
        tell(News::Piece(lines.take()));
        tell(News::TooLong(exceeded));
    }
}

/// Makes filings of transactions, and keeps those that it cannot make one of.
fn translation<'g>(codec: &'g EntrySummaryCodec, left_out: Rc<RefCell<Vec<LeftOut>>>) -> Translation<'g> {
    Box::new(move |body: &Body<'_>, out: &mut dyn Write| {
        let Err(problem) = codec.write_json(body, out) else { return true };
        let record = body.items.first().map_or(0, |item| item.number);
        let records = super::target::records_of(body);
        left_out.borrow_mut().push(LeftOut { record, problem, records });
        false
    })
}
