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
    Automaton, Bits, Cell, ConditionCode, Cursor, Direction, Fault, Grammar, Layout, LayoutId, Severity,
    Values,
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
    /// Applications that were in hand before.
    desks: HashMap<String, Desk<'g>>,
    /// The application that the last control record named, which way it travels and its family.
    named: Option<String>,
    direction: Direction,
    e_manifest: bool,
    /// The application in hand, and what its records are known by, if they are.
    seated: String,
    current: Option<Desk<'g>>,
    /// Where control records name the application.
    application_cells: [Option<Cell>; 4],
    /// The layouts of the control records, by family.
    control_layouts: [[Vec<LayoutId>; 4]; 4],
    cursor: Cursor,
    /// After a fault of structure the records up to the next transaction are not judged by their order.
    lost: bool,
    records: u64,
}

/// The control records of the envelope.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Control {
    BatchHeader,
    BlockHeader,
    BlockTrailer,
    BatchTrailer,
}

/// Their identifiers, in the order of [`Control`]; everything else about them is grammar.
const CONTROL_RECORDS: [&str; 4] = ["A", "B", "Y", "Z"];

impl Control {
    #[inline]
    fn of(columns: &Columns) -> Option<Self> {
        match columns[0].to_ascii_uppercase() {
            b'A' => Some(Self::BatchHeader),
            b'B' => Some(Self::BlockHeader),
            b'Y' => Some(Self::BlockTrailer),
            b'Z' => Some(Self::BatchTrailer),
            _ => None,
        }
    }
}

/// The control records of either family differ, and those of input and output (B&B-9 to B&B-28).
#[derive(Clone, Copy, Debug)]
struct Family {
    output: bool,
    e_manifest: bool,
}

impl Family {
    fn index(self) -> usize {
        usize::from(self.output) * 2 + usize::from(self.e_manifest)
    }

    fn of(index: usize) -> Self {
        Self { output: index >= 2, e_manifest: index % 2 == 1 }
    }

    fn layouts(self, grammar: &Grammar, record: &str) -> Vec<LayoutId> {
        let direction = if self.output { Direction::Output } else { Direction::Input };
        let other = if self.e_manifest { "esar" } else { "eman" };
        let layouts = grammar.variants("*", direction, record).filter(|layout| layout.variant != other);
        layouts.map(|layout| layout.id).collect()
    }
}

impl<'g> Checker<'g> {
    /// A checker; findings name the source, if there is one.
    #[must_use]
    pub fn new(grammar: &'g Grammar, source: Option<&str>) -> Self {
        Self {
            grammar,
            position: Position { source: source.map(Arc::from), ..Position::default() },
            scope: Scope::Stream,
            desks: HashMap::new(),
            named: None,
            direction: Direction::Input,
            e_manifest: false,
            seated: String::new(),
            current: None,
            application_cells: CONTROL_RECORDS.map(|record| {
                let mut layouts = grammar.variants("*", Direction::Input, record);
                layouts.find_map(|layout| layout.cell("application_identifier_code").ok())
            }),
            control_layouts: std::array::from_fn(|family| {
                CONTROL_RECORDS.map(|record| Family::of(family).layouts(grammar, record))
            }),
            cursor: Cursor::default(),
            lost: false,
            records: 0,
        }
    }

    /// Begins another stream. What is known of applications is kept, so this costs little.
    pub fn restart(&mut self) {
        self.leave_desk();
        self.position = Position { source: self.position.source.take(), ..Position::default() };
        self.scope = Scope::Stream;
        self.named = None;
        self.direction = Direction::Input;
        self.e_manifest = false;
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
        if !layout.accepts(columns) {
            self.fields(layout, columns, report);
        }
    }

