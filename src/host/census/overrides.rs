//! CW/CO: overrides of the warnings of summaries on file (Census warning override chapter, CWO-5 to CWO-9).

use crate::envelope::{Block, BlockAnswer};
use crate::grammar::{Cell, ConditionCode, Direction, Fault, Grammar, Layout, UnknownName};
use crate::host::capability::{Capability, Desk};
use crate::host::response::put;
use crate::host::{HostError, state};
use crate::message::Transaction;
use crate::store::{ControlState, EntryKey, EntrySummary, StoreError};
use crate::wire::Columns;

use super::WarningCells;

const ACCEPTED: &str = "C01";
const NO_SUMMARY: &str = "C02";
/// A number of another filer, whether a summary is on file under it or not.
const NOT_PERMITTED: &str = "C03";
const NOT_ACCEPTED: &str = "C04";
const NO_LINE: &str = "C05";
const WARNING_UNKNOWN: &str = "484";
const NOT_RAISED: &str = "485";
const OVERRIDE_UNKNOWN: &str = "486";
const NOT_ALLOWED: &str = "487";
const TWICE: &str = "488";
const SYSTEM_FAILURE: &str = "ZZZ";

const WARNINGS: &str = "census_warning";
const OVERRIDES: &str = "census_override";

/// Makes the host of application CW.
pub(in crate::host) fn capability(grammar: &Grammar) -> Result<Box<dyn Capability + '_>, HostError> {
    let (header, line) = (
        grammar.find("CW", Direction::Input, "CW01", "")?,
        grammar.find("CW", Direction::Input, "CW02", "")?,
    );
    let mut pairs = Vec::new();
    let item = |name: &str, item: usize| line.cell(&format!("{name}_{item}"));
    while let Ok(warning) = item("census_warning_condition_code", pairs.len() + 1) {
        pairs.push((warning, item("census_warning_condition_override_code", pairs.len() + 1)?));
    }
    Ok(Box::new(OverrideHost {
        grammar,
        filer: header.cell("entry_filer_code")?,
        number: header.cell("entry_number")?,
        line: line.cell("entry_summary_line_item_identifier")?,
        pairs,
        warnings: WarningCells::new(grammar)?,
        disposition: DispositionCells::new(grammar)?,
    }))
}

#[derive(Debug)]
struct OverrideHost<'g> {
    grammar: &'g Grammar,
    filer: Cell,
    number: Cell,
    line: Cell,
    /// Warning and override, side by side in a record.
    pairs: Vec<(Cell, Cell)>,
    warnings: WarningCells,
    disposition: DispositionCells<'g>,
}

#[derive(Debug)]
struct DispositionCells<'g> {
    layout: &'g Layout,
    filer: Cell,
    number: Cell,
    line: Cell,
    warning: Cell,
    reason: Cell,
    condition: Cell,
    narrative: Cell,
}

impl<'g> DispositionCells<'g> {
    fn new(grammar: &'g Grammar) -> Result<Self, UnknownName> {
        let layout = grammar.find("CO", Direction::Output, "CW03", "")?;
        Ok(Self {
            layout,
            filer: layout.cell("entry_filer_code")?,
            number: layout.cell("entry_number")?,
            line: layout.cell("entry_summary_line_item_identifier")?,
            warning: layout.cell("census_warning_code")?,
            reason: layout.cell("census_override_code")?,
            condition: layout.cell("condition_code")?,
            narrative: layout.cell("narrative_text")?,
        })
    }
}

/// One override of one warning of one line.
struct Override<'a> {
    line: &'a str,
    warning: &'a str,
    reason: &'a str,
}

