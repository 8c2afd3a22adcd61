//! Bit maps of a record's columns: one classification of the 80 bytes, compared with what a layout
//! admits. A record that passes is clean; only one that fails is looked at field by field.

use wide::u8x16;

use super::class::ClassSet;
use super::layout::{Designation, Field};
use crate::wire::{Columns, RECORD_LENGTH};

/// What stands in each of the 80 columns; bit 0 is column 1.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Bits {
    /// Digits.
    pub digit: u128,
    /// Upper case letters.
    pub upper: u128,
    /// Lower case letters.
    pub lower: u128,
    /// Spaces.
    pub space: u128,
    /// Other printable ASCII characters.
    pub sign: u128,
}

/// All 80 columns.
pub const ALL_COLUMNS: u128 = (1 << RECORD_LENGTH) - 1;

impl Bits {
    /// Classifies a record.
    #[must_use]
    #[inline]
    pub fn of(columns: &Columns) -> Self {
        classify(columns)
    }

    /// The columns that hold no character of a standard keyboard.
    #[must_use]
    #[inline]
    pub fn nonstandard(&self) -> u128 {
        ALL_COLUMNS & !(self.digit | self.upper | self.lower | self.space | self.sign)
    }
}

/// The columns that hold this character.
#[must_use]
#[inline]
pub fn columns_with(columns: &Columns, character: u8) -> u128 {
    (0..CHUNKS).fold(0, |found, chunk| {
        let here = sixteen(columns, 16 * chunk).simd_eq(u8x16::splat(character)).to_bitmask();
        found | u128::from(here) << (16 * chunk)
    })
}

/// Whether one of two characters stands in a record.
#[must_use]
#[inline]
pub fn any_of(columns: &Columns, characters: [u8; 2]) -> bool {
    let mut found = u8x16::splat(0);
    for chunk in 0..CHUNKS {
        let bytes = sixteen(columns, 16 * chunk);
        for character in characters {
            found |= bytes.simd_eq(u8x16::splat(character));
        }
    }
    found != u8x16::splat(0)
}

/// How many vectors a record takes.
const CHUNKS: usize = RECORD_LENGTH / 16;

/// A byte for each column of a record.
type Vectors = [u8x16; CHUNKS];

/// What a layout admits in each column: a blank, or a character of one of two ranges. The ranges are
/// tested on sixteen bytes at a time, and what concerns blanks on the whole record at once.
#[derive(Clone, Debug, Default)]
pub struct Masks {
    ranges: [Ranges; 2],
    /// The columns that must not be blank.
    filled: u128,
    /// The columns of numbers and dates behind whose digit no space may stand.
    number: u128,
    /// Those of them behind whose space no digit may stand: in a date the two do not mix.
    date: u128,
}

/// A range of characters for each column: the first one, and how many follow it.
#[derive(Clone, Debug, Default)]
struct Ranges {
    low: Vectors,
    span: Vectors,
}

impl Masks {
    /// The masks of a record's fields.
    #[must_use]
    pub fn of(fields: &[Field]) -> Self {
        let mut plan = [ColumnPlan::default(); RECORD_LENGTH];
        for field in fields {
            ColumnPlan::fill(&mut plan, field);
        }
        let vectors = |range: usize, byte: fn(Range) -> u8| {
            std::array::from_fn(|chunk| {
                u8x16::new(std::array::from_fn(|column| byte(plan[16 * chunk + column].ranges[range])))
            })
        };
        let columns = |is_meant: fn(&ColumnPlan) -> bool| {
            plan.iter().rev().fold(0, |columns, plan| columns << 1 | u128::from(is_meant(plan)))
        };
        Self {
            ranges: [0, 1].map(|range| Ranges {
                low: vectors(range, |(low, _)| low),
                span: vectors(range, |(low, high)| high - low),
            }),
            filled: columns(|plan| plan.is_filled),
            number: columns(|plan| plan.is_number),
            date: columns(|plan| plan.is_date),
        }
    }

    /// Admits in a column, counted from 0, only those signs of its ranges that stand in a set as well;
    /// false if that cannot be said with two ranges.
    pub(super) fn narrow(&mut self, column: usize, is_known: impl Fn(u8) -> bool) -> bool {
        let (chunk, at) = (column / 16, column % 16);
        let mut vectors =
            self.ranges.each_mut().map(|ranges| [&mut ranges.low[chunk], &mut ranges.span[chunk]]);
        let admits = |sign: u8| {
            let is_within =
                |[low, span]: &[&mut u8x16; 2]| sign.wrapping_sub(low.as_array()[at]) <= span.as_array()[at];
            vectors.iter().any(is_within) && is_known(sign)
        };
        let mut runs: Vec<Range> = Vec::new();
        for sign in (b'!'..=b'~').filter(|sign| admits(*sign)) {
            match runs.last_mut() {
                Some((_, high)) if *high + 1 == sign => *high = sign,
                _ => runs.push((sign, sign)),
            }
        }
        if runs.len() > vectors.len() {
            return false;
        }
        runs.resize(vectors.len(), BLANK);
        for ([low, span], (first, last)) in vectors.iter_mut().zip(runs) {
            low.as_mut_array()[at] = first;
            span.as_mut_array()[at] = last - first;
        }
        true
    }

    /// Whether the record is surely of this layout's classes, with its mandatory fields filled. If
    /// not, its fields have to be looked at one by one, and may yet be right.
    #[must_use]
    #[inline]
    pub fn accept(&self, columns: &Columns) -> bool {
        self.filled_if_right(columns).is_some()
    }

