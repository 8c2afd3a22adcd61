//! What reference data there is: its kinds, their columns, and the lists by which rules and grammars look
//! them up. `grammars/codes/reference_column.tsv` and `reference_list.tsv` say it.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::grammar::{CodeList, Grammar, UnknownName};

/// What a column holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Form {
    Text,
    /// A party's number, which no message shows in full.
    Party,
    /// Several of them, with spaces between.
    Parties,
    /// Codes with spaces between.
    Words,
    Date,
    Number,
    /// `true` or `false`.
    Flag,
    OneOf(Vec<String>),
    /// A code of just so many digits, or of one of several lengths.
    Digits(Vec<usize>),
    /// A code of just so many capital letters.
    Letters(Vec<usize>),
}

/// What stands in a column that a row leaves blank.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Need {
    /// It must not be blank.
    Required,
    Optional,
    Else(String),
}

/// A column of a kind.
#[derive(Clone, Debug)]
pub struct ReferenceColumn {
    pub(super) name: String,
    pub(super) form: Form,
    pub(super) need: Need,
    /// The kind that has a row for each of its values.
    pub(super) refers: Option<String>,
}

/// A part of a list's key: a column, or some signs of it.
#[derive(Clone, Debug)]
pub(super) struct KeyPart {
    pub(super) column: usize,
    pub(super) signs: Option<(usize, usize)>,
}

/// A list by which the rows of a kind are looked up.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) name: String,
    /// Its place in the grammar's list of lists, if it stands there.
    pub(super) place: Option<usize>,
    pub(super) key: Vec<KeyPart>,
    /// Only rows with this value in this column.
    pub(super) only: Option<(usize, String)>,
    /// The key ends in a date: the newest row not after the day asked for counts.
    pub(super) dated: bool,
}

/// A kind of reference data.
#[derive(Clone, Debug)]
pub struct ReferenceKind {
    pub(super) name: String,
    pub(super) columns: Vec<ReferenceColumn>,
    /// The first has each key once.
    pub(super) lists: Vec<List>,
}

/// All kinds.
#[derive(Clone, Debug)]
pub struct ReferenceKinds(Vec<ReferenceKind>);

impl ReferenceColumn {
    /// The name that stands in the header of a file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds, in words.
    pub(super) fn expected(&self) -> String {
        match &self.form {
            Form::Text | Form::Party | Form::Parties | Form::Words => "text on one line".to_owned(),
            Form::Date => "date, such as 2026-11-01".to_owned(),
            Form::Number => "decimal number".to_owned(),
            Form::Flag => "true or false".to_owned(),
            Form::OneOf(codes) => format!("one of {}", codes.join(" ")),
            Form::Digits(lengths) => format!("{} digits", or(lengths)),
            Form::Letters(lengths) => format!("{} capital letters", or(lengths)),
        }
    }

    pub(super) fn is_private(&self) -> bool {
        matches!(self.form, Form::Party | Form::Parties)
    }

    /// The values of a cell: none, one, or several words.
    pub(super) fn values<'a>(&self, cell: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        let separator = if matches!(self.form, Form::Words | Form::Parties) { ' ' } else { '\n' };
        cell.split(separator).filter(|value| !value.is_empty())
    }

    /// What the column holds for a text of a file: words with single spaces, a flag in full, what a blank
    /// stands for.
    ///
    /// # Errors
    /// What is expected instead.
    pub(super) fn value(&self, text: &str) -> Result<String, String> {
        let text = text.trim();
        if text.is_empty() {
            return match &self.need {
                Need::Required => Err("a value".to_owned()),
                Need::Optional => Ok(String::new()),
                Need::Else(value) => Ok(value.clone()),
            };
        }
        let fits = match &self.form {
            Form::Text | Form::Party | Form::Words | Form::Parties => !text.contains(char::is_control),
            Form::Date => text.len() == 10 && text.parse::<Date>().is_ok(),
            Form::Number => text.parse::<Decimal>().is_ok(),
            Form::Flag => ["true", "false"].contains(&text),
            Form::OneOf(codes) => codes.iter().any(|code| code == text),
            Form::Digits(lengths) => {
                lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
            }
            Form::Letters(lengths) => {
                lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase())
            }
        };
        match self.form {
            _ if !fits => Err(self.expected()),
            Form::Words | Form::Parties => Ok(text.split_whitespace().collect::<Vec<_>>().join(" ")),
            _ => Ok(text.to_owned()),
        }
    }
}

impl ReferenceKind {
    /// Its name, with which the names of its files begin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its columns.
    #[must_use]
    pub fn columns(&self) -> &[ReferenceColumn] {
        &self.columns
    }

