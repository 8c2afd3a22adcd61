//! `abigate check`.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;

use super::Ending;
use crate::grammar::{Grammar, Severity};
use crate::message::{Checker, Finding};
use crate::wire::{Limits, Splitter};

/// Names every finding in files of batches: records, fields, order, envelope.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files of batches; `-` is standard input.
    #[arg(default_value = "-")]
    files: Vec<PathBuf>,
    /// How findings are written.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// A folder of grammars that add to or override the built-in ones.
    #[arg(long, value_name = "FOLDER")]
    grammars: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// With the record drawn below a ruler.
    Human,
    /// One JSON object a line.
    Json,
}

/// Bytes read at a time.
const CHUNK: usize = 1 << 18;

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Ending> {
    let own = arguments.grammars.as_deref().map(Grammar::with_folder).transpose()?;
    let grammar = own.as_ref().unwrap_or_else(|| Grammar::builtin());
    let mut out = BufWriter::new(io::stdout().lock());
    let mut total = Totals::default();
    for path in &arguments.files {
        let source = path.display().to_string();
        let read = check_file(grammar, path, &mut |finding| {
            total.count(&finding);
            write_finding(&finding, arguments.format, &mut out)
        });
        let (records, batches) = read.with_context(|| format!("cannot check {source}"))?;
        total.records += records;
        total.batches += u64::from(batches);
    }
    out.flush()?;
    if arguments.format == Format::Human {
        eprintln!(
            "{} batches, {} records: {} findings, {} notices",
            total.batches, total.records, total.findings, total.notices
        );
    }
    Ok(if total.findings == 0 { Ending::Clean } else { Ending::Findings })
}

#[derive(Default)]
struct Totals {
    batches: u64,
    records: u64,
    findings: u64,
    notices: u64,
}

impl Totals {
    fn count(&mut self, finding: &Finding) {
        match finding.severity {
            Severity::Informational => self.notices += 1,
            _ => self.findings += 1,
        }
    }
}

fn check_file(
    grammar: &Grammar,
    path: &Path,
    report: &mut impl FnMut(Finding) -> io::Result<()>,
) -> anyhow::Result<(u64, u32)> {
    let standard_input = path == Path::new("-");
    let mut input: Box<dyn Read> =
        if standard_input { Box::new(io::stdin().lock()) } else { Box::new(File::open(path)?) };
    let name = path.display().to_string();
    let mut checker = Checker::new(grammar, (!standard_input).then_some(name.as_str()));
    let mut splitter = Splitter::new(Limits::default());
    let mut written = Ok(());
    let mut sink = |finding: Finding| {
        if written.is_ok() {
            written = report(finding);
        }
    };
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = input.read(&mut chunk)?;
        if length == 0 {
            break;
        }
        splitter.push(&chunk[..length], &mut |line| checker.line(&line, &mut sink))?;
    }
    splitter.finish(&mut |line| checker.line(&line, &mut sink))?;
    checker.finish(&mut sink);
    written?;
    Ok((checker.records(), checker.batches()))
}

fn write_finding(finding: &Finding, format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Json => {
            serde_json::to_writer(&mut *out, finding)?;
            writeln!(out)
        }
        Format::Human => draw(finding, out),
    }
}

/// Tens and units of the columns, as the chapters print them above their examples.
const RULER: &str = "123456789-123456789-123456789-123456789-123456789-123456789-123456789-123456789-";

fn draw(finding: &Finding, out: &mut impl Write) -> io::Result<()> {
    let (bold, plain) = if io::stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    writeln!(out, "{bold}{finding}{plain}")?;
    if !finding.record_text.is_empty() {
        writeln!(out, "    {RULER}")?;
        writeln!(out, "    {}", finding.record_text)?;
        if let Some((first, last)) = finding.columns {
            writeln!(out, "    {}{}", " ".repeat(first - 1), "^".repeat(last + 1 - first))?;
        }
    }
    if let Some(help) = &finding.help {
        writeln!(out, "    help: {help}")?;
    }
    Ok(())
}
