//! Transactions in bulk: written once, copied with other numbers.

use super::value;
use super::workshop::Workshop;
use crate::wire::{Columns, RECORD_LENGTH};

/// A transaction as it travels, and what differs from copy to copy.
#[derive(Debug)]
pub(super) struct Template {
    bytes: Vec<u8>,
    pub(super) records: usize,
    patches: Vec<Patch>,
}

#[derive(Debug)]
struct Patch {
    at: usize,
    width: usize,
    /// Whose check digit stands behind the number, and what is added to it.
    filer: Option<(String, Vec<u8>)>,
    /// The patch it repeats.
    copies: Option<usize>,
}

impl Template {
    pub(super) fn new(workshop: &Workshop<'_>, rows: &[Columns], separator: &[u8]) -> Self {
        let length = RECORD_LENGTH + separator.len();
        let mut bytes = Vec::with_capacity(rows.len() * length);
        for row in rows {
            bytes.extend_from_slice(row);
            bytes.extend_from_slice(separator);
        }
        let patches = workshop.running(rows).into_iter().filter_map(|running| {
            let layout = workshop.layout(&rows[running.row])?;
            let cell = layout.fields[running.field].cell;
            let offsets = |filer: String| {
                let known = workshop.world.filer(&filer).map(|known| known.check_digit_offsets().to_vec());
                (filer, known.unwrap_or_default())
            };
            Some(Patch {
                at: running.row * length + cell.first_column() - 1,
                width: cell.width(),
                filer: running.filer.map(offsets),
                copies: running.copies,
            })
        });
        Self { records: rows.len(), patches: patches.collect(), bytes }
    }

    /// Writes a copy with numbers of its own, counting them on.
    pub(super) fn write(&self, number: &mut u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        let mut numbers = [0; 64];
        for (index, patch) in self.patches.iter().enumerate() {
            let own = match patch.copies {
                Some(origin) => numbers.get(origin).copied().unwrap_or_default(),
                None => {
                    *number += 1;
                    *number
                }
            };
            if let Some(known) = numbers.get_mut(index) {
                *known = own;
            }
            patch.write(own, &mut out[start + patch.at..start + patch.at + patch.width]);
        }
    }
}

impl Patch {
    fn write(&self, number: u64, field: &mut [u8]) {
        match &self.filer {
            Some((filer, offsets)) => {
                let text = value::entry_number(number, filer, offsets);
                for (column, digit) in field.iter_mut().zip(text.bytes()) {
                    *column = digit;
                }
            }
            None => {
                let mut rest = number;
                for column in field.iter_mut().rev() {
                    *column = b'0' + (rest % 10) as u8;
                    rest /= 10;
                }
            }
        }
    }
}
