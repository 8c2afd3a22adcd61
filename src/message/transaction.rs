//! A transaction as a tree: groups and records in the order they stood.

use std::ops::Range;

use crate::grammar::{Automaton, Cursor, Fault, GroupIndex, LayoutId, Slot, Symbol, Transition};
use crate::message::identify::Identifier;
use crate::wire::Columns;

/// A record of a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Its kind.
    pub symbol: Symbol,
    /// Its place in the structure.
    pub slot: Slot,
    /// Its layout, the right variant.
    pub layout: LayoutId,
    /// The group instance it stands in: an index into [`Transaction::groups`].
    pub group: u32,
}

/// An instance of a group.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Which group of the structure it is.
    pub index: GroupIndex,
    /// The instance around it; the root is its own parent.
    pub parent: u32,
    /// Its first record.
    pub first: u32,
    /// Behind its last record.
    pub end: u32,
    /// Behind its last descendant group: the next group that is not inside this one.
    pub groups_end: u32,
    /// How many instances of the same group stand before it in its parent, plus one.
    pub occurrence: u32,
}

/// The records of one transaction and the groups they form.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    rows: Vec<Columns>,
    nodes: Vec<Node>,
    groups: Vec<Group>,
    /// The records' positions by kind, in order; built when the transaction is complete.
    by_symbol: Vec<Vec<u32>>,
    first_record: u64,
}

impl Transaction {
    /// The records' columns, in order.
    #[must_use]
    pub fn rows(&self) -> &[Columns] {
        &self.rows
    }

    /// The records' kinds and places, in order.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The group instances, in the order they began; the first is the transaction itself.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The number of its first record, as given to [`Assembler::push`].
    #[must_use]
    pub fn first_record(&self) -> u64 {
        self.first_record
    }

    /// The whole transaction.
    #[must_use]
    pub fn root(&self) -> GroupRef<'_> {
        GroupRef { transaction: self, index: 0 }
    }

    /// All records of a kind in a range of records, such as a group's.
    #[must_use]
    pub fn records_within(&self, symbol: Symbol, range: Range<u32>) -> &[u32] {
        let Some(all) = self.by_symbol.get(usize::from(symbol.0)) else {
            return &[];
        };
        let from = all.partition_point(|&record| record < range.start);
        let to = all.partition_point(|&record| record < range.end);
        &all[from..to]
    }

    /// All records of a kind.
    #[must_use]
    pub fn records_of(&self, symbol: Symbol) -> &[u32] {
        self.by_symbol.get(usize::from(symbol.0)).map_or(&[], Vec::as_slice)
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.nodes.clear();
        self.groups.clear();
        self.by_symbol.iter_mut().for_each(Vec::clear);
    }
}

/// A view of one group instance.
#[derive(Clone, Copy, Debug)]
pub struct GroupRef<'a> {
    transaction: &'a Transaction,
    index: u32,
}

impl<'a> GroupRef<'a> {
    /// The instance itself.
    #[must_use]
    pub fn group(&self) -> &'a Group {
        &self.transaction.groups[self.index as usize]
    }

    /// Its position in [`Transaction::groups`].
    #[must_use]
    pub fn instance(&self) -> u32 {
        self.index
    }

    /// The range of all its records, those of inner groups included.
    #[must_use]
    pub fn range(&self) -> Range<u32> {
        let group = self.group();
        group.first..group.end
    }

    /// The records that stand in this group itself, with their positions.
    pub fn records(&self) -> impl Iterator<Item = (u32, &'a Node, &'a Columns)> + use<'a> {
        let index = self.index;
        let transaction = self.transaction;
        self.range().filter_map(move |position| {
            let node = &transaction.nodes[position as usize];
            (node.group == index).then(|| (position, node, &transaction.rows[position as usize]))
        })
    }

    /// The first record of a kind that stands in this group itself.
    #[must_use]
    pub fn record(&self, symbol: Symbol) -> Option<&'a Columns> {
        self.transaction
            .records_within(symbol, self.range())
            .iter()
            .find(|&&position| self.transaction.nodes[position as usize].group == self.index)
            .map(|&position| &self.transaction.rows[position as usize])
    }

    /// The group instances directly in this one.
    pub fn groups(&self) -> impl Iterator<Item = GroupRef<'a>> + use<'a> {
        let transaction = self.transaction;
        let end = self.group().groups_end;
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let current = GroupRef { transaction, index: next };
            next = current.group().groups_end;
            Some(current)
        })
    }
}

/// Builds transactions from records as they come.
#[derive(Debug)]
pub struct Assembler<'g> {
    automaton: &'g Automaton,
    identifier: Identifier<'g>,
    cursor: Cursor,
    tree: Tree,
    /// How many records a transaction may have.
    limit: Option<usize>,
}

impl<'g> Assembler<'g> {
    /// An assembler of an application's transactions.
    #[must_use]
    pub fn new(identifier: Identifier<'g>, automaton: &'g Automaton) -> Self {
        Self { automaton, identifier, cursor: Cursor::default(), tree: Tree::default(), limit: None }
    }

    /// The same, for transactions of at most so many records; more is one loop too many.
    #[must_use]
    pub fn with_limit(self, records: Option<usize>) -> Self {
        Self { limit: records, ..self }
    }

