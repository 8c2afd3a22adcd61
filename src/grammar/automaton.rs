//! A structure map compiled to a table: one lookup a record says whether it may stand here, which
//! groups it closes and which it opens.

use std::collections::HashMap;
use std::rc::Rc;

use super::layout::{ConditionCode, Designation};
use super::structure::{Discriminator, GroupMember, Member, Structure, StructureConditions};

/// A kind of record in one structure: a control identifier, or one of the places that share one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Symbol(pub u8);

/// A record's place in a structure.
pub type Slot = u16;

/// A group's place in a structure; 0 is the transaction itself.
pub type GroupIndex = u16;

/// What happens when a record follows another one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transition {
    /// The place of the record that follows.
    pub slot: Slot,
    /// How many groups end before it.
    pub leave: u8,
    /// Whether the group that is then innermost begins once more.
    pub again: bool,
    /// The groups that begin with it, outermost first.
    pub enter: Box<[GroupIndex]>,
    /// Whether it repeats the record before it.
    pub same: bool,
    /// The required record or group that was passed over.
    pub missing: Option<Missing>,
    /// The place that stands more often than its maximum of one.
    pub exceeded: Option<Exceeded>,
}

/// A required record or group that does not stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Missing {
    /// The record's identifier or the group's name.
    pub what: String,
    /// The condition, if this place has one of its own.
    pub condition: Option<ConditionCode>,
}

/// A record or group that stands too often.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exceeded {
    /// The record's identifier or the group's name.
    pub what: String,
    /// How often it may stand.
    pub maximum: u32,
    /// The condition, if this place has one of its own.
    pub condition: Option<ConditionCode>,
}

/// A fault of structure.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The transaction does not begin with its header record.
    #[error("transaction does not begin with record {expected}")]
    HeaderMissing {
        /// The record that begins a transaction.
        expected: String,
        /// The condition it raises.
        condition: ConditionCode,
    },
    /// A record identifier that the application does not have.
    #[error("record identifier {found:?} is unknown here")]
    UnknownRecord {
        /// The first columns of the record.
        found: String,
        /// The condition it raises.
        condition: ConditionCode,
    },
    /// A record in the wrong place.
    #[error("record {found} may not follow record {after}")]
    OutOfSequence {
        /// The record.
        found: String,
        /// The record before it.
        after: String,
        /// The condition it raises.
        condition: ConditionCode,
    },
    /// More repeats than allowed.
    #[error("{what} stands more than {maximum} times")]
    LoopExceeded {
        /// The record or group.
        what: String,
        /// How often it may stand.
        maximum: u32,
        /// The condition it raises.
        condition: ConditionCode,
    },
    /// A required record or group is missing.
    #[error("{what} is missing")]
    MissingRecord {
        /// The record or group.
        what: String,
        /// The condition it raises.
        condition: ConditionCode,
    },
}

impl Fault {
    /// The condition it raises.
    #[must_use]
    pub fn condition(&self) -> ConditionCode {
        match self {
            Self::HeaderMissing { condition, .. }
            | Self::UnknownRecord { condition, .. }
            | Self::OutOfSequence { condition, .. }
            | Self::LoopExceeded { condition, .. }
            | Self::MissingRecord { condition, .. } => *condition,
        }
    }
}

/// What is known of a group.
#[derive(Clone, Debug)]
pub struct GroupInfo {
    /// Its name.
    pub name: String,
    /// The group around it.
    pub parent: GroupIndex,
    maximum: Option<u32>,
    exceeded: Option<ConditionCode>,
}

/// What is known of a record's place.
#[derive(Clone, Debug)]
pub struct SlotInfo {
    /// The record's kind.
    pub symbol: Symbol,
    /// The group it stands in.
    pub group: GroupIndex,
    maximum: Option<u32>,
    exceeded: Option<ConditionCode>,
    /// What is missing if the transaction ends here.
    end_missing: Option<Missing>,
}

#[derive(Clone, Debug)]
struct SymbolInfo {
    record: String,
    discriminator: Option<Discriminator>,
    /// What it raises where it may not stand, if its places name a condition of their own.
    sequence: Option<ConditionCode>,
}

/// Default conditions where the structure names none (batch chapter, B&B-32).
const DEFAULTS: [&str; 6] = ["X33", "X34", "X35", "X36", "X37", "X38"];

/// A compiled structure.
#[derive(Clone, Debug)]
pub struct Automaton {
    symbols: Vec<SymbolInfo>,
    slots: Vec<SlotInfo>,
    groups: Vec<GroupInfo>,
    /// One row a state (0 before any record, then one a slot), one column a symbol; 0 is none.
    table: Vec<u16>,
    transitions: Vec<Transition>,
    conditions: [ConditionCode; 6],
    header: String,
}

/// A member's address: the members on the way down from the root.
type Path = Vec<usize>;

