//! Explanations as a page for a browser, which needs nothing but itself.

mod findings;
mod style;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{self, Write};

use rust_decimal::Decimal;

use self::findings::Findings;
use self::style::{LIT, SCRIPT, style};
use super::words::with_thousands;
use super::{Headline, Level, Page, Told};
use crate::message::finding::Finding;

/// About how many bytes of details a page has. Browsers become slow with more.
const DETAILS: usize = 4 << 20;
/// Transactions that the index lists.
const INDEX: usize = 5_000;

/// A page of HTML that loads nothing from anywhere: findings, an index of the transactions, and their
/// records in detail. The details of long streams are cut off, and the page says so. Batches, blocks,
/// transactions and groups can be folded.
pub struct HtmlPage<W> {
    out: W,
    title: String,
    /// The entry that alone is shown, if one is.
    only: Option<String>,
    findings: Findings,
    index: String,
    details: String,
    /// Whether the sections that are open were written.
    open: Vec<bool>,
    counts: Counts,
    first: Headline,
    record: Shown,
    /// The records in the details.
    shown: HashSet<u64>,
}

#[derive(Default)]
struct Counts {
    transactions: u64,
    records: u64,
    indexed: usize,
    /// Transactions of which all records are shown, or some.
    detailed: u64,
    total: Decimal,
}

/// The record that is open.
#[derive(Default)]
struct Shown {
    number: u64,
    title: String,
    text: String,
    /// The columns of its fields, in order.
    fields: Vec<(usize, usize)>,
    rows: String,
}

impl<W: Write> HtmlPage<W> {
    /// A page with this title, the name of a file for example.
    pub fn new(out: W, title: &str) -> Self {
        Self {
            out,
            title: title.to_owned(),
            only: None,
            findings: Findings::default(),
            index: String::new(),
            details: String::new(),
            open: Vec::new(),
            counts: Counts::default(),
            first: Headline::default(),
            record: Shown::default(),
            shown: HashSet::new(),
        }
    }

    /// The same for one entry of a stream: findings of other records are left out.
    #[must_use]
    pub fn only(mut self, entry: &str) -> Self {
        self.only = Some(entry.to_owned());
        self
    }

    /// Adds a finding, at any time before the page ends.
    pub fn finding(&mut self, finding: Finding) {
        self.findings.add(finding);
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn is_full(&self) -> bool {
        self.details.len() > DETAILS
    }

    /// What the page is about: the one entry, or how many there are.
    fn heading(&self) -> String {
        match self.counts.transactions {
            1 if !self.first.entry.is_empty() => {
                let Headline { entry, importer, total } = &self.first;
                let importer =
                    if importer.is_empty() { String::new() } else { format!(", importer {importer}") };
                let total = total.map(|total| format!(", total {}", dollars(total))).unwrap_or_default();
                format!("Entry {entry}{importer}{total}")
            }
            1 => self.title.clone(),
            several if self.counts.total.is_zero() => format!("{several} transactions"),
            several => format!("{several} transactions, total {}", dollars(self.counts.total)),
        }
    }

    fn head(&mut self) -> io::Result<()> {
        let (heading, file) = (escaped(&self.heading()), escaped(&self.title));
        let title = if heading == file { heading.clone() } else { format!("{heading} – {file}") };
        let count =
            |number: u64, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
        let records = count(self.counts.records, "record");
        let findings = count(self.findings.count(), "finding");
        write!(
            self.out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n<h1>{heading}</h1>\n\
             <p class=\"soft\">{file}: {records}, {findings}</p>\n\
             <div class=\"bar\"><input type=\"search\" placeholder=\"Search\" aria-label=\"Search\">\
             <span id=\"found\" class=\"soft\"></span>\
             <label><input type=\"checkbox\" id=\"notes\"> notes</label></div>\n",
            style()
        )
    }

    /// What is left out, and how to see it.
    fn cut(&mut self) -> io::Result<()> {
        let Counts { transactions, records, indexed, detailed, .. } = self.counts;
        let shown = self.shown.len() as u64;
        if shown < records {
            writeln!(
                self.out,
                "<p class=\"trouble\">This page has the details of {shown} of {records} records, those of the first \
                 {detailed} of {transactions} transactions, to stay small enough for a browser. To see another entry: \
                 <code>abigate explain --html --entry NUMBER FILE</code>. All records as text: \
                 <code>abigate explain FILE</code>.</p>"
            )?;
        }
        if (indexed as u64) < transactions {
            writeln!(
                self.out,
                "<p class=\"soft\">The index lists the first {indexed} of {transactions}.</p>"
            )?;
        }
        Ok(())
    }

    fn close_record(&mut self) {
        let record = std::mem::take(&mut self.record);
        let Shown { number, title, text, fields, rows } = &record;
        let _ = write!(self.details, "<div class=\"record\" id=\"r{number}\"><b>{title}</b>");
        if !text.is_empty() {
            let _ = write!(self.details, "<pre>{}</pre>", lit(text, fields));
        }
        if !rows.is_empty() {
            let _ = write!(self.details, "<table class=\"fields\">{rows}</table>");
        }
        self.details.push_str("</div>\n");
        self.shown.insert(*number);
    }
}

impl<W: Write> Page for HtmlPage<W> {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn open(&mut self, level: Level, title: &str, aside: &str) -> io::Result<()> {
        let (title, aside) = (escaped(title), escaped(aside));
        let class = match level {
            Level::Batch => "batch",
            Level::Block => "block",
            Level::Transaction => "transaction",
            Level::Group => "group",
            Level::Record => {
                self.counts.records += 1;
                self.record.title = format!("{title} <small class=\"soft\">{aside}</small>");
                return Ok(());
            }
        };
        let is_written = !self.is_full();
        self.open.push(is_written);
        if is_written {
            let id = match level {
                Level::Transaction => {
                    self.counts.detailed += 1;
                    format!(" id=\"t{}\"", self.counts.transactions)
                }
                _ => String::new(),
            };
            let _ = writeln!(
                self.details,
                "<details open class=\"{class}\"{id}><summary>{title} <small>{aside}</small></summary>"
            );
        }
        Ok(())
    }

