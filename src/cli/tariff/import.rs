//! `abigate tariff import`

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use jiff::civil::Date;
use serde::Deserialize;

use super::super::output::{Output, Outputs};
use super::super::{Ending, output};
use crate::tariff::{
    Editions, Import, Refused, ScheduleRow, Tariff, Version, import, is_compressed, write_schedule,
};
use crate::wire::text_of;

/// Read published schedules and write one that `--schedule` takes
///
/// Reads the tariff database of the USITC (comma, semicolon, tab or bar separated), its JSON export of the schedule,
/// and the report of ACE with reporting units and agency flags, each also compressed with gzip. Tells how many rates
/// were read, and which were not and why; they are kept as they are printed.
///
/// With `--editions` whole editions of the JSON export become one schedule with the first and last day of each row.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Published files
    #[arg(required_unless_present = "editions")]
    files: Vec<PathBuf>,
    /// A table of editions of the JSON export, tab separated: the columns `file`, beside the table, and `in_force`, the
    /// day from which the edition is in force. Of FILES only a report of ACE may stand beside it
    #[arg(long, value_name = "TABLE", conflicts_with = "from")]
    editions: Option<PathBuf>,
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
    let mut schedule = arguments.output.as_deref().map(|path| outputs.open(Some(path))).transpose()?;
    // What is told must not stand between the rows of a schedule.
    let is_quiet = arguments.output.as_deref().is_some_and(|path| path.as_os_str() == "-");
    let out = (!is_quiet).then(|| outputs.standard());
    let mut reader = Reader { tariff, all: arguments.all, out, ending: Ending::Clean };
    if let Some(table) = &arguments.editions {
        let (version, rows) = reader.editions(table, &arguments.files)?;
        if let Some(schedule) = &mut schedule {
            write_schedule(&version, &rows, schedule)?;
        }
        return Ok(reader.ending);
    }
    for path in &arguments.files {
        let read = reader.read(path, arguments.from)?;
        if let Some(schedule) = &mut schedule {
            write_schedule(&read.version, &read.rows, schedule)?;
        }
    }
    Ok(reader.ending)
}

/// A row of the table of editions.
#[derive(Debug, Deserialize)]
struct Edition {
    file: PathBuf,
    edition: String,
    in_force: Date,
}

/// Reads published files and tells what of them could not be read.
struct Reader<'t> {
    tariff: &'t Tariff,
    all: bool,
    /// Where it is told; standard error if there is nothing.
    out: Option<Output>,
    ending: Ending,
}

impl Reader<'_> {
    fn read(&mut self, path: &Path, from: Option<Date>) -> anyhow::Result<Import> {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let mut bytes = fs::read(path).with_context(|| path.display().to_string())?;
        if !is_compressed(&bytes) {
            bytes = text_of(&bytes).with_context(|| path.display().to_string())?;
        }
        let read = import(self.tariff, &name, &bytes, from).with_context(|| path.display().to_string())?;
        if !read.refused.is_empty() || read.has_unread(self.tariff) {
            self.ending = Ending::Findings;
        }
        let report = report(self.tariff, &read, self.all);
        match &mut self.out {
            None => output::tell(report.trim_end()),
            Some(out) => out.write_all(report.as_bytes())?,
        }
        Ok(read)
    }

    /// The schedule that editions make, with what reports of units and flags tell.
    fn editions(&mut self, table: &Path, reports: &[PathBuf]) -> anyhow::Result<(Version, Vec<ScheduleRow>)> {
        let folder = table.parent().unwrap_or(Path::new(""));
        let mut rows =
            csv::ReaderBuilder::new().delimiter(b'\t').comment(Some(b'#')).flexible(true).from_path(table)?;
        let mut editions = Editions::default();
        let mut names = Vec::new();
        for row in rows.deserialize() {
            let Edition { file, edition, in_force } = row.with_context(|| table.display().to_string())?;
            let read = self.read(&folder.join(&file), Some(in_force))?;
            if let Err(last) = editions.add(in_force, read.rows) {
                bail!("{}: {in_force} stands behind {last}, expected a later day", table.display());
            }
            names.push(edition);
        }
        for path in reports {
            let report = self.read(path, None)?;
            let Some(day) = report.day else {
                bail!("{}: no day, expected a report of ACE that names the day of its units", path.display());
            };
            editions.report(day, &report.rows);
        }
        let (first, last) =
            (names.first().map_or("", String::as_str), names.last().map_or("", String::as_str));
        let source = format!("Harmonized Tariff Schedule of the United States, USITC, {first} to {last}");
        Ok((Version { name: "HTS".to_owned(), source }, editions.into_rows()))
    }
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
