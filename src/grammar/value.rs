//! Whether a field's value is among those it may hold, at the speed records come.

use std::collections::HashSet;

use super::Grammar;
use super::cell::Cell;
use super::layout::{Field, Values};
use super::mask::Bits;
use crate::wire::{Columns, RECORD_LENGTH};

/// Codes of up to eight bytes are words; longer ones, which are rare, live in a set.
const WORD: usize = 8;

/// A set of codes.
#[derive(Clone, Debug, Default)]
struct CodeSet {
    /// Open addressing; 0 is free, as no code is zeros.
    table: Vec<u64>,
    shift: u32,
    long: HashSet<Box<[u8]>>,
}

impl CodeSet {
    fn new<'a>(codes: impl Iterator<Item = &'a str>) -> Self {
        let mut words = Vec::new();
        let mut set = Self::default();
        for code in codes.map(str::as_bytes).filter(|code| !code.is_empty()) {
            if code.len() > WORD {
                set.long.insert(code.into());
            } else {
                words.push(pack(code));
            }
        }
        let size = (words.len() * 2).next_power_of_two().max(2);
        set.shift = u64::BITS - size.trailing_zeros();
        set.table = vec![0; size];
        for word in words {
            let mut at = set.slot(word);
            while set.table[at] != 0 && set.table[at] != word {
                at = (at + 1) % size;
            }
            set.table[at] = word;
        }
        set
    }

    #[inline]
    fn contains(&self, word: u64) -> bool {
        let mut at = self.slot(word);
        loop {
            match self.table[at] {
                0 => return false,
                found if found == word => return true,
                _ => at = (at + 1) & (self.table.len() - 1),
            }
        }
    }

    fn contains_text(&self, text: &[u8]) -> bool {
        if text.len() > WORD { self.long.contains(text) } else { self.contains(pack(text)) }
    }

    #[inline]
    fn slot(&self, word: u64) -> usize {
        (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }
}

/// A code as it stands at the beginning of eight columns.
fn pack(code: &[u8]) -> u64 {
    let mut bytes = [b' '; WORD];
    bytes[..code.len()].copy_from_slice(code);
    u64::from_le_bytes(bytes)
}

/// A field whose values are known, and those values.
#[derive(Clone, Debug)]
pub struct ValueCheck {
    /// The field's index in its layout.
    pub field: usize,
    cell: Cell,
    /// The field's columns.
    mask: u128,
    /// If it has one column only: the characters it may hold, blank included.
    single: Option<u128>,
    /// Where eight columns can be taken that hold the field, and how far it stands inside them.
    at: usize,
    shift: u32,
    /// The bytes behind the field in those columns, made spaces.
    spaces: u64,
    codes: CodeSet,
}

impl ValueCheck {
    /// The check of a field, unless it may hold anything or its list is a host's.
    pub(super) fn of(grammar: &Grammar, index: usize, field: &Field) -> Option<Self> {
        let mut codes = Vec::new();
        for values in std::iter::once(&field.values).chain(&field.also) {
            match values {
                Values::Any => return None,
                Values::Constant(text) => codes.push(text.as_str()),
                Values::OneOf(texts) => codes.extend(texts.iter().map(String::as_str)),
                Values::List(name) => codes.extend(grammar.list(name)?.codes()),
            }
        }
        let start = field.cell.first_column() - 1;
        let at = start.min(RECORD_LENGTH - WORD);
        let width = field.cell.width().min(WORD);
        let behind = if width == WORD { 0 } else { u64::MAX << (8 * width) };
        Some(Self {
            field: index,
            cell: field.cell,
            mask: field.cell.mask(),
            single: (field.cell.width() == 1).then(|| {
                let signs = codes.iter().filter_map(|code| code.bytes().next());
                signs.fold(1 << b' ', |set, sign| set | 1 << (sign & 127))
            }),
            at,
            shift: 8 * (start - at) as u32,
            spaces: behind,
            codes: CodeSet::new(codes.into_iter()),
        })
    }

    /// Whether the field is blank or surely holds one of its values, left justified.
    #[must_use]
    #[inline]
    pub fn accepts_at_once(&self, columns: &Columns, bits: &Bits) -> bool {
        if let Some(signs) = self.single {
            let sign = columns[usize::from(self.cell.start)];
            return sign < 128 && signs >> sign & 1 == 1;
        }
        if bits.space & self.mask == self.mask {
            return true;
        }
        if self.cell.width() > WORD {
            return self.accepts(columns);
        }
        let mut word = [0; WORD];
        word.copy_from_slice(&columns[self.at..self.at + WORD]);
        let word = u64::from_le_bytes(word) >> self.shift;
        self.codes.contains(word & !self.spaces | self.spaces & pack(b""))
    }

    /// Whether the field is blank or holds one of its values, spaces around it apart.
    #[must_use]
    pub fn accepts(&self, columns: &Columns) -> bool {
        let code = self.cell.raw(columns).trim_ascii();
        code.is_empty() || self.codes.contains_text(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let codes = ["A", "AB", "ABCDEFGH", "METHOD OF HARVEST", "", "01", "10"];
        let set = CodeSet::new(codes.into_iter());
        for code in codes.iter().filter(|code| !code.is_empty()) {
            assert!(set.contains_text(code.as_bytes()), "{code}");
        }
        for code in ["B", "ABC", "ABCDEFGHI", "METHOD", "1", "1 0"] {
            assert!(!set.contains_text(code.as_bytes()), "{code}");
        }
    }

    #[test]
    fn an_empty_set_holds_nothing() {
        assert!(!CodeSet::new(std::iter::empty()).contains_text(b"A"));
    }
}
