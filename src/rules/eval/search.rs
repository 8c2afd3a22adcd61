//! Records that a test looks for, and what is true of them together.

use std::cell::RefCell;
use std::collections::HashMap;

use foldhash::fast::RandomState;
use rust_decimal::Decimal;

use super::Judge;
use crate::grammar::Cell;
use crate::rules::expression::{Expression, FieldRef, Holder, RecordRef, Scan, Spot, reach};

/// Where values stand for the first time, for tests that ask whether they stood before: looked up, since
/// a summary has so many lines that each cannot be compared with all before it.
#[derive(Default)]
pub(in crate::rules) struct Firsts(RefCell<HashMap<(*const Scan, u32), FirstSpots, RandomState>>);

/// By the values of one search: where each stands first.
type FirstSpots = HashMap<Vec<u8>, Spot, RandomState>;

/// Up to how many records are compared one by one.
const FEW: u32 = 16;

impl<'a> Judge<'a> {
    pub(super) fn any(&self, scan: &Scan, at: Spot) -> Option<bool> {
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

    pub(super) fn count(&self, scan: &Scan, at: Spot) -> Option<u32> {
        self.spots(scan, at).try_fold(0, |count, spot| Some(count + u32::from(self.admits(scan, spot)?)))
    }

    pub(super) fn sum(&self, scan: &Scan, value: &Expression, at: Spot) -> Option<Decimal> {
        let mut sum = Decimal::ZERO;
        for spot in self.spots(scan, at) {
            if self.admits(scan, spot)? {
                sum = sum.checked_add(self.number(value, spot)?)?;
            }
        }
        Some(sum)
    }

    pub(super) fn gap(&self, cells: &[Cell], at: Spot) -> Option<bool> {
        let row = &self.transaction.rows()[at.record as usize];
        let here = usize::from(at.item);
        let [before, item] = cells.get(here.checked_sub(2)?..here)? else { return None };
        let gap = !item.is_blank(row) && before.is_blank(row);
        (!gap || !self.is_spoiled(at.record, *before)).then_some(gap)
    }

    pub(super) fn repeats(&self, fields: &[FieldRef], scan: &Scan, at: Spot) -> Option<bool> {
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

    pub(super) fn differ(&self, scan: &Scan, field: &FieldRef, at: Spot) -> Option<bool> {
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

    pub(super) fn admits(&self, scan: &Scan, spot: Spot) -> Option<bool> {
        scan.filter.as_ref().map_or(Some(true), |filter| self.truth(filter, spot))
    }

    pub(super) fn spots<'b>(&self, scan: &'b Scan, at: Spot) -> impl Iterator<Item = Spot> + use<'a, 'b> {
        let before = if scan.earlier { at } else { Spot { record: u32::MAX, item: u8::MAX } };
        self.spots_from(scan, at.record, before)
    }

    /// What a search that begins at a record finds before a spot.
    pub(super) fn spots_from<'b>(
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

    pub(super) fn neighbour(&self, record: &RecordRef, next: bool, at: Spot) -> Option<Spot> {
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
