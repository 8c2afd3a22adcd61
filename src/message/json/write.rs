//! Records to JSON, one transaction after the other.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

use super::value::{RAW, RAW_HEX, Shown, canonical, raw, shown};
use crate::grammar::{Automaton, Grammar, Layout};
use crate::message::outline::{Body, Child, Control, Item, Outline, Part, children};
use crate::message::transaction::{GroupRef, Transaction};
use crate::wire::Columns;

/// What is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Form {
    /// One object a transaction, one a line, in place of one for the whole stream.
    pub lines: bool,
    /// Records as [`canonical`] makes them.
    pub canonical: bool,
    /// `null` in place of passwords; reading gives spaces.
    pub mask_passwords: bool,
}

/// Makes a filing of a transaction; gives nothing for one that it cannot translate, which is left out.
pub type Translation<'g> = Box<dyn FnMut(&Body<'g>) -> Option<Value> + 'g>;

/// Writes a stream of records as JSON. It holds one transaction at most.
pub struct RecordsWriter<'g, W> {
    outline: Outline<'g>,
    parts: Vec<Part<'g>>,
    form: Form,
    out: Punctuated<W>,
    /// Whether the list of the batches, of the batch's blocks, of the block's transactions has begun.
    lists: [bool; 3],
    lines: Lines<'g>,
    translation: Option<Translation<'g>>,
}

impl<'g, W: Write> RecordsWriter<'g, W> {
    /// A writer of one stream.
    pub fn new(grammar: &'g Grammar, form: Form, out: W) -> Self {
        Self {
            outline: Outline::new(grammar),
            parts: Vec::new(),
            form,
            out: Punctuated { out, fresh: true },
            lists: [false; 3],
            lines: Lines::default(),
            translation: None,
        }
    }

    /// Writes filings in the place of transactions.
    #[must_use]
    pub fn translated(mut self, translation: Translation<'g>) -> Self {
        self.translation = Some(translation);
        self
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
        if self.form.lines {
            let form = self.form;
            self.lines.flush(&mut self.out.out, form)?;
        } else {
            self.list(BATCHES, "batches")?;
            self.out.close("]}\n")?;
        }
        self.out.out.flush()?;
        Ok(self.out.out)
    }

    fn write_parts(&mut self) -> io::Result<()> {
        let mut parts = std::mem::take(&mut self.parts);
        for part in parts.drain(..) {
            if self.form.lines {
                self.lines.part(part, &mut self.translation, &mut self.out.out, self.form)?;
            } else {
                self.part(part)?;
            }
        }
        self.parts = parts;
        Ok(())
    }

    fn part(&mut self, part: Part<'g>) -> io::Result<()> {
        match part {
            Part::BatchBegins { application, direction } => {
                self.list(BATCHES, "batches")?;
                self.out.element("{")?;
                self.out.key("application", &application)?;
                self.out.key("direction", direction.name())
            }
            Part::BlockBegins => {
                self.list(BLOCKS, "blocks")?;
                self.out.element("{")
            }
            Part::Control(control, item) => {
                let key = match control {
                    Control::BatchHeader | Control::BlockHeader => "header",
                    Control::BlockTrailer | Control::BatchTrailer => "trailer",
                };
                match control {
                    Control::BlockTrailer => self.close(TRANSACTIONS)?,
                    Control::BatchTrailer => self.close(BLOCKS)?,
                    Control::BatchHeader | Control::BlockHeader => {}
                }
                self.out.key(key, &Record { item: &item, form: self.form })
            }
            Part::Body(body) => {
                let Some(content) = Content::of(body, &mut self.translation) else { return Ok(()) };
                let key = if self.translation.is_some() { "filings" } else { "transactions" };
                self.list(TRANSACTIONS, key)?;
                self.out.element("")?;
                match content {
                    Content::Filing(filing) => self.out.value(&filing),
                    Content::Records(body) => self.out.value(&Whole { body: &body, form: self.form }),
                }
            }
            Part::BlockEnds => {
                self.close(TRANSACTIONS)?;
                self.out.close("}")
            }
            Part::BatchEnds => {
                self.close(BLOCKS)?;
                self.out.close("}")
            }
        }
    }

    fn list(&mut self, list: usize, key: &str) -> io::Result<()> {
        if std::mem::replace(&mut self.lists[list], true) {
            return Ok(());
        }
        if list == BATCHES {
            self.out.open("{")?;
        }
        self.out.key_only(key)?;
        self.out.open("[")
    }

