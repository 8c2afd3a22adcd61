//! `abigate admin`

mod reference;

use clap::Subcommand;

use super::Ending;

/// The folder of reference data in a data folder.
pub(super) const REFERENCE: &str = "reference";

/// What an operator of a gateway keeps in order
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Reference(reference::Arguments),
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Ending> {
    match arguments.command {
        Command::Reference(arguments) => reference::run(&arguments),
    }
}