    /// Takes a record. If it begins the next transaction, the one before it is complete and put
    /// into `finished`.
    ///
    /// # Errors
    /// The record may not stand here, or the transaction before it lacks something.
    pub fn push(
        &mut self,
        columns: &Columns,
        number: u64,
        finished: &mut Option<Transaction>,
    ) -> Result<(), Fault> {
        let Some((symbol, layout)) = self.identifier.identify(columns) else {
            return Err(self.cursor.unknown(self.automaton, self.identifier.shown(columns)));
        };
        let transition = self.cursor.step(self.automaton, symbol)?;
        let begins = self.cursor.begins() && !self.tree.is_empty();
        if let Some(limit) = self.limit.filter(|limit| !begins && self.tree.len() >= *limit) {
            return Err(self.automaton.too_long(limit));
        }
        if begins {
            *finished = Some(self.tree.take());
        }
        self.tree.push(columns, number, transition, |group| Node {
            symbol,
            slot: transition.slot,
            layout,
            group,
        });
        Ok(())
    }

    /// Ends the last transaction.
    ///
    /// # Errors
    /// It lacks something.
    pub fn finish(&mut self) -> Result<Option<Transaction>, Fault> {
        if self.tree.is_empty() {
            return Ok(None);
        }
        self.cursor.finish(self.automaton)?;
        self.cursor.reset();
        Ok(Some(self.tree.take()))
    }

    /// Gives a used transaction's memory back for a later one.
    pub fn recycle(&mut self, used: Transaction) {
        self.tree.recycle(used);
    }
}

/// A transaction that grows.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// The instances that are open, outermost first.
    open: Vec<u32>,
    current: Transaction,
    /// The memory of a transaction that is no longer needed.
    spare: Transaction,
}

impl Tree {
    /// Whether no transaction has begun.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// How many records it has.
    pub(super) fn len(&self) -> usize {
        self.current.rows.len()
    }

    /// Adds a record; a transaction begins with it, if there is none.
    pub(super) fn push(
        &mut self,
        columns: &Columns,
        number: u64,
        transition: &Transition,
        node: impl FnOnce(u32) -> Node,
    ) {
        let at = self.current.rows.len() as u32;
        if self.open.is_empty() {
            self.begin(number);
        } else {
            self.close(self.open.len() - usize::from(transition.leave), at);
            if transition.again {
                self.reopen(at);
            }
        }
        let at = self.current.rows.len() as u32;
        for &index in &transition.enter {
            self.enter(index, at);
        }
        self.current.rows.push(*columns);
        self.current.nodes.push(node(self.open.last().copied().unwrap_or_default()));
    }

    /// Drops what has been taken of the current transaction; the next record is to begin one.
    pub(super) fn reset(&mut self) {
        self.open.clear();
        self.current.clear();
    }

    /// Gives a used transaction's memory back for a later one.
    pub(super) fn recycle(&mut self, mut used: Transaction) {
        used.clear();
        self.spare = used;
    }

    fn begin(&mut self, number: u64) {
        self.current = std::mem::take(&mut self.spare);
        self.current.first_record = number;
        self.current.groups.push(Group {
            index: 0,
            parent: 0,
            first: 0,
            end: 0,
            groups_end: 0,
            occurrence: 1,
        });
        self.open.push(0);
    }

    fn enter(&mut self, index: GroupIndex, at: u32) {
        let parent = self.open.last().copied().unwrap_or_default();
        let siblings = self.current.groups[parent as usize + 1..]
            .iter()
            .rev()
            .find(|group| group.parent == parent && group.index == index);
        let occurrence = siblings.map_or(1, |group| group.occurrence + 1);
        self.push_group(index, parent, at, occurrence);
    }

    fn reopen(&mut self, at: u32) {
        let Some(last) = self.open.pop() else { return };
        let count = self.current.groups.len() as u32;
        let group = &mut self.current.groups[last as usize];
        group.end = at;
        group.groups_end = count;
        let (index, parent, occurrence) = (group.index, group.parent, group.occurrence + 1);
        self.push_group(index, parent, at, occurrence);
    }

    fn push_group(&mut self, index: GroupIndex, parent: u32, at: u32, occurrence: u32) {
        self.open.push(self.current.groups.len() as u32);
        self.current.groups.push(Group { index, parent, first: at, end: at, groups_end: 0, occurrence });
    }

    fn close(&mut self, keep: usize, at: u32) {
        let count = self.current.groups.len() as u32;
        for instance in self.open.drain(keep..) {
            let group = &mut self.current.groups[instance as usize];
            group.end = at;
            group.groups_end = count;
        }
    }

    /// Ends the transaction.
    pub(super) fn take(&mut self) -> Transaction {
        let at = self.current.rows.len() as u32;
        self.close(0, at);
        let mut done = std::mem::take(&mut self.current);
        for (position, node) in done.nodes.iter().enumerate() {
            let kind = usize::from(node.symbol.0);
            if done.by_symbol.len() <= kind {
                done.by_symbol.resize_with(kind + 1, Vec::new);
            }
            done.by_symbol[kind].push(position as u32);
        }
        done
    }
}
