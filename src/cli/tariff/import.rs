//! `abigate tariff import`

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use jiff::civil::Date;

use super::super::output::Outputs;
use super::super::{Ending, output};
use crate::tariff::{Import, Refused, Tariff, import, write_schedule};

/// Read published schedules and write one that `--schedule` takes
///
/// Reads the tariff database of the USITC (comma, semicolon, tab or bar separated), its JSON export of the schedule,
/// and the report of ACE with reporting units and agency flags. Tells how many rates were read, and which
/// were not and why; they are kept as they are printed.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Published files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The schedule to write; standard output if `-`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The first day of rows that do not say theirs, as those of the JSON export
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Name every row and rate that was not read, and not only the first of a kind
    #[arg(long)]
    all: bool,
}

pub(super) fn run(arguments: &Arguments, tariff: &Tariff, outputs: &Outputs) -> anyhow::Result<Ending> {
    let mut ending = Ending::Clean;
    let mut schedule = arguments.output.as_deref().map(|path| outputs.open(Some(path))).transpose()?;
    // What is told must not stand between the rows of a schedule.
    let quiet = arguments.output.as_deref().is_some_and(|path| path.as_os_str() == "-");
    for path in &arguments.files {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        let read =
            import(tariff, &name, &bytes, arguments.from).with_context(|| path.display().to_string())?;
        if !(read.refused.is_empty() && read.doubts.is_empty()) {
            ending = Ending::Findings;
        }
        let report = report(tariff, &read, arguments.all);
        if quiet {
            output::tell(report.trim_end());
        } else {
            outputs.standard().write_all(report.as_bytes())?;
        }
        if let Some(schedule) = &mut schedule {
            write_schedule(&read.version, &read.rows, schedule)?;
        }
    }
    Ok(ending)
}

fn report(tariff: &Tariff, read: &Import, all: bool) -> String {
    let [rates, computed, noted, unread] = read.rates(tariff).map(|count| count.to_string());
    let (name, kind, rows) = (&read.version.name, read.kind, read.rows.len());
    let (refused, doubts) = (read.refused.len(), read.doubts.len());
    let mut report = format!(
        "{name}: {kind}: {rows} rows, {refused} refused; {rates} rates: {computed} read, {noted} by a note, \
         {unread} not read; {doubts} in doubt\n"
    );
    if !read.ignored.is_empty() {
        report += &format!("  not needed: {}\n", read.ignored.join(" "));
    }
    for (what, rows) in [("refused", &read.refused), ("in doubt", &read.doubts)] {
        for (row, count) in first_of_each(rows, all) {
            let more = if count > 1 { format!(" ({count} alike)") } else { String::new() };
            let Refused { line, number, text, why } = row;
            report += &format!("  {what}: line {line}, {number}: {text:?}: {why}{more}\n");
        }
    }
    report
}

/// The first of those that are refused for the same reason, and how many there are.
fn first_of_each(rows: &[Refused], all: bool) -> Vec<(&Refused, usize)> {
    if all {
        return rows.iter().map(|row| (row, 1)).collect();
    }
    let mut kinds = BTreeMap::<&str, (&Refused, usize)>::new();
    for row in rows {
        kinds.entry(&row.why).or_insert((row, 0)).1 += 1;
    }
    let mut kinds = kinds.into_values().collect::<Vec<_>>();
    kinds.sort_by_key(|(row, _)| row.line);
    kinds
}
