//! Findings for people: the record below a ruler, with its columns marked, and what is known of them.

use std::io::{self, Write};

use crate::grammar::{Field, Grammar, Layout, Severity, Values};
use crate::message::{Finding, wrapped};

/// Styles of a terminal.
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const GREEN: &str = "\x1b[1;32m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// Codes of a list that are shown when one of them is expected.
const SHOWN: usize = 12;

/// The most columns of a drawing, where the terminal has more and where its width is not known.
const WIDEST: usize = 105;
/// The fewest: below that a line holds no words.
const NARROWEST: usize = 40;
/// What stands before the text of a fact, beside the margin: ` = expected  `.
const BEFORE_FACT: usize = 13;

/// Draws findings.
pub(super) struct Pen {
    colored: bool,
    width: usize,
}

/// Where a drawing is: the number of the record and the space below it.
struct Margin {
    number: String,
    blank: String,
}

impl Pen {
    /// A pen for a terminal of so many columns, if that is known.
    pub(super) fn new(colored: bool, width: Option<usize>) -> Self {
        Self { colored, width: width.unwrap_or(WIDEST).clamp(NARROWEST, WIDEST) }
    }

    pub(super) fn draw(&self, grammar: &Grammar, finding: &Finding, out: &mut impl Write) -> io::Result<()> {
        self.title(finding, out)?;
        let number = finding.position.record.to_string();
        let margin = Margin { blank: " ".repeat(number.len()), number };
        self.place(finding, &margin, out)?;
        let layout = finding.layout.map(|id| grammar.layout(id));
        let field = layout.and_then(|layout| field(layout, finding));
        self.record(finding, layout, field, &margin, out)?;
        for (name, text) in facts(grammar, finding, field) {
            let color = if name == "help" { GREEN } else { BOLD };
            let mark = self.styled(BLUE, "=");
            let blank = &margin.blank;
            let mut lines = wrapped(&text, self.width - blank.len() - BEFORE_FACT).into_iter();
            let first = lines.next().unwrap_or_default();
            writeln!(out, "{blank} {mark} {} {first}", self.styled(color, &format!("{name:<9}")))?;
            lines.try_for_each(|line| writeln!(out, "{blank}   {:9} {line}", ""))?;
        }
        writeln!(out)
    }

    fn title(&self, finding: &Finding, out: &mut impl Write) -> io::Result<()> {
        let (name, color) = severity(finding.severity);
        let code = finding.condition.map(|code| format!("[{code}]")).unwrap_or_default();
        let name = format!("{name}{code}");
        let mut lines = wrapped(&format!("{name}: {}", finding.message), self.width).into_iter();
        let first = lines.next().unwrap_or_default();
        let message = first.strip_prefix(&name).unwrap_or_default();
        writeln!(out, "{}{}", self.styled(color, &name), self.styled(BOLD, message))?;
        lines.try_for_each(|line| writeln!(out, "  {}", self.styled(BOLD, &line)))
    }

    /// The place as editors and terminals follow it, and how it nests.
    fn place(&self, finding: &Finding, margin: &Margin, out: &mut impl Write) -> io::Result<()> {
        let at = &finding.position;
        let source = at.source.as_deref().unwrap_or("-");
        let column = finding.columns.map_or(1, |(first, _)| first);
        let place = format!("{source}:{}:{column}", at.record);
        let counts = [
            ("batch", u64::from(at.batch)),
            ("block", u64::from(at.block)),
            ("transaction", u64::from(at.transaction)),
        ];
        let counts = counts.iter().filter(|(_, count)| *count > 0);
        let nesting = counts.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ");
        let Margin { blank, .. } = margin;
        let arrow = self.styled(BLUE, "-->");
        if nesting.is_empty() {
            writeln!(out, "{blank}{arrow} {place}")
        } else if blank.len() + 6 + place.chars().count() + nesting.len() <= self.width {
            writeln!(out, "{blank}{arrow} {place}, {nesting}")
        } else {
            writeln!(out, "{blank}{arrow} {place},\n{blank}    {nesting}")
        }
    }

