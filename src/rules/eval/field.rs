//! What stands in the fields of records.

use std::borrow::Cow;

use super::{Judge, Value, of_kind};
use crate::grammar::Cell;
use crate::rules::expression::{FieldRef, Holder, Kind, Spot, nearest};

impl Judge<'_> {
    pub(super) fn field<'b>(&'b self, field: &FieldRef, at: Spot, kind: Kind) -> Value<'b> {
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

    pub(super) fn part<'b>(
        &'b self,
        field: &FieldRef,
        (from, to): (u8, u8),
        at: Spot,
        kind: Kind,
    ) -> Value<'b> {
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

    pub(super) fn given(&self, field: &FieldRef, at: Spot) -> Option<bool> {
        let Some((cell, record)) = self.cell(field, at) else { return Some(false) };
        let given = self.presence.is_given(cell, record);
        (!self.is_spoiled(record, cell)).then_some(given)
    }

    pub(super) fn is_spoiled(&self, record: u32, cell: Cell) -> bool {
        !self.spoiled.is_empty() && self.spoiled.contains(&(record, cell.first_column() as u8))
    }

    pub(super) fn cell(&self, field: &FieldRef, at: Spot) -> Option<(Cell, u32)> {
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
}
