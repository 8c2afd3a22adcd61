//! A structure map compiled to a table: one lookup a record says whether it may stand here, which
//! groups it closes and which it opens.

mod build;

use std::sync::Arc;

use super::layout::ConditionCode;
use super::structure::Discriminator;

/// A kind of record in one structure: a control identifier, or one of the places that share one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Symbol(pub u8);

/// A record's place in a structure.
pub type Slot = u16;

/// A group's place in a structure; 0 is the transaction itself.
pub type GroupIndex = u16;

/// What happens when a record follows another one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Transition {
    /// The place of the record that follows.
    pub slot: Slot,
    /// How many groups end before it.
    pub leave: u8,
    /// Whether the group that is then innermost begins once more.
    pub again: bool,
    /// Whether it repeats the record before it.
    pub same: bool,
    /// The groups that begin with it, outermost first.
    pub enter: Box<[GroupIndex]>,
    /// The required record or group that was passed over.
    pub missing: Option<Box<Missing>>,
    /// The place that stands more often than its maximum of one.
    pub exceeded: Option<Box<Exceeded>>,
}

/// What of a transition the cursor needs: little, as it is fetched for every record.
#[derive(Clone, Copy, Debug)]
struct Step {
    state: u16,
    /// The count that decides: that of the record, if it repeats the one before it, or else that of the
    /// innermost group that is still open.
    count: u8,
    /// Whether it counts one more.
    counts: bool,
    /// Whether a transaction begins once more.
    begins: bool,
    /// How often the record or the group may stand; 0 if there is a fault whatever the count is.
    maximum: u32,
}

/// How deep groups may nest, the transaction itself included.
const DEEPEST: usize = 16;

/// Counts are found by this much of their number, which none exceeds.
const COUNTS: usize = 32;

/// How often something may stand that has no stated maximum.
const WITHOUT_END: u32 = u32::MAX;

/// A required record or group that does not stand.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Missing {
    /// The record's identifier or the group's name.
    pub what: Arc<str>,
    /// The condition, if this place has one of its own.
    pub condition: Option<ConditionCode>,
}

/// A record or group that stands too often.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
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

/// A compiled structure.
#[derive(Clone, Debug)]
pub struct Automaton {
    symbols: Vec<SymbolInfo>,
    slots: Vec<SlotInfo>,
    groups: Vec<GroupInfo>,
    /// One row a state (0 before any record, then one a slot), one column a symbol; 0 is none.
    table: Vec<u16>,
    transitions: Vec<Transition>,
    /// The same transitions for the cursor.
    steps: Vec<Step>,
    conditions: [ConditionCode; 6],
    header: String,
}

impl Automaton {
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

    /// The fault of a transaction with more records than a peer may send.
    #[must_use]
    pub fn too_long(&self, limit: usize) -> Fault {
        exceeded(self, "a record", u32::try_from(limit).ok(), None)
    }

    /// The condition for a gap in a row of repeated fields.
    #[must_use]
    pub fn gap_condition(&self) -> ConditionCode {
        self.conditions[5]
    }

    /// The number of the transition from a state with a record.
    #[inline]
    fn transition(&self, state: u16, symbol: Symbol) -> usize {
        let index = self.table[usize::from(state) * self.symbols.len() + usize::from(symbol.0)];
        usize::from(index).wrapping_sub(1)
    }
}

/// Walks an automaton, record by record.
#[derive(Clone, Debug)]
pub struct Cursor {
    state: u16,
    begins: bool,
    /// How often each open group has begun, outermost first, and then how often the last record has
    /// stood in a row. What is further in counts from one when it begins.
    counts: [u32; COUNTS + DEEPEST],
}

impl Default for Cursor {
    fn default() -> Self {
        Self { state: 0, begins: false, counts: [0; COUNTS + DEEPEST] }
    }
}

impl Cursor {
    /// Begins a transaction anew.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Whether no record has been taken yet.
    #[must_use]
    pub fn is_at_start(&self) -> bool {
        self.state == 0
    }

    /// Takes the next record; the transition says which groups ended and began. A transition that
    /// leaves down to the transaction itself `again` begins the next transaction.
    ///
    /// # Errors
    /// The record may not stand here; the cursor stays where it was.
    #[inline]
    pub fn step<'a>(&mut self, automaton: &'a Automaton, symbol: Symbol) -> Result<&'a Transition, Fault> {
        self.advance(automaton, symbol).map(|number| &automaton.transitions[number])
    }

    /// The same for those who need not know what ended and began; gives back the transition's number.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    #[inline]
    pub fn advance(&mut self, automaton: &Automaton, symbol: Symbol) -> Result<usize, Fault> {
        let number = automaton.transition(self.state, symbol);
        let Some(step) = automaton.steps.get(number) else {
            return Err(self.misplaced(automaton, symbol));
        };
        let index = usize::from(step.count) % COUNTS;
        if self.counts[index] >= step.maximum {
            return Err(self.fault(automaton, &automaton.transitions[number]));
        }
        self.counts[index] += u32::from(step.counts);
        // All of them, as a loop over those that begin would be guessed wrong too often.
        self.counts[index + 1..][..DEEPEST].fill(1);
        self.begins = step.begins | (self.state == 0);
        self.state = step.state;
        Ok(number)
    }

    /// Whether the record that was taken last begins a transaction.
    #[must_use]
    #[inline]
    pub fn begins(&self) -> bool {
        self.begins
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
        let counted = transition.missing.is_none() && transition.exceeded.is_none();
        if self.must_begin(automaton) && !counted {
            return self.header_missing(automaton);
        }
        match (&transition.missing, &transition.exceeded) {
            (Some(missing), _) => absent(automaton, missing),
            (None, Some(over)) => exceeded(automaton, &over.what, Some(over.maximum), over.condition),
            (None, None) if transition.same => {
                let slot = automaton.slot(transition.slot);
                exceeded(automaton, automaton.record(slot.symbol), slot.maximum, slot.exceeded)
            }
            (None, None) => {
                let mut group = automaton.slot(transition.slot).group;
                for _ in &transition.enter {
                    group = automaton.group(group).parent;
                }
                let group = automaton.group(group);
                exceeded(automaton, &group.name, group.maximum, group.exceeded)
            }
        }
    }
}

fn absent(automaton: &Automaton, missing: &Missing) -> Fault {
    Fault::MissingRecord {
        what: missing.what.to_string(),
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
