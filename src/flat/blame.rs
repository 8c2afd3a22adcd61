//! Which row and which field is at fault.

use serde_json::Value;

use super::fill::Misfit;
use super::mapping::{Entry, Member};
use super::problem::{FlatProblem, shown};
use super::read::Event;
use super::reader::{Element, Given, Origin, Reader};
use super::translator::Refused;

impl Reader<'_> {
    /// A header with a value that it does not take.
    pub(super) fn refused(
        &mut self,
        level: usize,
        given: Option<&Given<'_>>,
        number: u64,
        refused: &Refused,
    ) {
        let entries = &self.layout.levels[level].body.entries;
        let entry = entries.iter().find(|entry| entry.path.only_key() == Some(&refused.path));
        match (given, entry.and_then(Entry::field)) {
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

    /// A row where none of its kind can stand.
    pub(super) fn stray(&mut self, given: &Given<'_>, missing: usize) {
        let name = self.layout.rows[given.kind].name.clone();
        let expected = format!("it in a {}", self.layout.levels[missing].name);
        self.problem(given.number, &name, None, "it by itself".to_owned(), expected);
        self.unknown(given.raw);
    }

    /// Tells which field gave the value that the model or a record does not take.
    pub(super) fn blame(&mut self, element: &Element, refused: &Refused) {
        let layout = self.layout;
        let mut best: Option<(usize, &Origin, usize, String)> = None;
        for origin in &self.unit.origins {
            let level = &layout.levels[origin.level];
            let body = match origin.member.map(|member| &level.members[member]) {
                Some(Member::With { body, .. }) => body,
                _ => &level.body,
            };
            let Some(within) = refused.path.strip_prefix(&origin.path) else { continue };
            // The path of element 10 begins as that of element 1 does, but for a bracket.
            let within = within.trim_start_matches('.');
            let object = at(&element.object, &origin.path);
            for entry in &body.entries {
                let Some(field) = entry.field() else { continue };
                let path = entry.path.in_object(object);
                // An enum or a row of values may tell the place of the whole only.
                let common = if within == path || is_inside(within, &path) {
                    path.len()
                } else if is_inside(&path, within) {
                    within.len()
                } else {
                    continue;
                };
                let length = origin.path.len() + common;
                if best.as_ref().is_none_or(|(longest, ..)| length > *longest) {
                    let path = if path.len() < within.len() { within.to_owned() } else { path };
                    best = Some((length, origin, field, joined(&origin.path, &path)));
                }
            }
        }
        let Some((_, origin, field, value)) = best else {
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
        let found = match at(&element.object, &value) {
            Value::Null => "nothing".to_owned(),
            Value::String(text) => shown(text, secret),
            other => shown(&other.to_string(), secret),
        };
        self.problem_at(number, kind, field, found, refused.expected.clone());
    }

    pub(super) fn misfit(&mut self, given: &Given<'_>, misfit: Misfit) {
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
    pub(super) fn found(&self, kind: usize, field: usize, bytes: &[u8]) -> String {
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

    pub(super) fn problem_at(
        &mut self,
        row: u64,
        kind: usize,
        field: usize,
        found: String,
        expected: String,
    ) {
        let known = &self.layout.rows[kind].fields[field];
        let columns = if self.layout.is_csv() {
            let column = self.places.iter().position(|place| *place == field).map(|place| place + 1);
            column.map(|column| (column, column))
        } else {
            Some((known.start + 1, known.end))
        };
        self.events.push(Event::Problem(FlatProblem {
            row,
            record: self.layout.rows[kind].name.clone(),
            field: known.name.clone(),
            columns,
            found,
            expected,
        }));
    }

    pub(super) fn problem(
        &mut self,
        row: u64,
        record: &str,
        field: Option<String>,
        found: String,
        expected: String,
    ) {
        let (record, field) = (record.to_owned(), field.unwrap_or_default());
        self.events.push(Event::Problem(FlatProblem { row, record, field, columns: None, found, expected }));
    }
}

/// Whether a path leads into what another one names.
fn is_inside(path: &str, whole: &str) -> bool {
    !whole.is_empty() && path.strip_prefix(whole).is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn joined(path: &str, inner: &str) -> String {
    if path.is_empty() { inner.to_owned() } else { format!("{path}.{inner}") }
}

/// What stands at a path such as `lines[0].tariffs[1]`; nothing if there is none.
fn at<'v>(object: &'v Value, path: &str) -> &'v Value {
    let pointer = path.replace(['.', '['], "/").replace(']', "");
    let pointer = if pointer.is_empty() { pointer } else { format!("/{pointer}") };
    object.pointer(&pointer).unwrap_or(&Value::Null)
}
