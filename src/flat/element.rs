//! Batches, blocks, summaries and what is in them: opened by rows, closed by those that follow.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value};

use super::mapping::{BATCH, BLOCK, Member, SUMMARY};
use super::read::Event;
use super::reader::{Context, Element, Given, Origin, Reader, Unit};
use crate::wire::Columns;

impl Reader<'_> {
    /// Opens a level that no row begins, and those around it.
    pub(super) fn open_implicitly(&mut self, level: usize, number: u64) -> bool {
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
        self.forget_seen_within(level);
        true
    }

    pub(super) fn begin(&mut self, level: usize, given: &Given<'_>) {
        let mut object = Value::Object(Map::new());
        let body = &self.layout.levels[level].body;
        let built = body.build(&given.cells, &mut object);
        self.enter(level, object, Some(given), given.number);
        self.forget_seen_within(level);
        self.check_first(level, given);
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

    /// What tells summaries or elements apart is to be new: rows of one that do not stand one below the
    /// other would become several with the same name.
    fn check_first(&mut self, level: usize, given: &Given<'_>) {
        let keys = &self.layout.levels[level].keys;
        if level < SUMMARY {
            return;
        }
        let Some(named) = keys.iter().rev().find(|key| !self.is_blank(given, **key)) else { return };
        let around = self.open[..level.min(SUMMARY)].iter().flatten().flat_map(|outer| &outer.keys);
        let own = keys.iter().map(|key| given.bytes[*key]);
        let values: Vec<&[u8]> = around.map(Vec::as_slice).chain(own).collect();
        let known = *self.seen[level].entry(digest(&values)).or_insert(given.number);
        if known == given.number {
            return;
        }
        let name = &self.layout.levels[level].name;
        let found = format!("{} again", self.found(given.kind, *named, given.bytes[*named]));
        let expected = format!(
            "all rows of this {name} one below the other: it began in row {known}, and another one came between; \
             sort the rows"
        );
        self.problem_at(given.number, given.kind, *named, found, expected);
        self.spoil(level);
    }

    /// Forgets what has been below a level that begins anew. Batches and blocks that are told by keys may
    /// come again.
    fn forget_seen_within(&mut self, level: usize) {
        if level < SUMMARY && !self.layout.levels[level].keys.is_empty() {
            return;
        }
        for inner in level + 1..self.layout.levels.len() {
            let above = |level: &usize| self.layout.levels[*level].parent;
            if std::iter::successors(Some(inner), above).any(|around| around == level) {
                self.seen[inner].clear();
            }
        }
    }

    /// What is wrong with a batch or block is wrong with all of its summaries.
    pub(super) fn spoil(&mut self, level: usize) {
        match &mut self.open[level] {
            Some(element) if level < SUMMARY => element.header = None,
            _ => self.unit.is_bad = true,
        }
    }

    pub(super) fn enter(&mut self, level: usize, object: Value, given: Option<&Given<'_>>, number: u64) {
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

    /// Closes every level but this one and those around it.
    pub(super) fn close_but(&mut self, level: Option<usize>) {
        let mut kept = vec![false; self.open.len()];
        let mut around = level;
        while let Some(level) = around {
            kept[level] = true;
            around = self.layout.levels[level].parent;
        }
        (0..=SUMMARY).filter(|level| !kept[*level]).for_each(|level| self.expect_totals(level));
        for level in (0..self.open.len()).rev().filter(|level| !kept[*level]) {
            if let Some(element) = self.open[level].take() {
                self.close(level, element);
            }
        }
    }

    /// A row that counts or adds up tells that everything came. Where it is missing, the file may be cut
    /// off, and the summary in hand with it.
    fn expect_totals(&mut self, level: usize) {
        let layout = self.layout;
        let Some(element) =
            self.open[level].as_ref().filter(|element| element.header.is_some() || level == SUMMARY)
        else {
            return;
        };
        let missing = layout.levels[level].members.iter().find_map(|member| match member {
            Member::With { row, body } if !body.totals.is_empty() && !element.with.contains(row) => {
                Some(*row)
            }
            _ => None,
        });
        let Some(missing) = missing else { return };
        let (number, name) = (element.number, &layout.levels[level].name);
        let found = format!("no row {} in this {name}", layout.rows[missing].name);
        let expected = "the row that counts what came: the file may be cut off".to_owned();
        self.problem(number, name, None, found, expected);
        self.unit.is_bad = true;
        if level < SUMMARY && self.open[SUMMARY].is_none() {
            self.reject_with_context(&[]);
        }
    }

    pub(super) fn close(&mut self, level: usize, element: Element) {
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

    pub(super) fn finish(&mut self) {
        self.close_but(None);
    }

    /// Gives away a summary that is complete.
    pub(super) fn summary(&mut self, element: &Element) {
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

    pub(super) fn records(&mut self, element: &Element) -> Option<Vec<Columns>> {
        for level in [BATCH, BLOCK] {
            if let Some(outer) = &self.open[level]
                && outer.header.is_none()
            {
                let outer_name = &self.layout.levels[level].name;
                let found = format!("the {outer_name} of row {} in error", outer.number);
                let expected = format!("a {outer_name} without errors around it");
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
}

/// A digest of keys that no two differing ones share in practice; keys themselves would take much more
/// memory.
fn digest(values: &[&[u8]]) -> u128 {
    let half = |salt: u64| {
        let mut hasher = DefaultHasher::new();
        (salt, values).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}
