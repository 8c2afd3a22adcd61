//! What Census expects: ranges by measure, tariff number, country and mode of transportation.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use rust_decimal::Decimal;
use serde::Deserialize;

/// The list under which rules ask for parameters; its keys are measure, tariff number, country of
/// origin and mode.
pub(in crate::host) const LIST: &str = "census_parameter";

/// The parameters that come with the program: ours, wide, and for few tariff numbers. Census does not
/// publish its own.
const BUILTIN: &str = include_str!("../../../grammars/census/parameters.csv");

/// What is expected of some goods. A blank column stands for any value.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::host) struct Parameter {
    /// What is measured, such as `value/quantity_1`.
    measure: String,
    /// The first digits of the tariff number.
    #[serde(default)]
    hts: String,
    /// The country of origin.
    #[serde(default)]
    country: String,
    /// Modes of transportation, separated by commas.
    #[serde(default)]
    mode: String,
    /// The least that is expected; blank if anything is.
    #[serde(default)]
    low: String,
    /// The most that is expected; blank if anything is.
    #[serde(default)]
    high: String,
}

impl Parameter {
    fn applies(&self, country: &str, mode: &str) -> bool {
        (self.country.is_empty() || self.country == country)
            && (self.mode.is_empty() || self.mode.split(',').any(|one| one == mode))
    }

    /// How closely it describes what it applies to, beyond the tariff number.
    fn closeness(&self) -> (bool, bool) {
        (!self.country.is_empty(), !self.mode.is_empty())
    }

    fn column(&self, name: &str) -> Option<&str> {
        Some(match name {
            "measure" => &self.measure,
            "hts" => &self.hts,
            "country" => &self.country,
            "mode" => &self.mode,
            "low" => &self.low,
            "high" => &self.high,
            _ => return None,
        })
    }
}

/// Parameters, the closest found first.
#[derive(Clone, Debug)]
pub(in crate::host) struct ParameterTable {
    /// The first is blank: it stands for none.
    rows: Vec<Parameter>,
    measures: HashMap<String, Measure, RandomState>,
}

/// Where the parameters of one measure stand, by tariff number, grouped by its length, shortest first.
#[derive(Clone, Debug, Default)]
struct Measure(BTreeMap<usize, HashMap<String, Vec<u32>, RandomState>>);

impl ParameterTable {
    /// The parameters that come with the program.
    pub(in crate::host) fn builtin() -> Result<Self, String> {
        let rows = csv::Reader::from_reader(BUILTIN.as_bytes()).into_deserialize();
        Self::new(rows.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?)
    }

    /// A table of these rows; of rows that fit equally well the first counts.
    ///
    /// # Errors
    /// What of which row is no number.
    pub(in crate::host) fn new(rows: Vec<Parameter>) -> Result<Self, String> {
        let mut table = Self { rows: vec![Parameter::default()], measures: HashMap::default() };
        for row in rows {
            for (column, value) in [("low", &row.low), ("high", &row.high)] {
                if !value.is_empty() && value.parse::<Decimal>().is_err() {
                    return Err(format!("{} of {} {}: {value:?}", column, row.measure, row.hts));
                }
            }
            let measure = table.measures.entry(row.measure.clone()).or_default();
            let same_number = measure.0.entry(row.hts.len()).or_default().entry(row.hts.clone()).or_default();
            same_number.push(table.rows.len() as u32);
            table.rows.push(row);
            same_number.sort_by_key(|&row| std::cmp::Reverse(table.rows[row as usize].closeness()));
        }
        Ok(table)
    }

    /// A column of a row, blank if there is none; none if there is no such column.
    pub(in crate::host) fn cell(&self, row: u32, column: &str) -> Option<&str> {
        self.rows.get(row as usize)?.column(column)
    }

    /// The closest row for a key; the blank one if there is none.
    pub(in crate::host) fn find(&self, key: &str) -> u32 {
        let mut parts = key.split(' ');
        let mut part = || parts.next().unwrap_or_default();
        let (measure, hts, country, mode) = (part(), part(), part(), part());
        let closest = |measure: &Measure| {
            measure.0.iter().rev().find_map(|(length, numbers)| {
                let mut rows = numbers.get(hts.get(..*length)?)?.iter().copied();
                rows.find(|&row| self.rows[row as usize].applies(country, mode))
            })
        };
        self.measures.get(measure).and_then(closest).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &str) -> Result<ParameterTable, String> {
        let rows = format!("measure,hts,country,mode,low,high\n{rows}");
        let rows = csv::Reader::from_reader(rows.as_bytes()).into_deserialize();
        ParameterTable::new(rows.collect::<Result<_, _>>().unwrap())
    }

    #[test]
    fn the_closest_row_counts() {
        let table = table(
            "weight,,,,,1\nweight,27,,,,2\nweight,2701,,,,3\nweight,27,CU,,,4\nweight,27,,\"40,41\",,5",
        )
        .unwrap();
        for (key, high) in [
            ("weight 0101210010 FR 11", "1"),
            ("weight   ", "1"),
            ("weight 2709001000 FR 11", "2"),
            ("weight 2701110000 CU 40", "3"),
            ("weight 2709001000 CU 40", "4"),
            ("weight 2709001000 FR 41", "5"),
            ("value 2709001000 FR 41", ""),
        ] {
            assert_eq!(table.cell(table.find(key), "high"), Some(high), "{key}");
        }
        assert_eq!(table.cell(table.find("weight 2709001000 FR 41"), "width"), None);
    }

    #[test]
    fn the_builtin_parameters_are_numbers() {
        let table = ParameterTable::builtin().unwrap();
        assert_eq!(table.cell(table.find("value/quantity_1 3924104000 VN 11"), "high"), Some("60"));
    }

    #[test]
    fn what_is_no_number_is_named() {
        assert_eq!(table("weight,27,,,,much").unwrap_err(), "high of weight 27: \"much\"");
    }
}
