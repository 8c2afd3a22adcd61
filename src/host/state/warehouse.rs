//! Warehouse entries and what is withdrawn from them (usage note bb).

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::grammar::{Cell, Direction, Grammar, UnknownName};
use crate::store::{EntryKey, EntrySummary, StoreError, Unit};
use crate::wire::Columns;

/// How many re-warehouse entries are followed back to the warehouse entry they began with.
const MOST_STEPS: usize = 100;

/// Whether goods of this entry type go into a warehouse (299).
pub(super) fn is_warehouse(entry_type: &str) -> bool {
    matches!(entry_type, "21" | "22")
}

/// Whether no further withdrawal can be made. One that is on file may still be replaced: to take the
/// designation "final" back, or to bring it onto itself (ESF-178).
pub(super) fn is_finalized(
    warehouse: &EntryKey,
    withdrawal: &EntryKey,
    unit: &mut dyn Unit,
) -> Result<bool, StoreError> {
    let withdrawals = unit.withdrawals(warehouse)?;
    let is_on_file = withdrawals.iter().any(|other| other.entry == *withdrawal);
    Ok(!is_on_file && withdrawals.iter().any(|other| other.is_final))
}

/// The day from which the five years of a warehouse entry count: that of the importation with which the
/// chain of re-warehouse entries began (ESF-178, 304).
pub(super) fn first_import_date(
    warehouse: &EntrySummary,
    unit: &mut dyn Unit,
) -> Result<Option<Date>, StoreError> {
    let (mut date, mut before) = (warehouse.import_date, warehouse.warehouse.clone());
    for _ in 0..MOST_STEPS {
        let Some(key) = before else { return Ok(date) };
        let Some(summary) = unit.entry_summary(&key)? else { return Ok(None) };
        (date, before) = (summary.import_date, summary.warehouse);
    }
    Ok(None)
}

/// What has gone into a warehouse under an entry and what is left there. It is computed from the records
/// on file, so a withdrawal that is replaced or deleted gives back what it took.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WarehouseBalance {
    /// By tariff number and unit of measure, in their order.
    pub lines: Vec<BalanceLine>,
    /// Whether the last withdrawal has been made.
    pub closed: bool,
}

/// A balance by tariff number and unit of measure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BalanceLine {
    /// The tariff number.
    pub hts_number: String,
    /// The unit of measure.
    pub unit: String,
    /// The quantity that was entered.
    pub entered: Decimal,
    /// The quantity that was withdrawn.
    pub withdrawn: Decimal,
}

impl BalanceLine {
    /// What is left; less than nothing if more was withdrawn than entered.
    #[must_use]
    pub fn left(&self) -> Decimal {
        self.entered - self.withdrawn
    }
}

/// The fields that hold quantities.
#[derive(Debug)]
pub(in crate::host) struct BalanceCells {
    record: String,
    hts_number: Cell,
    quantities: Vec<(Cell, Cell)>,
}

impl BalanceCells {
    pub(in crate::host) fn new(grammar: &Grammar) -> Result<Self, UnknownName> {
        let layout = grammar.find("AE", Direction::Input, "50", "")?;
        let mut quantities = Vec::new();
        while let Ok(quantity) = layout.cell(&format!("quantity_{}", quantities.len() + 1)) {
            quantities
                .push((quantity, layout.cell(&format!("unit_of_measure_code_{}", quantities.len() + 1))?));
        }
        Ok(Self { record: layout.record.clone(), hts_number: layout.cell("hts_number")?, quantities })
    }

    /// The quantities of a summary. An amount that is none was refused when it was filed.
    fn read<'a>(&'a self, rows: &'a [Columns]) -> impl Iterator<Item = ((String, String), Decimal)> + 'a {
        rows.iter().filter(|row| row.starts_with(self.record.as_bytes())).flat_map(move |row| {
            self.quantities.iter().filter_map(move |(quantity, unit)| {
                let key = (self.hts_number.text(row).to_owned(), unit.value(row)?.to_owned());
                Some((key, quantity.decimal(row).ok()??))
            })
        })
    }
}

/// The balance of a warehouse entry; none if it is not on file.
pub(in crate::host) fn balance(
    warehouse: &EntryKey,
    cells: &BalanceCells,
    unit: &mut dyn Unit,
) -> Result<Option<WarehouseBalance>, StoreError> {
    let Some(summary) = unit.entry_summary(warehouse)?.filter(|summary| is_warehouse(&summary.entry_type))
    else {
        return Ok(None);
    };
    let mut lines = BTreeMap::<_, (Decimal, Decimal)>::new();
    for (key, quantity) in cells.read(&summary.records) {
        lines.entry(key).or_default().0 += quantity;
    }
    let mut closed = false;
    for withdrawal in unit.withdrawals(warehouse)? {
        closed |= withdrawal.is_final;
        let Some(summary) = unit.entry_summary(&withdrawal.entry)? else { continue };
        for (key, quantity) in cells.read(&summary.records) {
            lines.entry(key).or_default().1 += quantity;
        }
    }
    let line =
        |((hts_number, unit), (entered, withdrawn))| BalanceLine { hts_number, unit, entered, withdrawn };
    Ok(Some(WarehouseBalance { lines: lines.into_iter().map(line).collect(), closed }))
}
