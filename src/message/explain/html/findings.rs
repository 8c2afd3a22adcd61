//! The findings at the top of a page.

use std::collections::HashSet;
use std::io::{self, Write};

use super::escaped;
use crate::grammar::Severity;
use crate::message::finding::Finding;

/// Findings that a page shows.
const MOST: usize = 500;

/// Findings, the first of them kept.
#[derive(Default)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    others: u64,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        if self.kept.len() < MOST {
            self.kept.push(finding);
        } else {
            self.others += 1;
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.kept.len() as u64 + self.others
    }

    /// Keeps those of some records only.
    pub(super) fn keep(&mut self, is_kept: impl Fn(u64) -> bool) {
        self.kept.retain(|finding| is_kept(finding.position.record));
        self.others = 0;
    }

    /// Writes them, with links to the records that are shown.
    pub(super) fn write(&self, shown: &HashSet<u64>, out: &mut impl Write) -> io::Result<()> {
        if self.kept.is_empty() {
            return Ok(());
        }
        writeln!(out, "<h2>Findings</h2>")?;
        for finding in &self.kept {
            write_one(finding, shown, out)?;
        }
        match self.others {
            0 => Ok(()),
            others => writeln!(
                out,
                "<p class=\"trouble\">{others} more are left out; <code>abigate check FILE</code> tells all of them, \
                 and with <code>--summary</code> how many there are of each kind.</p>"
            ),
        }
    }
}

fn write_one(finding: &Finding, shown: &HashSet<u64>, out: &mut impl Write) -> io::Result<()> {
    let class = if finding.severity == Severity::Informational { "finding notice" } else { "finding" };
    let code = finding.condition.map(|code| format!("{code}: ")).unwrap_or_default();
    let record = finding.position.record;
    let mut place = format!("record {record}");
    if shown.contains(&record) {
        place = format!("<a href=\"#r{record}\">{place}</a>");
    }
    if let Some((first, last)) = finding.columns {
        place.push_str(&format!(", columns {first}-{last}"));
    }
    if let Some(field) = &finding.field {
        place.push_str(&format!(", {} {}", escaped(&finding.record_id), escaped(field)));
    }
    write!(
        out,
        "<div class=\"{class}\"><p class=\"trouble\">{}{}</p><p>{place}</p>",
        escaped(&code),
        escaped(&finding.message)
    )?;
    let facts = [("found", &finding.found), ("expected", &finding.expected)];
    let facts =
        facts.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, text.as_str()));
    let rule = finding.rule.iter().map(|rule| ("rule", rule.strip_prefix("rule ").unwrap_or(rule)));
    let help = finding.help.iter().map(|help| ("help", help.as_str()));
    for (name, text) in facts.chain(rule).chain(help) {
        let text = if text.trim().is_empty() { "blank" } else { text };
        write!(
            out,
            "<p><span class=\"soft\">{name}</span> <span class=\"value\">{}</span></p>",
            escaped(text)
        )?;
    }
    writeln!(out, "</div>")
}
