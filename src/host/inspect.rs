//! Checks a stream of batches as [`Checker`] does, and judges its transactions by the rules.
//!
//! Without a world, what a message says of itself is judged: sums, arithmetic, check digits, what an entry
//! type asks for. With a world, reference data and the parties of the envelope are looked up as well. What
//! is on file is not known here, and nothing is judged by it; [`Host`](super::Host) does that. Passwords are
//! not verified. One transaction at most is held at a time.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::civil::Date;

use super::entry_summary::block_info;
use super::finding::{FindingWriter, control_layout};
use super::world::PeerDirectory;
use super::{HostError, TrustingPeer, World, capability};
use crate::envelope::{EnvelopeCodec, EnvelopeCondition, Place, RawBatch};
use crate::grammar::{Automaton, ConditionCode, Direction, Grammar, Layout};
use crate::message::{Body, Checker, Control, Finding, Item, Outline, Part, Position};
use crate::rules::{BlockInfo, Context, NoReference, Reference, RuleBook};
use crate::wire::{Columns, Line};

/// Control records that are kept of one batch, to look up its parties.
const MOST_CONTROLS: usize = 30_000;

/// By what batches are inspected; threads share it.
pub struct Inspection<'g> {
    grammar: &'g Grammar,
    /// The rules, and how the transactions that they judge are made; `None` if nothing is judged.
    book: Option<(RuleBook, &'g Automaton)>,
    codec: EnvelopeCodec<'g>,
    world: Option<Arc<World>>,
    today: Date,
}

impl std::fmt::Debug for Inspection<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Inspection").field("today", &self.today).finish_non_exhaustive()
    }
}

impl<'g> Inspection<'g> {
    /// An inspection by the rules that come with the program. A batch is judged as of the day of its
    /// A-record, or of `today` if the A-record names none; in a world that stands still, as of its day.
    ///
    /// # Errors
    /// The grammar and the rules do not fit together.
    pub fn new(grammar: &'g Grammar, world: Option<World>, today: Date) -> Result<Self, HostError> {
        let book = RuleBook::builtin(grammar)?;
        let structure = grammar.structure(book.application(), Direction::Input);
        let book = structure.map(|(_, automaton)| (book, automaton));
        let codec = EnvelopeCodec::new(grammar)?;
        Ok(Self { grammar, book, codec, world: world.map(Arc::new), today })
    }

    /// An inspection that judges by no rules.
    ///
    /// # Errors
    /// The grammar lacks what the envelope is read by.
    pub fn without_rules(grammar: &'g Grammar) -> Result<Self, HostError> {
        let codec = EnvelopeCodec::new(grammar)?;
        Ok(Self { grammar, book: None, codec, world: None, today: Date::MIN })
    }

    /// An inspector of one stream; findings name the source, if there is one.
    #[must_use]
    pub fn inspector(&self, source: Option<&str>) -> Inspector<'_, 'g> {
        Inspector {
            checker: Checker::new(self.grammar, source),
            judgement: self.book.as_ref().map(|(book, automaton)| Judgement {
                inspection: self,
                book,
                automaton,
                world: self.world.clone(),
                writer: FindingWriter::new(self.grammar),
                outline: Outline::new(self.grammar),
                parts: Vec::new(),
                batch: Batch::default(),
                position: Position { source: source.map(Arc::from), ..Position::default() },
                ended: Vec::new(),
                told: HashSet::new(),
            }),
        }
    }
}

/// Inspects one stream.
pub struct Inspector<'i, 'g> {
    checker: Checker<'g>,
    judgement: Option<Judgement<'i, 'g>>,
}

impl Inspector<'_, '_> {
    /// Begins another stream. What is known of applications is kept, so this costs little.
    pub fn restart(&mut self) {
        self.checker.restart();
        self.judgement.iter_mut().for_each(Judgement::restart);
    }

    /// How many records have been looked at.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.checker.records()
    }

    /// How many batches have begun.
    #[must_use]
    pub fn batches(&self) -> u32 {
        self.checker.batches()
    }

    /// Looks at the next record.
    pub fn line(&mut self, line: &Line<'_>, report: &mut dyn FnMut(Finding)) {
        let Some(judgement) = &mut self.judgement else { return self.checker.line(line, report) };
        judgement.line(line.columns, report);
        let told = &mut judgement.told;
        self.checker.line(line, &mut |finding| {
            remember(told, &finding);
            report(finding);
        });
        judgement.tell_envelope(report);
    }

    /// Ends the stream.
    pub fn finish(&mut self, report: &mut dyn FnMut(Finding)) {
        let Some(judgement) = &mut self.judgement else { return self.checker.finish(report) };
        judgement.finish(report);
        let told = &mut judgement.told;
        self.checker.finish(&mut |finding| {
            remember(told, &finding);
            report(finding);
        });
        judgement.tell_envelope(report);
    }
}

