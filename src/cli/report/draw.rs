//! Findings for people: the record below a ruler, with its columns marked, and what is known of them.

use std::io::{self, Write};

use crate::grammar::{Field, Grammar, Layout, Severity, Values};
use crate::message::Finding;

/// Styles of a terminal.
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const GREEN: &str = "\x1b[1;32m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// Codes of a list that are shown when one of them is expected.
const SHOWN: usize = 12;

/// The most characters of a line of words.
const WIDTH: usize = 90;

/// Draws findings.
pub(super) struct Pen {
    colored: bool,
}

impl Pen {
    pub(super) fn new(colored: bool) -> Self {
        Self { colored }
    }

    pub(super) fn draw(&self, grammar: &Grammar, finding: &Finding, out: &mut impl Write) -> io::Result<()> {
        let (name, color) = severity(finding.severity);
        let code = finding.condition.map(|code| format!("[{code}]")).unwrap_or_default();
        let title = self.styled(color, &format!("{name}{code}"));
        writeln!(out, "{title}{}", self.styled(BOLD, &format!(": {}", finding.message)))?;
        let number = finding.position.record.to_string();
        let margin = " ".repeat(number.len());
        writeln!(out, "{margin}{} {}", self.styled(BLUE, "-->"), place(finding))?;
        let layout = finding.layout.map(|id| grammar.layout(id));
        let field = layout.and_then(|layout| field(layout, finding));
        self.record(finding, layout, field, (&margin, &number), out)?;
        for (name, text) in facts(grammar, finding, field) {
            let color = if name == "help" { GREEN } else { BOLD };
            let mark = self.styled(BLUE, "=");
            let mut lines = wrapped(&text).into_iter();
            let first = lines.next().unwrap_or_default();
            writeln!(out, "{margin} {mark} {} {first}", self.styled(color, &format!("{name:<9}")))?;
            lines.try_for_each(|line| writeln!(out, "{margin}   {:9} {line}", ""))?;
        }
        writeln!(out)
    }

    /// The record between two rules of the margin.
    fn record(
        &self,
        finding: &Finding,
        layout: Option<&Layout>,
        field: Option<&Field>,
        (margin, number): (&str, &str),
        out: &mut impl Write,
    ) -> io::Result<()> {
        let text = &finding.record_text;
        if text.is_empty() {
            return Ok(());
        }
        let (first, last) = finding.columns.unwrap_or((1, finding.record_id.len().max(1)));
        let bar = self.styled(BLUE, "|");
        if let Some(layout) = layout {
            writeln!(out, "{margin} {bar} {} {}", layout.record, layout.name.replace('_', " "))?;
        }
        let width = text.len().max(last).next_multiple_of(10);
        writeln!(out, "{margin} {bar} {}", self.styled(BLUE, &ruler(width)))?;
        writeln!(out, "{} {bar} {text}", self.styled(BLUE, number))?;
        let label = match field {
            Some(field) => field.element.as_str(),
            None if finding.columns.is_none() && layout.is_some() => &finding.expected,
            None => "",
        };
        let marks = format!("{}{} {label}", " ".repeat(first - 1), "^".repeat(last + 1 - first));
        let (_, color) = severity(finding.severity);
        writeln!(out, "{margin} {bar} {}", self.styled(color, marks.trim_end()))
    }

    fn styled(&self, style: &str, text: &str) -> String {
        if self.colored { format!("{style}{text}{PLAIN}") } else { text.to_owned() }
    }
}

fn severity(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Fatal => ("error", RED),
        Severity::CensusWarning => ("census warning", YELLOW),
        Severity::AgencyWarning => ("agency warning", YELLOW),
        Severity::Informational => ("notice", BLUE),
    }
}

/// The place as editors and terminals follow it, and how it nests.
fn place(finding: &Finding) -> String {
    let at = &finding.position;
    let source = at.source.as_deref().unwrap_or("-");
    let column = finding.columns.map_or(1, |(first, _)| first);
    let mut place = format!("{source}:{}:{column}", at.record);
    let counts = [
        ("batch", u64::from(at.batch)),
        ("block", u64::from(at.block)),
        ("transaction", u64::from(at.transaction)),
    ];
    for (name, count) in counts.iter().filter(|(_, count)| *count > 0) {
        place.push_str(&format!(", {name} {count}"));
    }
    place
}

/// A ruler as mainframe editors have it: a digit every ten columns.
fn ruler(width: usize) -> String {
    let sign = |column: usize| match column {
        column if column % 10 == 0 => char::from(b'0' + (column / 10) as u8 % 10),
        column if column % 5 == 0 => '+',
        _ => '-',
    };
    (1..=width).map(sign).collect()
}

fn field<'g>(layout: &'g Layout, finding: &Finding) -> Option<&'g Field> {
    let (first, _) = finding.columns?;
    layout.fields.iter().find(|field| (field.cell.first_column()..=field.cell.last_column()).contains(&first))
}

/// What is known of a finding, one fact a line.
fn facts(grammar: &Grammar, finding: &Finding, field: Option<&Field>) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(field) = field {
        let name = if field.is_filler() { "" } else { &format!("{}, ", field.name) };
        let (designation, class) = (field.designation.word(), field.class.in_words());
        facts.push(("field", format!("{name}columns {}, {designation}, {class}", field.cell)));
        if !field.note.is_empty() {
            facts.push(("meaning", field.note.clone()));
        }
    }
    if field.is_some() || finding.layout.is_none() {
        if !finding.found.is_empty() {
            facts.push(("found", found(&finding.found)));
        }
        if !finding.expected.is_empty() {
            facts.push(("expected", expected(grammar, finding, field)));
        }
    }
    if let Some(code) = finding.condition {
        let conditions = grammar.conditions();
        let known = [finding.application.as_str(), "*"]
            .into_iter()
            .find_map(|application| conditions.get(application, code));
        if let Some(known) = known {
            let of = if known.application == "*" { "every application" } else { &known.application };
            let meaning = if known.meaning.is_empty() { &known.narrative } else { &known.meaning };
            facts.push(("condition", format!("{code} of {of}: {meaning}")));
        }
    }
    if let Some(help) = &finding.help {
        facts.push(("help", help.clone()));
    }
    facts
}

fn found(found: &str) -> String {
    match found.trim().is_empty() {
        true => "blank".to_owned(),
        false => format!("\"{found}\""),
    }
}

/// Text in lines of words.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() || line.len() + word.len() < WIDTH => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// What was expected; of a code list, the first codes.
fn expected(grammar: &Grammar, finding: &Finding, field: Option<&Field>) -> String {
    let values = field.into_iter().flat_map(|field| std::iter::once(&field.values).chain(&field.also));
    let mut text = finding.expected.clone();
    for values in values {
        let Values::List(name) = values else { continue };
        let Some(list) = grammar.list(name).filter(|_| text.contains(&format!("@{name}"))) else { continue };
        let codes = list.codes().take(SHOWN).collect::<Vec<_>>().join(" ");
        let more = if list.rows().len() > SHOWN { " …" } else { "" };
        text = text.replace(&format!("@{name}"), &format!("a code of {name}: {codes}{more}"));
    }
    text
}
