//! `abigate explain`

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use jiff::Zoned;

use super::about::Subject;
use super::color::{self, Color};
use super::output::{Output, Outputs};
use super::sources::{self, Source};
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
    /// Files with the records, and folders: the files in them that end in .abi. `-` is standard input. Or what
    /// is asked about: a condition code, an application, or an application and its record or condition code
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
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
    /// The file to write; standard output if none is named, or for `-`. With --html and several files, the
    /// folder for a page each
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
    if let Some(subject) = subject(&arguments.files)? {
        let mut out = outputs.open(arguments.output.as_deref())?;
        subject.write(Grammar::builtin(), &mut out)?;
        return Ok(Ending::Clean);
    }
    let files = sources::expand(&arguments.files, sources::RECORDS);
    let is_several = sources::are_several(&arguments.files);
    if is_several && arguments.html {
        return pages(&arguments, files);
    }
    let mut out = outputs.open(arguments.output.as_deref())?;
    if arguments.html {
        let inspection = inspection(&arguments)?;
        return sources::each(files, |source| page(&arguments, &inspection, source, out.clone()));
    }
    sources::each(files, |source| {
        if is_several {
            writeln!(out, "{}\n", source.name())?;
        }
        let ending = text(&arguments, source, out.clone())?;
        if is_several {
            writeln!(out)?;
        }
        Ok(ending)
    })
}

/// A page for each file, in a folder.
fn pages(arguments: &Arguments, (files, ending): (Vec<Source>, Ending)) -> anyhow::Result<Ending> {
    let Some(folder) = &arguments.output else {
        bail!("several files become several pages: -o names the folder for them");
    };
    let inspection = inspection(arguments)?;
    let mut targets = sources::targets(&files, folder, "html")?.into_iter();
    sources::each((files, ending), |source| {
        let outputs = Outputs::new();
        let target = targets.next().unwrap_or_default();
        let out = outputs.open_in_folder(&target)?;
        let ending = page(arguments, &inspection, source, out)?;
        outputs.end(ending)?;
        Ok(ending)
    })
}

fn inspection(arguments: &Arguments) -> anyhow::Result<Inspection<'static>> {
    let grammar = Grammar::builtin();
    Ok(Inspection::new(grammar, arguments.world.open(grammar)?, Zoned::now().date())?)
}

fn text(arguments: &Arguments, source: &Source, out: Output) -> anyhow::Result<Ending> {
    let (input, _) =
        stream::records_input(Some(&source.path), arguments.encoding).map_err(|error| source.named(error))?;
    let colored = arguments.output.is_none() && arguments.color.is_on();
    let page = TextPage::new(out, colored, arguments.notes).with_width(color::width());
    let entry = arguments.entry.as_deref();
    let mut explainer = Explainer::new(Grammar::builtin(), page).only(entry);
    let read = stream::records(&source.name(), input, &mut |row| explainer.push(row));
    end(explainer, entry, read.map_err(|error| source.named(error))?)
}

fn page(
    arguments: &Arguments,
    inspection: &Inspection<'_>,
    source: &Source,
    out: Output,
) -> anyhow::Result<Ending> {
    let (input, _) =
        stream::records_input(Some(&source.path), arguments.encoding).map_err(|error| source.named(error))?;
    let mut inspector = inspection.inspector(None);
    let title = source.path.file_name().map(|name| name.to_string_lossy());
    let entry = arguments.entry.as_deref();
    let mut page = HtmlPage::new(out, title.as_deref().unwrap_or("Records"));
    if let Some(entry) = entry {
        page = page.only(entry);
    }
    let mut explainer = Explainer::new(Grammar::builtin(), page).only(entry);
    let mut number = 0;
    let read = stream::records(&source.name(), input, &mut |row| {
        number += 1;
        let line = Line { columns: row, number, offset: 0, length: RECORD_LENGTH, defect: None };
        inspector.line(&line, &mut |finding| explainer.page().finding(finding));
        explainer.push(row)
    });
    let ending = read.map_err(|error| source.named(error))?;
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

/// What is asked about: one or two words of which none is a file.
fn subject(words: &[PathBuf]) -> anyhow::Result<Option<Subject<'static>>> {
    if words.len() > 2 || words.iter().any(|word| word.exists()) {
        return Ok(None);
    }
    let words = words.iter().filter_map(|word| word.to_str()).collect::<Vec<_>>();
    let found = Subject::of(Grammar::builtin(), &words);
    if let (None, [application, word]) = (&found, &words[..])
        && Subject::of(Grammar::builtin(), &[application]).is_some()
    {
        bail!("no grammar has a record or a condition {application} {word}");
    }
    Ok(found)
}
