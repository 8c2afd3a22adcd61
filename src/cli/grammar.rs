//! `abigate grammar`.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;

use super::Ending;
use crate::grammar::{CodeList, ConditionCode, Direction, Grammar, GroupMember, Layout, Member, export};

/// The grammars: what each chapter's records look like.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A folder of grammars that add to or override the built-in ones.
    #[arg(long, value_name = "FOLDER", global = true)]
    grammars: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every application identifier, with its records and fields.
    List {
        /// Every condition instead: whether a test provokes it, or why not.
        #[arg(long)]
        conditions: bool,
    },
    /// An application's structure and records, or one record field by field.
    Show {
        /// The application identifier, such as AE; `*` is the envelope.
        application: String,
        /// A record's control identifier.
        record: Option<String>,
    },
    /// Whether the grammars can be used, with the place of what is wrong.
    Check,
    /// Every field as tab-separated values.
    Export {
        /// Application identifiers; all if none is named.
        applications: Vec<String>,
    },
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Ending> {
    let own = arguments.grammars.as_deref().map(Grammar::with_folder).transpose()?;
    let grammar = own.as_ref().unwrap_or_else(|| Grammar::builtin());
    let mut out = BufWriter::new(io::stdout().lock());
    match arguments.command {
        Command::List { conditions: true } => list_conditions(grammar, &mut out)?,
        Command::List { conditions: false } => list(grammar, &mut out)?,
        Command::Show { application, record } => show(grammar, &application, record.as_deref(), &mut out)?,
        Command::Check => summary(grammar, &mut out)?,
        Command::Export { applications } => export(grammar, &applications, &mut out)?,
    }
    out.flush()?;
    Ok(Ending::Clean)
}

fn summary(grammar: &Grammar, out: &mut impl Write) -> io::Result<()> {
    let fields = grammar.layouts().iter().map(|layout| layout.fields.len()).sum::<usize>();
    let (chapters, layouts) = (grammar.chapters().len(), grammar.layouts().len());
    let (lists, conditions) = (grammar.lists().count(), grammar.conditions().rows().len());
    writeln!(
        out,
        "{chapters} chapters, {layouts} records, {fields} fields, {lists} lists, {conditions} conditions"
    )
}

fn list(grammar: &Grammar, out: &mut impl Write) -> io::Result<()> {
    let mut counts = BTreeMap::<(&str, Direction), (usize, usize)>::new();
    for layout in grammar.layouts() {
        let count = counts.entry((&layout.application, layout.direction)).or_default();
        count.0 += 1;
        count.1 += layout.fields.len();
    }
    writeln!(out, "app  dir  answer  records  fields  status        name")?;
    for application in grammar.applications() {
        let (records, fields) =
            counts.remove(&(application.code.as_str(), application.direction)).unwrap_or_default();
        let structured = grammar.structure(&application.code, application.direction).is_some();
        let status = match (records, structured) {
            (0, _) => "no grammar",
            (_, false) => "records only",
            (_, true) => "complete",
        };
        writeln!(
            out,
            "{:<4} {:<4} {:<7} {records:>7} {fields:>7}  {status:<13} {}",
            application.code,
            application.direction.name(),
            application.response,
            application.name
        )?;
    }
    for ((application, direction), (records, fields)) in counts {
        let name =
            if application == "*" { "the envelope of every application" } else { "travels inside others" };
        writeln!(
            out,
            "{application:<4} {:<4} {:<7} {records:>7} {fields:>7}  {:<13} {name}",
            direction.name(),
            "",
            "complete"
        )?;
    }
    Ok(())
}

