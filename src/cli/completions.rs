//! `abigate completions`

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Ending;
use super::output::Outputs;

/// Print the completions of a shell
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let mut command = super::Arguments::command();
    // the library panics if it cannot write
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "abigate", &mut text);
    outputs.standard().write_all(&text)?;
    Ok(Ending::Clean)
}
