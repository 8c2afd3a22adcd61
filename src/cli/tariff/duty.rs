//! `abigate tariff duty`

use std::io::Write;
use std::str::FromStr;

use anyhow::{Context, ensure};
use clap::Args;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::json;

use super::super::Ending;
use super::{Format, print};
use crate::model::{CaseNumber, Code, CountryCode, DutySecurity, HtsNumber, RateKind};
use crate::tariff::{Amount, CaseFacts, Dates, LineFacts, SummaryFacts, Tariff, TariffFacts, TaxFacts};

/// What one article owes: duty, fees and tax, with every step
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The tariff number of chapters 1 to 97, with or without full stops
    #[arg(long, value_name = "NUMBER", value_parser = parse_number)]
    hts: HtsNumber,
    /// The country of origin, by its ISO code
    #[arg(long, value_name = "COUNTRY", value_parser = parse::<CountryCode>)]
    origin: CountryCode,
    /// The entry date
    #[arg(long)]
    date: Date,
    /// The value in whole dollars
    #[arg(long)]
    value: Decimal,
    /// A quantity with or without its unit, such as `520KG`, in the order of the schedule's units; may
    /// stand more than once
    #[arg(long, value_name = "QUANTITY", value_parser = parse_amount)]
    quantity: Vec<Amount>,
    /// A heading of chapter 98 or 99 that is claimed; `NUMBER=VALUE` gives it a value
    #[arg(long, value_name = "NUMBER", value_parser = parse_heading)]
    heading: Vec<(HtsNumber, Decimal)>,
    /// Claim every IEEPA heading that puts a duty on the origin on the date, but those that CBP sets
    #[arg(long)]
    ieepa: bool,
    /// The value of a metal's content, as a line of its own under `NUMBER`, such as `9903.81.91=4000`
    #[arg(long, value_name = "NUMBER=VALUE", value_parser = parse_heading)]
    content: Option<(HtsNumber, Decimal)>,
    /// The claim of a trade agreement or special programme
    #[arg(long, value_name = "CODE", value_parser = parse::<Code<2>>)]
    program: Option<Code<2>>,
    /// An antidumping or countervailing duty case with its rate: `A552803000=116.31%`, or `=1.20` for
    /// dollars a unit; `:bond` behind it for one secured by a bond
    #[arg(long, value_name = "CASE=RATE", value_parser = parse_case)]
    case: Vec<CaseFacts>,
    /// The quantity that cases with a specific rate apply to
    #[arg(long, value_name = "QUANTITY")]
    case_quantity: Option<Decimal>,
    /// The accounting class of internal revenue tax; `CLASS=CATEGORY` where the number does not tell
    #[arg(long, value_name = "CLASS", value_parser = parse_tax)]
    tax: Option<TaxFacts>,
    /// The entry type
    #[arg(long, value_name = "TYPE", default_value = "01", value_parser = parse::<Code<2>>)]
    entry_type: Code<2>,
    /// The mode of transport
    #[arg(long, value_name = "MODE", default_value = "40", value_parser = parse::<Code<2>>)]
    mode: Code<2>,
    /// Take the second of two rates, where the schedule has two
    #[arg(long)]
    second_rate: bool,
    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

pub(super) fn run(arguments: &Arguments, tariff: &Tariff, out: &mut impl Write) -> anyhow::Result<Ending> {
    let facts = facts(arguments, tariff)?;
    let assessment = tariff.explain(&facts);
    let dues = tariff.headings_of(&facts);
    if arguments.format == Format::Json {
        let mut owed = json!(assessment);
        owed["headings_due"] = json!(dues);
        writeln!(out, "{owed:#}")?;
        return Ok(if assessment.problems.is_empty() { Ending::Clean } else { Ending::Findings });
    }
    let ending = print(tariff, &facts, &assessment, arguments.format, out)?;
    for due in &dues {
        writeln!(out, "{due}")?;
    }
    Ok(ending)
}

fn facts(arguments: &Arguments, tariff: &Tariff) -> anyhow::Result<SummaryFacts> {
    let date = arguments.date;
    let line = line(arguments, tariff)?;
    let lines = match arguments.content {
        None => vec![line],
        Some((heading, content)) => {
            let exempting = parse_number("9903.01.33").ok();
            let exempting = exempting.filter(|number| tariff.headings().find(*number, date).0.is_some());
            let dropped = |number| is_reciprocal(tariff, number);
            let split = line.split_content(heading, exempting, content, dropped);
            let split = split.context("--content: more than the value")?;
            vec![split.rest, split.content]
        }
    };
    Ok(SummaryFacts {
        entry_type: Some(arguments.entry_type),
        mode: Some(arguments.mode),
        dates: Dates { entry: Some(date), importation: Some(date), ..Dates::received(date) },
        consolidated: false,
        consolidated_express: false,
        express_port: false,
        manual: false,
        lines,
    })
}

