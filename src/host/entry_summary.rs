//! Entry summaries: added, replaced, deleted, corrected (entry summary chapter, ESF-132, ESF-183,
//! ESF-210).

use jiff::Zoned;

use super::act::{addressee, step};
use super::batch::name_of;
use super::capability::{Capability, Desk, Explained, Foresight};
use super::census::WarningCells;
use super::filing::{Action, Filing, FilingCells};
use super::life::{Illegal, event};
use super::notification::Notice;
use super::response::{Header, ResponseWriter, Verdict};
use super::state::{Asked, ComparedData, FileView, FilerLists, Sources, Whose, settle};
use super::{HostError, Life, World};
use crate::envelope::{Block, BlockAnswer};
use crate::grammar::{ConditionCode, Direction, Fault, Grammar, Severity, UnknownName};
use crate::message::Transaction;
use crate::rules::{BlockInfo, Context, Place, Raised, Reasoned, RuleBook};
use crate::store::{
    CensusWarning, ControlState, EntrySummary, MailState, StoreError, SupersededVersion, Version,
};
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
    header_data: ComparedData,
    filer_lists: FilerLists,
    response: ResponseWriter<'g>,
    life: Life<'g>,
    warnings: WarningCells,
}

impl Capability for EntrySummaryHost<'_> {
    fn answer_block(&self, block: &Block, desk: &mut Desk<'_>) -> Result<BlockAnswer, HostError> {
        let info = block_info(block);
        let mut answer = BlockAnswer::default();
        let foreseen = std::mem::take(&mut desk.foreseen).into_iter().map(Some);
        let foreseen = foreseen.chain(std::iter::repeat_with(|| None));
        let numbers = block.answered + 1..;
        for ((number, transaction), foreseen) in numbers.zip(&block.transactions).zip(foreseen) {
            let header = self.header(transaction, number);
            let verdict = self.answer_transaction((transaction, foreseen), (block, &info), desk)?;
            if let Some(explained) = &mut desk.explained {
                let unnumbered = explained.iter_mut().filter(|one| one.transaction == 0);
                unnumbered.for_each(|one| one.transaction = number);
            }
            self.response.transaction(&mut answer.records, transaction, &header, &verdict)?;
            answer.end_transaction();
        }
        Ok(answer)
    }

    fn foresee(&self, block: &Block, world: &World, now: &Zoned) -> Foresight {
        let info = block_info(block);
        let conditions = |transaction: &Transaction| {
            let filing = self.cells.read(transaction);
            let asked = Asked { filing: &filing, filer: &info.filer };
            let view = FileView::unseen(self.sources(world), asked, now);
            let context =
                Context { grammar: self.grammar, reference: &view, today: now.date(), block: &info };
            self.rules.judge(transaction, &context)
        };
        block.transactions.iter().map(conditions).collect()
    }

    /// The condition, where it stands, and the refusal of the batch (ESF-207).
    fn structure_fault(&self, fault: &Fault, record: Option<&Columns>) -> Result<Vec<Columns>, HostError> {
        Ok(self.response.structure_fault(fault, record)?)
    }

    /// ESF-211.
    fn system_failure(&self, block: &Block) -> Result<BlockAnswer, HostError> {
        let mut answer = BlockAnswer::default();
        for (number, transaction) in (block.answered + 1..).zip(&block.transactions) {
            let header = self.header(transaction, number);
            self.response.system_failure(&mut answer.records, transaction, &header)?;
            answer.end_transaction();
        }
        Ok(answer)
    }
}

impl<'g> EntrySummaryHost<'g> {
    fn new(grammar: &'g Grammar, rules: RuleBook) -> Result<Self, UnknownName> {
        let (_, automaton) = grammar
            .structure("AE", Direction::Input)
            .ok_or_else(|| UnknownName("no structure AE".to_owned()))?;
        let cells = FilingCells::new(grammar, automaton)?;
        let header_data = ComparedData::new(grammar)?;
        let warnings = WarningCells::new(grammar)?;
        let (response, life) = (ResponseWriter::new(grammar)?, Life::new(grammar)?);
        let filer_lists = FilerLists::new(grammar);
        Ok(Self { grammar, rules, cells, header_data, filer_lists, response, life, warnings })
    }

