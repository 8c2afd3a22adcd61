//! Records of 80 columns to rows, one entry summary after the other.

use serde_json::{Map, Value};

use super::direct::Direct;
use super::fill::{Filling, Misfit, fill, not_carried};
use super::layout::{Cells, FlatLayout, blank_cells};
use super::mapping::{BATCH, BLOCK, Member, SUMMARY};
use super::problem::{FlatProblem, shown};
use super::read::Event;
use super::totals::Totals;
use super::translator::Translator;
use crate::message::{Body, Control, Item, Part, cover};
use crate::wire::Columns;

/// Writes the batches of a stream as a file of a layout. It holds one entry summary at a time.
pub struct FlatWriter<'a> {
    pub(super) layout: &'a FlatLayout,
    translator: &'a Translator<'a>,
    /// The batch and the block in hand.
    outer: [Outer; 2],
    totals: [Totals; 2],
    summaries: u64,
    /// What told the summary before from others, if it is of the same block.
    keys: Option<Cells>,
    has_header: bool,
    masks_passwords: bool,
    /// For layouts that are simple.
    direct: Option<Direct<'a>>,
    /// Whether the cells of the batch and block in hand are known to it, as rows after the first have them.
    has_outer: bool,
}

/// A batch or block.
#[derive(Clone, Default)]
struct Outer {
    ordinal: u64,
    header: Option<(u64, Columns)>,
    /// The values of the row that begins it, once they are known.
    cells: Option<Cells>,
    is_bad: bool,
    is_written: bool,
}

/// Rows that are to be written, by their kind.
pub(super) type Rows = Vec<(usize, Cells)>;

/// What is wrong, before it is known with which record.
pub(super) struct Wrong {
    pub(super) kind: Option<usize>,
    pub(super) misfit: Misfit,
}

impl<'a> FlatWriter<'a> {
    /// A writer of one file.
    #[must_use]
    pub fn new(layout: &'a FlatLayout, translator: &'a Translator<'a>) -> Self {
        let totals = |level: usize| Totals::new(&layout.levels[level], layout.rows.len());
        Self {
            layout,
            translator,
            outer: [Outer::default(), Outer::default()],
            totals: [totals(BATCH), totals(BLOCK)],
            summaries: 0,
            keys: None,
            has_header: false,
            masks_passwords: false,
            direct: Direct::new(layout),
            has_outer: false,
        }
    }

    /// Leaves the header of comma separated values out.
    #[must_use]
    pub fn without_header(self) -> Self {
        Self { has_header: true, ..self }
    }

    /// How many batches have begun.
    #[must_use]
    pub fn batches(&self) -> u64 {
        self.outer[BATCH].ordinal
    }

    /// Writes every filing the general way, which is slower.
    #[must_use]
    pub fn without_short_cuts(self) -> Self {
        Self { direct: None, ..self }
    }

    /// Leaves passwords out, or not.
    #[must_use]
    pub fn masked(self, masks_passwords: bool) -> Self {
        Self { masks_passwords, ..self }
    }

    fn header(&mut self, level: usize, item: &Item<'_>) {
        let mut row = item.row;
        if self.masks_passwords {
            cover(&mut row, item.hidden, b' ');
        }
        self.outer[level].header = Some((item.number, row));
    }

    /// Takes the next parts of the stream, as the outline gave them for one record; adds the rows, the
    /// problems and what is rejected. A transaction that its block ends behind without a trailer may lack
    /// records: it is rejected.
    pub fn parts(&mut self, parts: &[Part<'_>], events: &mut Vec<Event>) {
        for (at, part) in parts.iter().enumerate() {
            match (part, parts.get(at + 1)) {
                (Part::Body(body), Some(Part::BlockEnds)) if self.has_outer_header() => {
                    events.push(Event::Problem(cut_off(body)));
                    events.push(Event::Rejected(raw(body)));
                }
                _ => self.part(part, events),
            }
        }
    }

    fn has_outer_header(&self) -> bool {
        self.outer.iter().any(|outer| outer.header.is_some())
    }

    fn part(&mut self, part: &Part<'_>, events: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.has_header, true) && self.layout.is_csv() {
            events.push(Event::Rows(self.layout.header()));
        }
        match part {
            Part::BatchBegins { .. } => {
                self.begin(BATCH);
                self.outer[BLOCK] = Outer::default();
            }
            Part::BlockBegins => {
                self.begin(BLOCK);
                self.summaries = 0;
                self.keys = None;
            }
            Part::Control(Control::BatchHeader, item) => self.header(BATCH, item),
            Part::Control(Control::BlockHeader, item) => self.header(BLOCK, item),
            Part::Control(Control::BlockTrailer, item) => self.trailer(BLOCK, item, events),
            Part::Control(Control::BatchTrailer, item) => self.trailer(BATCH, item, events),
            Part::Body(body) => self.body(body, events),
            Part::BlockEnds => self.end(BLOCK, events),
            Part::BatchEnds => self.end(BATCH, events),
        }
    }