    /// The record between two rules of the margin. Where all of it does not fit, the part with the marked
    /// columns is shown.
    fn record(
        &self,
        finding: &Finding,
        layout: Option<&Layout>,
        field: Option<&Field>,
        margin: &Margin,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let text = &finding.record_text;
        if text.is_empty() {
            return Ok(());
        }
        let Margin { number, blank } = margin;
        let (first, last) = finding.columns.unwrap_or((1, finding.record_id.len().max(1)));
        let bar = self.styled(BLUE, "|");
        if let Some(layout) = layout {
            writeln!(out, "{blank} {bar} {} {}", layout.record, layout.name.replace('_', " "))?;
        }
        let room = self.width - blank.len() - 3;
        let whole = text.len().max(last).next_multiple_of(10);
        let (from, to) = window(whole, (first, last), room);
        writeln!(out, "{blank} {bar} {}", self.styled(BLUE, &ruler(from, to)))?;
        let shown = text.get(from - 1..text.len().min(to)).unwrap_or_default();
        writeln!(out, "{} {bar} {}", self.styled(BLUE, number), shown.trim_end())?;
        let label = match field {
            Some(field) => field.element.as_str(),
            None if finding.columns.is_none() && layout.is_some() => &finding.expected,
            None => "",
        };
        let marks = format!("{}{}", " ".repeat(first - from), "^".repeat(last.min(to) + 1 - first));
        let (_, color) = severity(finding.severity);
        if marks.len() + 1 + label.len() <= room {
            let marks = format!("{marks} {label}");
            return writeln!(out, "{blank} {bar} {}", self.styled(color, marks.trim_end()));
        }
        writeln!(out, "{blank} {bar} {}", self.styled(color, &marks))?;
        let mut lines = wrapped(label, room).into_iter();
        lines.try_for_each(|line| writeln!(out, "{blank} {bar} {}", self.styled(color, &line)))
    }

    fn styled(&self, style: &str, text: &str) -> String {
        if self.colored && !text.is_empty() { format!("{style}{text}{PLAIN}") } else { text.to_owned() }
    }
}

/// The columns of a record that fit: all, or those around the marked ones, from the first of ten on.
fn window(whole: usize, (first, last): (usize, usize), room: usize) -> (usize, usize) {
    if whole <= room {
        return (1, whole);
    }
    let tens = |column: usize| (column - 1) / 10 * 10 + 1;
    let from = if last <= room { 1 } else { tens(first.min((last + 1).saturating_sub(room / 2))) };
    (from, whole.min(from + room - 1))
}

pub(super) fn severity(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Fatal => ("error", RED),
        Severity::CensusWarning => ("census warning", YELLOW),
        Severity::AgencyWarning => ("agency warning", YELLOW),
        Severity::Informational => ("notice", BLUE),
    }
}

/// A ruler as mainframe editors have it: a digit every ten columns.
fn ruler(from: usize, to: usize) -> String {
    let sign = |column: usize| match column {
        column if column % 10 == 0 => char::from(b'0' + (column / 10) as u8 % 10),
        column if column % 5 == 0 => '+',
        _ => '-',
    };
    (from..=to).map(sign).collect()
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
    if let Some(rule) = &finding.rule {
        facts.push(("rule", rule.strip_prefix("rule ").unwrap_or(rule).to_owned()));
    }
    if let Some(help) = &finding.help {
        facts.push(("help", help.clone()));
    }
    facts
}

pub(super) fn found(found: &str) -> String {
    match found.trim().is_empty() {
        true => "blank".to_owned(),
        false => format!("\"{found}\""),
    }
}

/// What was expected; of a code list, the first codes.
pub(super) fn expected(grammar: &Grammar, finding: &Finding, field: Option<&Field>) -> String {
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