    fn sources<'a>(&'a self, world: &'a World) -> Sources<'a> {
        Sources { grammar: self.grammar, world, filer_lists: &self.filer_lists }
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
        (transaction, foreseen): (&Transaction, Option<Vec<Raised>>),
        (block, info): (&Block, &BlockInfo),
        desk: &mut Desk<'_>,
    ) -> Result<Verdict, HostError> {
        let now = desk.now;
        let filing = self.cells.read(transaction);
        let asked = Asked { filing: &filing, filer: &info.filer };
        let (on_file, is_closed) = match settle(asked, desk.unit, now)? {
            Whose::Open(summary) => (Some(*summary), false),
            Whose::Nobodys => (None, false),
            Whose::Anothers => (None, true),
        };
        let cells = (&self.header_data, &self.life.statements);
        let sources = self.sources(desk.world);
        let view = FileView::read(sources, (asked, transaction), on_file.as_ref(), cells, desk.unit, now)?;
        let context = Context { grammar: self.grammar, reference: &view, today: now.date(), block: info };
        let mut conditions = match foreseen {
            Some(foreseen) if view.is_unseen() => foreseen,
            _ => self.rules.judge(transaction, &context),
        };
        if on_file.as_ref().is_some_and(|summary| summary.state == ControlState::Rejected) {
            // It has been paid, so payment must not be reported again, whatever the rest of it says.
            conditions.retain(|raised| raised.code.as_str() != PAYMENT_MISSING);
        }
        let is_refused =
            |conditions: &[Raised]| conditions.iter().any(|raised| raised.severity == Severity::Fatal);
        let event = filing.action.map(|action| event_of(action, &filing));
        let before = on_file.as_ref().map(|summary| summary.state);
        if let Some(Err(Illegal(code))) = event.map(|event| self.life.transitions.find(event, before))
            && !is_refused(&conditions)
        {
            conditions.extend(self.forbidden(&code, transaction));
        }
        let mismatch = conditions.iter().any(|raised| raised.code.as_str() == REFERENCE_MISMATCH);
        let shown_reference =
            on_file.as_ref().filter(|_| mismatch).map(|summary| summary.broker_reference.clone());
        if let Some(explained) = &mut desk.explained {
            explained.extend(explain(&self.rules, transaction, &context, &conditions));
        }
        let mut verdict = match event {
            // Without an action there is nothing to do; the rules have refused it.
            // The rules have refused what names another filer's summary; nothing of that is ever touched.
            Some(event) if !is_refused(&conditions) && !is_closed => {
                let warnings = self.warnings.of(transaction, &conditions, &filing, now);
                self.accept(event, filing, on_file, (transaction, &warnings), block, desk)?
            }
            _ => {
                self.refuse(&filing, on_file, info, desk)?;
                Verdict::rejected()
            }
        };
        verdict.conditions = conditions;
        verdict.shown_reference = shown_reference;
        Ok(verdict)
    }

    /// The condition by which the table of transitions forbids a filing.
    fn forbidden(&self, code: &str, transaction: &Transaction) -> Option<Raised> {
        let code = ConditionCode::new(code)?;
        let severity = self.grammar.conditions().get("AE", code).map(|condition| condition.severity);
        let record = self.cells.header_record(transaction);
        let place = Place { signpost: "SUMMRY".to_owned(), occurrence: 0, record, item: 0 };
        let severity = severity.unwrap_or(Severity::Fatal);
        Some(Raised { code, severity, record, places: vec![place], cell: None })
    }

    /// Does what an accepted filing asks for.
    fn accept(
        &self,
        event: &'static str,
        filing: Filing,
        on_file: Option<EntrySummary>,
        (transaction, warnings): (&Transaction, &[CensusWarning]),
        block: &Block,
        desk: &mut Desk<'_>,
    ) -> Result<Verdict, HostError> {
        let before = on_file.as_ref().map(|summary| summary.state);
        let Ok(transition) = self.life.transitions.find(event, before) else {
            return Ok(Verdict::rejected());
        };
        let by = name_of(desk.sender);
        let states = (before, transition.next);
        if event == event::DELETE {
            desk.unit.remove_entry_summary(&filing.key)?;
            if let Some(summary) = on_file {
                step(desk.unit, &summary, event, states, &by, "", desk.now)?;
            }
            return Ok(Verdict::deleted());
        }
        if let Some(summary) = on_file.as_ref().filter(|_| !transition.disposition.is_empty()) {
            self.tell_former_owner(&transition.disposition, summary, block, desk)?;
        }
        // CBP works on what it has had in hand: interest and a correction taken back go by what that was.
        if let Some(summary) = on_file.as_ref().filter(|summary| summary.standing.was_controlled) {
            let superseded = SupersededVersion {
                version: summary.version,
                superseded: desk.now.timestamp(),
                by: by.clone(),
                records: summary.records.clone(),
            };
            desk.unit.ledger()?.put_version(&summary.key, &superseded)?;
        }
        let releases = filing.releases.clone();
        let is_new = on_file.is_none();
        // What was paid keeps its releases: a correction cannot name them (ESF-177, ESF-184).
        let keeps_releases = filing.is_correction || before == Some(ControlState::Rejected);
        let mut summary = established(filing, on_file, transaction, desk.now);
        summary.standing.owner = Some(block.processing.clone());
        summary.standing.recipient = Some(desk.sender.clone());
        self.life.transitions.apply(event, transition, &mut summary, desk.now.date());
        desk.unit.put_entry_summary(&summary)?;
        if !keeps_releases {
            desk.unit.consolidate(&summary.key, &releases)?;
        }
        if let Some(warehouse) = summary.warehouse.as_ref().filter(|_| summary.final_withdrawal) {
            desk.unit.finalize(warehouse, &summary.key)?;
        }
        if !is_new || !warnings.is_empty() {
            desk.unit.put_census_warnings(&summary.key, warnings)?;
        }
        step(desk.unit, &summary, event, states, &by, "", desk.now)?;
        Ok(if is_new { Verdict::added(summary.version) } else { Verdict::replaced(summary.version) })
    }