    fn begin(&mut self, level: usize) {
        let ordinal = self.outer[level].ordinal + 1;
        self.has_outer = false;
        self.outer[level] = Outer { ordinal, ..Outer::default() };
        self.totals[level].reset();
    }

    /// A trailer is made anew when the file is read; one that says something else would be lost.
    fn trailer(&self, level: usize, item: &Item<'_>, events: &mut Vec<Event>) {
        let header = self.outer[level].header.as_ref().filter(|_| self.outer[level].is_written);
        if let Some((_, header)) = header
            && self.translator.trailer(level, header) != item.row
        {
            events.push(Event::Problem(FlatProblem {
                row: item.number,
                record: self.layout.levels[level].name.clone(),
                field: String::new(),
                columns: None,
                found: "a trailer that says something else".to_owned(),
                expected: "what the header says".to_owned(),
            }));
        }
    }

    fn body(&mut self, body: &Body<'_>, events: &mut Vec<Event>) {
        self.summaries += 1;
        if self.direct.is_some() && self.outer_rows(events).is_ok() && self.write_directly(body, events) {
            return;
        }
        let number = body.items.first().map_or(0, |item| item.number);
        let mut rows = Vec::new();
        let made = self.outer_rows(events).and_then(|()| {
            let filing = self.translator.filing(body).map_err(|problem| {
                let found = "no entry summary".to_owned();
                let misfit =
                    Misfit { field: None, found, expected: format!("one that can be read: {problem}") };
                Some(Wrong { kind: None, misfit })
            })?;
            let carried = self.carried(SUMMARY);
            let keys = self.emit(SUMMARY, &filing, carried, self.summaries, &mut rows).map_err(Some)?;
            self.differ(SUMMARY, self.keys.as_ref(), &keys).map_err(Some)?;
            self.keys = Some(keys);
            rows.iter()
                .map(|(kind, cells)| self.bytes(*kind, cells))
                .collect::<Result<Vec<_>, _>>()
                .map_err(Some)
        });
        match made {
            Ok(bytes) => {
                self.write_outer(events);
                rows.iter().for_each(|(kind, cells)| self.count(*kind, cells));
                events.extend(bytes.into_iter().map(Event::Rows));
            }
            Err(wrong) => {
                events.extend(wrong.map(|wrong| Event::Problem(self.problem(number, wrong))));
                events.push(Event::Rejected(raw(body)));
            }
        }
    }

    /// Writes a filing without the way through JSON, if the layout and the filing are simple.
    fn write_directly(&mut self, body: &Body<'_>, events: &mut Vec<Event>) -> bool {
        if !self.has_outer {
            let cells = self.carried(SUMMARY);
            if let (Some(direct), Some((_, cells))) = (&mut self.direct, cells) {
                direct.set_outer(&cells);
                self.has_outer = self.outer.iter().all(|outer| outer.is_written);
            }
        }
        let (Some(direct), Ok(filing)) = (&mut self.direct, self.translator.typed(body)) else {
            return false;
        };
        let mut rows = Vec::new();
        if direct.rows(&filing, self.summaries, &mut rows).is_none() {
            return false;
        }
        self.write_outer(events);
        events.push(Event::Rows(rows));
        true
    }

    /// Makes the rows of the batch and the block, unless that has been done; tells once what is wrong.
    fn outer_rows(&mut self, events: &mut Vec<Event>) -> Result<(), Option<Wrong>> {
        for level in [BATCH, BLOCK] {
            if self.outer[level].is_bad {
                return Err(None);
            }
            if self.outer[level].cells.is_some() {
                continue;
            }
            let header = self.outer[level].header;
            let object = header.map(|(_, row)| self.translator.fields(level, &row));
            let object = object.unwrap_or_else(|| Value::Object(Map::new()));
            match self.outer_cells(level, &object) {
                Ok(cells) => self.outer[level].cells = Some(cells),
                Err(wrong) => {
                    self.outer[level].is_bad = true;
                    let number = header.map_or(0, |(number, _)| number);
                    events.push(Event::Problem(self.problem(number, wrong)));
                    return Err(None);
                }
            }
        }
        Ok(())
    }

