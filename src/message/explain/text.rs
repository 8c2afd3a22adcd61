//! Explanations for a terminal or a text file.

use std::borrow::Cow;
use std::io::{self, Write};

use super::words::wrapped;
use super::{Level, Page, Told};

/// Where values begin, behind the columns and the elements' names, however deep they stand.
const VALUES: usize = 62;
/// Where meanings begin, behind values that are no longer than this.
const MEANINGS: usize = 18;

/// The fewest columns that words are broken into.
const NARROWEST: usize = 16;

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
    /// The columns of the terminal, if they are known.
    width: Option<usize>,
}

impl<W: Write> TextPage<W> {
    /// A page; colours are for terminals, notes say what the grammar notes of each field.
    pub fn new(out: W, colored: bool, notes: bool) -> Self {
        Self { out, colored, notes, depth: 0, width: None }
    }

    /// The same for a terminal of so many columns: what does not fit stands in lines of its own.
    #[must_use]
    pub fn with_width(mut self, width: Option<usize>) -> Self {
        self.width = width;
        self
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn styled<'t>(&self, style: &str, text: &'t str) -> Cow<'t, str> {
        if self.colored && !text.is_empty() { format!("{style}{text}\x1b[0m").into() } else { text.into() }
    }

    /// A field whose value stands below its name.
    fn narrow_field(&mut self, told: &Told<'_>, room: usize) -> io::Result<()> {
        let mut columns = told.columns.as_str();
        let told_of = [
            (told.name.to_owned(), ""),
            (format!("  {} {}", told.value, told.meaning.unwrap_or_default()), ""),
            (told.trouble.map(|text| format!("  ! {text}")).unwrap_or_default(), TROUBLE),
            (if self.notes { told.note.to_owned() } else { String::new() }, ASIDE),
        ];
        for (text, style) in told_of.iter().filter(|(text, _)| !text.trim().is_empty()) {
            for part in wrapped(text.trim_end(), room) {
                let line = format!("{columns:<6} {}", self.styled(style, &part));
                self.line(&line)?;
                columns = "";
            }
        }
        Ok(())
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
        let room = self.width.map(|width| width.saturating_sub(2 * self.depth).max(NARROWEST));
        if let Some(room) = room.filter(|room| title.chars().count() + 2 + aside.chars().count() > *room) {
            for (text, style) in [(title, HEADING), (aside, ASIDE)] {
                for part in wrapped(text, room) {
                    let line = self.styled(style, &part).into_owned();
                    self.line(&line)?;
                }
            }
        } else {
            let text = format!("{}  {}", self.styled(HEADING, title), self.styled(ASIDE, aside));
            self.line(&text)?;
        }
        self.depth += 1;
        Ok(())
    }

    fn field(&mut self, told: &Told<'_>) -> io::Result<()> {
        if let Some(room) = self.width.map(|width| width.saturating_sub(2 * self.depth + 7)) {
            let shown = told.value.chars().count() + told.meaning.map_or(0, |text| text.chars().count() + 1);
            let beside =
                (VALUES + MEANINGS).saturating_sub(2 * self.depth + 7) + shown.saturating_sub(MEANINGS);
            if beside + told.trouble.map_or(0, |text| text.len() + 4) > room {
                return self.narrow_field(told, room.max(NARROWEST));
            }
        }
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
            let room = self.width.map_or(usize::MAX, |width| width.saturating_sub(2 * self.depth + 7));
            for part in wrapped(told.note, room.max(NARROWEST)) {
                let note = format!("{:7}{}", "", self.styled(ASIDE, &part));
                self.line(&note)?;
            }
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
