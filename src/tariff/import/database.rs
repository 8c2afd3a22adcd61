//! The tariff database of the USITC: one line a legal number, comma, tab or bar separated, with the
//! rates as text and as numbers. Columns are found by their names, so that years with more or fewer of
//! them are read as well.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::super::Tariff;
use super::super::heading::number;
use super::super::program::code;
use super::super::rate::{Rate, Term};
use super::super::schedule::{ScheduleRow, is_mark};
use super::super::table::Period;
use super::{Import, ImportError, Refused, date};
use crate::model::Code;

pub(super) fn read(tariff: &Tariff, text: &str) -> Result<Import, ImportError> {
    let mut import = Import::new("USITC tariff database");
    let first = text.lines().next().unwrap_or_default();
    let delimiter = [b'\t', b'|', b','].into_iter().find(|delimiter| first.as_bytes().contains(delimiter));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter.unwrap_or(b','))
        .flexible(true)
        // A tab separated file quotes nothing, and its descriptions may hold inches.
        .quoting(delimiter != Some(b'\t'))
        .from_reader(text.as_bytes());
    let header = reader.headers()?.iter().map(|name| name.trim().to_ascii_lowercase()).collect::<Vec<_>>();
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
        let cells = Cells { header: &header, record: &record };
        match row(tariff, &cells) {
            Ok(row) => {
                check(&mut import, tariff, line, &cells, &row);
                import.rows.push(row);
            }
            Err(why) => import.refuse(line, cells.get("hts8"), cells.get("mfn_text_rate"), why),
        }
    }
    Ok(import)
}

/// A line's cells by the names of their columns.
struct Cells<'r> {
    header: &'r [String],
    record: &'r csv::StringRecord,
}

impl<'r> Cells<'r> {
    fn get(&self, name: &str) -> &'r str {
        let place = self.header.iter().position(|column| column == name);
        place.and_then(|place| self.record.get(place)).map_or("", str::trim)
    }

    fn has(&self, name: &str) -> bool {
        self.header.iter().any(|column| column == name)
    }

    fn number(&self, name: &str) -> Option<Decimal> {
        self.get(name).parse().ok()
    }
}

fn row(tariff: &Tariff, cells: &Cells<'_>) -> Result<ScheduleRow, String> {
    let day = |column| {
        date(cells.get(column))
            .ok_or_else(|| format!("{column}: found {:?}, expected a date", cells.get(column)))
    };
    // Leading zeros do not survive every program that has held the file.
    let units = ["quantity_1_code", "quantity_2_code"].map(|column| cells.get(column));
    Ok(ScheduleRow {
        number: number(&format!("{:0>8}", cells.get("hts8")))?,
        period: Period { from: day("begin_effect_date")?, to: day("end_effective_date")? },
        general: cells.get("mfn_text_rate").to_owned(),
        special: special(tariff, cells)?,
        column_2: cells.get("col2_text_rate").to_owned(),
        units: units.into_iter().filter(|unit| !unit.is_empty()).map(code).collect::<Result<_, _>>()?,
        antidumping: false,
        countervailing: false,
        agencies: String::new(),
        description: cells.get("brief_description").to_owned(),
    })
}

/// The special column as the schedule prints it, from the columns of the programmes or from a column
/// `programs` with parts such as `korea=0.007`.
fn special(tariff: &Tariff, cells: &Cells<'_>) -> Result<String, String> {
    let mut marks = BTreeMap::<String, Vec<&str>>::new();
    let mut seen = Vec::new();
    for program in tariff.programs.iter().filter(|program| !program.database.is_empty()) {
        let claim = program.claim.as_str();
        if seen.contains(&claim) {
            continue;
        }
        seen.push(claim);
        if let Some((rate, mark)) = program_rate(tariff, cells, &program.database)? {
            marks.entry(rate).or_default().push(mark.unwrap_or(claim));
        }
    }
    let mut parts = marks.into_iter().collect::<Vec<_>>();
    parts.sort_by_key(|(rate, _)| rate != "Free");
    let parts = parts.into_iter().map(|(rate, marks)| format!("{rate} ({})", marks.join(",")));
    Ok(parts.collect::<Vec<_>>().join(" "))
}

