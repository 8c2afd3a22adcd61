//! Whether a field holds one of a few values, which tells apart records that share an identifier.

use super::cell::Cell;
use super::layout::{Field, Values};
use super::value::{SPACES, WORD, Word, pack};
use crate::wire::Columns;

/// A field and the values that mark a record; the empty one is a blank field.
#[derive(Clone, Debug)]
pub struct Mark {
    cell: Cell,
    word: Word,
    /// The values as they mostly stand: left justified, in fields of up to eight columns.
    words: Box<[u64]>,
    values: Box<[String]>,
}

impl Mark {
    /// A mark in a field.
    #[must_use]
    pub fn new(cell: Cell, values: &[String]) -> Self {
        let fits = |value: &&[u8]| value.len() <= WORD && value.trim_ascii() == *value;
        let words = values.iter().map(|value| value.as_bytes()).filter(fits).map(pack);
        Self { cell, word: Word::of(cell), words: words.collect(), values: values.into() }
    }

    /// The mark of a field that decides between layouts, unless it may hold anything.
    pub(super) fn of(field: &Field) -> Option<Self> {
        match &field.values {
            Values::Constant(text) => Some(Self::new(field.cell, std::slice::from_ref(text))),
            Values::OneOf(values) => Some(Self::new(field.cell, values)),
            Values::Any | Values::List(_) => None,
        }
    }

    /// Whether one of the values stands in the field, spaces around it apart.
    #[must_use]
    #[inline]
    pub fn stands_in(&self, columns: &Columns) -> bool {
        if self.cell.width() <= WORD {
            let word = self.word.in_record(columns);
            if self.words.contains(&word) {
                return true;
            }
            if is_left_justified(word) {
                return false;
            }
        }
        self.values.iter().any(|value| self.cell.holds(columns, value))
    }
}

/// Whether nothing stands before the value in a word and, behind it, nothing but spaces.
#[inline]
fn is_left_justified(word: u64) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; WORD]);
    const HIGH: u64 = 0x80 * ONES;
    let controls = word.wrapping_sub(ONES * u64::from(b' ')) & !word & HIGH;
    controls == 0 && (word == SPACES || word as u8 != b' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::grammar::Grammar;
    use crate::wire::RECORD_LENGTH;

    proptest! {
        #[test]
        fn a_mark_is_found_wherever_the_obvious_way_finds_it(
            layout in 0..Grammar::builtin().layouts().len(),
            field in any::<prop::sample::Index>(),
            text in "[ \t\nA1\u{b}]{0,10}",
            values in proptest::collection::vec("[ A1]{0,3}", 1..4),
        ) {
            let layout = &Grammar::builtin().layouts()[layout];
            let cell = layout.fields[field.index(layout.fields.len())].cell;
            let mut columns = [b' '; RECORD_LENGTH];
            for (column, byte) in (cell.first_column() - 1..cell.last_column()).zip(text.bytes()) {
                columns[column] = byte;
            }
            let expected = values.iter().any(|value| cell.holds(&columns, value));
            prop_assert_eq!(Mark::new(cell, &values).stands_in(&columns), expected);
        }
    }
}
