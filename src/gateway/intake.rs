//! From bytes to batches, without a socket.

use bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

use crate::envelope::{BatchCollector, RawBatch};
use crate::wire::{Columns, Limits, RECORD_LENGTH, Record, RecordCodec, WireError};

/// Takes the bytes of a connection as they come and gives its batches one by one.
///
/// It gathers no further than the batch it gives: what it holds is one batch and one chunk.
#[derive(Debug)]
pub struct Intake {
    codec: RecordCodec,
    collector: BatchCollector,
    /// Whether a batch has begun that has not been given.
    inside: bool,
}

impl Intake {
    /// At the start of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { codec: RecordCodec::new(limits), collector: BatchCollector::new(limits), inside: false }
    }

    /// The next batch that is complete, from what was taken before and from `chunk`, which is empty
    /// afterwards; none when more bytes are needed.
    ///
    /// # Errors
    /// A line or a batch is beyond the limits.
    pub fn next_batch(&mut self, chunk: &mut BytesMut) -> Result<Option<RawBatch>, WireError> {
        while let Some(record) = self.codec.decode(chunk)? {
            if let Some(batch) = self.collect(&record)? {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// The next batch of a stream that has ended; the last one may lack its Z-record.
    ///
    /// # Errors
    /// As [`next_batch`](Self::next_batch).
    pub fn finish(&mut self) -> Result<Option<RawBatch>, WireError> {
        if let Some(batch) = self.end_record()? {
            return Ok(Some(batch));
        }
        self.inside = false;
        Ok(self.collector.finish())
    }

    /// Ends the record that is held, as if its separator had come; gives the batch that it ends.
    ///
    /// # Errors
    /// As [`next_batch`](Self::next_batch).
    pub fn end_record(&mut self) -> Result<Option<RawBatch>, WireError> {
        while let Some(record) = self.codec.decode_eof(&mut BytesMut::new())? {
            if let Some(batch) = self.collect(&record)? {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// Whether all columns of a record are there and only its separator is awaited, within a batch.
    #[must_use]
    pub fn holds_whole_record(&self) -> bool {
        self.inside && self.codec.pending() == RECORD_LENGTH
    }

    /// Whether nothing of a batch is held that has not been given.
    #[must_use]
    pub fn is_between_batches(&self) -> bool {
        !self.inside && self.codec.pending() == 0
    }

    /// The records of the batch that is being gathered, as far as they are there.
    #[must_use]
    pub fn gathered(&self) -> &[Columns] {
        self.collector.gathered()
    }

    /// As [`BatchCollector::keep_control_records`].
    pub fn keep_control_records(&mut self) {
        self.collector.keep_control_records();
    }

    /// Records as the peer separates its own.
    ///
    /// # Errors
    /// None that is known; the codec's own.
    pub fn encode(&mut self, records: &[Columns]) -> Result<BytesMut, WireError> {
        let mut bytes = BytesMut::new();
        for columns in records {
            self.codec.encode(columns, &mut bytes)?;
        }
        Ok(bytes)
    }

    fn collect(&mut self, record: &Record) -> Result<Option<RawBatch>, WireError> {
        let batch = self.collector.push(record.as_line())?;
        self.inside = match &batch {
            // a batch that was ended by the beginning of the next one leaves that one behind
            Some(batch) => !batch.ended,
            // blank lines between batches are no batch
            None => self.inside || !record.columns.iter().all(u8::is_ascii_whitespace),
        };
        Ok(batch)
    }
}
