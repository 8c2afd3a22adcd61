//! `abigate completions`

use std::io;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Ending;

/// Print the completions of a shell
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Ending> {
    let mut command = super::Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "abigate", &mut io::stdout());
    Ok(Ending::Clean)
}
