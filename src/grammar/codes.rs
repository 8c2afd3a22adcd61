//! Code lists and conditions.

use std::collections::HashMap;

use super::layout::ConditionCode;

/// A table with a column of codes: the one named `code`, or else the first.
#[derive(Clone, Debug, Default)]
pub struct CodeList {
    name: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    code_column: usize,
    index: HashMap<String, usize>,
}

impl CodeList {
    /// A list from its header and rows.
    #[must_use]
    pub fn new(name: &str, header: Vec<String>, rows: Vec<Vec<String>>) -> Self {
        let code_column = header.iter().position(|name| name == "code").unwrap_or(0);
        let mut index = HashMap::new();
        for (position, row) in rows.iter().enumerate() {
            if let Some(code) = row.get(code_column) {
                index.entry(code.clone()).or_insert(position);
            }
        }
        Self { name: name.to_owned(), header, rows, code_column, index }
    }

    /// The list's name, without the `@`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of its columns.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Its rows, in the order of the file.
    #[must_use]
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// The codes, in the order of the file; some lists have a code more than once.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().filter_map(|row| row.get(self.code_column)).map(String::as_str)
    }

    /// Whether the code is on the list.
    #[must_use]
    pub fn contains(&self, code: &str) -> bool {
        self.index.contains_key(code)
    }

    /// A value of a code's first row by the column's name.
    #[must_use]
    pub fn value(&self, code: &str, column: &str) -> Option<&str> {
        let row = self.rows.get(*self.index.get(code)?)?;
        self.cell(row, column)
    }

    /// A value of a row by the column's name.
    #[must_use]
    pub fn cell<'a>(&self, row: &'a [String], column: &str) -> Option<&'a str> {
        let position = self.header.iter().position(|name| name == column)?;
        row.get(position).map(String::as_str)
    }

    /// What a code stands for: the column `meaning` or `name`, or else the second one.
    #[must_use]
    pub fn meaning(&self, code: &str) -> Option<&str> {
        let row = self.rows.get(*self.index.get(code)?)?;
        self.cell(row, "meaning")
            .or_else(|| self.cell(row, "name"))
            .or_else(|| row.get(1).map(String::as_str))
    }
}

/// How grave a condition is (entry summary chapter, ESF-204), gravest first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// `F`: invalid data or a critical error.
    Fatal,
    /// `W`: a Census warning.
    CensusWarning,
    /// `P`: a warning of a partner government agency.
    AgencyWarning,
    /// `I`: an informational notice.
    Informational,
}

impl Severity {
    /// The letter that travels.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Fatal => 'F',
            Self::CensusWarning => 'W',
            Self::AgencyWarning => 'P',
            Self::Informational => 'I',
        }
    }

    /// The severity of a condition list's column; whatever depends on more is fatal first.
    #[must_use]
    pub fn from_column(text: &str) -> Self {
        match text {
            "W" => Self::CensusWarning,
            "P" => Self::AgencyWarning,
            "I" => Self::Informational,
            _ => Self::Fatal,
        }
    }
}

/// A condition that CBP answers with.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The application that raises it; `*` for the envelope.
    pub application: String,
    /// Its code.
    pub code: ConditionCode,
    /// The text that travels with it: upper case, at most 40 characters.
    pub narrative: String,
    /// How grave it is.
    pub severity: Severity,
    /// When it arises, in a few words.
    pub meaning: String,
}

/// All conditions, by application and code.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    rows: Vec<Condition>,
    index: HashMap<(String, ConditionCode), usize>,
}

impl Conditions {
    /// Adds or replaces a condition.
    pub fn insert(&mut self, condition: Condition) {
        let key = (condition.application.clone(), condition.code);
        match self.index.get(&key) {
            Some(&position) => self.rows[position] = condition,
            None => {
                self.index.insert(key, self.rows.len());
                self.rows.push(condition);
            }
        }
    }

    /// The condition of an application.
    #[must_use]
    pub fn get(&self, application: &str, code: ConditionCode) -> Option<&Condition> {
        self.index.get(&(application.to_owned(), code)).and_then(|&position| self.rows.get(position))
    }

    /// All conditions, in the order of the files.
    #[must_use]
    pub fn rows(&self) -> &[Condition] {
        &self.rows
    }
}
