//! Whether a field's value is among those it may hold, at the speed records come.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use wide::u32x4;

use super::Grammar;
use super::cell::{Cell, DateFormat};
use super::layout::{Field, Values};
use super::mask::Masks;
use crate::wire::{Columns, RECORD_LENGTH};

/// Codes of up to so many bytes are short; longer ones, which are rare, live in a set.
const SHORT: usize = 4;

/// Columns that are looked at as one word.
pub(super) const WORD: usize = 8;

/// A set of codes; what is not to be left out, the blank, is one of them.
#[derive(Clone, Debug, Default)]
pub(super) struct CodeSet {
    short: ShortCodes,
    long: Option<Arc<HashSet<Box<[u8]>, foldhash::fast::FixedState>>>,
}

impl CodeSet {
    fn new<'a>(codes: impl Iterator<Item = &'a str>) -> Self {
        let (short, long) = codes.map(str::as_bytes).partition::<Vec<_>, _>(|code| code.len() <= SHORT);
        let long = long.into_iter().map(Box::from).collect::<HashSet<_, _>>();
        Self { short: ShortCodes::new(&short), long: (!long.is_empty()).then(|| Arc::new(long)) }
    }

    fn contains_text(&self, text: &[u8]) -> bool {
        match &self.long {
            Some(long) if text.len() > SHORT => long.contains(text),
            _ => text.len() <= SHORT && self.short.contains(pack(text) as u32),
        }
    }
}

/// Short codes as words. Few cache lines hold them: records come so fast that these are what counts.
#[derive(Clone, Debug, Default)]
struct ShortCodes {
    /// A code stands in its bucket; 0 is free, as no code is zeros.
    buckets: Arc<[u32x4]>,
    shift: u8,
}

impl ShortCodes {
    fn new(codes: &[&[u8]]) -> Self {
        let words = codes.iter().map(|code| pack(code) as u32).chain([SPACES as u32]).collect::<Vec<_>>();
        // The shift of a single bucket would be that of all bits.
        let mut bits = (words.len() / 3).max(2).next_power_of_two().trailing_zeros();
        loop {
            if let Some(buckets) = Self::put(&words, bits) {
                return Self { buckets, shift: (u32::BITS - bits) as u8 };
            }
            bits += 1;
        }
    }

    /// So many buckets as there are numbers of these bits; none if they are too few for each word to find
    /// its place.
    fn put(words: &[u32], bits: u32) -> Option<Arc<[u32x4]>> {
        let mut buckets = vec![[0; 4]; 1 << bits];
        for &word in words {
            let bucket = &mut buckets[bucket((u32::BITS - bits) as u8, word)];
            *bucket.iter_mut().find(|place| **place == 0 || **place == word)? = word;
        }
        Some(buckets.into_iter().map(u32x4::new).collect())
    }

    #[inline]
    fn contains(&self, word: u32) -> bool {
        let bucket = self.buckets.get(bucket(self.shift, word));
        bucket.is_some_and(|bucket| bucket.simd_eq(u32x4::splat(word)).any())
    }
}

#[inline]
fn bucket(shift: u8, word: u32) -> usize {
    (word.wrapping_mul(0x9E37_79B1) >> shift) as usize
}

/// By these a layout's records are known to be right: little, as it is fetched for every one of them.
#[derive(Clone, Debug)]
pub(super) struct QuickChecks {
    /// The layout's own masks, narrowed to what fields of one column may hold.
    masks: Masks,
    codes: Box<[CodeCheck]>,
    long: Box<[ValueCheck]>,
}

impl QuickChecks {
    /// The checks of a layout's classes alone.
    pub(super) fn new(masks: &Masks) -> Self {
        Self { masks: masks.clone(), codes: [].into(), long: [].into() }
    }

    /// The same with what its fields are known to hold.
    pub(super) fn of(masks: &Masks, fields: &[Field], values: &[ValueCheck]) -> Self {
        let mut masks = masks.clone();
        let mut codes = Vec::new();
        let mut long = Vec::new();
        // What always stands somewhere is in the masks already.
        for check in values.iter().filter(|check| fields[check.field].fixed_text().is_none()) {
            let column = check.cell.first_column() - 1;
            match check.cell.width() {
                1 if masks.narrow(column, |sign| check.codes.contains_text(&[sign])) => {}
                1..=SHORT => codes.push(CodeCheck::of(check)),
                _ => long.push(check.clone()),
            }
        }
        codes.extend(fields.iter().filter(|field| field.holds_date()).map(CodeCheck::of_date));
        Self { masks, codes: codes.into(), long: long.into() }
    }

    /// Whether the record is surely right; each field whose values are known is blank or holds one of
    /// them, left justified.
    #[inline]
    pub(super) fn accept(&self, columns: &Columns) -> bool {
        self.masks.accept(columns)
            && self.codes.iter().all(|check| check.accepts(columns))
            && self.long.iter().all(|check| check.accepts(columns))
    }
}

/// The days of all months as codes. The 29th of February is none: a record that has it is looked at field
/// by field.
static DAYS: LazyLock<ShortCodes> = LazyLock::new(|| {
    let days_of = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days = (1..).zip(days_of).flat_map(|(month, days)| (1..=days).map(move |day| (month, day)));
    let codes = days.map(|(month, day)| format!("{month:02}{day:02}")).collect::<Vec<_>>();
    ShortCodes::new(&codes.iter().map(String::as_bytes).collect::<Vec<_>>())
});

/// A field of short codes.
#[derive(Clone, Debug)]
struct CodeCheck {
    codes: ShortCodes,
    word: Word,
}

impl CodeCheck {
    fn of(check: &ValueCheck) -> Self {
        Self { codes: check.codes.short.clone(), word: Word::of(check.cell) }
    }

    /// Whether the month has the day; that all are digits is said by the masks.
    fn of_date(field: &Field) -> Self {
        let before = match field.cell.date_format().unwrap_or_default() {
            DateFormat::MonthDayYear | DateFormat::MonthDayCenturyYear => 0,
            DateFormat::YearMonthDay => 2,
            DateFormat::CenturyYearMonthDay => 4,
        };
        Self { codes: DAYS.clone(), word: Word::at(field.cell.first_column() - 1 + before, SHORT) }
    }

    #[inline]
    fn accepts(&self, columns: &Columns) -> bool {
        self.codes.contains(self.word.in_record(columns) as u32)
    }
}

/// Where the first eight columns of a field stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    /// The field's bits when it has been shifted to the beginning of its word.
    kept: u64,
    /// Where eight columns can be taken that hold the field, and how far it stands inside them.
    at: u8,
    shift: u8,
}

impl Word {
    pub(super) fn of(cell: Cell) -> Self {
        Self::at(cell.first_column() - 1, cell.width())
    }

    fn at(start: usize, width: usize) -> Self {
        let at = start.min(RECORD_LENGTH - WORD);
        Self {
            kept: u64::MAX >> (8 * WORD.saturating_sub(width)),
            at: at as u8,
            shift: 8 * (start - at) as u8,
        }
    }

    /// What stands there, as it is [packed](pack).
    #[inline]
    pub(super) fn in_record(self, columns: &Columns) -> u64 {
        let at = usize::from(self.at);
        let mut bytes = [0; WORD];
        bytes.copy_from_slice(&columns[at..at + WORD]);
        u64::from_le_bytes(bytes) >> self.shift & self.kept | SPACES & !self.kept
    }
}

/// Eight blank columns.
pub(super) const SPACES: u64 = u64::from_le_bytes([b' '; WORD]);

/// A code as it stands at the beginning of eight columns.
pub(super) fn pack(code: &[u8]) -> u64 {
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
