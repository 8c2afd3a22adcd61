//! Published schedules: the USITC tariff database, the USITC export of the schedule, and the report of
//! reporting units and agency flags of ACE.

mod database;
mod editions;
mod export;
mod report;

use std::io::Read;

use flate2::read::GzDecoder;
use jiff::civil::Date;

use super::Tariff;
use super::heading::number;
use super::rate::Rate;
use super::schedule::{ScheduleRow, Version, special_parts};
use crate::model::HtsNumber;

pub use editions::Editions;

/// A file read: its version, its rows, and what could not be taken over.
#[derive(Clone, Debug)]
pub struct Import {
    /// What kind of file it is.
    pub kind: &'static str,
    /// The version that its rows are of.
    pub version: Version,
    /// The day that the file says it is of.
    pub day: Option<Date>,
    /// Rows.
    pub rows: Vec<ScheduleRow>,
    /// Rows left out, and why.
    pub refused: Vec<Refused>,
    /// Rates that were taken over and are not understood, or that the file contradicts.
    pub doubts: Vec<Refused>,
    /// Columns or fields of the file that were not read.
    pub ignored: Vec<String>,
}

/// Something that could not be taken over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// The line or, in JSON, the element, from 1.
    pub line: usize,
    /// The number, as far as there is one.
    pub number: String,
    /// What stands there.
    pub text: String,
    /// Why it could not be taken over.
    pub why: String,
}

/// What every file begins with that gzip has compressed.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file that is no published schedule.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// None of the known forms.
    #[error("no column hts8, no line \"Tariff Number\", and no JSON list of the schedule")]
    UnknownForm,
    /// JSON that cannot be read.
    #[error("no JSON list of the schedule: {0}")]
    Json(#[from] serde_json::Error),
    /// A table that cannot be read.
    #[error("no table: {0}")]
    Table(#[from] csv::Error),
    /// A compressed file that cannot be read.
    #[error("compressed with gzip, but damaged: {0}")]
    Compressed(#[from] std::io::Error),
}

/// Whether a file is compressed with gzip.
#[must_use]
pub fn is_compressed(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP)
}

/// Reads a published schedule. `from` is the first day of rows that do not say theirs.
///
/// # Errors
/// The file has none of the known forms.
pub fn import(tariff: &Tariff, name: &str, bytes: &[u8], from: Option<Date>) -> Result<Import, ImportError> {
    let mut plain = Vec::new();
    let bytes = if is_compressed(bytes) {
        GzDecoder::new(bytes).read_to_end(&mut plain)?;
        &plain
    } else {
        bytes
    };
    let text = decoded(bytes);
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let first = start.lines().next().unwrap_or_default();
    let mut import = if start.starts_with(['[', '{']) {
        export::read(tariff, start, from)?
    } else if first.to_ascii_lowercase().contains(database::NUMBER) {
        database::read(tariff, start, from)?
    } else if start.lines().take(20).any(|line| line.contains(report::NUMBER)) {
        report::read(start)?
    } else {
        return Err(ImportError::UnknownForm);
    };
    import.version = Version { name: name.to_owned(), source: import.kind.to_owned() };
    Ok(import)
}

/// Text in UTF-8, in UTF-16 if it says so, or else in Latin 1, where every byte is a character.
fn decoded(bytes: &[u8]) -> String {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).filter_map(|pair| Some(unit([*pair.first()?, *pair.get(1)?])));
        String::from_utf16_lossy(&units.collect::<Vec<_>>())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
        },
    }
}

/// What stands between the cells of a table with this line of headings.
fn delimiter(headings: &str) -> u8 {
    let found =
        [b'\t', b'|', b';', b','].into_iter().find(|delimiter| headings.as_bytes().contains(delimiter));
    found.unwrap_or(b',')
}

/// The numbers of chapter 99 that a footnote names, such as `See 9903.88.15.`; each once.
fn headings_in(text: &str) -> Vec<HtsNumber> {
    let mut found = Vec::new();
    for word in text.split(|c: char| !(c.is_ascii_digit() || c == '.')) {
        let digits = word.replace('.', "");
        if digits.starts_with("99") && digits.len() == 8 {
            found.extend(number(&digits).ok().filter(|heading| !found.contains(heading)));
        }
    }
    found
}

impl Import {
    fn new(kind: &'static str) -> Self {
        let version = Version { name: String::new(), source: String::new() };
        Self {
            kind,
            version,
            day: None,
            rows: Vec::new(),
            refused: Vec::new(),
            doubts: Vec::new(),
            ignored: Vec::new(),
        }
    }

    fn refuse(&mut self, line: usize, number: &str, text: &str, why: impl Into<String>) {
        let (number, text) = (number.to_owned(), text.to_owned());
        self.refused.push(Refused { line, number, text, why: why.into() });
    }

    /// Notes a rate that is not understood.
    fn check_rate(&mut self, tariff: &Tariff, line: usize, number: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Rate::Unread(error) = Rate::parse(text, tariff.schedule.units()) {
            self.doubt(line, number, text, error.to_string());
        }
    }

    /// Notes rates of a special column that are not understood.
    fn check_special(&mut self, tariff: &Tariff, line: usize, number: &str, special: &str) {
        let mut marks = 0;
        for (rate, listed) in special_parts(special) {
            marks += listed.count();
            self.check_rate(tariff, line, number, rate);
        }
        // Headings of chapter 99 print one text in both columns.
        let is_commodity = !number.starts_with("98") && !number.starts_with("99");
        if marks == 0 && is_commodity && !special.is_empty() {
            self.doubt(line, number, special, "a special column without marks of programmes");
        }
    }

    fn doubt(&mut self, line: usize, number: &str, text: &str, why: impl Into<String>) {
        let (number, text) = (number.to_owned(), text.to_owned());
        self.doubts.push(Refused { line, number, text, why: why.into() });
    }

    /// Whether a rate was taken over without being understood; a doubt that is not about a rate is a remark.
    #[must_use]
    pub fn has_unread(&self, tariff: &Tariff) -> bool {
        self.rates(tariff)[3] > 0
    }

    /// How many rates the rows have, and how many of them are: read as amounts, notes or references that
    /// no formula computes, not understood.
    #[must_use]
    pub fn rates(&self, tariff: &Tariff) -> [usize; 4] {
        let units = tariff.schedule.units();
        let mut counts = [0; 4];
        let mut known = std::collections::HashMap::<&str, usize>::new();
        let texts = self.rows.iter().flat_map(|row| [&row.general, &row.column_2]);
        for text in texts.filter(|text| !text.is_empty()) {
            let kind = *known.entry(text).or_insert_with(|| match Rate::parse(text, units) {
                Rate::Note => 2,
                Rate::Unread(_) => 3,
                _ => 1,
            });
            counts[0] += 1;
            counts[kind] += 1;
        }
        counts
    }
}

/// A date `CCYY-MM-DD` or `M/D/CCYY`, the time behind it left out.
fn date(text: &str) -> Option<Date> {
    let text = text.split([' ', 'T']).next().unwrap_or_default();
    if let Ok(date) = text.parse() {
        return Some(date);
    }
    let mut parts = text.split('/').map(|part| part.parse::<i16>().ok());
    let (month, day, year) = (parts.next()??, parts.next()??, parts.next()??);
    let year = if year < 100 { 2000 + year } else { year };
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
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
}
