//! Countries of origin and the Canadian provinces that stand for Canada (AE table 5, ESF-216).

use super::Tariff;
use crate::grammar::Grammar;
use crate::model::CountryCode;

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
}
