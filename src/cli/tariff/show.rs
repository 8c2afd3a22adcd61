//! `abigate tariff show`

use std::io::Write;

use anyhow::bail;
use clap::Args;
use jiff::civil::Date;

use super::super::Ending;
use super::duty::parse_number;
use crate::model::{Code, HtsNumber};
use crate::tariff::Tariff;

/// Show what the schedule says of a number on a date
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A tariff number of eight or ten digits
    #[arg(value_parser = parse_number)]
    number: HtsNumber,
    /// The date
    #[arg(long)]
    date: Date,
}

pub(super) fn run(arguments: &Arguments, tariff: &Tariff, out: &mut impl Write) -> anyhow::Result<Ending> {
    let Arguments { number, date } = arguments;
    let (heading, _) = tariff.headings().find(*number, *date);
    if let Some(heading) = heading {
        let programme = &tariff.headings().programmes()[heading.programme];
        writeln!(
            out,
            "{number}  {}: {:?} {}, {}",
            programme.meaning, heading.kind, heading.text, heading.period
        )?;
        writeln!(out, "  {}", heading.source)?;
        return Ok(Ending::Clean);
    }
    let Some(article) = tariff.schedule().find(*number, *date) else {
        bail!("the schedule has no {number} on {date}");
    };
    writeln!(out, "{number}  {}", article.description())?;
    if let Some((version, period)) = article.version() {
        writeln!(out, "  version   {}: {}, {period}", version.name, version.source)?;
    }
    let units = article.units().into_iter().flatten().collect::<Vec<Code<3>>>();
    let shown = units.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    writeln!(out, "  units     {shown}")?;
    for (name, printed) in [("general", article.general()), ("column 2", article.column_2())] {
        let Some(printed) = printed else { continue };
        let code = printed.rate.code(tariff.schedule().units(), &units);
        let code = code.map_or_else(String::new, |code| format!(" (computation code {code})"));
        writeln!(out, "  {name:<8}  {}{code}", printed.text)?;
    }
    for (mark, printed) in article.specials() {
        writeln!(out, "  {mark:<8}  {}", printed.text)?;
    }
    let (antidumping, countervailing) = article.cases();
    let flags = [("antidumping", antidumping), ("countervailing", countervailing)];
    let flags = flags.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect::<Vec<_>>();
    if !flags.is_empty() {
        writeln!(out, "  cases     {}", flags.join(", "))?;
    }
    let references = tariff.schedule().references(*number, *date).map(|heading| heading.to_string());
    let references = references.collect::<Vec<_>>();
    if !references.is_empty() {
        writeln!(out, "  headings  {}", references.join(" "))?;
    }
    if !article.agencies().is_empty() {
        writeln!(out, "  agencies  {}", article.agencies())?;
    }
    Ok(Ending::Clean)
}
