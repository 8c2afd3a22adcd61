//! The tariff database of the USITC: one line a legal number, comma, semicolon, tab or bar separated, with the
//! rates as text and as numbers. Columns are found by their names, so that years with more or fewer of
//! them are read as well.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::super::Tariff;
use super::super::heading::number;
use super::super::program::code;
use super::super::rate::{Rate, Term};
use super::super::schedule::{ScheduleRow, is_mark, special_parts};
use super::super::table::Period;
use super::{Cells, Import, ImportError, date, delimiter, headings_in};
use crate::model::Code;

/// The column of numbers, by which the form is known.
pub(super) const NUMBER: &str = "hts8";
const FROM: &str = "begin_effect_date";
const TO: &str = "end_effective_date";
const UNITS: [&str; 2] = ["quantity_1_code", "quantity_2_code"];
const RATES: [&str; 2] = ["mfn", "col2"];
/// The special column as printed, where a year has it, and the programmes of a file that puts them into one column.
const SPECIAL: [&str; 2] = ["col1_special_text", "programs"];
/// Columns whose texts refer to headings of chapter 99.
const REFERENCES: [&str; 2] = ["footnote_comment", "additional_duty"];
/// What stands behind the prefix of a programme's columns.
const OF_PROGRAM: [&str; 6] =
    ["_indicator", "_ind", "_rate_type_code", "_ad_val_rate", "_specific_rate", "_other_rate"];
const OF_RATE: [&str; 5] = ["_text_rate", "_rate_type_code", "_ad_val_rate", "_specific_rate", "_other_rate"];
/// The number that stands where there is none to give.
const NO_RATE: Decimal = Decimal::from_parts(9_999, 0, 0, false, 0);

pub(super) fn read(tariff: &Tariff, text: &str, from: Option<Date>) -> Result<Import, ImportError> {
    let mut import = Import::new("USITC tariff database");
    let delimiter = delimiter(text.lines().next().unwrap_or_default());
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .quoting(delimiter != b'\t' || is_quoted(text))
        .from_reader(text.as_bytes());
    let header = reader.headers()?.iter().map(|name| name.trim().to_ascii_lowercase()).collect::<Vec<_>>();
    import.ignored = header.iter().filter(|column| !is_known(tariff, column)).cloned().collect();
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
        let cells = Cells { header: &header, record: &record };
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        match row(&mut import, tariff, line, &cells, from) {
            Ok(row) => {
                check(&mut import, tariff, line, &cells, &row);
                import.rows.push(row);
            }
            Err(why) => import.refuse(line, cells.get(NUMBER), cells.get("mfn_text_rate"), why),
        }
    }
    Ok(import)
}

/// Whether a tab separated text quotes cells: most do not, and their descriptions may begin with an inch sign.
fn is_quoted(text: &str) -> bool {
    let mut cells = text.split(['\t', '\n']).map(|cell| cell.trim_end_matches('\r'));
    cells.all(|cell| !cell.starts_with('"') || cell.len() > 1 && cell.ends_with('"'))
}

/// Whether a column is read, or says nothing that another does not say.
fn is_known(tariff: &Tariff, column: &str) -> bool {
    let is_plain = column.is_empty()
        || [NUMBER, FROM, TO, "brief_description"].contains(&column)
        || UNITS.contains(&column)
        || SPECIAL.contains(&column)
        || REFERENCES.contains(&column);
    let of = |prefix: &str, suffixes: &[&str]| {
        column.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || suffixes.contains(&rest))
    };
    is_plain
        || RATES.iter().any(|prefix| of(prefix, &OF_RATE))
        || tariff.programs.iter().flat_map(|program| &program.database).any(|prefix| of(prefix, &OF_PROGRAM))
}

impl Cells<'_> {
    fn has(&self, name: &str) -> bool {
        self.header.iter().any(|column| column == name)
    }

    fn number(&self, name: &str) -> Option<Decimal> {
        self.get(name).parse().ok()
    }

    /// A day; where the file has no such column, the one given.
    fn day(&self, column: &str, without: Date) -> Result<Date, String> {
        if !self.has(column) {
            return Ok(without);
        }
        date(self.get(column))
            .ok_or_else(|| format!("{column}: found {:?}, expected a date", self.get(column)))
    }
}

fn row(
    import: &mut Import,
    tariff: &Tariff,
    line: usize,
    cells: &Cells<'_>,
    from: Option<Date>,
) -> Result<ScheduleRow, String> {
    // Leading zeros do not survive every program that has held the file.
    let number = number(&format!("{:0>8}", cells.get(NUMBER).replace('.', "")))?;
    let units = UNITS.map(|column| cells.get(column));
    let mut headings = Vec::new();
    for heading in REFERENCES.iter().flat_map(|column| headings_in(cells.get(column))) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    Ok(ScheduleRow {
        number,
        period: Period { from: cells.day(FROM, from.unwrap_or(Date::MIN))?, to: cells.day(TO, Date::MAX)? },
        general: cells.get("mfn_text_rate").to_owned(),
        special: special(import, tariff, line, cells),
        column_2: cells.get("col2_text_rate").to_owned(),
        units: units.into_iter().filter(|unit| !unit.is_empty()).map(code).collect::<Result<_, _>>()?,
        antidumping: false,
        countervailing: false,
        agencies: String::new(),
        description: cells.get("brief_description").to_owned(),
        // The database prints few of the footnotes: that there is none says nothing.
        headings: Some(headings).filter(|headings| !headings.is_empty()),
    })
}

