//! Decides rules for one record of a transaction.
//!
//! A test is true, false or undecided. What is undecided raises nothing: a field that has failed a
//! check of its own, or whose list no one holds, is reported once and not again by every rule that
//! reads it.

mod repair;

use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use foldhash::fast::RandomState;
use jiff::Span;
use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use super::Context;
use super::ast::{Arithmetic, CalendarUnit, Comparison};
use super::expression::{Expression, FieldRef, Holder, Kind, Lookup, RecordRef, Scan, Spot, nearest, reach};
use super::memo::Memo;
use super::owed::{Computed, Figure, Owed};
use super::presence::Presence;
use super::{ColumnName, Row};
use crate::grammar::Cell;
use crate::message::Transaction;

pub use repair::{Change, Content, Repair};

#[derive(Clone, Debug)]
enum Value<'a> {
    Undecided,
    Blank,
    Text(Cow<'a, str>),
    Number(Decimal),
    Date(Date),
}

/// One transaction under judgement.
pub(super) struct Judge<'a> {
    pub(super) transaction: &'a Transaction,
    pub(super) context: &'a Context<'a>,
    pub(super) presence: &'a Presence<'a>,
    /// Fields that failed, by record and first column; what reads them is undecided.
    pub(super) spoiled: &'a HashSet<(u32, u8)>,
    /// What is owed.
    pub(super) owed: &'a Owed<'a>,
    /// The record or item the rule is about.
    pub(super) this: Spot,
    pub(super) firsts: &'a Firsts,
    pub(super) memo: &'a Memo,
}

/// Where values stand for the first time, for tests that ask whether they stood before: looked up, since
/// a summary has so many lines that each cannot be compared with all before it.
#[derive(Default)]
pub(super) struct Firsts(RefCell<HashMap<(*const Scan, u32), FirstSpots, RandomState>>);

/// By the values of one search: where each stands first.
type FirstSpots = HashMap<Vec<u8>, Spot, RandomState>;

/// Up to how many records are compared one by one.
const FEW: u32 = 16;

impl<'a> Judge<'a> {
    /// Whether a test is true. What is not true need not be told apart in false and undecided here, so of
    /// several parts that all must hold the first that does not is the last one looked at.
    pub(super) fn holds(&self, expression: &Expression, at: Spot) -> bool {
        match expression {
            Expression::And(parts) => parts.iter().all(|part| self.holds(part, at)),
            Expression::Or(parts) => parts.iter().any(|part| self.holds(part, at)),
            Expression::Any(scan) => self
                .spots(scan, at)
                .any(|spot| scan.filter.as_ref().is_none_or(|filter| self.holds(filter, spot))),
            Expression::Neighbour { record, next, value } => {
                self.neighbour(record, *next, at).is_some_and(|spot| self.holds(value, spot))
            }
            other => self.truth(other, at) == Some(true),
        }
    }

    pub(super) fn truth(&self, expression: &Expression, at: Spot) -> Option<bool> {
        match expression {
            Expression::And(parts) => self.joined(parts, at, false),
            Expression::Or(parts) => self.joined(parts, at, true),
            Expression::Not(inner) => self.truth(inner, at).map(|truth| !truth),
            Expression::Compare(kind, operator, left, right) => {
                self.compare(*kind, *operator, left, right, at)
            }
            Expression::OneOf(value, texts) => self.of_text(value, at, |text| texts.has(text)),
            Expression::OnReference(lookup) => self.is_listed(lookup, at),
            Expression::Like(value, patterns) => {
                let text = self.text(value, at)?;
                (!text.is_empty()).then(|| patterns.iter().any(|pattern| is_like(text.as_bytes(), pattern)))
            }
            Expression::Has(words, word) => {
                let (words, word) = (self.text(words, at)?, self.text(word, at)?);
                Some(words.split(' ').any(|known| known == word))
            }
            Expression::Weekend(value) => match self.value(value, at, Kind::Date) {
                Value::Date(date) => Some(date.weekday().to_monday_one_offset() > 5),
                _ => None,
            },
            Expression::Given(field) => self.given(field, at),
            Expression::Any(scan) => self.any(scan, at),
            Expression::Repeats(fields, scan) => self.repeats(fields, scan, at),
            Expression::Differ(scan, field) => self.differ(scan, field, at),
            Expression::Gap(cells) => self.gap(cells, at),
            Expression::Neighbour { record, next, value } => match self.neighbour(record, *next, at) {
                Some(spot) => self.truth(value, spot),
                None => Some(false),
            },
            _ => None,
        }
    }