    /// What is filled of a record that is [accepted](Self::accept).
    #[must_use]
    #[inline]
    pub fn filled_if_right(&self, columns: &Columns) -> Option<u128> {
        let mut wrong = u8x16::splat(0);
        let mut space = 0_u128;
        for chunk in 0..CHUNKS {
            let bytes = sixteen(columns, 16 * chunk);
            let blank = bytes.simd_eq(u8x16::splat(b' '));
            let [one, other] = self.ranges.each_ref().map(|ranges| ranges.excess(chunk, bytes));
            space |= u128::from(blank.to_bitmask()) << (16 * chunk);
            wrong |= !blank & one.min(other);
        }
        let next = space >> 1;
        let mixed = (space ^ next) & (next | self.date) & self.number;
        let is_right = (wrong == u8x16::splat(0)) & (space & self.filled | mixed == 0);
        is_right.then_some(ALL_COLUMNS & !space)
    }
}

impl Ranges {
    /// How far each byte lies beyond the range of its column, in any direction.
    #[inline]
    fn excess(&self, chunk: usize, bytes: u8x16) -> u8x16 {
        // Bytes below it wrap round to lie above it.
        (bytes - self.low[chunk]).saturating_sub(self.span[chunk])
    }
}

#[inline]
fn sixteen(columns: &Columns, at: usize) -> u8x16 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&columns[at..at + 16]);
    u8x16::new(bytes)
}

/// The first and the last character of a range.
type Range = (u8, u8);

/// Of a blank, which stands everywhere.
const BLANK: Range = (b' ', b' ');

/// What one column admits.
#[derive(Clone, Copy)]
struct ColumnPlan {
    ranges: [Range; 2],
    is_filled: bool,
    is_number: bool,
    is_date: bool,
}

impl Default for ColumnPlan {
    fn default() -> Self {
        Self { ranges: [BLANK; 2], is_filled: false, is_number: false, is_date: false }
    }
}

impl ColumnPlan {
    fn fill(plan: &mut [Self; RECORD_LENGTH], field: &Field) {
        let class = field.cell.class();
        let (first, last) = (field.cell.first_column() - 1, field.cell.last_column() - 1);
        let is_number = class.is_numeric() || field.holds_date();
        let ranges = match [b'0', b'A', b'!'].map(|example| class.admits(example)) {
            _ if is_number => [(b'0', b'9'), BLANK],
            [false, false, false] => [BLANK; 2],
            [true, false, false] => [(b'0', b'9'), BLANK],
            [false, true, false] => [(b'A', b'Z'), BLANK],
            [true, true, false] => [(b'0', b'9'), (b'A', b'Z')],
            [_, _, true] => [(b'!', b'a' - 1), (b'z' + 1, b'~')],
        };
        // A mandatory field is filled where its value begins, or a number where it ends.
        let filled = if is_number { last } else { first };
        let must_be_filled = field.designation == Designation::Mandatory && !class.has(ClassSet::SPACE);
        for (column, admitted) in plan.iter_mut().enumerate().take(last + 1).skip(first) {
            *admitted = Self {
                ranges,
                is_filled: must_be_filled && column == filled,
                is_number: is_number && column < last,
                is_date: field.holds_date() && column < last,
            };
        }
        if let Some(text) = field.fixed_text() {
            let text = text.bytes().chain(std::iter::repeat(b' '));
            for (column, sign) in plan[first..=last].iter_mut().zip(text) {
                *column = Self { ranges: [(sign, sign); 2], is_filled: sign != b' ', ..Self::default() };
            }
        }
    }
}

/// Sixteen columns at a time: comparisons give one bit a column.
#[inline]
fn classify(columns: &Columns) -> Bits {
    let mut bits = Bits::default();
    let (chunks, _) = columns.as_chunks::<16>();
    for (index, chunk) in chunks.iter().enumerate() {
        let bytes = u8x16::new(*chunk);
        let shift = 16 * index;
        let digit = between(bytes, b'0', b'9');
        let upper = between(bytes, b'A', b'Z');
        let lower = between(bytes, b'a', b'z');
        let space = bytes.simd_eq(u8x16::splat(b' ')).to_bitmask();
        let sign = between(bytes, b'!', b'~') & !(digit | upper | lower);
        bits.digit |= u128::from(digit) << shift;
        bits.upper |= u128::from(upper) << shift;
        bits.lower |= u128::from(lower) << shift;
        bits.space |= u128::from(space) << shift;
        bits.sign |= u128::from(sign) << shift;
    }
    bits
}

/// One bit for each byte that lies in the range; bytes below it wrap round to lie above it.
#[inline]
fn between(bytes: u8x16, low: u8, high: u8) -> u32 {
    let above = bytes - u8x16::splat(low);
    above.min(u8x16::splat(high - low)).simd_eq(above).to_bitmask()
}

/// The obvious classification, as an oracle.
#[cfg(test)]
fn classify_plainly(columns: &Columns) -> Bits {
    let mut bits = Bits::default();
    for (column, byte) in columns.iter().enumerate() {
        let bit = 1_u128 << column;
        match byte {
            b'0'..=b'9' => bits.digit |= bit,
            b'A'..=b'Z' => bits.upper |= bit,
            b'a'..=b'z' => bits.lower |= bit,
            b' ' => bits.space |= bit,
            b'!'..=b'~' => bits.sign |= bit,
            _ => {}
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn fast_classification_equals_the_obvious_one(bytes in proptest::collection::vec(any::<u8>(), RECORD_LENGTH)) {
            let columns: Columns = bytes.try_into().expect("eighty bytes");
            prop_assert_eq!(Bits::of(&columns), classify_plainly(&columns));
        }
    }
}
