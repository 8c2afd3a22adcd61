//! How fast records go through the rooms, on one core, beside a loop that only finds each next
//! newline in the same bytes: `cargo bench`.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};

use abigate::wire::{Limits, Splitter};

fn main() {
    divan::main();
}

/// Bytes to work on: more than the caches hold.
const SIZE: usize = 64 << 20;

/// Records of 80 columns, each ended by a line feed.
fn lines() -> Vec<u8> {
    let rows = ["10A   EXM12345678", "11  20261122", "40001", "50 8471500150", "89499", "90"];
    let mut stream = Vec::with_capacity(SIZE + 81);
    while stream.len() < SIZE {
        for row in rows {
            stream.extend_from_slice(format!("{row:<79}.\n").as_bytes());
        }
    }
    stream
}

/// The measure of all others.
#[divan::bench]
fn baseline_next_newline(bencher: Bencher<'_, '_>) {
    let stream = lines();
    bencher.counter(BytesCount::of_slice(&stream)).bench_local(|| {
        let mut rest = black_box(&stream[..]);
        let mut count = 0_u64;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            count += 1;
            rest = &rest[end + 1..];
        }
        count
    });
}

/// Records cut, each one's first column looked at.
#[divan::bench]
fn wire_split(bencher: Bencher<'_, '_>) {
    let stream = lines();
    bencher.counter(BytesCount::of_slice(&stream)).bench_local(|| {
        let mut splitter = Splitter::new(Limits::default());
        let mut sum = 0_u64;
        let pushed = splitter.push(black_box(&stream), &mut |line| sum += u64::from(line.columns[0]));
        (sum, pushed)
    });
}