    fn close(&mut self, list: usize) -> io::Result<()> {
        if std::mem::replace(&mut self.lists[list], false) { self.out.close("]") } else { Ok(()) }
    }
}

/// Indices of [`RecordsWriter::lists`].
const BATCHES: usize = 0;
const BLOCKS: usize = 1;
const TRANSACTIONS: usize = 2;

/// JSON's brackets and commas, for a document that is longer than memory.
struct Punctuated<W> {
    out: W,
    /// Whether nothing stands in the innermost bracket.
    fresh: bool,
}

impl<W: Write> Punctuated<W> {
    fn open(&mut self, bracket: &str) -> io::Result<()> {
        self.fresh = true;
        self.out.write_all(bracket.as_bytes())
    }

    fn close(&mut self, bracket: &str) -> io::Result<()> {
        self.fresh = false;
        self.out.write_all(bracket.as_bytes())
    }

    /// Begins an element of a list, on a line of its own.
    fn element(&mut self, bracket: &str) -> io::Result<()> {
        self.out.write_all(if self.fresh { b"\n" } else { b",\n" })?;
        self.open(bracket)
    }

    fn key_only(&mut self, key: &str) -> io::Result<()> {
        let comma = if std::mem::replace(&mut self.fresh, false) { "" } else { "," };
        write!(self.out, "{comma}\"{key}\":")
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> io::Result<()> {
        self.key_only(key)?;
        self.value(value)
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> io::Result<()> {
        self.fresh = false;
        Ok(serde_json::to_writer(&mut self.out, value)?)
    }
}

/// A transaction as it is written.
enum Content<'g> {
    Records(Body<'g>),
    Filing(Value),
}

impl<'g> Content<'g> {
    fn of(body: Body<'g>, translation: &mut Option<Translation<'g>>) -> Option<Self> {
        match translation {
            None => Some(Self::Records(body)),
            Some(translate) => translate(&body).map(Self::Filing),
        }
    }
}

/// The line form: transactions wait for the control records behind them.
#[derive(Default)]
struct Lines<'g> {
    batch: u64,
    block: u64,
    transaction: u64,
    application: String,
    direction: &'static str,
    pending: Option<Line<'g>>,
}

struct Line<'g> {
    batch: u64,
    block: u64,
    transaction: u64,
    before: Vec<Item<'g>>,
    content: Option<Content<'g>>,
    after: Vec<Item<'g>>,
}

impl<'g> Lines<'g> {
    fn part(
        &mut self,
        part: Part<'g>,
        translation: &mut Option<Translation<'g>>,
        out: &mut impl Write,
        form: Form,
    ) -> io::Result<()> {
        match part {
            Part::BatchBegins { application, direction } => {
                self.flush(out, form)?;
                self.batch += 1;
                self.block = 0;
                self.application = application;
                self.direction = direction.name();
            }
            Part::BlockBegins => {
                self.end_line_with(|line| !line.after.is_empty() || line.content.is_some(), out, form)?;
                self.block += 1;
                self.transaction = 0;
                let block = self.block;
                self.line().block = block;
            }
            Part::Control(Control::BatchHeader | Control::BlockHeader, item) => self.line().before.push(item),
            Part::Control(Control::BlockTrailer | Control::BatchTrailer, item) => {
                self.line().after.push(item)
            }
            Part::Body(body) => {
                let Some(content) = Content::of(body, translation) else { return Ok(()) };
                self.end_line_with(|line| line.content.is_some(), out, form)?;
                self.transaction += 1;
                let transaction = self.transaction;
                let line = self.line();
                line.transaction = transaction;
                line.content = Some(content);
            }
            Part::BlockEnds | Part::BatchEnds => {}
        }
        Ok(())
    }

