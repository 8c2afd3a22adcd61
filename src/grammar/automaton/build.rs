//! Compiles a structure map into the automaton's table.

use std::collections::HashMap;

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
    symbols: Vec<SymbolInfo>,
    symbol_index: HashMap<(String, Option<Discriminator>), Symbol>,
    slots: Vec<SlotInfo>,
    slot_paths: Vec<Path>,
    /// The groups around each slot, the transaction first.
    slot_groups: Vec<Vec<GroupIndex>>,
    groups: Vec<GroupInfo>,
    members: Vec<&'a GroupMember>,
    /// The slot or group that each member of a group is.
    numbers: Vec<Vec<u16>>,
    /// The ways into each group: one row a member to begin with, one column a symbol.
    ways: Vec<Vec<Vec<Option<Found>>>>,
}

impl Automaton {
    /// Compiles a structure.
    ///
    /// # Errors
    /// A structure with more than 255 kinds of records or without any.
    pub fn compile(structure: &Structure) -> Result<Self, String> {
        let mut builder = Builder {
            symbols: Vec::new(),
            symbol_index: HashMap::new(),
            slots: Vec::new(),
            slot_paths: Vec::new(),
            slot_groups: Vec::new(),
            groups: Vec::new(),
            members: Vec::new(),
            numbers: Vec::new(),
            ways: Vec::new(),
        };
        builder.number_group(&structure.root, &mut Vec::new(), &mut Vec::new())?;
        if builder.slots.is_empty() {
            return Err(format!("structure {} has no records", structure.root.name));
        }
        // Groups within a group have higher numbers.
        builder.ways = vec![Vec::new(); builder.groups.len()];
        for group in (0..builder.groups.len()).rev() {
            builder.ways[group] = builder.ways_into(group);
        }
        let width = builder.symbols.len();
        let mut table = vec![0_u16; (builder.slots.len() + 1) * width];
        let mut transitions = vec![];
        let mut numbers = HashMap::new();
        let mut steps = vec![];
        for state in 0..=builder.slots.len() {
            for symbol in 0..width {
                let symbol = Symbol(u8::try_from(symbol).map_err(|_| "too many kinds of records")?);
                let found = match state {
                    0 => builder.first(symbol),
                    _ => builder.next(state - 1, symbol),
                };
                if let Some(mut transition) = found {
                    // Without the record that must open its group it stands where it may not.
                    let own = builder.symbols[usize::from(symbol.0)].sequence;
                    if let Some(missing) = &mut transition.missing {
                        missing.condition = own.or(missing.condition);
                    }
                    // Many states lead on in the same way; few ways stay in the cache.
                    let next = transitions.len() + 1;
                    let number = *numbers.entry(transition).or_insert_with_key(|transition| {
                        steps.push(builder.step(transition));
                        transitions.push(transition.clone());
                        next
                    });
                    table[state * width + usize::from(symbol.0)] =
                        u16::try_from(number).map_err(|_| "structure has too many transitions")?;
                }
            }
        }
        for slot in 0..builder.slots.len() {
            builder.slots[slot].end_missing = builder.missing_at_end(slot);
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
    slot: Slot,
    missing: Option<Missing>,
}

impl<'a> Builder<'a> {
    fn number_group(
        &mut self,
        group: &'a GroupMember,
        path: &mut Path,
        around: &mut Vec<GroupIndex>,
    ) -> Result<(), String> {
        let index = GroupIndex::try_from(self.groups.len()).map_err(|_| "too many groups")?;
        if path.len() >= DEEPEST {
            return Err(format!("group {} is nested too deep", group.name));
        }
        self.groups.push(GroupInfo {
            name: group.name.clone(),
            parent: around.last().copied().unwrap_or_default(),
            maximum: group.maximum,
            exceeded: group.conditions.exceeded,
        });
        self.members.push(group);
        self.numbers.push(Vec::new());
        around.push(index);
        for (position, member) in group.members.iter().enumerate() {
            path.push(position);
            match member {
                Member::Group(inner) => {
                    let number = self.groups.len() as u16;
                    self.numbers[usize::from(index)].push(number);
                    self.number_group(inner, path, around)?;
                }
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
                    self.numbers[usize::from(index)].push(self.slots.len() as Slot);
                    self.slot_paths.push(path.clone());
                    self.slot_groups.push(around.clone());
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
        around.pop();
        Ok(())
    }

    /// The ways down into a group, from each of its members on, to a record of each kind: the first
    /// place that comes, and what is passed over on the way.
    fn ways_into(&self, group: usize) -> Vec<Vec<Option<Found>>> {
        let GroupMember { members, order, .. } = self.members[group];
        let count = members.len();
        let width = self.symbols.len();
        let mut ways = vec![vec![None; width]; count + 1];
        for position in (0..count).rev() {
            let number = self.numbers[group][position];
            let (own, passed) = match &members[position] {
                Member::Record(record) => {
                    let mut own = vec![None; width];
                    let symbol = self.slots[usize::from(number)].symbol;
                    own[usize::from(symbol.0)] = Some(Found { slot: number, missing: None });
                    (own, required(record.designation, &record.record, record.conditions.missing))
                }
                Member::Group(member) => {
                    let own = self.ways[usize::from(number)][0].clone();
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
                    slot: way.slot,
                    missing: passed.clone().or_else(|| way.missing.clone()),
                })
            });
            ways[position] =
                own.into_iter().zip(further).map(|(own, further)| nearest(own, further)).collect();
        }
        ways
    }

    fn descend(&self, group: GroupIndex, from: usize, symbol: Symbol) -> Option<Found> {
        self.ways[usize::from(group)].get(from)?.get(usize::from(symbol.0))?.clone()
    }

    fn first(&self, symbol: Symbol) -> Option<Transition> {
        let found = self.descend(0, 0, symbol)?;
        Some(self.transition(0, found, false, 0, false))
    }

    /// Where a record of this kind may stand after the record `here`: the nearest place wins that
    /// passes over nothing required, then one that stands too often, then the nearest that passes over.
    fn next(&self, here: usize, symbol: Symbol) -> Option<Transition> {
        let path = &self.slot_paths[here];
        let mut second_best = None;
        let mut exceeding = None;
        let depth = path.len() - 1;
        let mut left_behind: Option<Missing> = None;
        let info = &self.slots[here];
        if info.symbol == symbol {
            let found = Found { slot: here as Slot, missing: None };
            let mut transition = self.transition(depth, found, false, 0, true);
            if info.maximum == Some(1) {
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
            let index = self.slot_groups[here][level];
            let group = self.members[usize::from(index)];
            let leave = depth - level;
            let from = match group.order {
                Order::Sequence => path[level] + 1,
                Order::Unordered => 1,
                Order::Choice => group.members.len(),
            };
            if let Some(found) = self.descend(index, from, symbol) {
                // Of an unordered group's own members none is passed over by another.
                let unordered = group.order == Order::Unordered;
                let again_after =
                    unordered && self.slot_paths[usize::from(found.slot)][..=level] == path[..=level];
                if !again_after {
                    let missing = left_behind.clone().or_else(|| found.missing.clone());
                    let mut transition = self.transition(level, found, false, leave, false);
                    transition.missing = missing.map(Box::new);
                    if transition.missing.is_none() {
                        return Some(transition);
                    }
                    second_best = second_best.or(Some(transition));
                }
            }
            left_behind = left_behind.or_else(|| self.missing_after(index, path[level]));
            // A transaction that begins with another record than its header is no transaction.
            let begins = |found: &Found| level > 0 || found.missing.is_none();
            if let Some(found) = self.descend(index, 0, symbol).filter(begins) {
                let missing = left_behind.clone().or_else(|| found.missing.clone());
                let repeats = group.maximum != Some(1);
                let first = self.slot_paths[usize::from(found.slot)][level..].iter().all(|&place| place == 0);
                let mut transition = self.transition(level, found, true, leave, false);
                transition.missing = missing.map(Box::new);
                if !repeats {
                    let what = group.name.clone();
                    let condition = group.conditions.exceeded;
                    transition.exceeded = Some(Box::new(Exceeded { what, maximum: 1, condition }));
                    // A group of one that begins with another record than its first is out of order.
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
    fn missing_after(&self, group: GroupIndex, position: usize) -> Option<Missing> {
        let group = self.members[usize::from(group)];
        if group.order != Order::Sequence {
            return None;
        }
        group.members.iter().skip(position + 1).find_map(|member| match member {
            Member::Record(record) => required(record.designation, &record.record, record.conditions.missing),
            Member::Group(inner) => required(inner.designation, &inner.name, inner.conditions.missing),
        })
    }

    fn missing_at_end(&self, slot: usize) -> Option<Missing> {
        let (path, groups) = (&self.slot_paths[slot], &self.slot_groups[slot]);
        (0..path.len()).rev().find_map(|level| self.missing_after(groups[level], path[level]))
    }

    fn step(&self, transition: &Transition) -> Step {
        let slot = &self.slots[usize::from(transition.slot)];
        let mut group = slot.group;
        for _ in &transition.enter {
            group = self.groups[usize::from(group)].parent;
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
        let depth = self.slot_groups[usize::from(transition.slot)].len() - 1 - transition.enter.len();
        Step {
            state: transition.slot + 1,
            count: (depth + usize::from(transition.same)) as u8,
            counts: transition.same || transition.again,
            begins: depth == 0 && transition.again,
            maximum: maximum.unwrap_or(WITHOUT_END),
        }
    }

    /// The way to a place from within its group of this level.
    fn transition(&self, level: usize, found: Found, again: bool, leave: usize, same: bool) -> Transition {
        let enter = &self.slot_groups[usize::from(found.slot)][level + 1..];
        Transition {
            slot: found.slot,
            leave: leave as u8,
            again,
            same,
            enter: enter.into(),
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
    (designation == Designation::Mandatory).then(|| Missing { what: what.into(), condition })
}