/// The special column as the schedule prints it: from the columns of the programmes, from a column
/// `programs` with parts such as `korea=0.007`, and from the column as printed for what stands in none of them.
fn special(import: &mut Import, tariff: &Tariff, line: usize, cells: &Cells<'_>) -> String {
    let mut marks = BTreeMap::<String, Vec<&str>>::new();
    let mut seen = Vec::new();
    for program in tariff.programs.iter().filter(|program| !program.database.is_empty()) {
        let claim = program.claim.as_str();
        if seen.contains(&claim) {
            continue;
        }
        seen.push(claim);
        match program_rate(tariff, cells, &program.database) {
            Ok(None) => {}
            Ok(Some((rate, mark))) => marks.entry(rate).or_default().push(mark.unwrap_or(claim)),
            Err(why) => import.doubt(line, cells.get(NUMBER), claim, why),
        }
    }
    let listed = marks.values().flatten().copied().collect::<Vec<_>>();
    for (rate, printed) in special_parts(cells.get(SPECIAL[0])) {
        for mark in printed.filter(|mark| !listed.contains(mark)) {
            marks.entry(rate.to_owned()).or_default().push(mark);
        }
    }
    let mut parts = marks.into_iter().collect::<Vec<_>>();
    parts.sort_by_key(|(rate, _)| rate != "Free");
    let parts = parts.into_iter().map(|(rate, marks)| format!("{rate} ({})", marks.join(",")));
    parts.collect::<Vec<_>>().join(" ")
}

/// A rate as printed, and the mark it stands under if the file names it.
type Special<'r> = (String, Option<&'r str>);

/// The rate of a programme, if the number has one.
fn program_rate<'r>(
    tariff: &Tariff,
    cells: &Cells<'r>,
    prefixes: &[String],
) -> Result<Option<Special<'r>>, String> {
    let listed = |prefix: &String| {
        let mut parts = cells.get(SPECIAL[1]).split(';');
        parts.find_map(|part| part.trim().strip_prefix(prefix.as_str())?.strip_prefix('='))
    };
    if let Some(rate) = prefixes.iter().find_map(listed) {
        let rate =
            rate.parse().map_err(|_| format!("programs: {prefixes:?}: found {rate:?}, expected a number"))?;
        return Ok(Some((printed(tariff, cells, "7", [rate, Decimal::ZERO, Decimal::ZERO])?, None)));
    }
    let names =
        prefixes.iter().flat_map(|prefix| ["_indicator", "_ind", ""].map(|end| format!("{prefix}{end}")));
    let indicator = names.map(|column| cells.get(&column)).find(|indicator| !indicator.is_empty());
    let Some(indicator) = indicator else { return Ok(None) };
    let part = |name: &str| {
        prefixes.iter().find_map(|prefix| cells.number(&format!("{prefix}{name}"))).unwrap_or_default()
    };
    let kinds = prefixes.iter().map(|prefix| cells.get(&format!("{prefix}_rate_type_code")));
    let rates = ["_ad_val_rate", "_specific_rate", "_other_rate"].map(part);
    let kind = match kinds.into_iter().find(|kind| !kind.is_empty()) {
        None if rates[1].is_zero() => "7",
        None => cells.get("mfn_rate_type_code"),
        Some(kind) => kind,
    };
    // Most columns hold the mark itself, such as A* where some countries are excluded.
    let mark = Some(indicator).filter(|mark| is_mark(mark));
    Ok(Some((printed(tariff, cells, kind, rates)?, mark)))
}

/// A rate from its type and its numbers: ad valorem, specific and other.
fn printed(tariff: &Tariff, cells: &Cells<'_>, kind: &str, rates: [Decimal; 3]) -> Result<String, String> {
    let [ad_valorem, specific, other] = rates;
    if rates.iter().any(|rate| *rate >= NO_RATE) {
        return Err("no number for the special rate".to_owned());
    }
    if rates.iter().all(Decimal::is_zero) {
        return Ok("Free".to_owned());
    }
    let units = tariff.schedule.units();
    let percent = Term::ad_valorem(ad_valorem).display(units).to_string();
    let column = match kind {
        "7" => return Ok(percent),
        "1" | "4" => UNITS[0],
        "2" | "5" => UNITS[1],
        kind if tariff.formulas.knows(kind) => {
            return Ok(format!("code {kind}: specific {specific} advalorem {ad_valorem} other {other}"));
        }
        kind => return Err(format!("a special rate of type {kind:?}, which has no formula")),
    };
    let unit = code::<3>(cells.get(column)).ok().and_then(|unit| units.of_code(unit));
    let unit = unit.ok_or_else(|| format!("{column}: no unit for a specific rate"))?;
    let dollars = Term::Specific { dollars: specific, unit }.display(units).to_string();
    Ok(if ad_valorem.is_zero() { dollars } else { format!("{dollars} + {percent}") })
}

/// Compares rates as read from their text with what the file's own columns say.
fn check(import: &mut Import, tariff: &Tariff, line: usize, cells: &Cells<'_>, row: &ScheduleRow) {
    import.check_special(tariff, line, row.number.as_str(), &row.special);
    for (prefix, text) in RATES.into_iter().zip([&row.general, &row.column_2]) {
        import.check_rate(tariff, line, row.number.as_str(), text);
        let kind = cells.get(&format!("{prefix}_rate_type_code"));
        let rate = Rate::parse(text, tariff.schedule.units());
        let code = rate.code(tariff.schedule.units(), &units_of(row));
        let (Some(code), false) = (code, kind.is_empty() || code_is_open(kind)) else { continue };
        if !kind.starts_with(code) {
            let why = format!("{prefix}_rate_type_code is {kind:?}, the text gives \"{code}\"");
            import.doubt(line, row.number.as_str(), text, why);
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
