//! What an entry summary owes: duty, antidumping and countervailing duty, tax and fees, by line and in
//! total, with every step if it is wanted.

mod amount;
mod case;
mod duty;
mod fee;
mod header_fee;
mod headings;
mod tax;

pub(super) use duty::commodities;
pub(super) use headings::EXCLUDABLE;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;

use super::Tariff;
use super::facts::{LineFacts, SummaryFacts};
use super::journal::{Journal, Step};
use super::problem::{Problem, ProblemKind};
use super::program::Provision;
use super::scope::Codes;
use crate::model::{Code, CountryCode, DutySecurity, SetRole, ZoneStatus};

/// An amount of an accounting class.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Owed {
    /// The accounting class.
    pub class: Code<3>,
    /// Dollars and cents.
    pub amount: Decimal,
}

/// What a line owes.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct LineOwed {
    /// Duty, number by number.
    pub duties: Vec<Decimal>,
    /// Antidumping and countervailing duty, case by case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Decimal>,
    /// Internal revenue tax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax: Option<Owed>,
    /// Fees.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fees: Vec<Owed>,
}

impl LineOwed {
    /// The duty of all numbers.
    #[must_use]
    pub fn duty(&self) -> Decimal {
        self.duties.iter().sum()
    }

    /// The fee of an accounting class.
    #[must_use]
    pub fn fee(&self, class: &str) -> Option<Decimal> {
        self.fees.iter().find(|owed| owed.class.as_str() == class).map(|owed| owed.amount)
    }
}

/// Totals of a summary, in dollars and cents.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Totals {
    /// Duty.
    pub duty: Decimal,
    /// Fees of header and lines, the merchandise processing fee within its bounds.
    pub fees: Decimal,
    /// Internal revenue tax.
    pub tax: Decimal,
    /// Antidumping duty secured by bond.
    pub bonded_antidumping: Decimal,
    /// Antidumping duty deposited in cash.
    pub cash_antidumping: Decimal,
    /// Countervailing duty secured by bond.
    pub bonded_countervailing: Decimal,
    /// Countervailing duty deposited in cash.
    pub cash_countervailing: Decimal,
}

impl Totals {
    /// Antidumping duty in all.
    #[must_use]
    pub fn antidumping(&self) -> Decimal {
        self.bonded_antidumping + self.cash_antidumping
    }

    /// Countervailing duty in all.
    #[must_use]
    pub fn countervailing(&self) -> Decimal {
        self.bonded_countervailing + self.cash_countervailing
    }

    /// What is to be paid: all but what a bond secures.
    #[must_use]
    pub fn payable(&self) -> Decimal {
        self.duty + self.fees + self.tax + self.cash_antidumping + self.cash_countervailing
    }
}

/// What an entry summary owes.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Assessment {
    /// Line by line.
    pub lines: Vec<LineOwed>,
    /// Fees of the header.
    pub header_fees: Vec<Owed>,
    /// Totals of fees by class, header and lines.
    pub fee_totals: Vec<Owed>,
    /// Totals.
    pub totals: Totals,
    /// What stood in the way, or does not fit together.
    pub problems: Vec<Problem>,
    /// Every step, if they were wanted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

/// The largest number of facts: beyond it a product of value, quantity and rate might not be exact.
const LARGEST: Decimal = Decimal::from_parts(0x4e72_a000, 0x0918, 0, false, 0);

impl Tariff {
    /// What a summary owes.
    #[must_use]
    pub fn assess(&self, facts: &SummaryFacts) -> Assessment {
        self.assessed(facts, Journal::default())
    }

    /// What a summary owes, with every step.
    #[must_use]
    pub fn explain(&self, facts: &SummaryFacts) -> Assessment {
        self.assessed(facts, Journal::new(true))
    }

    fn assessed(&self, facts: &SummaryFacts, journal: Journal) -> Assessment {
        let mut work = Work { tariff: self, facts, journal, problems: Vec::new() };
        let mut assessment =
            Assessment { lines: Vec::with_capacity(facts.lines.len()), ..Assessment::default() };
        for (index, line) in facts.lines.iter().enumerate() {
            assessment.lines.push(work.line(index, line));
        }
        work.add_up(&mut assessment);
        assessment.problems = work.problems;
        assessment.steps = work.journal.into_steps();
        assessment
    }
}

/// A computation under way.
struct Work<'t> {
    tariff: &'t Tariff,
    facts: &'t SummaryFacts,
    journal: Journal,
    problems: Vec<Problem>,
}

