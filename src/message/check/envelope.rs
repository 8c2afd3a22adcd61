//! The envelope: which control records may follow each other, and what they name.

use super::Checker;
use super::desk::Desk;
use crate::grammar::{Direction, Grammar, Layout, LayoutId, Severity};
use crate::message::finding::Finding;
use crate::wire::Columns;

/// How far into a batch a stream has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scope {
    /// Between batches.
    Stream,
    /// Behind an A-record or a Y-record.
    Batch,
    /// Behind a B-record.
    Block,
}

/// The control records of the envelope.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Control {
    BatchHeader,
    BlockHeader,
    BlockTrailer,
    BatchTrailer,
}

/// Their identifiers, in the order of [`Control`]; everything else about them is grammar.
pub(super) const CONTROL_RECORDS: [&str; 4] = ["A", "B", "Y", "Z"];

impl Control {
    #[inline]
    pub(super) fn of(columns: &Columns) -> Option<Self> {
        // Either case of a letter, and nothing else, becomes the lower one.
        let letter = columns[0] | 0x20;
        // Nearly no record is one of these, and they are told by a set of bits.
        if !matches!(letter, b'a' | b'b' | b'y' | b'z') {
            return None;
        }
        match letter {
            b'a' => Some(Self::BatchHeader),
            b'b' => Some(Self::BlockHeader),
            b'y' => Some(Self::BlockTrailer),
            b'z' => Some(Self::BatchTrailer),
            _ => None,
        }
    }
}

/// The control records of either family differ, and those of input and output (B&B-9 to B&B-28).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Family {
    output: bool,
    e_manifest: bool,
}

impl Family {
    /// All of them, each at its [index](Self::index).
    pub(super) const ALL: [Self; 4] = [
        Self { output: false, e_manifest: false },
        Self { output: false, e_manifest: true },
        Self { output: true, e_manifest: false },
        Self { output: true, e_manifest: true },
    ];

    fn index(self) -> usize {
        usize::from(self.output) * 2 + usize::from(self.e_manifest)
    }

    pub(super) fn layouts(self, grammar: &Grammar, record: &str) -> Vec<LayoutId> {
        let direction = if self.output { Direction::Output } else { Direction::Input };
        let other = if self.e_manifest { "esar" } else { "eman" };
        let layouts = grammar.variants("*", direction, record).filter(|layout| layout.variant != other);
        layouts.map(|layout| layout.id).collect()
    }
}

impl Checker<'_> {
    pub(super) fn control(&mut self, control: Control, columns: &Columns, report: &mut dyn FnMut(Finding)) {
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
            self.family = Family { output: true, e_manifest: true };
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

    pub(super) fn end_block(&mut self, report: &mut dyn FnMut(Finding)) {
        let Some((_, automaton)) = self.seated.as_deref().and_then(Desk::records) else { return };
        if self.position.transaction == 0 && self.cursor.is_at_start() && !self.lost {
            self.envelope_fault("X04", "a transaction", report);
            return;
        }
        if self.lost {
            return;
        }
        if let Err(fault) = self.cursor.finish(automaton) {
            let mut finding = self.finding(Severity::Fatal, Some(fault.condition()), &[b' '; 80]);
            finding.record_id = String::new();
            finding.expected = fault.to_string();
            report(finding);
        }
    }

    /// The application that a control record names; false if it names none.
    fn name_application(&mut self, control: Control, columns: &Columns) -> bool {
        let Some(cell) = self.application_cells[control as usize] else { return false };
        if self.named.as_ref().is_some_and(|named| cell.holds(columns, &named.code)) {
            return true;
        }
        let Some(code) = cell.value(columns) else { return false };
        let desk = self.desks.of(&code.to_ascii_uppercase());
        self.family = Family { output: desk.direction == Direction::Output, e_manifest: desk.e_manifest };
        self.named = Some(desk);
        true
    }

    /// Takes the application that is named in hand.
    fn sit_down(&mut self) {
        self.cursor.reset();
        self.lost = false;
        if self.named.is_some() {
            self.seated.clone_from(&self.named);
        }
    }

    /// The fields of a control record, by the layout of its family and direction that fits best.
    fn control_fields(&mut self, control: Control, columns: &Columns, report: &mut dyn FnMut(Finding)) {
        let layouts = &self.control_layouts[self.family.index()][control as usize];
        let grammar = self.grammar;
        let fits = |layout: &&Layout| layout.is_decided(columns);
        let mut candidates = layouts.iter().map(|id| grammar.layout(*id));
        if candidates.any(|layout| layout.accepts(columns) && fits(&layout)) {
            return;
        }
        let best = layouts.iter().map(|id| grammar.layout(*id)).find(fits);
        if let Some(layout) = best.or(layouts.first().map(|id| grammar.layout(*id))) {
            self.fields(layout, columns, report);
        }
    }
}