struct Builder<'a> {
    root: &'a GroupMember,
    symbols: Vec<SymbolInfo>,
    symbol_index: HashMap<(String, Option<String>), Symbol>,
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
            conditions,
            header,
        })
    }

    /// The kinds of a record identifier, each with the value that marks it if there are several.
    pub fn symbols_of<'a>(
        &'a self,
        record: &'a str,
    ) -> impl Iterator<Item = (Symbol, Option<&'a Discriminator>)> {
        self.symbols
            .iter()
            .enumerate()
            .filter(move |(_, info)| info.record == record)
            .map(|(index, info)| (Symbol(index as u8), info.discriminator.as_ref()))
    }

    /// The first kind of a record identifier.
    #[must_use]
    pub fn symbol(&self, record: &str) -> Option<Symbol> {
        self.symbols_of(record).map(|(symbol, _)| symbol).next()
    }

    /// All record identifiers, in the order of the map, each once.
    pub fn records(&self) -> impl Iterator<Item = &str> {
        self.symbols.iter().enumerate().filter_map(|(index, info)| {
            let first = self.symbols.iter().position(|other| other.record == info.record);
            (first == Some(index)).then_some(info.record.as_str())
        })
    }

    /// The record identifier of a kind.
    #[must_use]
    pub fn record(&self, symbol: Symbol) -> &str {
        self.symbols.get(usize::from(symbol.0)).map_or("", |info| &info.record)
    }

    /// What is known of a group.
    #[must_use]
    pub fn group(&self, group: GroupIndex) -> &GroupInfo {
        &self.groups[usize::from(group)]
    }

    /// The group with this name; the first of several.
    #[must_use]
    pub fn group_named(&self, name: &str) -> Option<GroupIndex> {
        self.groups.iter().position(|group| group.name == name).map(|index| index as GroupIndex)
    }

    /// All groups, by their index.
    pub fn groups(&self) -> impl Iterator<Item = &GroupInfo> {
        self.groups.iter()
    }

    /// All places, by their index.
    pub fn slots(&self) -> impl Iterator<Item = &SlotInfo> {
        self.slots.iter()
    }

    /// What is known of a place.
    #[must_use]
    pub fn slot(&self, slot: Slot) -> &SlotInfo {
        &self.slots[usize::from(slot)]
    }

    /// The condition for a record identifier that the application does not have.
    #[must_use]
    pub fn unknown_record(&self, found: String) -> Fault {
        Fault::UnknownRecord { found, condition: self.conditions[1] }
    }

    /// The condition for a gap in a row of repeated fields.
    #[must_use]
    pub fn gap_condition(&self) -> ConditionCode {
        self.conditions[5]
    }

    #[inline]
    fn transition(&self, state: u16, symbol: Symbol) -> Option<&Transition> {
        let index = self.table[usize::from(state) * self.symbols.len() + usize::from(symbol.0)];
        self.transitions.get(usize::from(index).wrapping_sub(1))
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
                    let value = record.discriminator.as_ref().map(|mark| mark.value.clone());
                    let key = (record.record.clone(), value);
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
        let unordered = group.unordered;
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
            let passed = passed.filter(|_| !unordered || position == 0);
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
                transition.exceeded =
                    Some(Exceeded { what, maximum: 1, condition: info.exceeded.or(group_condition) });
                exceeding = Some(transition);
            } else {
                return Some(transition);
            }
        }
        for level in (0..=depth).rev() {
            let group_path = &path[..level];
            let group = self.group_member(group_path);
            let leave = depth - level;
            let from = if group.unordered { 1 } else { path[level] + 1 };
            if let Some(found) = self.descend(group_path, from, symbol) {
                // Of an unordered group's own members none is passed over by another.
                let again_after = group.unordered && found.path[..=level] == path[..=level];
                if !again_after {
                    let missing = left_behind.clone().or_else(|| found.missing.clone());
                    let mut transition = self.transition(group_path, found, false, leave, false);
                    transition.missing = missing;
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
                transition.missing = missing;
                if !repeats {
                    let what = group.name.clone();
                    let condition = group.conditions.exceeded;
                    transition.exceeded = Some(Exceeded { what, maximum: 1, condition });
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
        if group.unordered {
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
            enter: enter.into_boxed_slice(),
            same,
            missing: found.missing,
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

#[derive(Clone, Copy, Debug)]
struct Open {
    group: GroupIndex,
    count: u32,
}

/// Walks an automaton, record by record.
#[derive(Clone, Debug)]
pub struct Cursor {
    state: u16,
    repeats: u32,
    open: Vec<Open>,
}

impl Default for Cursor {
    fn default() -> Self {
        Self { state: 0, repeats: 0, open: vec![Open { group: 0, count: 1 }] }
    }
}

impl Cursor {
    /// Begins a transaction anew.
    pub fn reset(&mut self) {
        self.state = 0;
        self.repeats = 0;
        self.open.truncate(1);
        self.open[0].count = 1;
    }

    /// Whether no record has been taken yet.
    #[must_use]
    pub fn is_at_start(&self) -> bool {
        self.state == 0
    }

    /// How many groups are open, the transaction itself included.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Takes the next record; the transition says which groups ended and began. A transition that
    /// leaves down to the transaction itself `again` begins the next transaction.
    ///
    /// # Errors
    /// The record may not stand here; the cursor stays where it was.
    #[inline]
    pub fn step<'a>(&mut self, automaton: &'a Automaton, symbol: Symbol) -> Result<&'a Transition, Fault> {
        let Some(transition) = automaton.transition(self.state, symbol) else {
            return Err(self.misplaced(automaton, symbol));
        };
        if transition.missing.is_some() || transition.exceeded.is_some() {
            return Err(self.fault(automaton, transition));
        }
        let depth = self.open.len() - usize::from(transition.leave);
        if transition.again && depth > 1 {
            let open = self.open[depth - 1];
            let info = &automaton.groups[usize::from(open.group)];
            if info.maximum.is_some_and(|maximum| open.count >= maximum) {
                return Err(exceeded(automaton, &info.name, info.maximum, info.exceeded));
            }
        }
        let slot = &automaton.slots[usize::from(transition.slot)];
        if transition.same && slot.maximum.is_some_and(|maximum| self.repeats >= maximum) {
            return Err(exceeded(automaton, automaton.record(symbol), slot.maximum, slot.exceeded));
        }
        self.repeats = if transition.same { self.repeats + 1 } else { 1 };
        self.open.truncate(depth);
        if transition.again {
            self.open[depth - 1].count += 1;
        }
        for &group in &transition.enter {
            self.open.push(Open { group, count: 1 });
        }
        self.state = transition.slot + 1;
        Ok(transition)
    }

    /// Ends the transaction.
    ///
    /// # Errors
    /// A required record or group is missing.
    pub fn finish(&self, automaton: &Automaton) -> Result<(), Fault> {
        let Some(slot) = self.state.checked_sub(1) else {
            return Ok(());
        };
        match &automaton.slots[usize::from(slot)].end_missing {
            Some(missing) => Err(absent(automaton, missing)),
            None => Ok(()),
        }
    }

    /// The fault of a record identifier that the application does not have.
    #[cold]
    #[must_use]
    pub fn unknown(&self, automaton: &Automaton, found: String) -> Fault {
        if self.must_begin(automaton) {
            self.header_missing(automaton)
        } else {
            automaton.unknown_record(found)
        }
    }

    /// Whether only a header may come: at first, and behind a transaction's last record. Whatever else
    /// comes there is a transaction without one (entry summary chapter, ESF-207).
    fn must_begin(&self, automaton: &Automaton) -> bool {
        self.state == 0 || usize::from(self.state) == automaton.slots.len()
    }

    #[cold]
    fn header_missing(&self, automaton: &Automaton) -> Fault {
        Fault::HeaderMissing { expected: automaton.header.clone(), condition: automaton.conditions[0] }
    }

    #[cold]
    fn misplaced(&self, automaton: &Automaton, symbol: Symbol) -> Fault {
        let found = automaton.record(symbol).to_owned();
        let Some(slot) = self.state.checked_sub(1).filter(|_| !self.must_begin(automaton)) else {
            return self.header_missing(automaton);
        };
        let after = automaton.record(automaton.slots[usize::from(slot)].symbol).to_owned();
        let own = automaton.symbols[usize::from(symbol.0)].sequence;
        Fault::OutOfSequence { found, after, condition: own.unwrap_or(automaton.conditions[2]) }
    }

    #[cold]
    fn fault(&self, automaton: &Automaton, transition: &Transition) -> Fault {
        if self.must_begin(automaton) {
            return self.header_missing(automaton);
        }
        match (&transition.missing, &transition.exceeded) {
            (Some(missing), _) => absent(automaton, missing),
            (None, Some(over)) => exceeded(automaton, &over.what, Some(over.maximum), over.condition),
            (None, None) => self.misplaced(automaton, automaton.slot(transition.slot).symbol),
        }
    }
}

fn absent(automaton: &Automaton, missing: &Missing) -> Fault {
    Fault::MissingRecord {
        what: missing.what.clone(),
        condition: missing.condition.unwrap_or(automaton.conditions[4]),
    }
}

#[cold]
fn exceeded(automaton: &Automaton, what: &str, maximum: Option<u32>, own: Option<ConditionCode>) -> Fault {
    Fault::LoopExceeded {
        what: what.to_owned(),
        maximum: maximum.unwrap_or(1),
        condition: own.unwrap_or(automaton.conditions[3]),
    }
}
