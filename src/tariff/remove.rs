//! Facts without some of their headings, as a recomputation after a refund needs them, and a line whose
//! content of a metal is reported apart.

use rust_decimal::Decimal;

use super::Tariff;
use super::facts::{LineFacts, SummaryFacts, TariffFacts};
use crate::model::HtsNumber;

/// A line in two: what is not of the metal, and what is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Split {
    /// The line without the content, with all quantities.
    pub rest: LineFacts,
    /// The content under its heading.
    pub content: LineFacts,
}

impl SummaryFacts {
    /// The facts without the numbers that `removes` names.
    #[must_use]
    pub fn without(&self, mut removes: impl FnMut(HtsNumber) -> bool) -> Self {
        let mut facts = self.clone();
        for line in &mut facts.lines {
            line.tariffs.retain(|tariff| !removes(tariff.number));
        }
        facts
    }
}

impl LineFacts {
    /// The line in two, the content of a metal and the rest (Section 232, by content): the value and the
    /// duty of the heading go with the content, which a further heading may exempt from another remedy;
    /// `dropped` headings stay with the rest. `None` if there is more content than value.
    #[must_use]
    pub fn split_content(
        &self,
        heading: HtsNumber,
        exempting: Option<HtsNumber>,
        content: Decimal,
        dropped: impl Fn(HtsNumber) -> bool,
    ) -> Option<Split> {
        let place = self.tariffs.iter().position(|tariff| !matches!(tariff.chapter(), "98" | "99"))?;
        let mut rest = self.clone();
        rest.tariffs[place].value = self.tariffs[place].value.checked_sub(content)?;
        if rest.tariffs[place].value.is_sign_negative() {
            return None;
        }
        let mut inside = self.clone();
        inside.tariffs.retain(|tariff| !dropped(tariff.number));
        let place = inside.tariffs.iter().position(|tariff| !matches!(tariff.chapter(), "98" | "99"))?;
        inside.tariffs[place].value = content;
        inside.tariffs[place].quantities = [None; 3];
        let headings = exempting.into_iter().chain([heading]);
        let headings = headings.map(|number| TariffFacts::new(number, Decimal::ZERO));
        inside.tariffs.splice(place..place, headings);
        Some(Split { rest, content: inside })
    }
}

impl Tariff {
    /// The facts without any IEEPA heading: dutiable, exempting or without duty.
    #[must_use]
    pub fn without_ieepa(&self, facts: &SummaryFacts) -> SummaryFacts {
        facts.without(|number| self.headings.is_ieepa(number))
    }
}
