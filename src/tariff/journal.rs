//! What was computed, step by step, when somebody asks.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

/// A step of a computation: what it is, by which rate and rule, and its arithmetic.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Step {
    /// The line, from 1; nothing for the summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The tariff number, accounting class or case it is about.
    pub subject: String,
    /// What is computed, in words.
    pub title: String,
    /// The rate as printed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rate: String,
    /// The version of the rate: where it stands, and when it is in force.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The date that chose the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// The rule, by its chapter and pages.
    pub rule: String,
    /// The arithmetic with all its numbers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub arithmetic: String,
    /// What it comes to, exactly.
    pub exact: Decimal,
    /// What is owed: the exact amount, rounded.
    pub amount: Decimal,
    /// How it was rounded, if it was.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rounding: String,
}

/// Keeps steps if they are wanted. A step is made only then.
#[derive(Debug, Default)]
pub(super) struct Journal(Option<Vec<Step>>);

impl Journal {
    pub(super) fn new(wanted: bool) -> Self {
        Self(wanted.then(Vec::new))
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn note(&mut self, step: impl FnOnce() -> Step) {
        if let Some(steps) = &mut self.0 {
            steps.push(step());
        }
    }

    pub(super) fn into_steps(self) -> Vec<Step> {
        self.0.unwrap_or_default()
    }
}
