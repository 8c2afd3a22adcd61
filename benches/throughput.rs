//! How fast records go through the rooms, on one core, beside a loop that only finds each next
//! newline in the same bytes: `cargo bench`. The ratios are what counts.

mod baseline;

use std::path::Path;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

use abigate::grammar::{Bits, Cursor, Direction, Grammar};
use abigate::message::{Assembler, Checker, Identifier, Transaction};
use abigate::translate::EntrySummaryCodec;
use abigate::wire::{Columns, Limits, Splitter};

fn main() {
    divan::main();
}

/// Bytes to work on: more than the caches hold.
const SIZE: usize = 64 << 20;

/// The good samples over and over: batches of entry summaries of all types.
fn lines(size: usize) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary/good");
    let mut files = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|file| file.ok().map(|file| file.path()))
        .filter(|path| {
            path.extension().is_some_and(|kind| kind == "abi") && !path.to_string_lossy().contains("answer")
        })
        .collect::<Vec<_>>();
    files.sort();
    let once = files.iter().filter_map(|path| std::fs::read(path).ok()).collect::<Vec<_>>().concat();
    once.repeat(size.div_ceil(once.len().max(1)))
}

/// The records of entry summaries alone, without their envelopes.
fn transaction_rows(stream: &[u8]) -> Vec<Columns> {
    let mut rows = Vec::new();
    let mut splitter = Splitter::new(Limits::default());
    let _ = splitter.push(stream, &mut |line| {
        if !b"ABYZ".contains(&line.columns[0]) {
            rows.push(*line.columns);
        }
    });
    rows
}

/// The measure of all others.
#[divan::bench]
fn baseline_next_newline(bencher: Bencher<'_, '_>) {
    let stream = lines(SIZE);
    bencher
        .counter(BytesCount::of_slice(&stream))
        .bench_local(|| baseline::next_newlines(black_box(&stream)));
}

/// Records cut, each one's first column looked at.
#[divan::bench]
fn wire_split(bencher: Bencher<'_, '_>) {
    let stream = lines(SIZE);
    bencher.counter(BytesCount::of_slice(&stream)).bench_local(|| {
        let mut splitter = Splitter::new(Limits::default());
        let mut sum = 0_u64;
        let pushed = splitter.push(black_box(&stream), &mut |line| sum += u64::from(line.columns[0]));
        (sum, pushed)
    });
}

/// Records cut, identified, class-checked and structure-checked.
#[divan::bench]
fn classes_and_order(bencher: Bencher<'_, '_>) {
    let stream = lines(SIZE);
    let grammar = Grammar::builtin();
    let Some((_, automaton)) = grammar.structure("AE", Direction::Input) else { return };
    let identifier = Identifier::new(grammar, "AE", Direction::Input, automaton);
    bencher.counter(BytesCount::of_slice(&stream)).bench_local(|| {
        let mut splitter = Splitter::new(Limits::default());
        let mut cursor = Cursor::default();
        let mut wrong = 0_u64;
        let pushed = splitter.push(black_box(&stream), &mut |line| {
            let Some((symbol, layout)) = identifier.identify(line.columns) else {
                return cursor.reset();
            };
            let in_class = grammar.layout(layout).masks.accept(line.columns);
            wrong += u64::from(cursor.step(automaton, symbol).is_err() || !in_class);
        });
        (wrong, pushed)
    });
}

/// All that `abigate check` does: the same, code lists, dates and control records included.
#[divan::bench]
fn check(bencher: Bencher<'_, '_>) {
    let stream = lines(SIZE);
    bencher.counter(BytesCount::of_slice(&stream)).bench_local(|| {
        let mut splitter = Splitter::new(Limits::default());
        let mut checker = Checker::new(Grammar::builtin(), None);
        let mut findings = 0_u64;
        let pushed =
            splitter.push(black_box(&stream), &mut |line| checker.line(&line, &mut |_| findings += 1));
        (findings, pushed)
    });
}

