//! A summary on file: who may change it, what is noted of it and what its records say.

use super::change::ComparedData;
use jiff::civil::Date;

use super::super::filing::Filing;
use super::{IEEPA_SINCE, truth, warehouse};
use crate::grammar::{Cell, Direction, Grammar, Layout};
use crate::message::Transaction;
use crate::store::{ControlState, EntryKey, EntrySummary, Mark, StoreError, Unit};
use crate::wire::Columns;

/// A summary on file with what had to be looked up beside it.
pub(super) struct Filed {
    summary: EntrySummary,
    facts: Vec<(&'static str, String)>,
}

impl Filed {
    /// The summary that a filing adds to, replaces or deletes.
    pub(super) fn own(
        summary: EntrySummary,
        filing: &Filing,
        transaction: &Transaction,
        (data, today): (&ComparedData, Date),
        unit: &mut dyn Unit,
    ) -> Result<Self, StoreError> {
        let withdrawn =
            warehouse::is_warehouse(&summary.entry_type) && !unit.withdrawals(&summary.key)?.is_empty();
        let mut facts = vec![("withdrawn", truth(withdrawn))];
        if matches!(summary.state, ControlState::Rejected) {
            facts.push(("consolidates", truth(!unit.consolidated_by(&summary.key)?.is_empty())));
        }
        if !summary.records.is_empty() {
            facts.push(("header_changes", data.changes(&summary.records, transaction.rows())));
            if filing.is_correction && today >= IEEPA_SINCE {
                let differs = data.ieepa_differs(&summary.records, transaction.rows());
                facts.push(("ieepa_differs", truth(differs)));
            }
        }
        Ok(Self { summary, facts })
    }

    /// The warehouse entry that a filing withdraws from.
    pub(super) fn warehouse(
        summary: EntrySummary,
        withdrawal: &EntryKey,
        unit: &mut dyn Unit,
    ) -> Result<Self, StoreError> {
        let mut facts = vec![("finalized", truth(warehouse::is_finalized(&summary.key, withdrawal, unit)?))];
        if let Some(date) = warehouse::first_import_date(&summary, unit)? {
            facts.push(("first_import_date", date.to_string()));
        }
        Ok(Self { summary, facts })
    }

    /// What a rule may ask of it: a fact, a column of the file, or a field of the first of its records
    /// that has one of this name.
    pub(super) fn value(&self, grammar: &Grammar, column: &str) -> Option<String> {
        let summary = &self.summary;
        let date = |date: Option<Date>| date.map(|date| date.to_string());
        match column {
            "state" => Some(summary.state.name().to_owned()),
            "port" => Some(summary.port.clone()),
            "entry_type" => Some(summary.entry_type.clone()),
            "importer" => Some(summary.importer.clone()),
            "broker_reference" => Some(summary.broker_reference.clone()),
            "corrected" => Some(truth(summary.corrected)),
            "reconciled" => Some(truth(summary.reconciled)),
            "entry_date" => date(summary.entry_date),
            "import_date" => date(summary.import_date),
            "liquidation_date" => date(summary.liquidation_date),
            "marks" => Some(Mark::join(&summary.marks)),
            _ => match self.facts.iter().find(|(name, _)| *name == column) {
                Some((_, value)) => Some(value.clone()),
                None => field(grammar, &summary.records, column),
            },
        }
    }
}

/// A field of the first record that has it; a date as dates are written everywhere.
fn field(grammar: &Grammar, records: &[Columns], name: &str) -> Option<String> {
    let layouts = grammar.layouts_under("AE", Direction::Input);
    let cell = |row: &Columns| -> Option<Cell> {
        let is_its = |layout: &&&Layout| layout.matches(row);
        layouts.iter().find(is_its)?.cell(name).ok()
    };
    let (row, cell) = records.iter().find_map(|row| Some((row, cell(row)?)))?;
    match cell.date_format() {
        Some(_) => cell.date(row).ok()?.map(|date| date.to_string()),
        None => Some(cell.text(row).to_owned()),
    }
}
