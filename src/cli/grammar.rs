//! `abigate grammar`.

mod codes;
mod diff;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::bail;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::Ending;
use super::output::Outputs;
use crate::grammar::{
    Basis, CodeList, ConditionCode, Direction, Discriminator, Grammar, GroupMember, Layout, Member, Order,
    export,
};

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
        /// How the table is written.
        #[arg(long, value_enum, default_value = "human")]
        format: Format,
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
    Codes(codes::Arguments),
    Diff(diff::Arguments),
    Schema(schema::Arguments),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// A table.
    Human,
    /// One JSON object a line.
    Json,
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let own = arguments.grammars.as_deref().map(Grammar::with_folder).transpose()?;
    let grammar = own.as_ref().unwrap_or_else(|| Grammar::builtin());
    let mut out = outputs.standard();
    let mut ending = Ending::Clean;
    match arguments.command {
        Command::List { conditions: true, format } => list_conditions(grammar, format, &mut out)?,
        Command::List { conditions: false, format } => list(grammar, format, &mut out)?,
        Command::Show { application, record } => show(grammar, &application, record.as_deref(), &mut out)?,
        Command::Check => summary(grammar, &mut out)?,
        Command::Export { applications } => export(grammar, &applications, &mut out)?,
        Command::Codes(which) => codes::run(grammar, &which, &mut out)?,
        Command::Schema(which) => schema::run(grammar, &which, outputs)?,
        Command::Diff(revisions) => ending = diff::run(&revisions, &mut out)?,
    }
    out.flush()?;
    Ok(ending)
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

/// A row of the coverage table.
#[derive(Serialize)]
struct Coverage<'g> {
    application: &'g str,
    direction: &'static str,
    name: &'g str,
    /// The identifier of the response to an input.
    #[serde(skip_serializing_if = "str::is_empty")]
    response: &'g str,
    /// The layouts of its records, and their fields.
    records: usize,
    fields: usize,
    /// How many of them are another application's.
    borrowed: usize,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    chapter: Option<&'g str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'g str>,
}

fn list(grammar: &Grammar, format: Format, out: &mut impl Write) -> io::Result<()> {
    let mut rows = grammar
        .applications()
        .iter()
        .map(|known| coverage(grammar, &known.code, known.direction, &known.name, &known.response))
        .collect::<Vec<_>>();
    let known = |layout: &Layout| {
        rows.iter()
            .any(|row| (row.application, row.direction) == (&*layout.application, layout.direction.name()))
    };
    let others = grammar.layouts().iter().filter(|layout| !known(layout));
    let others =
        others.map(|layout| (layout.application.as_str(), layout.direction)).collect::<BTreeSet<_>>();
    for (application, direction) in others {
        let name =
            if application == "*" { "the envelope of every application" } else { "travels inside others" };
        rows.push(coverage(grammar, application, direction, name, ""));
    }
    match format {
        Format::Human => table(&rows, out),
        Format::Json => rows.iter().try_for_each(|row| {
            serde_json::to_writer(&mut *out, row)?;
            writeln!(out)
        }),
    }
}

fn coverage<'g>(
    grammar: &'g Grammar,
    application: &'g str,
    direction: Direction,
    name: &'g str,
    response: &'g str,
) -> Coverage<'g> {
    let own = |layout: &&&Layout| layout.application == application && layout.direction == direction;
    let layouts = grammar.layouts_under(application, direction);
    let chapter = grammar.chapter(application, direction);
    Coverage {
        application,
        direction: direction.name(),
        name,
        response,
        records: layouts.len(),
        fields: layouts.iter().map(|layout| layout.fields.len()).sum(),
        borrowed: layouts.len() - layouts.iter().filter(own).count(),
        status: match chapter.map(|chapter| chapter.basis) {
            None => "no source",
            Some(Basis::Chapter) => "described",
            Some(Basis::Transcription) => "transcribed",
            Some(Basis::Outline) => "uncertain",
        },
        chapter: chapter.map(|chapter| chapter.name.as_str()),
        revision: chapter.map(|chapter| chapter.revision.as_str()),
    }
}