fn is_reciprocal(tariff: &Tariff, number: HtsNumber) -> bool {
    let headings = tariff.headings();
    headings
        .periods(number)
        .iter()
        .any(|heading| headings.programmes()[heading.programme].name == "reciprocal")
}

fn line(arguments: &Arguments, tariff: &Tariff) -> anyhow::Result<LineFacts> {
    let mut commodity = TariffFacts::new(arguments.hts, arguments.value);
    ensure!(arguments.quantity.len() <= 3, "--quantity may stand three times");
    for (place, quantity) in commodity.quantities.iter_mut().zip(&arguments.quantity) {
        *place = Some(*quantity);
    }
    commodity.second_rate = Some(arguments.second_rate);
    let mut headings = arguments.heading.clone();
    if arguments.ieepa {
        headings.extend(ieepa(tariff, arguments).map(|number| (number, Decimal::ZERO)));
    }
    // Chapter 98 goes before 99, and that before the number itself.
    headings.sort_by_key(|(number, _)| number.as_str()[..2].to_owned());
    let headings = headings.into_iter().map(|(number, value)| TariffFacts::new(number, value));
    let mut line = LineFacts::new(arguments.origin, headings.chain([commodity]).collect());
    line.program = arguments.program;
    line.tax = arguments.tax.clone();
    line.cases = arguments.case.clone();
    for case in &mut line.cases {
        case.quantity = arguments.case_quantity;
    }
    Ok(line)
}

/// The IEEPA headings of one origin alone: others are CBP's to set, or for goods that a line does not tell.
fn ieepa(tariff: &Tariff, arguments: &Arguments) -> impl Iterator<Item = HtsNumber> {
    let origin = tariff.country(arguments.origin);
    let headings = tariff.headings().dutiable(origin, arguments.date).filter(|heading| heading.ieepa);
    let mut numbers = Vec::<(usize, HtsNumber)>::new();
    for heading in headings {
        // Of a programme's headings the first is the general one.
        if !numbers.iter().any(|(programme, _)| *programme == heading.programme) {
            numbers.push((heading.programme, heading.number));
        }
    }
    numbers.into_iter().map(|(_, number)| number)
}

fn parse<T: FromStr<Err = crate::model::InvalidValue>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: crate::model::InvalidValue| error.to_string())
}

/// A tariff number with or without full stops.
pub(super) fn parse_number(text: &str) -> Result<HtsNumber, String> {
    parse(&text.replace('.', ""))
}

fn parse_heading(text: &str) -> Result<(HtsNumber, Decimal), String> {
    let (number, value) = text.split_once('=').unwrap_or((text, "0"));
    Ok((parse_number(number)?, decimal(value)?))
}

fn decimal(text: &str) -> Result<Decimal, String> {
    text.parse().map_err(|_| format!("found {text:?}, expected a number"))
}

fn parse_amount(text: &str) -> Result<Amount, String> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (amount, unit) = text.split_at(end);
    let unit = Some(unit.trim()).filter(|unit| !unit.is_empty()).map(parse).transpose()?;
    Ok(Amount { amount: decimal(amount)?, unit })
}

fn parse_case(text: &str) -> Result<CaseFacts, String> {
    let (number, rate) = text.split_once('=').ok_or("expected CASE=RATE")?;
    let (rate, bond) = rate.strip_suffix(":bond").map_or((rate, false), |rate| (rate, true));
    let (rate, kind) = match rate.strip_suffix('%') {
        Some(rate) => (rate, RateKind::AdValorem),
        None => (rate, RateKind::Specific),
    };
    Ok(CaseFacts {
        number: parse::<CaseNumber>(&number.replace('-', ""))?,
        security: if bond { DutySecurity::Bond } else { DutySecurity::Cash },
        rate: decimal(rate)?,
        kind,
        value: None,
        quantity: None,
    })
}

fn parse_tax(text: &str) -> Result<TaxFacts, String> {
    let (class, category) = text.split_once('=').map_or((text, None), |(class, word)| (class, Some(word)));
    Ok(TaxFacts {
        class: parse(class)?,
        category: category.map(str::to_owned),
        craft_rate: None,
        quantity: None,
    })
}
