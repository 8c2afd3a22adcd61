//! What trailers count and add up.

use rust_decimal::Decimal;

use super::layout::Cells;
use super::mapping::{Level, Member, Total};

/// The rows since a level began, counted and added up as the trailers of the level ask for.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    rows: Vec<u64>,
    /// Rows of no known kind.
    others: u64,
    /// For each sum that is asked for; nothing once an amount cannot be read, or the sum is beyond what
    /// a decimal holds.
    sums: Vec<(usize, usize, Option<Decimal>)>,
}

impl Totals {
    /// The totals of a level.
    pub(super) fn new(level: &Level, kinds: usize) -> Self {
        let totals = level.members.iter().flat_map(|member| match member {
            Member::With { body, .. } => body.totals.as_slice(),
            Member::Level(_) => &[],
        });
        let sums = totals.filter_map(|total| Some((total.row?, total.of?, Some(Decimal::ZERO))));
        Self { rows: vec![0; kinds], others: 0, sums: sums.collect() }
    }

    /// Begins anew.
    pub(super) fn reset(&mut self) {
        self.rows.fill(0);
        self.others = 0;
        self.sums.iter_mut().for_each(|(_, _, sum)| *sum = Some(Decimal::ZERO));
    }

    /// Takes a row of no known kind.
    pub(super) fn add_other(&mut self) {
        self.others += 1;
    }

    /// Takes a row.
    pub(super) fn add(&mut self, row: usize, cells: &Cells) {
        if let Some(count) = self.rows.get_mut(row) {
            *count += 1;
        }
        for (kind, field, sum) in &mut self.sums {
            if *kind == row {
                let text = cells.get(*field).and_then(Option::as_ref);
                let amount = text.and_then(|text| Decimal::from_str_exact(text).ok());
                *sum = sum.and_then(|sum| sum.checked_add(amount?));
            }
        }
    }

    /// What a field is to hold; nothing if it is beyond what can be told.
    pub(super) fn of(&self, total: &Total) -> Option<Decimal> {
        match (total.row, total.of) {
            (Some(row), Some(of)) => self
                .sums
                .iter()
                .find(|(kind, field, _)| (*kind, *field) == (row, of))
                .and_then(|(_, _, sum)| *sum),
            (Some(row), None) => self.rows.get(row).map(|count| Decimal::from(*count)),
            (None, _) => Some(Decimal::from(self.rows.iter().sum::<u64>() + self.others)),
        }
    }
}
