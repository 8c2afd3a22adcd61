//! Compiles a structure map into the automaton's table.

use std::collections::HashMap;
use std::rc::Rc;

use super::{
    Automaton, DEEPEST, Exceeded, GroupIndex, GroupInfo, Missing, Slot, SlotInfo, Step, Symbol, SymbolInfo,
    Transition, WITHOUT_END,
};
use crate::grammar::layout::{ConditionCode, Designation};
use crate::grammar::structure::{Discriminator, GroupMember, Member, Order, Structure, StructureConditions};

/// Default conditions where the structure names none (batch chapter, B&B-32).
const DEFAULTS: [&str; 6] = ["X33", "X34", "X35", "X36", "X37", "X38"];

/// A member's address: the members on the way down from the root.
type Path = Vec<usize>;

struct Builder<'a> {
    root: &'a GroupMember,
    symbols: Vec<SymbolInfo>,
    symbol_index: HashMap<(String, Option<Discriminator>), Symbol>,
    slots: Vec<SlotInfo>,
    slot_paths: Vec<Path>,
    slot_at: HashMap<Path, Slot>,
    groups: Vec<GroupInfo>,
    group_at: HashMap<Path, GroupIndex>,
    /// The ways into a group, by its path: one row a member to begin with, one column a symbol.
    ways: HashMap<Path, Vec<Vec<Option<Found>>>>,
}

impl Automaton {
    /// Compiles a structure.
    ///
    /// # Errors
    /// A structure with more than 255 kinds of records or without any.
    pub fn compile(structure: &Structure) -> Result<Self, String> {
        let mut builder = Builder {
            root: &structure.root,
            symbols: Vec::new(),
            symbol_index: HashMap::new(),
            slots: Vec::new(),
            slot_paths: Vec::new(),
            slot_at: HashMap::new(),
            groups: Vec::new(),
            group_at: HashMap::new(),
            ways: HashMap::new(),
        };
        builder.number_group(&structure.root, &mut Vec::new(), 0)?;
        if builder.slots.is_empty() {
            return Err(format!("structure {} has no records", structure.root.name));
        }
        builder.find_ways(&mut Vec::new());
        let width = builder.symbols.len();
        let mut table = vec![0_u16; (builder.slots.len() + 1) * width];
        let mut transitions = vec![];
        let mut steps = vec![];
        for state in 0..=builder.slots.len() {
            for symbol in 0..width {
                let symbol = Symbol(u8::try_from(symbol).map_err(|_| "too many kinds of records")?);
                let found = match state {
                    0 => builder.first(symbol),
                    _ => builder.next(&builder.slot_paths[state - 1], symbol),
                };
                if let Some(mut transition) = found {
                    // Without the record that must open its group it stands where it may not.
                    let own = builder.symbols[usize::from(symbol.0)].sequence;
                    if let Some(missing) = &mut transition.missing {
                        missing.condition = own.or(missing.condition);
                    }
                    steps.push(builder.step(&transition));
                    transitions.push(transition);
                    table[state * width + usize::from(symbol.0)] =
                        u16::try_from(transitions.len()).map_err(|_| "structure has too many transitions")?;
                }
            }
        }
        for slot in 0..builder.slots.len() {
            builder.slots[slot].end_missing = builder.missing_at_end(&builder.slot_paths[slot]);
        }
        let conditions = conditions_of(&structure.root.conditions)?;
        let header = builder.symbols[0].record.clone();
        Ok(Self {
            symbols: builder.symbols,
            slots: builder.slots,
            groups: builder.groups,
            table,
            transitions,
            steps,
            conditions,
            header,
        })
    }
}

impl Automaton {
    /// Whether a record of this kind may begin a transaction.
    #[must_use]
    pub fn begins(&self, symbol: Symbol) -> bool {
        self.transitions.get(self.transition(0, symbol)).is_some_and(|first| first.missing.is_none())
    }
}

fn conditions_of(own: &StructureConditions) -> Result<[ConditionCode; 6], String> {
    let given = [own.header_missing, own.unknown, own.sequence, own.exceeded, own.missing, own.gap];
    let mut conditions = Vec::new();
    for (code, default) in given.into_iter().zip(DEFAULTS) {
        conditions.push(code.or_else(|| ConditionCode::new(default)).ok_or("bad default condition")?);
    }
    <[ConditionCode; 6]>::try_from(conditions).map_err(|_| "six conditions".to_owned())
}

/// Where a search for a symbol has led.
#[derive(Clone)]
struct Found {
    path: Rc<[usize]>,
    missing: Option<Missing>,
}