    fn headline(&mut self, headline: &Headline) -> io::Result<()> {
        self.counts.transactions += 1;
        let number = self.counts.transactions;
        if let Some(total) = headline.total {
            self.counts.total = self.counts.total.saturating_add(total);
        }
        if number == 1 {
            self.first = headline.clone();
        }
        if self.counts.indexed < INDEX {
            self.counts.indexed += 1;
            let Headline { entry, importer, total } = headline;
            let entry = if entry.is_empty() { "(no entry number)" } else { entry };
            let entry = escaped(entry);
            let entry = if self.is_full() { entry } else { format!("<a href=\"#t{number}\">{entry}</a>") };
            let _ = writeln!(
                self.index,
                "<tr><td class=\"number\">{number}</td><td>{entry}</td><td>{}</td><td class=\"number\">{}</td></tr>",
                escaped(importer),
                total.map(dollars).unwrap_or_default()
            );
        }
        Ok(())
    }

    fn row(&mut self, number: u64, text: &str) -> io::Result<()> {
        self.record.number = number;
        text.clone_into(&mut self.record.text);
        Ok(())
    }

    fn field(&mut self, told: &Told<'_>) -> io::Result<()> {
        if self.is_full() {
            return Ok(());
        }
        let class = self.record.fields.len();
        self.record.fields.push((told.first, told.last));
        let rows = &mut self.record.rows;
        let _ = write!(
            rows,
            "<tr class=\"f{class}\" tabindex=\"0\"><td class=\"columns\">{}</td><td class=\"name\">{}</td>\
             <td class=\"told\"><span class=\"value\">{}</span>",
            escaped(&told.columns),
            escaped(told.name),
            escaped(&told.value)
        );
        if let Some(meaning) = told.meaning {
            let _ = write!(rows, " {}", escaped(meaning));
        }
        if let Some(trouble) = told.trouble {
            let _ = write!(rows, " <span class=\"trouble\">{}</span>", escaped(trouble));
        }
        if !told.note.is_empty() {
            let _ = write!(rows, "<div class=\"note\">{}</div>", escaped(told.note));
        }
        rows.push_str("</td></tr>\n");
        Ok(())
    }

    fn trouble(&mut self, text: &str) -> io::Result<()> {
        if !self.is_full() {
            let _ = writeln!(self.details, "<p class=\"trouble\">{}</p>", escaped(text));
        }
        Ok(())
    }

    /// The record stands on the page as it is.
    fn plain(&mut self, _text: &str) -> io::Result<()> {
        Ok(())
    }

    fn close(&mut self, level: Level) -> io::Result<()> {
        if level == Level::Record {
            if self.is_full() {
                self.record = Shown::default();
            } else {
                self.close_record();
            }
        } else if self.open.pop() == Some(true) {
            self.details.push_str("</details>\n");
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        if self.only.is_some() {
            self.findings.keep(|record| self.shown.contains(&record));
        }
        self.head()?;
        self.findings.write(&self.shown, &mut self.out)?;
        if self.counts.transactions > 1 {
            writeln!(self.out, "<h2>Transactions</h2>\n<table class=\"index\">\n{}</table>", self.index)?;
        }
        self.cut()?;
        writeln!(
            self.out,
            "<h2>Records</h2>\n{}<script>\n{SCRIPT}</script>\n</body>\n</html>",
            self.details
        )?;
        self.out.flush()
    }
}

/// A record with its fields marked, so that each can be lit.
fn lit(text: &str, fields: &[(usize, usize)]) -> String {
    let signs = text.chars().collect::<Vec<_>>();
    let part = |from: usize, to: usize| {
        let to = to.min(signs.len());
        escaped(&signs.get(from.min(to)..to).unwrap_or_default().iter().collect::<String>())
    };
    let mut marked = String::new();
    let mut end = 0;
    for (class, (first, last)) in fields.iter().enumerate().take(LIT) {
        let start = first.saturating_sub(1).max(end);
        let _ = write!(marked, "{}<span class=\"f{class}\">{}</span>", part(end, start), part(start, *last));
        end = end.max(*last);
    }
    marked.push_str(&part(end, signs.len()));
    marked
}

fn dollars(amount: Decimal) -> String {
    format!("${}", with_thousands(&format!("{amount:.2}")))
}

/// Text in which no character means anything to HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