    /// All, or one of them; a single part may decide what others leave open.
    fn joined(&self, parts: &[Expression], at: Spot, decisive: bool) -> Option<bool> {
        let mut open = false;
        for part in parts {
            match self.truth(part, at) {
                Some(truth) if truth == decisive => return Some(decisive),
                Some(_) => {}
                None => open = true,
            }
        }
        (!open).then_some(!decisive)
    }

    fn compare(
        &self,
        kind: Kind,
        operator: Comparison,
        left: &Expression,
        right: &Expression,
        at: Spot,
    ) -> Option<bool> {
        if kind == Kind::Text && matches!(operator, Comparison::Equal | Comparison::Unequal) {
            let is_right = |left: &str| self.of_text(right, at, |right| left == right);
            return self.of_text(left, at, is_right)?.map(|same| same == (operator == Comparison::Equal));
        }
        let left = self.value(left, at, kind);
        let right = self.value(right, at, kind);
        let ordering = match kind {
            Kind::Text => as_text(left)?.cmp(&as_text(right)?),
            Kind::Number => as_number(left)?.cmp(&as_number(right)?),
            Kind::Date => match (left, right) {
                (Value::Date(left), Value::Date(right)) => left.cmp(&right),
                _ => return None,
            },
        };
        Some(match operator {
            Comparison::Equal => ordering == Ordering::Equal,
            Comparison::Unequal => ordering != Ordering::Equal,
            Comparison::Less => ordering == Ordering::Less,
            Comparison::LessOrEqual => ordering != Ordering::Greater,
            Comparison::Greater => ordering == Ordering::Greater,
            Comparison::GreaterOrEqual => ordering != Ordering::Less,
        })
    }

    /// Something of a text; none if the text is undecided.
    #[inline]
    fn of_text<T>(&self, expression: &Expression, at: Spot, tell: impl FnOnce(&str) -> T) -> Option<T> {
        match expression {
            Expression::Text(text) => Some(tell(text)),
            Expression::Field(field) => match self.cell(field, at) {
                Some((cell, record)) if self.is_spoiled(record, cell) => None,
                Some((cell, record)) => Some(tell(self.presence.text(cell, record))),
                None => Some(tell("")),
            },
            other => self.text(other, at).map(|text| tell(&text)),
        }
    }

    fn text<'b>(&'b self, expression: &'b Expression, at: Spot) -> Option<Cow<'b, str>> {
        as_text(self.value(expression, at, Kind::Text))
    }

    #[inline]
    fn value<'b>(&'b self, expression: &'b Expression, at: Spot, kind: Kind) -> Value<'b> {
        match expression {
            Expression::Field(field) => self.field(field, at, kind),
            Expression::Text(text) => Value::Text(Cow::Borrowed(text)),
            Expression::Number(number) => Value::Number(*number),
            other => self.computed(other, at, kind),
        }
    }