fn table(rows: &[Coverage<'_>], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "app  dir  answer  records  fields  borrowed  status       name; chapter")?;
    for row in rows {
        let chapter = row.chapter.filter(|chapter| *chapter != row.name);
        let chapter = chapter.map(|chapter| format!("; {chapter}")).unwrap_or_default();
        writeln!(
            out,
            "{:<4} {:<4} {:<7} {:>7} {:>7} {:>9}  {:<12} {}{chapter}",
            row.application,
            row.direction,
            row.response,
            row.records,
            row.fields,
            row.borrowed,
            row.status,
            row.name
        )?;
    }
    Ok(())
}

/// The register of conditions (`condition_register`), with their narratives and the totals.
fn list_conditions(grammar: &Grammar, format: Format, out: &mut impl Write) -> io::Result<()> {
    let mut totals = BTreeMap::<(String, String), usize>::new();
    let register = grammar.list("condition_register");
    for row in register.map(CodeList::rows).unwrap_or_default() {
        let [application, code, status, reason] = row.as_slice() else { continue };
        let known = ConditionCode::new(code).and_then(|code| grammar.conditions().get(application, code));
        let narrative = known.map_or("", |known| &known.narrative);
        if format == Format::Json {
            let row = serde_json::json!({
                "application": application, "code": code, "status": status, "narrative": narrative, "reason": reason,
            });
            writeln!(out, "{row}")?;
            continue;
        }
        writeln!(out, "{application:<3} {code:<4} {status:<12} {narrative:<41} {reason}")?;
        *totals.entry((application.clone(), status.clone())).or_default() += 1;
    }
    if format == Format::Human {
        writeln!(out)?;
    }
    for ((application, status), count) in totals {
        writeln!(out, "{application:<3} {status:<12} {count:>4}")?;
    }
    Ok(())
}

/// Shows a record of an application field by field.
pub(super) fn show_record(
    grammar: &Grammar,
    application: &str,
    record: &str,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    show(grammar, application, Some(record), out)
}

fn show(
    grammar: &Grammar,
    application: &str,
    record: Option<&str>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let layouts = [Direction::Input, Direction::Output]
        .into_iter()
        .flat_map(|direction| grammar.layouts_under(application, direction))
        .filter(|layout| record.is_none_or(|id| layout.record == id))
        .collect::<Vec<_>>();
    if layouts.is_empty() {
        bail!("no grammar has a record {} of {application}", record.unwrap_or_default());
    }
    if record.is_none() {
        for direction in [Direction::Input, Direction::Output] {
            if let Some((structure, _)) = grammar.structure(application, direction) {
                writeln!(out, "structure {application} {}{}", direction.name(), order(structure.root.order))?;
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
                "{indent}{} {} {}{}",
                record.record,
                record.designation.letter(),
                times(record.maximum),
                record.discriminator.as_ref().map(mark).unwrap_or_default()
            )?,
            Member::Group(inner) => {
                let (letter, maximum) = (inner.designation.letter(), times(inner.maximum));
                writeln!(out, "{indent}group {} {letter} {maximum}{}", inner.name, order(inner.order))?;
                show_group(inner, depth + 1, out)?;
            }
        }
    }
    Ok(())
}

fn order(order: Order) -> &'static str {
    match order {
        Order::Sequence => "",
        Order::Unordered => " in any order",
        Order::Choice => " one of",
    }
}

fn mark(mark: &Discriminator) -> String {
    let values = mark.values.iter().map(|value| if value.is_empty() { "blank" } else { value });
    format!("  {} {}", mark.field, values.collect::<Vec<_>>().join(" or "))
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
            let narrative = grammar.condition(application, code).map_or("", |known| &known.narrative);
            writeln!(out, "           {code} {when}: {narrative}")?;
        }
        if !field.note.is_empty() {
            writeln!(out, "           {}", field.note)?;
        }
    }
    Ok(())
}
