//! The file form of a schedule: tab separated rows below lines that name their versions.

use std::io::{self, Write};

use super::heading::number;
use super::program::code;
use super::schedule::{ScheduleRow, Version};
use super::table::{Period, Row, TableError};

/// The columns of a schedule file.
pub const SCHEDULE_HEADER: [&str; 12] = [
    "number",
    "from",
    "to",
    "general",
    "special",
    "column_2",
    "units",
    "ad",
    "cv",
    "agencies",
    "description",
    "headings",
];
/// A number's footnotes refer to no heading; a blank cell does not tell.
const NO_HEADING: &str = "none";
const VERSION: &str = "version\t";

/// The versions of a schedule file, each with its rows.
///
/// # Errors
/// A line that is neither a comment, nor a version, nor a row.
pub fn read_schedule(text: &str) -> Result<Vec<(Version, Vec<ScheduleRow>)>, TableError> {
    let wrong = |index: usize, message| TableError { file: "schedule".to_owned(), line: index + 1, message };
    let mut versions = Vec::<(Version, Vec<ScheduleRow>)>::new();
    let mut header = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if let Some(rest) = line.strip_prefix(VERSION) {
            let (name, source) = rest.split_once('\t').unwrap_or((rest, ""));
            versions.push((Version { name: name.to_owned(), source: source.to_owned() }, Vec::new()));
            continue;
        }
        if line.starts_with("number\t") {
            header = line.split('\t').collect();
            continue;
        }
        let Some((_, rows)) = versions.last_mut() else {
            return Err(wrong(index, "a row before the first line \"version\"".to_owned()));
        };
        let row = Row::new(&header, line);
        rows.push(read_row(&row).map_err(|message| wrong(index, message))?);
    }
    Ok(versions)
}

fn read_row(row: &Row<'_>) -> Result<ScheduleRow, String> {
    let flag = |column| row.cell(column) == "Y";
    let headings = match row.cell("headings") {
        "" => None,
        NO_HEADING => Some(Vec::new()),
        _ => Some(row.words("headings").map(number).collect::<Result<_, _>>()?),
    };
    Ok(ScheduleRow {
        number: number(row.cell("number"))?,
        period: row.period()?,
        general: row.cell("general").to_owned(),
        special: row.cell("special").to_owned(),
        column_2: row.cell("column_2").to_owned(),
        units: row.words("units").map(code).collect::<Result<_, _>>()?,
        antidumping: flag("ad"),
        countervailing: flag("cv"),
        agencies: row.cell("agencies").to_owned(),
        description: row.cell("description").to_owned(),
        headings,
    })
}

/// Writes a version and its rows.
///
/// # Errors
/// What the writer reports.
pub fn write_schedule(version: &Version, rows: &[ScheduleRow], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{VERSION}{}\t{}", plain(&version.name), plain(&version.source))?;
    writeln!(out, "{}", SCHEDULE_HEADER.join("\t"))?;
    for row in rows {
        write_row(row, out)?;
    }
    Ok(())
}

fn write_row(row: &ScheduleRow, out: &mut impl Write) -> io::Result<()> {
    let Period { from, to } = row.period;
    let date = |date: jiff::civil::Date, open| if date == open { String::new() } else { date.to_string() };
    let units = row.units.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let flag = |flag: bool| if flag { "Y" } else { "" };
    let headings = match row.headings.as_deref() {
        None => String::new(),
        Some([]) => NO_HEADING.to_owned(),
        Some(headings) => headings.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    };
    writeln!(
        out,
        "{}\t{}\t{}\t{}\t{}\t{}\t{units}\t{}\t{}\t{}\t{}\t{headings}",
        row.number,
        date(from, jiff::civil::Date::MIN),
        date(to, jiff::civil::Date::MAX),
        plain(&row.general),
        plain(&row.special),
        plain(&row.column_2),
        flag(row.antidumping),
        flag(row.countervailing),
        plain(&row.agencies),
        plain(&row.description),
    )
}

/// A text without tabs and line ends.
fn plain(text: &str) -> String {
    text.split(['\t', '\n', '\r']).map(str::trim).collect::<Vec<_>>().join(" ")
}
