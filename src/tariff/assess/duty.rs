//! Duty of the numbers of a line: chapters 1 to 97 and 98.

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::amount::Base;
use super::headings::Remedies;
use super::{Work, is_component, is_domestic, reported};
use crate::model::CountryCode;
use crate::tariff::facts::{LineFacts, TariffFacts};
use crate::tariff::journal::Step;
use crate::tariff::problem::ProblemKind;
use crate::tariff::program::Provision;
use crate::tariff::rate::Rate;
use crate::tariff::schedule::{Article, Printed};

/// A line and what its duty depends on.
#[derive(Clone, Copy)]
pub(super) struct Place<'f> {
    pub(super) index: usize,
    pub(super) line: &'f LineFacts,
    pub(super) date: Date,
    pub(super) origin: CountryCode,
    /// The provision of chapter 98 that it stands under, and whether it owes processing fees.
    pub(super) provision: Option<(Provision, bool)>,
}

/// The part of the schedule that a number stands in.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Part {
    Provision,
    Heading,
    Commodity,
}

pub(super) fn part(tariff: &TariffFacts) -> Part {
    match tariff.chapter() {
        "98" => Part::Provision,
        "99" => Part::Heading,
        _ => Part::Commodity,
    }
}

/// The numbers of chapters 1 to 97, with their places.
pub(in crate::tariff) fn commodities(line: &LineFacts) -> impl Iterator<Item = (usize, &TariffFacts)> {
    line.tariffs.iter().enumerate().filter(|(_, tariff)| part(tariff) == Part::Commodity)
}

/// A rate that was chosen for a number, and the source of the choice.
struct Chosen<'t> {
    printed: &'t Printed,
    column: &'static str,
    source: &'static str,
}

