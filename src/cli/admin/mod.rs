//! `abigate admin`

mod mailbox;
mod place;
mod reference;
mod sender;
mod store;
mod summary;

use clap::Subcommand;

use super::Ending;
use super::output::Outputs;

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
    Summary(summary::Arguments),
    Mailbox(mailbox::Arguments),
    Reference(reference::Arguments),
    Backup(store::BackupArguments),
    Check(store::CheckArguments),
    Sender(sender::Arguments),
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    match arguments.command {
        Command::Summary(arguments) => summary::run(&arguments, outputs),
        Command::Mailbox(arguments) => mailbox::run(&arguments, outputs),
        Command::Reference(arguments) => reference::run(&arguments, outputs),
        Command::Backup(arguments) => store::back_up(&arguments),
        Command::Check(arguments) => store::check(&arguments, outputs),
        Command::Sender(arguments) => sender::run(&arguments, outputs),
    }
}