/// A rate as printed, and the mark it stands under if the file names it.
type Special<'r> = (String, Option<&'r str>);

/// The rate of a programme, if the number has one.
fn program_rate<'r>(tariff: &Tariff, cells: &Cells<'r>, prefix: &str) -> Result<Option<Special<'r>>, String> {
    let listed =
        cells.get("programs").split(';').find_map(|part| part.strip_prefix(prefix)?.strip_prefix('='));
    if let Some(rate) = listed {
        let rate =
            rate.parse().map_err(|_| format!("programs: {prefix}: found {rate:?}, expected a number"))?;
        return Ok(Some((printed(tariff, cells, "7", rate, Decimal::ZERO)?, None)));
    }
    let indicator = [format!("{prefix}_indicator"), format!("{prefix}_ind"), prefix.to_owned()];
    let Some(indicator) = indicator.iter().find(|column| cells.has(column)) else { return Ok(None) };
    let indicator = cells.get(indicator);
    if indicator.is_empty() {
        return Ok(None);
    }
    let part = |name: &str| cells.number(&format!("{prefix}_{name}")).unwrap_or_default();
    let kind = cells.get(&format!("{prefix}_rate_type_code"));
    let (ad_valorem, specific) = (part("ad_val_rate"), part("specific_rate"));
    let kind = match kind {
        "" if specific.is_zero() => "7",
        "" => cells.get("mfn_rate_type_code"),
        kind => kind,
    };
    // Most columns hold the mark itself, such as A* where some countries are excluded.
    let mark = Some(indicator).filter(|mark| is_mark(mark));
    Ok(Some((printed(tariff, cells, kind, ad_valorem, specific)?, mark)))
}

/// A rate from its type and numbers.
fn printed(
    tariff: &Tariff,
    cells: &Cells<'_>,
    kind: &str,
    ad_valorem: Decimal,
    specific: Decimal,
) -> Result<String, String> {
    if ad_valorem.is_zero() && specific.is_zero() {
        return Ok("Free".to_owned());
    }
    let units = tariff.schedule.units();
    let percent = Term::ad_valorem(ad_valorem).display(units).to_string();
    let column = match kind {
        "7" => return Ok(percent),
        "1" | "4" => "quantity_1_code",
        "2" | "5" => "quantity_2_code",
        kind => return Err(format!("a special rate of type {kind:?} that is not known")),
    };
    let unit = code::<3>(cells.get(column)).ok().and_then(|unit| units.of_code(unit));
    let unit = unit.ok_or_else(|| format!("{column}: no unit for a specific rate"))?;
    let dollars = Term::Specific { dollars: specific, unit }.display(units).to_string();
    Ok(if ad_valorem.is_zero() { dollars } else { format!("{dollars} + {percent}") })
}

/// Compares rates as read from their text with what the file's own columns say.
fn check(import: &mut Import, tariff: &Tariff, line: usize, cells: &Cells<'_>, row: &ScheduleRow) {
    for (prefix, text) in [("mfn", &row.general), ("col2", &row.column_2)] {
        import.check_rate(tariff, line, row.number.as_str(), text);
        let kind = cells.get(&format!("{prefix}_rate_type_code"));
        let rate = Rate::parse(text, tariff.schedule.units());
        let code = rate.code(tariff.schedule.units(), &units_of(row));
        let (Some(code), false) = (code, kind.is_empty() || code_is_open(kind)) else { continue };
        if !kind.starts_with(code) {
            import.doubts.push(Refused {
                line,
                number: row.number.to_string(),
                text: text.clone(),
                why: format!("{prefix}_rate_type_code is {kind:?}, the text gives \"{code}\""),
            });
        }
    }
}

/// Codes for what the text alone does not tell.
fn code_is_open(kind: &str) -> bool {
    matches!(kind, "T" | "X" | "9")
}

fn units_of(row: &ScheduleRow) -> Vec<Code<3>> {
    row.units.clone()
}
