//! Checks a stream of batches, in either direction and of any size, record by record.
//!
//! Nothing is kept but where the stream is: a finding says the rest. What a host alone can decide
//! (who may send, what is on file) is not looked at here.

use std::collections::HashMap;
use std::sync::Arc;

use super::finding::{Finding, Position};
use super::identify::Identifier;
use super::judge::{FieldTrouble, Trouble, judge};
use crate::grammar::{
    Automaton, Bits, ConditionCode, Cursor, Direction, Fault, Grammar, Layout, Severity, Values,
};
use crate::wire::{Columns, Defect, Line};

/// The application's records and their order.
#[derive(Debug)]
struct Desk<'g> {
    identifier: Identifier<'g>,
    automaton: &'g Automaton,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scope {
    /// Between batches.
    Stream,
    /// Behind an A-record or a Y-record.
    Batch,
    /// Behind a B-record.
    Block,
}

/// A checker of one stream.
#[derive(Debug)]
pub struct Checker<'g> {
    grammar: &'g Grammar,
    position: Position,
    scope: Scope,
    desks: HashMap<String, Option<Desk<'g>>>,
    /// The application of the block, if it is one whose records are known.
    desk: Option<String>,
    current: Option<Desk<'g>>,
    e_manifest: bool,
    cursor: Cursor,
    /// After a fault of structure the records up to the next transaction are not judged by their order.
    lost: bool,
    records: u64,
}

/// The control records' identifiers stand in one column each; everything else about them is grammar.
const CONTROL: &[u8; 4] = b"ABYZ";