impl<'t> Work<'t> {
    pub(super) fn place<'f>(&self, index: usize, line: &'f LineFacts) -> Place<'f> {
        let provisions = &self.tariff.provisions;
        let provision = line.tariffs.iter().find_map(|tariff| provisions.find(tariff.number.as_str()));
        let date = self.tariff.duty_date(self.facts, line);
        Place { index, line, date, origin: self.origin(line), provision }
    }

    pub(super) fn duties(&mut self, place: &Place<'_>) -> Vec<Decimal> {
        let Place { index, line, .. } = *place;
        let mut duties = vec![Decimal::ZERO; line.tariffs.len()];
        self.check_order(place);
        if self.is_far(place.date) {
            self.problem(Some(index), None, ProblemKind::DateTooFar(place.date));
        }
        if let Some(source) = self.owes_nothing(place) {
            self.nothing(place, source);
            return duties;
        }
        let mut remedies = self.remedies(place);
        for (position, tariff) in line.tariffs.iter().enumerate() {
            duties[position] = match part(tariff) {
                Part::Provision => self.provision_duty(place, position, tariff),
                Part::Commodity => self.commodity_duty(place, position, tariff, &mut remedies),
                Part::Heading => Decimal::ZERO,
            };
        }
        self.remedy_duties(place, &remedies, &mut duties);
        duties
    }

    /// Whether a date is more days after receipt than the duty rate date may be (usage note (j), ESF-159).
    fn is_far(&self, date: Date) -> bool {
        let ahead = self.tariff.scopes.days_ahead.days();
        self.facts.dates.received.checked_add(ahead).is_ok_and(|last| date > last)
    }

    /// Why no number of a line owes duty, as a word of the table of sources.
    fn owes_nothing(&self, place: &Place<'_>) -> Option<&'static str> {
        if is_component(place.line) {
            return Some("set_component");
        }
        if is_domestic(place.line) {
            return Some("zone_domestic");
        }
        let bonded = matches!(place.provision, Some((Provision::Bond, _)));
        (bonded || self.is_type(&self.tariff.scopes.bonded_types)).then_some("bond")
    }

    fn nothing(&mut self, place: &Place<'_>, source: &'static str) {
        let tariff = self.tariff;
        for number in place.line.tariffs.iter().map(|tariff| tariff.number) {
            self.journal.note(|| Step {
                line: Some(place.index + 1),
                subject: number.to_string(),
                title: tariff.sources.title(source),
                rule: tariff.sources.rule(source),
                ..Step::default()
            });
        }
    }

    /// The number's own rate on its own value, which is mostly free.
    fn provision_duty(&mut self, place: &Place<'_>, position: usize, facts: &TariffFacts) -> Decimal {
        let tariff = self.tariff;
        let article = tariff.schedule.find(facts.number, place.date);
        if article.is_none() {
            let kind = ProblemKind::NumberUnknown(facts.number, place.date);
            self.problem(Some(place.index), Some(position), kind);
        }
        let own = article.and_then(|article| Some((article, article.general()?)));
        match own.filter(|_| matches!(place.provision, Some((Provision::Free, _)))) {
            Some((article, printed)) if printed.rate != Rate::Free => {
                let chosen = Chosen { printed, column: "chapter 98", source: "chapter_98" };
                self.by_rate(place, position, facts, &article, &chosen).unwrap_or_default()
            }
            _ => {
                self.journal.note(|| Step {
                    line: Some(place.index + 1),
                    subject: facts.number.to_string(),
                    title: tariff.sources.title("chapter_98"),
                    date: Some(place.date),
                    rule: tariff.sources.rule("chapter_98"),
                    ..Step::default()
                });
                Decimal::ZERO
            }
        }
    }

    fn commodity_duty(
        &mut self,
        place: &Place<'_>,
        position: usize,
        facts: &TariffFacts,
        remedies: &mut Remedies<'t>,
    ) -> Decimal {
        let tariff = self.tariff;
        let free = matches!(place.provision, Some((Provision::Free, _)));
        let Some(article) = tariff.schedule.find(facts.number, place.date) else {
            let kind = ProblemKind::NumberUnknown(facts.number, place.date);
            self.problem(Some(place.index), Some(position), kind);
            return Decimal::ZERO;
        };
        if free {
            return Decimal::ZERO;
        }
        let Some(chosen) = self.choose(place, position, facts, &article) else { return Decimal::ZERO };
        if let Some(heading) = remedies.replacing() {
            remedies.normal += self.would_owe(place, facts, &article, &chosen).unwrap_or_default();
            self.journal.note(|| Step {
                line: Some(place.index + 1),
                subject: facts.number.to_string(),
                title: format!("normal duty, replaced by heading {heading}"),
                rate: chosen.printed.text.to_string(),
                rule: tariff.sources.rule("remedy_replace"),
                date: Some(place.date),
                ..Step::default()
            });
            return Decimal::ZERO;
        }
        let duty = self.by_rate(place, position, facts, &article, &chosen).unwrap_or_default();
        remedies.normal += duty;
        duty
    }

    /// The rate that applies: of column 2 by the origin, of the programme claimed, or the general one.
    fn choose(
        &mut self,
        place: &Place<'_>,
        position: usize,
        facts: &TariffFacts,
        article: &Article<'t>,
    ) -> Option<Chosen<'t>> {
        let (printed, column, source) = if self.tariff.places.contains("column_2", place.origin, place.date) {
            (article.column_2(), "column 2", "column_2")
        } else if let Some(printed) = self.claimed(place, position, article) {
            (Some(printed), "column 1 special", "program")
        } else {
            (article.general(), "column 1 general", "rate")
        };
        if printed.is_none() {
            self.problem(Some(place.index), Some(position), ProblemKind::RateMissing(facts.number));
        }
        Some(Chosen { printed: printed?, column, source })
    }

    /// The rate of the programme claimed, if the claim holds.
    fn claimed(&mut self, place: &Place<'_>, position: usize, article: &Article<'t>) -> Option<&'t Printed> {
        let claim = place.line.program?;
        let found = self.tariff.programs.find(claim, place.date);
        let kind = match found {
            Err(None) => ProblemKind::ProgramUnknown(claim),
            Err(Some(program)) => ProblemKind::ProgramNotInForce(claim, program.period, place.date),
            Ok(program) if !program.origins.is_empty() && !program.origins.contains(&place.origin) => {
                ProblemKind::ProgramNotForOrigin(claim, place.origin)
            }
            Ok(program) if program.frees => return Some(&self.tariff.free),
            Ok(program) => match article.special(&program.listed) {
                Some(printed) => return Some(printed),
                // Nothing is to be gained from a claim on what is free anyway, but for the fee.
                None if article.general().is_some_and(|printed| printed.rate == Rate::Free) => return None,
                None => ProblemKind::ProgramNotListed(claim),
            },
        };
        self.problem(Some(place.index), Some(position), kind);
        None
    }

    fn base<'f>(
        &self,
        place: &Place<'_>,
        facts: &'f TariffFacts,
        article: &Article<'f>,
        rate: &Rate,
    ) -> Base<'f> {
        let mut base = Base {
            value: facts.value,
            quantities: &facts.quantities,
            units: article.units(),
            second_rate: facts.second_rate,
            derived: None,
            description: article.description(),
        };
        if matches!(rate, Rate::Derived | Rate::Coded(_)) {
            base.derived = self.derived(place, facts, &base);
        }
        base
    }

    /// The highest duty by the rate of another number on the line (Appendix F, code 9).
    fn derived(&self, place: &Place<'_>, facts: &TariffFacts, base: &Base<'_>) -> Option<Decimal> {
        let others = commodities(place.line).filter(|(_, other)| other.number != facts.number);
        let duties = others.filter_map(|(_, other)| {
            let printed = self.tariff.schedule.find(other.number, place.date)?.general()?;
            if printed.rate == Rate::Derived {
                return None;
            }
            self.tariff.amount(&printed.rate, &printed.text, base).ok()
        });
        duties.max()
    }

    fn would_owe(
        &self,
        place: &Place<'_>,
        facts: &TariffFacts,
        article: &Article<'_>,
        chosen: &Chosen<'_>,
    ) -> Option<Decimal> {
        let base = self.base(place, facts, article, &chosen.printed.rate);
        self.tariff.amount(&chosen.printed.rate, &chosen.printed.text, &base).ok()
    }

    fn by_rate(
        &mut self,
        place: &Place<'_>,
        position: usize,
        facts: &TariffFacts,
        article: &Article<'t>,
        chosen: &Chosen<'t>,
    ) -> Option<Decimal> {
        let tariff = self.tariff;
        let mut base = self.base(place, facts, article, &chosen.printed.rate);
        let Printed { text, rate } = chosen.printed;
        let mut found = tariff.amount(rate, text, &base);
        if found == Err(ProblemKind::ChoiceMissing) {
            self.problem(Some(place.index), Some(position), ProblemKind::ChoiceMissing);
            base.second_rate = Some(false);
            found = tariff.amount(rate, text, &base);
        }
        let exact = match found {
            Ok(exact) => exact,
            Err(kind) => {
                self.problem(Some(place.index), Some(position), kind);
                return None;
            }
        };
        let amount = reported(exact);
        self.journal.note(|| Step {
            line: Some(place.index + 1),
            subject: facts.number.to_string(),
            title: format!("{}, {}", tariff.sources.title(chosen.source), chosen.column),
            rate: text.to_string(),
            version: version(article),
            date: Some(place.date),
            rule: tariff.sources.rule(rule_of(rate, chosen.source)),
            arithmetic: tariff.arithmetic(rate, &base),
            exact,
            amount,
            rounding: tariff.rounding(exact, amount),
        });
        Some(amount)
    }
}

fn rule_of(rate: &Rate, source: &'static str) -> &'static str {
    match (source, rate) {
        ("rate", Rate::Free) => "free",
        ("rate", Rate::Derived) => "derived",
        ("rate", Rate::Coded(_)) => "coded",
        ("rate", Rate::Parts(_)) => "parts",
        _ => source,
    }
}

/// Where a rate stands and when it is in force.
pub(super) fn version(article: &Article<'_>) -> String {
    article.version().map_or_else(String::new, |(version, period)| format!("{}, {period}", version.name))
}
