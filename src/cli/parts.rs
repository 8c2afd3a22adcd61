//! A stream in parts that begin where a batch does, each worked on by whichever thread is free. Batches
//! know nothing of each other; what is told of the parts is heard in the order of the stream.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use anyhow::Context;

use crate::wire::RECORD_LENGTH;

/// Bytes read at a time: what a worker does at once, so long as batches are no larger.
pub(super) const CHUNK: usize = 1 << 18;

/// The most that a part may hold; a stream that shows no end of a batch for so long is left to the caller.
const LARGEST: usize = 1 << 24;

/// Threads that work.
const WORKERS: usize = 2;

/// Parts that are read before a thread is free for them.
const AHEAD: usize = 4;

/// What is told of a part while those before it are in hand; more has to wait.
const WAITING: usize = 64;

/// A part, and where to tell of it.
type Part<T> = (Vec<u8>, SyncSender<T>);

/// Gives the parts of a stream to workers, and what they tell to `hear`. Both may hand back the memory of a
/// part that is done: fresh memory costs more than checking what is in it. What is left is given back if the
/// stream shows no end of a batch.
pub(super) fn work<T: Send, W: FnMut(Vec<u8>, &SyncSender<T>)>(
    input: &mut dyn Read,
    worker: impl Fn() -> W + Sync,
    hear: &mut dyn FnMut(T) -> anyhow::Result<Option<Vec<u8>>>,
) -> anyhow::Result<Option<Vec<u8>>> {
    std::thread::scope(|scope| {
        let (parts, received) = sync_channel::<Part<T>>(AHEAD);
        let received = Arc::new(Mutex::new(received));
        for _ in 0..WORKERS {
            let (received, worker) = (Arc::clone(&received), &worker);
            scope.spawn(move || {
                let mut work = worker();
                while let Some((part, news)) = next_of(&received) {
                    work(part, &news);
                }
            });
        }
        drop(received);
        let mut told = VecDeque::new();
        let mut rest = Vec::new();
        let mut spare = Vec::new();
        let mut hear_one = |heard: Receiver<T>, spare: &mut Vec<Vec<u8>>| {
            heard.into_iter().try_for_each(|news| hear(news).map(|part| spare.extend(part)))
        };
        loop {
            let (part, reach) = next_part(input, spare.pop().unwrap_or_default(), &mut rest)?;
            if reach == Reach::Endless {
                told.drain(..).try_for_each(|heard| hear_one(heard, &mut spare))?;
                return Ok(Some(part));
            }
            let is_last = reach == Reach::Whole;
            let (news, heard) = sync_channel(WAITING);
            parts.send((part, news)).ok().context("the workers are gone")?;
            told.push_back(heard);
            while told.len() >= if is_last { 1 } else { AHEAD + WORKERS } {
                let Some(heard) = told.pop_front() else { break };
                hear_one(heard, &mut spare)?;
            }
            if is_last {
                return Ok(None);
            }
        }
    })
}

/// The next part for whoever is free; none when all have been read.
fn next_of<T>(received: &Mutex<Receiver<Part<T>>>) -> Option<Part<T>> {
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
