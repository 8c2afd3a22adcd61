//! Rules with their names resolved, and how the records they name are found in a transaction.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use rust_decimal::Decimal;

use super::ast::{Arithmetic, CalendarUnit, Comparison};
use super::memo::Slot;
use super::owed::Figure;
use super::{BlockField, ColumnName, ListName};
use crate::grammar::{Cell, GroupIndex, LayoutId, Symbol};
use crate::message::Transaction;

/// A record of a transaction, or an item of one; items count from 1.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Spot {
    pub(super) record: u32,
    pub(super) item: u8,
}

/// The records of one kind, and where to look for them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RecordRef {
    pub(super) symbol: Symbol,
    /// Only records of this layout.
    pub(super) layout: Option<LayoutId>,
    /// Which groups may hold such records, at any depth.
    pub(super) around: Box<[bool]>,
    /// How many items each record has; 0 if the record as a whole is meant.
    pub(super) items: u8,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Holder {
    Current,
    This,
    Nearest(RecordRef, Option<Slot>),
}

/// A field; one cell, or one for each item.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FieldRef {
    pub(super) holder: Holder,
    pub(super) cells: Box<[Cell]>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reach {
    Near,
    All,
    /// Groups by their index; several may share a name.
    Group(Box<[bool]>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scan {
    pub(super) record: RecordRef,
    pub(super) reach: Reach,
    /// Only what stands before the record or item at hand.
    pub(super) earlier: bool,
    pub(super) filter: Option<Box<Expression>>,
}

/// Texts among which one is looked for. Most are codes of a few letters, and those are compared as numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Texts {
    /// Sorted.
    all: Arc<[Box<str>]>,
    /// The short ones, sorted.
    short: Arc<[u64]>,
}

impl Texts {
    pub(super) fn new(all: Box<[Box<str>]>) -> Self {
        let mut short = all.iter().filter_map(|text| packed(text)).collect::<Vec<u64>>();
        short.sort_unstable();
        Self { all: all.into(), short: short.into() }
    }

    pub(super) fn has(&self, text: &str) -> bool {
        match packed(text) {
            Some(number) => self.short.binary_search(&number).is_ok(),
            None => self.all.binary_search_by(|known| (**known).cmp(text)).is_ok(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|text| &**text)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

/// A text of up to seven bytes and its length as a number; none for a longer one.
fn packed(text: &str) -> Option<u64> {
    let length = u64::try_from(text.len()).ok().filter(|length| *length < 8)?;
    Some(text.bytes().fold(length, |number, byte| number << 8 | u64::from(byte)))
}

/// What values are compared as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Text,
    Number,
    Date,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Field(FieldRef),
    Part(FieldRef, u8, u8),
    Text(Box<str>),
    Number(Decimal),
    Today,
    Block(BlockField),
    Owed(Figure, Option<Box<Expression>>),
    Arithmetic(Arithmetic, Box<Expression>, Box<Expression>),
    Shift(Box<Expression>, i32, CalendarUnit),
    Round(Box<Expression>, u32),
    Absolute(Box<Expression>),
    /// A grammar's table by its keys that vary; several are joined by a slash.
    Table(Arc<HashMap<Box<str>, Box<str>, RandomState>>, Box<[Expression]>),
    /// A column of a row of a host's list.
    Reference(Lookup, ColumnName),
    /// Values with spaces between, as the key of a host's list.
    Joined(Box<[(Kind, Expression)]>),
    /// The first that has a value.
    First(Box<[Expression]>),
    The(Scan, Box<Expression>),
    Sum(Scan, Box<Expression>),
    Count(Scan),
    And(Box<[Expression]>),
    Or(Box<[Expression]>),
    Not(Box<Expression>),
    Compare(Kind, Comparison, Box<Expression>, Box<Expression>),
    OneOf(Box<Expression>, Texts),
    /// A host's list has a key.
    OnReference(Lookup),
    /// A host's list has no row with a key, or the row has nothing in a column.
    Absent(Lookup, ColumnName),
    Like(Box<Expression>, Box<[Box<[u8]>]>),
    Has(Box<Expression>, Box<Expression>),
    Weekend(Box<Expression>),
    Given(FieldRef),
    Any(Scan),
    Repeats(Box<[FieldRef]>, Scan),
    Differ(Scan, FieldRef),
    Gap(Box<[Cell]>),
    Neighbour {
        record: RecordRef,
        next: bool,
        value: Box<Expression>,
    },
}

/// A key of a host's list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lookup {
    pub(super) list: ListName,
    pub(super) key: Box<Expression>,
    /// Where the row is remembered.
    pub(super) slot: Option<Slot>,
}

impl Expression {
    /// The fields that it reads itself.
    fn fields(&self) -> &[FieldRef] {
        match self {
            Self::Field(field) | Self::Part(field, ..) | Self::Given(field) | Self::Differ(_, field) => {
                std::slice::from_ref(field)
            }
            Self::Repeats(fields, _) => fields,
            _ => &[],
        }
    }

    /// Its parts that are about the same record as itself.
    pub(super) fn parts(&self) -> Vec<&Self> {
        match self {
            Self::And(parts) | Self::Or(parts) | Self::First(parts) | Self::Table(_, parts) => {
                parts.iter().collect()
            }
            Self::Joined(parts) => parts.iter().map(|(_, part)| part).collect(),
            Self::Arithmetic(_, left, right) | Self::Compare(_, _, left, right) | Self::Has(left, right) => {
                vec![left, right]
            }
            Self::Not(inner)
            | Self::Shift(inner, ..)
            | Self::Round(inner, _)
            | Self::Absolute(inner)
            | Self::OneOf(inner, _)
            | Self::OnReference(Lookup { key: inner, .. })
            | Self::Reference(Lookup { key: inner, .. }, _)
            | Self::Absent(Lookup { key: inner, .. }, _)
            | Self::Like(inner, _)
            | Self::Weekend(inner)
            | Self::Owed(_, Some(inner)) => vec![inner],
            _ => Vec::new(),
        }
    }

    /// Its parts that are about records which it finds.
    fn parts_elsewhere(&self) -> Vec<&Self> {
        match self {
            Self::Any(scan) | Self::Count(scan) | Self::Repeats(_, scan) | Self::Differ(scan, _) => {
                scan.filter.as_deref().into_iter().collect()
            }
            Self::Sum(scan, value) | Self::The(scan, value) => {
                scan.filter.as_deref().into_iter().chain([&**value]).collect()
            }
            Self::Neighbour { value, .. } => vec![value],
            _ => Vec::new(),
        }
    }

    /// The host's lists that it asks.
    pub(super) fn lists(&self) -> Vec<&str> {
        let own = match self {
            Self::OnReference(lookup) | Self::Reference(lookup, _) | Self::Absent(lookup, _) => {
                Some(&*lookup.list.name)
            }
            _ => None,
        };
        let parts = self.parts().into_iter().chain(self.parts_elsewhere());
        own.into_iter().chain(parts.flat_map(Self::lists)).collect()
    }

    /// Whether it reads the record that the rule is about, wherever it stands itself.
    pub(super) fn reads_this(&self) -> bool {
        self.fields().iter().any(|field| matches!(field.holder, Holder::This))
            || self.parts().into_iter().chain(self.parts_elsewhere()).any(Self::reads_this)
    }

    /// Whether its value depends on no more than the record where it stands: neither on one of its items
    /// nor on what the rule is about.
    pub(super) fn depends_on_record_alone(&self) -> bool {
        let of_items = |field: &FieldRef| field.cells.len() > 1;
        !matches!(self, Self::Gap(_))
            && !self.reads_this()
            && !self.fields().iter().any(of_items)
            && self.parts().into_iter().all(Self::depends_on_record_alone)
    }
}

impl RecordRef {
    pub(super) fn is_layout(&self, transaction: &Transaction, position: u32) -> bool {
        self.layout.is_none_or(|layout| transaction.nodes()[position as usize].layout == layout)
    }
}

/// The first record of a kind in the nearest group that may hold it; the record itself if it is one.
pub(super) fn nearest(transaction: &Transaction, record: &RecordRef, from: u32) -> Option<u32> {
    if transaction.nodes()[from as usize].symbol == record.symbol && record.is_layout(transaction, from) {
        return Some(from);
    }
    let range = enclosing(transaction, &record.around, from)?;
    transaction
        .records_within(record.symbol, range)
        .iter()
        .copied()
        .find(|&position| record.is_layout(transaction, position))
}

pub(super) fn reach(transaction: &Transaction, scan: &Scan, from: u32) -> Range<u32> {
    match &scan.reach {
        Reach::All => 0..transaction.rows().len() as u32,
        Reach::Near => enclosing(transaction, &scan.record.around, from).unwrap_or_default(),
        Reach::Group(groups) => enclosing(transaction, groups, from).unwrap_or_default(),
    }
}

/// The records of the innermost group around a record that is one of these.
fn enclosing(transaction: &Transaction, groups: &[bool], from: u32) -> Option<Range<u32>> {
    let mut instance = transaction.nodes()[from as usize].group;
    loop {
        let group = &transaction.groups()[instance as usize];
        if groups.get(usize::from(group.index)) == Some(&true) {
            return Some(group.first..group.end);
        }
        if instance == 0 {
            return None;
        }
        instance = group.parent;
    }
}

/// Marks a group and those around it.
pub(super) fn mark_upwards(
    marks: &mut [bool],
    mut group: GroupIndex,
    parent_of: impl Fn(GroupIndex) -> GroupIndex,
) {
    loop {
        marks[usize::from(group)] = true;
        if group == 0 {
            return;
        }
        group = parent_of(group);
    }
}
