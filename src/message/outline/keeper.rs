//! What is made of the records that belong together.

use super::{Body, Item};
use crate::grammar::{Automaton, Fault, Grammar, Layout, Symbol, Transition};
use crate::message::secrets::Secrets;
use crate::message::transaction::{Node, Tree};
use crate::wire::Columns;

/// A record on its way.
#[derive(Clone, Copy)]
pub struct Record<'a, 'g> {
    /// Its number in the stream, from 1.
    pub number: u64,
    /// Its columns, unchanged.
    pub row: &'a Columns,
    /// The same in upper case.
    pub folded: &'a Columns,
    /// Its layout, if it has a known one.
    pub layout: Option<&'g Layout>,
    /// Whether it stands in a block that has no header.
    pub is_outside: bool,
}

impl Record<'_, '_> {
    /// The columns in which a password may stand. A good record is no other one out of step.
    pub(in crate::message) fn hidden(&self, secrets: &Secrets) -> u128 {
        if self.layout.is_some_and(|layout| layout.accepts(self.folded)) {
            return 0;
        }
        secrets.columns(self.row, self.is_outside)
    }
}

/// Where a record stands in the structure of its transaction.
#[derive(Clone, Copy)]
pub struct Place<'g> {
    /// Its kind.
    pub symbol: Symbol,
    /// Which groups end before it, and which begin with it.
    pub transition: &'g Transition,
    /// The structure.
    pub automaton: &'g Automaton,
}

/// Takes the records of a block and makes of them what is handed over as one.
pub trait Keeper<'g> {
    /// What is handed over.
    type Body;

    /// How many records are in hand.
    fn len(&self) -> usize;

    /// Takes a record. Behind one that has no place none has, until they are given up.
    fn take(&mut self, record: Record<'_, 'g>, place: Option<Place<'g>>);

    /// Hands over a whole transaction.
    fn complete(&mut self, automaton: &'g Automaton) -> Self::Body;

    /// Hands over what is none, with what is wrong with it.
    fn give_up(&mut self, fault: Option<Fault>) -> Self::Body;

    /// Takes the memory of what was handed over and is no longer needed.
    fn recycle(&mut self, used: Self::Body);
}

/// Keeps the records as they are, and how they nest.
#[derive(Default)]
pub struct Bodies<'g> {
    /// What tells where passwords may stand; nothing where records are not shown.
    secrets: Option<Secrets>,
    items: Vec<Item<'g>>,
    tree: Tree,
    /// The memory of items that are no longer needed.
    spare: Vec<Item<'g>>,
}

impl<'g> Bodies<'g> {
    /// For records that may be shown.
    pub(super) fn new(grammar: &Grammar) -> Self {
        Self { secrets: Some(Secrets::new(grammar)), ..Self::default() }
    }

    fn take_items(&mut self) -> Vec<Item<'g>> {
        std::mem::replace(&mut self.items, std::mem::take(&mut self.spare))
    }
}

impl<'g> Keeper<'g> for Bodies<'g> {
    type Body = Body<'g>;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn take(&mut self, record: Record<'_, 'g>, place: Option<Place<'g>>) {
        let Record { number, row, folded, layout, .. } = record;
        let hidden = self.secrets.as_ref().map_or(0, |secrets| record.hidden(secrets));
        if let Some(Place { symbol, transition, .. }) = place
            && let Some(layout) = layout
        {
            self.tree.push(folded, number, transition, |group| Node {
                symbol,
                slot: transition.slot,
                layout: layout.id,
                group,
            });
        }
        self.items.push(Item { number, row: *row, layout, hidden });
    }

    fn complete(&mut self, automaton: &'g Automaton) -> Self::Body {
        let transaction = self.tree.take();
        let items = self.take_items();
        debug_assert_eq!(items.len(), transaction.rows().len());
        Body { items, tree: Some((transaction, automaton)), fault: None }
    }

    fn give_up(&mut self, fault: Option<Fault>) -> Self::Body {
        self.tree.reset();
        Body { items: self.take_items(), tree: None, fault }
    }

    fn recycle(&mut self, used: Self::Body) {
        if let Some((transaction, _)) = used.tree {
            self.tree.recycle(transaction);
        }
        self.spare = used.items;
        self.spare.clear();
    }
}
