//! The report of ACE: units, antidumping and countervailing duty flags, and agency flags, number by number.

use super::super::heading::number;
use super::super::program::code;
use super::super::schedule::ScheduleRow;
use super::super::table::Period;
use super::{Cells, Import, ImportError, date, delimiter};

/// The heading of the column of numbers, by which the line of headings is found.
pub(super) const NUMBER: &str = "Tariff Number";
const UNITS: [&str; 3] = ["Census Qty 1", "Census Qty 2", "Census Qty 3"];
const OTHERS: [&str; 6] = [NUMBER, "Description", "Effective Date", "Expiration Date", "AD Duty", "CV Duty"];
/// What stands before the day of the report, above the line of headings.
const DAY: &str = "HTS Date:";
/// What the headings of agency flags begin with.
const AGENCY: &str = "PGA";

pub(super) fn read(text: &str) -> Result<Import, ImportError> {
    let mut import = Import::new("ACE report of reporting units and agency flags");
    let headings = text.lines().find(|line| line.contains(NUMBER)).unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(headings))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut header = None::<Vec<String>>;
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
        let Some(header) = &header else {
            if record.iter().any(|cell| cell.trim() == NUMBER) {
                let names = record.iter().map(|name| name.trim().to_owned()).collect::<Vec<_>>();
                let is_unknown = |name: &&String| {
                    !(name.is_empty()
                        || OTHERS.contains(&name.as_str())
                        || UNITS.contains(&name.as_str())
                        || name.starts_with(AGENCY))
                };
                import.ignored = names.iter().filter(is_unknown).cloned().collect();
                header = Some(names);
            } else if record.get(0).is_some_and(|cell| cell.trim() == DAY) {
                import.day = record.get(1).and_then(date);
            }
            continue;
        };
        let cells = Cells { header, record: &record };
        if cells.get(NUMBER).is_empty() {
            continue;
        }
        match row(&cells) {
            Ok(row) => import.rows.push(row),
            Err(why) => import.refuse(line, cells.get(NUMBER), cells.get("Description"), why),
        }
    }
    Ok(import)
}

impl<'r> Cells<'r> {
    /// The agency flags, in the order of their columns.
    fn agencies(&self) -> impl Iterator<Item = &'r str> {
        let named = self.header.iter().zip(self.record.iter());
        named
            .filter(|(name, flag)| name.starts_with(AGENCY) && !flag.trim().is_empty())
            .map(|(_, flag)| flag.trim())
    }
}

fn row(cells: &Cells<'_>) -> Result<ScheduleRow, String> {
    let day = |column| {
        let text = cells.get(column);
        date(text).ok_or_else(|| format!("{column}: found {text:?}, expected a date"))
    };
    let units = UNITS.map(|column| cells.get(column)).into_iter().filter(|unit| !unit.is_empty());
    Ok(ScheduleRow {
        number: number(unpadded(cells.get(NUMBER)))?,
        period: Period { from: day("Effective Date")?, to: day("Expiration Date")? },
        general: String::new(),
        special: String::new(),
        column_2: String::new(),
        units: units.map(code).collect::<Result<_, _>>()?,
        antidumping: cells.get("AD Duty") == "Y",
        countervailing: cells.get("CV Duty") == "Y",
        agencies: cells.agencies().collect::<Vec<_>>().join(" "),
        description: cells.get("Description").to_owned(),
        headings: None,
    })
}

/// A number of eight digits stands in ten of them behind two zeros; there is no chapter 0.
fn unpadded(number: &str) -> &str {
    number.strip_prefix("00").filter(|number| number.len() == 8).unwrap_or(number)
}
