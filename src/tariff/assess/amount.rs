//! The amount by a rate, and its arithmetic in words.

use rust_decimal::Decimal;

use crate::model::Code;
use crate::tariff::Tariff;
use crate::tariff::facts::Amount;
use crate::tariff::formula::{Lacking, Operands};
use crate::tariff::problem::ProblemKind;
use crate::tariff::rate::{Part, Polarized, Rate, Sum, Term};
use crate::tariff::unit::UnitId;

/// What a rate is applied to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base<'f> {
    pub(super) value: Decimal,
    pub(super) quantities: &'f [Option<Amount>; 3],
    pub(super) units: [Option<Code<3>>; 3],
    pub(super) second_rate: Option<bool>,
    /// The duty by the rate of another number on the line.
    pub(super) derived: Option<Decimal>,
    /// What the number is, which tells the part of an article that it reports.
    pub(super) description: &'f str,
}

impl<'f> Base<'f> {
    /// A value and quantities in these units, and nothing beside them.
    pub(super) fn of(
        value: Decimal,
        quantities: &'f [Option<Amount>; 3],
        units: [Option<Code<3>>; 3],
    ) -> Self {
        Self { value, quantities, units, second_rate: None, derived: None, description: "" }
    }

    /// Each quantity with the unit it is in.
    fn quantities(&self) -> impl Iterator<Item = (Decimal, Code<3>)> {
        let pairs = self.quantities.iter().zip(self.units);
        pairs.filter_map(|(quantity, unit)| {
            let quantity = (*quantity)?;
            Some((quantity.amount, quantity.unit.or(unit)?))
        })
    }
}

impl Tariff {
    /// What a rate comes to, exactly; `text` is the rate as printed.
    pub(super) fn amount(&self, rate: &Rate, text: &str, base: &Base<'_>) -> Result<Decimal, ProblemKind> {
        match rate {
            Rate::Free => Ok(Decimal::ZERO),
            Rate::Sum(sum) => self.sum(sum, base),
            Rate::Parts(parts) => {
                let terms = self.on_part(parts, base);
                let terms = terms.ok_or_else(|| ProblemKind::NotComputable(text.to_owned()))?;
                terms.map(|term| self.term(term, base)).sum()
            }
            Rate::Polarized(rate) => self.polarized(rate, base),
            Rate::Coded(_) => {
                let operands = self.operands(rate, base).ok_or(ProblemKind::TooLarge)?;
                self.formulas.compute(&operands).map_err(|lacking| lacks(lacking, text, base))
            }
            Rate::Derived => base.derived.ok_or(ProblemKind::NothingDerived),
            Rate::Beside(_) | Rate::Note | Rate::Unread(_) => {
                Err(ProblemKind::NotComputable(text.to_owned()))
            }
        }
    }

    /// The terms on the part that a number reports by its description: those that name it, or, if none does,
    /// those that name no part. `None` if the description names none.
    fn on_part<'r>(&self, parts: &'r [Part], base: &Base<'_>) -> Option<impl Iterator<Item = &'r Term>> {
        let word = self.schedule.units().part(base.description)?;
        let names = move |part: &Part| part.on.split(|c: char| !c.is_alphabetic()).any(|other| other == word);
        let is_named = parts.iter().any(&names);
        let fits = move |part: &&Part| if is_named { names(part) } else { part.on.is_empty() };
        Some(parts.iter().filter(fits).map(|part| &part.term))
    }

    pub(super) fn sum(&self, sum: &Sum, base: &Base<'_>) -> Result<Decimal, ProblemKind> {
        let mut amount = Decimal::ZERO;
        for term in &sum.terms {
            amount += self.term(term, base)?;
        }
        if let Some(least) = &sum.least {
            amount = amount.max(self.term(least, base)?);
        }
        if let Some(most) = &sum.most {
            amount = amount.min(self.term(most, base)?);
        }
        Ok(amount)
    }

    fn term(&self, term: &Term, base: &Base<'_>) -> Result<Decimal, ProblemKind> {
        Ok(match term {
            Term::AdValorem { rate, over: 1 } => base.value * rate,
            Term::AdValorem { rate, over } => base.value * rate / Decimal::from(*over),
            Term::Specific { dollars, unit } => self.quantity(*unit, base)? * dollars,
        })
    }

    /// The quantity in the unit of a rate.
    fn quantity(&self, unit: UnitId, base: &Base<'_>) -> Result<Decimal, ProblemKind> {
        let units = self.schedule.units();
        let mut found = base.quantities().filter_map(|(amount, code)| units.convert(unit, amount, code));
        found.next().ok_or_else(|| ProblemKind::QuantityMissing(units.name(unit).to_owned()))
    }

