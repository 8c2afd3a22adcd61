//! Entry summaries: added, replaced, deleted, corrected (entry summary chapter, ESF-132, ESF-183,
//! ESF-210).

use jiff::Zoned;

use super::capability::{Capability, Desk};
use super::census::WarningCells;
use super::filing::{Action, Filing, FilingCells};
use super::response::{Header, ResponseWriter, Verdict};
use super::state::{self, StateRules};
use super::{HostError, World};
use crate::envelope::Block;
use crate::grammar::{Direction, Fault, Grammar, Severity, UnknownName};
use crate::message::Transaction;
use crate::rules::{BlockInfo, Context, Raised, RuleBook};
use crate::store::{CensusWarning, ControlState, EntryKey, EntrySummary, StoreError, Unit, Version};
use crate::wire::Columns;

/// No payment type, which a summary that is not yet paid must have.
const PAYMENT_MISSING: &str = "263";
/// A re-added summary whose broker reference is not the one on file.
const REFERENCE_MISMATCH: &str = "B35";

/// Makes the host of application AE.
pub(super) fn capability(grammar: &Grammar) -> Result<Box<dyn Capability + '_>, HostError> {
    Ok(Box::new(EntrySummaryHost::new(grammar, RuleBook::builtin(grammar)?)?))
}

/// The host of application AE.
#[derive(Debug)]
struct EntrySummaryHost<'g> {
    grammar: &'g Grammar,
    rules: RuleBook,
    cells: FilingCells,
    response: ResponseWriter<'g>,
    warnings: WarningCells,
}

impl Capability for EntrySummaryHost<'_> {
    fn answer_block(&self, block: &Block, desk: &mut Desk<'_>) -> Result<Vec<Columns>, HostError> {
        let info = block_info(block);
        let mut rows = Vec::new();
        for (number, transaction) in (1..).zip(&block.transactions) {
            let header = self.header(transaction, number);
            let verdict = self.answer_transaction(transaction, &info, desk.world, desk.unit, desk.now)?;
            self.response.transaction(&mut rows, transaction, &header, &verdict)?;
        }
        Ok(rows)
    }

    /// The condition, where it stands, and the refusal of the batch (ESF-207).
    fn structure_fault(&self, fault: &Fault, record: Option<&Columns>) -> Result<Vec<Columns>, HostError> {
        Ok(self.response.structure_fault(fault, record)?)
    }

    /// ESF-211.
    fn system_failure(&self, block: &Block) -> Result<Vec<Columns>, HostError> {
        let mut rows = Vec::new();
        for (number, transaction) in (1..).zip(&block.transactions) {
            self.response.system_failure(&mut rows, transaction, &self.header(transaction, number))?;
        }
        Ok(rows)
    }
}

impl<'g> EntrySummaryHost<'g> {
    fn new(grammar: &'g Grammar, rules: RuleBook) -> Result<Self, UnknownName> {
        let (_, automaton) = grammar
            .structure("AE", Direction::Input)
            .ok_or_else(|| UnknownName("no structure AE".to_owned()))?;
        let cells = FilingCells::new(grammar, automaton)?;
        let warnings = WarningCells::new(grammar)?;
        Ok(Self { response: ResponseWriter::new(grammar)?, grammar, rules, cells, warnings })
    }

    fn header(&self, transaction: &Transaction, number: u32) -> Header {
        let filing = self.cells.read(transaction);
        Header {
            record: self.cells.header_record(transaction),
            number,
            filer: filing.key.filer,
            entry_number: filing.key.number,
            broker_reference: filing.broker_reference,
        }
    }

    fn answer_transaction(
        &self,
        transaction: &Transaction,
        block: &BlockInfo,
        world: &World,
        unit: &mut dyn Unit,
        now: &Zoned,
    ) -> Result<Verdict, HostError> {
        let filing = self.cells.read(transaction);
        let on_file = state::on_file(unit, &filing.key, now)?;
        let context = Context { grammar: self.grammar, reference: world, today: now.date(), block };
        let mut conditions = self.rules.judge(transaction, &context);
        if on_file.as_ref().is_some_and(|summary| summary.state == ControlState::Rejected) {
            // It has been paid, so payment must not be reported again; the rules do not see the file.
            conditions.retain(|raised| raised.code.as_str() != PAYMENT_MISSING);
        }
        let state = StateRules {
            conditions: self.grammar.conditions(),
            world,
            filing: &filing,
            header: self.cells.header_record(transaction),
            now,
        };
        for raised in state.judge(on_file.as_ref(), unit)? {
            let is_same = |known: &Raised| known.code == raised.code && known.places == raised.places;
            if !conditions.iter().any(is_same) {
                conditions.push(raised);
            }
        }
        let mismatch = conditions.iter().any(|raised| raised.code.as_str() == REFERENCE_MISMATCH);
        let shown_reference =
            on_file.as_ref().filter(|_| mismatch).map(|summary| summary.broker_reference.clone());
        let mut verdict = match filing.action {
            // Without an action there is nothing to do; the rules have refused it.
            Some(action) if conditions.iter().all(|raised| raised.severity != Severity::Fatal) => {
                let warnings = self.warnings.of(transaction, &conditions, &filing, now);
                accept(action, filing, on_file, transaction, &warnings, unit, now)?
            }
            _ => {
                refuse(&filing, on_file.as_ref(), block, unit)?;
                Verdict::rejected()
            }
        };
        verdict.conditions = conditions;
        verdict.shown_reference = shown_reference;
        Ok(verdict)
    }
}

