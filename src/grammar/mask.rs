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

/// What a layout admits in each column.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Masks {
    digit: u128,
    upper: u128,
    space: u128,
    sign: u128,
    /// Columns followed by one of the same number: a digit here forbids a space there.
    number_pairs: u128,
    /// Columns followed by one of the same date: digits and spaces do not mix.
    date_pairs: u128,
    /// Columns that are filled whenever their mandatory field is reported as it should be.
    filled: u128,
}

impl Masks {
    /// The masks of a record's fields.
    #[must_use]
    pub fn of(fields: &[Field]) -> Self {
        let mut masks = Self::default();
        for field in fields {
            let class = field.cell.class();
            let first = field.cell.first_column() - 1;
            let last = field.cell.last_column() - 1;
            for column in first..=last {
                let bit = 1_u128 << column;
                for (mask, example) in [
                    (&mut masks.digit, b'0'),
                    (&mut masks.upper, b'A'),
                    (&mut masks.space, b' '),
                    (&mut masks.sign, b'!'),
                ] {
                    if class.admits(example) || (example == b' ' && class.has(ClassSet::DATE)) {
                        *mask |= bit;
                    }
                }
                if column < last && class.is_numeric() {
                    masks.number_pairs |= bit;
                    if class.has(ClassSet::DATE) {
                        masks.date_pairs |= bit;
                    }
                }
            }
            if field.designation == Designation::Mandatory && !class.has(ClassSet::SPACE) {
                masks.filled |= 1_u128 << if class.is_numeric() { last } else { first };
            }
        }
        masks
    }

    /// Whether the record is surely of this layout's classes, with its mandatory fields filled. If
    /// not, its fields have to be looked at one by one, and may yet be right.
    #[must_use]
    #[inline]
    pub fn accept(&self, bits: &Bits) -> bool {
        let wrong = (bits.digit & !self.digit)
            | (bits.upper & !self.upper)
            | (bits.space & !self.space)
            | (bits.sign & !self.sign)
            | bits.lower
            | bits.nonstandard()
            | (bits.digit & (bits.space >> 1) & self.number_pairs)
            | (bits.space & (bits.digit >> 1) & self.date_pairs)
            | (bits.space & self.filled);
        wrong == 0
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
