//! CJ/CL: the warnings that no one has overridden (Census warning query chapter, CWQ-4 to CWQ-9).

use jiff::civil::Date;

use crate::envelope::{Block, BlockAnswer};
use crate::grammar::{Cell, ConditionCode, Direction, Fault, Grammar, Layout, PutError};
use crate::host::capability::{Capability, Desk};
use crate::host::response::put;
use crate::host::{HostError, state};
use crate::message::Transaction;
use crate::rules::{BlockInfo, Context, RuleBook, RuleText};
use crate::store::{CensusWarning, EntryKey, WarningQuery};
use crate::wire::Columns;

const RULES: RuleText<'_> = RuleText {
    name: "grammars/rules/census_warning_query.rules",
    text: include_str!("../../../grammars/rules/census_warning_query.rules"),
};

/// No such summary, or one of another filer.
const NOT_FOUND: &str = "006";
/// A summary without a warning that is left.
const NONE_LEFT: &str = "007";
/// More than one block can hold.
const TOO_MANY: &str = "014";
/// No summary with a warning that is left.
const NO_SUMMARIES: &str = "016";
const SYSTEM_FAILURE: &str = "ZZZ";

/// How many warnings one criterion may find: as many as the count of a block can say.
const MOST: u32 = 99_999;

/// The port where a query names none.
const NO_PORT: &str = "0000";

/// Makes the host of application CJ.
pub(in crate::host) fn capability(grammar: &Grammar) -> Result<Box<dyn Capability + '_>, HostError> {
    let criteria = grammar.find("CJ", Direction::Input, "CJ1", "")?;
    let mut numbers = Vec::new();
    while let Ok(cell) = criteria.cell(&format!("entry_number_{}", numbers.len() + 1)) {
        numbers.push(cell);
    }
    let layout = grammar.find("CL", Direction::Output, "CJ2", "")?;
    Ok(Box::new(CensusQueryHost {
        grammar,
        rules: RuleBook::compile(grammar, &[RULES])?,
        port: criteria.cell("district_port_of_entry")?,
        from: criteria.cell("requested_from_date")?,
        to: criteria.cell("requested_to_date")?,
        filer: criteria.cell("entry_filer_code")?,
        numbers,
        result: ResultCells {
            layout,
            port: layout.cell("district_port_of_entry")?,
            accepted: layout.cell("ace_acceptance_date")?,
            filer: layout.cell("entry_filer_code")?,
            number: layout.cell("entry_number")?,
            line: layout.cell("entry_summary_line_item_identifier")?,
            hts: layout.cell("hts_number")?,
            warning: layout.cell("census_warning_code")?,
            condition: layout.cell("condition_code")?,
            narrative: layout.cell("narrative_text")?,
        },
    }))
}

#[derive(Debug)]
struct CensusQueryHost<'g> {
    grammar: &'g Grammar,
    rules: RuleBook,
    port: Cell,
    from: Cell,
    to: Cell,
    filer: Cell,
    numbers: Vec<Cell>,
    result: ResultCells<'g>,
}

#[derive(Debug)]
struct ResultCells<'g> {
    layout: &'g Layout,
    port: Cell,
    accepted: Cell,
    filer: Cell,
    number: Cell,
    line: Cell,
    hts: Cell,
    warning: Cell,
    condition: Cell,
    narrative: Cell,
}

/// What a result without a warning is about.
#[derive(Clone, Copy, Debug, Default)]
struct Subject<'a> {
    port: &'a str,
    accepted: Option<Date>,
    filer: &'a str,
    number: &'a str,
}

impl Capability for CensusQueryHost<'_> {
    fn answer_block(&self, block: &Block, desk: &mut Desk<'_>) -> Result<BlockAnswer, HostError> {
        let mut answer = BlockAnswer::default();
        for transaction in &block.transactions {
            self.answer(transaction, block, desk, &mut answer.records)?;
            answer.end_transaction();
        }
        Ok(answer)
    }

    fn structure_fault(&self, fault: &Fault, _record: Option<&Columns>) -> Result<Vec<Columns>, HostError> {
        Ok(vec![self.condition(Subject::default(), fault.condition())?])
    }

    fn system_failure(&self, block: &Block) -> Result<BlockAnswer, HostError> {
        let mut answer = BlockAnswer::default();
        for transaction in &block.transactions {
            answer.records.extend(self.coded(self.subject(&transaction.rows()[0]), SYSTEM_FAILURE)?);
            answer.end_transaction();
        }
        Ok(answer)
    }
}

