//! `abigate explain`

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use jiff::Zoned;

use super::about::Subject;
use super::color::{self, Color};
use super::output::Outputs;
use super::stream::EncodingName;
use super::world::WorldName;
use super::{Ending, stream};
use crate::grammar::Grammar;
use crate::host::Inspection;
use crate::message::{Explainer, HtmlPage, Page, TextPage};
use crate::wire::{Line, RECORD_LENGTH};

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
    /// One entry alone, by its number with hyphens or without
    #[arg(long, value_name = "NUMBER")]
    entry: Option<String>,
    #[command(flatten)]
    world: WorldName,
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
    if let Some(subject) = subject(&arguments)? {
        let mut out = outputs.open(arguments.output.as_deref())?;
        subject.write(Grammar::builtin(), &mut out)?;
        out.flush()?;
        return Ok(Ending::Clean);
    }
    let (input, _) = stream::records_input(Some(&arguments.file), arguments.encoding)?;
    let out = outputs.open(arguments.output.as_deref())?;
    let grammar = Grammar::builtin();
    let entry = arguments.entry.as_deref();
    if !arguments.html {
        let colored = arguments.output.is_none() && arguments.color.is_on();
        let page = TextPage::new(out, colored, arguments.notes).with_width(color::width());
        let mut explainer = Explainer::new(grammar, page).only(entry);
        let ending = stream::records(input, &mut |row| explainer.push(row))?;
        return end(explainer, entry, ending);
    }
    let inspection = Inspection::new(grammar, arguments.world.open(grammar)?, Zoned::now().date())?;
    let mut inspector = inspection.inspector(None);
    let title = arguments.file.file_name().map(|name| name.to_string_lossy());
    let mut page = HtmlPage::new(out, title.as_deref().unwrap_or("Records"));
    if let Some(entry) = entry {
        page = page.only(entry);
    }
    let mut explainer = Explainer::new(grammar, page).only(entry);
    let mut number = 0;
    let ending = stream::records(input, &mut |row| {
        number += 1;
        let line = Line { columns: row, number, offset: 0, length: RECORD_LENGTH, defect: None };
        inspector.line(&line, &mut |finding| explainer.page().finding(finding));
        explainer.push(row)
    })?;
    inspector.finish(&mut |finding| explainer.page().finding(finding));
    end(explainer, entry, ending)
}

fn end<P: Page>(explainer: Explainer<'_, P>, entry: Option<&str>, ending: Ending) -> anyhow::Result<Ending> {
    let (_, is_found) = explainer.finish_found()?;
    match entry.filter(|_| !is_found) {
        Some(entry) => bail!("no entry {entry} in the file"),
        None => Ok(ending),
    }
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
        bail!("no grammar has a record or a condition {}", words.join(" "));
    }
    Ok(found)
}
