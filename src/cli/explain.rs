//! `abigate explain`

use std::io::BufRead;
use std::path::PathBuf;

use clap::Args;

use super::color::Color;
use super::output::Outputs;
use super::stream::EncodingName;
use super::{Ending, stream};
use crate::grammar::Grammar;
use crate::message::{Explainer, HtmlPage, Page, TextPage};

/// Print every record, field by field: columns, names, values and what codes stand for
///
/// Dates are written out, amounts have their decimal places. Passwords are shown as ******.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file with the records; `-` for standard input
    file: PathBuf,
    /// A page for a browser that needs nothing but itself, with what is known of each field
    #[arg(long)]
    html: bool,
    /// What is known of each field, too: when it is required, what it means, its page
    #[arg(long)]
    notes: bool,
    /// The file to write; standard output if none is named, or for `-`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Whether the text is coloured
    #[arg(long, value_enum, default_value = "auto")]
    color: Color,
    /// The encoding of the records; EBCDIC is found out by looking if not given
    #[arg(long, value_name = "ENCODING")]
    encoding: Option<EncodingName>,
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let (input, _) = stream::records_input(Some(&arguments.file), arguments.encoding)?;
    let out = outputs.open(arguments.output.as_deref())?;
    if arguments.html {
        let title = arguments.file.file_name().map(|name| name.to_string_lossy());
        return write(input, HtmlPage::new(out, title.as_deref().unwrap_or("Records")));
    }
    let colored = arguments.output.is_none() && arguments.color.is_on();
    write(input, TextPage::new(out, colored, arguments.notes))
}

fn write(input: impl BufRead, page: impl Page) -> anyhow::Result<Ending> {
    let mut explainer = Explainer::new(Grammar::builtin(), page);
    let ending = stream::records(input, &mut |row| explainer.push(row))?;
    explainer.finish()?;
    Ok(ending)
}
