//! `abigate explain`

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::Args;

use super::stream::EncodingName;
use super::{Ending, stream};
use crate::grammar::Grammar;
use crate::message::Explainer;

/// Print every record, field by field: columns, names, values and what codes stand for
///
/// Passwords are shown as ******.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file with the records; `-` for standard input
    file: PathBuf,
    /// The encoding of the records; EBCDIC is found out by looking if not given
    #[arg(long, value_name = "ENCODING")]
    encoding: Option<EncodingName>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Ending> {
    stream::unless_closed(explain(&arguments))
}

fn explain(arguments: &Arguments) -> anyhow::Result<Ending> {
    let (input, _) = stream::records_input(Some(&arguments.file), arguments.encoding)?;
    let colored = io::stdout().is_terminal();
    let mut explainer = Explainer::new(Grammar::builtin(), colored, stream::output(None)?);
    let ending = stream::records(input, &mut |row| explainer.push(row))?;
    explainer.finish()?;
    Ok(ending)
}