/// Does what an accepted filing asks for.
fn accept(
    action: Action,
    filing: Filing,
    on_file: Option<EntrySummary>,
    transaction: &Transaction,
    warnings: &[CensusWarning],
    unit: &mut dyn Unit,
    now: &Zoned,
) -> Result<Verdict, StoreError> {
    if action == Action::Delete {
        unit.remove_entry_summary(&filing.key)?;
        return Ok(Verdict::deleted());
    }
    let releases = filing.releases.iter().map(|release| release.key.clone()).collect::<Vec<EntryKey>>();
    let is_new = on_file.is_none();
    let summary = established(filing, on_file, transaction, now);
    unit.put_entry_summary(&summary)?;
    unit.consolidate(&summary.key, &releases)?;
    if !is_new || !warnings.is_empty() {
        unit.put_census_warnings(&summary.key, warnings)?;
    }
    Ok(if is_new { Verdict::added(summary.version) } else { Verdict::replaced(summary.version) })
}

/// A refused correction takes the summary it was to correct with it, as long as the filer alone
/// controls that one: an implicit delete. What CBP has in hand stays (ESF-210). So does a summary of
/// another filer, of which the sender cannot dispose.
fn refuse(
    filing: &Filing,
    on_file: Option<&EntrySummary>,
    block: &BlockInfo,
    unit: &mut dyn Unit,
) -> Result<(), StoreError> {
    let corrects = matches!(filing.action, Some(Action::Add | Action::Replace));
    let is_own = [&block.filer, &block.preparer_filer].contains(&&filing.key.filer);
    let is_in_trade_control = on_file.is_some_and(|summary| summary.state == ControlState::TradeControl);
    if corrects && is_own && is_in_trade_control {
        unit.remove_entry_summary(&filing.key)?;
    }
    Ok(())
}

/// The summary as it stands on file once the filing is accepted.
fn established(
    filing: Filing,
    on_file: Option<EntrySummary>,
    transaction: &Transaction,
    now: &Zoned,
) -> EntrySummary {
    let before = on_file.as_ref();
    let is_rejected = before.is_some_and(|summary| summary.state == ControlState::Rejected);
    let version = before.map_or(Version::FIRST, |summary| summary.version);
    EntrySummary {
        // What CBP rejected has been paid, so its replacement is back in CBP's hands.
        state: match before.map(|summary| summary.state) {
            Some(ControlState::Rejected) => ControlState::Paid,
            Some(state) => state,
            None => ControlState::TradeControl,
        },
        version: if is_rejected { version.after_rejection() } else { version },
        corrected: filing.is_correction || before.is_some_and(|summary| summary.corrected),
        // Reconciliation is flagged once; a correction cannot speak of it (ESF-184).
        reconciled: filing.is_reconciled,
        liquidation_date: before.and_then(|summary| summary.liquidation_date),
        added: before.map_or(now.timestamp(), |summary| summary.added),
        changed: now.timestamp(),
        records: transaction.rows().to_vec(),
        final_withdrawal: filing.warehouse.as_ref().is_some_and(|warehouse| warehouse.is_final),
        warehouse: filing.warehouse.map(|warehouse| warehouse.key),
        key: filing.key,
        port: filing.port,
        entry_type: filing.entry_type,
        importer: filing.importer,
        broker_reference: filing.broker_reference,
        entry_date: filing.entry_date,
        import_date: filing.import_date,
    }
}

fn block_info(block: &Block) -> BlockInfo {
    let preparer = block.preparer.clone().unwrap_or_default();
    BlockInfo {
        port: block.processing.port.clone(),
        filer: block.processing.filer.clone(),
        preparer_port: preparer.port,
        preparer_filer: preparer.filer,
        preparer_indicator: block.preparer_indicator.clone(),
    }
}
