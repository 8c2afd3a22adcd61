//! `abigate admin backup` and `abigate admin check`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::super::Ending;
use super::super::output::Outputs;
use super::place::{Format, FormatArgument, Place};
use crate::store::{SetAside, StoreReport};

/// Copy the store into a file
///
/// The copy is the store as it stands at one moment. A gateway that runs goes on meanwhile. The file is there
/// when the copy is whole, takes the place of one that was there, and only its owner can read it.
#[derive(Debug, Args)]
pub(super) struct BackupArguments {
    #[command(flatten)]
    place: Place,
    /// The file
    file: PathBuf,
}

/// Read the whole store and tell what is damaged or set aside
///
/// Ends with 0 if all is well, with 1 if there is something to look at, with 2 if the store cannot be read.
#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    format: FormatArgument,
    /// Before that, take back what was set aside and can be read again
    #[arg(long)]
    take_back: bool,
}

pub(super) fn back_up(arguments: &BackupArguments) -> anyhow::Result<Ending> {
    let file = &arguments.file;
    arguments.place.store()?.back_up(file).with_context(|| format!("backup {}", file.display()))?;
    Ok(Ending::Clean)
}

pub(super) fn check(arguments: &CheckArguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let mut store = arguments.place.store()?;
    let taken_back = if arguments.take_back { store.take_back_what_is_sound()? } else { 0 };
    let report = store.check()?;
    let text = match arguments.format.format {
        Format::Json => format!("{:#}\n", as_json(&report, taken_back)),
        Format::Text => as_text(&report, taken_back),
    };
    outputs.standard().write_all(text.as_bytes())?;
    Ok(if report.is_clean() { Ending::Clean } else { Ending::Findings })
}

fn as_text(report: &StoreReport, taken_back: usize) -> String {
    let mut text = String::new();
    for (table, rows) in &report.rows {
        text.push_str(&format!("{table:24} {rows:>10} rows\n"));
    }
    for problem in &report.problems {
        text.push_str(&format!("damaged: {problem}\n"));
    }
    for SetAside { kind, name, at, reason, .. } in &report.set_aside {
        text.push_str(&format!("set aside: {} {name}, {at}: {reason}\n", kind.name()));
    }
    if taken_back > 0 {
        text.push_str(&format!("taken back: {taken_back}\n"));
    }
    if report.is_clean() {
        text.push_str("all can be read\n");
    }
    text
}

fn as_json(report: &StoreReport, taken_back: usize) -> Value {
    let set_aside = |one: &SetAside| {
        json!({
            "kind": one.kind.name(),
            "name": one.name,
            "at": one.at,
            "reason": one.reason,
            "records": one.records.iter().map(|row| String::from_utf8_lossy(row).into_owned()).collect::<Vec<_>>(),
        })
    };
    json!({
        "rows": report.rows.iter().map(|(table, rows)| ((*table).to_owned(), json!(rows))).collect::<serde_json::Map<_, _>>(),
        "damaged": report.problems,
        "set_aside": report.set_aside.iter().map(set_aside).collect::<Vec<_>>(),
        "taken_back": taken_back,
    })
}
