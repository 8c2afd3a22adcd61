//! Rows of a host's lists, by keys that a record gives.

use std::borrow::Cow;
use std::fmt::Write;

use super::{Judge, Value, as_text, of_kind};
use crate::rules::expression::{Expression, Kind, Lookup, Spot};
use crate::rules::{ColumnName, Row};

impl Judge<'_> {
    /// Puts texts one behind the other, with spaces between; none if one of them is undecided.
    pub(super) fn join(&self, parts: &[(Kind, Expression)], at: Spot, joined: &mut String) -> Option<()> {
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

    pub(super) fn is_listed(&self, lookup: &Lookup, at: Spot) -> Option<bool> {
        self.row(lookup, at)?.is_there(|| {
            let text = self.text(&lookup.key, at)?;
            if text.is_empty() { None } else { self.context.reference.has(&lookup.list.name, &text) }
        })
    }

    /// Whether a list has no row with a key, or the row has nothing in a column.
    pub(super) fn is_absent(&self, lookup: &Lookup, column: &ColumnName, at: Spot) -> Option<bool> {
        if !self.is_listed(lookup, at)? {
            return Some(true);
        }
        match self.reference(lookup, column, at, Kind::Text) {
            Value::Undecided | Value::Blank => Some(true),
            value => as_text(value).map(|text| text.is_empty()),
        }
    }

    pub(super) fn reference<'b>(
        &'b self,
        lookup: &'b Lookup,
        column: &ColumnName,
        at: Spot,
        kind: Kind,
    ) -> Value<'b> {
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
    pub(super) fn row(&self, lookup: &Lookup, at: Spot) -> Option<Row> {
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

    pub(super) fn find(&self, Lookup { list, key, .. }: &Lookup, at: Spot) -> Option<Row> {
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
}
