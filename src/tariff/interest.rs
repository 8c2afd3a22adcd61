//! Interest on refunds and on late duty, by quarter and compounded daily (19 USC 1505(c), 26 USC 6622).

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use super::assess::round_to_cents;
use super::table::{Period, Sources, TableError};

/// Which rate is used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InterestKind {
    /// What late duty owes, and not what a refund earns.
    pub underpayment: bool,
    /// The rate of others than corporations.
    pub noncorporate: bool,
}

/// The annual rates by quarter.
#[derive(Clone, Debug, Default)]
pub struct InterestRates(Vec<(Period, [Decimal; 4])>);

/// Interest on an amount.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Interest {
    /// The days for which it is earned: each after the deposit, the last one included.
    pub days: u32,
    /// What the amount is multiplied by.
    pub factor: Decimal,
    /// The interest, to the cent.
    pub amount: Decimal,
    /// The parts, rate by rate.
    pub parts: Vec<InterestPart>,
}

/// The days of one rate and one length of year.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct InterestPart {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// How many days.
    pub days: u32,
    /// The annual rate.
    pub rate: Decimal,
    /// How many days the year has.
    pub year: u16,
    /// What these days multiply by.
    pub factor: Decimal,
}

/// Interest that cannot be computed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InterestError {
    /// No rate is published for a day.
    #[error("no rate of interest is known for {0}")]
    NoRate(Date),
    /// The last day is before the deposit.
    #[error("the last day {to} is before the deposit of {from}")]
    Backwards {
        /// The day of the deposit.
        from: Date,
        /// The last day.
        to: Date,
    },
    /// The amount is beyond exact numbers.
    #[error("the amount is too large to be computed exactly")]
    TooLarge,
}

impl InterestRates {
    pub(super) fn new(sources: &Sources) -> Result<Self, TableError> {
        let columns = [
            "underpayment_corporate",
            "underpayment_noncorporate",
            "overpayment_corporate",
            "overpayment_noncorporate",
        ];
        let mut rates = Vec::new();
        sources.table("interest")?.each(|row| {
            let mut values = [Decimal::ZERO; 4];
            for (value, column) in values.iter_mut().zip(columns) {
                *value =
                    row.decimal(column)?.ok_or_else(|| format!("column {column}: blank, expected a rate"))?;
            }
            rates.push((row.period()?, values));
            Ok(())
        })?;
        Ok(Self(rates))
    }

    fn rate(&self, date: Date, kind: InterestKind) -> Option<(Decimal, Date)> {
        let (period, rates) = self.0.iter().find(|(period, _)| period.contains(date))?;
        let place = usize::from(!kind.underpayment) * 2 + usize::from(kind.noncorporate);
        Some((rates[place], period.to))
    }

    /// Interest on an amount for each day after the deposit up to the last day, which counts.
    ///
    /// # Errors
    /// A day without a rate, a last day before the deposit, or an amount beyond exact numbers.
    pub fn interest(
        &self,
        principal: Decimal,
        deposited: Date,
        last: Date,
        kind: InterestKind,
    ) -> Result<Interest, InterestError> {
        if last < deposited {
            return Err(InterestError::Backwards { from: deposited, to: last });
        }
        let mut interest =
            Interest { days: 0, factor: Decimal::ONE, amount: Decimal::ZERO, parts: Vec::new() };
        let mut date = deposited;
        while date < last {
            date = next(date)?;
            let (rate, until) = self.rate(date, kind).ok_or(InterestError::NoRate(date))?;
            let end = until.min(last).min(date.last_of_year());
            let part = part(date, end, rate)?;
            interest.days += part.days;
            interest.factor = product(interest.factor, part.factor)?;
            interest.parts.push(part);
            date = end;
        }
        let earned = principal.checked_mul(interest.factor - Decimal::ONE).ok_or(InterestError::TooLarge)?;
        interest.amount = round_to_cents(earned);
        Ok(interest)
    }
}

fn next(date: Date) -> Result<Date, InterestError> {
    date.checked_add(1.day()).map_err(|_| InterestError::NoRate(date))
}

/// The factor of the days from one to another, both counted, in one year and at one rate.
fn part(from: Date, to: Date, rate: Decimal) -> Result<InterestPart, InterestError> {
    let year = if from.in_leap_year() { 366 } else { 365 };
    let daily = Decimal::ONE + rate / Decimal::from(year);
    let days = u32::from(to.day_of_year().unsigned_abs() - from.day_of_year().unsigned_abs()) + 1;
    let mut factor = Decimal::ONE;
    for _ in 0..days {
        factor = product(factor, daily)?;
    }
    Ok(InterestPart { from, to, days, rate, year, factor })
}

fn product(left: Decimal, right: Decimal) -> Result<Decimal, InterestError> {
    left.checked_mul(right).ok_or(InterestError::TooLarge)
}
