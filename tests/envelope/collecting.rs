//! Batches out of streams, and what must hold for any input.

use abigate::envelope::{BatchCollector, BlockAnswer, RawBatch};
use abigate::wire::{Limit, Limits, Splitter, records as split_records};
use proptest::prelude::*;

use crate::support::{CODEC, conditions, profiles};

const BATCH: &str = "A1234N01PASSWD040108     AE\nB  1201N01AE\n10\n90\nY  1201N01AE\nZ1234N01      040108\n";

/// All batches of a stream that comes in chunks of these lengths, over and over.
fn collect(stream: &[u8], chunks: &[usize]) -> Vec<RawBatch> {
    let mut splitter = Splitter::new(Limits { line_length: usize::MAX, ..Limits::default() });
    let mut collector = BatchCollector::new(Limits::default());
    let mut batches = Vec::new();
    let mut lengths = chunks.iter().copied().cycle();
    let mut rest = stream;
    let mut take = |line: abigate::wire::Line<'_>| batches.extend(collector.push(line).unwrap());
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(lengths.next().unwrap_or(rest.len()).clamp(1, rest.len()));
        splitter.push(chunk, &mut take).unwrap();
        rest = behind;
    }
    splitter.finish(&mut take).unwrap();
    batches.extend(collector.finish());
    batches
}

fn read_all(stream: &str) -> Vec<Vec<String>> {
    let batches = collect(stream.as_bytes(), &[]);
    batches.iter().map(|batch| conditions(&CODEC.read_batch(batch, &profiles()))).collect()
}

#[test]
fn several_batches_come_apart() {
    let batches = collect(BATCH.repeat(3).as_bytes(), &[]);
    let first = batches.iter().map(|batch| (batch.first_record, batch.rows.len(), batch.ended));
    assert_eq!(first.collect::<Vec<_>>(), [(1, 6, true), (7, 6, true), (13, 6, true)]);
    assert_eq!(read_all(&BATCH.repeat(3)), [[""; 0], [], []]);
}

#[test]
fn a_batch_without_trailer_ends_at_the_next_one_or_with_the_stream() {
    let unended = BATCH.lines().take(5).map(|line| format!("{line}\n")).collect::<String>();
    assert_eq!(read_all(&format!("{unended}{BATCH}{unended}")), [vec!["X06"], vec![], vec!["X06"]]);
}

#[test]
fn stray_records_get_an_answer_and_do_not_spoil_the_next_batch() {
    assert_eq!(read_all(&format!("GET / HTTP/1.1\n\n   \n{BATCH}")), [vec!["X01", "X03", "X06"], vec![]]);
}

#[test]
fn a_stream_without_separators_may_end_short() {
    let padded = BATCH.lines().map(|line| format!("{line:80}")).collect::<String>();
    assert_eq!(read_all(&padded), [[""; 0]]);
    assert_eq!(read_all(padded.trim_end()), [["X42"]]);
}

#[test]
fn a_batch_keeps_the_limits() {
    for (limits, limit) in [
        (Limits { records_per_batch: 5, ..Limits::default() }, Limit::RecordsPerBatch),
        (Limits { bytes_per_batch: 70, ..Limits::default() }, Limit::BytesPerBatch),
    ] {
        let mut collector = BatchCollector::new(limits);
        let found = split_records(BATCH.as_bytes()).map(|record| collector.push(record.as_line()));
        let exceeded = found.filter_map(Result::err).next().unwrap();
        assert_eq!((exceeded.limit, exceeded.number), (limit, 6));
    }
}

/// Control records and their parts, in any order.
fn shuffled() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        proptest::sample::select(BATCH.lines().collect::<Vec<_>>()).prop_map(str::to_owned),
        "[ABYZabyz1][ -~\\x00\\xC4]{0,90}",
        "(CW|QP|J|10|40|50|PG)[0-9A-Z ]{0,78}",
    ];
    proptest::collection::vec(line, 0..24).prop_map(|lines| lines.join("\n"))
}

/// Whatever came: the answer is a batch of records that can be printed.
fn answer_is_sound(stream: &[u8]) {
    for batch in collect(stream, &[]) {
        let reading = CODEC.read_batch(&batch, &profiles());
        let answer = CODEC.rejection(&reading).unwrap();
        assert!(answer.iter().flatten().all(|byte| byte.is_ascii_graphic() || *byte == b' '));
        let initials = (answer[0][0], answer[1][0], answer[answer.len() - 2][0], answer[answer.len() - 1][0]);
        assert_eq!(initials, (b'A', b'B', b'Y', b'Z'));
        if reading.conditions.is_empty() {
            let row = b"E1                                                                              ";
            let blocks = vec![BlockAnswer::from(vec![*row]); reading.blocks.len()];
            CODEC.response(&reading, &blocks).unwrap();
        } else {
            assert!(reading.blocks.iter().all(|block| block.transactions.is_empty()));
        }
    }
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_batches(stream in shuffled(), chunks in proptest::collection::vec(1_usize..200, 1..8)) {
        prop_assert_eq!(collect(stream.as_bytes(), &chunks), collect(stream.as_bytes(), &[]));
    }

    #[test]
    fn garbage_is_answered(stream in proptest::collection::vec(any::<u8>(), 0..1200)) {
        answer_is_sound(&stream);
    }

    #[test]
    fn shuffled_records_are_answered(stream in shuffled()) {
        answer_is_sound(stream.as_bytes());
    }
}