/// One stage of the check alone, over records that are cut already.
#[divan::bench(args = ["classify", "classes", "identify", "order"])]
fn stage(bencher: Bencher<'_, '_>, stage: &str) {
    let rows = transaction_rows(&lines(SIZE));
    let grammar = Grammar::builtin();
    let Some((_, automaton)) = grammar.structure("AE", Direction::Input) else { return };
    let identifier = Identifier::new(grammar, "AE", Direction::Input, automaton);
    let known = rows.iter().filter_map(|row| identifier.identify(row)).collect::<Vec<_>>();
    let bytes = BytesCount::of_slice(rows.as_flattened());
    bencher.counter(bytes).bench_local(|| {
        let rows = black_box(&rows);
        match stage {
            "classify" => rows.iter().map(|row| Bits::of(row).digit.count_ones()).sum::<u32>(),
            "classes" => {
                let accepted =
                    rows.iter().zip(&known).filter(|(row, (_, layout))| grammar.layout(*layout).accepts(row));
                accepted.count() as u32
            }
            "identify" => rows.iter().filter(|row| identifier.identify(row).is_some()).count() as u32,
            _ => {
                let mut cursor = Cursor::default();
                let in_order = known.iter().filter(|(symbol, _)| cursor.step(automaton, *symbol).is_ok());
                in_order.count() as u32
            }
        }
    });
}

/// Records made into the tree of groups.
#[divan::bench]
fn message_tree(bencher: Bencher<'_, '_>) {
    let rows = transaction_rows(&lines(SIZE));
    let grammar = Grammar::builtin();
    let Some((_, automaton)) = grammar.structure("AE", Direction::Input) else { return };
    let bytes = BytesCount::of_slice(rows.as_flattened());
    bencher.counter(bytes).counter(ItemsCount::new(rows.len())).bench_local(|| {
        let identifier = Identifier::new(grammar, "AE", Direction::Input, automaton);
        let mut assembler = Assembler::new(identifier, automaton);
        let mut groups = 0;
        for (number, row) in black_box(&rows).iter().enumerate() {
            let mut finished = None;
            let _ = assembler.push(row, number as u64 + 1, &mut finished);
            if let Some(transaction) = finished {
                groups += transaction.groups().len();
                assembler.recycle(transaction);
            }
        }
        groups
    });
}

/// The transactions of the samples, complete.
fn transactions(grammar: &Grammar) -> Vec<Transaction> {
    let rows = transaction_rows(&lines(8 << 20));
    let Some((_, automaton)) = grammar.structure("AE", Direction::Input) else { return Vec::new() };
    let mut assembler =
        Assembler::new(Identifier::new(grammar, "AE", Direction::Input, automaton), automaton);
    let mut all = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let mut finished = None;
        let _ = assembler.push(row, number as u64 + 1, &mut finished);
        all.extend(finished);
    }
    all
}

fn bytes_of(transactions: &[Transaction]) -> BytesCount {
    BytesCount::new(
        transactions.iter().map(|transaction| transaction.rows().as_flattened().len()).sum::<usize>(),
    )
}

/// Transactions read into the model.
#[divan::bench]
fn decode_to_model(bencher: Bencher<'_, '_>) {
    let grammar = Grammar::builtin();
    let Ok(codec) = EntrySummaryCodec::new(grammar) else { return };
    let transactions = transactions(grammar);
    bencher.counter(bytes_of(&transactions)).bench_local(|| {
        black_box(&transactions).iter().filter(|transaction| codec.decode(transaction).is_ok()).count()
    });
}

/// The model written as records.
#[divan::bench]
fn encode_from_model(bencher: Bencher<'_, '_>) {
    let grammar = Grammar::builtin();
    let Ok(codec) = EntrySummaryCodec::new(grammar) else { return };
    let transactions = transactions(grammar);
    let filings =
        transactions.iter().filter_map(|transaction| codec.decode(transaction).ok()).collect::<Vec<_>>();
    bencher.counter(bytes_of(&transactions)).bench_local(|| {
        black_box(&filings)
            .iter()
            .filter_map(|filing| codec.encode(filing).ok())
            .map(|rows| rows.len())
            .sum::<usize>()
    });
}
