//! Explanations for a terminal or a text file.

use std::borrow::Cow;
use std::io::{self, Write};

use super::{Level, Page, Told};

/// Where values begin, behind the columns and the elements' names, however deep they stand.
const VALUES: usize = 62;
/// Where meanings begin, behind values that are no longer than this.
const MEANINGS: usize = 18;

/// The terminal's sequences.
const HEADING: &str = "\x1b[1m";
const TROUBLE: &str = "\x1b[31m";
const ASIDE: &str = "\x1b[2m";

/// A page of text, indented by group.
pub struct TextPage<W> {
    out: W,
    colored: bool,
    notes: bool,
    depth: usize,
}

impl<W: Write> TextPage<W> {
    /// A page; colours are for terminals, notes say what the grammar notes of each field.
    pub fn new(out: W, colored: bool, notes: bool) -> Self {
        Self { out, colored, notes, depth: 0 }
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn styled<'t>(&self, style: &str, text: &'t str) -> Cow<'t, str> {
        if self.colored && !text.is_empty() { format!("{style}{text}\x1b[0m").into() } else { text.into() }
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{:indent$}{}", "", text.trim_end(), indent = 2 * self.depth)
    }
}

impl<W: Write> Page for TextPage<W> {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn open(&mut self, _: Level, title: &str, aside: &str) -> io::Result<()> {
        let text = format!("{}  {}", self.styled(HEADING, title), self.styled(ASIDE, aside));
        self.line(&text)?;
        self.depth += 1;
        Ok(())
    }

    fn field(&mut self, told: &Told<'_>) -> io::Result<()> {
        let width = VALUES.saturating_sub(2 * self.depth + 7);
        let mut line = format!("{:<6} {:<width$} {:<MEANINGS$}", told.columns, told.name, told.value);
        if let Some(meaning) = told.meaning {
            line.push(' ');
            line.push_str(meaning);
        }
        if let Some(trouble) = told.trouble {
            line.push_str("  ");
            line.push_str(&self.styled(TROUBLE, &format!("! {trouble}")));
        }
        self.line(&line)?;
        if self.notes && !told.note.is_empty() {
            let note = format!("{:7}{}", "", self.styled(ASIDE, told.note));
            self.line(&note)?;
        }
        Ok(())
    }

    fn trouble(&mut self, text: &str) -> io::Result<()> {
        let text = self.styled(TROUBLE, &format!("! {text}")).into_owned();
        self.line(&text)
    }

    fn plain(&mut self, text: &str) -> io::Result<()> {
        self.line(text)
    }

    fn close(&mut self, level: Level) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        if level == Level::Batch { writeln!(self.out) } else { Ok(()) }
    }

    fn end(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
