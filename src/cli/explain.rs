//! `abigate explain`

use std::io::{BufRead, Write};
use std::path::PathBuf;

use clap::Args;

use super::about::Subject;
use super::color::Color;
use super::stream::EncodingName;
use super::{Ending, stream};
use crate::grammar::Grammar;
use crate::message::{Explainer, HtmlPage, Page, TextPage};

/// Print every record, field by field: columns, names, values and what codes stand for
///
/// Instead of a file, a condition code (`722`), an application and a record (`AE 10`), or an application
/// and a condition code (`AE 100`) tells what is known of it. A file of that name comes first, and `./722`
/// is always a file.
///
/// Dates are written out, amounts have their decimal places. Passwords are shown as ******.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file with the records, `-` for standard input; or a condition code, or an application
    file: PathBuf,
    /// The record or the condition code of the application
    record: Option<String>,
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

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Ending> {
    stream::unless_closed(explain(&arguments))
}

fn explain(arguments: &Arguments) -> anyhow::Result<Ending> {
    if let Some(subject) = subject(arguments)? {
        let mut out = stream::output(arguments.output.as_deref())?;
        subject.write(Grammar::builtin(), &mut out)?;
        out.flush()?;
        return Ok(Ending::Clean);
    }
    let (input, _) = stream::records_input(Some(&arguments.file), arguments.encoding)?;
    let out = stream::output(arguments.output.as_deref())?;
    if arguments.html {
        let title = arguments.file.file_name().map(|name| name.to_string_lossy());
        return write(input, HtmlPage::new(out, title.as_deref().unwrap_or("Records")));
    }
    let colored = arguments.output.is_none() && arguments.color.is_on();
    write(input, TextPage::new(out, colored, arguments.notes))
}

/// What is asked about, if it is no file.
fn subject(arguments: &Arguments) -> anyhow::Result<Option<Subject<'static>>> {
    let words = [arguments.file.to_str(), arguments.record.as_deref()];
    let words = words.into_iter().flatten().collect::<Vec<_>>();
    if arguments.record.is_none() && arguments.file.exists() {
        return Ok(None);
    }
    let found = Subject::of(Grammar::builtin(), &words);
    if found.is_none() && arguments.record.is_some() {
        anyhow::bail!("no grammar has a record or a condition {}", words.join(" "));
    }
    Ok(found)
}

fn write(input: impl BufRead, page: impl Page) -> anyhow::Result<Ending> {
    let mut explainer = Explainer::new(Grammar::builtin(), page);
    let ending = stream::records(input, &mut |row| explainer.push(row))?;
    explainer.finish()?;
    Ok(ending)
}
