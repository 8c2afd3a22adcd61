//! A stream of records as batches, blocks and transactions, whatever is wrong with it.

use std::rc::Rc;

use super::lexicon::{Lexicon, Lexicons};
use super::transaction::{Assembler, GroupRef, Transaction};
use crate::grammar::{Automaton, Cell, Direction, Fault, Field, Grammar, Layout, Symbol};
use crate::wire::{Columns, Limits};

/// The four control records, told by their first column; no transaction record begins with these.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Control {
    /// The A-record.
    BatchHeader,
    /// The B-record.
    BlockHeader,
    /// The Y-record.
    BlockTrailer,
    /// The Z-record.
    BatchTrailer,
}

impl Control {
    fn of(row: &Columns) -> Option<Self> {
        match row[0].to_ascii_uppercase() {
            b'A' => Some(Self::BatchHeader),
            b'B' => Some(Self::BlockHeader),
            b'Y' => Some(Self::BlockTrailer),
            b'Z' => Some(Self::BatchTrailer),
            _ => None,
        }
    }
}

/// A record as it stood. It may hold a password or a taxpayer number and so has no `Debug`.
#[derive(Clone)]
pub struct Item<'g> {
    /// Its number in the stream, from 1.
    pub number: u64,
    /// Its columns, unchanged.
    pub row: Columns,
    /// Its layout, if it has a known one.
    pub layout: Option<&'g Layout>,
    /// Where a password may stand in it, whatever its layout says.
    pub password: Option<Cell>,
}

impl Item<'_> {
    /// Whether what stands in a field is not to be shown.
    #[must_use]
    pub fn hides(&self, field: &Field) -> bool {
        let overlaps = |secret: Cell| {
            field.cell.first_column() <= secret.last_column()
                && secret.first_column() <= field.cell.last_column()
        };
        self.password.is_some_and(overlaps) && !field.cell.is_blank(&self.row)
    }
}

/// Records of a block that belong together.
#[derive(Clone)]
pub struct Body<'g> {
    /// The records.
    pub items: Vec<Item<'g>>,
    /// How they nest: the positions in the transaction are those in `items`. `None` if the structure
    /// is at fault or not known.
    pub tree: Option<(Transaction, &'g Automaton)>,
    /// What is wrong with the structure.
    pub fault: Option<Fault>,
}

/// A record or a group directly in a group.
pub enum Child<'a> {
    /// The position of a record in [`Body::items`].
    Record(usize),
    /// A group.
    Group(GroupRef<'a>),
}

/// What is directly in a group, in the order it stood.
pub fn children<'a>(transaction: &'a Transaction, group: GroupRef<'a>) -> impl Iterator<Item = Child<'a>> {
    let range = group.range();
    let mut groups = group.groups();
    let mut position = range.start;
    std::iter::from_fn(move || {
        if position >= range.end {
            return None;
        }
        if transaction.nodes()[position as usize].group == group.instance() {
            position += 1;
            return Some(Child::Record(position as usize - 1));
        }
        let inner = groups.next()?;
        position = inner.range().end;
        Some(Child::Group(inner))
    })
}

/// What comes next in a stream. Headers and trailers may be missing, the order is as shown.
pub enum Part<'g> {
    /// A batch begins.
    BatchBegins {
        /// The application identifier of its first header; empty if that names none.
        application: String,
        /// Which way it travels.
        direction: Direction,
    },
    /// A block begins.
    BlockBegins,
    /// A header or trailer of the current batch or block.
    Control(Control, Item<'g>),
    /// A transaction of the current block.
    Body(Body<'g>),
    /// The block has ended.
    BlockEnds,
    /// The batch has ended.
    BatchEnds,
}

/// Finds the parts of a stream. Takes any records in any order and gives each of them back once, in
/// order; holds one transaction at most.
pub struct Outline<'g> {
    lexicons: Lexicons<'g>,
    /// The most records that are kept together.
    most: usize,
    number: u64,
    /// An A-record whose application may be known by the next record.
    held: Option<Columns>,
    batch: Option<Rc<Lexicon<'g>>>,
    block: Option<Rc<Lexicon<'g>>>,
    assembler: Option<Assembler<'g>>,
    /// The records of the current transaction.
    items: Vec<Item<'g>>,
    /// The memory of a transaction that is no longer needed.
    spare: Vec<Item<'g>>,
    /// Set while no transaction can be made of the records; holds the fault that is not yet told.
    lost: Option<Option<Fault>>,
}