/// What the checker has told of a batch is not told again of its envelope.
fn remember(told: &mut HashSet<(u32, ConditionCode)>, finding: &Finding) {
    let is_of_envelope = |code: &ConditionCode| code.as_str().starts_with('X');
    if let Some(code) = finding.condition.filter(is_of_envelope) {
        told.insert((finding.position.batch, code));
    }
}

/// The batch at hand.
#[derive(Default)]
struct Batch {
    application: String,
    /// Whether it travels to CBP.
    is_input: bool,
    /// Its number in the stream; 0 if it has no A-record.
    number: u32,
    /// The number of its A-record in the stream.
    first: u64,
    /// The day of its A-record.
    day: Option<Date>,
    block: BlockInfo,
    /// Its control records, a detail record for each block that has one, and their numbers.
    controls: Vec<(u64, Columns)>,
    has_detail: bool,
}

/// Judges transactions as the stream completes them.
struct Judgement<'i, 'g> {
    inspection: &'i Inspection<'g>,
    book: &'i RuleBook,
    automaton: &'g Automaton,
    world: Option<Arc<World>>,
    writer: FindingWriter<'g>,
    outline: Outline<'g>,
    parts: Vec<Part<'g>>,
    batch: Batch,
    position: Position,
    /// The batches that have ended and whose parties have not been looked up.
    ended: Vec<Batch>,
    /// What the checker has told: the batch and the condition.
    told: HashSet<(u32, ConditionCode)>,
}

