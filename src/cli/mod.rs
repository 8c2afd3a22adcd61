//! The command line: one module a subcommand, and no logic here.

mod admin;
mod annotate;
mod answer;
mod check;
mod color;
mod completions;
mod convert;
mod demo;
mod development;
mod explain;
mod fuzz;
mod generate;
mod grammar;
mod log;
mod manual;
mod parts;
mod report;
mod send;
mod serve;
mod story;
mod stream;
mod tariff;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// How a command ended, when it did what it was asked.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Ending {
    /// Nothing was found wrong.
    Clean,
    /// There are findings, or a batch was rejected.
    Findings,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done, nothing found wrong
  1  done, with findings: a record is wrong, a batch was rejected
  2  not done: unreadable input, no connection, wrong usage";

/// An ABI gateway: CATAIR 80-column records on one side, a typed entry summary model on the other.
#[derive(Debug, Parser)]
#[command(name = "abigate", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// The subcommands; each runs as its module says.
#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Serve(serve::Arguments),
    Send(send::Arguments),
    Answer(answer::Arguments),
    Check(check::Arguments),
    Explain(explain::Arguments),
    Convert(convert::Arguments),
    Generate(generate::Arguments),
    Fuzz(fuzz::Arguments),
    Grammar(grammar::Arguments),
    Tariff(tariff::Arguments),
    Admin(admin::Arguments),
    Completions(completions::Arguments),
    Manual(manual::Arguments),
}

impl Command {
    fn run(self) -> anyhow::Result<Ending> {
        match self {
            Self::Demo(arguments) => demo::run(arguments),
            Self::Serve(arguments) => serve::run(arguments),
            Self::Send(arguments) => send::run(arguments),
            Self::Answer(arguments) => answer::run(arguments),
            Self::Check(arguments) => check::run(arguments),
            Self::Explain(arguments) => explain::run(arguments),
            Self::Convert(arguments) => convert::run(arguments),
            Self::Generate(arguments) => generate::run(arguments),
            Self::Fuzz(arguments) => fuzz::run(arguments),
            Self::Grammar(arguments) => grammar::run(arguments),
            Self::Tariff(arguments) => tariff::run(arguments),
            Self::Admin(arguments) => admin::run(arguments),
            Self::Completions(arguments) => completions::run(arguments),
            Self::Manual(arguments) => manual::run(arguments),
        }
    }
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::parse().command.run() {
        Ok(Ending::Clean) => ExitCode::SUCCESS,
        Ok(Ending::Findings) => ExitCode::from(1),
        Err(error) => {
            eprintln!("abigate: {error:#}");
            ExitCode::from(2)
        }
    }
}