    /// The value of what is neither a field nor a literal.
    fn computed<'b>(&'b self, expression: &'b Expression, at: Spot, kind: Kind) -> Value<'b> {
        match expression {
            Expression::Part(field, from, to) => self.part(field, (*from, *to), at, kind),
            Expression::Today => Value::Date(self.context.today),
            Expression::Block(field) => Value::Text(Cow::Borrowed(self.context.block.field(*field))),
            Expression::Owed(figure, class) => self.owed(*figure, class.as_deref(), at),
            Expression::Arithmetic(operator, left, right) => {
                let numbers = (self.number(left, at), self.number(right, at));
                let (Some(left), Some(right)) = numbers else { return Value::Undecided };
                let result = match operator {
                    Arithmetic::Add => left.checked_add(right),
                    Arithmetic::Subtract => left.checked_sub(right),
                    Arithmetic::Multiply => left.checked_mul(right),
                };
                result.map_or(Value::Undecided, Value::Number)
            }
            Expression::Shift(date, amount, unit) => match self.value(date, at, Kind::Date) {
                Value::Date(date) => shifted(date, *amount, *unit).map_or(Value::Undecided, Value::Date),
                other => other,
            },
            Expression::Round(inner, places) => self.number(inner, at).map_or(Value::Undecided, |number| {
                Value::Number(number.round_dp_with_strategy(*places, RoundingStrategy::MidpointAwayFromZero))
            }),
            Expression::Absolute(inner) => {
                self.number(inner, at).map_or(Value::Undecided, |number| Value::Number(number.abs()))
            }
            Expression::Table(rows, keys) => match self.joined_keys(keys, at) {
                Some(key) => {
                    rows.get(key.as_ref()).map_or(Value::Blank, |value| of_kind(Cow::Borrowed(value), kind))
                }
                None => Value::Undecided,
            },
            Expression::Reference(lookup, column) => self.reference(lookup, column, at, kind),
            Expression::Joined(parts) => {
                let mut joined = String::new();
                let decided = self.join(parts, at, &mut joined);
                decided.map_or(Value::Undecided, |()| Value::Text(Cow::Owned(joined)))
            }
            Expression::First(values) => {
                let mut values = values.iter().map(|value| self.value(value, at, kind));
                let given = |value: &Value<'_>| !matches!(value, Value::Undecided | Value::Blank);
                values.find(given).unwrap_or(Value::Undecided)
            }
            Expression::The(scan, value) => {
                match self.spots(scan, at).find(|spot| self.admits(scan, *spot) == Some(true)) {
                    Some(spot) => self.value(value, spot, kind),
                    None => Value::Blank,
                }
            }
            Expression::Sum(scan, value) => self.sum(scan, value, at).map_or(Value::Undecided, Value::Number),
            Expression::Count(scan) => {
                self.count(scan, at).map_or(Value::Undecided, |count| Value::Number(Decimal::from(count)))
            }
            Expression::Neighbour { record, next, value } => match self.neighbour(record, *next, at) {
                Some(spot) => self.value(value, spot, kind),
                None => Value::Blank,
            },
            _ => Value::Undecided,
        }
    }

