//! Fees, agricultural assessments and internal revenue tax by class and date.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::rate::Rate;
use super::table::{Period, Row, Sources, TableError};
use super::unit::Units;
use crate::model::Code;

/// What a number in the table of fees is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FeeKind {
    /// A part of the value of a line.
    Rate,
    /// The least of a summary.
    Minimum,
    /// The most of a summary.
    Maximum,
    /// Dollars a summary.
    Amount,
}

/// Dollars or a part of the value, in a period.
#[derive(Clone, Copy, Debug)]
struct FeeRow {
    class: Code<3>,
    kind: FeeKind,
    period: Period,
    value: Decimal,
}

/// A tax or assessment by number.
#[derive(Clone, Debug)]
pub struct Levy {
    /// The word of its category; empty for assessments.
    pub category: String,
    /// The accounting class.
    pub class: Code<3>,
    /// Prefixes of numbers.
    pub numbers: Vec<String>,
    /// The rate as printed.
    pub text: String,
    /// The rate.
    pub rate: Rate,
    /// When it is in force.
    pub period: Period,
    /// Where it was published.
    pub source: String,
}

/// Fees, taxes and assessments.
#[derive(Clone, Debug, Default)]
pub struct Levies {
    fees: Vec<FeeRow>,
    taxes: Vec<Levy>,
    agricultural: Vec<Levy>,
}

impl Levies {
    pub(super) fn new(sources: &Sources, units: &Units) -> Result<Self, TableError> {
        let mut fees = Vec::new();
        sources.table("fees")?.each(|row| {
            let kind = match row.cell("kind") {
                "rate" => FeeKind::Rate,
                "minimum" => FeeKind::Minimum,
                "maximum" => FeeKind::Maximum,
                "amount" => FeeKind::Amount,
                other => {
                    return Err(format!(
                        "column kind: found {other:?}, expected rate, minimum, maximum or amount"
                    ));
                }
            };
            let value = row.decimal("value")?.ok_or("column value: blank, expected a number")?;
            fees.push(FeeRow {
                class: super::program::code(row.cell("class"))?,
                kind,
                period: row.period()?,
                value,
            });
            Ok(())
        })?;
        Ok(Self {
            fees,
            taxes: levies(sources, "taxes", units)?,
            agricultural: levies(sources, "agricultural", units)?,
        })
    }

    /// A number of a class on a date, and its period.
    #[must_use]
    pub fn fee(&self, class: Code<3>, kind: FeeKind, date: Date) -> Option<(Decimal, Period)> {
        let fits = |row: &&FeeRow| row.kind == kind && row.class == class && row.period.contains(date);
        self.fees.iter().find(fits).map(|row| (row.value, row.period))
    }

    /// The tax of a class: of the category named, else of the number.
    #[must_use]
    pub fn tax(&self, class: Code<3>, category: Option<&str>, number: &str, date: Date) -> Option<&Levy> {
        let of_class = |levy: &&Levy| levy.class == class && levy.period.contains(date);
        self.taxes.iter().filter(of_class).find(|levy| match category {
            Some(category) => levy.category == category,
            None => levy.covers(number),
        })
    }

    /// The tax that a number bears on a date, where the number tells.
    #[must_use]
    pub fn taxed(&self, number: &str, date: Date) -> Option<&Levy> {
        self.taxes.iter().find(|levy| levy.period.contains(date) && levy.covers(number))
    }

    /// Whether the tables have a fee or an assessment of a class, in whatever period.
    #[must_use]
    pub fn knows(&self, class: Code<3>) -> bool {
        self.fees.iter().any(|row| row.class == class) || self.is_agricultural(class)
    }

    /// Whether a class is one of agricultural assessments.
    #[must_use]
    pub fn is_agricultural(&self, class: Code<3>) -> bool {
        self.agricultural.iter().any(|levy| levy.class == class)
    }

    /// The agricultural assessments of a number on a date.
    pub fn agricultural(&self, number: &str, date: Date) -> impl Iterator<Item = &Levy> {
        self.agricultural.iter().filter(move |levy| levy.period.contains(date) && levy.covers(number))
    }
}

impl Levy {
    fn covers(&self, number: &str) -> bool {
        self.numbers.iter().any(|prefix| number.starts_with(prefix.as_str()))
    }

    fn read(row: &Row<'_>, units: &Units) -> Result<Self, String> {
        let rate = Rate::parse(row.cell("rate"), units);
        if let Rate::Unread(error) = &rate {
            return Err(format!("column rate: {error}"));
        }
        Ok(Self {
            category: row.cell("category").to_owned(),
            class: super::program::code(row.cell("class"))?,
            numbers: row.words("numbers").map(str::to_owned).collect(),
            text: row.cell("rate").to_owned(),
            rate,
            period: row.period()?,
            source: row.source(),
        })
    }
}

fn levies(sources: &Sources, name: &str, units: &Units) -> Result<Vec<Levy>, TableError> {
    let mut levies = Vec::new();
    sources.table(name)?.each(|row| {
        levies.push(Levy::read(row, units)?);
        Ok(())
    })?;
    Ok(levies)
}
