//! Antidumping and countervailing duty (usage note (ff), ESF-180 to 183).

use rust_decimal::Decimal;

use super::{Work, reported};
use crate::model::{DutySecurity, RateKind};
use crate::tariff::facts::LineFacts;
use crate::tariff::journal::Step;

impl Work<'_> {
    pub(super) fn cases(&mut self, index: usize, line: &LineFacts) -> Vec<Decimal> {
        let tariff = self.tariff;
        let mut duties = Vec::with_capacity(line.cases.len());
        for case in &line.cases {
            let value = case.value.unwrap_or_else(|| line.value());
            let quantity = case.quantity.unwrap_or_default();
            let exact = match case.kind {
                RateKind::AdValorem => value * case.rate / Decimal::ONE_HUNDRED,
                RateKind::Specific => quantity * case.rate,
            };
            let amount = reported(exact);
            self.journal.note(|| Step {
                line: Some(index + 1),
                subject: case.number.to_string(),
                title: {
                    let kind = if case.is_countervailing() { "countervailing" } else { "antidumping" };
                    let security = match case.security {
                        DutySecurity::Bond => "secured by bond",
                        DutySecurity::Cash => "deposited in cash",
                    };
                    format!("{kind} duty, {security}")
                },
                rate: match case.kind {
                    RateKind::AdValorem => format!("{}%", case.rate),
                    RateKind::Specific => format!("${} a unit", case.rate),
                },
                date: Some(self.facts.dates.case()),
                rule: tariff.sources.rule("case"),
                arithmetic: match case.kind {
                    RateKind::AdValorem => format!("{} x {}%", value.normalize(), case.rate),
                    RateKind::Specific => format!("{} x ${}", quantity.normalize(), case.rate),
                },
                exact,
                amount,
                rounding: tariff.rounding(exact, amount),
                ..Step::default()
            });
            duties.push(amount);
        }
        duties
    }
}