    fn owed(&self, figure: Figure, class: Option<&Expression>, at: Spot) -> Value<'_> {
        let class = match class.map(|class| self.text(class, at)) {
            Some(None) => return Value::Undecided,
            class => class.flatten(),
        };
        match self.owed.figure(figure, class.as_deref(), at, self.spoiled) {
            Computed::Undecided => Value::Undecided,
            Computed::Blank => Value::Blank,
            Computed::Number(number) => Value::Number(number),
            Computed::Text(text) => Value::Text(Cow::Owned(text)),
        }
    }

    fn joined_keys<'b>(&'b self, keys: &'b [Expression], at: Spot) -> Option<Cow<'b, str>> {
        if let [only] = keys {
            return self.text(only, at);
        }
        let texts = keys.iter().map(|key| self.text(key, at)).collect::<Option<Vec<_>>>()?;
        Some(Cow::Owned(texts.join("/")))
    }

    /// Puts texts one behind the other, with spaces between; none if one of them is undecided.
    fn join(&self, parts: &[(Kind, Expression)], at: Spot, joined: &mut String) -> Option<()> {
        for (number, (kind, part)) in parts.iter().enumerate() {
            if number > 0 {
                joined.push(' ');
            }
            match kind {
                Kind::Text => self.of_text(part, at, |text| joined.push_str(text))?,
                _ => match self.value(part, at, *kind) {
                    Value::Date(date) => write!(joined, "{date}").ok()?,
                    value => joined.push_str(&as_text(value)?),
                },
            }
        }
        Some(())
    }

    fn is_listed(&self, lookup: &Lookup, at: Spot) -> Option<bool> {
        match self.row(lookup, at)? {
            Row::NotHeld => None,
            Row::Missing => Some(false),
            Row::At(_) => Some(true),
            Row::Unnumbered => {
                let text = self.text(&lookup.key, at)?;
                if text.is_empty() { None } else { self.context.reference.has(&lookup.list.name, &text) }
            }
        }
    }

    fn reference<'b>(&'b self, lookup: &'b Lookup, column: &ColumnName, at: Spot, kind: Kind) -> Value<'b> {
        let reference = self.context.reference;
        let held = match self.row(lookup, at) {
            Some(Row::At(row)) => reference.cell(&lookup.list, row, column).map(Cow::Borrowed),
            Some(Row::Unnumbered) => self
                .text(&lookup.key, at)
                .and_then(|key| reference.value(&lookup.list.name, &key, &column.name)),
            Some(Row::NotHeld | Row::Missing) | None => None,
        };
        held.map_or(Value::Undecided, |value| of_kind(value, kind))
    }

    /// The row of a key; none if the key is undecided or blank.
    fn row(&self, lookup: &Lookup, at: Spot) -> Option<Row> {
        let found = self.memo.answer(lookup.slot, at.record, || match self.find(lookup, at) {
            None => 0,
            Some(Row::NotHeld) => 1,
            Some(Row::Missing) => 2,
            Some(Row::Unnumbered) => 3,
            Some(Row::At(row)) => row + 4,
        });
        match found {
            0 => None,
            1 => Some(Row::NotHeld),
            2 => Some(Row::Missing),
            3 => Some(Row::Unnumbered),
            row => Some(Row::At(row - 4)),
        }
    }

    fn find(&self, Lookup { list, key, .. }: &Lookup, at: Spot) -> Option<Row> {
        let reference = self.context.reference;
        if let Expression::Joined(parts) = &**key {
            let first = parts.first().map(|(kind, first)| self.value(first, at, *kind));
            if let Some(Value::Text(first)) = first
                && !reference.may_have(list, &first)
            {
                let is_decided = |(kind, part): &(Kind, Expression)| {
                    !matches!(self.value(part, at, *kind), Value::Undecided)
                };
                return parts.iter().all(is_decided).then(|| reference.row(list, ""));
            }
        }
        let told = |key: &str| match reference.row(list, key) {
            Row::Unnumbered => Some(Row::Unnumbered),
            _ if key.is_empty() => None,
            row => Some(row),
        };
        let Expression::Joined(parts) = &**key else { return self.of_text(key, at, told)? };
        let mut key = self.memo.scratch();
        let found = if self.join(parts, at, &mut key).is_some() { told(&key) } else { None };
        self.memo.keep(key);
        found
    }

    fn number(&self, expression: &Expression, at: Spot) -> Option<Decimal> {
        as_number(self.value(expression, at, Kind::Number))
    }

    fn field<'b>(&'b self, field: &FieldRef, at: Spot, kind: Kind) -> Value<'b> {
        let Some((cell, record)) = self.cell(field, at) else { return Value::Blank };
        if self.is_spoiled(record, cell) {
            return Value::Undecided;
        }
        if !self.presence.is_given(cell, record) {
            return Value::Blank;
        }
        let row = &self.transaction.rows()[record as usize];
        match kind {
            Kind::Text => Value::Text(Cow::Borrowed(self.presence.text(cell, record))),
            Kind::Number => match cell.decimal(row) {
                Ok(number) => number.map_or(Value::Blank, Value::Number),
                Err(_) => Value::Undecided,
            },
            Kind::Date => match cell.date(row) {
                Ok(date) => date.map_or(Value::Blank, Value::Date),
                Err(_) => Value::Undecided,
            },
        }
    }

    fn part<'b>(&'b self, field: &FieldRef, (from, to): (u8, u8), at: Spot, kind: Kind) -> Value<'b> {
        let Some((cell, record)) = self.cell(field, at) else { return Value::Blank };
        if self.is_spoiled(record, cell) {
            return Value::Undecided;
        }
        let raw = cell.raw(&self.transaction.rows()[record as usize]);
        let part = raw.get(usize::from(from) - 1..usize::from(to)).unwrap_or_default();
        match std::str::from_utf8(part).map(str::trim) {
            Ok("") => Value::Blank,
            Ok(text) => of_kind(Cow::Borrowed(text), kind),
            Err(_) => Value::Undecided,
        }
    }

    fn given(&self, field: &FieldRef, at: Spot) -> Option<bool> {
        let Some((cell, record)) = self.cell(field, at) else { return Some(false) };
        let given = self.presence.is_given(cell, record);
        (!self.is_spoiled(record, cell)).then_some(given)
    }

    fn is_spoiled(&self, record: u32, cell: Cell) -> bool {
        !self.spoiled.is_empty() && self.spoiled.contains(&(record, cell.first_column() as u8))
    }

    fn cell(&self, field: &FieldRef, at: Spot) -> Option<(Cell, u32)> {
        let spot = match &field.holder {
            Holder::Current => at,
            Holder::This => self.this,
            Holder::Nearest(record, slot) => {
                let find = || nearest(self.transaction, record, at.record).map_or(0, |found| found + 1);
                Spot { record: self.memo.answer(*slot, at.record, find).checked_sub(1)?, item: 0 }
            }
        };
        let cell = match &*field.cells {
            [only] => *only,
            several => *several.get(usize::from(spot.item).checked_sub(1)?)?,
        };
        Some((cell, spot.record))
    }

    fn any(&self, scan: &Scan, at: Spot) -> Option<bool> {
        let mut open = false;
        for spot in self.spots(scan, at) {
            match self.admits(scan, spot) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => open = true,
            }
        }
        (!open).then_some(false)
    }

    fn count(&self, scan: &Scan, at: Spot) -> Option<u32> {
        self.spots(scan, at).try_fold(0, |count, spot| Some(count + u32::from(self.admits(scan, spot)?)))
    }

    fn sum(&self, scan: &Scan, value: &Expression, at: Spot) -> Option<Decimal> {
        let mut sum = Decimal::ZERO;
        for spot in self.spots(scan, at) {
            if self.admits(scan, spot)? {
                sum = sum.checked_add(self.number(value, spot)?)?;
            }
        }
        Some(sum)
    }

    fn gap(&self, cells: &[Cell], at: Spot) -> Option<bool> {
        let row = &self.transaction.rows()[at.record as usize];
        let here = usize::from(at.item);
        let [before, item] = cells.get(here.checked_sub(2)?..here)? else { return None };
        let gap = !item.is_blank(row) && before.is_blank(row);
        (!gap || !self.is_spoiled(at.record, *before)).then_some(gap)
    }

    fn repeats(&self, fields: &[FieldRef], scan: &Scan, at: Spot) -> Option<bool> {
        let raw = |field: &FieldRef, spot: Spot| {
            let (cell, record) = self.cell(field, spot)?;
            Some(cell.raw(&self.transaction.rows()[record as usize]))
        };
        let mut blank = true;
        for field in fields {
            blank &= !self.given(field, at)?;
        }
        if blank {
            return Some(false);
        }
        let range = reach(self.transaction, scan, at.record);
        let is_of_spot = |field: &FieldRef| matches!(field.holder, Holder::Current);
        if range.end - range.start <= FEW || !fields.iter().all(is_of_spot) {
            let is_same = |spot| fields.iter().all(|field| raw(field, spot) == raw(field, at));
            return Some(self.spots(scan, at).any(is_same));
        }
        // fields have their widths, so the texts one behind the other tell them apart
        let key =
            |spot| fields.iter().flat_map(|field| raw(field, spot).unwrap_or_default()).copied().collect();
        let mut known = self.firsts.0.borrow_mut();
        let firsts = known.entry((std::ptr::from_ref(scan), range.start)).or_insert_with(|| {
            let last = Spot { record: u32::MAX, item: u8::MAX };
            let mut firsts = FirstSpots::default();
            for spot in self.spots_from(scan, at.record, last) {
                firsts.entry(key(spot)).or_insert(spot);
            }
            firsts
        });
        Some(firsts.get::<Vec<u8>>(&key(at)).is_some_and(|first| *first < at))
    }

    fn differ(&self, scan: &Scan, field: &FieldRef, at: Spot) -> Option<bool> {
        let mut first: Option<&[u8]> = None;
        for spot in self.spots(scan, at) {
            let Some((cell, record)) = self.cell(field, spot) else { continue };
            let row = &self.transaction.rows()[record as usize];
            if self.is_spoiled(record, cell) || cell.is_blank(row) || self.admits(scan, spot) != Some(true) {
                continue;
            }
            let raw = cell.raw(row);
            if **first.get_or_insert(raw) != *raw {
                return Some(true);
            }
        }
        Some(false)
    }

    fn admits(&self, scan: &Scan, spot: Spot) -> Option<bool> {
        scan.filter.as_ref().map_or(Some(true), |filter| self.truth(filter, spot))
    }

    fn spots<'b>(&self, scan: &'b Scan, at: Spot) -> impl Iterator<Item = Spot> + use<'a, 'b> {
        let before = if scan.earlier { at } else { Spot { record: u32::MAX, item: u8::MAX } };
        self.spots_from(scan, at.record, before)
    }

    /// What a search that begins at a record finds before a spot.
    fn spots_from<'b>(
        &self,
        scan: &'b Scan,
        from: u32,
        before: Spot,
    ) -> impl Iterator<Item = Spot> + use<'a, 'b> {
        let transaction = self.transaction;
        let range = reach(transaction, scan, from);
        let record = &scan.record;
        transaction
            .records_within(record.symbol, range)
            .iter()
            .filter(|&&position| record.is_layout(transaction, position))
            .flat_map(|&position| {
                let items = if record.items == 0 { 0..=0 } else { 1..=record.items };
                items.map(move |item| Spot { record: position, item })
            })
            .take_while(move |spot| *spot < before)
    }

    fn neighbour(&self, record: &RecordRef, next: bool, at: Spot) -> Option<Spot> {
        let all = self.transaction.records_of(record.symbol);
        let fits = |position: &&u32| record.is_layout(self.transaction, **position);
        let found = if next {
            all[all.partition_point(|&position| position <= at.record)..].iter().find(fits)
        } else {
            all[..all.partition_point(|&position| position < at.record)].iter().rev().find(fits)
        };
        found.map(|&record| Spot { record, item: 0 })
    }
}