    fn polarized(&self, rate: &Polarized, base: &Base<'_>) -> Result<Decimal, ProblemKind> {
        let quantity = self.quantity(rate.unit, base)?;
        let price = self.polarized_price(rate, base)?;
        quantity.checked_mul(price).ok_or(ProblemKind::TooLarge)
    }

    /// Dollars a unit at the degrees that are reported.
    fn polarized_price(&self, rate: &Polarized, base: &Base<'_>) -> Result<Decimal, ProblemKind> {
        let degrees = self.degrees(base)?;
        Ok(rate.least.max(rate.full - rate.per_degree * (Decimal::ONE_HUNDRED - degrees)))
    }

    fn degrees(&self, base: &Base<'_>) -> Result<Decimal, ProblemKind> {
        let missing = || ProblemKind::QuantityMissing("degree".to_owned());
        let unit = self.schedule.units().find("degree").ok_or_else(missing)?;
        self.quantity(unit, base)
    }

    fn operands<'t>(&self, rate: &'t Rate, base: &Base<'_>) -> Option<Operands<'t>> {
        let Rate::Coded(coded) = rate else { return None };
        Some(Operands {
            coded,
            value: base.value,
            quantities: base.quantities.map(|quantity| quantity.map(|quantity| quantity.amount)),
            derived: base.derived,
            second: base.second_rate,
        })
    }

    /// The arithmetic of an amount that could be computed.
    pub(super) fn arithmetic(&self, rate: &Rate, base: &Base<'_>) -> String {
        match rate {
            Rate::Free | Rate::Note | Rate::Unread(_) => String::new(),
            Rate::Sum(sum) | Rate::Beside(sum) => self.sum_arithmetic(sum, base),
            Rate::Parts(parts) => {
                let terms = self.on_part(parts, base).into_iter().flatten();
                terms.map(|term| self.term_arithmetic(term, base)).collect::<Vec<_>>().join(" + ")
            }
            Rate::Polarized(rate) => self.polarized_arithmetic(rate, base).unwrap_or_default(),
            Rate::Coded(_) => {
                self.operands(rate, base).map(|operands| self.formulas.show(&operands)).unwrap_or_default()
            }
            Rate::Derived => "the duty by the rate of another number on the line".to_owned(),
        }
    }

    pub(super) fn sum_arithmetic(&self, sum: &Sum, base: &Base<'_>) -> String {
        let term = |term: &Term| self.term_arithmetic(term, base);
        let mut text = sum.terms.iter().map(term).collect::<Vec<_>>().join(" + ");
        for (word, bound) in [("less", &sum.least), ("more", &sum.most)] {
            if let Some(bound) = bound {
                text += &format!(", not {word} than {}", term(bound));
            }
        }
        text
    }

    fn term_arithmetic(&self, term: &Term, base: &Base<'_>) -> String {
        let units = self.schedule.units();
        let rate = term.display(units);
        match term {
            Term::AdValorem { .. } => format!("{} x {rate}", base.value.normalize()),
            Term::Specific { unit, .. } => {
                let found =
                    base.quantities().find(|(amount, code)| units.convert(*unit, *amount, *code).is_some());
                found.map_or_else(String::new, |(amount, code)| {
                    format!("{} {code}{} x {rate}", amount.normalize(), units.conversion(*unit, code))
                })
            }
        }
    }

    fn polarized_arithmetic(&self, rate: &Polarized, base: &Base<'_>) -> Result<String, ProblemKind> {
        let (quantity, degrees) = (self.quantity(rate.unit, base)?, self.degrees(base)?);
        Ok(format!(
            "{} x the greater of ${} - (100 - {}) x ${} and ${}",
            quantity.normalize(),
            rate.full,
            degrees.normalize(),
            rate.per_degree,
            rate.least
        ))
    }
}

fn lacks(lacking: Lacking, text: &str, base: &Base<'_>) -> ProblemKind {
    match lacking {
        Lacking::Quantity(place) => {
            let unit =
                base.units[place].map_or_else(|| format!("unit {}", place + 1), |unit| unit.to_string());
            ProblemKind::QuantityMissing(unit)
        }
        Lacking::Derived => ProblemKind::NothingDerived,
        Lacking::Choice => ProblemKind::ChoiceMissing,
        Lacking::Formula => ProblemKind::NotComputable(text.to_owned()),
        Lacking::Room => ProblemKind::TooLarge,
    }
}