impl<'g> Outline<'g> {
    /// An outline of one stream.
    #[must_use]
    pub fn new(grammar: &'g Grammar) -> Self {
        Self {
            lexicons: Lexicons::new(grammar),
            most: Limits::default().records_per_transaction,
            number: 0,
            held: None,
            batch: None,
            block: None,
            assembler: None,
            items: Vec::new(),
            spare: Vec::new(),
            lost: None,
        }
    }

    /// Takes the next record; adds the parts that are complete.
    pub fn push(&mut self, row: &Columns, parts: &mut Vec<Part<'g>>) {
        if self.held.is_some()
            && let Some(header) = self.held.take()
        {
            self.begin_batch(&header, Some(row), parts);
        }
        let control = Control::of(row);
        if control == Some(Control::BatchHeader) {
            self.end_batch(parts);
            self.number += 1;
            self.held = Some(*row);
            return;
        }
        if self.batch.is_none() {
            self.open_batch(row, None, parts);
        }
        self.number += 1;
        match control {
            Some(Control::BlockHeader) => self.block_header(row, parts),
            Some(Control::BlockTrailer) => {
                self.open_block(parts);
                self.end_transaction(parts);
                parts.extend(self.control(Control::BlockTrailer, row, self.number));
                self.end_block(parts);
            }
            Some(Control::BatchTrailer) => {
                self.end_block(parts);
                parts.extend(self.control(Control::BatchTrailer, row, self.number));
                self.end_batch(parts);
            }
            _ => {
                self.open_block(parts);
                self.detail(row, parts);
            }
        }
    }

    /// Begins another stream, once the one before has been ended.
    pub fn restart(&mut self) {
        self.number = 0;
    }

    /// Gives a used transaction's memory back for a later one.
    pub fn recycle(&mut self, body: Body<'g>) {
        if let (Some(assembler), Some((transaction, _))) = (&mut self.assembler, body.tree) {
            assembler.recycle(transaction);
        }
        self.spare = body.items;
        self.spare.clear();
    }

    /// Ends the stream.
    pub fn finish(&mut self, parts: &mut Vec<Part<'g>>) {
        if let Some(header) = self.held.take() {
            self.begin_batch(&header, None, parts);
        }
        self.end_batch(parts);
    }

    fn begin_batch(&mut self, header: &Columns, next: Option<&Columns>, parts: &mut Vec<Part<'g>>) {
        self.open_batch(header, next, parts);
        parts.extend(self.control(Control::BatchHeader, header, self.number));
    }

    fn open_batch(&mut self, first: &Columns, second: Option<&Columns>, parts: &mut Vec<Part<'g>>) {
        let lexicon = self.lexicons.of_batch(first, second);
        parts.push(Part::BatchBegins {
            application: lexicon.application.clone(),
            direction: lexicon.direction,
        });
        self.batch = Some(lexicon);
    }

    fn block_header(&mut self, row: &Columns, parts: &mut Vec<Part<'g>>) {
        self.end_block(parts);
        let Some(batch) = &self.batch else { return };
        let lexicon = self.lexicons.of_block(batch, row);
        self.sit_down(lexicon);
        parts.push(Part::BlockBegins);
        parts.extend(self.control(Control::BlockHeader, row, self.number));
    }

    /// Begins a block without a header, unless one has begun.
    fn open_block(&mut self, parts: &mut Vec<Part<'g>>) {
        if self.block.is_none()
            && let Some(batch) = self.batch.clone()
        {
            self.sit_down(batch);
            parts.push(Part::BlockBegins);
        }
    }

    fn sit_down(&mut self, lexicon: Rc<Lexicon<'g>>) {
        let structure = lexicon.structure.clone();
        self.assembler = structure.map(|(identifier, automaton)| Assembler::new(identifier, automaton));
        self.lost = self.assembler.is_none().then_some(None);
        self.block = Some(lexicon);
    }

