//! `abigate admin`

mod mailbox;
mod place;
mod summary;

use clap::Subcommand;

use super::Ending;

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
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Ending> {
    match arguments.command {
        Command::Summary(arguments) => summary::run(&arguments),
        Command::Mailbox(arguments) => mailbox::run(&arguments),
    }
}
