//! How findings are told: drawn for people, as JSON for programs, as SARIF for editors.

mod draw;
mod sarif;
mod summary;

use std::io::{self, Write};

use clap::ValueEnum;

use super::color::{self, Color};
use super::{Ending, output};
use crate::grammar::{Grammar, Severity};
use crate::message::Finding;

use draw::Pen;
use sarif::Sarif;
use summary::Summary;

/// The width of a table where that of the terminal is not known.
const WIDTH: usize = 105;

/// How findings are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Format {
    /// With the record drawn below a ruler.
    Human,
    /// One JSON object a line.
    Json,
    /// SARIF 2.1.0, which editors and code hosts open.
    Sarif,
}

/// Writes findings as they come, and counts them.
pub(super) struct Report<'g, W> {
    grammar: &'g Grammar,
    form: Form,
    out: W,
    counts: Counts,
}

enum Form {
    Human(Pen),
    Json,
    Sarif(Sarif),
    /// Counted; as JSON or for people.
    Summary(Summary, Format),
}

/// What was looked at and found.
#[derive(Default)]
struct Counts {
    batches: u64,
    records: u64,
    findings: u64,
    notices: u64,
}

impl<'g, W: Write> Report<'g, W> {
    /// A report; with a summary, findings are counted and not told one by one.
    ///
    /// # Errors
    /// There is no summary as SARIF.
    pub(super) fn new(
        grammar: &'g Grammar,
        format: Format,
        color: Color,
        is_summary: bool,
        out: W,
    ) -> anyhow::Result<Self> {
        let form = match format {
            Format::Sarif if is_summary => {
                anyhow::bail!("a summary is written as `human` or `json`; SARIF names each finding")
            }
            format if is_summary => Form::Summary(Summary::default(), format),
            Format::Human => Form::Human(Pen::new(color.is_on(), color::width())),
            Format::Json => Form::Json,
            Format::Sarif => Form::Sarif(Sarif::default()),
        };
        Ok(Self { grammar, form, out, counts: Counts::default() })
    }

    /// Tells of a finding.
    pub(super) fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        match finding.severity {
            Severity::Informational => self.counts.notices += 1,
            _ => self.counts.findings += 1,
        }
        match &mut self.form {
            Form::Human(pen) => pen.draw(self.grammar, finding, &mut self.out),
            Form::Json => {
                serde_json::to_writer(&mut self.out, finding)?;
                writeln!(self.out)
            }
            Form::Sarif(sarif) => sarif.result(self.grammar, finding, &mut self.out),
            Form::Summary(summary, _) => {
                summary.count(finding);
                Ok(())
            }
        }
    }

    /// Counts a source that has been read to its end.
    pub(super) fn source(&mut self, records: u64, batches: u32) {
        self.counts.records += records;
        self.counts.batches += u64::from(batches);
    }

    /// Ends the report.
    pub(super) fn finish(mut self) -> io::Result<Ending> {
        match &self.form {
            Form::Sarif(sarif) => sarif.finish(&mut self.out)?,
            Form::Summary(summary, Format::Json) => summary.write_json(&mut self.out)?,
            Form::Summary(summary, _) => {
                summary.write(self.grammar, color::width().unwrap_or(WIDTH), &mut self.out)?;
            }
            Form::Human(_) | Form::Json => {}
        }
        self.out.flush()?;
        if matches!(self.form, Form::Human(_) | Form::Summary(_, Format::Human)) {
            output::tell(&self.counts);
        }
        Ok(if self.counts.findings == 0 { Ending::Clean } else { Ending::Findings })
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count =
            |number: u64, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
        write!(
            formatter,
            "{}, {}: {}, {}",
            count(self.batches, "batch", "batches"),
            count(self.records, "record", "records"),
            count(self.findings, "finding", "findings"),
            count(self.notices, "notice", "notices")
        )
    }
}
