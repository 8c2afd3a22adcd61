//! Signposts: which E0 reference types lead to a record (ESF-194 to 203).

use super::ast::Counting;
use super::compile::Compiler;
use super::expression::{RecordRef, Spot, nearest};
use super::{Place, RuleError, ast};
use crate::grammar::{Cell, Symbol};
use crate::message::Transaction;

#[derive(Clone, Debug)]
enum Count {
    Sequence,
    /// Over all records of the kind, each with so many items.
    Across,
    Zero,
    Field(Cell),
}

#[derive(Clone, Debug)]
struct Signpost {
    name: String,
    /// The record it stands for; none if it stands for the whole transaction.
    anchor: Option<RecordRef>,
    within: Vec<usize>,
    count: Count,
}

/// All signposts of an application, in the order they are answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Signposts {
    all: Vec<Signpost>,
    /// By record kind, and whether an item is meant.
    of_record: Vec<(Symbol, bool, usize)>,
}

impl Signposts {
    pub(super) fn add(
        &mut self,
        compiler: &Compiler<'_>,
        post: &ast::Signpost,
        offset: usize,
    ) -> Result<(), RuleError> {
        let within = post
            .within
            .iter()
            .map(|name| {
                self.named(&name.node).ok_or_else(|| compiler.wrong(name.offset, "no such signpost yet"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut anchor = None;
        for (position, record) in post.records.iter().enumerate() {
            let (reference, scope) = compiler.record(record)?;
            self.of_record.push((reference.symbol, record.node.items, self.all.len()));
            if position == 0 {
                anchor = Some((reference, scope));
            }
        }
        let count = match &post.counting {
            Counting::Sequence => Count::Sequence,
            Counting::Across => Count::Across,
            Counting::Zero | Counting::Block => Count::Zero,
            Counting::Field(name) => {
                let (_, scope) =
                    anchor.as_ref().ok_or_else(|| compiler.wrong(offset, "a number of which record?"))?;
                Count::Field(compiler.cells(offset, *scope, name)?[0])
            }
        };
        let whole = post.counting == Counting::Block;
        let anchor = anchor.map(|(reference, _)| reference).filter(|_| !whole);
        self.all.push(Signpost { name: post.name.clone(), anchor, within, count });
        Ok(())
    }

    /// Whether there is none, not even of the whole transaction.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|post| post.name == name)
    }

    /// The signpost of a record, or of an item in it.
    pub(super) fn of(&self, symbol: Symbol, item: bool) -> Option<usize> {
        let find = |item: bool| {
            let mut all = self.of_record.iter();
            all.find(|(known, of_item, _)| *known == symbol && *of_item == item).map(|(_, _, index)| *index)
        };
        if item { find(true).or_else(|| find(false)) } else { find(false) }
    }

    /// The signposts to a place, outermost first.
    pub(super) fn places(&self, transaction: &Transaction, index: usize, spot: Spot) -> Vec<Place> {
        let post = &self.all[index];
        let record = post
            .anchor
            .as_ref()
            .map_or(0, |anchor| nearest(transaction, anchor, spot.record).unwrap_or(spot.record));
        let of_items = post.anchor.as_ref().is_some_and(|anchor| anchor.items > 0);
        let item = if of_items { spot.item } else { 0 };
        let outer = post
            .within
            .iter()
            .find_map(|&outer| Some((outer, self.anchor_around(transaction, outer, record)?)));
        let mut places = outer.map_or_else(Vec::new, |(outer, around)| {
            self.places(transaction, outer, Spot { record: around, item: 0 })
        });
        let occurrence = match &post.count {
            Count::Zero => 0,
            Count::Field(cell) => {
                let number = cell.digits(&transaction.rows()[record as usize]).ok().flatten();
                number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
            }
            Count::Sequence if of_items => u32::from(item),
            Count::Sequence => {
                let from = outer.map_or(0, |(_, around)| around);
                self.ordinal(transaction, post, from, record)
            }
            Count::Across => {
                let items = post.anchor.as_ref().map_or(1, |anchor| u32::from(anchor.items));
                (self.ordinal(transaction, post, 0, record) - 1) * items + u32::from(item)
            }
        };
        places.push(Place { signpost: post.name.clone(), occurrence, record, item });
        places
    }

    /// The record an outer signpost stands for, if it stands before this record.
    fn anchor_around(&self, transaction: &Transaction, outer: usize, record: u32) -> Option<u32> {
        let Some(anchor) = &self.all[outer].anchor else { return Some(record) };
        nearest(transaction, anchor, record).filter(|&found| found <= record)
    }

    fn ordinal(&self, transaction: &Transaction, post: &Signpost, from: u32, record: u32) -> u32 {
        post.anchor
            .as_ref()
            .map_or(0, |anchor| transaction.records_within(anchor.symbol, from..record + 1).len() as u32)
    }

    /// A name's place in the order of answers.
    pub(super) fn rank(&self, name: &str) -> usize {
        self.named(name).unwrap_or(usize::MAX)
    }
}

/// The first signpost stands for the whole transaction and for what has no other.
pub(super) const WHOLE: usize = 0;