    fn outer_cells(&self, level: usize, object: &Value) -> Result<Cells, Wrong> {
        let known = &self.layout.levels[level];
        if self.outer[level].ordinal > 1 && self.cannot_be_second(level) {
            let found = format!("{} {} of the file", known.name, self.outer[level].ordinal);
            let expected = "one: no row tells where another one begins".to_owned();
            return Err(Wrong { kind: None, misfit: Misfit { field: None, found, expected } });
        }
        let Some(kind) = known.row else {
            let mut made = Value::Object(Map::new());
            let built = known.body.build(&Vec::new(), &mut made);
            let left = super::path::left_over(object, &made);
            return match (built, left) {
                (Err(misfit), _) => Err(Wrong { kind: None, misfit }),
                (Ok(()), Some(left)) => Err(Wrong { kind: None, misfit: not_carried(&left) }),
                (Ok(()), None) => Ok(Vec::new()),
            };
        };
        let row = &self.layout.rows[kind];
        let mut cells = self.carried(level).map_or_else(|| blank_cells(row), |(_, cells)| cells);
        if let Some(field) = known.body.number {
            cells[field] = Some(self.outer[level].ordinal.to_string());
        }
        let mut fillings = [Filling { row, body: &known.body, cells }];
        let filled = fill(object, &mut fillings, self.layout.encoding());
        filled.map_err(|(_, misfit)| Wrong { kind: Some(kind), misfit })?;
        let [Filling { cells, .. }] = fillings;
        Ok(cells)
    }

    /// Whether a second batch of the file, or block of the batch, would be read as something else.
    fn cannot_be_second(&self, level: usize) -> bool {
        let levels = &self.layout.levels;
        let begins_both =
            level == BLOCK && levels[BATCH].row == levels[BLOCK].row && levels[BATCH].keys.is_empty();
        levels[level].row.is_none() || begins_both
    }

    /// The values of a level around that stand in the same row.
    fn carried(&self, level: usize) -> Option<(usize, Cells)> {
        let kind = self.layout.levels[level].row?;
        let around =
            (0..level.min(SUMMARY)).rev().find(|around| self.layout.levels[*around].row == Some(kind))?;
        let mut cells = self.outer[around].cells.clone()?;
        if self.outer[around].is_written {
            self.forget_once(around, kind, &mut cells);
        }
        Some((kind, cells))
    }

    /// Writes the rows of the batch and the block that have some of their own.
    fn write_outer(&mut self, events: &mut Vec<Event>) {
        for level in [BATCH, BLOCK] {
            if std::mem::replace(&mut self.outer[level].is_written, true) {
                continue;
            }
            let Some(kind) = self.layout.levels[level].row else { continue };
            let is_shared = self.layout.levels[level + 1..].iter().any(|inner| inner.row == Some(kind));
            let cells = self.outer[level].cells.clone();
            if let Some(cells) = cells.filter(|_| !is_shared) {
                self.write(kind, &cells, events);
            }
        }
    }

    fn count(&mut self, kind: usize, cells: &Cells) {
        self.totals.iter_mut().for_each(|totals| totals.add(kind, cells));
    }

    /// Writes a row of a batch or block.
    fn write(&mut self, kind: usize, cells: &Cells, events: &mut Vec<Event>) {
        match self.bytes(kind, cells) {
            Ok(bytes) => {
                self.count(kind, cells);
                events.push(Event::Rows(bytes));
            }
            Err(wrong) => events.push(Event::Problem(self.problem(0, wrong))),
        }
    }

    fn end(&mut self, level: usize, events: &mut Vec<Event>) {
        if !self.outer[level].is_written {
            return;
        }
        let layout = self.layout;
        for member in &layout.levels[level].members {
            if let Member::With { row, body } = member {
                let mut cells = blank_cells(&layout.rows[*row]);
                self.total(&self.totals[level], body, *row, &mut cells);
                self.write(*row, &cells, events);
            }
        }
    }

    fn problem(&self, number: u64, wrong: Wrong) -> FlatProblem {
        let Misfit { field, found, expected } = wrong.misfit;
        let row = wrong.kind.map(|kind| &self.layout.rows[kind]);
        let known = row.zip(field).and_then(|(row, field)| row.fields.get(field));
        FlatProblem {
            row: number,
            record: row.map(|row| row.name.clone()).unwrap_or_default(),
            field: known.map(|known| known.name.clone()).unwrap_or_default(),
            columns: known.map(|known| {
                let last = if self.layout.is_csv() { known.end + 1 } else { known.end };
                (known.start + 1, last)
            }),
            found: known.map_or_else(|| found.clone(), |known| shown(&found, known.secret)),
            expected,
        }
    }
}

/// The records of a transaction, one a line.
fn raw(body: &Body<'_>) -> Vec<u8> {
    body.items.iter().flat_map(|item| item.row.iter().copied().chain([b'\n'])).collect()
}

/// The problem of a transaction that the file may end in the middle of.
fn cut_off(body: &Body<'_>) -> FlatProblem {
    FlatProblem {
        row: body.items.first().map_or(0, |item| item.number),
        record: "summary".to_owned(),
        field: String::new(),
        columns: None,
        found: "no Y-record behind it".to_owned(),
        expected: "its block closed: it may lack records and is left out".to_owned(),
    }
}