    /// Control records are the envelope's, whatever application the block names.
    fn control(&self, control: Control, row: &Columns, number: u64) -> Option<Part<'g>> {
        let folded = upper(row);
        let (_, layout) = self.batch.as_ref()?.identify(&folded);
        let password = self.lexicons.password(&folded);
        Some(Part::Control(control, Item { number, row: *row, layout, password }))
    }

    fn detail(&mut self, row: &Columns, parts: &mut Vec<Part<'g>>) {
        let Some(lexicon) = &self.block else { return };
        let folded = upper(row);
        let (symbol, layout) = lexicon.identify(&folded);
        if self.items.len() >= self.most {
            self.unstructured(None, parts);
            self.lost = Some(None);
        }
        if self.lost.is_some() && self.begins(symbol) {
            self.unstructured(None, parts);
        }
        if self.lost.is_none() {
            self.assemble(&folded, symbol.zip(layout), parts);
        }
        self.items.push(Item { number: self.number, row: *row, layout, password: None });
    }

    /// Whether a record of this kind begins a transaction.
    fn begins(&self, symbol: Option<Symbol>) -> bool {
        self.block.as_ref().is_some_and(|lexicon| lexicon.begins(symbol))
    }

    fn assemble(&mut self, folded: &Columns, known: Option<(Symbol, &'g Layout)>, parts: &mut Vec<Part<'g>>) {
        let Some(assembler) = &mut self.assembler else { return };
        let mut finished = None;
        let known_as = known.map(|(symbol, layout)| (symbol, layout.id));
        let Err(fault) = assembler.push_known(folded, known_as, self.number, &mut finished) else {
            if let Some(transaction) = finished {
                self.transaction(transaction, parts);
            }
            return;
        };
        assembler.reset();
        if self.items.is_empty() || !self.begins(known.map(|(symbol, _)| symbol)) {
            self.lost = Some(Some(fault));
            return;
        }
        // what stands before lacks something, and this record begins anew
        self.unstructured(Some(fault), parts);
        self.assemble(folded, known, parts);
    }

    fn end_transaction(&mut self, parts: &mut Vec<Part<'g>>) {
        if self.lost.is_some() {
            return self.unstructured(None, parts);
        }
        match self.assembler.as_mut().map(Assembler::finish) {
            Some(Ok(Some(transaction))) => self.transaction(transaction, parts),
            Some(Err(fault)) => self.unstructured(Some(fault), parts),
            Some(Ok(None)) | None => {}
        }
    }

    fn transaction(&mut self, transaction: Transaction, parts: &mut Vec<Part<'g>>) {
        let items = self.take_items();
        debug_assert_eq!(items.len(), transaction.rows().len());
        let automaton = self.block.as_ref().and_then(|lexicon| lexicon.structure.as_ref());
        let tree = automaton.map(|(_, automaton)| (transaction, *automaton));
        parts.push(Part::Body(Body { items, tree, fault: None }));
    }

    fn take_items(&mut self) -> Vec<Item<'g>> {
        std::mem::replace(&mut self.items, std::mem::take(&mut self.spare))
    }

    /// Gives away what is no transaction; after that the next one may begin.
    fn unstructured(&mut self, fault: Option<Fault>, parts: &mut Vec<Part<'g>>) {
        let told = self.lost.take().flatten();
        if let Some(assembler) = &mut self.assembler {
            assembler.reset();
        } else {
            self.lost = Some(None);
        }
        if !self.items.is_empty() {
            let items = self.take_items();
            parts.push(Part::Body(Body { items, tree: None, fault: fault.or(told) }));
        }
    }

    fn end_block(&mut self, parts: &mut Vec<Part<'g>>) {
        if self.block.is_some() {
            self.end_transaction(parts);
            self.block = None;
            parts.push(Part::BlockEnds);
        }
    }

    fn end_batch(&mut self, parts: &mut Vec<Part<'g>>) {
        self.end_block(parts);
        if self.batch.take().is_some() {
            parts.push(Part::BatchEnds);
        }
    }
}

/// CBP turns lower case letters into upper case before it looks at them (B&B-8).
pub(super) fn upper(row: &Columns) -> Columns {
    let mut folded = *row;
    folded.make_ascii_uppercase();
    folded
}