    fn line(&mut self) -> &mut Line<'g> {
        let (batch, block) = (self.batch, self.block);
        self.pending.get_or_insert_with(|| Line {
            batch,
            block,
            transaction: 0,
            before: Vec::new(),
            content: None,
            after: Vec::new(),
        })
    }

    fn end_line_with(
        &mut self,
        is_full: impl Fn(&Line<'g>) -> bool,
        out: &mut impl Write,
        form: Form,
    ) -> io::Result<()> {
        if self.pending.as_ref().is_some_and(is_full) { self.flush(out, form) } else { Ok(()) }
    }

    fn flush(&mut self, out: &mut impl Write, form: Form) -> io::Result<()> {
        let Some(line) = self.pending.take() else { return Ok(()) };
        let mut serializer = serde_json::Serializer::new(&mut *out);
        let mut map = serializer.serialize_map(None)?;
        for (key, number) in [("batch", line.batch), ("block", line.block), ("transaction", line.transaction)]
        {
            map.serialize_entry(key, &number)?;
        }
        map.serialize_entry("application", &self.application)?;
        map.serialize_entry("direction", self.direction)?;
        if !line.before.is_empty() {
            map.serialize_entry("before", &Records { items: &line.before, form })?;
        }
        match &line.content {
            Some(Content::Records(body)) => Whole { body, form }.entries(&mut map)?,
            Some(Content::Filing(filing)) => map.serialize_entry("filing", filing)?,
            None => {}
        }
        if !line.after.is_empty() {
            map.serialize_entry("after", &Records { items: &line.after, form })?;
        }
        SerializeMap::end(map)?;
        out.write_all(b"\n")
    }
}

/// A transaction.
struct Whole<'a, 'g> {
    body: &'a Body<'g>,
    form: Form,
}

impl Whole<'_, '_> {
    fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let (items, form) = (self.body.items.as_slice(), self.form);
        if let Some((transaction, automaton)) = &self.body.tree {
            return Group { transaction, automaton, items, form, group: transaction.root() }.entries(map);
        }
        map.serialize_entry("unstructured", &Records { items, form })?;
        if let Some(fault) = &self.body.fault {
            map.serialize_entry("fault", &fault.to_string())?;
        }
        Ok(())
    }
}

impl Serialize for Whole<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.entries(&mut map)?;
        map.end()
    }
}

#[derive(Clone, Copy)]
struct Group<'a, 'g> {
    transaction: &'a Transaction,
    automaton: &'g Automaton,
    items: &'a [Item<'g>],
    form: Form,
    group: GroupRef<'a>,
}

impl Group<'_, '_> {
    fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("group", &self.automaton.group(self.group.group().index).name)?;
        map.serialize_entry("members", &Members(*self))
    }
}

impl Serialize for Group<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        self.entries(&mut map)?;
        map.end()
    }
}

struct Members<'a, 'g>(Group<'a, 'g>);

impl Serialize for Members<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let outer = &self.0;
        let mut list = serializer.serialize_seq(None)?;
        for child in children(outer.transaction, outer.group) {
            match child {
                Child::Record(position) => {
                    list.serialize_element(&Record { item: &outer.items[position], form: outer.form })?;
                }
                Child::Group(group) => list.serialize_element(&Group { group, ..*outer })?,
            }
        }
        list.end()
    }
}

struct Records<'a, 'g> {
    items: &'a [Item<'g>],
    form: Form,
}

impl Serialize for Records<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.items.iter().map(|item| Record { item, form: self.form }))
    }
}

struct Record<'a, 'g> {
    item: &'a Item<'g>,
    form: Form,
}

impl Serialize for Record<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let made;
        let row = if self.form.canonical {
            made = canonical(self.item.layout, &self.item.row);
            &made
        } else {
            &self.item.row
        };
        let Some(layout) = self.item.layout else {
            return raw(row).serialize(serializer);
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("record", &layout.record)?;
        map.serialize_entry("name", &layout.name)?;
        if !layout.variant.is_empty() {
            map.serialize_entry("variant", &layout.variant)?;
        }
        map.serialize_entry(
            "fields",
            &Fields { layout, row, item: self.item, masks: self.form.mask_passwords },
        )?;
        map.end()
    }
}

struct Fields<'a, 'g> {
    item: &'a Item<'g>,
    layout: &'g Layout,
    row: &'a Columns,
    masks: bool,
}

impl Serialize for Fields<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let blank = self.layout.blank();
        let mut map = serializer.serialize_map(None)?;
        for field in &self.layout.fields {
            let Some(value) = shown(self.layout, field, self.row, &blank) else { continue };
            let value = if self.masks && self.item.hides(field) { None } else { Some(value) };
            if field.is_filler() {
                map.serialize_entry(&format_args!("filler_{}", field.cell.first_column()), &value)?;
            } else {
                map.serialize_entry(&field.name, &value)?;
            }
        }
        map.end()
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Decoded(text) => serializer.serialize_str(text),
            Self::Raw(text) => serializer.collect_map([(RAW, text)]),
            Self::Hex(text) => serializer.collect_map([(RAW_HEX, text)]),
        }
    }
}
