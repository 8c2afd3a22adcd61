//! What a rule asks of a record before its test is worth deciding.
//!
//! Most rules do not hold of most records for a simple reason: the field they are about is blank, or the
//! summary is of another entry type. Those reasons are found in the rule once, when it is read: the parts
//! that all must hold of a test are looked at, and of these
//! - the ones that are the same for all records are decided once a transaction,
//! - the ones that can only hold if a field of the record is given, or blank, are compared with a map of
//!   the columns in which something stands.
//!
//! A gate that is closed means that the test is not true, so that nothing is raised; one that is open
//! means nothing.

use super::ast::Comparison;
use super::eval::Judge;
use super::expression::{Expression, FieldRef, Holder, Kind, Lookup, Reach, RecordRef, Scan, Spot};
use super::presence::Presence;
use crate::grammar::{Cell, Symbol};

#[derive(Debug, Default)]
pub(super) struct Gate {
    /// Parts of the test that are the same for every record.
    common: Box<[Expression]>,
    /// The other parts.
    rest: Box<[Expression]>,
    /// Fields of the record at hand that must be given: one cell, or one for each item.
    given: Box<[Box<[Cell]>]>,
    /// Fields of the record at hand that must be blank.
    blank: Box<[Box<[Cell]>]>,
}

impl Gate {
    /// The gate of a test about records of one kind.
    pub(super) fn new(test: &Expression, symbol: Symbol) -> Self {
        let (mut common, mut rest, mut given, mut blank) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for part in all_of(test) {
            if is_common(part, symbol) {
                common.push(part.clone());
                continue;
            }
            rest.push(part.clone());
            if let Some(cells) = asks_for_blank(part) {
                blank.push(cells);
            } else if let Some(cells) = asks_for_given(part) {
                given.push(cells);
            }
        }
        Self { common: common.into(), rest: rest.into(), given: given.into(), blank: blank.into() }
    }

    /// Whether the parts that are common to all records hold; the judge may stand anywhere.
    pub(super) fn is_open(&self, judge: &Judge<'_>) -> bool {
        self.common.iter().all(|part| judge.holds(part, judge.this))
    }

    /// Whether the parts that are not common hold of the record that the judge stands at.
    pub(super) fn holds(&self, judge: &Judge<'_>) -> bool {
        self.rest.iter().all(|part| judge.holds(part, judge.this))
    }

    /// Whether a record or item has what must be given, and nothing where it must be blank.
    #[inline]
    pub(super) fn admits(&self, presence: &Presence<'_>, spot: Spot) -> bool {
        let stands = |cells: &[Cell], default| {
            cell_of(cells, spot).map_or(default, |cell| presence.is_given(cell, spot.record))
        };
        self.given.iter().all(|cells| stands(cells, true))
            && !self.blank.iter().any(|cells| stands(cells, false))
    }
}

/// The parts that all must hold of a test.
fn all_of(test: &Expression) -> Vec<&Expression> {
    match test {
        Expression::And(parts) => parts.iter().flat_map(all_of).collect(),
        single => vec![single],
    }
}

/// The cell of an item; none where the item has none, which the test itself decides.
fn cell_of(cells: &[Cell], spot: Spot) -> Option<Cell> {
    match cells {
        [only] => Some(*only),
        several => several.get(usize::from(spot.item).checked_sub(1)?).copied(),
    }
}

/// A field of the record at hand; where the rule itself stands, that is the record it is about.
fn own(field: &FieldRef) -> Option<Box<[Cell]>> {
    matches!(field.holder, Holder::Current | Holder::This).then(|| field.cells.clone())
}

fn own_field(expression: &Expression) -> Option<Box<[Cell]>> {
    match expression {
        Expression::Field(field) | Expression::Part(field, ..) => own(field),
        _ => None,
    }
}

fn asks_for_blank(part: &Expression) -> Option<Box<[Cell]>> {
    match part {
        Expression::Not(inner) => match &**inner {
            Expression::Given(field) => own(field),
            _ => None,
        },
        _ => None,
    }
}

/// The field that must be given for a part to be true.
fn asks_for_given(part: &Expression) -> Option<Box<[Cell]>> {
    match part {
        Expression::Given(field) => own(field),
        // a blank is none of the texts, unless one of them is blank
        Expression::OneOf(value, texts) if texts.iter().all(|text| !text.is_empty()) => own_field(value),
        // of a blank it is undecided whether a list has it or whether it has a form
        Expression::OnReference(Lookup { key: value, .. }) | Expression::Like(value, _) => own_field(value),
        Expression::Not(inner) => match &**inner {
            Expression::OnReference(Lookup { key: value, .. }) | Expression::Like(value, _) => {
                own_field(value)
            }
            _ => None,
        },
        Expression::Weekend(value) => own_field(value),
        // a blank number is zero, and so not above another
        Expression::Compare(Kind::Number, Comparison::Greater, value, least)
        | Expression::Compare(Kind::Number, Comparison::Less, least, value)
            if matches!(**least, Expression::Number(least) if !least.is_sign_negative()) =>
        {
            own_field(value)
        }
        // a blank date is neither before nor behind another
        Expression::Compare(Kind::Date, _, left, right) => own_field(left).or_else(|| own_field(right)),
        Expression::Compare(Kind::Text, Comparison::Equal, left, right) => match (&**left, &**right) {
            (field, Expression::Text(text)) | (Expression::Text(text), field) if !text.is_empty() => {
                own_field(field)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether a part is the same for all records of a kind.
fn is_common(part: &Expression, symbol: Symbol) -> bool {
    match part {
        Expression::Field(field) | Expression::Part(field, ..) | Expression::Given(field) => {
            match &field.holder {
                // seen from itself, a record is the nearest of its kind
                Holder::Nearest(record, _) => record.symbol != symbol && stands_alone(record),
                Holder::Current | Holder::This => false,
            }
        }
        Expression::Any(scan) | Expression::Count(scan) => finds_the_same(scan),
        Expression::Sum(scan, value) | Expression::The(scan, value) => {
            finds_the_same(scan) && !value.reads_this()
        }
        // a figure belongs to where it is asked for
        Expression::Owed(..)
        | Expression::Repeats(..)
        | Expression::Differ(..)
        | Expression::Gap(_)
        | Expression::Neighbour { .. } => false,
        other => other.parts().into_iter().all(|part| is_common(part, symbol)),
    }
}

/// Whether records of a kind stand in no group but the whole transaction.
fn stands_alone(record: &RecordRef) -> bool {
    record.around.iter().enumerate().all(|(group, may_hold)| *may_hold == (group == 0))
}

/// Whether a search finds the same from wherever it begins.
fn finds_the_same(scan: &Scan) -> bool {
    let is_everywhere = match &scan.reach {
        Reach::All => true,
        Reach::Near => stands_alone(&scan.record),
        Reach::Group(_) => false,
    };
    is_everywhere && !scan.earlier && scan.filter.as_ref().is_none_or(|filter| !filter.reads_this())
}
