//! Where the rules of computation stand.

use std::collections::HashMap;

use super::table::{Sources, TableError};

/// A rule: what it says in words, and its chapter and pages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleSource {
    /// The rule in words.
    pub title: String,
    /// Its chapter and pages.
    pub place: String,
}

/// The rules by the words that the computation knows them by.
#[derive(Clone, Debug, Default)]
pub struct RuleSources(HashMap<String, RuleSource>);

impl RuleSources {
    pub(super) fn new(sources: &Sources) -> Result<Self, TableError> {
        let mut rules = HashMap::new();
        sources.table("sources")?.each(|row| {
            let rule = RuleSource { title: row.cell("rule").to_owned(), place: row.cell("place").to_owned() };
            rules.insert(row.cell("word").to_owned(), rule);
            Ok(())
        })?;
        Ok(Self(rules))
    }

    /// The rule in words.
    pub(super) fn title(&self, word: &str) -> String {
        self.0.get(word).map_or_else(|| word.to_owned(), |rule| rule.title.clone())
    }

    /// The rule's chapter and pages.
    pub(super) fn rule(&self, word: &str) -> String {
        self.0.get(word).map_or_else(String::new, |rule| rule.place.clone())
    }
}
