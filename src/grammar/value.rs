//! Whether a field's value is among those it may hold, at the speed records come.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Grammar;
use super::cell::Cell;
use super::layout::{Field, Values};
use crate::wire::{Columns, RECORD_LENGTH};

/// Codes of up to eight bytes are words; longer ones, which are rare, live in a set.
const WORD: usize = 8;

/// A set of codes; what is not to be left out, the blank, is one of them.
#[derive(Clone, Debug, Default)]
pub(super) struct CodeSet {
    /// A code stands in its slot or in the next one; 0 is free, as no code is zeros.
    table: Arc<[u64]>,
    shift: u8,
    long: Option<Arc<HashSet<Box<[u8]>>>>,
}

impl CodeSet {
    fn new<'a>(codes: impl Iterator<Item = &'a str>) -> Self {
        let mut words = vec![SPACES];
        let mut long = HashSet::new();
        for code in codes.map(str::as_bytes) {
            if code.len() > WORD {
                long.insert(code.into());
            } else {
                words.push(pack(code));
            }
        }
        let mut set = Self { long: (!long.is_empty()).then(|| Arc::new(long)), ..Self::default() };
        let mut size = (words.len() * 2).next_power_of_two().max(2);
        while !set.put(&words, size) {
            size *= 2;
        }
        set
    }

    /// Fills a table of this size; false if it is too small for each word to find its place.
    fn put(&mut self, words: &[u64], size: usize) -> bool {
        self.shift = (u64::BITS - size.trailing_zeros()) as u8;
        // The last slot has a next one, too.
        let mut table = vec![0; size + 1];
        let fits = words.iter().all(|&word| {
            let at = slot(self.shift, word);
            let free = table[at..at + 2].iter_mut().find(|slot| **slot == 0 || **slot == word);
            free.map(|slot| *slot = word).is_some()
        });
        self.table = table.into();
        fits
    }

    fn contains_text(&self, text: &[u8]) -> bool {
        match &self.long {
            Some(long) if text.len() > WORD => long.contains(text),
            _ => text.len() <= WORD && holds(&self.table, self.shift, pack(text)),
        }
    }
}

/// What of the checks of a layout is needed for records that are right: little, as it is fetched for
/// every one of them.
#[derive(Clone, Debug, Default)]
pub(super) struct QuickChecks {
    signs: Vec<SignCheck>,
    words: Vec<WordCheck>,
    long: Vec<ValueCheck>,
}

impl QuickChecks {
    pub(super) fn of<'a>(checks: impl Iterator<Item = &'a ValueCheck>) -> Self {
        let mut quick = Self::default();
        for check in checks {
            match check.cell.width() {
                1 => quick.signs.push(SignCheck::of(check)),
                2..=WORD => quick.words.push(WordCheck::of(check)),
                _ => quick.long.push(check.clone()),
            }
        }
        quick
    }

    /// Whether each field is blank or surely holds one of its values, left justified; of a record whose
    /// classes are right.
    #[inline]
    pub(super) fn accept(&self, columns: &Columns) -> bool {
        self.signs.iter().all(|check| check.accepts(columns))
            && self.words.iter().all(|check| check.accepts(columns))
            && self.long.iter().all(|check| check.accepts(columns))
    }
}

/// A field of one column.
#[derive(Clone, Debug)]
struct SignCheck {
    /// The characters it may hold: one bit each.
    signs: [u64; 2],
    column: u8,
}

impl SignCheck {
    fn of(check: &ValueCheck) -> Self {
        let mut signs = [0, 0];
        let known = (b' '..=b'~').filter(|sign| check.codes.contains_text([*sign].trim_ascii()));
        known.for_each(|sign| signs[usize::from(sign / 64)] |= 1 << (sign % 64));
        Self { signs, column: check.cell.first_column() as u8 - 1 }
    }

    #[inline]
    fn accepts(&self, columns: &Columns) -> bool {
        let sign = columns[usize::from(self.column)];
        self.signs[usize::from(sign / 64 % 2)] >> (sign % 64) & 1 == 1
    }
}