impl<'g> Checker<'g> {
    /// A checker; findings name the source, if there is one.
    #[must_use]
    pub fn new(grammar: &'g Grammar, source: Option<&str>) -> Self {
        Self {
            grammar,
            position: Position { source: source.map(Arc::from), ..Position::default() },
            scope: Scope::Stream,
            desks: HashMap::new(),
            desk: None,
            current: None,
            e_manifest: false,
            cursor: Cursor::default(),
            lost: false,
            records: 0,
        }
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
        self.records += 1;
        self.position.record = line.number;
        self.position.record_in_batch += 1;
        if line.defect.is_some() || CONTROL.contains(&line.columns[0].to_ascii_uppercase()) {
            self.control_or_defect(line, report);
        } else {
            self.detail(line.columns, report);
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
        let Some(desk) = &self.current else {
            return self.homeless(columns, report);
        };
        let Some((symbol, layout)) = desk.identifier.identify(columns) else {
            return self.unknown(columns, report);
        };
        let layout = self.grammar.layout(layout);
        let order = if self.lost { self.resume(symbol) } else { self.step(symbol) };
        if let Err(fault) = order {
            self.structure_fault(layout, columns, &fault, report);
        }
        if !layout.accepts(columns, &Bits::of(columns)) {
            self.fields(layout, columns, report);
        }
    }

    #[inline]
    fn step(&mut self, symbol: crate::grammar::Symbol) -> Result<(), Fault> {
        let Some(desk) = &self.current else { return Ok(()) };
        let begins = self.cursor.is_at_start();
        let transition = self.cursor.step(desk.automaton, symbol)?;
        if begins || transition.again && self.cursor.depth() == 1 + transition.enter.len() {
            self.position.transaction += 1;
        }
        Ok(())
    }

    /// Finds the next transaction behind a fault.
    fn resume(&mut self, symbol: crate::grammar::Symbol) -> Result<(), Fault> {
        let Some(desk) = &self.current else { return Ok(()) };
        let mut fresh = Cursor::default();
        if fresh.step(desk.automaton, symbol).is_ok() {
            self.cursor = fresh;
            self.lost = false;
            self.position.transaction += 1;
        }
        Ok(())
    }

    #[cold]
    fn homeless(&mut self, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        match self.scope {
            Scope::Block if self.desk.is_some() => self.fields_of_none(columns, report),
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
        let Some(desk) = &self.current else { return };
        let fault = self.cursor.unknown(desk.automaton, desk.identifier.shown(columns));
        let mut finding = self.finding(Severity::Fatal, Some(fault.condition()), columns);
        finding.found = shown(&columns[..4]);
        finding.expected =
            self.current.as_ref().map(|desk| join(desk.automaton.records())).unwrap_or_default();
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

    fn field_finding(&self, layout: &Layout, columns: &Columns, trouble: &FieldTrouble<'_>) -> Finding {
        let field = trouble.field;
        let own = &field.conditions;
        let (severity, code) = match trouble.trouble {
            Trouble::Nonstandard => (Severity::Fatal, ConditionCode::new("X40")),
            Trouble::FilledFiller => (Severity::Fatal, ConditionCode::new("X39")),
            Trouble::LowerCase => (Severity::Informational, None),
            Trouble::Missing => (Severity::Fatal, own.missing),
            Trouble::WrongClass | Trouble::NotADate => (Severity::Fatal, own.invalid.or(own.unknown)),
            Trouble::Unknown => (Severity::Fatal, own.unknown.or(own.invalid)),
        };
        let mut finding = self.finding(severity, code, columns);
        finding.record_id.clone_from(&layout.record);
        finding.field = Some(field.name.clone());
        finding.columns = Some((trouble.first, trouble.last));
        if !is_secret(&field.name) {
            finding.found = shown(&columns[trouble.first - 1..trouble.last]);
        }
        finding.expected = self.expected(trouble);
        finding.help =
            (trouble.trouble == Trouble::Unknown).then(|| self.nearest(trouble, columns)).flatten();
        if code.is_none() {
            finding.message = words(trouble.trouble).to_owned();
        }
        finding
    }

    fn expected(&self, trouble: &FieldTrouble<'_>) -> String {
        let field = trouble.field;
        match trouble.trouble {
            Trouble::Nonstandard => "a character of a standard keyboard".to_owned(),
            Trouble::FilledFiller => "spaces".to_owned(),
            Trouble::LowerCase => "upper case".to_owned(),
            Trouble::NotADate => {
                format!("a calendar date {}", field.cell.date_format().unwrap_or_default().name())
            }
            Trouble::Missing | Trouble::WrongClass => {
                format!("class {}, {}", field.cell.class(), field.element)
            }
            Trouble::Unknown => {
                let values = std::iter::once(&field.values).chain(&field.also);
                values.map(Values::in_table).collect::<Vec<_>>().join(" or ")
            }
        }
    }

    /// The valid code that is most like what was found.
    fn nearest(&self, trouble: &FieldTrouble<'_>, columns: &Columns) -> Option<String> {
        let found = trouble.field.cell.text(columns).to_ascii_uppercase();
        let mut codes = Vec::new();
        for values in std::iter::once(&trouble.field.values).chain(&trouble.field.also) {
            match values {
                Values::Any => {}
                Values::Constant(text) => codes.push((text.as_str(), None)),
                Values::OneOf(texts) => codes.extend(texts.iter().map(|text| (text.as_str(), None))),
                Values::List(name) => {
                    let list = self.grammar.list(name)?;
                    codes.extend(list.codes().map(|code| (code, list.meaning(code))));
                }
            }
        }
        let (code, meaning) =
            codes.into_iter().min_by_key(|(code, _)| distance(code.as_bytes(), found.as_bytes()))?;
        Some(match meaning {
            Some(meaning) => format!("nearest is {code:?}, {meaning}"),
            None => format!("nearest is {code:?}"),
        })
    }

    #[cold]
    fn control_or_defect(&mut self, line: &Line<'_>, report: &mut dyn FnMut(Finding)) {
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
        match line.columns[0].to_ascii_uppercase() {
            b'A' => self.batch_header(line.columns, report),
            b'B' => self.block_header(line.columns, report),
            b'Y' => self.block_trailer(line.columns, report),
            b'Z' => self.batch_trailer(line.columns, report),
            _ => self.detail(line.columns, report),
        }
    }

    fn batch_header(&mut self, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        if self.scope != Scope::Stream {
            self.finish(report);
        }
        self.scope = Scope::Batch;
        self.position.batch += 1;
        self.position.block = 0;
        self.position.transaction = 0;
        self.position.record_in_batch = 1;
        let application = self.application_in("A", columns);
        self.e_manifest = application
            .as_deref()
            .and_then(|code| self.grammar.application(code))
            .is_none_or(|application| application.e_manifest);
        self.desk = application;
        self.control_fields("A", columns, report);
    }

    fn block_header(&mut self, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        match self.scope {
            Scope::Stream => self.envelope_fault("X01", "A", report),
            Scope::Block => {
                self.end_block(report);
                self.envelope_fault("X05", "Y", report);
            }
            Scope::Batch => {}
        }
        self.scope = Scope::Block;
        self.position.block += 1;
        self.position.transaction = 0;
        if let Some(application) = self.application_in("B", columns) {
            self.sit_down(&application);
        }
        self.control_fields("B", columns, report);
    }

    fn block_trailer(&mut self, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        if self.scope == Scope::Block {
            self.end_block(report);
        } else {
            self.envelope_fault("X03", "B", report);
        }
        self.scope = Scope::Batch;
        self.control_fields("Y", columns, report);
    }

    fn batch_trailer(&mut self, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        match self.scope {
            Scope::Stream => self.envelope_fault("X01", "A", report),
            Scope::Block => {
                self.end_block(report);
                self.envelope_fault("X05", "Y", report);
            }
            Scope::Batch if self.position.block == 0 => self.envelope_fault("X03", "B", report),
            Scope::Batch => {}
        }
        self.scope = Scope::Stream;
        self.control_fields("Z", columns, report);
    }

    fn end_block(&mut self, report: &mut dyn FnMut(Finding)) {
        let Some(desk) = &self.current else { return };
        if self.position.transaction == 0 && self.cursor.is_at_start() && !self.lost {
            self.envelope_fault("X04", "a transaction", report);
            return;
        }
        if self.lost {
            return;
        }
        if let Err(fault) = self.cursor.finish(desk.automaton) {
            let mut finding = self.finding(Severity::Fatal, Some(fault.condition()), &[b' '; 80]);
            finding.record_id = String::new();
            finding.expected = fault.to_string();
            report(finding);
        }
    }

    /// The application that a control record names, whatever family it is of.
    fn application_in(&self, record: &str, columns: &Columns) -> Option<String> {
        let mut layouts = self.grammar.variants("*", Direction::Input, record);
        let cell = layouts.find_map(|layout| layout.cell("application_identifier_code").ok())?;
        cell.value(columns).map(str::to_ascii_uppercase)
    }

    fn sit_down(&mut self, application: &str) {
        self.cursor.reset();
        self.lost = false;
        if self.desk.as_deref() == Some(application) && self.current.is_some() {
            return;
        }
        if let (Some(old), Some(desk)) = (self.desk.take(), self.current.take()) {
            self.desks.insert(old, Some(desk));
        }
        let grammar = self.grammar;
        let known = self.desks.remove(application).flatten();
        self.current = known.or_else(|| {
            let direction = grammar.application(application)?.direction;
            let (_, automaton) = grammar.structure(application, direction)?;
            Some(Desk { identifier: Identifier::new(grammar, application, direction, automaton), automaton })
        });
        self.desk = Some(application.to_owned());
    }

    /// The fields of a control record, by the layout of its family and direction that fits best.
    fn control_fields(&mut self, record: &str, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        let direction = self
            .desk
            .as_deref()
            .and_then(|code| self.grammar.application(code))
            .map_or(Direction::Output, |application| application.direction);
        let family = if self.e_manifest { "eman" } else { "esar" };
        let other = if self.e_manifest { "esar" } else { "eman" };
        let bits = Bits::of(columns);
        let candidates = self
            .grammar
            .variants("*", direction, record)
            .filter(|layout| layout.variant != other)
            .collect::<Vec<_>>();
        if candidates.iter().any(|layout| layout.matches(columns) && layout.accepts(columns, &bits)) {
            return;
        }
        let best = candidates.iter().find(|layout| layout.variant == family || layout.matches(columns));
        if let Some(layout) = best.or(candidates.first()) {
            self.fields(layout, columns, report);
        }
    }

    fn envelope_fault(&self, code: &str, expected: &str, report: &mut dyn FnMut(Finding)) {
        let mut finding = self.finding(Severity::Fatal, ConditionCode::new(code), &[b' '; 80]);
        finding.record_id = String::new();
        finding.expected = expected.to_owned();
        report(finding);
    }

    /// A record for a drawing: one sign a column, no password.
    fn masked(&self, columns: &Columns) -> String {
        let sign = |&byte: &u8| if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '?' };
        let mut text = columns.iter().map(sign).collect::<Vec<_>>();
        if CONTROL.contains(&columns[0].to_ascii_uppercase()) {
            let record = char::from(columns[0].to_ascii_uppercase()).to_string();
            let layouts = self.grammar.variants("*", Direction::Input, &record);
            for field in layouts.flat_map(|layout| &layout.fields).filter(|field| is_secret(&field.name)) {
                text[field.cell.first_column() - 1..field.cell.last_column()].fill('*');
            }
        }
        text.into_iter().collect::<String>().trim_end().to_owned()
    }

    fn finding(&self, severity: Severity, condition: Option<ConditionCode>, columns: &Columns) -> Finding {
        let own = self.desk.as_deref().unwrap_or_default();
        let known = condition.and_then(|code| {
            let conditions = self.grammar.conditions();
            conditions.get(own, code).or_else(|| conditions.get("*", code))
        });
        Finding {
            position: self.position.clone(),
            severity: known.map_or(severity, |known| known.severity),
            condition,
            message: known.map(|known| known.narrative.clone()).unwrap_or_default(),
            record_id: shown(&columns[..4]).trim_end().to_owned(),
            field: None,
            columns: None,
            found: String::new(),
            expected: String::new(),
            record_text: self.masked(columns),
            help: None,
        }
    }
}

/// Passwords never stand in a finding.
pub(super) fn is_secret(field: &str) -> bool {
    field.contains("password")
}

pub(super) fn words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Nonstandard => "character is not of a standard keyboard",
        Trouble::LowerCase => "lower case is read as upper case",
        Trouble::FilledFiller => "data in filler",
        Trouble::Missing => "mandatory field is blank",
        Trouble::WrongClass => "value is not of its class",
        Trouble::NotADate => "not a calendar date",
        Trouble::Unknown => "value is not known",
    }
}

/// Bytes for a diagnostic: what cannot be printed becomes an escape.
fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::from("one of");
    for word in words {
        text.push(' ');
        text.push_str(word);
    }
    text
}

/// How many single changes lead from one code to another (Levenshtein).
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut row = (0..=other.len()).collect::<Vec<_>>();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let substitution = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substitution.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or(one.len())
}
