//! Findings as SARIF 2.1.0 (Static Analysis Results Interchange Format), one run a report.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::grammar::{Grammar, Severity};
use crate::message::Finding;

/// Writes results as they come, and the rules behind them.
#[derive(Default)]
pub(super) struct Sarif {
    is_begun: bool,
    /// The conditions that were raised, by their id.
    rules: BTreeMap<String, Value>,
}

const BEGINNING: &str = r#"{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"columnKind":"unicodeCodePoints","results":["#;

impl Sarif {
    pub(super) fn result(
        &mut self,
        grammar: &Grammar,
        finding: &Finding,
        out: &mut impl Write,
    ) -> io::Result<()> {
        writeln!(out, "{}", if self.is_begun { "," } else { BEGINNING })?;
        self.is_begun = true;
        let (id, rule) = rule(grammar, finding);
        serde_json::to_writer(out, &result(finding, &id))?;
        self.rules.entry(id).or_insert(rule);
        Ok(())
    }

    pub(super) fn finish(&self, out: &mut impl Write) -> io::Result<()> {
        if !self.is_begun {
            write!(out, "{BEGINNING}")?;
        }
        let driver = json!({
            "name": env!("CARGO_PKG_NAME"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": self.rules.values().collect::<Vec<_>>(),
        });
        writeln!(out, "\n],\"tool\":{}}}]}}", json!({"driver": driver}))
    }
}

/// The condition as a rule; what is no condition is known by its words.
fn rule(grammar: &Grammar, finding: &Finding) -> (String, Value) {
    let level = level(finding.severity);
    let Some(code) = finding.condition else {
        let id = finding.message.replace(' ', "-");
        let rule = json!({
            "id": id,
            "shortDescription": {"text": finding.message},
            "defaultConfiguration": {"level": level},
        });
        return (id, rule);
    };
    let conditions = grammar.conditions();
    let applications = [finding.application.as_str(), "*"].into_iter();
    let known = applications.clone().find_map(|application| conditions.get(application, code));
    let application = known.map_or("*", |known| &known.application);
    let id = if application == "*" { code.to_string() } else { format!("{application}/{code}") };
    let mut rule = json!({
        "id": id,
        "shortDescription": {"text": finding.message},
        "defaultConfiguration": {"level": level},
    });
    if let Some(known) = known.filter(|known| !known.meaning.is_empty()) {
        rule["fullDescription"] = json!({"text": known.meaning});
    }
    (id, rule)
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Fatal => "error",
        Severity::CensusWarning | Severity::AgencyWarning => "warning",
        Severity::Informational => "note",
    }
}

fn result(finding: &Finding, rule: &str) -> Value {
    let at = &finding.position;
    let (first, last) = finding.columns.unwrap_or((1, finding.record_text.len().max(1)));
    let mut region = json!({"startLine": at.record, "startColumn": first, "endColumn": last + 1});
    if !finding.record_text.is_empty() {
        region["snippet"] = json!({"text": finding.record_text});
    }
    let mut location = json!({"logicalLocations": [{"fullyQualifiedName": nesting(finding)}]});
    if let Some(source) = &at.source {
        location["physicalLocation"] = json!({"artifactLocation": {"uri": uri(source)}, "region": region});
    }
    let mut told = json!({
        "ruleId": rule,
        "level": level(finding.severity),
        "message": {"text": message(finding)},
        "locations": [location],
    });
    if let Some(text) = &finding.rule {
        told["properties"] = json!({"rule": text});
    }
    told
}

fn message(finding: &Finding) -> String {
    let mut text = finding.message.clone();
    if let Some(field) = &finding.field {
        text.push_str(&format!(" in {field}"));
    }
    if !finding.found.is_empty() {
        text.push_str(&format!(": found \"{}\"", finding.found));
    }
    if !finding.expected.is_empty() {
        text.push_str(&format!(", expected {}", finding.expected));
    }
    if let Some(help) = &finding.help {
        text.push_str(&format!(" ({help})"));
    }
    text
}

/// The place among batches, blocks, transactions and records.
fn nesting(finding: &Finding) -> String {
    let at = &finding.position;
    let field = finding.field.as_deref().unwrap_or_default();
    let parts = [
        ("batch", at.batch.to_string()),
        ("block", at.block.to_string()),
        ("transaction", at.transaction.to_string()),
        ("record", finding.record_id.clone()),
        ("field", field.to_owned()),
    ];
    let named = parts.iter().filter(|(_, text)| !text.is_empty() && text != "0");
    named.map(|(name, text)| format!("{name} {text}")).collect::<Vec<_>>().join("/")
}

/// A path as a reference: relative ones stay so, for an editor to resolve.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}
