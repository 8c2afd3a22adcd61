//! What is wrong with one record, field by field: the slow path, taken when the masks of its layout
//! do not accept it at once.

use crate::grammar::{Bits, ClassSet, Designation, Field, Layout, Values};
use crate::wire::Columns;

/// What a field's trouble is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// A character that no keyboard has (condition X40).
    Nonstandard,
    /// A lower case letter; CBP reads it as upper case (batch chapter, B&B-8).
    LowerCase,
    /// A filler that is not blank (condition X39).
    FilledFiller,
    /// Blank though mandatory.
    Missing,
    /// Not of the field's class.
    WrongClass,
    /// Digits that are no calendar date.
    NotADate,
    /// Not among the values the field may hold.
    Unknown,
}

/// A field's trouble and the columns it is about, counted from 1.
#[derive(Clone, Copy, Debug)]
pub struct FieldTrouble<'g> {
    /// The field.
    pub field: &'g Field,
    /// What is wrong.
    pub trouble: Trouble,
    /// The first column concerned.
    pub first: usize,
    /// The last column concerned.
    pub last: usize,
}

/// Looks at a record field by field and reports each one's first trouble.
pub fn judge<'g>(layout: &'g Layout, columns: &Columns, mut report: impl FnMut(FieldTrouble<'g>)) {
    let bits = Bits::of(columns);
    for (index, field) in layout.fields.iter().enumerate() {
        let (first, last) = (field.cell.first_column(), field.cell.last_column());
        let mask = field.cell.mask();
        let span = |trouble, found: u128| {
            let from = found.trailing_zeros() as usize + 1;
            let to = 128 - found.leading_zeros() as usize;
            FieldTrouble { field, trouble, first: from, last: to }
        };
        let whole = |trouble| FieldTrouble { field, trouble, first, last };
        if bits.nonstandard() & mask != 0 {
            report(span(Trouble::Nonstandard, bits.nonstandard() & mask));
            continue;
        }
        if field.is_filler() {
            let filled = mask & !bits.space;
            if filled != 0 {
                report(span(Trouble::FilledFiller, filled));
            }
            continue;
        }
        if bits.lower & mask != 0 {
            report(span(Trouble::LowerCase, bits.lower & mask));
        }
        if bits.space & mask == mask {
            let may_be_blank = field.cell.class().has(ClassSet::SPACE) || may_hold_blank(field);
            if field.designation == Designation::Mandatory && !may_be_blank {
                report(whole(Trouble::Missing));
            }
            continue;
        }
        let upper = columns.map(|byte| byte.to_ascii_uppercase());
        if let Some(trouble) = wrong_class(field, &upper) {
            report(whole(trouble));
        } else if !layout
            .values
            .iter()
            .filter(|check| check.field == index)
            .all(|check| check.accepts(&upper))
        {
            report(whole(Trouble::Unknown));
        }
    }
}

/// A list may name the blank as a code of its own.
fn may_hold_blank(field: &Field) -> bool {
    matches!(&field.values, Values::OneOf(values) if values.iter().any(|value| value.trim().is_empty()))
}

fn wrong_class(field: &Field, columns: &Columns) -> Option<Trouble> {
    let class = field.cell.class();
    let raw = field.cell.raw(columns);
    if field.holds_date() {
        return field.cell.date(columns).is_err().then_some(Trouble::NotADate);
    }
    if class.is_numeric() {
        return field.cell.decimal(columns).is_err().then_some(Trouble::WrongClass);
    }
    (!raw.iter().all(|&byte| class.admits(byte))).then_some(Trouble::WrongClass)
}
