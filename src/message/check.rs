//! Checks a stream of batches, in either direction and of any size, record by record.
//!
//! Nothing is kept but where the stream is: a finding says the rest. What a host alone can decide
//! (who may send, what is on file) is not looked at here.

mod desk;
mod envelope;
mod report;

use std::sync::Arc;

use self::desk::{Desk, Desks};
use self::envelope::{CONTROL_RECORDS, Control, Family, Scope};
use super::finding::{Finding, Position};
use super::judge::judge;
use super::secrets::Secrets;
use crate::grammar::{
    Automaton, Bits, Cell, ConditionCode, Cursor, Direction, Fault, Grammar, Layout, LayoutId, Severity,
    Symbol,
};
use crate::wire::{Columns, Defect, Line, says_nothing};

pub(super) use self::report::{is_secret, words};

/// A checker of one stream.
#[derive(Debug)]
pub struct Checker<'g> {
    grammar: &'g Grammar,
    secrets: Secrets,
    position: Position,
    scope: Scope,
    desks: Desks<'g>,
    /// The application that the last control record named, and of which family control records are.
    named: Option<Arc<Desk<'g>>>,
    family: Family,
    /// The application in hand.
    seated: Option<Arc<Desk<'g>>>,
    /// Where control records name the application.
    application_cells: [Option<Cell>; 4],
    /// The layouts of the control records, by family.
    control_layouts: [[Vec<LayoutId>; 4]; 4],
    cursor: Cursor,
    /// After a fault of structure the records up to the next transaction are not judged by their order.
    lost: bool,
    records: u64,
}

impl<'g> Checker<'g> {
    /// A checker; findings name the source, if there is one.
    #[must_use]
    pub fn new(grammar: &'g Grammar, source: Option<&str>) -> Self {
        Self {
            grammar,
            secrets: Secrets::new(grammar),
            position: Position { source: source.map(Arc::from), ..Position::default() },
            scope: Scope::Stream,
            desks: Desks::new(grammar),
            named: None,
            family: Family::default(),
            seated: None,
            application_cells: CONTROL_RECORDS.map(|record| {
                let mut layouts = grammar.variants("*", Direction::Input, record);
                layouts.find_map(|layout| layout.cell("application_identifier_code").ok())
            }),
            control_layouts: Family::ALL
                .map(|family| CONTROL_RECORDS.map(|record| family.layouts(grammar, record))),
            cursor: Cursor::default(),
            lost: false,
            records: 0,
        }
    }

    /// Begins another stream. What is known of applications is kept, so this costs little.
    pub fn restart(&mut self) {
        self.position = Position { source: self.position.source.take(), ..Position::default() };
        self.scope = Scope::Stream;
        self.named = None;
        self.family = Family::default();
        self.seated = None;
        self.cursor.reset();
        self.lost = false;
        self.records = 0;
    }

    /// How many records have been checked.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How many batches have begun.
    #[must_use]
    pub fn batches(&self) -> u32 {
        self.position.batch
    }

    /// Checks the next record.
    #[inline]
    pub fn line(&mut self, line: &Line<'_>, report: &mut dyn FnMut(Finding)) {
        // Between batches a line that says nothing is nothing.
        if self.scope == Scope::Stream && says_nothing(line.columns) {
            return;
        }
        self.records += 1;
        self.position.record = line.number;
        self.position.record_in_batch += 1;
        if line.defect.is_some() {
            self.defect(line, report);
        }
        match Control::of(line.columns) {
            None => self.detail(line.columns, report),
            Some(control) => self.control(control, line.columns, report),
        }
    }

    /// Ends the stream.
    pub fn finish(&mut self, report: &mut dyn FnMut(Finding)) {
        if self.scope == Scope::Block {
            self.end_block(report);
            self.envelope_fault("X05", "Y", report);
        }
        if self.scope != Scope::Stream {
            self.envelope_fault("X06", "Z", report);
        }
        self.scope = Scope::Stream;
    }

