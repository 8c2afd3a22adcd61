//! `abigate generate`

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;

use super::Ending;
use super::output::Outputs;
use crate::generate::{Generator, Specification};
use crate::grammar::Grammar;
use crate::host::World;

/// Below this many bytes nobody waits long enough for a progress bar.
const LONG: u64 = 16 << 20;

/// Write valid synthetic batches of an application, the same for the same seed
///
/// Filers, ports, importers, tariff numbers come from the demo world or that of --world. `check` finds
/// nothing in what is written, and `answer` accepts the applications that it answers.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The application identifier, input or response
    #[arg(long, value_name = "ID")]
    app: String,
    /// How many transactions
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u64,
    /// How much instead, in bytes or with kB, MB, GB behind; whole batches, so it becomes a little more
    #[arg(long, value_name = "SIZE", value_parser = bytes, conflicts_with = "count")]
    size: Option<u64>,
    /// What decides every choice
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// The responses to the application instead of its input
    #[arg(long)]
    responses: bool,
    /// How many transactions a batch has at most
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    per_batch: u64,
    /// How many different transactions there are, before they are copied with other numbers
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    variety: u64,
    /// The day of transmission, YYYY-MM-DD; the world's unless it is named
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,
    /// The reference data, TOML; the demo world without it
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// The password of the sender that transmits
    #[arg(long, value_name = "TEXT", default_value = "PASSWD")]
    password: String,
    /// What stands behind each record
    #[arg(long, value_enum, default_value = "lf")]
    separator: Separator,
    /// A folder of grammars that add to or override the built-in ones
    #[arg(long, value_name = "FOLDER")]
    grammars: Option<PathBuf>,
    /// The file to write; standard output without it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Separator {
    /// A line feed.
    Lf,
    /// A carriage return and a line feed.
    Crlf,
    /// Nothing.
    None,
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let own = arguments.grammars.as_deref().map(Grammar::with_folder).transpose()?;
    let grammar = own.as_ref().unwrap_or_else(|| Grammar::builtin());
    let world = match &arguments.world {
        Some(file) => World::open(file, grammar)?,
        None => World::demo(grammar)?,
    };
    let needed = if arguments.size.is_some() { u64::MAX } else { arguments.count };
    let wanted = Specification {
        application: application(grammar, &arguments)?,
        seed: arguments.seed,
        date: arguments.date,
        separator: match arguments.separator {
            Separator::Lf => b"\n".to_vec(),
            Separator::Crlf => b"\r\n".to_vec(),
            Separator::None => Vec::new(),
        },
        variety: usize::try_from(arguments.variety.min(needed)).unwrap_or(1),
        password: arguments.password.clone(),
    };
    let generator = Generator::new(grammar, &world, &wanted)?;
    write(generator, &arguments, outputs)
}

fn application(grammar: &Grammar, arguments: &Arguments) -> anyhow::Result<String> {
    let named = arguments.app.to_ascii_uppercase();
    if !arguments.responses {
        return Ok(named);
    }
    let response = grammar.response(&named);
    response.map(str::to_owned).with_context(|| format!("application {named:?} has no response"))
}

fn write(mut generator: Generator<'_>, arguments: &Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let mut output = outputs.open(arguments.output.as_deref())?;
    let bar = arguments.size.filter(|size| *size > LONG && std::io::stderr().is_terminal());
    let style = ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {eta} left")?;
    let bar = bar.map(|size| ProgressBar::new(size).with_style(style));
    let (mut written, mut transactions) = (0, 0);
    let mut batch = Vec::new();
    loop {
        let rest = match arguments.size {
            Some(size) if written < size => arguments.per_batch,
            Some(_) => 0,
            None => arguments.count.saturating_sub(transactions),
        };
        if rest == 0 {
            break;
        }
        batch.clear();
        let next = generator.batch(usize::try_from(rest.min(arguments.per_batch))?, &mut batch);
        output.write_all(&batch)?;
        written += batch.len() as u64;
        transactions += next as u64;
        if let Some(bar) = &bar {
            bar.set_position(written);
        }
    }
    output.flush()?;
    Ok(Ending::Clean)
}

/// A size with its unit: 200MB, 1.5GB is none.
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|sign: char| sign.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "KB" | "K" => 1_000,
        "MB" | "M" => 1_000_000,
        "GB" | "G" => 1_000_000_000,
        unit => return Err(format!("{unit} is no unit; write kB, MB or GB")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("{digits:?} is no number"))?;
    number.checked_mul(factor).ok_or_else(|| "too much".to_owned())
}
