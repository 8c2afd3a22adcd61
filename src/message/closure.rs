//! Whether the batches and blocks of a stream are closed.

use std::fmt;

use super::outline::Control;
use crate::wire::Columns;

/// Watches the headers and trailers of a stream. What begins with a header and has no trailer was cut off,
/// in transfer more often than not.
#[derive(Debug, Default)]
pub struct Closure {
    number: u64,
    batch: Option<u64>,
    block: Option<u64>,
}

/// A batch or block without its trailer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unclosed {
    /// The A-record of the batch, if that has no Z-record.
    pub batch: Option<u64>,
    /// The B-record of the block, if that has no Y-record.
    pub block: Option<u64>,
    /// The last record before the place where the trailer is missing.
    pub last: u64,
}

impl Closure {
    /// Takes the next record; tells what it leaves open.
    pub fn push(&mut self, row: &Columns) -> Option<Unclosed> {
        self.number += 1;
        let number = self.number;
        let (batch, block) = match Control::of(row)? {
            Control::BatchHeader => (self.batch.replace(number), self.block.take()),
            Control::BlockHeader => (None, self.block.replace(number)),
            Control::BlockTrailer => {
                self.block = None;
                return None;
            }
            Control::BatchTrailer => {
                self.batch = None;
                (None, self.block.take())
            }
        };
        Self::unclosed(batch, block, number - 1)
    }

    /// Ends the stream; tells what it leaves open. Another stream may follow.
    pub fn finish(&mut self) -> Option<Unclosed> {
        let Self { number, batch, block } = std::mem::take(self);
        Self::unclosed(batch, block, number)
    }

    fn unclosed(batch: Option<u64>, block: Option<u64>, last: u64) -> Option<Unclosed> {
        (batch.is_some() || block.is_some()).then_some(Unclosed { batch, block, last })
    }
}

impl Unclosed {
    /// The same in a stream that goes on behind so many other records.
    #[must_use]
    pub fn behind(self, records: u64) -> Self {
        let moved = |record: Option<u64>| record.map(|record| record + records);
        Self { batch: moved(self.batch), block: moved(self.block), last: self.last + records }
    }
}

impl fmt::Display for Unclosed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.block, self.batch) {
            (Some(block), Some(batch)) => write!(
                formatter,
                "the block of record {block} and the batch of record {batch} are not closed: no Y-record and \
                 no Z-record follow record {}, so the file was cut off and its last transaction may lack \
                 records",
                self.last
            ),
            (Some(block), None) => write!(
                formatter,
                "the block of record {block} is not closed: no Y-record follows record {}, so its last \
                 transaction may lack records",
                self.last
            ),
            (None, batch) => write!(
                formatter,
                "the batch of record {} is not closed: no Z-record follows record {}",
                batch.unwrap_or_default(),
                self.last
            ),
        }
    }
}
