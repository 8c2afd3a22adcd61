//! Fees of a summary as a whole, and what its lines' fees come to together (usage notes (o) to (r), (w)
//! and (x), ESF-162 to 165, 173, 174).

use rust_decimal::Decimal;

use super::{Assessment, LineOwed, Owed, Work, is_component};
use crate::model::Code;
use crate::tariff::journal::Step;
use crate::tariff::levy::FeeKind;
use crate::tariff::problem::ProblemKind;

impl Work<'_> {
    pub(super) fn header_fees(&mut self, assessment: &mut Assessment) {
        if !self.facts.consolidated_express {
            self.mail(assessment);
            self.informal(assessment);
            self.surcharge(assessment);
        }
        for owed in &assessment.header_fees {
            add(&mut assessment.fee_totals, *owed);
        }
        let mut lines = Vec::new();
        assessment.lines.iter().flat_map(|line| &line.fees).for_each(|owed| add(&mut lines, *owed));
        for owed in &mut lines {
            if owed.class == self.tariff.scopes.processing_class {
                owed.amount = self.bounded(owed.amount, &assessment.lines);
            }
        }
        self.least_harbor_fee(assessment, &mut lines);
        lines.iter().for_each(|owed| add(&mut assessment.fee_totals, *owed));
        assessment.totals.fees = assessment.fee_totals.iter().map(|owed| owed.amount).sum();
        self.note_totals(assessment);
    }

    /// The merchandise processing fee of the summary within its bounds (usage note (w)).
    fn bounded(&mut self, sum: Decimal, lines: &[LineOwed]) -> Decimal {
        let tariff = self.tariff;
        let date = self.facts.dates.fee();
        let bound = |kind| tariff.levies.fee(tariff.scopes.processing_class, kind, date);
        let (minimum, maximum) = (bound(FeeKind::Minimum), bound(FeeKind::Maximum));
        let mut amount = sum;
        let mut title = "the sum of the lines".to_owned();
        if self.is_mode(&self.tariff.scopes.fixed_modes) {
            title += ": bounds do not bind fixed transport";
        } else if let Some((least, _)) = minimum.filter(|(least, _)| sum < *least) {
            amount = least;
            title = format!("raised to the minimum of {least}");
        } else if let Some((most, _)) = maximum.filter(|(most, _)| sum > *most) {
            amount = most;
            title = format!("cut to the maximum of {most}");
        }
        if self.facts.consolidated {
            title += "; more is accepted from a consolidated summary";
        }
        self.journal.note(|| Step {
            subject: tariff.scopes.processing_class.to_string(),
            title: format!("{}: {title}", tariff.sources.title("mpf_total")),
            rate: match (minimum, maximum) {
                (Some((least, _)), Some((most, _))) => format!("from {least} to {most}"),
                _ => String::new(),
            },
            version: minimum.map_or_else(String::new, |(_, period)| period.to_string()),
            date: Some(date),
            rule: tariff.sources.rule("mpf_total"),
            arithmetic: joined(
                lines.iter().filter_map(|line| line.fee(tariff.scopes.processing_class.as_str())),
            ),
            exact: sum,
            amount,
            ..Step::default()
        });
        amount
    }

    /// A harbor maintenance fee of at most three dollars is not owed if nothing else is (usage note (o)).
    fn least_harbor_fee(&mut self, assessment: &mut Assessment, lines: &mut Vec<Owed>) {
        let scopes = &self.tariff.scopes;
        let harbor_class = scopes.harbor_class;
        let Some(harbor) = lines.iter().find(|owed| owed.class == harbor_class) else { return };
        let totals = assessment.totals;
        let others = lines.iter().chain(&assessment.header_fees).filter(|owed| owed.class != harbor.class);
        let other = others.map(|owed| owed.amount).sum::<Decimal>()
            + totals.duty
            + totals.tax
            + totals.antidumping()
            + totals.countervailing();
        if harbor.amount > scopes.harbor_fee_least || !other.is_zero() {
            return;
        }
        let (tariff, sum) = (self.tariff, harbor.amount);
        self.journal.note(|| Step {
            subject: harbor_class.to_string(),
            title: "no harbor maintenance fee: three dollars at most, and nothing else is due".to_owned(),
            rule: tariff.sources.rule("hmf"),
            exact: sum,
            ..Step::default()
        });
        lines.retain(|owed| owed.class != harbor_class);
        for line in &mut assessment.lines {
            line.fees.retain(|owed| owed.class != harbor_class);
        }
    }

    /// The dutiable mail fee (usage note (p)).
    fn mail(&mut self, assessment: &mut Assessment) {
        if self.is_mode(&self.tariff.scopes.mail_modes) && !assessment.totals.duty.is_zero() {
            self.fixed("mail", self.tariff.scopes.mail_class, assessment);
        }
    }

    /// The informal entry fee (usage note (q)).
    fn informal(&mut self, assessment: &mut Assessment) {
        let exempt = self.is_mode(&self.tariff.scopes.mail_modes) || self.facts.express_port;
        let any_amount = self.facts.consolidated || self.is_mode(&self.tariff.scopes.fixed_modes);
        if self.is_type(&self.tariff.scopes.informal_types) && !exempt && !any_amount && self.any_line_owes()
        {
            self.fixed("informal", self.tariff.scopes.informal_class, assessment);
        }
    }

    /// The manual entry surcharge (usage note (r)).
    fn surcharge(&mut self, assessment: &mut Assessment) {
        let formal = !self.is_type(&self.tariff.scopes.informal_types);
        if self.facts.manual && formal && !self.facts.consolidated && self.any_line_owes() {
            self.fixed("surcharge", self.tariff.scopes.surcharge_class, assessment);
        }
    }

    /// Whether any line is not exempt for a reason of usage note (m).
    fn any_line_owes(&self) -> bool {
        let lines = self.facts.lines.iter().enumerate().filter(|(_, line)| !is_component(line));
        lines.into_iter().any(|(index, line)| self.exemption(&self.place(index, line)).is_none())
    }

    fn fixed(&mut self, source: &'static str, class: Code<3>, assessment: &mut Assessment) {
        let tariff = self.tariff;
        let date = self.facts.dates.fee();
        let Some((amount, period)) = tariff.levies.fee(class, FeeKind::Amount, date) else {
            return self.problem(None, None, ProblemKind::FeeUnknown(format!("amount of fee {class}"), date));
        };
        self.journal.note(|| Step {
            subject: class.to_string(),
            title: tariff.sources.title(source),
            rate: format!("${amount}"),
            version: period.to_string(),
            date: Some(date),
            rule: tariff.sources.rule(source),
            exact: amount,
            amount,
            ..Step::default()
        });
        assessment.header_fees.push(Owed { class, amount });
    }

    fn note_totals(&mut self, assessment: &Assessment) {
        if !self.journal.is_wanted() {
            return;
        }
        let tariff = self.tariff;
        let totals = assessment.totals;
        let lines = &assessment.lines;
        let cases = |countervailing| {
            let cases = self
                .facts
                .lines
                .iter()
                .zip(lines)
                .flat_map(|(line, owed)| line.cases.iter().zip(&owed.cases));
            joined(
                cases.filter(|(case, _)| case.is_countervailing() == countervailing).map(|(_, owed)| *owed),
            )
        };
        let rows = [
            ("duty", totals.duty, joined(lines.iter().map(LineOwed::duty))),
            ("user fees", totals.fees, joined(assessment.fee_totals.iter().map(|owed| owed.amount))),
            (
                "internal revenue tax",
                totals.tax,
                joined(lines.iter().filter_map(|line| Some(line.tax?.amount))),
            ),
            ("antidumping duty", totals.antidumping(), cases(false)),
            ("countervailing duty", totals.countervailing(), cases(true)),
        ];
        for (what, amount, arithmetic) in rows {
            self.journal.note(|| Step {
                subject: "total".to_owned(),
                title: format!("{}, {what}", tariff.sources.title("total")),
                rule: tariff.sources.rule("total"),
                arithmetic,
                exact: amount,
                amount,
                ..Step::default()
            });
        }
    }
}

/// Amounts that are added, in words; nothing for none.
fn joined(amounts: impl Iterator<Item = Decimal>) -> String {
    amounts.map(|amount| amount.to_string()).collect::<Vec<_>>().join(" + ")
}

/// Adds an amount to that of its class.
fn add(totals: &mut Vec<Owed>, owed: Owed) {
    match totals.iter_mut().find(|total| total.class == owed.class) {
        Some(total) => total.amount += owed.amount,
        None => totals.push(owed),
    }
}
