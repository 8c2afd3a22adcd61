//! `abigate manual`

use std::io::{self, Write};

use anyhow::bail;
use clap::{Args, CommandFactory};
use clap_mangen::Man;

use super::Ending;
use super::output::Outputs;

/// Print a page of the manual, in roff: `abigate manual check | man -l -`
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The command that the page is about, such as `check` or `tariff duty`; without it the page of abigate
    #[arg(value_name = "COMMAND", conflicts_with = "list")]
    command: Vec<String>,
    /// Print the names of all pages instead, a line each
    #[arg(long)]
    list: bool,
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let mut page = super::Arguments::command();
    // the commands learn their full names, such as `abigate-tariff-duty`
    page.build();
    let mut out = outputs.standard();
    if arguments.list {
        list(&page, &mut out)?;
        return Ok(Ending::Clean);
    }
    let mut command = &page;
    for name in &arguments.command {
        let Some(found) = command.find_subcommand(name) else {
            bail!("there is no command {name:?} in {}", command.get_bin_name().unwrap_or_default());
        };
        command = found;
    }
    render(command, &mut out)?;
    Ok(Ending::Clean)
}

fn render(command: &clap::Command, out: &mut impl Write) -> io::Result<()> {
    Man::new(command.clone()).title(file_name(command)).render(out)
}

/// The name that a page's file has, without the section.
fn file_name(command: &clap::Command) -> String {
    command.get_bin_name().unwrap_or_else(|| command.get_name()).replace(' ', "-")
}

fn list(command: &clap::Command, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", file_name(command))?;
    let mut shown =
        command.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help");
    shown.try_for_each(|command| list(command, out))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(command: &clap::Command) -> usize {
        let mut page = Vec::new();
        render(command, &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        let named = format!(".SH NAME\n{} \\- ", file_name(command).replace('-', "\\-"));
        assert!(page.contains(&named), "{}: {page}", file_name(command));
        1 + command.get_subcommands().filter(|command| command.get_name() != "help").map(check).sum::<usize>()
    }

    #[test]
    fn every_command_has_a_page_of_the_manual_that_says_what_it_does() {
        let mut command = crate::cli::Arguments::command();
        command.build();
        let mut names = Vec::new();
        list(&command, &mut names).unwrap();
        assert_eq!(check(&command), String::from_utf8(names).unwrap().lines().count());
    }
}
