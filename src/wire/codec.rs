//! Records over an asynchronous stream.

use std::collections::VecDeque;
use std::io;

use bytes::{BufMut, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::{Columns, LimitExceeded, Limits, RECORD_LENGTH, Record, Separator, Splitter, Unreadable};

/// A stream of records cannot be read on or written on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The peer sent more than is allowed.
    #[error(transparent)]
    LimitExceeded(#[from] LimitExceeded),
    /// The stream holds something else than records.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The stream broke.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads and writes records for `tokio_util::codec`. Writes the separator it was given, or else the
/// one the peer uses, or else, before the peer has shown any, line feeds.
#[derive(Clone, Debug)]
pub struct RecordCodec {
    splitter: Splitter,
    ready: VecDeque<Record>,
    separator: Option<Separator>,
}

impl RecordCodec {
    /// A codec that answers as the peer speaks.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { splitter: Splitter::new(limits), ready: VecDeque::new(), separator: None }
    }

    /// Writes this separator, whatever the peer does.
    #[must_use]
    pub fn with_separator(mut self, separator: Separator) -> Self {
        self.separator = Some(separator);
        self
    }

    /// What is written behind each record.
    #[must_use]
    pub fn separator(&self) -> Separator {
        self.separator.or(self.splitter.separator()).unwrap_or(Separator::LineFeed)
    }

    /// The bytes held of records that have not been given.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.splitter.pending() + self.ready.len() * RECORD_LENGTH
    }
}

impl Decoder for RecordCodec {
    type Item = Record;
    type Error = WireError;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<Record>, WireError> {
        if let Some(record) = self.ready.pop_front() {
            return Ok(Some(record));
        }
        let ready = &mut self.ready;
        let pushed = self.splitter.push(source, &mut |line| ready.push_back(line.to_record()));
        source.clear();
        match ready.pop_front() {
            // Should the limit be exceeded behind this record, the splitter will say so again.
            Some(record) => Ok(Some(record)),
            None => Ok(pushed.map(|()| None)?),
        }
    }

    fn decode_eof(&mut self, source: &mut BytesMut) -> Result<Option<Record>, WireError> {
        if let Some(record) = self.decode(source)? {
            return Ok(Some(record));
        }
        let ready = &mut self.ready;
        self.splitter.finish(&mut |line| ready.push_back(line.to_record()))?;
        Ok(ready.pop_front())
    }
}

impl Encoder<&Columns> for RecordCodec {
    type Error = WireError;

    fn encode(&mut self, columns: &Columns, target: &mut BytesMut) -> Result<(), WireError> {
        let separator = self.separator().as_bytes();
        target.reserve(RECORD_LENGTH + separator.len());
        target.put_slice(columns);
        target.put_slice(separator);
        Ok(())
    }
}

#[cfg(test)]
mod tests {

    use proptest::prelude::*;

    use super::*;

    fn decode_all(codec: &mut RecordCodec, stream: &[u8], chunk: usize) -> Vec<Record> {
        let mut found = Vec::new();
        let mut source = BytesMut::new();
        for piece in stream.chunks(chunk) {
            source.extend_from_slice(piece);
            while let Some(record) = codec.decode(&mut source).unwrap() {
                found.push(record);
            }
        }
        while let Some(record) = codec.decode_eof(&mut source).unwrap() {
            found.push(record);
        }
        found
    }

    #[test]
    fn answers_as_the_peer_separates() {
        let mut codec = RecordCodec::new(Limits::default());
        assert_eq!(codec.separator(), Separator::LineFeed);
        codec.decode(&mut BytesMut::from("A\r\n")).unwrap();
        assert_eq!(codec.separator(), Separator::CarriageReturnLineFeed);
        let mut target = BytesMut::new();
        codec.encode(&[b'A'; RECORD_LENGTH], &mut target).unwrap();
        assert_eq!(target.len(), 82);
        assert!(target.ends_with(b"A\r\n"));
    }

    #[test]
    fn all_that_the_end_of_a_stream_completes_is_decoded() {
        let stream = [[b'A'; RECORD_LENGTH].as_slice(), &[b' '; 100]].concat();
        let found = decode_all(&mut RecordCodec::new(Limits::default()), &stream, 7);
        assert_eq!(found.iter().map(|record| record.length).collect::<Vec<_>>(), [80, 80, 20]);
    }

    #[test]
    fn what_precedes_a_line_beyond_the_limit_is_decoded() {
        let limits = Limits { line_length: 100, ..Limits::default() };
        let mut codec = RecordCodec::new(limits);
        let mut source = BytesMut::from(&b"A\nB\n"[..]);
        source.extend_from_slice(&[b'C'; 101]);
        assert_eq!(codec.decode(&mut source).unwrap().unwrap().number, 1);
        assert_eq!(codec.decode(&mut source).unwrap().unwrap().number, 2);
        for _ in 0..2 {
            let error = codec.decode(&mut source).unwrap_err();
            assert_eq!(error.to_string(), "more than 100 bytes in a line, at record 3, byte 4");
        }
        assert!(codec.decode_eof(&mut source).is_err());
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            rows in proptest::collection::vec(proptest::collection::vec(b' '..=b'~', RECORD_LENGTH), 0..20),
            separator in prop_oneof![
                Just(Separator::None),
                Just(Separator::LineFeed),
                Just(Separator::CarriageReturnLineFeed),
            ],
            chunk in 1_usize..200,
        ) {
            let rows: Vec<Columns> = rows.into_iter().map(|row| row.try_into().unwrap()).collect();
            let mut target = BytesMut::new();
            let mut writer = RecordCodec::new(Limits::default()).with_separator(separator);
            for row in &rows {
                writer.encode(row, &mut target).unwrap();
            }
            let mut reader = RecordCodec::new(Limits::default());
            let found = decode_all(&mut reader, &target, chunk);
            prop_assert!(found.iter().all(|record| record.defect.is_none() && record.length == RECORD_LENGTH));
            prop_assert_eq!(found.iter().map(|record| record.columns).collect::<Vec<_>>(), rows.clone());
            if rows.len() > 1 {
                prop_assert_eq!(reader.separator(), separator);
            }
        }
    }
}
