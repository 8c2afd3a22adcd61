//! Countries of origin and the Canadian provinces that stand for Canada (AE table 5, ESF-216); the date
//! that a line's rates depend on.

use jiff::civil::Date;

use super::Tariff;
use super::facts::{LineFacts, SummaryFacts};
use crate::grammar::Grammar;
use crate::model::{CountryCode, ZoneStatus};

const LIST: &str = "ae_canadian_province";
const CANADA: &str = "CA";

pub(super) fn provinces(grammar: &Grammar) -> Vec<CountryCode> {
    let list = grammar.lists().find(|list| list.name() == LIST);
    list.into_iter().flat_map(|list| list.codes()).filter_map(|code| CountryCode::new(code).ok()).collect()
}

impl Tariff {
    /// The country of an origin.
    #[must_use]
    pub fn country(&self, origin: CountryCode) -> CountryCode {
        if self.provinces.contains(&origin) { CountryCode::new(CANADA).unwrap_or(origin) } else { origin }
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
