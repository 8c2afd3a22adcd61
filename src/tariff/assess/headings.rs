//! Duty of chapter 99 headings: which are claimed, what they do to the normal duty, and their order.

use rust_decimal::Decimal;

use super::amount::Base;
use super::duty::{Part, Place, commodities, part};
use super::{Work, reported};
use crate::model::HtsNumber;
use crate::tariff::facts::TariffFacts;
use crate::tariff::heading::{Heading, HeadingKind};
use crate::tariff::journal::Step;
use crate::tariff::problem::ProblemKind;
use crate::tariff::rate::{Rate, Sum};

/// The programme that products are excluded from by a declaration (usage note (ii), ESF-187).
pub(in crate::tariff) const EXCLUDABLE: &str = "section_232";

/// The headings of a line that apply.
#[derive(Debug, Default)]
pub(super) struct Remedies<'t> {
    applying: Vec<Remedy<'t>>,
    /// What the numbers of chapters 1 to 97 owe, or would owe if no heading replaced it.
    pub(super) normal: Decimal,
}

/// A heading on a line.
#[derive(Clone, Copy, Debug)]
struct Remedy<'t> {
    position: usize,
    number: HtsNumber,
    kind: HeadingKind,
    /// What it adds, or what the normal duty is compared with.
    sum: Option<&'t Sum>,
    text: &'t str,
    heading: Option<&'t Heading>,
}

impl Remedies<'_> {
    /// The heading whose duty stands in place of the normal one.
    pub(super) fn replacing(&self) -> Option<HtsNumber> {
        self.applying.iter().find(|remedy| remedy.kind == HeadingKind::Replace).map(|remedy| remedy.number)
    }
}

impl<'t> Work<'t> {
    /// The order 98, then 99, then 1 to 97, and that of the headings of 99 among themselves.
    pub(super) fn check_order(&mut self, place: &Place<'_>) {
        let (mut last, mut last_order) = (Part::Provision, 0);
        for (position, tariff) in place.line.tariffs.iter().enumerate() {
            let part = part(tariff);
            if part < last {
                let kind = ProblemKind::OutOfOrder(tariff.number);
                self.problem(Some(place.index), Some(position), kind);
            }
            last = last.max(part);
            if part != Part::Heading {
                continue;
            }
            let headings = &self.tariff.headings;
            let Some(heading) = headings.periods(tariff.number).first() else { continue };
            let order = headings.programmes()[heading.programme].order;
            if order < last_order {
                let kind = ProblemKind::HeadingsOutOfOrder(tariff.number);
                self.problem(Some(place.index), Some(position), kind);
            }
            last_order = last_order.max(order);
        }
    }

    pub(super) fn remedies(&mut self, place: &Place<'_>) -> Remedies<'t> {
        let headings = place.line.tariffs.iter().filter(|facts| part(facts) == Part::Heading).count();
        let mut remedies = Remedies { applying: Vec::with_capacity(headings), ..Remedies::default() };
        let alone = place.provision.is_none() && commodities(place.line).next().is_none();
        for (position, facts) in place.line.tariffs.iter().enumerate() {
            if part(facts) != Part::Heading {
                continue;
            }
            match self.remedy(place, position, facts) {
                Ok(remedy) => remedies.applying.push(remedy),
                Err(kind) => self.problem(Some(place.index), Some(position), kind),
            }
            if alone {
                let kind = ProblemKind::HeadingAlone(facts.number);
                self.problem(Some(place.index), Some(position), kind);
            }
        }
        self.check_stacking(place, &remedies);
        remedies
    }

    /// The heading as the tables have it, else as the schedule does.
    fn remedy(
        &mut self,
        place: &Place<'_>,
        position: usize,
        facts: &TariffFacts,
    ) -> Result<Remedy<'t>, ProblemKind> {
        let tariff = self.tariff;
        let number = facts.number;
        if self.is_type(&tariff.scopes.no_remedy_types) {
            return Err(ProblemKind::HeadingNotAllowed(number));
        }
        let (heading, is_known) = tariff.headings.find(number, place.date);
        let Some(heading) = heading else {
            if is_known {
                return Err(ProblemKind::HeadingNotInForce(number, place.date));
            }
            let printed = tariff.schedule.find(number, place.date).and_then(|article| article.general());
            let printed = printed.ok_or(ProblemKind::HeadingUnknown(number))?;
            let (kind, sum) = match &printed.rate {
                Rate::Beside(sum) if sum.terms.is_empty() => (HeadingKind::Exempt, None),
                Rate::Beside(sum) => (HeadingKind::Add, Some(&**sum)),
                Rate::Sum(sum) => (HeadingKind::Replace, Some(&**sum)),
                Rate::Free if tariff.scopes.replacing_headings.begin(number.as_str()) => {
                    (HeadingKind::Replace, None)
                }
                Rate::Free | Rate::Note => (HeadingKind::Exempt, None),
                _ => return Err(ProblemKind::NotComputable(printed.text.to_string())),
            };
            return Ok(Remedy { position, number, kind, sum, text: &printed.text, heading: None });
        };
        if !heading.covers(place.origin) {
            return Err(ProblemKind::HeadingNotForOrigin(number, place.origin));
        }
        let is_excluded =
            place.line.excluded && tariff.headings.programmes()[heading.programme].name == EXCLUDABLE;
        if is_excluded && heading.is_dutiable() {
            self.problem(Some(place.index), Some(position), ProblemKind::HeadingWithExclusion(number));
        }
        if heading.ieepa && !facts.value.is_zero() {
            self.problem(Some(place.index), Some(position), ProblemKind::ValueOnHeading(number));
        }
        let sum = if let Rate::Sum(sum) = &heading.rate { Some(&**sum) } else { None };
        Ok(Remedy { position, number, kind: heading.kind, sum, text: &heading.text, heading: Some(heading) })
    }

