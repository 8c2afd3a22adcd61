//! Internal revenue tax (ESF-118; usage note (kk), ESF-188 and 189).

use rust_decimal::Decimal;

use super::amount::Base;
use super::duty::commodities;
use super::{Owed, Work, reported};
use crate::model::SetRole;
use crate::tariff::facts::LineFacts;
use crate::tariff::journal::Step;
use crate::tariff::problem::ProblemKind;
use crate::tariff::rate::{Rate, Sum, Term};

impl Work<'_> {
    pub(super) fn tax(&mut self, index: usize, line: &LineFacts) -> Option<Owed> {
        let facts = line.tax.as_ref()?;
        let tariff = self.tariff;
        // A set pays tax by its components alone (usage note (k), ESF-160); a bond pays none.
        if line.set_role == Some(SetRole::Header) || self.is_type(&tariff.scopes.bonded_types) {
            return None;
        }
        let date = self.facts.dates.fee();
        let (_, article) = commodities(line).next()?;
        let number = article.number.as_str();
        let Some(levy) = tariff.levies.tax(facts.class, facts.category.as_deref(), number, date) else {
            self.problem(Some(index), None, ProblemKind::TaxUnknown(facts.class));
            return None;
        };
        let craft = facts.craft_rate.filter(|_| tariff.scopes.craft_rates.contains(date));
        let rate = match craft {
            Some(dollars) => with_dollars(&levy.rate, dollars),
            None => levy.rate.clone(),
        };
        let quantities = facts.quantity.map_or(article.quantities, |quantity| [Some(quantity), None, None]);
        let units = tariff.schedule.find(article.number, date).map_or([None; 3], |article| article.units());
        let base = Base::of(article.value, &quantities, units);
        let exact = match tariff.amount(&rate, &levy.text, &base) {
            Ok(exact) => exact,
            Err(kind) => {
                self.problem(Some(index), None, kind);
                return None;
            }
        };
        let amount = reported(exact);
        self.journal.note(|| Step {
            line: Some(index + 1),
            subject: facts.class.to_string(),
            title: format!("{}, {}", tariff.sources.title("tax"), levy.category.replace('_', " ")),
            rate: craft.map_or_else(|| levy.text.clone(), |dollars| format!("${dollars}, craft beverage")),
            version: format!("{}, {}", levy.source, levy.period),
            date: Some(date),
            rule: tariff.sources.rule("tax"),
            arithmetic: tariff.arithmetic(&rate, &base),
            exact,
            amount,
            rounding: tariff.rounding(exact, amount),
        });
        Some(Owed { class: facts.class, amount })
    }
}

/// The rate of so many dollars for each of the units that a rate is in.
fn with_dollars(rate: &Rate, dollars: Decimal) -> Rate {
    let Rate::Sum(sum) = rate else { return rate.clone() };
    let terms = sum.terms.iter().map(|term| match *term {
        Term::Specific { unit, .. } => Term::Specific { dollars, unit },
        other @ Term::AdValorem { .. } => other,
    });
    Rate::Sum(Box::new(Sum { terms: terms.collect(), ..Sum::default() }))
}