impl Builder<'_> {
    fn number_group(
        &mut self,
        group: &GroupMember,
        path: &mut Path,
        parent: GroupIndex,
    ) -> Result<(), String> {
        let index = GroupIndex::try_from(self.groups.len()).map_err(|_| "too many groups")?;
        if path.len() >= DEEPEST {
            return Err(format!("group {} is nested too deep", group.name));
        }
        self.groups.push(GroupInfo {
            name: group.name.clone(),
            parent,
            maximum: group.maximum,
            exceeded: group.conditions.exceeded,
        });
        self.group_at.insert(path.clone(), index);
        for (position, member) in group.members.iter().enumerate() {
            path.push(position);
            match member {
                Member::Group(inner) => self.number_group(inner, path, index)?,
                Member::Record(record) => {
                    let key = (record.record.clone(), record.discriminator.clone());
                    let next =
                        Symbol(u8::try_from(self.symbols.len()).map_err(|_| "too many kinds of records")?);
                    let symbol = *self.symbol_index.entry(key).or_insert_with(|| {
                        self.symbols.push(SymbolInfo {
                            record: record.record.clone(),
                            discriminator: record.discriminator.clone(),
                            sequence: None,
                        });
                        next
                    });
                    let info = &mut self.symbols[usize::from(symbol.0)];
                    info.sequence = info.sequence.or(record.conditions.sequence);
                    self.slot_at.insert(path.clone(), self.slots.len() as Slot);
                    self.slot_paths.push(path.clone());
                    self.slots.push(SlotInfo {
                        symbol,
                        group: index,
                        maximum: record.maximum,
                        exceeded: record.conditions.exceeded,
                        end_missing: None,
                    });
                }
            }
            path.pop();
        }
        Ok(())
    }

    fn group_member(&self, path: &[usize]) -> &GroupMember {
        let mut group = self.root;
        for &position in path {
            if let Member::Group(inner) = &group.members[position] {
                group = inner;
            }
        }
        group
    }

    /// The ways down into every group, from each of its members on, to a record of each kind: the
    /// first place that comes, and what is passed over on the way.
    fn find_ways(&mut self, path: &mut Path) {
        let group = self.group_member(path);
        let count = group.members.len();
        let order = group.order;
        for position in 0..count {
            if let Member::Group(_) = self.group_member(path).members[position] {
                path.push(position);
                self.find_ways(path);
                path.pop();
            }
        }
        let width = self.symbols.len();
        let mut ways = vec![vec![None; width]; count + 1];
        for position in (0..count).rev() {
            let mut inner = path.clone();
            inner.push(position);
            let (own, passed) = match &self.group_member(path).members[position] {
                Member::Record(record) => {
                    let slot = self.slot_at[&inner];
                    let mut own = vec![None; width];
                    let found = Found { path: inner.as_slice().into(), missing: None };
                    own[usize::from(self.slots[usize::from(slot)].symbol.0)] = Some(found);
                    (own, required(record.designation, &record.record, record.conditions.missing))
                }
                Member::Group(member) => {
                    let own = self.ways[&inner][0].clone();
                    (own, required(member.designation, &member.name, member.conditions.missing))
                }
            };
            // In an unordered group only its first member must come before the others.
            let passed = passed.filter(|_| match order {
                Order::Sequence => true,
                Order::Unordered => position == 0,
                Order::Choice => false,
            });
            let further = ways[position + 1].iter().map(|way: &Option<Found>| {
                way.as_ref().map(|way| Found {
                    path: Rc::clone(&way.path),
                    missing: passed.clone().or_else(|| way.missing.clone()),
                })
            });
            ways[position] =
                own.into_iter().zip(further).map(|(own, further)| nearest(own, further)).collect();
        }
        self.ways.insert(path.clone(), ways);
    }

    fn descend(&self, group_path: &[usize], from: usize, symbol: Symbol) -> Option<Found> {
        self.ways.get(group_path)?.get(from)?.get(usize::from(symbol.0))?.clone()
    }

    fn first(&self, symbol: Symbol) -> Option<Transition> {
        let found = self.descend(&[], 0, symbol)?;
        Some(self.transition(&[], found, false, 0, false))
    }

    /// Where a record of this kind may stand after the record at `path`: the nearest place wins that
    /// passes over nothing required, then one that stands too often, then the nearest that passes over.
    fn next(&self, path: &[usize], symbol: Symbol) -> Option<Transition> {
        let mut second_best = None;
        let mut exceeding = None;
        let depth = path.len() - 1;
        let mut left_behind: Option<Missing> = None;
        let here = self.slot_at[path];
        if self.slots[usize::from(here)].symbol == symbol {
            let found = Found { path: path.into(), missing: None };
            let mut transition = self.transition(&path[..depth], found, false, 0, true);
            if self.slots[usize::from(here)].maximum == Some(1) {
                let info = &self.slots[usize::from(here)];
                // The record that opens a group stands for the group.
                let group = &self.groups[usize::from(info.group)];
                let group_condition = group.exceeded.filter(|_| path[depth] == 0);

                let what = self.symbols[usize::from(symbol.0)].record.clone();
                transition.exceeded = Some(Box::new(Exceeded {
                    what,
                    maximum: 1,
                    condition: info.exceeded.or(group_condition),
                }));
                exceeding = Some(transition);
            } else {
                return Some(transition);
            }
        }
        for level in (0..=depth).rev() {
            let group_path = &path[..level];
            let group = self.group_member(group_path);
            let leave = depth - level;
            let from = match group.order {
                Order::Sequence => path[level] + 1,
                Order::Unordered => 1,
                Order::Choice => group.members.len(),
            };
            if let Some(found) = self.descend(group_path, from, symbol) {
                // Of an unordered group's own members none is passed over by another.
                let again_after = group.order == Order::Unordered && found.path[..=level] == path[..=level];
                if !again_after {
                    let missing = left_behind.clone().or_else(|| found.missing.clone());
                    let mut transition = self.transition(group_path, found, false, leave, false);
                    transition.missing = missing.map(Box::new);
                    if transition.missing.is_none() {
                        return Some(transition);
                    }
                    second_best = second_best.or(Some(transition));
                }
            }
            left_behind = left_behind.or_else(|| self.missing_after(group_path, path[level]));
            // A transaction that begins with another record than its header is no transaction.
            let begins = |found: &Found| level > 0 || found.missing.is_none();
            if let Some(found) = self.descend(group_path, 0, symbol).filter(begins) {
                let missing = left_behind.clone().or_else(|| found.missing.clone());
                let repeats = group.maximum != Some(1);
                let mut transition = self.transition(group_path, found, true, leave, false);
                transition.missing = missing.map(Box::new);
                if !repeats {
                    let what = group.name.clone();
                    let condition = group.conditions.exceeded;
                    transition.exceeded = Some(Box::new(Exceeded { what, maximum: 1, condition }));
                    // A group of one that begins with another record than its first is out of order.
                    let first = self
                        .descend(group_path, 0, symbol)
                        .is_some_and(|f| f.path[level..].iter().all(|&p| p == 0));
                    if first {
                        exceeding = exceeding.or(Some(transition));
                    }
                } else if transition.missing.is_none() {
                    return Some(transition);
                } else {
                    second_best = second_best.or(Some(transition));
                }
            }
        }
        exceeding.or(second_best)
    }

    /// What is required in a group behind one of its members.
    fn missing_after(&self, group_path: &[usize], position: usize) -> Option<Missing> {
        let group = self.group_member(group_path);
        if group.order != Order::Sequence {
            return None;
        }
        group.members.iter().skip(position + 1).find_map(|member| match member {
            Member::Record(record) => required(record.designation, &record.record, record.conditions.missing),
            Member::Group(inner) => required(inner.designation, &inner.name, inner.conditions.missing),
        })
    }

    fn missing_at_end(&self, path: &[usize]) -> Option<Missing> {
        (0..path.len()).rev().find_map(|level| self.missing_after(&path[..level], path[level]))
    }

    fn step(&self, transition: &Transition) -> Step {
        let slot = &self.slots[usize::from(transition.slot)];
        let mut group = slot.group;
        for _ in &transition.enter {
            group = self.groups[usize::from(group)].parent;
        }
        let mut depth = 0;
        let mut outer = group;
        while outer != 0 {
            depth += 1;
            outer = self.groups[usize::from(outer)].parent;
        }
        let is_fault = transition.missing.is_some() || transition.exceeded.is_some();
        let maximum = match (transition.same, transition.again) {
            _ if is_fault => Some(0),
            (true, _) => slot.maximum,
            // The first transaction is not counted when it begins.
            (_, true) if group == 0 => self.groups[0].maximum.map(|maximum| maximum.saturating_sub(1)),
            (_, true) => self.groups[usize::from(group)].maximum,
            _ => None,
        };
        Step {
            state: transition.slot + 1,
            depth,
            enter: transition.enter.len() as u8,
            again: transition.again,
            same: transition.same,
            maximum: maximum.unwrap_or(WITHOUT_END),
        }
    }

    fn transition(
        &self,
        group_path: &[usize],
        found: Found,
        again: bool,
        leave: usize,
        same: bool,
    ) -> Transition {
        let slot = self.slot_at[&*found.path];
        let enter = (group_path.len() + 1..found.path.len())
            .map(|length| self.group_at[&found.path[..length]])
            .collect::<Vec<_>>();
        Transition {
            slot,
            leave: leave as u8,
            again,
            same,
            enter: enter.into_boxed_slice(),
            missing: found.missing.map(Box::new),
            exceeded: None,
        }
    }
}

/// The nearer of two ways, unless only the farther one passes over nothing required.
fn nearest(near: Option<Found>, far: Option<Found>) -> Option<Found> {
    let complete = |way: &Option<Found>| way.as_ref().is_some_and(|way| way.missing.is_none());
    if !complete(&near) && complete(&far) { far } else { near.or(far) }
}

fn required(designation: Designation, what: &str, condition: Option<ConditionCode>) -> Option<Missing> {
    (designation == Designation::Mandatory).then(|| Missing { what: what.to_owned(), condition })
}