/// A field whose codes are words.
#[derive(Clone, Debug)]
struct WordCheck {
    table: Arc<[u64]>,
    /// The field's bits when it has been shifted to the beginning of its word.
    kept: u64,
    /// Where eight columns can be taken that hold the field, and how far it stands inside them.
    at: u8,
    shift: u8,
    table_shift: u8,
}

impl WordCheck {
    fn of(check: &ValueCheck) -> Self {
        let start = check.cell.first_column() - 1;
        let at = start.min(RECORD_LENGTH - WORD);
        Self {
            table: Arc::clone(&check.codes.table),
            kept: u64::MAX >> (8 * WORD.saturating_sub(check.cell.width())),
            at: at as u8,
            shift: 8 * (start - at) as u8,
            table_shift: check.codes.shift,
        }
    }

    #[inline]
    fn accepts(&self, columns: &Columns) -> bool {
        let word = word(columns, self.at) >> self.shift;
        holds(&self.table, self.table_shift, word & self.kept | SPACES & !self.kept)
    }
}

/// Whether a table of codes has this one.
#[inline]
fn holds(table: &[u64], shift: u8, word: u64) -> bool {
    // Both places are looked at, as a branch would be guessed wrong too often.
    matches!(&table[slot(shift, word)..], [one, other, ..] if (*one == word) | (*other == word))
}

#[inline]
fn slot(shift: u8, word: u64) -> usize {
    (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> shift) as usize
}

/// Eight blank columns.
const SPACES: u64 = u64::from_le_bytes([b' '; WORD]);

/// Eight columns as they are packed.
#[inline]
fn word(columns: &Columns, at: u8) -> u64 {
    let mut bytes = [0; WORD];
    bytes.copy_from_slice(&columns[usize::from(at)..][..WORD]);
    u64::from_le_bytes(bytes)
}

/// A code as it stands at the beginning of eight columns.
fn pack(code: &[u8]) -> u64 {
    let mut bytes = [b' '; WORD];
    bytes[..code.len()].copy_from_slice(code);
    u64::from_le_bytes(bytes)
}

/// A field whose values are known, and those values; a blank is always one of them.
#[derive(Clone, Debug)]
pub struct ValueCheck {
    /// The field's index in its layout.
    pub field: usize,
    cell: Cell,
    codes: CodeSet,
}

/// The sets of the lists that fields have named so far; most are named by many.
pub(super) type ListSets = HashMap<String, CodeSet>;

impl ValueCheck {
    /// The check of a field, unless it may hold anything or its list is a host's.
    pub(super) fn of(grammar: &Grammar, sets: &mut ListSets, index: usize, field: &Field) -> Option<Self> {
        let codes = match &field.values {
            Values::List(name) if field.also.is_empty() => match sets.get(name) {
                Some(set) => set.clone(),
                None => {
                    let set = CodeSet::new(grammar.list(name)?.codes());
                    sets.entry(name.clone()).or_insert(set).clone()
                }
            },
            _ => CodeSet::new(codes_of(grammar, field)?.into_iter()),
        };
        Some(Self { field: index, cell: field.cell, codes })
    }

    /// Whether the field is blank or holds one of its values, spaces around it apart.
    #[must_use]
    pub fn accepts(&self, columns: &Columns) -> bool {
        self.codes.contains_text(self.cell.raw(columns).trim_ascii())
    }
}

/// All that a field may hold, unless that is anything or a host's to say.
fn codes_of<'g>(grammar: &'g Grammar, field: &'g Field) -> Option<Vec<&'g str>> {
    let mut codes = Vec::new();
    for values in std::iter::once(&field.values).chain(&field.also) {
        match values {
            Values::Any => return None,
            Values::Constant(text) => codes.push(text.as_str()),
            Values::OneOf(texts) => codes.extend(texts.iter().map(String::as_str)),
            Values::List(name) => codes.extend(grammar.list(name)?.codes()),
        }
    }
    Some(codes)
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
        let set = CodeSet::new(std::iter::empty());
        assert!(!set.contains_text(b"A") && !set.contains_text(b"ABCDEFGHI"));
        assert!(set.contains_text(b""), "a blank is held by every set");
    }
}