    #[inline]
    fn detail(&mut self, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        let Some((identifier, automaton)) = self.seated.as_deref().and_then(Desk::records) else {
            return self.homeless(columns, report);
        };
        let Some((symbol, layout)) = identifier.identify(columns) else {
            return self.unknown(columns, report);
        };
        let layout = self.grammar.layout(layout);
        let order = if self.lost { self.resume(automaton, symbol) } else { self.step(automaton, symbol) };
        if let Err(fault) = order {
            self.structure_fault(layout, columns, &fault, report);
        }
        if !layout.accepts(columns) {
            self.fields(layout, columns, report);
        }
    }

    #[inline]
    fn step(&mut self, automaton: &Automaton, symbol: Symbol) -> Result<(), Fault> {
        self.cursor.advance(automaton, symbol)?;
        self.position.transaction += u32::from(self.cursor.begins());
        Ok(())
    }

    /// Finds the next transaction behind a fault.
    fn resume(&mut self, automaton: &Automaton, symbol: Symbol) -> Result<(), Fault> {
        let mut fresh = Cursor::default();
        if fresh.step(automaton, symbol).is_ok() {
            self.cursor = fresh;
            self.lost = false;
            self.position.transaction += 1;
        }
        Ok(())
    }

    #[cold]
    fn homeless(&mut self, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        match self.scope {
            Scope::Block if self.named.is_some() => self.fields_of_none(columns, report),
            Scope::Block => {}
            _ => self.envelope_fault("X03", "B", report),
        }
    }

    /// A record of an application whose records no grammar describes: its characters at least.
    fn fields_of_none(&mut self, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        let odd = Bits::of(columns).nonstandard();
        if odd != 0 {
            let column = odd.trailing_zeros() as usize + 1;
            let mut finding = self.finding(Severity::Fatal, ConditionCode::new("X40"), columns);
            finding.columns = Some((column, column));
            report(finding);
        }
    }

    #[cold]
    fn unknown(&mut self, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        let Some((identifier, automaton)) = self.seated.as_deref().and_then(Desk::records) else { return };
        let fault = self.cursor.unknown(automaton, identifier.shown(columns));
        let mut finding = self.finding(Severity::Fatal, Some(fault.condition()), columns);
        finding.found = self.identifier(columns, self.is_outside());
        finding.expected = join(automaton.records());
        self.lost = true;
        report(finding);
    }

    #[cold]
    fn structure_fault(
        &mut self,
        layout: &Layout,
        columns: &Columns,
        fault: &Fault,
        report: &mut dyn FnMut(Finding),
    ) {
        let mut finding = self.finding(Severity::Fatal, Some(fault.condition()), columns);
        finding.record_id.clone_from(&layout.record);
        finding.layout = Some(layout.id);
        finding.found.clone_from(&layout.record);
        finding.expected = fault.to_string();
        self.lost = true;
        report(finding);
    }

    #[cold]
    fn fields(&mut self, layout: &'g Layout, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        let mut troubles = Vec::new();
        judge(layout, columns, |trouble| troubles.push(trouble));
        for trouble in troubles {
            report(self.field_finding(layout, columns, &trouble));
        }
    }

    #[cold]
    fn defect(&mut self, line: &Line<'_>, report: &mut dyn FnMut(Finding)) {
        if let Some(defect) = line.defect {
            let (code, found, expected) = match defect {
                Defect::Short { found } => (ConditionCode::new("X42"), found, "80 columns"),
                Defect::Long { found } => (None, found, "at most 80 columns"),
            };
            let mut finding = self.finding(Severity::Fatal, code, line.columns);
            finding.found = format!("{found} columns");
            finding.expected = expected.to_owned();
            if code.is_none() {
                finding.message = "record is too long".to_owned();
            }
            report(finding);
        }
    }
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::from("one of");
    for word in words {
        text.push(' ');
        text.push_str(word);
    }
    text
}
