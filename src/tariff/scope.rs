//! Codes and amounts that the rules of computation apply to, as data.

use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::table::{Period, Sources, TableError};
use crate::model::Code;

const TABLE: &str = "scopes";

/// The lists of codes, each by its field, resolved once by its word.
#[derive(Clone, Debug)]
pub(super) struct Scopes {
    pub(super) informal_types: Codes,
    pub(super) no_processing_fee_types: Codes,
    pub(super) bonded_types: Codes,
    pub(super) zone_types: Codes,
    pub(super) quota_types: Codes,
    pub(super) no_remedy_types: Codes,
    pub(super) no_harbor_fee_types: Codes,
    pub(super) harbor_fee_modes: Codes,
    pub(super) mail_modes: Codes,
    pub(super) fixed_modes: Codes,
    pub(super) no_charges_modes: Codes,
    pub(super) processing_class: Code<3>,
    pub(super) harbor_class: Code<3>,
    pub(super) informal_class: Code<3>,
    pub(super) mail_class: Code<3>,
    pub(super) surcharge_class: Code<3>,
    pub(super) no_agricultural_fee_licenses: Codes,
    pub(super) repair_numbers: Codes,
    pub(super) returned_numbers: Codes,
    pub(super) replacing_headings: Codes,
    pub(super) harbor_fee_least: Decimal,
    pub(super) charges_limit: Decimal,
    pub(super) returned_charges_limit: Decimal,
    pub(super) days_ahead: i64,
    /// When rates of craft beverage claims were applied at entry; later ones are refunded by TTB.
    pub(super) craft_rates: Period,
}

/// A few codes, as texts and as numbers that are compared at once.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    texts: Vec<String>,
    packed: Vec<u64>,
}

/// A code of up to eight bytes as a number.
fn packed(code: &str) -> u64 {
    code.bytes().fold(0, |packed, byte| packed << 8 | u64::from(byte))
}

impl Codes {
    /// Whether the code is one of them.
    pub(super) fn has<const N: usize>(&self, code: Option<Code<N>>) -> bool {
        code.is_some_and(|code| self.packed.contains(&packed(code.as_str())))
    }

    /// Whether a number begins with one of them.
    pub(super) fn begin(&self, number: &str) -> bool {
        self.texts.iter().any(|prefix| number.starts_with(prefix.as_str()))
    }
}

/// The cells of the table, by their words.
struct Words(Vec<(String, Vec<String>)>);

impl Words {
    fn codes(&self, word: &str) -> Result<Codes, TableError> {
        let found = self.0.iter().find(|(known, _)| known == word);
        let (_, texts) = found.ok_or_else(|| wrong(format!("no word {word}")))?;
        let packed = texts.iter().map(|text| packed(text)).collect();
        Ok(Codes { texts: texts.clone(), packed })
    }

    fn one<T: FromStr>(&self, word: &str) -> Result<T, TableError> {
        let Codes { texts, .. } = self.codes(word)?;
        let one = texts.first().and_then(|code| code.parse().ok());
        one.ok_or_else(|| wrong(format!("{word}: found {texts:?}, expected one value")))
    }
}

fn wrong(message: String) -> TableError {
    TableError { file: format!("{TABLE}.table"), line: 0, message }
}

impl Scopes {
    pub(super) fn new(sources: &Sources) -> Result<Self, TableError> {
        let mut words = Words(Vec::new());
        sources.table(TABLE)?.each(|row| {
            words.0.push((row.cell("word").to_owned(), row.words("codes").map(str::to_owned).collect()));
            Ok(())
        })?;
        Ok(Self {
            informal_types: words.codes("informal_types")?,
            no_processing_fee_types: words.codes("no_processing_fee_types")?,
            bonded_types: words.codes("bonded_types")?,
            zone_types: words.codes("zone_types")?,
            quota_types: words.codes("quota_types")?,
            no_remedy_types: words.codes("no_remedy_types")?,
            no_harbor_fee_types: words.codes("no_harbor_fee_types")?,
            harbor_fee_modes: words.codes("harbor_fee_modes")?,
            mail_modes: words.codes("mail_modes")?,
            fixed_modes: words.codes("fixed_modes")?,
            no_charges_modes: words.codes("no_charges_modes")?,
            processing_class: words.one("processing_class")?,
            harbor_class: words.one("harbor_class")?,
            informal_class: words.one("informal_class")?,
            mail_class: words.one("mail_class")?,
            surcharge_class: words.one("surcharge_class")?,
            no_agricultural_fee_licenses: words.codes("no_agricultural_fee_licenses")?,
            repair_numbers: words.codes("repair_numbers")?,
            returned_numbers: words.codes("returned_numbers")?,
            replacing_headings: words.codes("replacing_headings")?,
            harbor_fee_least: words.one("harbor_fee_least")?,
            charges_limit: words.one("charges_limit")?,
            returned_charges_limit: words.one("returned_charges_limit")?,
            days_ahead: words.one("days_ahead")?,
            craft_rates: Period {
                from: words.one::<Date>("craft_rates_from")?,
                to: words.one::<Date>("craft_rates_to")?,
            },
        })
    }
}
