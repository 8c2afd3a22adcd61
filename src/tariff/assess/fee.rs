//! Fees of a line: merchandise processing, harbor maintenance and agricultural fees, and when charges
//! must be reported (usage notes (m) to (o) and (v), ESF-161, 162, 172, 173).

use rust_decimal::Decimal;

use super::amount::Base;
use super::duty::{Place, commodities};
use super::{Owed, Work, is_component, is_domestic, reported};
use crate::model::{Code, SetRole};
use crate::tariff::facts::LineFacts;
use crate::tariff::journal::Step;
use crate::tariff::levy::FeeKind;
use crate::tariff::problem::ProblemKind;
use crate::tariff::program::Provision;
use crate::tariff::scope::Codes;

/// Groups of countries whose goods owe no processing fee, by their words (usage note (m)).
const EXEMPT: [&str; 4] = ["least_developed", "israel", "caribbean", "insular"];

impl Work<'_> {
    pub(super) fn fees(&mut self, place: &Place<'_>) -> Vec<Owed> {
        let Place { index, line, .. } = *place;
        let mut fees = Vec::with_capacity(2);
        if self.facts.consolidated_express {
            return fees;
        }
        self.agricultural(index, line, &mut fees);
        if !is_component(line) && !self.is_type(&self.tariff.scopes.no_processing_fee_types) {
            match self.exemption(place) {
                Some(why) => self.note_exempt(place, why),
                None => self.processing(place, &mut fees),
            }
        }
        if !is_component(line) && self.owes_harbor_fee() {
            self.harbor(place, &mut fees);
        }
        fees
    }

    /// Why an article owes neither a formal processing fee nor an informal entry fee (usage note (m)), as a
    /// word of the table of sources.
    pub(super) fn exemption(&self, place: &Place<'_>) -> Option<&'static str> {
        let date = self.facts.dates.fee();
        let is_of = |group: &&str| self.tariff.places.contains(group, place.origin, date);
        if let Some(group) = EXEMPT.into_iter().find(is_of) {
            return Some(group);
        }
        if is_domestic(place.line) {
            return Some("exempt_zone");
        }
        if self.is_type(&self.tariff.scopes.bonded_types) {
            return Some("exempt_bond");
        }
        if matches!(place.provision, Some((_, false))) {
            return Some("exempt_chapter_98");
        }
        self.claim_exempts(place).then_some("exempt_claim")
    }

    fn claim_exempts(&self, place: &Place<'_>) -> bool {
        let Some(claim) = place.line.program else { return false };
        self.tariff.programs.find(claim, place.date).is_ok_and(|program| {
            program.exempts_from_fees
                && (program.origins.is_empty() || program.origins.contains(&place.origin))
        })
    }

    fn note_exempt(&mut self, place: &Place<'_>, why: &'static str) {
        let tariff = self.tariff;
        self.journal.note(|| Step {
            line: Some(place.index + 1),
            subject: tariff.scopes.processing_class.to_string(),
            title: format!("no merchandise processing fee: {}", tariff.sources.title(why)),
            rule: tariff.sources.rule(why),
            ..Step::default()
        });
    }

    fn processing(&mut self, place: &Place<'_>, fees: &mut Vec<Owed>) {
        // Of goods returned from abroad only what was done there counts (19 USC 58c(b)(8)(D)).
        let value = match place.provision {
            Some((Provision::Split, true)) => commodities(place.line).map(|(_, facts)| facts.value).sum(),
            _ => place.line.value(),
        };
        let date = self.facts.dates.fee();
        self.by_value(place, "mpf", self.tariff.scopes.processing_class, value, date, fees);
    }

    /// Whether the mode and entry type owe the fee (usage note (o)).
    fn owes_harbor_fee(&self) -> bool {
        let scopes = &self.tariff.scopes;
        self.is_mode(&scopes.harbor_fee_modes) && !self.is_type(&scopes.no_harbor_fee_types)
    }

    fn harbor(&mut self, place: &Place<'_>, fees: &mut Vec<Owed>) {
        let date = self.facts.dates.harbor_fee();
        self.by_value(place, "hmf", self.tariff.scopes.harbor_class, place.line.value(), date, fees);
    }

    fn by_value(
        &mut self,
        place: &Place<'_>,
        source: &'static str,
        class: Code<3>,
        value: Decimal,
        date: jiff::civil::Date,
        fees: &mut Vec<Owed>,
    ) {
        let tariff = self.tariff;
        let Some((rate, period)) = tariff.levies.fee(class, FeeKind::Rate, date) else {
            let kind = ProblemKind::FeeUnknown(format!("rate of fee {class}"), date);
            return self.problem(Some(place.index), None, kind);
        };
        let exact = value * rate;
        let amount = reported(exact);
        self.journal.note(|| Step {
            line: Some(place.index + 1),
            subject: class.to_string(),
            title: tariff.sources.title(source),
            rate: rate.to_string(),
            version: period.to_string(),
            date: Some(date),
            rule: tariff.sources.rule(source),
            arithmetic: format!("{} x {rate}", value.normalize()),
            exact,
            amount,
            rounding: tariff.rounding(exact, amount),
        });
        fees.push(Owed { class, amount });
    }

    /// Agricultural fees, which a set owes by its components alone (usage note (k), ESF-160).
    fn agricultural(&mut self, index: usize, line: &LineFacts, fees: &mut Vec<Owed>) {
        let none = line.agricultural_exempt || line.set_role == Some(SetRole::Header);
        if none || self.is_type(&self.tariff.scopes.bonded_types) {
            return;
        }
        let tariff = self.tariff;
        let date = self.facts.dates.fee();
        for (position, facts) in commodities(line) {
            for levy in tariff.levies.agricultural(facts.number.as_str(), date) {
                let units =
                    tariff.schedule.find(facts.number, date).map_or([None; 3], |article| article.units());
                let base = Base::of(facts.value, &facts.quantities, units);
                let exact = match tariff.amount(&levy.rate, &levy.text, &base) {
                    Ok(exact) => exact,
                    Err(kind) => {
                        self.problem(Some(index), Some(position), kind);
                        continue;
                    }
                };
                let amount = reported(exact);
                self.journal.note(|| Step {
                    line: Some(index + 1),
                    subject: levy.class.to_string(),
                    title: tariff.sources.title("agricultural"),
                    rate: levy.text.clone(),
                    version: format!("{}, {}", levy.source, levy.period),
                    date: Some(date),
                    rule: tariff.sources.rule("agricultural"),
                    arithmetic: tariff.arithmetic(&levy.rate, &base),
                    exact,
                    amount,
                    rounding: tariff.rounding(exact, amount),
                });
                fees.push(Owed { class: levy.class, amount });
            }
        }
    }

    /// Charges that are missing (usage note (v)).
    pub(super) fn charges(&mut self, index: usize, line: &LineFacts) {
        let charges = line.charges.unwrap_or(Decimal::ONE);
        if charges.is_zero() && self.needs_charges(line) {
            self.problem(Some(index), None, ProblemKind::ChargesMissing(line.value()));
        }
    }

    fn needs_charges(&self, line: &LineFacts) -> bool {
        let scopes = &self.tariff.scopes;
        let insular = self.tariff.places.contains("insular", self.origin(line), self.facts.dates.fee());
        let exempt = self.is_type(&scopes.informal_types) || self.is_mode(&scopes.no_charges_modes);
        if exempt || insular || is_component(line) {
            return false;
        }
        let begins = |codes: &Codes| line.tariffs.iter().any(|facts| codes.begin(facts.number.as_str()));
        if begins(&scopes.repair_numbers) {
            return commodities(line).map(|(_, facts)| facts.value).sum::<Decimal>() > scopes.charges_limit;
        }
        let returned = begins(&scopes.returned_numbers);
        line.value() > if returned { scopes.returned_charges_limit } else { scopes.charges_limit }
    }
}
