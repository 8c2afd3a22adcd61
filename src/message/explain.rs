//! Records in words: every field with its name, its value and what its code stands for.

mod headline;
mod html;
mod text;
mod words;

use std::io;

use super::check;
use super::judge::{FieldTrouble, judge};
use super::outline::{Body, Child, Item, Outline, Part, children};
use super::secrets::cover;
use super::transaction::{GroupRef, Transaction};
use crate::grammar::{Automaton, Direction, Field, Grammar, Values};
use crate::wire::Columns;

pub use headline::Headline;
pub use html::HtmlPage;
pub use text::TextPage;
pub use words::wrapped;
use words::{as_it_stands, heading, value};

/// What stands for a password.
const MASK: &str = "******";

/// What a section of the page is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// A batch.
    Batch,
    /// A block of a batch.
    Block,
    /// A transaction of a block, or records that are none.
    Transaction,
    /// A group of a transaction or of another group.
    Group,
    /// A record.
    Record,
}

/// What is told of a field.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// Its columns, as the grammar writes them.
    pub columns: String,
    /// Its first column, counted from 1.
    pub first: usize,
    /// Its last column.
    pub last: usize,
    /// The data element.
    pub name: &'a str,
    /// Its value: dates and amounts written out, a password masked.
    pub value: String,
    /// What its code stands for.
    pub meaning: Option<&'a str>,
    /// What is wrong with it.
    pub trouble: Option<&'static str>,
    /// What the grammar notes of it.
    pub note: &'a str,
}

/// A way to write explanations. What fails is the output.
#[expect(clippy::missing_errors_doc, reason = "said of all at once")]
pub trait Page {
    /// Begins the page.
    fn begin(&mut self) -> io::Result<()>;
    /// Begins a section below the one that is open. The aside says where in the stream it stands.
    fn open(&mut self, level: Level, title: &str, aside: &str) -> io::Result<()>;
    /// Tells what the transaction that begins next is known by.
    fn headline(&mut self, headline: &Headline) -> io::Result<()> {
        let _ = headline;
        Ok(())
    }
    /// Tells the number of the open record and how it stands, passwords masked.
    fn row(&mut self, number: u64, text: &str) -> io::Result<()> {
        let _ = (number, text);
        Ok(())
    }
    /// Tells of a field of the open record.
    fn field(&mut self, told: &Told<'_>) -> io::Result<()>;
    /// Tells what is wrong with the open section.
    fn trouble(&mut self, text: &str) -> io::Result<()>;
    /// Shows a record that cannot be told field by field.
    fn plain(&mut self, text: &str) -> io::Result<()>;
    /// Ends the section that was begun last and is open.
    fn close(&mut self, level: Level) -> io::Result<()>;
    /// Ends the page.
    fn end(&mut self) -> io::Result<()>;
}

/// Explains a stream of records. It holds one transaction at most.
pub struct Explainer<'g, P> {
    grammar: &'g Grammar,
    outline: Outline<'g>,
    parts: Vec<Part<'g>>,
    page: P,
    is_begun: bool,
    counts: [u64; 3],
    /// The entry that alone is told, if one is.
    only: Option<String>,
    is_found: bool,
}

impl<'g, P: Page> Explainer<'g, P> {
    /// An explainer of one stream.
    pub fn new(grammar: &'g Grammar, page: P) -> Self {
        let outline = Outline::new(grammar);
        Self {
            grammar,
            outline,
            parts: Vec::new(),
            page,
            is_begun: false,
            counts: [0; 3],
            only: None,
            is_found: false,
        }
    }

    /// The same of one entry alone, by its number with hyphens or without. Control records are told all the
    /// same.
    #[must_use]
    pub fn only(mut self, entry: Option<&str>) -> Self {
        self.only = entry.map(str::to_owned);
        self
    }

