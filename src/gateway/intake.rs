//! From bytes to batches, without a socket.

use bytes::{BufMut, BytesMut};
use tokio_util::codec::Decoder;

use crate::envelope::{BatchCollector, RawBatch};
use crate::wire::{
    Columns, Content, Door, Encoding, Limits, RECORD_LENGTH, Record, RecordCodec, WireError, says_nothing,
};

/// Takes the bytes of a connection as they come and gives its batches one by one.
///
/// It gathers no further than the batch it gives: what it holds is one batch and one chunk.
#[derive(Debug)]
pub struct Intake {
    door: Door,
    codec: RecordCodec,
    collector: BatchCollector,
    /// Whether a batch has begun that has not been given.
    inside: bool,
}

impl Intake {
    /// At the start of a connection.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self::through(Door::new(Content::Connection), limits)
    }

    /// At the start of a file, in the encoding that is named or else in the one it begins in. One that
    /// holds no batch is refused.
    #[must_use]
    pub fn of_file(limits: Limits, encoding: Option<Encoding>) -> Self {
        let door = Door::new(Content::Records);
        Self::through(if let Some(encoding) = encoding { door.with_encoding(encoding) } else { door }, limits)
    }

    fn through(door: Door, limits: Limits) -> Self {
        Self { door, codec: RecordCodec::new(limits), collector: BatchCollector::new(limits), inside: false }
    }

    /// What is odd about the stream and read all the same, once it is known.
    #[must_use]
    pub fn oddity(&self) -> Option<&'static str> {
        self.door.oddity()
    }

    /// The next batch that is complete, from what was taken before and from `chunk`, which is empty
    /// afterwards; none when more bytes are needed.
    ///
    /// # Errors
    /// A line or a batch is beyond the limits, or the stream holds something else.
    pub fn next_batch(&mut self, chunk: &mut BytesMut) -> Result<Option<RawBatch>, WireError> {
        if !chunk.is_empty() && !self.door.is_open() {
            let mut let_in = Vec::new();
            self.door.push(chunk, &mut let_in)?;
            chunk.clear();
            chunk.extend_from_slice(&let_in);
        }
        self.gather(chunk)
    }

    fn gather(&mut self, columns: &mut BytesMut) -> Result<Option<RawBatch>, WireError> {
        while let Some(record) = self.codec.decode(columns)? {
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
        let mut let_in = Vec::new();
        self.door.finish(&mut let_in)?;
        if let Some(batch) = self.gather(&mut BytesMut::from(&*let_in))? {
            return Ok(Some(batch));
        }
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
        !self.inside && self.codec.pending() == 0 && self.door.pending() == 0
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

    /// Records as the peer separates and encodes its own.
    #[must_use]
    pub fn encode(&self, records: &[Columns]) -> BytesMut {
        let separator = self.door.separator().unwrap_or(self.codec.separator()).as_bytes();
        let mut bytes = BytesMut::with_capacity(records.len() * (RECORD_LENGTH + separator.len()));
        for columns in records {
            bytes.put_slice(columns);
            bytes.put_slice(separator);
        }
        self.door.encode(&mut bytes);
        bytes
    }

    fn collect(&mut self, record: &Record) -> Result<Option<RawBatch>, WireError> {
        let batch = self.collector.push(record.as_line())?;
        self.inside = match &batch {
            // a batch that was ended by the beginning of the next one leaves that one behind
            Some(batch) => !batch.ended,
            // blank lines between batches are no batch
            None => self.inside || !says_nothing(&record.columns),
        };
        Ok(batch)
    }
}
