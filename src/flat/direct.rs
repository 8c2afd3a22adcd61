//! Tables written from typed filings, without a tree of JSON between them.
//!
//! Most tables are simple: comma separated values, every level of the mapping in the one row, no constants.
//! For these a filing serializes itself into cells. What a column cannot carry goes to the level's column for
//! the rest, as [`super::fill`] does it for every layout; a filing that is not so simple is left to that.

mod place;
mod slot;

use serde::Serialize;
use serde_json::{Map, Value};

use self::place::Placer;
use self::slot::{Slot, compile};
use super::layout::{Cells, FlatLayout};
use super::mapping::SUMMARY;
use crate::model::EntrySummaryFiling;

/// Why something is not placed.
#[derive(Debug, thiserror::Error)]
enum Stop {
    /// No column carries it: it belongs to what is left over.
    #[error("not carried")]
    NotCarried,
    /// It is to be written the general way.
    #[error("not simple")]
    NotSimple,
}

impl serde::ser::Error for Stop {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self::NotSimple
    }
}

/// A layout for which filings become rows directly, and the memory for it.
pub(super) struct Direct<'a> {
    layout: &'a FlatLayout,
    /// What the filing becomes.
    root: Slot,
    /// The fields of each level that stand in its first row only.
    once: Vec<Vec<usize>>,
    state: State,
    row: Vec<Span>,
    /// The cells of the batch and the block, quoted.
    outer: Vec<Vec<u8>>,
}

/// Where in the text a cell stands; nothing if its end is 0.
type Span = (usize, usize);

/// The cells of one filing.
#[derive(Default)]
struct State {
    /// The text of all cells.
    text: Vec<u8>,
    /// The summary and the elements of its lists, in order.
    elements: Vec<Element>,
    used: usize,
    /// The keys of the objects around what is being placed, within its element.
    path: Vec<&'static str>,
    /// How many values have been placed or left over.
    count: usize,
    /// The key of an element of a list.
    captured: String,
}

/// The cells of a summary or of an element that has rows of its own.
#[derive(Default)]
struct Element {
    level: usize,
    parent: Option<usize>,
    /// Whether another element stands in its rows.
    is_around: bool,
    cells: Vec<(usize, Span)>,
    rest: Map<String, Value>,
    /// The element's rows that have been written.
    rows: usize,
}

/// What has been placed up to some time.
struct Mark {
    text: usize,
    cells: usize,
    count: usize,
}

impl<'a> Direct<'a> {
    /// None for a layout that is not simple.
    pub(super) fn new(layout: &'a FlatLayout) -> Option<Self> {
        let root = compile(layout)?;
        let fields = &layout.rows[0].fields;
        let once = layout.levels.iter().map(|level| {
            let own = level.body.entries.iter().filter_map(super::mapping::Entry::field);
            own.filter(|field| fields[*field].once).chain(level.body.rest).collect()
        });
        let once = once.collect();
        let (row, outer) = (vec![(0, 0); fields.len()], vec![Vec::new(); fields.len()]);
        Some(Self { layout, root, once, state: State::default(), row, outer })
    }

    /// Takes the cells of the batch and the block.
    pub(super) fn set_outer(&mut self, cells: &Cells) {
        let fields = &self.layout.rows[0].fields;
        for ((cell, field), quoted) in cells.iter().zip(fields).zip(&mut self.outer) {
            quoted.clear();
            // What does not fit has been told when the cells were made.
            let text = cell.as_deref().and_then(|value| field.text_of(value).ok());
            put_cell(quoted, text.unwrap_or_default().as_bytes());
        }
    }

    /// Adds the rows of a filing; nothing if it is to be written the general way.
    pub(super) fn rows(
        &mut self,
        filing: &EntrySummaryFiling,
        ordinal: u64,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let Self { layout, root, state, .. } = self;
        state.text.clear();
        state.path.clear();
        (state.used, state.count) = (0, 0);
        let element = state.open(SUMMARY, None);
        state.number(layout, element, ordinal);
        filing.serialize(Placer { layout, state, slot: root, element, keeps_rest: true }).ok()?;
        state.close(layout, element).ok()?;
        for index in 0..self.state.used {
            if !self.state.elements[index].is_around {
                self.write_row(index, out);
            }
        }
        Some(())
    }

    fn write_row(&mut self, index: usize, out: &mut Vec<u8>) {
        let Self { once, state, row, outer, .. } = self;
        row.fill((0, 0));
        let mut around = Some(index);
        while let Some(at) = around {
            let element = &mut state.elements[at];
            for (field, span) in &element.cells {
                if element.rows == 0 || !once[element.level].contains(field) {
                    row[*field] = *span;
                }
            }
            element.rows += 1;
            around = element.parent;
        }
        for (at, ((start, end), outer)) in row.iter().zip(outer).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            match *end {
                0 => out.extend_from_slice(outer),
                _ => put_cell(out, &state.text[*start..*end]),
            }
        }
        out.extend_from_slice(b"\r\n");
    }
}

impl State {
    fn open(&mut self, level: usize, parent: Option<usize>) -> usize {
        if self.used == self.elements.len() {
            self.elements.push(Element::default());
        }
        let element = &mut self.elements[self.used];
        element.cells.clear();
        element.rest.clear();
        (element.level, element.parent, element.is_around, element.rows) = (level, parent, false, 0);
        self.used += 1;
        if let Some(parent) = parent {
            self.elements[parent].is_around = true;
        }
        self.used - 1
    }

    fn number(&mut self, layout: &FlatLayout, element: usize, ordinal: u64) {
        if let Some(field) = layout.levels[self.elements[element].level].body.number {
            self.put(element, field, ordinal.to_string().as_bytes());
        }
    }

    fn put(&mut self, element: usize, field: usize, text: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(text);
        self.elements[element].cells.push((field, (start, self.text.len())));
        self.count += 1;
    }

    /// Ends an element: what is left over becomes a cell.
    fn close(&mut self, layout: &FlatLayout, element: usize) -> Result<(), Stop> {
        if self.elements[element].rest.is_empty() {
            return Ok(());
        }
        let rest = layout.levels[self.elements[element].level].body.rest.ok_or(Stop::NotSimple)?;
        let mut left = Value::Object(std::mem::take(&mut self.elements[element].rest));
        super::translator::join_records(&mut left);
        self.put(element, rest, left.to_string().as_bytes());
        Ok(())
    }

    fn mark(&self, element: usize) -> Mark {
        Mark { text: self.text.len(), cells: self.elements[element].cells.len(), count: self.count }
    }

    fn back(&mut self, element: usize, mark: &Mark) {
        self.text.truncate(mark.text);
        self.elements[element].cells.truncate(mark.cells);
        self.count = mark.count;
    }

    /// Keeps a value that no column carries.
    fn leave(&mut self, element: usize, key: &'static str, value: Value) -> Result<(), Stop> {
        let mut object = &mut self.elements[element].rest;
        for around in &self.path {
            let inner = object.entry(*around).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(inner) = inner else { return Err(Stop::NotSimple) };
            object = inner;
        }
        object.insert(key.to_owned(), value);
        self.count += 1;
        Ok(())
    }
}

/// Writes one of comma separated values, with quotes where it needs them (RFC 4180).
fn put_cell(out: &mut Vec<u8>, text: &[u8]) {
    if !text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for byte in text {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}
