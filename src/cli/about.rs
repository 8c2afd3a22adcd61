//! What lies in the program about a condition or a record, as `abigate explain` tells it.

use std::io::{self, Write};

use super::color;
use super::grammar::show_record;
use crate::grammar::{
    Condition, ConditionCode, Direction, Field, Grammar, GroupMember, Layout, Member, Severity,
};
use crate::message::wrapped;
use crate::rules::RuleBook;

/// The samples, which tell what each of them shows.
const SAMPLES: &str = include_str!("../../samples/README.md");
/// Where they stand.
const FOLDER: &str = "samples/entry_summary";
/// The width of text where that of the terminal is not known.
const WIDTH: usize = 100;
/// What stands before a fact.
const BEFORE_FACT: usize = 13;

/// What somebody asks about.
#[derive(Clone, Debug)]
pub(super) enum Subject<'g> {
    /// A condition, of each application that has it.
    Conditions(Vec<&'g Condition>),
    /// A record of an application.
    Record(&'g str, String),
}

impl<'g> Subject<'g> {
    /// The subject that words name: a condition code, or an application and a condition code or record.
    pub(super) fn of(grammar: &'g Grammar, words: &[&str]) -> Option<Self> {
        let (application, word) = match words {
            [word] => (None, *word),
            [application, word] => (Some(*application), *word),
            _ => return None,
        };
        let own = |known: &str| application.is_none_or(|own| own.eq_ignore_ascii_case(known));
        if application.is_some() {
            let layout = grammar.layouts().iter().map(|layout| &*layout.application).find(|known| own(known));
            let known = grammar.applications().iter().map(|known| &*known.code).find(|known| own(known));
            let known = known.or(layout)?;
            let both = [Direction::Input, Direction::Output];
            let mut layouts = both.into_iter().flat_map(|way| grammar.layouts_under(known, way));
            if let Some(layout) = layouts.find(|layout| layout.record.eq_ignore_ascii_case(word)) {
                return Some(Self::Record(known, layout.record.clone()));
            }
        }
        let code = ConditionCode::new(&word.to_ascii_uppercase())?;
        let rows = grammar.conditions().rows().iter();
        let found = rows.filter(|known| known.code == code && own(&known.application)).collect::<Vec<_>>();
        (!found.is_empty()).then_some(Self::Conditions(found))
    }

    /// Tells what is known.
    pub(super) fn write(&self, grammar: &Grammar, out: &mut impl Write) -> anyhow::Result<()> {
        match self {
            Self::Record(application, record) => {
                places(grammar, application, record, out)?;
                show_record(grammar, application, record, out)
            }
            Self::Conditions(conditions) => {
                let rules = RuleBook::builtin(grammar)?;
                for (number, known) in conditions.iter().enumerate() {
                    if number > 0 {
                        writeln!(out)?;
                    }
                    condition(grammar, &rules, known, out)?;
                }
                Ok(())
            }
        }
    }
}

fn condition(grammar: &Grammar, rules: &RuleBook, known: &Condition, out: &mut impl Write) -> io::Result<()> {
    let Condition { application, code, narrative, .. } = known;
    let name = match &**application {
        "*" => "the envelope of every application",
        other => grammar.application(other).map_or("", |known| &known.name),
    };
    let of = if name.is_empty() { application.clone() } else { format!("{application}, {name}") };
    writeln!(out, "{code}: {narrative}")?;
    fact("of", &of, out)?;
    fact("severity", severity(known.severity), out)?;
    if !known.meaning.is_empty() {
        fact("raised", &known.meaning, out)?;
    }
    for layout in grammar.layouts() {
        // Records of partner agencies travel in entry summaries.
        let is_own = layout.application == *application || layout.application == "PGA" && application == "AE";
        for field in layout.fields.iter().filter(|_| is_own) {
            if let Some(when) = when(field, *code) {
                let Layout { record, .. } = layout;
                let text = format!("{record} {}, columns {}, {when}", field.name, field.cell);
                fact("field", &text, out)?;
            }
        }
    }
    if application == rules.application() {
        for (rule, around) in rules.rules_of(*code) {
            let rule = rule.strip_prefix("rule ").unwrap_or(rule);
            let around = around.iter().map(|test| format!("{test}: ")).collect::<String>();
            fact("rule", &format!("{around}{rule}"), out)?;
        }
    }
    standing(grammar, known, out)?;
    for sample in SAMPLES.lines().filter_map(|line| sample(line, *code)) {
        fact("sample", &sample, out)?;
    }
    Ok(())
}

/// Whether abigate raises the condition, as the register of conditions has it.
fn standing(grammar: &Grammar, known: &Condition, out: &mut impl Write) -> io::Result<()> {
    let register = grammar.list("condition_register");
    for row in register.map(|list| list.rows()).unwrap_or_default() {
        let [application, code, status, reason] = row.as_slice() else { continue };
        if *application == known.application && code == known.code.as_str() {
            let text = if reason.is_empty() { status.clone() } else { format!("{status}: {reason}") };
            fact("here", &text, out)?;
        }
    }
    Ok(())
}

/// When a field raises a condition.
fn when(field: &Field, code: ConditionCode) -> Option<String> {
    let own = &field.conditions;
    let named = [
        ("blank though mandatory", own.missing),
        ("not among its values", own.unknown),
        ("not of its class", own.invalid),
        ("zero", own.zero),
    ];
    let when = named.iter().find(|(_, named)| *named == Some(code)).map(|(when, _)| (*when).to_owned());
    let check = || own.checks.iter().find(|(_, named)| *named == code);
    when.or_else(|| check().map(|(name, _)| format!("fails the check {name}")))
}

/// The sample that a line of their table tells of, if it shows the condition.
fn sample(line: &str, code: ConditionCode) -> Option<String> {
    let mut cells = line.split('|').map(str::trim).skip(1);
    let file = cells.next()?.trim_matches('`');
    let (_, change) = (cells.next()?, cells.next()?);
    let shows = |codes: &str| codes.split(", ").any(|shown| shown == code.as_str());
    cells.next().filter(|codes| file.starts_with("bad/") && shows(codes))?;
    Some(format!("{FOLDER}/{file}: {change}"))
}

/// Where a record stands in the structure of its application.
fn places(grammar: &Grammar, application: &str, record: &str, out: &mut impl Write) -> io::Result<()> {
    for direction in [Direction::Input, Direction::Output] {
        if let Some((structure, _)) = grammar.structure(application, direction) {
            find(&structure.root, &[], record, out)?;
        }
    }
    Ok(())
}

fn find(group: &GroupMember, around: &[&str], record: &str, out: &mut impl Write) -> io::Result<()> {
    let mut path = around.to_vec();
    path.push(&group.name);
    for member in &group.members {
        match member {
            Member::Group(inner) => find(inner, &path, record, out)?,
            Member::Record(member) if member.record == record => {
                let times = match member.maximum {
                    Some(1) => "once".to_owned(),
                    Some(most) => format!("up to {most} times"),
                    None => "any number of times".to_owned(),
                };
                let place = path.join(" / ").replace('_', " ");
                writeln!(out, "in {place}: {}, {times}", member.designation.word())?;
            }
            Member::Record(_) => {}
        }
    }
    Ok(())
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Fatal => "fatal: the transaction or the batch is rejected",
        Severity::CensusWarning => "Census warning: accepted, and to be overridden or corrected",
        Severity::AgencyWarning => "warning of a partner agency: accepted",
        Severity::Informational => "informational: accepted",
    }
}

fn fact(name: &str, text: &str, out: &mut impl Write) -> io::Result<()> {
    let width = color::width().unwrap_or(WIDTH).saturating_sub(BEFORE_FACT).max(BEFORE_FACT);
    for (number, line) in wrapped(text, width).into_iter().enumerate() {
        writeln!(out, "  {:<10} {line}", if number == 0 { name } else { "" })?;
    }
    Ok(())
}
