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

/// How many vectors a record takes.
const CHUNKS: usize = RECORD_LENGTH / 16;

/// A byte for each column of a record.
type Vectors = [u8x16; CHUNKS];

/// What a layout admits in each column: a blank, or a character of a range, with what is forbidden of
/// these. All tests are made on sixteen bytes at a time, and only their common result is looked at.
#[derive(Clone, Debug, Default)]
pub struct Masks {
    /// The first character that may stand in a column, and how many follow it.
    low: Vectors,
    span: Vectors,
    /// What may not be in each column, one bit a reason.
    forbidden: Vectors,
    /// The last vector's bits once more, for columns one earlier: so the one that follows is at hand.
    forbidden_pairs: u8x16,
}

/// A blank.
const BLANK: u8 = 1;
/// A character between the digits and the letters.
const BETWEEN: u8 = 2;
/// A lower case letter.
const LOWER: u8 = 4;
/// A space behind a digit of the same number.
const SPACE_BEHIND: u8 = 8;
/// A digit behind a space of the same date: digits and spaces do not mix.
const DIGIT_BEHIND: u8 = 16;

/// The reasons that look at two columns.
const PAIRS: u8 = SPACE_BEHIND | DIGIT_BEHIND;

/// Where the last columns begin that another one follows.
const LAST_PAIRS: usize = RECORD_LENGTH - 17;

impl Masks {
    /// The masks of a record's fields.
    #[must_use]
    pub fn of(fields: &[Field]) -> Self {
        let mut plan = [ColumnPlan::default(); RECORD_LENGTH];
        for field in fields {
            ColumnPlan::fill(&mut plan, field);
        }
        let vector = |at: usize, byte: fn(&ColumnPlan) -> u8| {
            u8x16::new(std::array::from_fn(|column| byte(&plan[at + column])))
        };
        let vectors = |byte| std::array::from_fn(|chunk| vector(16 * chunk, byte));
        Self {
            low: vectors(|column| column.low),
            span: vectors(|column| column.high - column.low),
            forbidden: vectors(|column| column.forbidden),
            forbidden_pairs: vector(LAST_PAIRS, |column| column.forbidden & PAIRS),
        }
    }

    /// Whether the record is surely of this layout's classes, with its mandatory fields filled. If
    /// not, its fields have to be looked at one by one, and may yet be right.
    #[must_use]
    #[inline]
    pub fn accept(&self, columns: &Columns) -> bool {
        let mut wrong = u8x16::splat(0);
        for chunk in 0..CHUNKS {
            let bytes = sixteen(columns, 16 * chunk);
            let space = bytes.simd_eq(u8x16::splat(b' '));
            let admitted = within(bytes, self.low[chunk], self.span[chunk]) | space;
            let found = space & u8x16::splat(BLANK)
                | within(bytes, u8x16::splat(b'9' + 1), u8x16::splat(b'A' - b'9' - 2))
                    & u8x16::splat(BETWEEN)
                | within(bytes, u8x16::splat(b'a'), u8x16::splat(b'z' - b'a')) & u8x16::splat(LOWER);
            let pairs = if chunk + 1 < CHUNKS {
                self.forbidden[chunk] & pairs(space, sixteen(columns, 16 * chunk + 1))
            } else {
                let here = sixteen(columns, LAST_PAIRS).simd_eq(u8x16::splat(b' '));
                self.forbidden_pairs & pairs(here, bytes)
            };
            wrong |= !admitted | self.forbidden[chunk] & found | pairs;
        }
        wrong == u8x16::splat(0)
    }
}

/// What pairs of columns show, by the spaces of the first ones and the second ones.
#[inline]
fn pairs(here: u8x16, next: u8x16) -> u8x16 {
    let next = next.simd_eq(u8x16::splat(b' '));
    !here & next & u8x16::splat(SPACE_BEHIND) | here & !next & u8x16::splat(DIGIT_BEHIND)
}

#[inline]
fn sixteen(columns: &Columns, at: usize) -> u8x16 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&columns[at..at + 16]);
    u8x16::new(bytes)
}

/// All bits of each byte that lies in its range; bytes below it wrap round to lie above it.
#[inline]
fn within(bytes: u8x16, low: u8x16, span: u8x16) -> u8x16 {
    let above = bytes - low;
    above.min(span).simd_eq(above)
}

/// What one column admits.
#[derive(Clone, Copy)]
struct ColumnPlan {
    /// The first and the last character that may stand here, blanks apart.
    low: u8,
    high: u8,
    forbidden: u8,
}

impl Default for ColumnPlan {
    fn default() -> Self {
        Self { low: b' ', high: b' ', forbidden: 0 }
    }
}

impl ColumnPlan {
    fn fill(plan: &mut [Self; RECORD_LENGTH], field: &Field) {
        let class = field.cell.class();
        let (first, last) = (field.cell.first_column() - 1, field.cell.last_column() - 1);
        let number = class.is_numeric() || field.holds_date();
        let (low, high, gap) = match [b'0', b'A', b'!'].map(|example| class.admits(example)) {
            _ if number => (b'0', b'9', 0),
            [false, false, false] => (b' ', b' ', 0),
            [true, false, false] => (b'0', b'9', 0),
            [false, true, false] => (b'A', b'Z', 0),
            [true, true, false] => (b'0', b'Z', BETWEEN),
            [_, _, true] => (b'!', b'~', LOWER),
        };
        let pairs = match (number, field.holds_date()) {
            (_, true) => PAIRS,
            (true, false) => SPACE_BEHIND,
            (false, false) => 0,
        };
        // A mandatory field is filled where its value begins, or a number where it ends.
        let filled = if number { last } else { first };
        let must_be_filled = field.designation == Designation::Mandatory && !class.has(ClassSet::SPACE);
        for (column, admitted) in plan.iter_mut().enumerate().take(last + 1).skip(first) {
            let blank = if must_be_filled && column == filled { BLANK } else { 0 };
            let pairs = if column < last { pairs } else { 0 };
            *admitted = Self { low, high, forbidden: gap | pairs | blank };
        }
        if let Some(text) = field.fixed_text() {
            let text = text.bytes().chain(std::iter::repeat(b' '));
            for (column, sign) in plan[first..=last].iter_mut().zip(text) {
                let blank = if sign == b' ' { 0 } else { BLANK };
                *column = Self { low: sign, high: sign, forbidden: blank };
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