impl<'g> Judgement<'_, 'g> {
    fn restart(&mut self) {
        self.outline.restart();
        self.batch = Batch::default();
        self.ended.clear();
        self.told.clear();
        self.position = Position { source: self.position.source.take(), ..Position::default() };
    }

    fn line(&mut self, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        self.outline.push(columns, &mut self.parts);
        self.take_parts(report);
    }

    fn finish(&mut self, report: &mut dyn FnMut(Finding)) {
        self.outline.finish(&mut self.parts);
        self.take_parts(report);
    }

    fn take_parts(&mut self, report: &mut dyn FnMut(Finding)) {
        let mut parts = std::mem::take(&mut self.parts);
        for part in parts.drain(..) {
            match part {
                Part::BatchBegins { application, direction } => {
                    let is_known = self.inspection.grammar.application(&application).is_some();
                    let is_input = direction == Direction::Input || !is_known && !application.is_empty();
                    self.batch = Batch { application, is_input, ..Batch::default() };
                }
                Part::BlockBegins => self.batch.block = BlockInfo::default(),
                Part::Control(control, item) => self.control(control, &item),
                Part::Body(body) => {
                    self.body(&body, report);
                    self.outline.recycle(body);
                }
                Part::BlockEnds => {}
                Part::BatchEnds => self.ended.push(std::mem::take(&mut self.batch)),
            }
        }
        self.parts = parts;
    }

    fn control(&mut self, control: Control, item: &Item<'g>) {
        let mut folded = item.row;
        folded.make_ascii_uppercase();
        match control {
            Control::BatchHeader => {
                self.position.batch += 1;
                self.position.block = 0;
                self.position.transaction = 0;
                self.batch.number = self.position.batch;
                self.batch.first = item.number;
                self.batch.day = item.layout.and_then(|layout| date_of(layout, &folded));
            }
            Control::BlockHeader => {
                self.position.block += 1;
                self.position.transaction = 0;
                self.batch.has_detail = false;
                self.batch.block = block_info(&self.inspection.codec.read_block_header(&folded));
            }
            Control::BlockTrailer | Control::BatchTrailer => {}
        }
        self.keep(item.number, &item.row);
    }

    /// Keeps a record for the envelope, if there is a world to ask about it.
    fn keep(&mut self, number: u64, row: &Columns) {
        if self.world.is_some() && self.batch.controls.len() < MOST_CONTROLS {
            self.batch.controls.push((number, *row));
        }
    }

    fn body(&mut self, body: &Body<'g>, report: &mut dyn FnMut(Finding)) {
        self.position.transaction += 1;
        if let Some(first) = body.items.first().filter(|_| !self.batch.has_detail) {
            self.batch.has_detail = true;
            let (number, row) = (first.number, first.row);
            self.keep(number, &row);
        }
        let grammar = self.inspection.grammar;
        let Some((transaction, automaton)) = &body.tree else { return };
        if !std::ptr::eq(*automaton, self.automaton) {
            return;
        }
        let today = self.day();
        let reference: &dyn Reference = match &mut self.world {
            Some(world) => {
                if world.day() != Some(today) {
                    Arc::make_mut(world).turn_to(today);
                }
                &**world
            }
            None => &NoReference,
        };
        let context = Context { grammar, reference, today, block: &self.batch.block };
        for reasoned in self.book.explain(transaction, &context) {
            let Some(item) = body.items.get(reasoned.record as usize) else { continue };
            let node = transaction.nodes()[reasoned.record as usize];
            let layout = grammar.layout(node.layout);
            let is_told = reasoned
                .cell
                .is_some_and(|cell| Checker::tells(layout, &item.row, cell, reasoned.raised.code));
            if !is_told {
                let position = self.position_of(item.number);
                report(self.writer.of_rule(
                    position,
                    self.book.application(),
                    &reasoned,
                    (&item.row, layout.id),
                ));
            }
        }
    }

    /// The day as of which the batch is judged.
    fn day(&self) -> Date {
        let still = self.world.as_ref().and_then(|world| world.clock()).map(jiff::Zoned::date);
        still.or(self.batch.day).unwrap_or(self.inspection.today)
    }

    fn position_of(&self, record: u64) -> Position {
        let record_in_batch = (record + 1).saturating_sub(self.batch.first.max(1));
        let record_in_batch = u32::try_from(record_in_batch).unwrap_or(u32::MAX);
        Position { record, record_in_batch, ..self.position.clone() }
    }

    /// Looks up the parties of the batches that have ended.
    fn tell_envelope(&mut self, report: &mut dyn FnMut(Finding)) {
        if self.ended.is_empty() {
            return;
        }
        for batch in std::mem::take(&mut self.ended) {
            if let Some(world) = self.world.as_ref().filter(|_| batch.is_input) {
                self.envelope(world, &batch, report);
            }
            self.told.retain(|(number, _)| *number > batch.number);
        }
    }

    fn envelope(&self, world: &World, batch: &Batch, report: &mut dyn FnMut(Finding)) {
        let applications = capability::applications();
        let directory = PeerDirectory { world, peer: &TrustingPeer, applications: &applications };
        let raw = RawBatch::from_rows(batch.controls.iter().map(|(_, row)| *row).collect());
        let codec = &self.inspection.codec;
        for condition in &codec.read_batch(&raw, &directory).conditions {
            let Some((index, block)) = control_of(condition, &batch.controls) else { continue };
            let Some((record, row)) = batch.controls.get(index) else { continue };
            if self.told.contains(&(batch.number, condition.code)) {
                continue;
            }
            let record_in_batch = (record + 1).saturating_sub(batch.first.max(1));
            let position = Position {
                source: self.position.source.clone(),
                batch: batch.number,
                block,
                transaction: 0,
                record: *record,
                record_in_batch: u32::try_from(record_in_batch).unwrap_or(u32::MAX),
            };
            let layout = control_layout(codec, &batch.application, row);
            report(self.writer.of_envelope(position, &batch.application, condition.code, (row, layout)));
        }
    }
}

/// The control record that a condition is about, and the block; `None` of what stands in transactions.
fn control_of(condition: &EnvelopeCondition, controls: &[(u64, Columns)]) -> Option<(usize, u32)> {
    let is =
        |letter: u8| move |(_, (_, row)): &(usize, &(u64, Columns))| row[0].eq_ignore_ascii_case(&letter);
    let all = || controls.iter().enumerate();
    match (condition.place, condition.code.as_str()) {
        (Place::Batch, "X14") => all().rev().find(is(b'Z')).map(|(index, _)| (index, 0)),
        (Place::Batch, _) => Some((0, 0)),
        (Place::Block { block }, code) => {
            let letter = if code == "X32" { b'Y' } else { b'B' };
            let nth = (block as usize).checked_sub(1)?;
            all().filter(is(letter)).nth(nth).map(|(index, _)| (index, block))
        }
        (Place::Transaction { .. }, _) => None,
    }
}

/// The first date of a record.
fn date_of(layout: &Layout, row: &Columns) -> Option<Date> {
    let field = layout.fields.iter().find(|field| field.holds_date())?;
    field.cell.date(row).ok().flatten()
}