fn as_text(value: Value<'_>) -> Option<Cow<'_, str>> {
    match value {
        Value::Text(text) => Some(text),
        Value::Blank => Some(Cow::Borrowed("")),
        // one that is computed, and only asked for whether it is blank
        Value::Number(_) => Some(Cow::Borrowed("0")),
        _ => None,
    }
}

/// A blank amount is none.
fn as_number(value: Value<'_>) -> Option<Decimal> {
    match value {
        Value::Number(number) => Some(number),
        Value::Blank => Some(Decimal::ZERO),
        _ => None,
    }
}

fn of_kind(text: Cow<'_, str>, kind: Kind) -> Value<'_> {
    if text.is_empty() {
        return Value::Blank;
    }
    match kind {
        Kind::Text => Value::Text(text),
        Kind::Number => text.parse().map_or(Value::Undecided, Value::Number),
        Kind::Date => text.parse().map_or(Value::Undecided, Value::Date),
    }
}

fn shifted(date: Date, amount: i32, unit: CalendarUnit) -> Option<Date> {
    let span = match unit {
        CalendarUnit::Days => Span::new().try_days(amount),
        CalendarUnit::Months => Span::new().try_months(amount),
        CalendarUnit::Years => Span::new().try_years(amount),
    };
    date.checked_add(span.ok()?).ok()
}

/// `A` stands for a letter, `N` for a digit, `X` for either; other signs for themselves.
pub(super) fn is_like(text: &[u8], pattern: &[u8]) -> bool {
    text.len() == pattern.len()
        && text.iter().zip(pattern).all(|(sign, expected)| match expected {
            b'A' => sign.is_ascii_uppercase(),
            b'N' => sign.is_ascii_digit(),
            b'X' => sign.is_ascii_uppercase() || sign.is_ascii_digit(),
            other => sign == other,
        })
}
