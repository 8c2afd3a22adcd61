//! The export of the schedule by the USITC: JSON, a list of the lines as they are printed, each with the depth that it
//! is indented by.
//!
//! A line without a number, or with fewer than eight digits, is a superior text; what it says of rates and footnotes
//! holds for the lines below it. Fields may be missing, `null`, or of another type than usual: the export has changed
//! over the years, and spells one of its fields in two ways.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::super::Tariff;
use super::super::heading::number;
use super::super::schedule::ScheduleRow;
use super::super::table::Period;
use super::{Import, ImportError, headings_in};
use crate::model::{Code, HtsNumber};

/// Fields that are read.
const READ: [&str; 9] = [
    "htsno",
    "indent",
    "description",
    "units",
    "general",
    "special",
    "other",
    "footnotes",
    STATISTICAL_SUFFIX,
];
/// Fields that say nothing of duty.
const NOT_NEEDED: [&str; 2] = ["superior", "quotaQuantity"];
/// The export writes both.
const ADDITIONAL_DUTIES: [&str; 2] = ["additionalDuties", "addiitionalDuties"];
/// Answers to a search have the last two digits in a field of their own.
const STATISTICAL_SUFFIX: &str = "statisticalSuffix";

pub(super) fn read(tariff: &Tariff, text: &str, from: Option<Date>) -> Result<Import, ImportError> {
    let document = serde_json::from_str::<Value>(text)?;
    let lines = lines(&document).ok_or(ImportError::UnknownForm)?;
    let mut import = Import::new("USITC export of the schedule");
    let has_footnotes = lines.iter().any(|line| line.get("footnotes").is_some());
    let mut reader = Reader { tariff, from, has_footnotes, above: Vec::new(), legal: HashSet::new() };
    let mut unknown = BTreeSet::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(fields) = line.as_object() else {
            import.refuse(index + 1, "", &line.to_string(), "no line of the schedule");
            continue;
        };
        let known = |field: &&String| {
            READ.contains(&field.as_str())
                || NOT_NEEDED.contains(&field.as_str())
                || ADDITIONAL_DUTIES.contains(&field.as_str())
        };
        unknown.extend(fields.keys().filter(|field| !known(field)).cloned());
        reader.line(&mut import, index + 1, fields);
    }
    import.ignored = unknown.into_iter().collect();
    Ok(import)
}

/// The list of lines, by itself or in a field of an object, as in answers to a search.
fn lines(document: &Value) -> Option<&Vec<Value>> {
    let is_schedule = |list: &&Vec<Value>| {
        list.iter().any(|line| line.get("htsno").is_some_and(|number| number.is_string() || number.is_null()))
    };
    match document {
        Value::Array(list) => Some(list).filter(is_schedule),
        Value::Object(fields) => fields.values().filter_map(Value::as_array).find(is_schedule),
        _ => None,
    }
}

/// A line that stands above others.
struct Superior {
    indent: usize,
    rates: [String; 3],
    headings: Vec<HtsNumber>,
}

struct Reader<'t> {
    tariff: &'t Tariff,
    from: Option<Date>,
    has_footnotes: bool,
    /// The lines that the next one may stand below.
    above: Vec<Superior>,
    /// Numbers of eight digits that have rates.
    legal: HashSet<HtsNumber>,
}

