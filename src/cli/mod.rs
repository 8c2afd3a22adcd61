//! The command line: one module a subcommand, and no logic here.

mod about;
mod admin;
mod annotate;
mod answer;
mod check;
mod color;
mod completions;
mod convert;
mod demo;
mod development;
mod entrance;
mod explain;
mod fuzz;
mod generate;
mod grammar;
mod interrupt;
mod listen;
mod log;
mod manual;
mod output;
mod parts;
mod report;
mod send;
mod serve;
mod sources;
mod story;
mod stream;
mod tariff;
mod world;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::Outputs;

/// How a command ended that came to its end.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Ending {
    /// Nothing was found wrong.
    Clean,
    /// There are findings, or a batch was rejected.
    Findings,
    /// Some of the inputs could not be used. Each has been named already.
    Failed,
    /// A signal asked for the end before everything was done.
    Interrupted,
}

impl Ending {
    /// The exit code.
    fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Failed => FAILED,
            Self::Interrupted => interrupt::INTERRUPTED,
        }
    }
}

/// The exit code of a run that failed.
const FAILED: u8 = 2;

const EXIT_CODES: &str = "\
Exit codes:
  0    done, nothing found wrong; or nobody reads the output any more
  1    done, with findings: a record is wrong, a batch was rejected
  2    not done: unreadable input, unwritable output, no connection, wrong usage;
       files that should have been written stay as they were
  130  ended by an interrupt (Ctrl-C), 143 by a termination";

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
    Listen(listen::Arguments),
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
    fn run(self, outputs: &Outputs) -> anyhow::Result<Ending> {
        match self {
            Self::Demo(arguments) => demo::run(arguments, outputs),
            Self::Serve(arguments) => serve::run(arguments, outputs),
            Self::Send(arguments) => send::run(arguments, outputs),
            Self::Listen(arguments) => listen::run(arguments, outputs),
            Self::Answer(arguments) => answer::run(arguments, outputs),
            Self::Check(arguments) => check::run(arguments, outputs),
            Self::Explain(arguments) => explain::run(arguments, outputs),
            Self::Convert(arguments) => convert::run(arguments, outputs),
            Self::Generate(arguments) => generate::run(arguments, outputs),
            Self::Fuzz(arguments) => fuzz::run(arguments, outputs),
            Self::Grammar(arguments) => grammar::run(arguments, outputs),
            Self::Tariff(arguments) => tariff::run(arguments, outputs),
            Self::Admin(arguments) => admin::run(arguments, outputs),
            Self::Completions(arguments) => completions::run(arguments, outputs),
            Self::Manual(arguments) => manual::run(arguments, outputs),
        }
    }
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let outputs = Outputs::new();
    let ended = match Arguments::try_parse() {
        Ok(arguments) => arguments.command.run(&outputs),
        Err(usage) if usage.use_stderr() => {
            let _ = usage.print();
            Ok(Ending::Failed)
        }
        // help or the version
        Err(asked) => output::printed(asked.print()).map(|()| Ending::Clean),
    };
    let ended = ended.and_then(|ending| outputs.end(ending).map(|()| ending));
    match ended {
        Ok(ending) => ending.code().into(),
        Err(error) if output::is_closed(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::tell_problem(format_args!("{error:#}"));
            FAILED.into()
        }
    }
}
