//! Rules: which conditions a transaction raises, and where.
//!
//! What a field may hold is said by its line in the grammar; what depends on more than one field by
//! a rule of `grammars/rules/*.rules`, whose language is described in `docs/rules.md`. Both are
//! resolved to columns once, when a [`RuleBook`] is made. Rules read a transaction and reference
//! data; they change nothing.

mod ast;
mod book;
mod checks;
mod compile;
mod eval;
mod expression;
mod fields;
mod gate;
mod lex;
mod lists;
mod memo;
mod owed;
mod parse;
mod presence;
mod reason;
mod reference;
mod signpost;

use std::borrow::Cow;

use jiff::civil::Date;

use crate::grammar::{Cell, ConditionCode, Grammar, Severity};
use crate::tariff::Tariff;

pub use book::RuleBook;
pub use checks::check_digit;
pub use eval::{Change, Content, Repair};
pub use reason::Reasoned;

/// A file of rules.
#[derive(Clone, Copy, Debug)]
pub struct RuleText<'a> {
    /// Its name, for errors.
    pub name: &'a str,
    /// What stands in it.
    pub text: &'a str,
}

/// Something in a file of rules that is wrong.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, thiserror::Error)]
#[error("{file}, line {line}, column {column}: {message}")]
pub struct RuleProblem {
    /// The name of the file.
    pub file: String,
    /// The line, counted from one.
    pub line: usize,
    /// The column, counted from one.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// Files of rules that cannot be used, and all that is wrong in them, in the order of files and lines.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleError {
    /// One a place.
    pub problems: Vec<RuleProblem>,
}

impl std::fmt::Display for RuleError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            write!(formatter, "{}{problem}", if number == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for RuleError {}

impl RuleError {
    fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = &text[..offset.min(text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1) + 1;
        Self::new(line, column, message.into())
    }

    fn new(line: usize, column: usize, message: String) -> Self {
        Self { problems: vec![RuleProblem { file: String::new(), line, column, message }] }
    }

    /// All that is wrong in a file, once, in the order of its lines.
    fn of_file(file: &str, errors: Vec<Self>) -> Vec<RuleProblem> {
        let mut problems = errors.into_iter().flat_map(|error| error.problems).collect::<Vec<_>>();
        problems.iter_mut().for_each(|problem| file.clone_into(&mut problem.file));
        problems.sort_unstable();
        problems.dedup();
        problems
    }
}

/// A signpost: what an E0-record says of the place of a condition (ESF-194 to 203).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Place {
    /// The reference type: `LINITM`, `TARIFF`, ….
    pub signpost: String,
    /// The occurrence position; 0 where the signpost counts transactions in the block, which only
    /// who has the block can fill in, and where it does not count.
    pub occurrence: u32,
    /// The record it points at: an index into the transaction's rows.
    pub record: u32,
    /// Which of several items side by side in the record, from 1; 0 if the record as a whole.
    pub item: u8,
}

/// A condition that a transaction raises.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Raised {
    /// Its code.
    pub code: ConditionCode,
    /// How grave it is.
    pub severity: Severity,
    /// The signposts that lead to it, outermost first; that of the whole summary stands alone.
    pub places: Vec<Place>,
    /// The record that was judged: an index into the transaction's rows.
    pub record: u32,
    /// The field to blame, if it is one field.
    pub cell: Option<Cell>,
}

/// What the block says in which a transaction stands (batch chapter, B&B-20).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BlockInfo {
    /// The processing district and port.
    pub port: String,
    /// The filer code.
    pub filer: String,
    /// The preparer's district and port; blank if the filer prepares.
    pub preparer_port: String,
    /// The preparer's filer code; blank if the filer prepares.
    pub preparer_filer: String,
    /// The preparer indicator: the claim to file remotely.
    pub preparer_indicator: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum BlockField {
    District,
    Port,
    Filer,
    PreparerPort,
    PreparerFiler,
    PreparerIndicator,
}