impl Reader<'_> {
    fn line(&mut self, import: &mut Import, place: usize, fields: &Map<String, Value>) {
        let digits = digits(fields);
        let indent = indent(fields).unwrap_or(digits.len());
        self.above.retain(|superior| superior.indent < indent);
        let rates = ["general", "special", "other"].map(|column| text(fields, column));
        let headings = headings(fields);
        let superior = Superior { indent, rates, headings };
        // Headings and superior texts are no numbers to report.
        if digits.len() >= 8 {
            match self.row(import, place, fields, &digits, &superior) {
                Ok(row) => self.add(import, place, row),
                Err(why) => import.refuse(place, &text(fields, "htsno"), &text(fields, "description"), why),
            }
        }
        self.above.push(superior);
    }

    fn row(
        &self,
        import: &mut Import,
        place: usize,
        fields: &Map<String, Value>,
        digits: &str,
        own: &Superior,
    ) -> Result<ScheduleRow, String> {
        let number = number(digits)?;
        let [general, special, column_2] = self.rates(number, own);
        let additional = ADDITIONAL_DUTIES.map(|field| text(fields, field));
        for text in additional.iter().filter(|text| !text.is_empty() && headings_in(text).is_empty()) {
            import.doubt(place, digits, text, "an additional duty that is not computed");
        }
        let mut headings = own.headings.clone();
        let others = self.above.iter().rev().flat_map(|superior| &superior.headings);
        others.for_each(|heading| add_once(&mut headings, *heading));
        Ok(ScheduleRow {
            number,
            period: Period { from: self.from.unwrap_or(Date::MIN), to: Date::MAX },
            general,
            special,
            column_2,
            units: self.units(import, place, fields, digits),
            antidumping: false,
            countervailing: false,
            agencies: String::new(),
            description: text(fields, "description"),
            headings: self.has_footnotes.then_some(headings),
        })
    }

    /// The line's own rates; if it has none, those of its eight digits, which the schedule finds by itself, or of the
    /// nearest line above that has any.
    fn rates(&self, number: HtsNumber, own: &Superior) -> [String; 3] {
        let has_rates = |superior: &&Superior| superior.rates.iter().any(|rate| !rate.is_empty());
        if has_rates(&own) || legal(number).is_some_and(|legal| self.legal.contains(&legal)) {
            return own.rates.clone();
        }
        self.above.iter().rev().find(has_rates).map_or_else(Default::default, |above| above.rates.clone())
    }

    fn units(
        &self,
        import: &mut Import,
        place: usize,
        fields: &Map<String, Value>,
        digits: &str,
    ) -> Vec<Code<3>> {
        let listed = match fields.get("units") {
            Some(Value::Array(units)) => units.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(unit)) => vec![unit.as_str()],
            _ => Vec::new(),
        };
        let mut codes = Vec::new();
        for unit in listed.into_iter().map(one_line).filter(|unit| !unit.is_empty()) {
            match self.tariff.schedule.units().reported(&unit) {
                Some(reported) => codes.extend_from_slice(reported),
                None => import.doubt(place, digits, &unit, "a unit that is not known"),
            }
        }
        codes
    }

    fn add(&mut self, import: &mut Import, place: usize, row: ScheduleRow) {
        for text in [&row.general, &row.column_2] {
            import.check_rate(self.tariff, place, row.number.as_str(), text);
        }
        import.check_special(self.tariff, place, row.number.as_str(), &row.special);
        let has_rate = !row.general.is_empty();
        // The first suffix with a rate stands for its eight digits, where these have no line of their own.
        let whole = legal(row.number).filter(|legal| has_rate && !self.legal.contains(legal));
        if let Some(legal) = whole {
            // A footnote of one suffix says nothing of the others.
            let headings = row.headings.clone().filter(|_| row.number.as_str().ends_with("00"));
            import.rows.push(ScheduleRow { number: legal, headings, ..row.clone() });
        }
        if has_rate {
            self.legal.extend(if row.number.as_str().len() == 8 { Some(row.number) } else { whole });
        }
        import.rows.push(row);
    }
}

/// The eight digits of a number of ten.
fn legal(suffix: HtsNumber) -> Option<HtsNumber> {
    let digits = suffix.as_str();
    (digits.len() == 10).then(|| number(&digits[..8]).ok())?
}

/// The number's digits, with those of a suffix that stands in its own field.
fn digits(fields: &Map<String, Value>) -> String {
    let printed = |field| text(fields, field).replace(['.', ' '], "");
    let (mut digits, suffix) = (printed("htsno"), printed(STATISTICAL_SUFFIX));
    if digits.len() == 8 && suffix.len() == 2 {
        digits += &suffix;
    }
    digits
}

fn indent(fields: &Map<String, Value>) -> Option<usize> {
    text(fields, "indent").parse().ok()
}

/// The headings of chapter 99 that a line's footnotes and its column of additional duties refer to.
fn headings(fields: &Map<String, Value>) -> Vec<HtsNumber> {
    let mut headings = Vec::new();
    if let Some(Value::Array(footnotes)) = fields.get("footnotes") {
        let notes = footnotes.iter().filter_map(|note| note.get("value")?.as_str());
        notes.flat_map(headings_in).for_each(|heading| add_once(&mut headings, heading));
    }
    for field in ADDITIONAL_DUTIES {
        headings_in(&text(fields, field)).into_iter().for_each(|heading| add_once(&mut headings, heading));
    }
    headings
}

fn add_once(headings: &mut Vec<HtsNumber>, heading: HtsNumber) {
    if !headings.contains(&heading) {
        headings.push(heading);
    }
}

/// A field as text on one line; empty if it is missing, `null` or a list.
fn text(fields: &Map<String, Value>, field: &str) -> String {
    match fields.get(field) {
        Some(Value::String(text)) => one_line(text),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// A text without tags, each run of spaces and line ends one space.
fn one_line(text: &str) -> String {
    without_tags(text).split_whitespace().collect::<Vec<_>>().join(" ")
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
