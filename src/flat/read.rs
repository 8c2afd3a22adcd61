//! Rows to records of 80 columns, one entry summary after the other.

use std::io::{self, BufRead, Read};

use serde_json::{Map, Value};

use super::cell::Field;
use super::frame::{Bounded, Frame, frames};
use super::layout::{Cells, FlatLayout, Row};
use super::mapping::{BATCH, BLOCK, Body, Member, Misfit, SUMMARY};
use super::parse::Standing;
use super::problem::{FlatError, FlatProblem, shown};
use super::totals::Totals;
use super::translator::{Refused, Translator};
use crate::wire::{Columns, Limits};

/// What becomes of the rows of a file.
#[derive(Debug)]
pub enum Event {
    /// A record of 80 columns.
    Record(Columns),
    /// Bytes of a file of the layout.
    Rows(Vec<u8>),
    /// What is wrong with a row.
    Problem(FlatProblem),
    /// What is left out because something is wrong with it, as it came.
    Rejected(Vec<u8>),
}

/// Reads a file of a layout and gives what becomes of it to `sink`, in order. One entry summary is
/// held at a time.
///
/// # Errors
/// The file cannot be read on, or the sink fails. What is wrong with single rows is told as events.
pub fn read_flat(
    layout: &FlatLayout,
    translator: &Translator<'_>,
    input: impl BufRead,
    sink: &mut dyn FnMut(Event) -> io::Result<()>,
) -> Result<(), FlatError> {
    let mut reader = Reader::new(layout, translator);
    if layout.is_csv() {
        return read_csv(reader, input, sink);
    }
    let looks_ahead = layout.rows.iter().any(|row| row.standing == Standing::Last);
    let mut held: Option<Frame<'static>> = None;
    frames(layout, input, &mut |frame| {
        if !looks_ahead {
            reader.frame(&frame, false);
        } else if let Some(before) = held.replace(frame.into_owned()) {
            reader.frame(&before, false);
        }
        reader.events.drain(..).try_for_each(&mut *sink)
    })?;
    if let Some(last) = held {
        reader.frame(&last, true);
    }
    reader.finish();
    Ok(reader.events.drain(..).try_for_each(sink)?)
}

fn read_csv(
    mut reader: Reader<'_>,
    input: impl Read,
    sink: &mut dyn FnMut(Event) -> io::Result<()>,
) -> Result<(), FlatError> {
    let (bounded, renewal) = Bounded::new(input);
    let mut csv = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bounded);
    let mut record = csv::ByteRecord::new();
    if !csv.read_byte_record(&mut record)? {
        return Ok(());
    }
    let places = header(reader.layout, &record)?;
    let header = csv_row(&record);
    let mut is_first_rejected = true;
    loop {
        renewal.renew();
        if !csv.read_byte_record(&mut record)? {
            break;
        }
        let number = record.position().map_or(0, csv::Position::line);
        reader.csv_row(number, &record, &places);
        for event in reader.events.drain(..) {
            with_header(event, &header, &mut is_first_rejected, sink)?;
        }
    }
    reader.finish();
    for event in reader.events.drain(..) {
        with_header(event, &header, &mut is_first_rejected, sink)?;
    }
    Ok(())
}

/// What is rejected is a file of its own, with a header.
fn with_header(
    event: Event,
    header: &[u8],
    is_first: &mut bool,
    sink: &mut dyn FnMut(Event) -> io::Result<()>,
) -> io::Result<()> {
    if matches!(event, Event::Rejected(_)) && std::mem::take(is_first) {
        sink(Event::Rejected(header.to_vec()))?;
    }
    sink(event)
}

/// A row of comma separated values with the end of its line.
pub(super) fn csv_row<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut writer =
        csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(values);
    writer.into_inner().unwrap_or_default()
}

/// Where the columns of a header stand in the layout's row.
fn header(layout: &FlatLayout, record: &csv::ByteRecord) -> Result<Vec<usize>, FlatError> {
    let mut places = Vec::new();
    let Some(row) = layout.rows.first() else { return Ok(places) };
    for (index, name) in record.iter().enumerate() {
        let name = if index == 0 { name.strip_prefix(b"\xef\xbb\xbf").unwrap_or(name) } else { name };
        let name = String::from_utf8_lossy(name.trim_ascii()).into_owned();
        let wrong =
            |found: String, expected: &str| FlatError::Header { found, expected: expected.to_owned() };
        let field = row.field(&name);
        let field = field.ok_or_else(|| wrong(format!("column {name:?}"), "the layout's columns"))?;
        if places.contains(&field) {
            return Err(wrong(format!("column {name:?} twice"), "each column once"));
        }
        places.push(field);
    }
    let is_missing = |index: &usize| row.fields[*index].mandatory && !places.contains(index);
    if let Some(missing) = (0..row.fields.len()).find(is_missing) {
        let expected = format!("a column {:?}", row.fields[missing].name);
        return Err(FlatError::Header { found: "no such column".to_owned(), expected });
    }
    Ok(places)
}

