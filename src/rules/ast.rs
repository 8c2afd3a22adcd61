//! What a file of rules says, before its names are looked up.

/// A thing and where it stands in the file, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct At<T> {
    pub(super) offset: usize,
    pub(super) node: T,
}

/// A record as a rule names it: `40`, `54:iad_05`, or the items of one, `89#`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct RecordName {
    pub(super) record: String,
    pub(super) variant: Option<String>,
    pub(super) items: bool,
}

/// Which instance of a record a field is read from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Holder {
    /// The record at hand.
    Current,
    /// The record the rule is about.
    This,
    /// The first in the nearest group around the record at hand.
    Nearest(RecordName),
}

/// A field of a record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct FieldName {
    pub(super) holder: Holder,
    pub(super) field: String,
}

/// How far a search for records goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Reach {
    /// The nearest group that may hold the record.
    Near,
    /// The whole transaction.
    All,
    /// The instance of this group around the record at hand.
    Group(String),
}

/// Records to go through.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scan {
    pub(super) record: At<RecordName>,
    pub(super) reach: Reach,
    /// Only what stands before the record or item at hand.
    pub(super) earlier: bool,
    pub(super) filter: Option<Box<At<Expression>>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The one that holds where this one does not.
    pub(super) fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::Unequal,
            Self::Unequal => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// The same with its sides exchanged.
    pub(super) fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum CalendarUnit {
    Days,
    Months,
    Years,
}

/// A column of a table and the value it must have.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TableKey {
    pub(super) column: At<String>,
    pub(super) value: At<Expression>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Field(FieldName),
    /// Some columns of a field, counted from one.
    Part(FieldName, u8, u8),
    Text(String),
    Number(String),
    Today,
    /// Something the block's control records say.
    Block(String),
    /// Something that is computed, and the accounting class that is asked for.
    Owed(String, Option<Box<At<Expression>>>),
    Arithmetic(Arithmetic, Box<At<Expression>>, Box<At<Expression>>),
    /// A date so many days, months or years later, or earlier.
    Shift(Box<At<Expression>>, i32, CalendarUnit),
    Round(Box<At<Expression>>, u32),
    Absolute(Box<At<Expression>>),
    /// A column of a table's row.
    Lookup {
        list: At<String>,
        keys: Vec<TableKey>,
        column: At<String>,
    },
    /// A list has a row with this key.
    Known {
        list: At<String>,
        keys: Vec<TableKey>,
    },
    /// A list has no row with this key, or the row has nothing in this column.
    Absent {
        list: At<String>,
        keys: Vec<TableKey>,
        column: Option<At<String>>,
    },
    /// The first of these that has a value.
    First(Vec<At<Expression>>),
    /// What the first record found says.
    The(Scan, Box<At<Expression>>),
    Sum(Scan, Box<At<Expression>>),
    Count(Scan),
    And(Vec<At<Expression>>),
    Or(Vec<At<Expression>>),
    Not(Box<At<Expression>>),
    Compare(Comparison, Box<At<Expression>>, Box<At<Expression>>),
    OneOf(Box<At<Expression>>, Vec<String>),
    OnList(Box<At<Expression>>, At<String>),
    Like(Box<At<Expression>>, Vec<String>),
    /// A text of several words has this one.
    Has(Box<At<Expression>>, Box<At<Expression>>),
    Weekend(Box<At<Expression>>),
    Given(FieldName),
    Any(Scan),
    /// An earlier record or item of the same kind has the same values.
    Repeats(Vec<At<FieldName>>, Reach),
    /// Records have different values in a field.
    Differ(Scan, String),
    /// This item is given and the one before it is not.
    Gap(String),
    /// Something about the record of a kind that stands before or behind this one.
    Neighbour {
        record: At<RecordName>,
        next: bool,
        value: Box<At<Expression>>,
    },
}

/// How a signpost counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Counting {
    /// The place of its record in what is around it, or of the item in its record.
    Sequence,
    /// The place of the item over all records of its kind.
    Across,
    /// The place of the transaction in its block.
    Block,
    /// The number in a field of its record.
    Field(String),
    /// Always zero.
    Zero,
}

/// Which reference type locates the conditions of which records.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Signpost {
    pub(super) name: String,
    /// The record it stands for, then others that have no signpost of their own.
    pub(super) records: Vec<At<RecordName>>,
    pub(super) within: Vec<At<String>>,
    pub(super) counting: Counting,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) code: String,
    pub(super) record: At<RecordName>,
    /// The field to blame.
    pub(super) field: Option<At<String>>,
    pub(super) signpost: Option<At<String>>,
    pub(super) test: At<Expression>,
    /// Behind its last word, in bytes.
    pub(super) end: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    Signpost(Signpost),
    Rule(Rule),
    /// Rules that only matter when something holds for the transaction: the test, where the test ends in
    /// bytes, and the rules.
    When(At<Expression>, usize, Vec<At<Item>>),
}

/// A file of rules.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RuleFile {
    pub(super) application: String,
    pub(super) items: Vec<At<Item>>,
}
