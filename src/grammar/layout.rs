//! Records and fields as the chapters lay them out.

use std::fmt;
use std::sync::Arc;

use super::cell::Cell;
use super::class::ClassSet;
use super::mark::Mark;
use super::mask::Masks;
use super::value::{QuickChecks, ValueCheck};
use crate::wire::Columns;

/// Which way a record travels.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Direction {
    /// From the filer to CBP.
    Input,
    /// From CBP to the filer.
    Output,
}

impl Direction {
    /// `in` or `out`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "in",
            Self::Output => "out",
        }
    }
}

/// Whether a field or record must be reported (batch chapter, B&B-7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Designation {
    /// Required in all filing scenarios.
    Mandatory,
    /// Required in some.
    Conditional,
    /// Accepted if given.
    Optional,
}

impl Designation {
    /// `M`, `C` or `O`.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Mandatory => 'M',
            Self::Conditional => 'C',
            Self::Optional => 'O',
        }
    }

    /// The designation in words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Mandatory => "mandatory",
            Self::Conditional => "conditional",
            Self::Optional => "optional",
        }
    }
}

/// A condition code of up to three characters (`X34`, `B16`, `27D`).
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConditionCode([u8; 3]);

impl ConditionCode {
    /// The code, if it is one to three letters or digits.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let bytes = code.as_bytes();
        if bytes.is_empty() || bytes.len() > 3 || !bytes.iter().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut padded = [b' '; 3];
        padded[..bytes.len()].copy_from_slice(bytes);
        Some(Self(padded))
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default().trim_end()
    }
}

impl fmt::Display for ConditionCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for ConditionCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What values a field may hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Values {
    /// Anything of the field's class.
    #[default]
    Any,
    /// This constant.
    Constant(String),
    /// One of these.
    OneOf(Vec<String>),
    /// A code of the list with this name: one of the grammar's, or one of a host's reference data.
    List(String),
}

/// The conditions a field raises by itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FieldConditions {
    /// Blank though mandatory.
    pub missing: Option<ConditionCode>,
    /// Not among the field's values.
    pub unknown: Option<ConditionCode>,
    /// Not of the field's class, not numeric, no calendar date.
    pub invalid: Option<ConditionCode>,
    /// Zero though a value is needed.
    pub zero: Option<ConditionCode>,
    /// Fails the named check of the rules.
    pub checks: Vec<(String, ConditionCode)>,
}

/// A data element of a record.
#[derive(Clone, Debug)]
pub struct Field {
    /// The name by which the program and JSON know it, unique in its record, `filler` apart.
    pub name: String,
    /// The name as the chapter prints it.
    pub element: String,
    /// Where it stands and how its value is read and written.
    pub cell: Cell,
    /// The class as printed; [`Cell::class`] is the one input is judged by.
    pub class: ClassSet,
    /// Whether it must be reported.
    pub designation: Designation,
    /// The implied decimal places, if the chapter names any.
    pub decimals: Option<u8>,
    /// What it may hold, as printed.
    pub values: Values,
    /// What else is accepted in it.
    pub also: Vec<Values>,
    /// Whether its value alone decides that a record is of this variant.
    pub decides: bool,
    /// The conditions it raises.
    pub conditions: FieldConditions,
    /// Meaning, page, doubts.
    pub note: String,
}

impl Field {
    /// Whether it holds a date.
    #[must_use]
    pub fn holds_date(&self) -> bool {
        self.cell.date_format().is_some()
    }

    /// What always stands in it, if it is a constant that may not be left out.
    pub(super) fn fixed_text(&self) -> Option<&str> {
        let always = self.designation == Designation::Mandatory && !self.cell.class().has(ClassSet::SPACE);
        match &self.values {
            Values::Constant(text) if always && self.also.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Whether this is a filler.
    #[must_use]
    pub fn is_filler(&self) -> bool {
        self.name == "filler"
    }
}

/// A layout's place in [`Grammar::layouts`](super::Grammar::layouts).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LayoutId(pub(super) u16);

impl LayoutId {
    /// The first place.
    pub(crate) const FIRST: Self = Self(0);

    /// The place as a number.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// One layout of one record.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Its place in the grammar.
    pub id: LayoutId,
    /// The application identifier under which it travels; `*` for the envelope.
    pub application: String,
    /// Which way it travels.
    pub direction: Direction,
    /// The control identifier as it stands in the first columns.
    pub record: String,
    /// Which of several layouts of the record this is; empty if it is the only or general one.
    pub variant: String,
    /// The record's name.
    pub name: String,
    /// Its fields in order; they tile the 80 columns.
    pub fields: Vec<Field>,
    /// By these the classes of whole records are judged.
    pub masks: Arc<Masks>,
    /// The fields whose values are known, constants of the control identifier apart.
    pub values: Vec<ValueCheck>,
    /// By these a record that is right is known at once.
    pub(super) quick: QuickChecks,
    /// The fields that decide between the layouts of the record, by their index.
    pub deciding: Vec<usize>,
    /// What stands in these, where it is known.
    pub(super) marks: Vec<Mark>,
}

impl Layout {
    /// The field with this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The place of the field with this name.
    ///
    /// # Errors
    /// No such field; programs resolve their cells when they start.
    pub fn cell(&self, name: &str) -> Result<Cell, UnknownName> {
        self.field(name)
            .map(|field| field.cell)
            .ok_or_else(|| UnknownName(format!("{} {} has no field {name}", self.application, self.record)))
    }

    /// A record with spaces everywhere but in its constants.
    #[must_use]
    pub fn blank(&self) -> Columns {
        let mut columns = [b' '; crate::wire::RECORD_LENGTH];
        for field in &self.fields {
            if let Values::Constant(text) = &field.values {
                // The compiler has checked that constants fit their fields.
                let _ = field.cell.put_text(&mut columns, text);
            }
        }
        columns
    }

    /// Whether the record is surely right: its classes, its mandatory fields and the values of those
    /// fields whose values are known. If not, its fields have to be looked at one by one.
    #[must_use]
    #[inline]
    pub fn accepts(&self, columns: &Columns) -> bool {
        self.quick.accept(columns)
    }

    /// Whether a record is of this layout: it begins with the record's identifier, and the fields that decide
    /// between the layouts of a record speak for this one. For a general layout they always do.
    #[must_use]
    pub fn matches(&self, columns: &Columns) -> bool {
        columns.starts_with(self.record.as_bytes()) && self.is_decided(columns)
    }

    /// Whether the deciding fields of a record, whose identifier is known, speak for this layout.
    #[inline]
    pub(crate) fn is_decided(&self, columns: &Columns) -> bool {
        self.marks.iter().all(|mark| mark.stands_in(columns))
    }

    /// Whether no field decides for this layout, so that it is taken when no other one is.
    #[must_use]
    pub fn is_general(&self) -> bool {
        self.deciding.is_empty()
    }
}

/// A name that the grammar does not have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct UnknownName(pub String);