/// A batch, block, summary or element that rows are being added to.
struct Element {
    object: Value,
    /// The fields that tell it from the next one, as they stand.
    keys: Vec<Vec<u8>>,
    /// The values of the row that began it.
    cells: Cells,
    /// The row that began it.
    number: u64,
    /// Its path in the summary.
    path: String,
    /// The other rows of it that have come.
    with: Vec<usize>,
    /// The header of a batch or block; nothing if it is wrong.
    header: Option<Columns>,
    /// Whether the header has been given away.
    is_given: bool,
}

/// Where a part of the summary came from.
struct Origin {
    path: String,
    number: u64,
    kind: usize,
    level: usize,
    /// Which member of the level, if it is not its first row.
    member: Option<usize>,
}

/// The rows of the summary in hand.
#[derive(Default)]
struct Unit {
    raw: Vec<u8>,
    rows: usize,
    is_bad: bool,
    origins: Vec<Origin>,
}

/// The rows of batches and blocks, for what is rejected below them.
#[derive(Default)]
struct Context {
    raw: Vec<u8>,
    is_rejected: bool,
}

/// A row with its values taken apart.
struct Given<'r> {
    number: u64,
    kind: usize,
    cells: Cells,
    /// The values as they stand.
    bytes: Vec<&'r [u8]>,
    raw: &'r [u8],
    is_bad: bool,
}

struct Reader<'a> {
    layout: &'a FlatLayout,
    translator: &'a Translator<'a>,
    open: Vec<Option<Element>>,
    totals: Vec<Totals>,
    unit: Unit,
    context: Context,
    events: Vec<Event>,
    rows: u64,
    /// For each kind of row, the levels it begins, outermost first.
    begins: Vec<Vec<usize>>,
}

