//! Findings counted by condition and field, with the first of each as an example.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::json;

use super::draw::{expected, found, severity};
use crate::grammar::{ConditionCode, Grammar, Severity};
use crate::message::{Finding, wrapped};

/// Kinds of findings that are told apart. A grammar has fewer; an input cannot make more.
const MOST_KINDS: usize = 20_000;
/// The fewest columns of the last part of a line.
const NARROWEST: usize = 20;

/// What findings have in common that are counted together.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Kind {
    severity: Severity,
    application: String,
    condition: Option<ConditionCode>,
    /// The words of what is no condition.
    message: String,
    record: String,
    field: Option<String>,
}

/// How many there are of a kind, and the first.
struct Count {
    findings: u64,
    first: Finding,
}

/// Counts findings.
#[derive(Default)]
pub(super) struct Summary {
    kinds: HashMap<Kind, Count>,
    /// Findings of further kinds, beyond the most that are told apart.
    others: u64,
}

impl Summary {
    pub(super) fn count(&mut self, finding: &Finding) {
        let kind = Kind {
            severity: finding.severity,
            application: finding.application.clone(),
            condition: finding.condition,
            message: finding.condition.map_or_else(|| finding.message.clone(), |_| String::new()),
            record: finding.layout.map_or_else(String::new, |_| finding.record_id.clone()),
            field: finding.field.clone(),
        };
        if let Some(count) = self.kinds.get_mut(&kind) {
            count.findings += 1;
        } else if self.kinds.len() < MOST_KINDS {
            self.kinds.insert(kind, Count { findings: 1, first: finding.clone() });
        } else {
            self.others += 1;
        }
    }

    /// The counts, the most frequent first; among equals the one that stands first in the stream.
    fn sorted(&self) -> Vec<&Count> {
        let mut counts = self.kinds.values().collect::<Vec<_>>();
        let place = |count: &Count| {
            let first = &count.first;
            (first.position.batch, first.position.record, first.columns, first.condition)
        };
        counts.sort_by(|one, other| {
            other.findings.cmp(&one.findings).then_with(|| place(one).cmp(&place(other)))
        });
        counts
    }

    /// One table.
    pub(super) fn write(&self, grammar: &Grammar, width: usize, out: &mut impl Write) -> io::Result<()> {
        let counts = self.sorted();
        if counts.is_empty() {
            return Ok(());
        }
        let digits = counts.iter().map(|count| count.findings.to_string().len()).max().unwrap_or(1).max(5);
        writeln!(out, "{:>digits$}  finding, and the first of its kind", "count")?;
        for count in counts {
            let finding = &count.first;
            let (grade, _) = severity(finding.severity);
            let code = finding.condition.map(|code| format!("[{code}]")).unwrap_or_default();
            let title = format!("{grade}{code}: {}", finding.message);
            let place = match (&finding.field, finding.layout) {
                (Some(field), _) => format!(", {} {field}", finding.record_id),
                (None, Some(_)) => format!(", record {}", finding.record_id),
                (None, None) => String::new(),
            };
            let room = width.saturating_sub(digits + 2).max(NARROWEST);
            for (number, line) in wrapped(&format!("{title}{place}"), room).into_iter().enumerate() {
                match number {
                    0 => writeln!(out, "{:>digits$}  {line}", count.findings)?,
                    _ => writeln!(out, "{:digits$}  {line}", "")?,
                }
            }
            for line in wrapped(&example(grammar, finding), room.saturating_sub(2)) {
                writeln!(out, "{:digits$}    {line}", "")?;
            }
        }
        match self.others {
            0 => Ok(()),
            others => writeln!(out, "{others:>digits$}  findings of further kinds"),
        }
    }

    /// One JSON object a line: the count, and the first finding of its kind.
    pub(super) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        for count in self.sorted() {
            serde_json::to_writer(&mut *out, &json!({"count": count.findings, "first": count.first}))?;
            writeln!(out)?;
        }
        match self.others {
            0 => Ok(()),
            others => writeln!(out, "{}", json!({"count": others})),
        }
    }
}

fn example(grammar: &Grammar, finding: &Finding) -> String {
    let at = &finding.position;
    let column = finding.columns.map_or(1, |(first, _)| first);
    let mut text = format!("{}:{}:{column}", at.source.as_deref().unwrap_or("-"), at.record);
    if !finding.found.is_empty() {
        text.push_str(&format!(" found {}", found(&finding.found)));
    }
    if !finding.expected.is_empty() {
        let layout = finding.layout.map(|id| grammar.layout(id));
        let field = layout.zip(finding.field.as_ref()).and_then(|(layout, name)| layout.field(name));
        text.push_str(&format!(", expected {}", expected(grammar, finding, field)));
    }
    text
}
