//! `abigate tariff`

mod duty;
mod explain;
mod import;
mod interest;
mod show;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::Ending;
use super::output::Outputs;
use crate::grammar::Grammar;
use crate::tariff::{Assessment, Sources, SummaryFacts, TableError, Tariff, table, text};
use crate::wire::read_text;

/// The tariff schedule, and what duty, fees and interest come to
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A schedule that `tariff import` made; may stand more than once
    #[arg(long, value_name = "FILE", global = true)]
    schedule: Vec<PathBuf>,
    /// A folder of tables, such as fees.table, that stand in the place of the built-in ones
    #[arg(long, value_name = "FOLDER", global = true)]
    tables: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Import(import::Arguments),
    Show(show::Arguments),
    Duty(Box<duty::Arguments>),
    Explain(explain::Arguments),
    Interest(interest::Arguments),
}

/// How an assessment is printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
enum Format {
    /// Every step in words
    #[default]
    Text,
    /// One row an amount, to put beside a CBP Form 7501
    Table,
    /// JSON for programs
    Json,
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let tariff = load(&arguments.schedule, arguments.tables.as_deref())?;
    let mut out = outputs.standard();
    match arguments.command {
        Command::Import(command) => import::run(&command, &tariff, outputs),
        Command::Show(command) => show::run(&command, &tariff, &mut out),
        Command::Duty(command) => duty::run(&command, &tariff, &mut out),
        Command::Explain(command) => explain::run(&command, &tariff, &mut out),
        Command::Interest(command) => interest::run(&command, &tariff, &mut out),
    }
}

/// The tariff with the schedules and tables that were named.
fn load(schedules: &[PathBuf], tables: Option<&Path>) -> anyhow::Result<Tariff> {
    let mut sources = Sources::builtin();
    if let Some(folder) = tables {
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let Some(name) = Sources::name(&path) else { continue };
            if !sources.knows(&path) {
                bail!("{}: no table of that name", path.display());
            }
            sources.replace(name, read(&path)?);
        }
    }
    let mut tariff = Tariff::new(&sources, Grammar::builtin())?;
    for path in schedules {
        let named = |error: TableError| TableError { file: path.display().to_string(), ..error };
        tariff.add_schedule(&read(path)?).map_err(named)?;
    }
    Ok(tariff)
}

fn read(path: &Path) -> anyhow::Result<String> {
    read_text(path).with_context(|| path.display().to_string())
}

/// Prints an assessment; what is wrong is a finding.
fn print(
    tariff: &Tariff,
    facts: &SummaryFacts,
    assessment: &Assessment,
    format: Format,
    out: &mut impl Write,
) -> anyhow::Result<Ending> {
    match format {
        Format::Text => write!(out, "{}", text(assessment))?,
        Format::Table => write!(out, "{}", table(tariff, facts, assessment))?,
        Format::Json => writeln!(out, "{:#}", json!(assessment))?,
    }
    Ok(if assessment.problems.is_empty() { Ending::Clean } else { Ending::Findings })
}
