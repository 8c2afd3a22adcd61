//! `abigate explain`

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::color::Color;
use super::output::{Output, Outputs};
use super::sources::{self, Source};
use super::stream::EncodingName;
use super::{Ending, stream};
use crate::grammar::Grammar;
use crate::message::{Explainer, HtmlPage, Page, TextPage};

/// Print every record, field by field: columns, names, values and what codes stand for
///
/// Dates are written out, amounts have their decimal places. Passwords are shown as ******.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Files with the records, and folders: the files in them that end in .abi. `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// A page for a browser that needs nothing but itself, with what is known of each field
    #[arg(long)]
    html: bool,
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
    let files = sources::expand(&arguments.files, sources::RECORDS);
    let is_several = sources::are_several(&arguments.files);
    if is_several && arguments.html {
        return pages(&arguments, files);
    }
    let mut out = outputs.open(arguments.output.as_deref())?;
    if arguments.html {
        return sources::each(files, |source| page(&arguments, source, out.clone()));
    }
    let colored = arguments.output.is_none() && arguments.color.is_on();
    sources::each(files, |source| {
        if is_several {
            writeln!(out, "{}\n", source.name())?;
        }
        let ending = write(&arguments, source, TextPage::new(out.clone(), colored, arguments.notes))?;
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
    let mut targets = sources::targets(&files, folder, "html")?.into_iter();
    sources::each((files, ending), |source| {
        let outputs = Outputs::new();
        let target = targets.next().unwrap_or_default();
        let out = outputs.open_in_folder(&target)?;
        let ending = page(arguments, source, out)?;
        outputs.end(ending)?;
        Ok(ending)
    })
}

fn page(arguments: &Arguments, source: &Source, out: Output) -> anyhow::Result<Ending> {
    let title = source.path.file_name().map(|name| name.to_string_lossy());
    write(arguments, source, HtmlPage::new(out, title.as_deref().unwrap_or("Records")))
}

fn write(arguments: &Arguments, source: &Source, page: impl Page) -> anyhow::Result<Ending> {
    let opened = stream::records_input(Some(&source.path), arguments.encoding);
    let (input, _) = opened.map_err(|error| source.named(error))?;
    let mut explainer = Explainer::new(Grammar::builtin(), page);
    let read = stream::records(&source.name(), input, &mut |row| explainer.push(row));
    let ending = read.map_err(|error| source.named(error))?;
    explainer.finish()?;
    Ok(ending)
}
