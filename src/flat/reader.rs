//! Rows one after the other: which kind each is, and what it belongs to.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::cell::Field;
use super::frame::Frame;
use super::layout::{Cells, FlatLayout, Row};
use super::mapping::{BATCH, Body, Entry, Member, SUMMARY};
use super::parse::Standing;
use super::problem::shown;
use super::read::{Event, csv_row};
use super::totals::Totals;
use super::translator::Translator;
use crate::wire::{Columns, Limits};

/// A batch, block, summary or element that rows are being added to.
pub(super) struct Element {
    pub(super) object: Value,
    /// The fields that tell it from the next one, as they stand.
    pub(super) keys: Vec<Vec<u8>>,
    /// The values of the row that began it.
    pub(super) cells: Cells,
    /// The row that began it.
    pub(super) number: u64,
    /// Its path in the summary.
    pub(super) path: String,
    /// The other rows of it that have come.
    pub(super) with: Vec<usize>,
    /// The header of a batch or block; nothing if it is wrong.
    pub(super) header: Option<Columns>,
    /// Whether the header has been given away.
    pub(super) is_given: bool,
}

/// Where a part of the summary came from.
pub(super) struct Origin {
    pub(super) path: String,
    pub(super) number: u64,
    pub(super) kind: usize,
    pub(super) level: usize,
    /// Which member of the level, if it is not its first row.
    pub(super) member: Option<usize>,
}

/// The rows of the summary in hand.
#[derive(Default)]
pub(super) struct Unit {
    pub(super) raw: Vec<u8>,
    pub(super) rows: usize,
    pub(super) is_bad: bool,
    pub(super) origins: Vec<Origin>,
}

/// The rows of batches and blocks, for what is rejected below them.
#[derive(Default)]
pub(super) struct Context {
    pub(super) raw: Vec<u8>,
    pub(super) is_rejected: bool,
}

/// A row with its values taken apart.
pub(super) struct Given<'r> {
    pub(super) number: u64,
    pub(super) kind: usize,
    pub(super) cells: Cells,
    /// The values as they stand.
    pub(super) bytes: Vec<&'r [u8]>,
    pub(super) raw: &'r [u8],
    pub(super) is_bad: bool,
}

