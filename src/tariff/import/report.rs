//! The report of ACE: units, antidumping and countervailing duty flags, and agency flags, number by number.

use super::super::heading::number;
use super::super::program::code;
use super::super::schedule::ScheduleRow;
use super::super::table::Period;
use super::{Import, ImportError, date};

/// The first column's heading, by which the line of headings is found.
const FIRST: &str = "Tariff Number";

pub(super) fn read(text: &str) -> Result<Import, ImportError> {
    let mut import = Import::new("ACE report of reporting units and agency flags");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut header = None::<csv::StringRecord>;
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
        let Some(header) = &header else {
            if record.get(0) == Some(FIRST) {
                header = Some(record);
            }
            continue;
        };
        let cell = |name: &str| {
            let place = header.iter().position(|column| column.trim() == name);
            place.and_then(|place| record.get(place)).map_or("", str::trim)
        };
        if cell(FIRST).is_empty() {
            continue;
        }
        match row(&cell) {
            Ok(row) => import.rows.push(row),
            Err(why) => import.refuse(line, cell(FIRST), record.get(1).unwrap_or_default(), why),
        }
    }
    Ok(import)
}

fn row<'r>(cell: &impl Fn(&str) -> &'r str) -> Result<ScheduleRow, String> {
    let day = |column| {
        date(cell(column)).ok_or_else(|| format!("{column}: found {:?}, expected a date", cell(column)))
    };
    let units = ["Census Qty 1", "Census Qty 2", "Census Qty 3"].map(cell);
    let agencies = (1..=10).map(|place| cell(&format!("PGA {place}"))).filter(|flag| !flag.is_empty());
    Ok(ScheduleRow {
        number: number(cell(FIRST))?,
        period: Period { from: day("Effective Date")?, to: day("Expiration Date")? },
        general: String::new(),
        special: String::new(),
        column_2: String::new(),
        units: units.into_iter().filter(|unit| !unit.is_empty()).map(code).collect::<Result<_, _>>()?,
        antidumping: cell("AD Duty") == "Y",
        countervailing: cell("CV Duty") == "Y",
        agencies: agencies.collect::<Vec<_>>().join(" "),
        description: cell("Description").to_owned(),
    })
}
