//! What the fuzz targets of `fuzz/` do with their bytes, kept here so that the test run replays their
//! corpus. Each function gives back nothing and panics when something does not hold.

mod flat;

use std::cell::RefCell;
use std::error::Error;
use std::sync::LazyLock;

use bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

use crate::envelope::{
    BatchCollector, BatchReading, BlockAnswer, Directory, EnvelopeCodec, Party, Permit, RawBatch, Sender,
    Standing,
};
use crate::fuzz::Forgetful;
use crate::grammar::{Grammar, LoadError, Source, UnknownName, export};
use crate::host::{Host, TrustingPeer, World};
use crate::message::{Checker, Finding, Form, RecordsWriter, Transaction};
use crate::message::{no_filings, read_ndjson, read_records};
use crate::store::SqliteStore;
use crate::wire::{Columns, LimitExceeded, Limits, Line, Record, RecordCodec, Separator, Splitter, records};

pub use flat::flat_files;

/// A stream in chunks: the first byte says how many sizes follow, the others are the stream.
pub fn wire(data: &[u8]) {
    let Some((&count, rest)) = data.split_first() else {
        return;
    };
    let (sizes, stream) = rest.split_at(rest.len().min(usize::from(count % 8)));
    let limits = Limits { line_length: 80 + 4 * usize::from(count), ..Limits::default() };
    let (found, separator, exceeded) = split([stream], limits);
    assert_eq!(split(chunks(stream, sizes), limits), (found.clone(), separator, exceeded));
    assert_eq!(split(stream.chunks(1), limits), (found.clone(), separator, exceeded));
    assert_eq!(decode(stream, limits), (found.clone(), exceeded.is_some()));

    let mut end = 0;
    for (record, number) in found.iter().zip(1..) {
        assert_eq!(record.number, number);
        assert!(record.offset >= end && record.length > 0);
        end = record.offset + record.length as u64;
        let start = record.offset as usize;
        let shown = record.length.min(record.columns.len());
        assert_eq!(record.columns[..shown], stream[start..start + shown]);
        assert!(record.columns[shown..].iter().all(|&byte| byte == b' '));
    }
    assert!(end <= stream.len() as u64);
    if exceeded.is_none() {
        assert_eq!(records(stream).collect::<Vec<_>>(), found);
    }
    let breaks = |record: &Record| record.columns.iter().any(|byte| b"\r\n".contains(byte));
    if !found.iter().any(breaks) {
        rewrite(&found);
    }
}

type Cut = (Vec<Record>, Option<Separator>, Option<LimitExceeded>);

fn split<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, limits: Limits) -> Cut {
    let mut splitter = Splitter::new(limits);
    let mut found = Vec::new();
    let mut sink = |line: Line<'_>| found.push(line.to_record());
    for chunk in chunks {
        // A limit that was exceeded is reported again at the end.
        let _ = splitter.push(chunk, &mut sink);
    }
    let exceeded = splitter.finish(&mut sink).err();
    (found, splitter.separator(), exceeded)
}

fn chunks<'a>(stream: &'a [u8], sizes: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut sizes = sizes.iter().cycle();
    let mut rest = stream;
    std::iter::from_fn(move || {
        let size = sizes.next().map_or(rest.len(), |&size| usize::from(size) + 1);
        let (chunk, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        (!chunk.is_empty()).then_some(chunk)
    })
}

fn decode(stream: &[u8], limits: Limits) -> (Vec<Record>, bool) {
    let mut codec = RecordCodec::new(limits);
    let mut source = BytesMut::from(stream);
    let mut found = Vec::new();
    loop {
        match codec.decode_eof(&mut source) {
            Ok(Some(record)) => found.push(record),
            Ok(None) => return (found, false),
            Err(_) => return (found, true),
        }
    }
}

/// Records that are written come back, however they are separated.
fn rewrite(found: &[Record]) {
    for separator in [Separator::LineFeed, Separator::CarriageReturnLineFeed, Separator::None] {
        let mut codec = RecordCodec::new(Limits::default()).with_separator(separator);
        let mut written = BytesMut::new();
        for record in found {
            let encoded = codec.encode(&record.columns, &mut written);
            assert!(encoded.is_ok());
        }
        let columns = found.iter().map(|record| record.columns);
        assert!(records(&written).map(|record| record.columns).eq(columns));
    }
}

/// A grammar file and, behind a zero byte, a code file.
pub fn grammar_language(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (language, codes) = text.split_once('\0').unwrap_or((text, ""));
    let source = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned() };
    let mut grammar = Grammar::default();
    match grammar.add(&[source("fuzz.grammar", language), source("fuzz.tsv", codes)]) {
        Ok(()) => use_grammar(&grammar),
        Err(error) => assert_points_into(&error, &[("fuzz.grammar", language), ("fuzz.tsv", codes)]),
    }
}

