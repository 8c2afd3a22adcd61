//! The same over batches of every application that the grammars describe: `cargo bench --bench chapters`.
//! The ratio to the loop that only finds newlines, and that of EBCDIC to ASCII, are what counts.

mod baseline;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};

use abigate::generate::{Generator, Specification};
use abigate::grammar::Grammar;
use abigate::host::World;
use abigate::message::{Checker, Form, RecordsWriter};
use abigate::wire::{Encoding, Limits, Splitter};

fn main() {
    divan::main();
}

/// Bytes to work on: more than the caches hold.
const SIZE: usize = 64 << 20;

/// Bytes taken in at once, as the commands do.
const CHUNK: usize = 1 << 19;

/// Batches of all applications in turn, again and again.
fn mixed() -> Vec<u8> {
    let grammar = Grammar::builtin();
    let Ok(world) = World::demo(grammar) else { return Vec::new() };
    let structures = grammar.structures().map(|(structure, _)| structure.application.clone());
    let mut applications = structures.filter(|code| grammar.application(code).is_some()).collect::<Vec<_>>();
    applications.sort();
    applications.dedup();
    let mut once = Vec::new();
    for application in applications {
        let wanted = Specification {
            application,
            seed: 1,
            date: None,
            separator: b"\n".to_vec(),
            variety: 12,
            password: "PASSWD".to_owned(),
        };
        if let Ok(mut generator) = Generator::new(grammar, &world, &wanted) {
            generator.batch(24, &mut once);
        }
    }
    once.repeat(SIZE.div_ceil(once.len().max(1)))
}

/// The measure of all others.
#[divan::bench]
fn baseline_next_newline(bencher: Bencher<'_, '_>) {
    let stream = mixed();
    bencher
        .counter(BytesCount::of_slice(&stream))
        .bench_local(|| baseline::next_newlines(black_box(&stream)));
}

fn findings(splitter: &mut Splitter, checker: &mut Checker<'_>, chunk: &[u8]) -> u64 {
    let mut findings = 0;
    let pushed = splitter.push(chunk, &mut |line| checker.line(&line, &mut |_| findings += 1));
    findings + u64::from(pushed.is_err())
}

/// All that `abigate check` does.
#[divan::bench]
fn check(bencher: Bencher<'_, '_>) {
    let stream = mixed();
    bencher.counter(BytesCount::of_slice(&stream)).bench_local(|| {
        let mut splitter = Splitter::new(Limits::default());
        let mut checker = Checker::new(Grammar::builtin(), None);
        let chunks = black_box(&stream).chunks(CHUNK);
        chunks.map(|chunk| findings(&mut splitter, &mut checker, chunk)).sum::<u64>()
    });
}

/// The same of records in EBCDIC.
#[divan::bench]
fn check_ebcdic(bencher: Bencher<'_, '_>) {
    let mut stream = mixed();
    stream.chunks_mut(CHUNK).for_each(|chunk| Encoding::Ebcdic037.encode(chunk));
    let mut piece = Vec::with_capacity(CHUNK);
    bencher.counter(BytesCount::of_slice(&stream)).bench_local(|| {
        let mut splitter = Splitter::new(Limits::default());
        let mut checker = Checker::new(Grammar::builtin(), None);
        let mut sum = 0;
        for chunk in black_box(&stream).chunks(CHUNK) {
            piece.clear();
            piece.extend_from_slice(chunk);
            Encoding::Ebcdic037.decode_stream(&mut piece);
            sum += findings(&mut splitter, &mut checker, &piece);
        }
        sum
    });
}

/// What `convert --to ndjson` does: one JSON object a transaction.
#[divan::bench]
fn to_ndjson(bencher: Bencher<'_, '_>) {
    let stream = mixed();
    let grammar = Grammar::builtin();
    bencher.counter(BytesCount::of_slice(&stream)).bench_local(|| {
        let form = Form { lines: true, ..Form::default() };
        let mut writer = RecordsWriter::new(grammar, form, std::io::sink());
        let mut splitter = Splitter::new(Limits::default());
        let mut failed = 0_u64;
        let pushed = splitter.push(black_box(&stream), &mut |line| {
            failed += u64::from(writer.push(line.columns).is_err());
        });
        (pushed, failed, writer.finish().is_ok())
    });
}