/// The register of conditions (`condition_register`), with their narratives and the totals.
fn list_conditions(grammar: &Grammar, out: &mut impl Write) -> io::Result<()> {
    let mut totals = BTreeMap::<(String, String), usize>::new();
    let register = grammar.list("condition_register");
    for row in register.map(CodeList::rows).unwrap_or_default() {
        let [application, code, status, reason] = row.as_slice() else { continue };
        let known = ConditionCode::new(code).and_then(|code| grammar.conditions().get(application, code));
        let narrative = known.map_or("", |known| &known.narrative);
        writeln!(out, "{application:<3} {code:<4} {status:<12} {narrative:<41} {reason}")?;
        *totals.entry((application.clone(), status.clone())).or_default() += 1;
    }
    writeln!(out)?;
    for ((application, status), count) in totals {
        writeln!(out, "{application:<3} {status:<12} {count:>4}")?;
    }
    Ok(())
}

fn show(
    grammar: &Grammar,
    application: &str,
    record: Option<&str>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let layouts = grammar
        .layouts()
        .iter()
        .filter(|layout| layout.application == application && record.is_none_or(|id| layout.record == id))
        .collect::<Vec<_>>();
    if layouts.is_empty() {
        bail!("no grammar has a record {} of {application}", record.unwrap_or_default());
    }
    if record.is_none() {
        for direction in [Direction::Input, Direction::Output] {
            if let Some((structure, _)) = grammar.structure(application, direction) {
                writeln!(out, "structure {application} {}", direction.name())?;
                show_group(&structure.root, 1, out)?;
                writeln!(out)?;
            }
        }
    }
    for layout in layouts {
        if record.is_none() {
            writeln!(
                out,
                "{:<4} {:<3} {:<8} {}",
                layout.record,
                layout.direction.name(),
                layout.variant,
                layout.name
            )?;
        } else {
            show_layout(grammar, layout, out)?;
        }
    }
    Ok(())
}

fn show_group(group: &GroupMember, depth: usize, out: &mut impl Write) -> io::Result<()> {
    let indent = "  ".repeat(depth);
    let times = |maximum: Option<u32>| maximum.map_or("*".to_owned(), |maximum| maximum.to_string());
    for member in &group.members {
        match member {
            Member::Record(record) => writeln!(
                out,
                "{indent}{} {} {}",
                record.record,
                record.designation.letter(),
                times(record.maximum)
            )?,
            Member::Group(inner) => {
                let (letter, maximum) = (inner.designation.letter(), times(inner.maximum));
                writeln!(out, "{indent}group {} {letter} {maximum}", inner.name)?;
                show_group(inner, depth + 1, out)?;
            }
        }
    }
    Ok(())
}

fn show_layout(grammar: &Grammar, layout: &Layout, out: &mut impl Write) -> io::Result<()> {
    let variant =
        if layout.variant.is_empty() { String::new() } else { format!(", variant {}", layout.variant) };
    writeln!(
        out,
        "{} {} {}: {}{variant}",
        layout.application,
        layout.direction.name(),
        layout.record,
        layout.name
    )?;
    for field in &layout.fields {
        let decimals = field.decimals.filter(|decimals| *decimals > 0);
        let decimals = decimals.map(|decimals| format!(" .{decimals}")).unwrap_or_default();
        writeln!(
            out,
            "  {:<6} {:<5} {} {:<44} {}{decimals}",
            field.cell.to_string(),
            field.class.to_string(),
            field.designation.letter(),
            field.name,
            field.values.in_table()
        )?;
        let own = &field.conditions;
        let named = [
            ("missing", own.missing),
            ("unknown", own.unknown),
            ("invalid", own.invalid),
            ("zero", own.zero),
        ];
        let checks = own.checks.iter().map(|(name, code)| (name.as_str(), Some(*code)));
        for (when, code) in named.into_iter().chain(checks) {
            let Some(code) = code else { continue };
            let application = if layout.application == "PGA" { "AE" } else { &layout.application };
            let narrative = grammar.conditions().get(application, code).map_or("", |known| &known.narrative);
            writeln!(out, "           {code} {when}: {narrative}")?;
        }
        if !field.note.is_empty() {
            writeln!(out, "           {}", field.note)?;
        }
    }
    Ok(())
}
