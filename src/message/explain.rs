//! Records in words: every field with its name, its value and what its code stands for.

use std::borrow::Cow;
use std::io::{self, Write};

use super::check::words;
use super::json::decoded;
use super::judge::{FieldTrouble, judge};
use super::outline::{Body, Child, Control, Item, Outline, Part, children};
use super::transaction::{GroupRef, Transaction};
use crate::grammar::{Automaton, Direction, Field, Grammar, Values};
use crate::wire::Columns;

/// What stands for a password.
const MASK: &str = "******";
/// Where values begin, behind the columns and the elements' names.
const NAME_WIDTH: usize = 44;

#[derive(Clone, Copy)]
enum Style {
    Heading,
    Trouble,
    Aside,
}

impl Style {
    /// The terminal's sequence.
    fn sequence(self) -> &'static str {
        match self {
            Self::Heading => "\x1b[1m",
            Self::Trouble => "\x1b[31m",
            Self::Aside => "\x1b[2m",
        }
    }
}

/// Explains a stream of records, as text for people. It holds one transaction at most.
pub struct Explainer<'g, W> {
    grammar: &'g Grammar,
    outline: Outline<'g>,
    parts: Vec<Part<'g>>,
    out: W,
    colored: bool,
    counts: [u64; 3],
}

impl<'g, W: Write> Explainer<'g, W> {
    /// An explainer of one stream; colours are for terminals.
    pub fn new(grammar: &'g Grammar, colored: bool, out: W) -> Self {
        let outline = Outline::new(grammar);
        Self { grammar, outline, parts: Vec::new(), out, colored, counts: [0; 3] }
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// Whatever the output fails with.
    pub fn push(&mut self, row: &Columns) -> io::Result<()> {
        self.outline.push(row, &mut self.parts);
        self.write_parts()
    }

    /// Ends the stream; gives back the output.
    ///
    /// # Errors
    /// Whatever the output fails with.
    pub fn finish(mut self) -> io::Result<W> {
        self.outline.finish(&mut self.parts);
        self.write_parts()?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write_parts(&mut self) -> io::Result<()> {
        let mut parts = std::mem::take(&mut self.parts);
        for part in parts.drain(..) {
            self.part(part)?;
        }
        self.parts = parts;
        Ok(())
    }

    fn part(&mut self, part: Part<'g>) -> io::Result<()> {
        match part {
            Part::BatchBegins { application, direction } => {
                self.counts = [self.counts[0] + 1, 0, 0];
                let known = self.grammar.application(&application);
                let name = known.map_or("application is not known", |known| &known.name);
                let way = match direction {
                    Direction::Input => "to CBP",
                    Direction::Output => "from CBP",
                };
                let title = format!("batch {}: {application} {name}, {way}", self.counts[0]);
                self.heading(0, &title)
            }
            Part::BlockBegins => {
                self.counts = [self.counts[0], self.counts[1] + 1, 0];
                let title = format!("block {}", self.counts[1]);
                self.heading(1, &title)
            }
            Part::Control(control, item) => {
                let depth = match control {
                    Control::BatchHeader | Control::BatchTrailer => 1,
                    Control::BlockHeader | Control::BlockTrailer => 2,
                };
                self.record(depth, &item)
            }
            Part::Body(body) => self.body(&body),
            Part::BlockEnds => Ok(()),
            Part::BatchEnds => writeln!(self.out),
        }
    }

    fn body(&mut self, body: &Body<'g>) -> io::Result<()> {
        self.counts[2] += 1;
        let number = self.counts[2];
        if let Some((transaction, automaton)) = &body.tree {
            let name = &automaton.group(transaction.root().group().index).name;
            self.heading(2, &format!("transaction {number}: {}", plain(name)))?;
            return self.group(3, body, transaction, automaton, transaction.root());
        }
        self.heading(2, &format!("transaction {number}, without structure"))?;
        if let Some(fault) = &body.fault {
            let text = self.styled(Style::Trouble, &format!("{}: {fault}", fault.condition())).into_owned();
            writeln!(self.out, "      {text}")?;
        }
        body.items.iter().try_for_each(|item| self.record(3, item))
    }

    fn group(
        &mut self,
        depth: usize,
        body: &Body<'g>,
        transaction: &Transaction,
        automaton: &Automaton,
        group: GroupRef<'_>,
    ) -> io::Result<()> {
        for child in children(transaction, group) {
            match child {
                Child::Record(position) => self.record(depth, &body.items[position])?,
                Child::Group(inner) => {
                    let name = &automaton.group(inner.group().index).name;
                    self.heading(depth, &format!("{} {}", plain(name), inner.group().occurrence))?;
                    self.group(depth + 1, body, transaction, automaton, inner)?;
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, depth: usize, item: &Item<'g>) -> io::Result<()> {
        let Some(layout) = item.layout else {
            let text = item.row.escape_ascii().to_string();
            self.heading(depth, &format!("record {}, of no known layout", item.number))?;
            return writeln!(self.out, "{:indent$}{}", "", text.trim_end(), indent = 2 * depth + 2);
        };
        let variant = if layout.variant.is_empty() { "" } else { &format!(", {}", plain(&layout.variant)) };
        let title = format!("{} {}{variant} (record {})", layout.record, plain(&layout.name), item.number);
        self.heading(depth, &title)?;
        let mut troubles = Vec::new();
        judge(layout, &item.row, |trouble| troubles.push(trouble));
        for field in &layout.fields {
            let (first, last) = (field.cell.first_column(), field.cell.last_column());
            let trouble = troubles.iter().find(|trouble| (first..=last).contains(&trouble.first));
            let is_identifier = first == 1 && field.values == Values::Constant(layout.record.clone());
            if trouble.is_some() || !field.cell.is_blank(&item.row) && !is_identifier {
                self.field(depth + 1, field, item, trouble)?;
            }
        }
        Ok(())
    }

    fn field(
        &mut self,
        depth: usize,
        field: &Field,
        item: &Item<'g>,
        trouble: Option<&FieldTrouble<'_>>,
    ) -> io::Result<()> {
        let name = if field.is_filler() { "(filler)" } else { &field.element };
        let value = value(field, item);
        let width = NAME_WIDTH.saturating_sub(2 * depth);
        let columns = field.cell.to_string();
        let mut line = format!("{:indent$}{columns:<6} {name:<width$} {value}", "", indent = 2 * depth);
        if let Some(meaning) = self.meaning(field, &item.row) {
            line.push_str(" = ");
            line.push_str(meaning);
        }
        if let Some(trouble) = trouble {
            line.push_str("  ");
            line.push_str(&self.styled(Style::Trouble, &format!("! {}", words(trouble.trouble))));
        }
        if !field.note.is_empty() {
            line.push_str("  ");
            line.push_str(&self.styled(Style::Aside, &format!("({})", field.note)));
        }
        writeln!(self.out, "{}", line.trim_end())
    }

    /// What a code stands for.
    fn meaning(&self, field: &Field, row: &Columns) -> Option<&'g str> {
        let code = field.cell.text(row);
        std::iter::once(&field.values).chain(&field.also).find_map(|values| match values {
            Values::List(name) => self.grammar.list(name)?.meaning(code),
            Values::Any | Values::Constant(_) | Values::OneOf(_) => None,
        })
    }

    fn heading(&mut self, depth: usize, title: &str) -> io::Result<()> {
        let title = self.styled(Style::Heading, title).into_owned();
        writeln!(self.out, "{:indent$}{title}", "", indent = 2 * depth)
    }

    fn styled<'t>(&self, style: Style, text: &'t str) -> Cow<'t, str> {
        if self.colored { format!("{}{text}\x1b[0m", style.sequence()).into() } else { text.into() }
    }
}

fn value(field: &Field, item: &Item<'_>) -> String {
    if item.hides(field) {
        return MASK.to_owned();
    }
    let plain = || field.cell.raw(&item.row).escape_ascii().to_string().trim_end().to_owned();
    decoded(field, &item.row).unwrap_or_else(plain)
}

/// A name of the grammar for people.
fn plain(name: &str) -> String {
    name.replace('_', " ")
}