/// Every layout of a grammar can be filled, read and matched, and the grammar be printed.
fn use_grammar(grammar: &Grammar) {
    let mut printed = Vec::new();
    let applications: Vec<String> =
        grammar.layouts().iter().map(|layout| layout.application.clone()).collect();
    assert!(export(grammar, &applications, &mut printed).is_ok());
    for layout in grammar.layouts() {
        let columns = layout.blank();
        let found = grammar.resolve(&layout.application, layout.direction, &layout.record, &columns);
        assert!(found.is_none_or(|found| found.record == layout.record));
        for field in &layout.fields {
            let cell = field.cell;
            assert_eq!(cell.raw(&columns).len(), cell.width());
            let _ = (cell.text(&columns), cell.decimal(&columns), cell.date(&columns));
        }
    }
}

fn assert_points_into(error: &LoadError, texts: &[(&str, &str)]) {
    let LoadError::Grammar { file, line, column, .. } = error else {
        return;
    };
    let text = texts.iter().find(|(name, _)| name == file).map_or("", |(_, text)| text);
    assert!(*line >= 1 && *line <= text.split('\n').count().max(1), "{error}");
    assert!(*column >= 1, "{error}");
}

/// A stream of batches; the first byte says what the directory does not grant.
pub fn batch_parse(data: &[u8]) {
    let Some((&refused, stream)) = data.split_first() else { return };
    let Ok(codec) = ENVELOPE.as_ref() else { return };
    let limits = Limits { records_per_batch: 2_000, ..Limits::default() };
    let mut collector = BatchCollector::new(limits);
    let mut batches = Vec::new();
    for record in records(stream) {
        match collector.push(record.as_line()) {
            Ok(batch) => batches.extend(batch),
            Err(_) => break,
        }
    }
    batches.extend(collector.finish());
    for batch in &batches {
        assert!(!batch.rows.is_empty());
        let reading = codec.read_batch(batch, &Refusing(refused));
        if reading.is_accepted() {
            read_accepted(codec, batch, &reading);
        } else {
            let refusal = codec.rejection(&reading);
            assert!(refusal.is_ok_and(|rows| rows.len() >= 5), "a refusal can always be written");
        }
    }
}

static ENVELOPE: LazyLock<Result<EnvelopeCodec<'static>, UnknownName>> =
    LazyLock::new(|| EnvelopeCodec::new(Grammar::builtin()));

/// An accepted batch: nothing of it is lost, its trees are sound, it can be answered.
fn read_accepted(codec: &EnvelopeCodec<'_>, batch: &RawBatch, reading: &BatchReading) {
    let mut answers = Vec::new();
    let mut number_of_rows = 2;
    for block in &reading.blocks {
        let mut rows = Vec::new();
        for transaction in &block.transactions {
            assert_sound(transaction);
            assert_eq!(transaction.first_record(), u64::from(block.first_record) + 1 + rows.len() as u64);
            rows.extend_from_slice(transaction.rows());
        }
        number_of_rows += 2 + rows.len();
        answers.push(rows);
    }
    assert_eq!(number_of_rows, batch.rows.len());
    let empty = answers.iter().filter(|rows: &&Vec<_>| rows.is_empty()).count();
    let answers = answers.into_iter().map(BlockAnswer::from).collect::<Vec<_>>();
    if let Ok(response) = codec.response(reading, &answers) {
        assert_eq!(response.len(), number_of_rows - 2 * empty);
    }
}

/// Every record stands in one group, groups lie within their parents, fields can be read.
fn assert_sound(transaction: &Transaction) {
    let grammar = Grammar::builtin();
    let mut seen = 0;
    let mut waiting = vec![transaction.root()];
    while let Some(group) = waiting.pop() {
        let range = group.range();
        for (position, node, columns) in group.records() {
            seen += 1;
            assert!(range.contains(&position));
            for field in &grammar.layout(node.layout).fields {
                let cell = field.cell;
                let _ = (cell.value(columns), cell.decimal(columns), cell.date(columns));
            }
        }
        for inner in group.groups() {
            assert!(range.start <= inner.range().start && inner.range().end <= range.end);
            waiting.push(inner);
        }
    }
    assert_eq!(seen, transaction.rows().len());
    assert_eq!(transaction.root().range(), 0..seen as u32);
}

/// Grants everything but what its bits name.
struct Refusing(u8);

impl Refusing {
    fn grants(&self, bit: u8) -> bool {
        self.0 & (1 << bit) == 0
    }
}

