//! Batches, gathered from the lines of a stream.

use std::fmt;

use crate::wire::{Columns, Defect, Limit, LimitExceeded, Limits, Line, says_nothing};

/// The four control records, told by their first column; no transaction record begins with these.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ControlRecord {
    BatchHeader,
    BlockHeader,
    BlockTrailer,
    BatchTrailer,
}

impl ControlRecord {
    pub(super) fn of(row: &Columns) -> Option<Self> {
        match row[0].to_ascii_uppercase() {
            b'A' => Some(Self::BatchHeader),
            b'B' => Some(Self::BlockHeader),
            b'Y' => Some(Self::BlockTrailer),
            b'Z' => Some(Self::BatchTrailer),
            _ => None,
        }
    }
}

/// A batch as it came. Its A-record holds the password, so its `Debug` shows counts only.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct RawBatch {
    /// The records, in order.
    pub rows: Vec<Columns>,
    /// What was wrong with lines, by the record's index in `rows`.
    pub defects: Vec<(usize, Defect)>,
    /// The number of the first record in its stream, from 1.
    pub first_record: u64,
    /// Whether its Z-record came.
    pub ended: bool,
    /// How many records one of its transactions may have; `None` if there is no such limit.
    pub records_per_transaction: Option<usize>,
}

impl RawBatch {
    /// A batch of these records, alone in its stream and free of defects.
    #[must_use]
    pub fn from_rows(rows: Vec<Columns>) -> Self {
        let ended = rows.last().and_then(ControlRecord::of) == Some(ControlRecord::BatchTrailer);
        Self { rows, first_record: 1, ended, ..Self::default() }
    }

    /// What was wrong with a record's line.
    #[must_use]
    pub fn defect(&self, index: usize) -> Option<Defect> {
        let at = self.defects.binary_search_by_key(&index, |(row, _)| *row).ok()?;
        Some(self.defects[at].1)
    }
}

impl fmt::Debug for RawBatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RawBatch")
            .field("rows", &self.rows.len())
            .field("defects", &self.defects.len())
            .field("first_record", &self.first_record)
            .field("ended", &self.ended)
            .finish()
    }
}

/// Gathers lines into batches: from an A-record to its Z-record, to the next A-record, or to the end
/// of the stream. What stands before an A-record becomes a batch too, so that it gets an answer.
#[derive(Debug, Default)]
pub struct BatchCollector {
    limits: Limits,
    current: Option<RawBatch>,
    /// The stream's bytes before the batch.
    began_at: u64,
    /// How many records of the batch have been left out, if they are: see
    /// [`keep_control_records`](Self::keep_control_records).
    left_out: Option<usize>,
}

impl BatchCollector {
    /// A collector that keeps these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes a line; gives the batch that it ends. A new A-record ends a batch that has no Z-record.
    ///
    /// # Errors
    /// The batch has grown beyond the limits; it is dropped, and the stream should be read no further.
    pub fn push(&mut self, line: Line<'_>) -> Result<Option<RawBatch>, LimitExceeded> {
        let kind = ControlRecord::of(line.columns);
        let unended = if kind == Some(ControlRecord::BatchHeader) { self.take() } else { None };
        if self.current.is_none() {
            if says_nothing(line.columns) {
                return Ok(unended);
            }
            self.began_at = line.offset;
        }
        let batch = self.current.get_or_insert_with(|| RawBatch {
            first_record: line.number,
            records_per_transaction: Some(self.limits.records_per_transaction),
            ..RawBatch::default()
        });
        match &mut self.left_out {
            Some(left_out) if !is_kept(kind, batch.rows.len()) => *left_out += 1,
            _ => {
                if let Some(defect) = line.defect {
                    batch.defects.push((batch.rows.len(), defect));
                }
                batch.rows.push(*line.columns);
            }
        }
        let records = batch.rows.len() + self.left_out.unwrap_or_default();
        if let Some((limit, allowed)) = self.exceeded(records, line.offset + line.length as u64) {
            self.take();
            return Err(LimitExceeded { limit, allowed, number: line.number, offset: line.offset });
        }
        if kind != Some(ControlRecord::BatchTrailer) {
            return Ok(unended);
        }
        let mut ended = self.take();
        if let Some(batch) = &mut ended {
            batch.ended = true;
        }
        Ok(ended)
    }

    /// Ends the stream; gives the batch whose Z-record did not come.
    pub fn finish(&mut self) -> Option<RawBatch> {
        self.take()
    }

    /// The records of the batch that is being gathered, as far as they are there.
    #[must_use]
    pub fn gathered(&self) -> &[Columns] {
        self.current.as_ref().map_or(&[], |batch| &batch.rows)
    }

    /// Keeps no more of the batch that is being gathered than its control records: it will be refused for
    /// its header whatever stands in it. The limits hold as before.
    pub fn keep_control_records(&mut self) {
        self.left_out.get_or_insert(0);
    }

    fn take(&mut self) -> Option<RawBatch> {
        self.left_out = None;
        self.current.take()
    }

    fn exceeded(&self, records: usize, end: u64) -> Option<(Limit, usize)> {
        let Limits { records_per_batch, bytes_per_batch, .. } = self.limits;
        if records > records_per_batch {
            return Some((Limit::RecordsPerBatch, records_per_batch));
        }
        (end - self.began_at > bytes_per_batch as u64).then_some((Limit::BytesPerBatch, bytes_per_batch))
    }
}

/// Whether a record of a batch that is refused for its header is kept: the control records of its first
/// block, and its end.
fn is_kept(kind: Option<ControlRecord>, records: usize) -> bool {
    match kind {
        Some(ControlRecord::BatchHeader | ControlRecord::BatchTrailer) => true,
        Some(ControlRecord::BlockHeader | ControlRecord::BlockTrailer) => records < 3,
        None => false,
    }
}