    fn check_stacking(&mut self, place: &Place<'_>, remedies: &Remedies<'t>) {
        let dutiable = |remedy: &Remedy<'t>| remedy.heading.filter(|heading| heading.is_dutiable());
        for (index, one) in remedies.applying.iter().enumerate() {
            for other in &remedies.applying[index + 1..] {
                let (Some(first), Some(second)) = (dutiable(one), dutiable(other)) else { continue };
                if self.tariff.headings.exclude(first, second) {
                    let kind = ProblemKind::HeadingsExclude(one.number, other.number);
                    self.problem(Some(place.index), Some(other.position), kind);
                }
            }
        }
    }

    /// The duty of each heading, once the normal duty is known.
    pub(super) fn remedy_duties(
        &mut self,
        place: &Place<'_>,
        remedies: &Remedies<'t>,
        duties: &mut [Decimal],
    ) {
        let Some((_, first)) = commodities(place.line).next() else { return };
        let value = commodities(place.line).map(|(_, facts)| facts.value).sum::<Decimal>();
        for remedy in &remedies.applying {
            let own = place.line.tariffs[remedy.position].value;
            let is_ieepa = remedy.heading.is_some_and(|heading| heading.ieepa);
            let value = if own.is_zero() || is_ieepa { value } else { own };
            let base = Base::of(value, &first.quantities, [None; 3]);
            let full = match remedy.sum.map(|sum| self.tariff.sum(sum, &base)).transpose() {
                Ok(full) => full.unwrap_or_default(),
                Err(kind) => {
                    self.problem(Some(place.index), Some(remedy.position), kind);
                    continue;
                }
            };
            self.check_all_in(place, remedy, remedies.normal, full);
            let dutiable = matches!(remedy.kind, HeadingKind::Add | HeadingKind::Replace);
            let exact = if dutiable { full } else { Decimal::ZERO };
            duties[remedy.position] = reported(exact);
            self.note_remedy(place, remedy, &base, exact);
        }
    }

    /// An all-in heading is for goods whose normal duty is below the all-in rate; its sister for others.
    fn check_all_in(&mut self, place: &Place<'_>, remedy: &Remedy<'_>, normal: Decimal, all_in: Decimal) {
        let fits = match (remedy.heading, remedy.kind) {
            (Some(heading), HeadingKind::Replace) if heading.ieepa => normal < all_in,
            (Some(_), HeadingKind::DealZero) => normal >= all_in,
            _ => true,
        };
        if !fits {
            let kind = ProblemKind::AllInMismatch(remedy.number);
            self.problem(Some(place.index), Some(remedy.position), kind);
        }
    }

    fn note_remedy(&mut self, place: &Place<'_>, remedy: &Remedy<'t>, base: &Base<'_>, exact: Decimal) {
        let tariff = self.tariff;
        let source = match remedy.kind {
            HeadingKind::Add => "remedy_add",
            HeadingKind::Replace => "remedy_replace",
            HeadingKind::DealZero | HeadingKind::Exempt => "remedy_exempt",
        };
        let amount = reported(exact);
        self.journal.note(|| {
            let programme = remedy.heading.map(|heading| &tariff.headings.programmes()[heading.programme]);
            let dutiable = matches!(remedy.kind, HeadingKind::Add | HeadingKind::Replace);
            Step {
                line: Some(place.index + 1),
                subject: remedy.number.to_string(),
                title: match programme {
                    Some(programme) => format!("{}, {}", tariff.sources.title(source), programme.meaning),
                    None => tariff.sources.title(source),
                },
                rate: remedy.text.to_owned(),
                version: remedy
                    .heading
                    .map_or_else(String::new, |heading| format!("{}, {}", heading.source, heading.period)),
                date: Some(place.date),
                rule: tariff.sources.rule(source),
                arithmetic: match remedy.sum {
                    Some(sum) if dutiable => tariff.sum_arithmetic(sum, base),
                    _ => String::new(),
                },
                exact,
                amount,
                rounding: tariff.rounding(exact, amount),
            }
        });
    }
}
