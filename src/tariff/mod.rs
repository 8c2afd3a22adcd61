//! Duty, fees, tax and interest: what is owed, computed as CBP computes it, with every step shown.
//!
//! The room is pure. A [`Tariff`] holds the [`Schedule`] and the tables of headings, programmes, fees
//! and rates; all of them are data of `grammars/tariff/` and may be replaced. [`SummaryFacts`] say what
//! is declared, and [`Tariff::assess`] says what is owed; [`Tariff::explain`] also says why, step by
//! step. Rates are expressions with exact numbers, and an amount is rounded once, half up, where the
//! chapter rounds it. `docs/tariff.md` describes the tables and what is not computed.

mod assess;
mod compare;
mod country;
mod due;
mod facts;
mod filing;
mod formula;
mod heading;
mod import;
mod interest;
mod journal;
mod levy;
mod problem;
mod program;
mod rate;
mod rate_text;
mod remove;
mod render;
mod schedule;
mod schedule_text;
mod scope;
mod sources;
mod table;
mod unit;

use std::sync::LazyLock;

pub use assess::{Assessment, LineOwed, Owed, Totals, round_to_cents};
pub use compare::{Compared, compare};
pub use due::{Due, LineDue, Standing};
pub use facts::{Amount, CaseFacts, Dates, LineFacts, SummaryFacts, TariffFacts, TaxFacts, Zone};
pub use filing::Known;
pub use heading::{Heading, HeadingKind, Headings, Programme};
pub use import::{Editions, Import, ImportError, Refused, import, is_compressed};
pub use interest::{Interest, InterestError, InterestKind, InterestPart, InterestRates};
pub use journal::Step;
pub use levy::{FeeKind, Levies, Levy};
pub use problem::{Problem, ProblemKind};
pub use program::{Places, Program, Programs, Provision, Provisions};
pub use rate::{Coded, Part, Polarized, Rate, RateError, Sum, Term};
pub use remove::Split;
pub use render::{table, text};
pub use schedule::{Article, Printed, Schedule, ScheduleRow, Version};
pub use schedule_text::{SCHEDULE_HEADER, read_schedule, write_schedule};
pub use sources::{RuleSource, RuleSources};
pub use table::{Period, Sources, TableError};
pub use unit::{UnitId, Units};

use crate::grammar::Grammar;

/// The schedule and all tables that duty, fees, tax and interest are computed by.
#[derive(Clone, Debug)]
pub struct Tariff {
    schedule: Schedule,
    headings: Headings,
    programs: Programs,
    places: Places,
    provisions: Provisions,
    levies: Levies,
    scopes: scope::Scopes,
    interest: InterestRates,
    formulas: formula::Formulas,
    sources: RuleSources,
    provinces: country::CountrySet,
    /// The rate of a claim that frees every article.
    free: Printed,
}

static BUILTIN: LazyLock<Result<Tariff, TableError>> =
    LazyLock::new(|| Tariff::new(&Sources::builtin(), Grammar::builtin()));

impl Tariff {
    /// The tariff that comes with the program: its schedule holds the numbers of the samples.
    ///
    /// # Errors
    /// None, unless the program was built with a table that is broken; the tests would not pass.
    pub fn builtin() -> Result<&'static Self, TableError> {
        BUILTIN.as_ref().map_err(Clone::clone)
    }

    /// A tariff by its tables; the computation codes are those of the grammar's list.
    ///
    /// # Errors
    /// A table that is missing or says what cannot be.
    pub fn new(sources: &Sources, grammar: &Grammar) -> Result<Self, TableError> {
        let units = Units::new(sources)?;
        let places = Places::new(sources)?;
        let mut tariff = Self {
            headings: Headings::new(sources, &units, &places)?,
            programs: Programs::new(sources)?,
            provisions: Provisions::new(sources)?,
            levies: Levies::new(sources, &units)?,
            interest: InterestRates::new(sources)?,
            scopes: scope::Scopes::new(sources)?,
            formulas: formula::Formulas::new(grammar)?,
            sources: RuleSources::new(sources)?,
            provinces: country::provinces(grammar),
            free: Printed { text: "Free".into(), rate: Rate::Free },
            places,
            schedule: Schedule::new(units),
        };
        tariff.add_schedule(sources.text("schedule")?)?;
        Ok(tariff)
    }

    /// Adds a schedule beside those that are there; where both have a number on a date, the row that
    /// began last counts, and of two that began on the same day the one added last.
    ///
    /// # Errors
    /// A line that is no row of a schedule.
    pub fn add_schedule(&mut self, text: &str) -> Result<(), TableError> {
        for (version, rows) in read_schedule(text)? {
            self.schedule.add(version, rows);
        }
        Ok(())
    }

    /// The schedule.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The headings of chapter 99 that change duty.
    #[must_use]
    pub fn headings(&self) -> &Headings {
        &self.headings
    }

    /// Trade agreements and special programmes.
    #[must_use]
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Rates of interest.
    #[must_use]
    pub fn interest(&self) -> &InterestRates {
        &self.interest
    }

    /// Fees, taxes and assessments.
    #[must_use]
    pub fn levies(&self) -> &Levies {
        &self.levies
    }

    /// How an amount was rounded, if it was, in words.
    fn rounding(&self, exact: rust_decimal::Decimal, amount: rust_decimal::Decimal) -> String {
        if exact == amount {
            return String::new();
        }
        let how = if amount.is_zero() { "below_a_cent" } else { "rounding" };
        format!("{}: {}", self.sources.title(how), self.sources.rule(how))
    }
}
