//! The export of the schedule by the USITC: a JSON list of its lines.

use std::borrow::Cow;

use jiff::civil::Date;
use serde::Deserialize;

use super::super::Tariff;
use super::super::heading::number;
use super::super::schedule::ScheduleRow;
use super::super::table::Period;
use super::{Import, ImportError};
use crate::model::Code;

/// A line of the export; what is not named here is not needed.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    htsno: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    units: Option<Vec<String>>,
    #[serde(default)]
    general: Option<String>,
    #[serde(default)]
    special: Option<String>,
    #[serde(default)]
    other: Option<String>,
}

pub(super) fn read(tariff: &Tariff, text: &str, from: Option<Date>) -> Result<Import, ImportError> {
    let mut import = Import::new("USITC export of the schedule");
    let lines = serde_json::from_str::<Vec<Line>>(text)?;
    for (index, line) in lines.iter().enumerate() {
        let digits = line.htsno.as_deref().unwrap_or_default();
        // Headings and superior texts have no rate of their own.
        if digits.chars().filter(char::is_ascii_digit).count() < 8 {
            continue;
        }
        match row(tariff, line, digits, from) {
            Ok(row) => add(&mut import, tariff, index + 1, row),
            Err(why) => {
                import.refuse(index + 1, digits, line.description.as_deref().unwrap_or_default(), why)
            }
        }
    }
    Ok(import)
}

fn add(import: &mut Import, tariff: &Tariff, line: usize, row: ScheduleRow) {
    for text in [&row.general, &row.column_2] {
        import.check_rate(tariff, line, row.number.as_str(), text);
    }
    // A suffix 00 with a rate is the legal number as well.
    let legal = row.number.as_str().strip_suffix("00").filter(|legal| legal.len() == 8);
    if let Some(legal) = legal.filter(|_| !row.general.is_empty()).and_then(|legal| number(legal).ok()) {
        import.rows.push(ScheduleRow { number: legal, ..row.clone() });
    }
    import.rows.push(row);
}

fn row(tariff: &Tariff, line: &Line, digits: &str, from: Option<Date>) -> Result<ScheduleRow, String> {
    let plain = |text: &Option<String>| without_tags(text.as_deref().unwrap_or_default()).trim().to_owned();
    let units = line.units.iter().flatten().map(|unit| without_tags(unit));
    Ok(ScheduleRow {
        number: number(digits)?,
        period: Period { from: from.unwrap_or(Date::MIN), to: Date::MAX },
        general: plain(&line.general),
        special: plain(&line.special),
        column_2: plain(&line.other),
        units: units.filter_map(|unit| unit_code(tariff, &unit)).collect(),
        antidumping: false,
        countervailing: false,
        agencies: String::new(),
        description: plain(&line.description),
    })
}

/// The code of a unit as the schedule abbreviates it; `X`, no unit, has none.
fn unit_code(tariff: &Tariff, unit: &str) -> Option<Code<3>> {
    let units = tariff.schedule.units();
    match units.find(unit) {
        Some(id) => units.code(id),
        None if unit == "X" => None,
        None => Code::new(&unit.trim_end_matches('.').to_uppercase()).ok(),
    }
}

/// A text without `<i>`, `<sup>` and the like.
fn without_tags(text: &str) -> Cow<'_, str> {
    if !text.contains('<') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::new();
    let mut inside = false;
    for character in text.chars() {
        match character {
            '<' => inside = true,
            '>' => inside = false,
            other if !inside => plain.push(other),
            _ => {}
        }
    }
    Cow::Owned(plain)
}
