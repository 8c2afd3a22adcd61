//! `abigate tariff explain`

use std::cell::RefCell;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::super::{Ending, output, stream};
use super::{Format, print};
use crate::grammar::Grammar;
use crate::message::{Control, Outline, Part, read_ndjson, read_records};
use crate::model::EntrySummaryFiling;
use crate::tariff::{Compared, Known, SummaryFacts, Tariff, compare};
use crate::translate::EntrySummaryCodec;
use crate::wire::Columns;

/// Explain what every entry summary of files owes, number by number, beside what it declares
///
/// A file is an AE batch or JSON of the model: a single entry summary, or what `convert --to model` and
/// `--to model-ndjson` write.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Files; standard input if `-`
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The day of receipt; that of transmission if not given
    #[arg(long, value_name = "DATE")]
    received: Option<Date>,
    /// The entry date that CBP has determined
    #[arg(long, value_name = "DATE")]
    entry_date: Option<Date>,
    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// An entry summary and the day it was received.
struct Filed {
    filing: EntrySummaryFiling,
    received: Option<Date>,
}

pub(super) fn run(arguments: &Arguments, tariff: &Tariff, out: &mut impl Write) -> anyhow::Result<Ending> {
    let codec = EntrySummaryCodec::new(Grammar::builtin())?;
    let mut ending = Ending::Clean;
    for file in &arguments.files {
        let name = || file.display().to_string();
        if arguments.files.len() > 1 && arguments.format != Format::Json {
            writeln!(out, "{}", name())?;
        }
        let (filed, found) = read(file, &codec).map_err(|error| output::name_input(&name(), error))?;
        ending = ending.max(found);
        for filed in &filed {
            ending = ending.max(explain(arguments, tariff, filed, out).with_context(name)?);
        }
    }
    Ok(ending)
}

fn explain(
    arguments: &Arguments,
    tariff: &Tariff,
    Filed { filing, received }: &Filed,
    out: &mut impl Write,
) -> anyhow::Result<Ending> {
    let estimated = filing.importation.as_ref().and_then(|importation| importation.estimated_entry_date);
    let Some(received) = arguments.received.or(*received).or(estimated) else {
        bail!("no date: neither a transmission date nor an estimated entry date; give --received");
    };
    let known = Known { entry: arguments.entry_date, ..Known::received(received) };
    one(tariff, filing, &tariff.facts_of(filing, &known), arguments.format, out)
}

fn one(
    tariff: &Tariff,
    filing: &EntrySummaryFiling,
    facts: &SummaryFacts,
    format: Format,
    out: &mut impl Write,
) -> anyhow::Result<Ending> {
    let assessment = tariff.explain(facts);
    let compared = compare(filing, &assessment);
    let differences = compared.iter().filter(|row| !row.agrees()).collect::<Vec<_>>();
    let dues = tariff.headings_of(facts);
    let number = format!("{} {}", filing.header.filer_code, filing.header.entry_number);
    let ending = if format == Format::Json {
        let told = json!({
            "entry_summary": number, "owed": assessment, "declared": compared, "headings_due": dues
        });
        writeln!(out, "{told}")?;
        if assessment.problems.is_empty() { Ending::Clean } else { Ending::Findings }
    } else {
        writeln!(
            out,
            "entry summary {number}, type {}",
            filing.header.entry_type.map_or_else(String::new, |code| code.to_string())
        )?;
        let ending = print(tariff, facts, &assessment, format, out)?;
        for due in dues.iter().filter(|due| due.is_wrong()) {
            writeln!(out, "{due}")?;
        }
        for row in &differences {
            writeln!(out, "{}", in_words(row))?;
        }
        if differences.is_empty() {
            writeln!(out, "all {} amounts declared agree", compared.len())?;
        }
        ending
    };
    Ok(if differences.is_empty() { ending } else { Ending::Findings })
}

fn in_words(row: &Compared) -> String {
    let amount = |amount: Option<rust_decimal::Decimal>| {
        amount.map_or("nothing".to_owned(), |amount| amount.to_string())
    };
    let place = row.line.map_or_else(String::new, |line| format!("line {line}: "));
    format!("differs: {place}{}: declared {}, owed {}", row.subject, amount(row.declared), amount(row.owed))
}

/// The entry summaries of the file, whatever its form.
fn read(file: &Path, codec: &EntrySummaryCodec) -> anyhow::Result<(Vec<Filed>, Ending)> {
    let grammar = Grammar::builtin();
    let is_json = |start: &[u8]| start.trim_ascii_start().starts_with(b"{");
    let (mut input, _) = stream::any_input(Some(file), None, is_json)?;
    let start = input.fill_buf()?.trim_ascii_start().to_vec();
    let collected = RefCell::new(Collector {
        outline: Outline::new(grammar),
        codec,
        received: None,
        filed: Vec::new(),
        left_out: false,
    });
    let mut sink = |row: &Columns| {
        collected.borrow_mut().push(row);
        Ok(())
    };
    let filings = |filing: &Value| codec.from_json(filing);
    let ending = if !start.starts_with(b"{") {
        stream::records(&file.display().to_string(), input, &mut sink)?
    } else if is_document(&start) {
        read_records(grammar, input, &filings, &mut sink)?;
        Ending::Clean
    } else if start.windows(8).any(|word| word == b"\"header\"")
        && !start.windows(8).any(|word| word == b"\"filing\"")
    {
        let filing = serde_json::from_reader(input)?;
        return Ok((vec![Filed { filing, received: None }], Ending::Clean));
    } else {
        read_ndjson(grammar, input, &filings, &mut sink)?;
        Ending::Clean
    };
    let mut collected = collected.into_inner();
    collected.finish();
    let ending = if collected.left_out { Ending::Findings } else { ending };
    Ok((collected.filed, ending))
}

fn is_document(start: &[u8]) -> bool {
    start[1..].trim_ascii_start().starts_with(b"\"batches\"")
}

/// Collects the entry summaries of a stream of records.
struct Collector<'g> {
    outline: Outline<'g>,
    codec: &'g EntrySummaryCodec,
    received: Option<Date>,
    filed: Vec<Filed>,
    left_out: bool,
}

impl<'g> Collector<'g> {
    fn push(&mut self, row: &Columns) {
        let mut parts = Vec::new();
        self.outline.push(row, &mut parts);
        parts.into_iter().for_each(|part| self.take(part));
    }

    fn finish(&mut self) {
        let mut parts = Vec::new();
        self.outline.finish(&mut parts);
        parts.into_iter().for_each(|part| self.take(part));
    }

    fn take(&mut self, part: Part<'g>) {
        match part {
            Part::Control(Control::BatchHeader, item) => {
                let cell = item.layout.and_then(|layout| layout.cell("transmission_date").ok());
                self.received = cell.and_then(|cell| cell.date(&item.row).ok().flatten());
            }
            Part::Body(body) => {
                let Some((transaction, _)) = &body.tree else {
                    return self.leave_out("its structure is at fault");
                };
                match self.codec.decode(transaction) {
                    Ok(filing) => self.filed.push(Filed { filing, received: self.received }),
                    Err(problems) => {
                        let problem = problems.first().map_or_else(String::new, ToString::to_string);
                        self.leave_out(&problem);
                    }
                }
            }
            _ => {}
        }
    }

    fn leave_out(&mut self, problem: &str) {
        output::tell_problem(format_args!("a transaction is left out: {problem}"));
        self.left_out = true;
    }
}
