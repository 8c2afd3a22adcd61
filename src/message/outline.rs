//! A stream of records as batches, blocks and transactions, whatever is wrong with it.

mod keeper;

use std::rc::Rc;

use super::identify::Identifier;
use super::lexicon::{Lexicon, Lexicons};
use super::secrets::Secrets;
use super::transaction::{GroupRef, Transaction};
use crate::grammar::{Automaton, Cursor, Direction, Fault, Field, Grammar, Layout, Symbol};
use crate::wire::{Columns, Limits};

pub(super) use keeper::{Bodies, Keeper, Place, Record};

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
    pub(super) fn of(row: &Columns) -> Option<Self> {
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
    /// The columns in which a password may stand, whatever its layout says; bit 0 is column 1.
    pub hidden: u128,
}

impl Item<'_> {
    /// Whether what stands in a field is not to be shown.
    #[must_use]
    pub fn hides(&self, field: &Field) -> bool {
        self.hidden & field.cell.mask() != 0 && !field.cell.is_blank(&self.row)
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
pub enum Part<'g, B = Body<'g>> {
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
    Body(B),
    /// The block has ended.
    BlockEnds,
    /// The batch has ended.
    BatchEnds,
}

/// Finds the parts of a stream. Takes any records in any order and gives each of them back once, in
/// order; holds one transaction at most.
pub struct Outline<'g, K = Bodies<'g>> {
    lexicons: Lexicons<'g>,
    secrets: Secrets,
    /// The most records that are kept together.
    most: usize,
    number: u64,
    /// An A-record whose application may be known by the next record.
    held: Option<Columns>,
    batch: Option<Rc<Lexicon<'g>>>,
    block: Option<Rc<Lexicon<'g>>>,
    /// Whether the block began with a header.
    has_header: bool,
    /// How far the current transaction has come.
    cursor: Cursor,
    /// The records of the current transaction.
    keeper: K,
    /// Set while no transaction can be made of the records; holds the fault that is not yet told.
    lost: Option<Option<Fault>>,
}

impl<'g> Outline<'g> {
    /// An outline of one stream.
    #[must_use]
    pub fn new(grammar: &'g Grammar) -> Self {
        Self::with(grammar, Bodies::new(grammar))
    }
}

impl<'g, K: Keeper<'g>> Outline<'g, K> {
    /// An outline of one stream whose transactions become something else.
    pub(super) fn with(grammar: &'g Grammar, keeper: K) -> Self {
        Self {
            lexicons: Lexicons::new(grammar),
            secrets: Secrets::new(grammar),
            most: Limits::default().records_per_transaction,
            number: 0,
            held: None,
            batch: None,
            block: None,
            has_header: false,
            cursor: Cursor::default(),
            keeper,
            lost: None,
        }
    }

    /// What keeps the records.
    pub(super) fn keeper(&mut self) -> &mut K {
        &mut self.keeper
    }

    /// Takes the next record; adds the parts that are complete.
    pub fn push(&mut self, row: &Columns, parts: &mut Vec<Part<'g, K::Body>>) {
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
    pub fn recycle(&mut self, body: K::Body) {
        self.keeper.recycle(body);
    }

    /// Ends the stream.
    pub fn finish(&mut self, parts: &mut Vec<Part<'g, K::Body>>) {
        if let Some(header) = self.held.take() {
            self.begin_batch(&header, None, parts);
        }
        self.end_batch(parts);
    }

    fn begin_batch(&mut self, header: &Columns, next: Option<&Columns>, parts: &mut Vec<Part<'g, K::Body>>) {
        self.open_batch(header, next, parts);
        parts.extend(self.control(Control::BatchHeader, header, self.number));
    }

    fn open_batch(&mut self, first: &Columns, second: Option<&Columns>, parts: &mut Vec<Part<'g, K::Body>>) {
        let lexicon = self.lexicons.of_batch(first, second);
        parts.push(Part::BatchBegins {
            application: lexicon.application.clone(),
            direction: lexicon.direction,
        });
        self.batch = Some(lexicon);
    }

    fn block_header(&mut self, row: &Columns, parts: &mut Vec<Part<'g, K::Body>>) {
        self.end_block(parts);
        let Some(batch) = &self.batch else { return };
        let lexicon = self.lexicons.of_block(batch, row);
        self.sit_down(lexicon);
        self.has_header = true;
        parts.push(Part::BlockBegins);
        parts.extend(self.control(Control::BlockHeader, row, self.number));
    }

    /// Begins a block without a header, unless one has begun.
    fn open_block(&mut self, parts: &mut Vec<Part<'g, K::Body>>) {
        if self.block.is_none()
            && let Some(batch) = self.batch.clone()
        {
            self.sit_down(batch);
            self.has_header = false;
            parts.push(Part::BlockBegins);
        }
    }

    fn sit_down(&mut self, lexicon: Rc<Lexicon<'g>>) {
        self.cursor.reset();
        self.lost = lexicon.structure.is_none().then_some(None);
        self.block = Some(lexicon);
    }

    /// Control records are the envelope's, whatever application the block names.
    fn control(&self, control: Control, row: &Columns, number: u64) -> Option<Part<'g, K::Body>> {
        let folded = upper(row);
        let (_, layout) = self.batch.as_ref()?.identify(&folded);
        let hidden = self.secrets.columns(row, true);
        Some(Part::Control(control, Item { number, row: *row, layout, hidden }))
    }

    fn detail(&mut self, row: &Columns, parts: &mut Vec<Part<'g, K::Body>>) {
        let Some(lexicon) = &self.block else { return };
        let folded = upper(row);
        let (symbol, layout) = lexicon.identify(&folded);
        if self.keeper.len() >= self.most {
            self.unstructured(None, parts);
            self.lost = Some(None);
        }
        if self.lost.is_some() && self.begins(symbol) {
            self.unstructured(None, parts);
        }
        let is_outside = !self.has_header;
        let record = Record { number: self.number, row, folded: &folded, layout, is_outside };
        if self.lost.is_none() {
            self.assemble(record, symbol, parts);
        } else {
            self.keeper.take(record, None);
        }
    }

    /// How the block's records are told apart, and how its transactions are made.
    fn structure(&self) -> Option<(&Identifier<'g>, &'g Automaton)> {
        self.block.as_ref()?.structure.as_ref().map(|(identifier, automaton)| (identifier, *automaton))
    }

    /// Whether a record of this kind begins a transaction.
    fn begins(&self, symbol: Option<Symbol>) -> bool {
        self.block.as_ref().is_some_and(|lexicon| lexicon.begins(symbol))
    }

    fn assemble(
        &mut self,
        record: Record<'_, 'g>,
        symbol: Option<Symbol>,
        parts: &mut Vec<Part<'g, K::Body>>,
    ) {
        let Some((identifier, automaton)) = self.structure() else {
            return self.keeper.take(record, None);
        };
        let stepped = match symbol {
            None => Err(self.cursor.unknown(automaton, identifier.shown(record.folded))),
            Some(symbol) => self.cursor.step(automaton, symbol).map(|transition| (symbol, transition)),
        };
        let fault = match stepped {
            Ok((symbol, transition)) => {
                if self.cursor.begins() && self.keeper.len() > 0 {
                    parts.push(Part::Body(self.keeper.complete(automaton)));
                }
                return self.keeper.take(record, Some(Place { symbol, transition, automaton }));
            }
            Err(fault) => fault,
        };
        self.cursor.reset();
        if self.keeper.len() == 0 || !self.begins(symbol) {
            self.lost = Some(Some(fault));
            return self.keeper.take(record, None);
        }
        // what stands before lacks something, and this record begins anew
        self.unstructured(Some(fault), parts);
        self.assemble(record, symbol, parts);
    }

    fn end_transaction(&mut self, parts: &mut Vec<Part<'g, K::Body>>) {
        let Some((_, automaton)) = self.structure().filter(|_| self.lost.is_none()) else {
            return self.unstructured(None, parts);
        };
        if self.keeper.len() == 0 {
            return;
        }
        if let Err(fault) = self.cursor.finish(automaton) {
            return self.unstructured(Some(fault), parts);
        }
        self.cursor.reset();
        parts.push(Part::Body(self.keeper.complete(automaton)));
    }

    /// Gives away what is no transaction; after that the next one may begin.
    fn unstructured(&mut self, fault: Option<Fault>, parts: &mut Vec<Part<'g, K::Body>>) {
        let told = self.lost.take().flatten();
        self.cursor.reset();
        if self.structure().is_none() {
            self.lost = Some(None);
        }
        if self.keeper.len() > 0 {
            parts.push(Part::Body(self.keeper.give_up(fault.or(told))));
        }
    }

    fn end_block(&mut self, parts: &mut Vec<Part<'g, K::Body>>) {
        if self.block.is_some() {
            self.end_transaction(parts);
            self.block = None;
            parts.push(Part::BlockEnds);
        }
    }

    fn end_batch(&mut self, parts: &mut Vec<Part<'g, K::Body>>) {
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
