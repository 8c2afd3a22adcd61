//! Countries of origin and the Canadian provinces that stand for Canada (AE table 5, ESF-216); the date
//! that a line's rates depend on; sets of countries.

use jiff::civil::Date;

use super::Tariff;
use super::facts::{LineFacts, SummaryFacts};
use crate::grammar::Grammar;
use crate::model::{CountryCode, ZoneStatus};

const LIST: &str = "ae_canadian_province";
const CANADA: &str = "CA";

pub(super) fn provinces(grammar: &Grammar) -> CountrySet {
    let list = grammar.lists().find(|list| list.name() == LIST);
    let codes = list.into_iter().flat_map(|list| list.codes());
    let mut provinces = CountrySet::default();
    codes.filter_map(|code| CountryCode::new(code).ok()).for_each(|province| provinces.add(province));
    provinces
}

impl Tariff {
    /// The country of an origin.
    #[must_use]
    pub fn country(&self, origin: CountryCode) -> CountryCode {
        if self.provinces.contains(origin) { CountryCode::new(CANADA).unwrap_or(origin) } else { origin }
    }

    /// The date that a line's rates of duty depend on (usage note (j), ESF-159).
    #[must_use]
    pub fn duty_date(&self, facts: &SummaryFacts, line: &LineFacts) -> Date {
        let privileged = line.zone.filter(|zone| zone.status == ZoneStatus::PrivilegedForeign);
        let filed = privileged.and_then(|zone| zone.filed);
        if let Some(date) = filed.filter(|_| self.scopes.zone_types.has(facts.entry_type)) {
            return date;
        }
        let in_bond = facts.dates.in_bond.filter(|_| !self.scopes.quota_types.has(facts.entry_type));
        in_bond.unwrap_or_else(|| facts.dates.fee())
    }
}

const LETTERS: usize = 26;
const WORDS: usize = (LETTERS * LETTERS).div_ceil(64);

/// A set of countries, one bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CountrySet([u64; WORDS]);

impl CountrySet {
    /// Where a country's bit is; `**`, the unknown country, has none.
    fn bit(country: CountryCode) -> Option<(usize, u64)> {
        let [one, two] = country.as_str().as_bytes() else { return None };
        let letter = |byte: u8| byte.checked_sub(b'A').map(usize::from);
        let bit = letter(*one)? * LETTERS + letter(*two)?;
        Some((bit / 64, 1 << (bit % 64)))
    }

    pub(super) fn add(&mut self, country: CountryCode) {
        if let Some((word, bit)) = Self::bit(country) {
            self.0[word] |= bit;
        }
    }

    pub(super) fn contains(&self, country: CountryCode) -> bool {
        Self::bit(country).is_some_and(|(word, bit)| self.0[word] & bit != 0)
    }

    pub(super) fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
    }

    pub(super) fn complement(self) -> Self {
        Self(self.0.map(|word| !word))
    }
}
