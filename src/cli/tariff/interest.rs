//! `abigate tariff interest`

use std::io::Write;

use clap::Args;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::json;

use super::super::Ending;
use super::Format;
use crate::tariff::{InterestKind, Tariff};

/// Interest on a refund or on late duty, by quarter and compounded daily
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The amount in dollars and cents
    amount: Decimal,
    /// The day of the deposit, which does not count
    #[arg(long, value_name = "DATE")]
    from: Date,
    /// The last day, such as that of liquidation, which counts
    #[arg(long, value_name = "DATE")]
    to: Date,
    /// By the rate of others than corporations
    #[arg(long)]
    noncorporate: bool,
    /// By the rate that late duty owes, and not the one that a refund earns
    #[arg(long)]
    underpayment: bool,
    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

pub(super) fn run(arguments: &Arguments, tariff: &Tariff, out: &mut impl Write) -> anyhow::Result<Ending> {
    let kind = InterestKind { underpayment: arguments.underpayment, noncorporate: arguments.noncorporate };
    let interest = tariff.interest().interest(arguments.amount, arguments.from, arguments.to, kind)?;
    if arguments.format == Format::Json {
        writeln!(out, "{:#}", json!(interest))?;
        return Ok(Ending::Clean);
    }
    for part in &interest.parts {
        let (rate, year) = (part.rate, part.year);
        writeln!(
            out,
            "{} to {}  {:>3} days  (1 + {rate} / {year}) ^ {} = {:.12}",
            part.from, part.to, part.days, part.days, part.factor
        )?;
    }
    writeln!(out, "{} days, factor {:.12}", interest.days, interest.factor)?;
    let (amount, factor) = (arguments.amount, interest.factor - Decimal::ONE);
    writeln!(out, "{amount} x {factor:.12} = {}", interest.amount)?;
    Ok(Ending::Clean)
}
