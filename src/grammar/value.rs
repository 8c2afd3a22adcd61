//! Whether a field's value is among those it may hold, at the speed records come.

use std::collections::HashSet;

use super::Grammar;
use super::cell::Cell;
use super::layout::{Field, Values};
use crate::wire::Columns;

/// Codes of up to eight bytes live in a table of words; longer ones, which are rare, in a set.
const WORD: usize = 8;

/// A set of codes.
#[derive(Clone, Debug, Default)]
pub struct CodeSet {
    /// Open addressing; 0 is free, as no code is empty.
    table: Vec<u64>,
    shift: u32,
    long: HashSet<Box<[u8]>>,
}

impl CodeSet {
    /// The set of these codes.
    #[must_use]
    pub fn new<'a>(codes: impl Iterator<Item = &'a str>) -> Self {
        let mut words = Vec::new();
        let mut set = Self::default();
        for code in codes.map(str::as_bytes).filter(|code| !code.is_empty()) {
            match pack(code) {
                Some(word) => words.push(word),
                None => {
                    set.long.insert(code.into());
                }
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

    /// Whether the code, without the spaces around it, is in the set.
    #[must_use]
    #[inline]
    pub fn contains(&self, code: &[u8]) -> bool {
        let Some(word) = pack(code) else { return self.long.contains(code) };
        let mut at = self.slot(word);
        loop {
            match self.table[at] {
                0 => return false,
                found if found == word => return true,
                _ => at = (at + 1) % self.table.len(),
            }
        }
    }

    #[inline]
    fn slot(&self, word: u64) -> usize {
        (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }
}

#[inline]
fn pack(code: &[u8]) -> Option<u64> {
    if code.len() > WORD {
        return None;
    }
    Some(code.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)))
}

/// A field whose values are known, and those values.
#[derive(Clone, Debug)]
pub struct ValueCheck {
    /// The field's index in its layout.
    pub field: usize,
    cell: Cell,
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
        Some(Self { field: index, cell: field.cell, codes: CodeSet::new(codes.into_iter()) })
    }

    /// Whether the field is blank or holds one of its values.
    #[must_use]
    #[inline]
    pub fn accepts(&self, columns: &Columns) -> bool {
        let code = self.cell.raw(columns).trim_ascii();
        code.is_empty() || self.codes.contains(code)
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
            assert!(set.contains(code.as_bytes()), "{code}");
        }
        for code in ["B", "ABC", "ABCDEFGHI", "METHOD", "1", "1 0"] {
            assert!(!set.contains(code.as_bytes()), "{code}");
        }
    }

    #[test]
    fn an_empty_set_holds_nothing() {
        assert!(!CodeSet::new(std::iter::empty()).contains(b"A"));
    }
}