    /// Tells the filer who presented a summary last that it is another's now, if it is (ESF-187).
    fn tell_former_owner(
        &self,
        disposition: &str,
        summary: &EntrySummary,
        block: &Block,
        desk: &mut Desk<'_>,
    ) -> Result<(), HostError> {
        let Some((owner, recipient)) = addressee(desk.world, summary) else {
            tracing::warn!(entry = %summary.key, "no sender transmits for the filer who loses the summary");
            return Ok(());
        };
        if owner.filer != block.processing.filer {
            let notice = Notice { disposition, ..Notice::default() };
            let to = (&owner, &recipient);
            self.life.post(&notice, summary, to, MailState::Waiting, desk.unit, desk.now)?;
        }
        Ok(())
    }

    /// A refused correction takes the summary it was to correct with it, as long as the filer alone
    /// has controlled that one: an implicit delete. What CBP has had in hand stays (ESF-210). So does a
    /// summary whose number is another filer's: correcting it is all that this filer may do.
    fn refuse(
        &self,
        filing: &Filing,
        on_file: Option<EntrySummary>,
        block: &BlockInfo,
        desk: &mut Desk<'_>,
    ) -> Result<(), StoreError> {
        let corrects = matches!(filing.action, Some(Action::Add | Action::Replace));
        let is_own = block.filer == filing.key.filer;
        let Some(summary) = on_file.filter(|summary| !summary.standing.was_controlled) else { return Ok(()) };
        let before = Some(summary.state);
        let deletes =
            self.life.transitions.find(event::REFUSE, before).is_ok_and(|found| found.next.is_none());
        if corrects && is_own && deletes {
            desk.unit.remove_entry_summary(&filing.key)?;
            step(desk.unit, &summary, event::REFUSE, (before, None), &name_of(desk.sender), "", desk.now)?;
        }
        Ok(())
    }
}

/// Why a transaction is answered with these conditions. What no rule says has no reason.
fn explain(
    rules: &RuleBook,
    transaction: &Transaction,
    context: &Context<'_>,
    conditions: &[Raised],
) -> Vec<Explained> {
    let mut reasons = rules.explain(transaction, context);
    let reasoned = conditions.iter().map(|raised| {
        let known = reasons.iter().position(|reason| reason.raised == *raised);
        known.map_or_else(|| Reasoned::without_reason(raised.clone()), |known| reasons.swap_remove(known))
    });
    let explained = reasoned.filter_map(|reasoned| {
        let layout = transaction.nodes().get(reasoned.record as usize)?.layout;
        let record = u32::try_from(transaction.first_record()).ok()?.checked_add(reasoned.record)?;
        Some(Explained { record, transaction: 0, layout, reasoned })
    });
    explained.collect()
}

/// What a filing is in the table of transitions.
fn event_of(action: Action, filing: &Filing) -> &'static str {
    match action {
        Action::Delete => event::DELETE,
        Action::Add | Action::Replace if filing.is_correction => event::CORRECT,
        Action::Add | Action::Replace => event::FILE,
    }
}

/// The summary as it stands on file once the filing is accepted.
fn established(
    filing: Filing,
    on_file: Option<EntrySummary>,
    transaction: &Transaction,
    now: &Zoned,
) -> EntrySummary {
    let before = on_file.as_ref();
    EntrySummary {
        // The transition sets both; until then they are what they were.
        state: before.map(|summary| summary.state).unwrap_or_default(),
        version: before.map_or(Version::FIRST, |summary| summary.version),
        corrected: filing.is_correction || before.is_some_and(|summary| summary.corrected),
        // Reconciliation is flagged once; a correction cannot speak of it (ESF-184).
        reconciled: filing.is_reconciled
            || before
                .is_some_and(|summary| summary.reconciled && summary.state != ControlState::TradeControl),
        liquidation_date: before.and_then(|summary| summary.liquidation_date),
        marks: before.map(|summary| summary.marks.clone()).unwrap_or_default(),
        standing: before.map_or_else(Default::default, |summary| summary.standing.clone()),
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

/// What rules may ask of a block.
pub(super) fn block_info(block: &Block) -> BlockInfo {
    let preparer = block.preparer.clone().unwrap_or_default();
    BlockInfo {
        port: block.processing.port.clone(),
        filer: block.processing.filer.clone(),
        preparer_port: preparer.port,
        preparer_filer: preparer.filer,
        preparer_indicator: block.preparer_indicator.clone(),
    }
}