    /// The page, to tell it more.
    pub fn page(&mut self) -> &mut P {
        &mut self.page
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// Whatever the output fails with.
    pub fn push(&mut self, row: &Columns) -> io::Result<()> {
        self.outline.push(row, &mut self.parts);
        self.write_parts()
    }

    /// Ends the stream; gives back the page.
    ///
    /// # Errors
    /// Whatever the output fails with.
    pub fn finish(self) -> io::Result<P> {
        self.finish_found().map(|(page, _)| page)
    }

    /// Ends the stream; also tells whether the entry that alone is told has come.
    ///
    /// # Errors
    /// Whatever the output fails with.
    pub fn finish_found(mut self) -> io::Result<(P, bool)> {
        self.outline.finish(&mut self.parts);
        self.write_parts()?;
        self.page.end()?;
        Ok((self.page, self.is_found))
    }

    fn write_parts(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.page.begin()?;
        }
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
                let title = format!("Batch {}: {application} {name}", self.counts[0]);
                self.page.open(Level::Batch, &title, way)
            }
            Part::BlockBegins => {
                self.counts = [self.counts[0], self.counts[1] + 1, 0];
                self.page.open(Level::Block, &format!("Block {}", self.counts[1]), "")
            }
            Part::Control(_, item) => self.record(&item),
            Part::Body(body) => self.body(&body),
            Part::BlockEnds => self.page.close(Level::Block),
            Part::BatchEnds => self.page.close(Level::Batch),
        }
    }

    fn body(&mut self, body: &Body<'g>) -> io::Result<()> {
        self.counts[2] += 1;
        let number = self.counts[2];
        let headline = Headline::of(&body.items);
        if let Some(entry) = &self.only {
            if !headline.is_entry(entry) {
                return Ok(());
            }
            self.is_found = true;
        }
        self.page.headline(&headline)?;
        if let Some((transaction, automaton)) = &body.tree {
            let name = &automaton.group(transaction.root().group().index).name;
            let title = format!("Transaction {number}: {}", name.replace('_', " "));
            self.page.open(Level::Transaction, &title, "")?;
            self.group(body, transaction, automaton, transaction.root())?;
        } else {
            let title = format!("Transaction {number}, without structure");
            self.page.open(Level::Transaction, &title, "")?;
            if let Some(fault) = &body.fault {
                self.page.trouble(&format!("{}: {fault}", fault.condition()))?;
            }
            body.items.iter().try_for_each(|item| self.record(item))?;
        }
        self.page.close(Level::Transaction)
    }

    fn group(
        &mut self,
        body: &Body<'g>,
        transaction: &Transaction,
        automaton: &Automaton,
        group: GroupRef<'_>,
    ) -> io::Result<()> {
        for child in children(transaction, group) {
            match child {
                Child::Record(position) => self.record(&body.items[position])?,
                Child::Group(inner) => {
                    let group = inner.group();
                    let name = &automaton.group(group.index).name;
                    let title = format!("{} {}", heading(name), group.occurrence);
                    self.page.open(Level::Group, &title, "")?;
                    self.group(body, transaction, automaton, inner)?;
                    self.page.close(Level::Group)?;
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, item: &Item<'g>) -> io::Result<()> {
        let aside = format!("record {}", item.number);
        let Some(layout) = item.layout else {
            self.page.open(Level::Record, "Of no known layout", &aside)?;
            self.page.row(item.number, &drawn(item))?;
            let row = masked(item);
            self.page.plain(&as_it_stands(&row))?;
            return self.page.close(Level::Record);
        };
        let mut title = format!("{} {}", layout.record, heading(&layout.name));
        if !layout.variant.is_empty() {
            title.push_str(&format!(" ({})", layout.variant.replace('_', " ")));
        }
        self.page.open(Level::Record, &title, &aside)?;
        self.page.row(item.number, &drawn(item))?;
        let mut troubles = Vec::new();
        judge(layout, &item.row, |trouble| troubles.push(trouble));
        for field in &layout.fields {
            let (first, last) = (field.cell.first_column(), field.cell.last_column());
            let trouble = troubles.iter().find(|trouble| (first..=last).contains(&trouble.first));
            let is_identifier = first == 1 && field.values == Values::Constant(layout.record.clone());
            if trouble.is_some() || !field.cell.is_blank(&item.row) && !is_identifier {
                self.field(field, item, trouble)?;
            }
        }
        self.page.close(Level::Record)
    }

    fn field(
        &mut self,
        field: &Field,
        item: &Item<'g>,
        trouble: Option<&FieldTrouble<'_>>,
    ) -> io::Result<()> {
        let is_hidden = item.hides(field);
        self.page.field(&Told {
            columns: field.cell.to_string(),
            first: field.cell.first_column(),
            last: field.cell.last_column(),
            name: if field.is_filler() { "(filler)" } else { &field.element },
            value: if is_hidden { MASK.to_owned() } else { value(field, &item.row) },
            meaning: if is_hidden { None } else { self.meaning(field, &item.row) },
            trouble: trouble.map(|trouble| check::words(trouble.trouble)),
            note: &field.note,
        })
    }

    /// What a code stands for.
    fn meaning(&self, field: &Field, row: &Columns) -> Option<&'g str> {
        let code = field.cell.text(row);
        std::iter::once(&field.values).chain(&field.also).find_map(|values| match values {
            Values::List(name) => self.grammar.list(name)?.meaning(code),
            Values::Any | Values::Constant(_) | Values::OneOf(_) => None,
        })
    }
}

/// A record without its password.
fn masked(item: &Item<'_>) -> Columns {
    let mut row = item.row;
    cover(&mut row, item.hidden, b'*');
    row
}

/// The same for a drawing: one sign a column.
fn drawn(item: &Item<'_>) -> String {
    let sign = |byte: u8| if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '?' };
    masked(item).into_iter().map(sign).collect::<String>().trim_end().to_owned()
}