impl Directory for Refusing {
    fn verify_sender(&self, _: &Sender, _: &[u8]) -> bool {
        self.grants(0)
    }

    fn application_available(&self, _: &str) -> bool {
        self.grants(1)
    }

    fn knows_port(&self, _: &str) -> bool {
        self.grants(2)
    }

    fn standing(&self, _: &Party) -> Standing {
        if self.grants(3) { Standing::Active } else { Standing::Inactive }
    }

    fn may_transmit(&self, _: &Sender, _: &Party) -> bool {
        self.grants(4)
    }

    fn may_file(&self, _: &Party, _: &str) -> bool {
        self.grants(5)
    }

    fn serves_port(&self, _: &Party, _: &str) -> bool {
        self.grants(6)
    }

    fn national_permit(&self, _: &str) -> Permit {
        if self.grants(7) { Permit::NotNeeded } else { Permit::Missing }
    }
}

/// A document of the generic JSON: what it is read as, written again, is read as the same.
pub fn records_json(data: &[u8]) {
    let grammar = Grammar::builtin();
    let mut rows = Vec::new();
    let mut sink = |row: &Columns| {
        rows.push(*row);
        Ok(())
    };
    if read_records(grammar, data, &no_filings, &mut sink).is_ok() {
        assert_json_keeps(&rows);
    }
}

/// A stream of records in either direction: checked, and as JSON and back, byte for byte.
pub fn records_stream(data: &[u8]) {
    let rows = records(data).take(2_000).map(|record| record.columns).collect::<Vec<_>>();
    let mut checker = Checker::new(Grammar::builtin(), None);
    let mut report = |finding: Finding| {
        assert!(finding.columns.is_none_or(|(first, last)| 1 <= first && first <= last && last <= 80));
    };
    for record in records(data).take(2_000) {
        checker.line(&record.as_line(), &mut report);
    }
    checker.finish(&mut report);
    assert_json_keeps(&rows);
}

fn assert_json_keeps(rows: &[Columns]) {
    let grammar = Grammar::builtin();
    for lines in [false, true] {
        let mut writer = RecordsWriter::new(grammar, Form { lines, ..Form::default() }, Vec::new());
        assert!(rows.iter().all(|row| writer.push(row).is_ok()));
        let written = writer.finish().unwrap_or_default();
        let mut found = Vec::new();
        let mut sink = |row: &Columns| {
            found.push(*row);
            Ok(())
        };
        let read = if lines {
            read_ndjson(grammar, &written[..], &no_filings, &mut sink)
        } else {
            read_records(grammar, &written[..], &no_filings, &mut sink)
        };
        assert!(read.is_ok(), "{read:?}");
        assert!(found == rows, "{}", String::from_utf8_lossy(&written));
    }
}

/// A stream of batches to the demo world, each answered from the same state.
pub fn answer(data: &[u8]) {
    let limits = Limits { records_per_batch: 2_000, ..Limits::default() };
    let mut collector = BatchCollector::new(limits);
    for record in records(data) {
        match collector.push(record.as_line()) {
            Ok(Some(batch)) => answer_batch(&batch),
            Ok(None) => {}
            Err(_) => return,
        }
    }
    if let Some(batch) = collector.finish() {
        answer_batch(&batch);
    }
}

/// Whatever comes, there is an answer, and it is a batch.
fn answer_batch(batch: &RawBatch) {
    HOST.with_borrow_mut(|host| {
        let now = host.world().clock().cloned().unwrap_or_default();
        let answer = host.answer(batch, &TrustingPeer, &now);
        assert!(answer.is_ok(), "{answer:?}");
        let mut collector = BatchCollector::new(Limits::default());
        let mut batches = Vec::new();
        for (row, number) in answer.iter().flatten().zip(1..) {
            let line = Line { columns: row, number, offset: 0, length: row.len(), defect: None };
            batches.extend(collector.push(line).ok().flatten());
        }
        assert!(batches.len() == 1 && batches[0].ended && collector.finish().is_none(), "{batches:?}");
    });
}

thread_local! {
    static HOST: RefCell<Host<'static, Forgetful>> = RefCell::new(demo_host().expect("the demo world"));
}

fn demo_host() -> Result<Host<'static, Forgetful>, Box<dyn Error>> {
    let grammar = Grammar::builtin();
    let now = World::demo(grammar)?.clock().cloned().unwrap_or_default();
    let filled = Host::new(grammar, World::demo(grammar)?, SqliteStore::in_memory()?, &now)?;
    Ok(Host::new(grammar, World::demo(grammar)?, Forgetful(filled.into_store()), &now)?)
}