impl Work<'_> {
    fn line(&mut self, index: usize, line: &LineFacts) -> LineOwed {
        if !is_computable(line) {
            self.problem(Some(index), None, ProblemKind::TooLarge);
            return LineOwed { duties: vec![Decimal::ZERO; line.tariffs.len()], ..LineOwed::default() };
        }
        let place = self.place(index, line);
        let duties = self.duties(&place);
        let cases = self.cases(index, line);
        let tax = self.tax(index, line);
        let fees = self.fees(&place);
        self.charges(index, line);
        LineOwed { duties, cases, tax, fees }
    }

    fn problem(&mut self, line: Option<usize>, tariff: Option<usize>, kind: ProblemKind) {
        self.problems.push(Problem { line, tariff, kind });
    }

    fn is_type(&self, types: &Codes) -> bool {
        types.has(self.facts.entry_type)
    }

    fn is_mode(&self, modes: &Codes) -> bool {
        modes.has(self.facts.mode)
    }

    /// The sum of the lines, with what depends on the whole summary.
    fn add_up(&mut self, assessment: &mut Assessment) {
        let totals = &mut assessment.totals;
        for (owed, line) in assessment.lines.iter().zip(&self.facts.lines) {
            totals.duty += owed.duty();
            totals.tax += owed.tax.map_or(Decimal::ZERO, |tax| tax.amount);
            for (amount, case) in owed.cases.iter().zip(&line.cases) {
                let total = match (case.is_countervailing(), case.security) {
                    (false, DutySecurity::Bond) => &mut totals.bonded_antidumping,
                    (false, DutySecurity::Cash) => &mut totals.cash_antidumping,
                    (true, DutySecurity::Bond) => &mut totals.bonded_countervailing,
                    (true, DutySecurity::Cash) => &mut totals.cash_countervailing,
                };
                *total += amount;
            }
        }
        self.header_fees(assessment);
    }

    /// The origin, a Canadian province being Canada.
    fn origin(&self, line: &LineFacts) -> CountryCode {
        self.tariff.country(line.origin)
    }
}

/// Whether all numbers of a line are small enough to be computed exactly, and none is negative.
fn is_computable(line: &LineFacts) -> bool {
    let fits = |number: Decimal| number <= LARGEST && !number.is_sign_negative();
    let quantities = line.tariffs.iter().flat_map(|tariff| tariff.quantities.iter().flatten());
    let cases = line.cases.iter().flat_map(|case| [Some(case.rate), case.value, case.quantity]);
    let taxes =
        line.tax.iter().flat_map(|tax| [tax.craft_rate, tax.quantity.map(|quantity| quantity.amount)]);
    line.tariffs.iter().all(|tariff| fits(tariff.value))
        && quantities.into_iter().all(|quantity| fits(quantity.amount))
        && cases.chain(taxes).flatten().all(fits)
}

/// Whether a line owes no duty whatever its headings: components of a set, domestic goods of a zone, goods
/// under bond or under a provision of chapter 98 that frees them, and entry types without such duties.
pub(super) fn owes_nothing(tariff: &Tariff, facts: &SummaryFacts, line: &LineFacts) -> bool {
    let provision = line.tariffs.iter().find_map(|facts| tariff.provisions.find(facts.number.as_str()));
    let is_type = |types: &Codes| types.has(facts.entry_type);
    is_component(line)
        || is_domestic(line)
        || matches!(provision, Some((Provision::Free | Provision::Bond, _)))
        || is_type(&tariff.scopes.bonded_types)
        || is_type(&tariff.scopes.no_remedy_types)
}

fn is_component(line: &LineFacts) -> bool {
    line.set_role == Some(SetRole::Component)
}

fn is_domestic(line: &LineFacts) -> bool {
    line.zone.is_some_and(|zone| zone.status == ZoneStatus::Domestic)
}

/// An amount as a record reports it: rounded, but zero where it computes to less than a cent (usage note (l),
/// ESF-160; so do the 50-, 52-, 60- and 62-records).
fn reported(exact: Decimal) -> Decimal {
    if exact < CENT { Decimal::ZERO } else { round_to_cents(exact) }
}

const CENT: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// An amount in dollars and cents, half up (usage note (hh), ESF-186).
#[must_use]
pub fn round_to_cents(exact: Decimal) -> Decimal {
    exact.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}