    #[inline]
    fn step(&mut self, symbol: crate::grammar::Symbol) -> Result<(), Fault> {
        let Some(desk) = &self.current else { return Ok(()) };
        self.cursor.step(desk.automaton, symbol)?;
        self.position.transaction += u32::from(self.cursor.begins());
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
        finding.layout = Some(layout.id);
        finding.field = Some(field.name.clone());
        finding.columns = Some((trouble.first, trouble.last));
        let is_in =
            |secret: Cell| trouble.first <= secret.last_column() && secret.first_column() <= trouble.last;
        if !self.secrets(columns).any(is_in) {
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

    fn control(&mut self, control: Control, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        match control {
            Control::BatchHeader => self.batch_header(columns, report),
            Control::BlockHeader => self.block_header(columns, report),
            Control::BlockTrailer => self.block_trailer(report),
            Control::BatchTrailer => self.batch_trailer(report),
        }
        self.control_fields(control, columns, report);
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
        if !self.name_application(Control::BatchHeader, columns) {
            // A refusal names none, nor need the e-Manifest family: there the B-record does.
            self.named = None;
            self.direction = Direction::Output;
            self.e_manifest = true;
        }
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
        self.name_application(Control::BlockHeader, columns);
        self.sit_down();
    }

    fn block_trailer(&mut self, report: &mut dyn FnMut(Finding)) {
        if self.scope == Scope::Block {
            self.end_block(report);
        } else {
            self.envelope_fault("X03", "B", report);
        }
        self.scope = Scope::Batch;
    }

    fn batch_trailer(&mut self, report: &mut dyn FnMut(Finding)) {
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

    /// The application that a control record names; false if it names none.
    fn name_application(&mut self, control: Control, columns: &Columns) -> bool {
        let Some(cell) = self.application_cells[control as usize] else { return false };
        if self.named.as_deref().is_some_and(|named| cell.holds(columns, named)) {
            return true;
        }
        let Some(code) = cell.value(columns) else { return false };
        let code = code.to_ascii_uppercase();
        let known = self.grammar.application(&code);
        self.direction = known.map_or(Direction::Output, |application| application.direction);
        self.e_manifest = known.is_some_and(|application| application.e_manifest);
        self.named = Some(code);
        true
    }

    fn leave_desk(&mut self) {
        let application = std::mem::take(&mut self.seated);
        if let Some(desk) = self.current.take() {
            self.desks.insert(application, desk);
        }
    }

    /// Takes the application's own identifier and automaton in hand.
    fn sit_down(&mut self) {
        self.cursor.reset();
        self.lost = false;
        let Some(application) = self.named.as_ref().filter(|named| self.seated != **named).cloned() else {
            return;
        };
        self.leave_desk();
        let (grammar, direction) = (self.grammar, self.direction);
        self.current = self.desks.remove(&application).or_else(|| {
            let (_, automaton) = grammar.structure(&application, direction)?;
            Some(Desk { identifier: Identifier::new(grammar, &application, direction, automaton), automaton })
        });
        self.seated = application;
    }

    /// The fields of a control record, by the layout of its family and direction that fits best.
    fn control_fields(&mut self, control: Control, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        let family = Family { output: self.direction == Direction::Output, e_manifest: self.e_manifest };
        let layouts = &self.control_layouts[family.index()][control as usize];
        let grammar = self.grammar;
        let fits = |layout: &&Layout| layout.matches(columns);
        let mut candidates = layouts.iter().map(|id| grammar.layout(*id));
        if candidates.any(|layout| layout.accepts(columns) && fits(&layout)) {
            return;
        }
        let best = layouts.iter().map(|id| grammar.layout(*id)).find(fits);
        if let Some(layout) = best.or(layouts.first().map(|id| grammar.layout(*id))) {
            self.fields(layout, columns, report);
        }
    }

    fn envelope_fault(&self, code: &str, expected: &str, report: &mut dyn FnMut(Finding)) {
        let mut finding = self.finding(Severity::Fatal, ConditionCode::new(code), &[b' '; 80]);
        finding.record_id = String::new();
        finding.expected = expected.to_owned();
        report(finding);
    }

    /// Where a password may stand in a control record, whatever its layout says.
    fn secrets(&self, columns: &Columns) -> impl Iterator<Item = Cell> {
        let record = Control::of(columns).map(|control| CONTROL_RECORDS[control as usize]);
        let layouts = record.into_iter().flat_map(|id| self.grammar.variants("*", Direction::Input, id));
        let fields = layouts.flat_map(|layout| &layout.fields).filter(|field| is_secret(&field.name));
        fields.map(|field| field.cell)
    }

    /// A record for a drawing: one sign a column, no password.
    fn masked(&self, columns: &Columns) -> String {
        let sign = |&byte: &u8| if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '?' };
        let mut text = columns.iter().map(sign).collect::<Vec<_>>();
        for secret in self.secrets(columns) {
            text[secret.first_column() - 1..secret.last_column()].fill('*');
        }
        text.into_iter().collect::<String>().trim_end().to_owned()
    }

    fn finding(&self, severity: Severity, condition: Option<ConditionCode>, columns: &Columns) -> Finding {
        let own = self.named.as_deref().unwrap_or_default();
        let known = condition.and_then(|code| self.grammar.condition(own, code));
        Finding {
            position: self.position.clone(),
            severity: known.map_or(severity, |known| known.severity),
            condition,
            message: known.map(|known| known.narrative.clone()).unwrap_or_default(),
            application: own.to_owned(),
            layout: None,
            record_id: match Control::of(columns) {
                Some(control) => CONTROL_RECORDS[control as usize].to_owned(),
                None => shown(&columns[..4]).trim_end().to_owned(),
            },
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