impl CensusQueryHost<'_> {
    fn answer(
        &self,
        transaction: &Transaction,
        block: &Block,
        desk: &mut Desk<'_>,
        rows: &mut Vec<Columns>,
    ) -> Result<(), HostError> {
        let criteria = &transaction.rows()[0];
        let subject = self.subject(criteria);
        let context = Context {
            grammar: self.grammar,
            reference: desk.world,
            today: desk.now.date(),
            block: &BlockInfo::default(),
        };
        let wrong = self.rules.judge(transaction, &context);
        if !wrong.is_empty() {
            for raised in wrong {
                rows.push(self.condition(subject, raised.code)?);
            }
            return Ok(());
        }
        let numbers = self.numbers.iter().map(|cell| cell.text(criteria)).filter(|number| !number.is_empty());
        let mut of_summaries = false;
        for number in numbers {
            of_summaries = true;
            self.of_summary(Subject { number, ..subject }, block, desk, rows)?;
        }
        if of_summaries {
            return Ok(());
        }
        let day = |cell: Cell| cell.date(criteria).ok().flatten();
        let query = WarningQuery {
            filer: subject.filer,
            number: None,
            port: Some(subject.port).filter(|port| !port.is_empty()),
            accepted: day(self.from).zip(day(self.to)),
            most: MOST,
        };
        let found =
            if is_own(block, subject.filer) { desk.unit.census_warnings(&query)? } else { Vec::new() };
        match found.len() {
            0 => rows.extend(self.coded(subject, NO_SUMMARIES)?),
            several if several + rows.len() >= MOST as usize => rows.extend(self.coded(subject, TOO_MANY)?),
            _ => self.warnings(&found, rows)?,
        }
        Ok(())
    }

    /// The warnings of one summary, whatever else the query says.
    fn of_summary(
        &self,
        subject: Subject<'_>,
        block: &Block,
        desk: &mut Desk<'_>,
        rows: &mut Vec<Columns>,
    ) -> Result<(), HostError> {
        let key = EntryKey { filer: subject.filer.to_owned(), number: subject.number.to_owned() };
        let is_own = is_own(block, subject.filer);
        let on_file = if is_own { state::on_file(desk.unit, &key, desk.now)? } else { None };
        let Some(summary) = on_file else {
            rows.extend(self.coded(subject, NOT_FOUND)?);
            return Ok(());
        };
        let (filer, number) = (subject.filer, Some(subject.number));
        let query = WarningQuery { filer, number, most: MOST, ..WarningQuery::default() };
        let found = desk.unit.census_warnings(&query)?;
        if found.is_empty() {
            let accepted = summary.changed.to_zoned(desk.now.time_zone().clone()).date();
            let subject = Subject { port: &summary.port, accepted: Some(accepted), ..subject };
            rows.extend(self.coded(subject, NONE_LEFT)?);
        }
        Ok(self.warnings(&found, rows)?)
    }

    fn warnings(&self, found: &[CensusWarning], rows: &mut Vec<Columns>) -> Result<(), PutError> {
        for warning in found {
            let CensusWarning { entry, port, accepted, line, hts, code } = warning;
            let (filer, number) = (&entry.filer, &entry.number);
            let mut row = self.about(Subject { port, accepted: Some(*accepted), filer, number })?;
            put(self.result.line, &mut row, line.as_bytes());
            put(self.result.hts, &mut row, hts.as_bytes());
            put(self.result.warning, &mut row, code.as_bytes());
            rows.push(row);
        }
        Ok(())
    }

    fn subject<'a>(&self, criteria: &'a Columns) -> Subject<'a> {
        let (port, filer) = (self.port.text(criteria), self.filer.text(criteria));
        Subject { port, accepted: None, filer, number: "" }
    }

    fn about(&self, subject: Subject<'_>) -> Result<Columns, PutError> {
        let cells = &self.result;
        let mut row = cells.layout.blank();
        let port = if subject.port.is_empty() { NO_PORT } else { subject.port };
        put(cells.port, &mut row, port.as_bytes());
        if let Some(accepted) = subject.accepted {
            cells.accepted.put_date(&mut row, accepted)?;
        }
        put(cells.filer, &mut row, subject.filer.as_bytes());
        put(cells.number, &mut row, subject.number.as_bytes());
        Ok(row)
    }

    fn condition(&self, subject: Subject<'_>, code: ConditionCode) -> Result<Columns, PutError> {
        let mut row = self.about(subject)?;
        put(self.result.condition, &mut row, code.as_str().as_bytes());
        put(self.result.narrative, &mut row, super::narrative(self.grammar, "CJ", code).as_bytes());
        Ok(row)
    }

    /// A condition of the host's; none only if the code were no code.
    fn coded(&self, subject: Subject<'_>, code: &str) -> Result<Vec<Columns>, PutError> {
        ConditionCode::new(code).into_iter().map(|code| self.condition(subject, code)).collect()
    }
}

/// Whether a filer's data is for the block's filer to see.
fn is_own(block: &Block, filer: &str) -> bool {
    block.processing.filer == filer
}