pub(super) struct Reader<'a> {
    pub(super) layout: &'a FlatLayout,
    pub(super) translator: &'a Translator<'a>,
    pub(super) open: Vec<Option<Element>>,
    pub(super) totals: Vec<Totals>,
    pub(super) unit: Unit,
    pub(super) context: Context,
    pub(super) events: Vec<Event>,
    pub(super) rows: u64,
    /// In CSV the field of each column.
    pub(super) places: Rc<[usize]>,
    /// For each kind of row, the levels it begins, outermost first.
    pub(super) begins: Vec<Vec<usize>>,
    /// For each level with keys, those that have been and the rows that they began in, since what is
    /// around it began.
    pub(super) seen: Vec<HashMap<u128, u64>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(layout: &'a FlatLayout, translator: &'a Translator<'a>) -> Self {
        let kinds = layout.rows.len();
        let begins = |kind: usize| {
            (0..layout.levels.len()).filter(|level| layout.levels[*level].row == Some(kind)).collect()
        };
        Self {
            layout,
            translator,
            open: layout.levels.iter().map(|_| None).collect(),
            totals: layout.levels.iter().map(|level| Totals::new(level, kinds)).collect(),
            unit: Unit::default(),
            context: Context::default(),
            events: Vec::new(),
            rows: 0,
            places: Rc::new([]),
            begins: (0..kinds).map(begins).collect(),
            seen: layout.levels.iter().map(|_| HashMap::new()).collect(),
        }
    }

    /// Takes a row of a fixed length.
    pub(super) fn frame(&mut self, frame: &Frame<'_>, is_last: bool) {
        let layout = self.layout;
        let (number, columns, raw) = (frame.number, &*frame.columns, &*frame.raw);
        self.rows += 1;
        if let Some(found) = frame.wrong_length {
            self.problem(number, "", None, format!("{found} columns"), format!("{}", columns.len()));
            return self.unknown(raw);
        }
        let is_first = self.rows == 1;
        let fits = |row: &Row| match row.standing {
            Standing::First => is_first,
            Standing::Last => is_last,
            Standing::Anywhere => true,
        };
        // What a place in the file tells goes before what any row could be.
        let of = |standing: bool| {
            layout.rows.iter().position(|row| {
                (row.standing != Standing::Anywhere) == standing
                    && fits(row)
                    && row.is_this(columns, layout.encoding())
            })
        };
        let Some(kind) = of(true).or_else(|| of(false)) else {
            let names = layout.rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>();
            self.problem(
                number,
                "",
                None,
                "a row of no known kind".to_owned(),
                format!("one of {}", names.join(" ")),
            );
            return self.unknown(raw);
        };
        let fields = &layout.rows[kind].fields;
        let bytes: Vec<&[u8]> = fields.iter().map(|field| &columns[field.start..field.end]).collect();
        let values =
            fields.iter().zip(&bytes).map(|(field, bytes)| field.read(bytes, layout.encoding())).collect();
        self.values(number, kind, values, bytes, raw);
    }

    /// Takes a row of comma separated values. Rows that are blank say nothing, and cells that are missing
    /// at the end are blank.
    pub(super) fn csv_row(&mut self, record: &csv::ByteRecord, number: u64) {
        if record.iter().all(|value| value.trim_ascii().is_empty()) {
            return;
        }
        let raw = csv_row(record);
        let raw = raw.as_slice();
        let places = Rc::clone(&self.places);
        let beyond = record.iter().enumerate().skip(places.len());
        if let Some((at, value)) = beyond.into_iter().find(|(_, value)| !value.trim_ascii().is_empty()) {
            let found = format!("{} in column {}", shown(&String::from_utf8_lossy(value), true), at + 1);
            let expected = format!("no more than the {} columns of the header", places.len());
            self.problem(number, &self.layout.rows[0].name, None, found, expected);
            return self.unknown(raw);
        }
        let fields = &self.layout.rows[0].fields;
        let mut bytes = vec![&b""[..]; fields.len()];
        for (place, value) in places.iter().zip(record) {
            bytes[*place] = value;
        }
        let read = |(field, bytes): (&Field, &&[u8])| match std::str::from_utf8(bytes) {
            Ok(text) => field.read_text(text),
            Err(_) => Err("text in UTF-8".to_owned()),
        };
        let values = fields.iter().zip(&bytes).map(read).collect();
        self.values(number, 0, values, bytes, raw);
    }

    pub(super) fn values(
        &mut self,
        number: u64,
        kind: usize,
        values: Vec<Result<Option<String>, String>>,
        bytes: Vec<&[u8]>,
        raw: &[u8],
    ) {
        let mut given =
            Given { number, kind, cells: Vec::with_capacity(values.len()), bytes, raw, is_bad: false };
        for (index, value) in values.into_iter().enumerate() {
            match value {
                Ok(value) => given.cells.push(value),
                Err(expected) => {
                    let found = self.found(kind, index, given.bytes[index]);
                    self.problem_at(number, kind, index, found, expected);
                    given.cells.push(None);
                    given.is_bad = true;
                }
            }
        }
        self.row(given);
    }

    /// A row that cannot be told: it may be of the summary in hand.
    pub(super) fn unknown(&mut self, raw: &[u8]) {
        self.totals.iter_mut().for_each(Totals::add_other);
        if self.open[SUMMARY].is_some() {
            self.unit.is_bad = true;
            self.keep(raw);
        } else {
            self.reject(raw);
        }
    }

    pub(super) fn row(&mut self, given: Given<'_>) {
        let levels = self.begins[given.kind].clone();
        if levels.is_empty() {
            return self.with(given);
        }
        let innermost = levels.len() - 1;
        let from = levels.iter().position(|level| self.is_new(*level, &given)).unwrap_or(levels.len());
        let goes_on = &levels[..from];
        let begun = &levels[from..];
        let says =
            |level: &usize| *level <= SUMMARY || !self.layout.levels[*level].body.is_blank(&given.cells);
        let begun = &begun[..begun.iter().rposition(says).map_or(0, |last| last + 1)];
        if begun.is_empty() {
            let name = &self.layout.rows[given.kind].name;
            let expected = "something that the rows before do not say".to_owned();
            self.problem(given.number, name, None, "nothing new".to_owned(), expected);
            return self.unknown(given.raw);
        }
        let parent = self.layout.levels[begun[0]].parent;
        if let Some(parent) = parent
            && !self.open_implicitly(parent, given.number)
        {
            return self.stray(&given, parent);
        }
        let mut agrees = true;
        for level in goes_on {
            agrees &= self.agrees(*level, &given);
        }
        let outermost = begun[0];
        for level in begun {
            let parent = self.layout.levels[*level].parent;
            if let Some(parent) = parent {
                self.open_implicitly(parent, given.number);
            }
            self.close_but(parent);
            self.begin(*level, &given);
        }
        self.unit.is_bad |= !agrees;
        self.count(&given);
        self.file(&given, outermost, levels[innermost]);
    }

    /// Whether a row begins another batch, block, summary or element than the one in hand: each does
    /// where no keys tell.
    pub(super) fn is_new(&self, level: usize, given: &Given<'_>) -> bool {
        let keys = &self.layout.levels[level].keys;
        let Some(element) = &self.open[level] else { return true };
        keys.is_empty()
            || keys.iter().zip(&element.keys).any(|(key, known)| {
                let bytes = given.bytes[*key];
                bytes != known.as_slice() && !self.is_blank(given, *key)
            })
    }

    pub(super) fn is_blank(&self, given: &Given<'_>, field: usize) -> bool {
        given.bytes[field].iter().all(|byte| *byte == self.layout.encoding().space())
    }

    /// A row of an element that another row has begun.
    pub(super) fn with(&mut self, given: Given<'_>) {
        let layout = self.layout;
        let place = layout.levels.iter().enumerate().find_map(|(level, known)| {
            known.members.iter().enumerate().find_map(|(member, other)| match other {
                Member::With { row, body } if *row == given.kind => Some((level, member, body)),
                _ => None,
            })
        });
        let Some((level, member, body)) = place else { return };
        if self.open[level].is_none() {
            return self.stray(&given, level);
        }
        self.close_but(Some(level));
        self.count(&given);
        let is_good = self.check_totals(level, body, &given) && !given.is_bad;
        let Some(element) = &mut self.open[level] else { return };
        if element.with.contains(&given.kind) {
            let name = layout.levels[level].name.clone();
            let found = format!("it a second time in the {name}");
            self.problem(given.number, &layout.rows[given.kind].name, None, found, "it once".to_owned());
            return self.after(level, &given, false);
        }
        element.with.push(given.kind);
        let path = element.path.clone();
        let built = body.build(&given.cells, &mut element.object);
        let is_built = built.is_ok();
        if let Err(misfit) = built {
            self.misfit(&given, misfit);
        }
        self.unit.origins.push(Origin {
            path,
            number: given.number,
            kind: given.kind,
            level,
            member: Some(member),
        });
        self.after(level, &given, is_good && is_built);
    }

    pub(super) fn after(&mut self, level: usize, given: &Given<'_>, is_good: bool) {
        if level >= SUMMARY {
            self.unit.is_bad |= !is_good;
            self.keep(given.raw);
        } else if !is_good {
            self.reject(given.raw);
        }
    }

    pub(super) fn check_totals(&mut self, level: usize, body: &Body, given: &Given<'_>) -> bool {
        let mut is_good = true;
        for total in &body.totals {
            let stated = given.cells[total.field].as_deref();
            let stated = stated.and_then(|text| rust_decimal::Decimal::from_str_exact(text).ok());
            let counted = self.totals[level].of(total);
            // A sum of amounts that could not be read is not told a second time.
            if counted.is_some() && stated != counted {
                let found = self.found(given.kind, total.field, given.bytes[total.field]);
                let expected =
                    counted.map_or("a sum that can be told".to_owned(), |number| number.to_string());
                self.problem_at(given.number, given.kind, total.field, found, expected);
                is_good = false;
            }
        }
        is_good
    }

    pub(super) fn count(&mut self, given: &Given<'_>) {
        self.totals.iter_mut().for_each(|totals| totals.add(given.kind, &given.cells));
    }

    /// Keeps a row for what it belongs to.
    pub(super) fn file(&mut self, given: &Given<'_>, outermost: usize, innermost: usize) {
        if innermost >= SUMMARY {
            self.unit.is_bad |= given.is_bad;
            return self.keep(given.raw);
        }
        if outermost == BATCH {
            self.context.raw.clear();
        }
        self.context.raw.extend_from_slice(given.raw);
        self.context.is_rejected = false;
    }

    /// Whether a row that goes on says what the row that began it said, or nothing.
    pub(super) fn agrees(&mut self, level: usize, given: &Given<'_>) -> bool {
        let body = &self.layout.levels[level].body;
        let Some(element) = &self.open[level] else { return true };
        let fields = body.entries.iter().filter_map(Entry::field).chain(body.rest);
        let differs =
            |field: &usize| given.cells[*field].is_some() && given.cells[*field] != element.cells[*field];
        let differing: Vec<usize> = fields.filter(differs).collect();
        let number = element.number;
        let agrees = differing.is_empty();
        for field in differing {
            let found = self.found(given.kind, field, given.bytes[field]);
            self.problem_at(
                given.number,
                given.kind,
                field,
                found,
                format!("what row {number} says, or nothing"),
            );
        }
        agrees
    }

    pub(super) fn keep(&mut self, raw: &[u8]) {
        self.unit.rows += 1;
        let most = Limits::default().records_per_transaction;
        if self.unit.rows > most {
            if self.unit.rows == most + 1 {
                self.problem(
                    self.rows,
                    "summary",
                    None,
                    format!("more than {most} rows"),
                    "fewer".to_owned(),
                );
                self.unit.is_bad = true;
            }
            let kept = std::mem::take(&mut self.unit.raw);
            self.reject_with_context(&kept);
            self.forget();
            return self.reject(raw);
        }
        self.unit.raw.extend_from_slice(raw);
    }

    /// Drops what is known of a summary that is too long.
    pub(super) fn forget(&mut self) {
        self.unit.origins.clear();
        for element in self.open.iter_mut().skip(SUMMARY).flatten() {
            element.object = Value::Object(Map::new());
        }
    }

    pub(super) fn reject_with_context(&mut self, raw: &[u8]) {
        if !std::mem::replace(&mut self.context.is_rejected, true) {
            let context = self.context.raw.clone();
            self.reject(&context);
        }
        self.reject(raw);
    }

    pub(super) fn reject(&mut self, raw: &[u8]) {
        if !raw.is_empty() {
            self.events.push(Event::Rejected(raw.to_vec()));
        }
    }
}
