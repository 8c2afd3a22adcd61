//! `abigate grammar codes`: the code lists of the grammars.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::Context;
use clap::Args;
use serde_json::{Map, Value};

use super::Format;
use crate::grammar::{CodeList, Field, Grammar, Layout, Values};

/// The code lists: their names, or one of them with its codes
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The list, as the grammars name it after `@`, such as `ae_entry_type`; all lists if none is named.
    list: Option<String>,
    /// Rows with this code only.
    code: Option<String>,
    /// How the table is written.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(grammar: &Grammar, arguments: &Arguments, out: &mut impl Write) -> anyhow::Result<()> {
    let Arguments { list, code, format } = arguments;
    let Some(name) = list else { return Ok(lists(grammar, *format, out)?) };
    let name = name.trim_start_matches('@');
    let list = grammar.list(name).with_context(|| {
        format!("no list {name:?} in the grammars; `abigate grammar codes` names all of them")
    })?;
    let is_asked = |row: &&Vec<String>| code.as_ref().is_none_or(|code| row.contains(code));
    let rows = list.rows().iter().filter(is_asked).collect::<Vec<_>>();
    if let Some(code) = code.as_ref().filter(|_| rows.is_empty()) {
        anyhow::bail!("the list {name} has no {code:?}");
    }
    match format {
        Format::Json => rows.iter().try_for_each(|row| {
            serde_json::to_writer(&mut *out, &object(list, row))?;
            writeln!(out)
        })?,
        Format::Human => {
            table(list, &rows, out)?;
            users(grammar, name, out)?;
        }
    }
    Ok(())
}

/// The names of all lists, how many rows they have, and their columns.
fn lists(grammar: &Grammar, format: Format, out: &mut impl Write) -> io::Result<()> {
    let lists = grammar.lists().map(|list| (list.name(), list)).collect::<BTreeMap<_, _>>();
    let width = lists.keys().map(|name| name.len()).max().unwrap_or_default();
    for (name, list) in lists {
        match format {
            Format::Human => {
                writeln!(out, "{name:<width$} {:>5}  {}", list.rows().len(), list.header().join(", "))?;
            }
            Format::Json => {
                let row =
                    serde_json::json!({"list": name, "rows": list.rows().len(), "columns": list.header()});
                writeln!(out, "{row}")?;
            }
        }
    }
    Ok(())
}

fn object(list: &CodeList, row: &[String]) -> Value {
    let cells = list.header().iter().zip(row);
    Value::Object(cells.map(|(name, cell)| (name.clone(), Value::from(cell.as_str()))).collect::<Map<_, _>>())
}

fn table(list: &CodeList, rows: &[&Vec<String>], out: &mut impl Write) -> io::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).chain(list.header().get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths = (0..list.header().len()).map(width).collect::<Vec<_>>();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    writeln!(out, "{}", line(list.header()))?;
    rows.iter().try_for_each(|row| writeln!(out, "{}", line(row)))
}

/// The fields that take their values from a list.
fn users(grammar: &Grammar, name: &str, out: &mut impl Write) -> io::Result<()> {
    let takes = |values: &Values| matches!(values, Values::List(list) if list == name);
    let uses = |field: &&Field| std::iter::once(&field.values).chain(&field.also).any(takes);
    let fields = |layout: &'_ Layout| {
        layout.fields.iter().filter(uses).map(|field| field.name.clone()).collect::<Vec<_>>()
    };
    let mut is_first = true;
    for layout in grammar.layouts() {
        for field in fields(layout) {
            if std::mem::replace(&mut is_first, false) {
                writeln!(out, "\nused by")?;
            }
            let Layout { application, record, direction, .. } = layout;
            writeln!(out, "  {application} {} {record} {field}", direction.name())?;
        }
    }
    Ok(())
}