const BLOCK_FIELDS: [(&str, BlockField); 6] = [
    ("district", BlockField::District),
    ("port", BlockField::Port),
    ("filer", BlockField::Filer),
    ("preparer_port", BlockField::PreparerPort),
    ("preparer_filer", BlockField::PreparerFiler),
    ("preparer_indicator", BlockField::PreparerIndicator),
];

impl BlockInfo {
    fn field(&self, field: BlockField) -> &str {
        match field {
            BlockField::District => self.port.get(..2).unwrap_or_default(),
            BlockField::Port => &self.port,
            BlockField::Filer => &self.filer,
            BlockField::PreparerPort => &self.preparer_port,
            BlockField::PreparerFiler => &self.preparer_filer,
            BlockField::PreparerIndicator => &self.preparer_indicator,
        }
    }
}

/// A list of reference data, as rules name it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListName {
    /// Its name.
    pub name: Box<str>,
    /// Its place in the grammar's list of lists, counted from zero; none of one that is not described
    /// there.
    pub place: Option<u16>,
}

impl std::fmt::Display for ListName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.name)
    }
}

/// A column of a list of reference data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ColumnName {
    /// Its name.
    pub name: Box<str>,
    /// Its place among the columns of the list's kind, counted from zero; none of one that is not
    /// described in the grammar.
    pub place: Option<u16>,
}

/// What is found for a key in a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Row {
    /// The list is not held: nothing is judged by it.
    NotHeld,
    /// The list has no such key.
    Missing,
    /// It has no rows that could be remembered: [`Reference::has`] and [`Reference::value`] tell.
    Unnumbered,
    /// The row of this number; less than 2^32 - 16.
    At(u32),
}

impl Row {
    /// Whether a list has the key; asks who has no row for it.
    fn is_there(self, ask: impl FnOnce() -> Option<bool>) -> Option<bool> {
        match self {
            Self::NotHeld => None,
            Self::Missing => Some(false),
            Self::At(_) => Some(true),
            Self::Unnumbered => ask(),
        }
    }
}

/// Reference data that a host holds: ports, carriers, importers, the tariff.
pub trait Reference {
    /// Whether a code is on a list; `None` if the list is not held, and then nothing is judged by it.
    fn has(&self, list: &str, code: &str) -> Option<bool>;

    /// A column of a code's row, empty if it says nothing; `None` if the list, the code or the column
    /// is not held, and then nothing is judged by it.
    fn value(&self, list: &str, code: &str, column: &str) -> Option<Cow<'_, str>>;

    /// The row of a code, for who asks for several of its columns. It stays that row while a transaction is
    /// judged.
    fn row(&self, list: &ListName, code: &str) -> Row {
        let _ = (list, code);
        Row::Unnumbered
    }

    /// A column of a row that [`Self::row`] has found, as by [`Self::value`].
    fn cell(&self, list: &ListName, row: u32, column: &ColumnName) -> Option<&str> {
        let _ = (list, row, column);
        None
    }

    /// Whether a list may have a code that begins with this, the first part of a code that has several.
    /// If not, the rest of the code need not be put together.
    fn may_have(&self, list: &ListName, first: &str) -> bool {
        let _ = (list, first);
        true
    }

    /// The tariff by which duty, tax and fees are computed; none if they are not judged.
    fn tariff(&self) -> Option<&Tariff> {
        None
    }

    /// By how much a filer's check digits may exceed the computed one, modulo 10 (Appendix E).
    fn check_digit_offsets(&self, filer: &str) -> Cow<'_, [u8]> {
        let _ = filer;
        Cow::Borrowed(&[0])
    }
}

/// Reference data of one who has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoReference;

impl Reference for NoReference {
    fn has(&self, _list: &str, _code: &str) -> Option<bool> {
        None
    }

    fn value(&self, _list: &str, _code: &str, _column: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// What surrounds a transaction when it is judged.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The grammar by which the transaction was read.
    pub grammar: &'a Grammar,
    /// What the host knows.
    pub reference: &'a dyn Reference,
    /// The day of transmission.
    pub today: Date,
    /// The block around the transaction.
    pub block: &'a BlockInfo,
}