impl<'a> Reader<'a> {
    fn new(layout: &'a FlatLayout, translator: &'a Translator<'a>) -> Self {
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
            begins: (0..kinds).map(begins).collect(),
        }
    }

    /// Takes a row of a fixed length.
    fn frame(&mut self, frame: &Frame<'_>, is_last: bool) {
        self.rows += 1;
        let layout = self.layout;
        let (number, columns, raw) = (frame.number, &*frame.columns, &*frame.raw);
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
            self.problem(number, "", None, "another row".to_owned(), format!("one of {}", names.join(" ")));
            return self.unknown(raw);
        };
        let fields = &layout.rows[kind].fields;
        let bytes: Vec<&[u8]> = fields.iter().map(|field| &columns[field.start..field.end]).collect();
        let values =
            fields.iter().zip(&bytes).map(|(field, bytes)| field.read(bytes, layout.encoding())).collect();
        self.values(number, kind, values, bytes, raw);
    }

    /// Takes a row of comma separated values.
    fn csv_row(&mut self, number: u64, record: &csv::ByteRecord, places: &[usize]) {
        let raw = csv_row(record);
        if record.len() != places.len() {
            let found = format!("{} values", record.len());
            self.problem(number, &self.layout.rows[0].name, None, found, format!("{}", places.len()));
            return self.unknown(&raw);
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
        self.values(number, 0, values, bytes, &raw);
    }

    fn values(
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
    fn unknown(&mut self, raw: &[u8]) {
        self.totals.iter_mut().for_each(Totals::add_other);
        if self.open[SUMMARY].is_some() {
            self.unit.is_bad = true;
            self.keep(raw);
        } else {
            self.reject(raw);
        }
    }

    fn row(&mut self, given: Given<'_>) {
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
        for level in goes_on {
            self.agrees(*level, &given);
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
        self.count(&given);
        self.file(&given, outermost, levels[innermost]);
    }

    /// Whether a row begins another batch, block, summary or element than the one in hand: each does
    /// where no keys tell.
    fn is_new(&self, level: usize, given: &Given<'_>) -> bool {
        let keys = &self.layout.levels[level].keys;
        let Some(element) = &self.open[level] else { return true };
        keys.is_empty()
            || keys.iter().zip(&element.keys).any(|(key, known)| {
                let bytes = given.bytes[*key];
                bytes != known.as_slice() && !self.is_blank(given, *key)
            })
    }

    fn is_blank(&self, given: &Given<'_>, field: usize) -> bool {
        given.bytes[field].iter().all(|byte| *byte == self.layout.encoding().space())
    }

    /// Opens a level that no row begins, and those around it.
    fn open_implicitly(&mut self, level: usize, number: u64) -> bool {
        if self.open[level].is_some() {
            return true;
        }
        let known = &self.layout.levels[level];
        if known.row.is_some() || known.parent.is_some_and(|parent| !self.open_implicitly(parent, number)) {
            return false;
        }
        self.close_but(known.parent);
        let mut object = Value::Object(Map::new());
        // Without fields nothing can be in the wrong place but constants, which the header tells.
        let _ = known.body.build(&Vec::new(), &mut object);
        self.enter(level, object, None, number);
        true
    }

    fn begin(&mut self, level: usize, given: &Given<'_>) {
        let mut object = Value::Object(Map::new());
        let body = &self.layout.levels[level].body;
        let built = body.build(&given.cells, &mut object);
        self.enter(level, object, Some(given), given.number);
        if let Err(misfit) = built {
            self.misfit(given, misfit);
            self.spoil(level);
        }
        if given.is_bad && level < SUMMARY {
            let is_own = |field: Option<usize>| field.is_some_and(|field| given.cells[field].is_none());
            let is_only = self.begins[given.kind].iter().all(|other| *other < SUMMARY);
            if is_only || body.entries.iter().any(|entry| is_own(entry.field())) {
                self.spoil(level);
            }
        }
    }

    /// What is wrong with a batch or block is wrong with all of its summaries.
    fn spoil(&mut self, level: usize) {
        match &mut self.open[level] {
            Some(element) if level < SUMMARY => element.header = None,
            _ => self.unit.is_bad = true,
        }
    }

    fn enter(&mut self, level: usize, object: Value, given: Option<&Given<'_>>, number: u64) {
        let known = &self.layout.levels[level];
        let keys = given.map(|given| known.keys.iter().map(|key| given.bytes[*key].to_vec()).collect());
        let parent = known.parent.and_then(|parent| self.open[parent].as_ref()).filter(|_| level > SUMMARY);
        let path = parent.map_or_else(String::new, |parent| {
            let before = parent.object.get(&known.list).and_then(Value::as_array).map_or(0, Vec::len);
            let dot = if parent.path.is_empty() { "" } else { "." };
            format!("{}{dot}{}[{before}]", parent.path, known.list)
        });
        if level == SUMMARY {
            self.unit = Unit::default();
        } else if level == BATCH {
            self.context = Context::default();
        }
        if level >= SUMMARY
            && let Some(given) = given
        {
            let origin = Origin { path: path.clone(), number, kind: given.kind, level, member: None };
            self.unit.origins.push(origin);
        }
        self.totals[level].reset();
        let mut element = Element {
            object,
            keys: keys.unwrap_or_default(),
            cells: given.map(|given| given.cells.clone()).unwrap_or_default(),
            number,
            path,
            with: Vec::new(),
            header: None,
            is_given: false,
        };
        if level < SUMMARY {
            match self.translator.header(level, &element.object) {
                Ok(header) => element.header = Some(header),
                Err(refused) => self.refused(level, given, number, &refused),
            }
        }
        self.open[level] = Some(element);
    }

    /// A header with a value that it does not take.
    fn refused(&mut self, level: usize, given: Option<&Given<'_>>, number: u64, refused: &Refused) {
        let entries = &self.layout.levels[level].body.entries;
        let entry = entries.iter().find(|entry| entry.path.only_key() == Some(&refused.path));
        match (given, entry.and_then(super::mapping::Entry::field)) {
            (Some(given), Some(field)) => {
                let found = self.found(given.kind, field, given.bytes[field]);
                self.problem_at(number, given.kind, field, found, refused.expected.clone());
            }
            _ => {
                let (found, path) = (refused.found.clone(), refused.path.clone());
                self.problem(
                    number,
                    &self.layout.levels[level].name,
                    Some(path),
                    found,
                    refused.expected.clone(),
                );
            }
        }
    }

    /// A row of an element that another row has begun.
    fn with(&mut self, given: Given<'_>) {
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

    fn after(&mut self, level: usize, given: &Given<'_>, is_good: bool) {
        if level >= SUMMARY {
            self.unit.is_bad |= !is_good;
            self.keep(given.raw);
        } else if !is_good {
            self.reject(given.raw);
        }
    }

    fn check_totals(&mut self, level: usize, body: &Body, given: &Given<'_>) -> bool {
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

    fn count(&mut self, given: &Given<'_>) {
        self.totals.iter_mut().for_each(|totals| totals.add(given.kind, &given.cells));
    }

    /// Keeps a row for what it belongs to.
    fn file(&mut self, given: &Given<'_>, outermost: usize, innermost: usize) {
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
    fn agrees(&mut self, level: usize, given: &Given<'_>) {
        let body = &self.layout.levels[level].body;
        let Some(element) = &self.open[level] else { return };
        let fields = body.entries.iter().filter_map(super::mapping::Entry::field).chain(body.rest);
        let differs =
            |field: &usize| given.cells[*field].is_some() && given.cells[*field] != element.cells[*field];
        let differing: Vec<usize> = fields.filter(differs).collect();
        let number = element.number;
        for field in differing {
            let found = self.found(given.kind, field, given.bytes[field]);
            self.problem_at(
                given.number,
                given.kind,
                field,
                found,
                format!("what row {number} says, or nothing"),
            );
            self.unit.is_bad = true;
        }
    }

    /// A row where none of its kind can stand.
    fn stray(&mut self, given: &Given<'_>, missing: usize) {
        let name = self.layout.rows[given.kind].name.clone();
        let expected = format!("it in a {}", self.layout.levels[missing].name);
        self.problem(given.number, &name, None, "it by itself".to_owned(), expected);
        self.unknown(given.raw);
    }

    /// Closes every level but this one and those around it.
    fn close_but(&mut self, level: Option<usize>) {
        let mut kept = vec![false; self.open.len()];
        let mut around = level;
        while let Some(level) = around {
            kept[level] = true;
            around = self.layout.levels[level].parent;
        }
        for level in (0..self.open.len()).rev().filter(|level| !kept[*level]) {
            if let Some(element) = self.open[level].take() {
                self.close(level, element);
            }
        }
    }

    fn close(&mut self, level: usize, element: Element) {
        match level {
            SUMMARY => self.summary(&element),
            BATCH | BLOCK => {
                if level == BATCH && element.header.is_none() {
                    self.reject_with_context(&[]);
                }
                if let Some(header) = element.header.filter(|_| element.is_given) {
                    self.events.push(Event::Record(self.translator.trailer(level, &header)));
                }
            }
            _ => {
                let known = &self.layout.levels[level];
                let parent = known.parent.and_then(|parent| self.open[parent].as_mut());
                if let Some(Value::Object(object)) = parent.map(|parent| &mut parent.object) {
                    let list = object.entry(known.list.as_str()).or_insert_with(|| Value::Array(Vec::new()));
                    if let Value::Array(list) = list {
                        list.push(element.object);
                    }
                }
            }
        }
    }

    fn finish(&mut self) {
        self.close_but(None);
    }

    /// Gives away a summary that is complete.
    fn summary(&mut self, element: &Element) {
        let records = if self.unit.is_bad { None } else { self.records(element) };
        let Some(records) = records else {
            let raw = std::mem::take(&mut self.unit.raw);
            self.reject_with_context(&raw);
            return;
        };
        for level in [BATCH, BLOCK] {
            if let Some(outer) = &mut self.open[level]
                && let Some(header) = outer.header
                && !std::mem::replace(&mut outer.is_given, true)
            {
                self.events.push(Event::Record(header));
            }
        }
        self.events.extend(records.into_iter().map(Event::Record));
    }

    fn records(&mut self, element: &Element) -> Option<Vec<Columns>> {
        for level in [BATCH, BLOCK] {
            if let Some(outer) = &self.open[level]
                && outer.header.is_none()
            {
                let found = format!("it in the {} of row {}", self.layout.levels[level].name, outer.number);
                let expected = "one that is right".to_owned();
                self.problem(element.number, &self.layout.levels[SUMMARY].name, None, found, expected);
                return None;
            }
        }
        match self.translator.records(&element.object) {
            Ok(records) => Some(records),
            Err(refused) => {
                self.blame(element, &refused);
                None
            }
        }
    }

    /// Tells which field gave the value that the model or a record does not take.
    fn blame(&mut self, element: &Element, refused: &Refused) {
        let layout = self.layout;
        let mut best: Option<(usize, &Origin, usize)> = None;
        for origin in &self.unit.origins {
            let level = &layout.levels[origin.level];
            let body = match origin.member.map(|member| &level.members[member]) {
                Some(Member::With { body, .. }) => body,
                _ => &level.body,
            };
            let Some(within) = refused.path.strip_prefix(&origin.path) else { continue };
            let within = within.trim_start_matches('.');
            let object = at(&element.object, &origin.path);
            for entry in &body.entries {
                let Some(field) = entry.field() else { continue };
                let path = entry.path.in_object(object);
                // An enum tells the place of the whole only.
                if within == path || within.starts_with(&(path.clone() + ".")) {
                    let length = origin.path.len() + path.len();
                    if best.is_none_or(|(longest, ..)| length > longest) {
                        best = Some((length, origin, field));
                    }
                }
            }
        }
        let Some((_, origin, field)) = best else {
            let origins = self.unit.origins.iter().filter(|origin| refused.path.starts_with(&origin.path));
            let nearest = origins.max_by_key(|origin| origin.path.len());
            let (number, kind) =
                nearest.map_or((element.number, None), |origin| (origin.number, Some(origin.kind)));
            let name = kind.map_or("", |kind| layout.rows[kind].name.as_str()).to_owned();
            let found = if refused.found.is_empty() { refused.path.clone() } else { refused.found.clone() };
            return self.problem(number, &name, None, found, refused.expected.clone());
        };
        let (number, kind) = (origin.number, origin.kind);
        let secret = layout.rows[kind].fields[field].secret;
        let value = refused.path.as_str();
        let text = match at(&element.object, value) {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.problem_at(number, kind, field, shown(&text, secret), refused.expected.clone());
    }

    fn keep(&mut self, raw: &[u8]) {
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
    fn forget(&mut self) {
        self.unit.origins.clear();
        for element in self.open.iter_mut().skip(SUMMARY).flatten() {
            element.object = Value::Object(Map::new());
        }
    }

    fn reject_with_context(&mut self, raw: &[u8]) {
        if !std::mem::replace(&mut self.context.is_rejected, true) {
            let context = self.context.raw.clone();
            self.reject(&context);
        }
        self.reject(raw);
    }

    fn reject(&mut self, raw: &[u8]) {
        if !raw.is_empty() {
            self.events.push(Event::Rejected(raw.to_vec()));
        }
    }

    fn misfit(&mut self, given: &Given<'_>, misfit: Misfit) {
        match misfit.field {
            Some(field) => {
                let found = self.found(given.kind, field, given.bytes[field]);
                self.problem_at(given.number, given.kind, field, found, misfit.expected);
            }
            None => {
                let name = self.layout.rows[given.kind].name.clone();
                self.problem(given.number, &name, None, misfit.found, misfit.expected);
            }
        }
    }

    /// What stands in a field, as a problem shows it.
    fn found(&self, kind: usize, field: usize, bytes: &[u8]) -> String {
        let known = &self.layout.rows[kind].fields[field];
        if known.is_packed() {
            let digits = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            return format!("x{}", shown(&digits, known.secret));
        }
        let encoding = self.layout.encoding();
        let text = match std::str::from_utf8(bytes) {
            Ok(text) if self.layout.is_csv() => text.to_owned(),
            _ => bytes.iter().map(|byte| char::from(encoding.decode_byte(*byte))).collect(),
        };
        shown(&text, known.secret)
    }

    fn problem_at(&mut self, row: u64, kind: usize, field: usize, found: String, expected: String) {
        let known = &self.layout.rows[kind].fields[field];
        let last = if self.layout.is_csv() { known.end + 1 } else { known.end };
        self.events.push(Event::Problem(FlatProblem {
            row,
            record: self.layout.rows[kind].name.clone(),
            field: known.name.clone(),
            columns: Some((known.start + 1, last)),
            found,
            expected,
        }));
    }

    fn problem(&mut self, row: u64, record: &str, field: Option<String>, found: String, expected: String) {
        let (record, field) = (record.to_owned(), field.unwrap_or_default());
        self.events.push(Event::Problem(FlatProblem { row, record, field, columns: None, found, expected }));
    }
}

/// What stands at a path such as `lines[0].tariffs[1]`; nothing if there is none.
fn at<'v>(object: &'v Value, path: &str) -> &'v Value {
    let pointer = path.replace(['.', '['], "/").replace(']', "");
    let pointer = if pointer.is_empty() { pointer } else { format!("/{pointer}") };
    object.pointer(&pointer).unwrap_or(&Value::Null)
}