    pub(super) fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }

    /// The names of the columns of its key.
    pub fn key(&self) -> impl Iterator<Item = &str> {
        let parts = self.lists.first().map(|list| list.key.as_slice()).unwrap_or_default();
        parts.iter().map(|part| self.columns[part.column].name.as_str())
    }

    fn parse_list(&self, place: usize, row: &[String], table: &CodeList) -> Result<List, UnknownName> {
        let cell = |name| table.cell(row, name).unwrap_or_default();
        let named = |column: &str| {
            self.position(column)
                .ok_or_else(|| UnknownName(format!("reference data {} has no column {column}", self.name)))
        };
        let mut key = Vec::new();
        for part in cell("key").split_whitespace() {
            let (column, signs) = part.split_once('[').unwrap_or((part, ""));
            let signs = signs.trim_end_matches(']').split_once('-');
            let signs = signs.and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
            key.push(KeyPart { column: named(column)?, signs });
        }
        let only = match cell("only").split_once('=') {
            Some((column, value)) => Some((named(column)?, value.to_owned())),
            None => None,
        };
        let last = key.last().filter(|_| key.len() > 1);
        let dated = last.is_some_and(|part| self.columns[part.column].form == Form::Date);
        Ok(List { name: cell("list").to_owned(), place: Some(place), key, only, dated })
    }
}

impl ReferenceKinds {
    /// The kinds that a grammar folder describes.
    ///
    /// # Errors
    /// A list names a kind or a column that is not described.
    pub fn new(grammar: &Grammar) -> Result<Self, UnknownName> {
        let listed = |name: &str| {
            grammar.list(name).ok_or_else(|| UnknownName(format!("the grammar has no list {name}")))
        };
        let mut kinds = Vec::<ReferenceKind>::new();
        let columns = listed("reference_column")?;
        for row in columns.rows() {
            let cell = |name| columns.cell(row, name).unwrap_or_default();
            let column = ReferenceColumn {
                name: cell("column").to_owned(),
                form: form(cell("form"))?,
                need: need(cell("need"))?,
                refers: Some(cell("refers").to_owned()).filter(|kind| !kind.is_empty()),
            };
            match kinds.iter_mut().find(|kind| kind.name == cell("kind")) {
                Some(kind) => kind.columns.push(column),
                None => {
                    let name = cell("kind").to_owned();
                    kinds.push(ReferenceKind { name, columns: vec![column], lists: Vec::new() });
                }
            }
        }
        let lists = listed("reference_list")?;
        for (place, row) in lists.rows().iter().enumerate() {
            let name = lists.cell(row, "kind").unwrap_or_default();
            let kind = kinds.iter_mut().find(|kind| kind.name == name);
            let kind = kind.ok_or_else(|| UnknownName(format!("no reference data {name}")))?;
            let list = kind.parse_list(place, row, lists)?;
            kind.lists.push(list);
        }
        match kinds.iter().find(|kind| kind.lists.is_empty()) {
            Some(kind) => Err(UnknownName(format!("reference data {} has no list", kind.name))),
            None => Ok(Self(kinds)),
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ReferenceKind> {
        self.0.iter().find(|kind| kind.name == name)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &ReferenceKind> {
        self.0.iter()
    }
}

fn form(text: &str) -> Result<Form, UnknownName> {
    if let Some(codes) = text.strip_prefix("one of ") {
        return Ok(Form::OneOf(codes.split(' ').map(str::to_owned).collect()));
    }
    if let Some((kind @ ("digits" | "letters"), rest)) = text.split_once(' ')
        && let Some(lengths) = lengths(rest)
    {
        return Ok(if kind == "digits" { Form::Digits(lengths) } else { Form::Letters(lengths) });
    }
    Ok(match text {
        "text" => Form::Text,
        "party" => Form::Party,
        "parties" => Form::Parties,
        "words" => Form::Words,
        "date" => Form::Date,
        "number" => Form::Number,
        "flag" => Form::Flag,
        other => return Err(UnknownName(format!("no form {other} of reference data"))),
    })
}

fn lengths(text: &str) -> Option<Vec<usize>> {
    text.split(' ').map(|length| length.parse().ok()).collect()
}

/// Numbers in words: `8 or 10`.
fn or(lengths: &[usize]) -> String {
    lengths.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

fn need(text: &str) -> Result<Need, UnknownName> {
    Ok(match text.split_once(' ').unwrap_or((text, "")) {
        ("required", "") => Need::Required,
        ("optional", "") => Need::Optional,
        ("else", value) if !value.is_empty() => Need::Else(value.to_owned()),
        _ => return Err(UnknownName(format!("no need {text} of reference data"))),
    })
}
