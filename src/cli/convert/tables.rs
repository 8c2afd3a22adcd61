//! Records to the tables that come with the program, a part of the stream on each thread.

use std::io::{Read, Write};
use std::sync::mpsc::SyncSender;

use super::side::Side;
use crate::cli::Ending;
use crate::cli::parts::{self, CHUNK};
use crate::cli::stream::{Between, wrong_length};
use crate::flat::{Event, FlatLayout, FlatProblem, FlatWriter, Translator};
use crate::grammar::Grammar;
use crate::message::{Closure, Outline, Part, Unclosed};
use crate::wire::{Defect, LimitExceeded, Limits, Line, Splitter};

/// What is told of a part; records and batches are counted from its beginning.
enum News {
    Rows(Vec<u8>),
    Problem(FlatProblem),
    Rejected(Vec<u8>),
    Unclosed(Unclosed),
    WrongLength { record: u64, found: usize },
    TooLong(LimitExceeded),
    Done { records: u64, batches: u64, part: Vec<u8> },
}

/// Bytes of rows that are handed on at a time.
const PIECE: usize = 1 << 16;

/// What writes the rows.
pub(super) struct Table<'g> {
    pub(super) grammar: &'g Grammar,
    pub(super) layout: &'g FlatLayout,
    pub(super) translator: &'g Translator<'g>,
    pub(super) masks_passwords: bool,
}

/// Writes the batches of a stream as a table.
pub(super) fn convert(
    table: &Table<'_>,
    input: &mut dyn Read,
    out: &mut dyn Write,
    side: &Side,
) -> anyhow::Result<Ending> {
    let mut ending = Ending::Clean;
    // Records, batches and bytes of the parts before.
    let mut before = (0, 0, 0);
    let mut has_header = false;
    let mut hear = |news| {
        match news {
            News::Rows(rows) => {
                if !std::mem::replace(&mut has_header, true) {
                    out.write_all(&table.layout.header())?;
                }
                write_behind(&rows, before.1, out)?;
            }
            News::Problem(problem) => {
                side.tell_problem(&FlatProblem { row: before.0 + problem.row, ..problem });
            }
            News::Rejected(records) => side.reject(&records)?,
            News::Unclosed(unclosed) => side.tell(&unclosed.behind(before.0).to_string()),
            News::WrongLength { record, found } => {
                ending = Ending::Findings;
                wrong_length(side.source(), before.0 + record, found);
            }
            News::TooLong(exceeded) => {
                let LimitExceeded { number, offset, .. } = exceeded;
                let (number, offset) = (before.0 + number, before.2 + offset);
                return Err(LimitExceeded { number, offset, ..exceeded }.into());
            }
            News::Done { records, batches, part } => {
                if batches > 0 && !std::mem::replace(&mut has_header, true) {
                    out.write_all(&table.layout.header())?;
                }
                before.0 += records;
                before.1 += batches;
                before.2 += part.len() as u64;
                return Ok(Some(part));
            }
        }
        Ok(None)
    };
    let worker = || {
        move |part: Vec<u8>, news: &SyncSender<News>| {
            // Whoever listened may have stopped: then nothing is left to tell.
            let mut tell = |told| drop(news.send(told));
            let mut converter = Converter::new(table);
            converter.push(&part, &mut tell);
            converter.finish(part, &mut tell);
        }
    };
    if let Some(part) = parts::work(input, worker, &mut hear)? {
        let mut converter = Converter::new(table);
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

/// Writes rows whose first column counts the batches of a part, behind so many other batches. No value has
/// a line end in it.
fn write_behind(rows: &[u8], batches: u64, out: &mut dyn Write) -> std::io::Result<()> {
    if batches == 0 {
        return out.write_all(rows);
    }
    let mut rest = rows;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (row, after) = rest.split_at(end);
        let digits = row.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let own = row[..digits].iter().fold(0, |number, digit| number * 10 + u64::from(digit & 15));
        write!(out, "{}", own + batches)?;
        out.write_all(&row[digits..])?;
        rest = after;
    }
    Ok(())
}

/// Makes rows of one part.
struct Converter<'t> {
    splitter: Splitter,
    maker: Maker<'t>,
}

struct Maker<'t> {
    outline: Outline<'t>,
    parts: Vec<Part<'t>>,
    writer: FlatWriter<'t>,
    events: Vec<Event>,
    closure: Closure,
    between: Between,
    rows: Vec<u8>,
    records: u64,
}

impl<'t> Converter<'t> {
    fn new(table: &'t Table<'_>) -> Self {
        let writer = FlatWriter::new(table.layout, table.translator).masked(table.masks_passwords);
        let maker = Maker {
            outline: Outline::new(table.grammar),
            parts: Vec::new(),
            writer: writer.without_header(),
            events: Vec::new(),
            closure: Closure::default(),
            between: Between::default(),
            rows: Vec::with_capacity(2 * PIECE),
            records: 0,
        };
        Self { splitter: Splitter::new(Limits::default()), maker }
    }

    fn push(&mut self, bytes: &[u8], tell: &mut dyn FnMut(News)) {
        let Self { splitter, maker } = self;
        let pushed = splitter.push(bytes, &mut |line| maker.take(&line, tell));
        maker.too_long(pushed, tell);
    }

    fn finish(mut self, part: Vec<u8>, tell: &mut dyn FnMut(News)) {
        let Self { splitter, maker } = &mut self;
        let pushed = splitter.finish(&mut |line| maker.take(&line, tell));
        maker.too_long(pushed, tell);
        if let Some(unclosed) = maker.closure.finish() {
            tell(News::Unclosed(unclosed));
        }
        maker.outline.finish(&mut maker.parts);
        maker.write(tell);
        maker.hand_on(tell);
        tell(News::Done { records: maker.records, batches: maker.writer.batches(), part });
    }
}

impl Maker<'_> {
    fn take(&mut self, line: &Line<'_>, tell: &mut dyn FnMut(News)) {
        if self.between.skips(line.columns) {
            return;
        }
        self.records = line.number;
        if let Some(Defect::Short { found } | Defect::Long { found }) = line.defect {
            tell(News::WrongLength { record: line.number, found });
        }
        if let Some(unclosed) = self.closure.push(line.columns) {
            tell(News::Unclosed(unclosed));
        }
        self.outline.push(line.columns, &mut self.parts);
        if !self.parts.is_empty() {
            self.write(tell);
        }
    }

    fn write(&mut self, tell: &mut dyn FnMut(News)) {
        self.writer.parts(&self.parts, &mut self.events);
        for part in self.parts.drain(..) {
            if let Part::Body(body) = part {
                self.outline.recycle(body);
            }
        }
        for event in self.events.drain(..) {
            match event {
                Event::Rows(rows) => self.rows.extend_from_slice(&rows),
                Event::Problem(problem) => tell(News::Problem(problem)),
                Event::Rejected(records) => tell(News::Rejected(records)),
                Event::Record(_) => {}
            }
        }
        if self.rows.len() >= PIECE {
            self.hand_on(tell);
        }
    }

    fn hand_on(&mut self, tell: &mut dyn FnMut(News)) {
        if !self.rows.is_empty() {
            tell(News::Rows(std::mem::replace(&mut self.rows, Vec::with_capacity(2 * PIECE))));
        }
    }

    /// What stood before a line that is too long is written.
    fn too_long(&mut self, pushed: Result<(), LimitExceeded>, tell: &mut dyn FnMut(News)) {
        if let Err(exceeded) = pushed {
            self.hand_on(tell);
            tell(News::TooLong(exceeded));
        }
    }
}
