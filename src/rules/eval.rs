//! Decides rules for one record of a transaction.
//!
//! A test is true, false or undecided. What is undecided raises nothing: a field that has failed a
//! check of its own, or whose list no one holds, is reported once and not again by every rule that
//! reads it.

mod field;
mod lookup;
mod reason;
mod repair;
mod search;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

use jiff::Span;
use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use super::Context;
use super::ast::{Arithmetic, CalendarUnit, Comparison};
use super::expression::{Expression, Kind, Spot};
use super::memo::Memo;
use super::owed::{Computed, Figure, Owed};
use super::presence::Presence;
use crate::message::Transaction;

pub(super) use reason::{Target, Wish};
pub use repair::{Change, Content, Repair};
pub(super) use search::Firsts;

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
            Expression::Absent(lookup, column) => self.is_absent(lookup, column, at),
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

    fn number(&self, expression: &Expression, at: Spot) -> Option<Decimal> {
        as_number(self.value(expression, at, Kind::Number))
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