impl Capability for OverrideHost<'_> {
    fn answer_block(&self, block: &Block, desk: &mut Desk<'_>) -> Result<BlockAnswer, HostError> {
        let mut answer = BlockAnswer::default();
        for transaction in &block.transactions {
            let key = self.key(transaction);
            let is_own = block.processing.filer == key.filer;
            let on_file = if is_own { state::on_file(desk.unit, &key, desk.now)? } else { None };
            let refusal = if is_own { refusal(on_file.as_ref()) } else { Some(NOT_PERMITTED) };
            let mut told = Vec::new();
            for one in self.overrides(transaction) {
                let code = match (&refusal, &on_file) {
                    (None, Some(summary)) => self.decide(&one, summary, &told, desk)?,
                    _ => refusal.unwrap_or(NO_SUMMARY),
                };
                told.push((one.line.to_owned(), one.warning.to_owned()));
                answer.records.extend(self.answer(&key, &one, code));
            }
            answer.end_transaction();
        }
        Ok(answer)
    }

    fn structure_fault(&self, fault: &Fault, _record: Option<&Columns>) -> Result<Vec<Columns>, HostError> {
        let nothing = Override { line: "", warning: "", reason: "" };
        Ok(vec![self.row(&EntryKey::default(), &nothing, fault.condition())])
    }

    fn system_failure(&self, block: &Block) -> Result<BlockAnswer, HostError> {
        let mut answer = BlockAnswer::default();
        for transaction in &block.transactions {
            let key = self.key(transaction);
            let failed =
                self.overrides(transaction).filter_map(|one| self.answer(&key, &one, SYSTEM_FAILURE));
            answer.records.extend(failed);
            answer.end_transaction();
        }
        Ok(answer)
    }
}

impl OverrideHost<'_> {
    fn key(&self, transaction: &Transaction) -> EntryKey {
        let row = &transaction.rows()[0];
        EntryKey { filer: self.filer.text(row).to_owned(), number: self.number.text(row).to_owned() }
    }

    /// The overrides of a summary, in the order in which they are answered. The first place of a record is
    /// one even if it is blank, so that each record is answered.
    fn overrides<'a>(&'a self, transaction: &'a Transaction) -> impl Iterator<Item = Override<'a>> {
        let lines = transaction.rows().iter().skip(1);
        lines.flat_map(|row| {
            let line = self.line.text(row);
            self.pairs.iter().enumerate().filter_map(move |(place, (warning, reason))| {
                let (warning, reason) = (warning.text(row), reason.text(row));
                let given = place == 0 || !warning.is_empty() || !reason.is_empty();
                given.then_some(Override { line, warning, reason })
            })
        })
    }

    /// What becomes of an override of a summary that may be overridden; `told` are those before it.
    fn decide(
        &self,
        one: &Override<'_>,
        summary: &EntrySummary,
        told: &[(String, String)],
        desk: &mut Desk<'_>,
    ) -> Result<&'static str, StoreError> {
        let on_list =
            |list: &str, code: &str| self.grammar.list(list).is_some_and(|list| list.contains(code));
        let allowed = self.grammar.list(WARNINGS).and_then(|list| list.value(one.warning, "overrides"));
        let mut lines = self.warnings.lines(self.grammar, &summary.records);
        Ok(if !lines.any(|line| line == one.line) {
            NO_LINE
        } else if !on_list(WARNINGS, one.warning) {
            WARNING_UNKNOWN
        } else if told.iter().any(|(line, warning)| line == one.line && warning == one.warning) {
            TWICE
        } else if !on_list(OVERRIDES, one.reason) {
            OVERRIDE_UNKNOWN
        } else if !allowed.is_some_and(|codes| codes.split(',').any(|code| code == one.reason)) {
            NOT_ALLOWED
        } else if desk.unit.override_census_warning(&summary.key, one.line, one.warning, one.reason)? {
            ACCEPTED
        } else {
            NOT_RAISED
        })
    }

    /// The answer to an override; none only if the code were no code.
    fn answer(&self, key: &EntryKey, one: &Override<'_>, code: &str) -> Option<Columns> {
        ConditionCode::new(code).map(|code| self.row(key, one, code))
    }

    fn row(&self, key: &EntryKey, one: &Override<'_>, code: ConditionCode) -> Columns {
        let cells = &self.disposition;
        let mut row = cells.layout.blank();
        let values = [
            (cells.filer, key.filer.as_str()),
            (cells.number, &key.number),
            (cells.line, one.line),
            (cells.warning, one.warning),
            (cells.reason, one.reason),
            (cells.condition, code.as_str()),
            (cells.narrative, super::narrative(self.grammar, "CW", code)),
        ];
        values.iter().for_each(|(cell, value)| put(*cell, &mut row, value.as_bytes()));
        row
    }
}

/// Why no warning of the filer's own summary can be overridden.
fn refusal(on_file: Option<&EntrySummary>) -> Option<&'static str> {
    match on_file {
        None => Some(NO_SUMMARY),
        Some(summary) if matches!(summary.state, ControlState::Rejected | ControlState::Cancelled) => {
            Some(NOT_ACCEPTED)
        }
        Some(_) => None,
    }
}
