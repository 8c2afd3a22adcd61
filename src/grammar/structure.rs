//! Structure maps: which records a transaction is made of, in which order, nesting and repeat.

use super::layout::{ConditionCode, Designation, Direction};

/// The conditions that faults of structure raise; what a place leaves out its structure decides, and
/// what that leaves out the envelope's X33 to X38 (batch chapter, B&B-32).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StructureConditions {
    /// The transaction does not begin with its header record.
    pub header_missing: Option<ConditionCode>,
    /// A record identifier that the application does not have.
    pub unknown: Option<ConditionCode>,
    /// A record in the wrong place.
    pub sequence: Option<ConditionCode>,
    /// More repeats than allowed.
    pub exceeded: Option<ConditionCode>,
    /// A required record is missing.
    pub missing: Option<ConditionCode>,
    /// A gap in a row of repeated fields.
    pub gap: Option<ConditionCode>,
}

/// Tells two places of one record identifier apart by a field's value.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Discriminator {
    /// The field's name.
    pub field: String,
    /// The values of which it must have one; the empty one is a blank field.
    pub values: Vec<String>,
}

impl Discriminator {
    /// Whether a field with this text, spaces behind it apart, is meant.
    #[must_use]
    pub fn admits(&self, text: &str) -> bool {
        self.values.iter().any(|value| value == text)
    }
}

/// How the members of a group follow each other.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Order {
    /// As they are written.
    #[default]
    Sequence,
    /// The first one first, all others in any order.
    Unordered,
    /// One of them alone stands.
    Choice,
}

/// A record's place in a structure.
#[derive(Clone, Debug)]
pub struct RecordMember {
    /// The control identifier.
    pub record: String,
    /// Whether it must stand.
    pub designation: Designation,
    /// How often it may stand in a row; `None` without a stated maximum.
    pub maximum: Option<u32>,
    /// The value that marks it, where the identifier alone does not.
    pub discriminator: Option<Discriminator>,
    /// The conditions of this place.
    pub conditions: StructureConditions,
}

/// A repeating group of records.
#[derive(Clone, Debug)]
pub struct GroupMember {
    /// The group's name.
    pub name: String,
    /// Whether it must stand.
    pub designation: Designation,
    /// How often it may stand in a row; `None` without a stated maximum.
    pub maximum: Option<u32>,
    /// How its members follow each other.
    pub order: Order,
    /// The conditions of this place.
    pub conditions: StructureConditions,
    /// What it is made of.
    pub members: Vec<Member>,
}

/// One thing in a structure.
#[derive(Clone, Debug)]
pub enum Member {
    /// A record.
    Record(RecordMember),
    /// A group of records.
    Group(GroupMember),
}

/// A transaction's map. A block holds any number of transactions one after the other.
#[derive(Clone, Debug)]
pub struct Structure {
    /// The application identifier.
    pub application: String,
    /// Which way the transaction travels.
    pub direction: Direction,
    /// The transaction itself, as a group that may repeat.
    pub root: GroupMember,
}
