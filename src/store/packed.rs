//! Records in the form in which they are stored: compressed, since most of a record is spaces and
//! neighbours look alike. An answer leaves only once what it promises has been flushed, so fewer bytes
//! are more batches a second, and a smaller file.

use super::StoreError;
use crate::wire::{Columns, RECORD_LENGTH};

/// Begins what is compressed. No record begins with it, so what a store held before it knew of
/// compression is read as it stands.
const COMPRESSED: u8 = 1;
/// Begins what is compressed and has a checksum of the records before it, so that damage is noticed
/// wherever it is.
const CHECKED: u8 = 2;
/// How many bytes the checksum has.
const CHECKSUM: usize = 4;

/// How many bytes one compressed byte can become, by the format of LZ4 blocks; what claims more is damaged
/// and must not be given the memory.
const MOST_EXPANSION: usize = 255;

/// The stored form of records.
pub(super) fn pack(rows: &[Columns]) -> Vec<u8> {
    if rows.is_empty() {
        return Vec::new();
    }
    let compressed = lz4_flex::compress_prepend_size(rows.as_flattened());
    let mut stored = Vec::with_capacity(compressed.len() + 1 + CHECKSUM);
    stored.push(CHECKED);
    stored.extend_from_slice(&checksum(rows.as_flattened()));
    stored.extend_from_slice(&compressed);
    stored
}

/// The records of a stored form; the column is where it stood, for the error.
pub(super) fn unpack(column: &'static str, stored: &[u8]) -> Result<Vec<Columns>, StoreError> {
    let damaged = |found: String| StoreError::Damaged { column, found };
    let (expected, compressed) = match stored.split_first() {
        Some((&COMPRESSED, compressed)) => (None, compressed),
        Some((&CHECKED, rest)) => match rest.split_first_chunk::<CHECKSUM>() {
            Some((expected, compressed)) => (Some(expected), compressed),
            None => return Err(damaged(format!("{} bytes", stored.len()))),
        },
        _ => return rows_of(stored).ok_or_else(|| damaged(format!("{} bytes", stored.len()))),
    };
    let (size, block) =
        lz4_flex::block::uncompressed_size(compressed).map_err(|error| damaged(error.to_string()))?;
    if size > block.len().saturating_mul(MOST_EXPANSION) {
        return Err(damaged(format!("{size} bytes out of {}", block.len())));
    }
    let bytes = lz4_flex::decompress(block, size).map_err(|error| damaged(error.to_string()))?;
    if expected.is_some_and(|expected| *expected != checksum(&bytes)) {
        return Err(damaged("records that do not fit their checksum".to_owned()));
    }
    rows_of(&bytes).ok_or_else(|| damaged(format!("{} bytes", bytes.len())))
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    crc32fast::hash(bytes).to_le_bytes()
}

fn rows_of(bytes: &[u8]) -> Option<Vec<Columns>> {
    let (rows, rest) = bytes.as_chunks::<RECORD_LENGTH>();
    rest.is_empty().then(|| rows.to_vec())
}

#[cfg(test)]
mod tests {

    use super::*;

    fn rows(count: u8) -> Vec<Columns> {
        (0..count).map(|number| [b'A' + number % 26; RECORD_LENGTH]).collect()
    }

    #[test]
    fn what_is_packed_comes_back() {
        for count in [0, 1, 2, 200] {
            let rows = rows(count);
            assert_eq!(unpack("batch.records", &pack(&rows)).unwrap(), rows);
        }
        assert!(pack(&rows(200)).len() < 200 * RECORD_LENGTH / 4);
    }

    #[test]
    fn records_of_older_stores_are_read_as_they_stand() {
        let rows = rows(3);
        assert_eq!(unpack("batch.records", rows.as_flattened()).unwrap(), rows);
    }

    #[test]
    fn records_without_a_checksum_are_read() {
        let rows = rows(3);
        let mut stored = vec![COMPRESSED];
        stored.extend(lz4_flex::compress_prepend_size(rows.as_flattened()));
        assert_eq!(unpack("batch.records", &stored).unwrap(), rows);
    }

    #[test]
    fn one_wrong_bit_never_makes_other_records() {
        let rows = rows(3);
        let stored = pack(&rows);
        for bit in 0..stored.len() * 8 {
            let mut wrong = stored.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            let found = unpack("batch.records", &wrong);
            assert!(found.is_err() || found.is_ok_and(|found| found == rows), "bit {bit}");
        }
    }

    #[test]
    fn damage_is_an_error() {
        let mut stored = pack(&rows(3));
        stored.truncate(stored.len() - 2);
        for wrong in [&stored[..], &[COMPRESSED], &[COMPRESSED, 0xFF, 0xFF, 0xFF, 0x7F, 0], b"81 columns"] {
            let found = unpack("batch.records", wrong);
            assert!(matches!(found, Err(StoreError::Damaged { .. })), "{wrong:?}: {found:?}");
        }
    }
}
