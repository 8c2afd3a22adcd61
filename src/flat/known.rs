//! What the model and the headers have: the places that the paths of a mapping may name.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::mapping::{BATCH, BLOCK, Entry, Source};
use super::path::Step;
use crate::envelope::EnvelopeCodec;
use crate::grammar::{Grammar, Layout};
use crate::message::put_value;
use crate::model::EntrySummaryFiling;
use crate::translate::EntrySummaryCodec;

/// The names that a mapping may use.
pub(super) struct Known<'g> {
    /// The schema of a filing and of what it is made of.
    filing: Value,
    definitions: Value,
    /// The A- and the B-record.
    headers: Option<[&'g Layout; 2]>,
}

impl<'g> Known<'g> {
    pub(super) fn new(grammar: &'g Grammar) -> Self {
        let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        let filing = generator.subschema_for::<EntrySummaryFiling>().to_value();
        let definitions = Value::Object(generator.take_definitions(true));
        let control = EnvelopeCodec::new(grammar).ok();
        let control = control.map(|codec| codec.input_layouts(EntrySummaryCodec::APPLICATION));
        Self { filing, definitions, headers: control.map(|[a, b, ..]| [a, b]) }
    }

    /// Whether an entry of a level of the mapping can be: of a batch or block the name of a field, below a
    /// summary a path from the elements of these lists.
    ///
    /// # Errors
    /// What is wrong with its path, or with a value that the mapping itself gives.
    pub(super) fn check(&self, level: usize, lists: &[String], entry: &Entry) -> Result<(), String> {
        match &self.headers {
            Some(headers) if level <= BLOCK => check_header(headers[level], level, entry),
            _ => self.check_path(lists, entry),
        }
    }

    /// Whether there is such a list of lists.
    ///
    /// # Errors
    /// What the model has instead.
    pub(super) fn check_lists(&self, lists: &[String]) -> Result<(), String> {
        self.elements(lists).map(drop)
    }

    /// The elements of a list in a list.
    fn elements(&self, lists: &[String]) -> Result<Vec<&Value>, String> {
        let mut places = vec![&self.filing];
        for list in lists {
            places = self.stepped(&places, &Step::Key(list.clone()))?;
            places =
                self.stepped(&places, &Step::Index(0)).map_err(|problem| format!("{list}: {problem}"))?;
        }
        Ok(places)
    }

    fn check_path(&self, lists: &[String], entry: &Entry) -> Result<(), String> {
        let mut places = self.elements(lists)?;
        let written = &entry.path;
        for step in &written.0 {
            places = self.stepped(&places, step).map_err(|problem| format!("{written}: {problem}"))?;
        }
        self.check_values(&places, entry).map_err(|problem| format!("{written}: {problem}"))
    }

    /// What stands at a step of a path.
    fn stepped<'s>(&'s self, places: &[&'s Value], step: &Step) -> Result<Vec<&'s Value>, String> {
        let places = self.spread(places);
        let found: Vec<&Value> = match step {
            Step::Key(key) => places.iter().filter_map(|place| place.get("properties")?.get(key)).collect(),
            Step::Index(_) | Step::Where(..) => {
                places.iter().filter_map(|place| place.get("items")).collect()
            }
        };
        if let Step::Where(key, _) = step {
            self.stepped(&found, &Step::Key(key.clone()))?;
        }
        if !found.is_empty() {
            return Ok(found);
        }
        let mut names: Vec<&str> = places
            .iter()
            .filter_map(|place| place.get("properties")?.as_object())
            .flat_map(|properties| properties.keys().map(String::as_str))
            .collect();
        names.sort_unstable();
        names.dedup();
        Err(match step {
            Step::Key(key) if names.is_empty() => format!("the model has nothing below this, so no {key}"),
            Step::Key(key) => format!("the model has no {key} here, but {}", names.join(" ")),
            _ => "the model has no list here".to_owned(),
        })
    }

    /// The schemas with those that they refer to and those that they may be.
    fn spread<'s>(&'s self, places: &[&'s Value]) -> Vec<&'s Value> {
        let mut spread: Vec<&Value> = places.to_vec();
        let mut at = 0;
        while let Some(place) = spread.get(at).copied() {
            at += 1;
            let target =
                place.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit('/').next());
            spread.extend(target.and_then(|target| self.definitions.get(target)));
            for key in ["anyOf", "oneOf", "allOf"] {
                spread.extend(place.get(key).and_then(Value::as_array).into_iter().flatten());
            }
        }
        spread
    }

    /// Whether the values of an entry may stand at its place.
    fn check_values(&self, places: &[&Value], entry: &Entry) -> Result<(), String> {
        let places = self.spread(places);
        let is = |kind: &str| {
            places.iter().any(|place| match place.get("type") {
                Some(Value::String(only)) => only == kind,
                Some(Value::Array(several)) => several.iter().any(|one| one == kind),
                _ => false,
            })
        };
        if is("object") || is("array") {
            return Err("the model has several values here, not one".to_owned());
        }
        let field = matches!(entry.source, Source::Field(_)) && entry.codes.is_empty();
        if field && entry.integer != is("integer") {
            let word = if entry.integer { "text, so integer is too much" } else { "a number: say integer" };
            return Err(format!("the model has {word}"));
        }
        if field && is("boolean") {
            return Err("the model has true or false: say { \"Y\" true }".to_owned());
        }
        entry.constants().try_for_each(|value| match value {
            Value::Bool(_) if is("boolean") => Ok(()),
            Value::Bool(_) => Err("the model has no true or false here".to_owned()),
            value => admitted(&places, &value),
        })
    }
}

/// Whether one of the schemas admits a constant, as far as a list of values can tell.
fn admitted(places: &[&Value], value: &Value) -> Result<(), String> {
    let mut listed = Vec::new();
    for place in places {
        listed.extend(place.get("const"));
        listed.extend(place.get("enum").and_then(Value::as_array).into_iter().flatten());
    }
    if listed.is_empty() || listed.contains(&value) {
        return Ok(());
    }
    let names: Vec<&str> = listed.into_iter().filter_map(Value::as_str).collect();
    Err(format!("found {value}, expected one of {}", names.join(" ")))
}

/// Whether a header has the field, and whether a constant fits it.
fn check_header(layout: &Layout, level: usize, entry: &Entry) -> Result<(), String> {
    let known = entry.path.only_key();
    let field = layout.fields.iter().find(|field| !field.is_filler() && Some(field.name.as_str()) == known);
    let Some(field) = field else {
        let names = layout.fields.iter().filter(|field| !field.is_filler());
        let names = names.map(|field| field.name.as_str()).collect::<Vec<_>>().join(" ");
        let record = if level == BATCH { "A" } else { "B" };
        return Err(format!("{}: the {record}-record has no such field, but {names}", entry.path));
    };
    entry.constants().try_for_each(|value| {
        put_value(field, &mut layout.blank(), &value)
            .map_err(|expected| format!("{}: found {value}, expected {expected}", entry.path))
    })
}

impl Entry {
    /// The values that the mapping itself gives.
    fn constants(&self) -> impl Iterator<Item = Value> {
        let constant = match &self.source {
            Source::Constant(value) => Some(value.clone()),
            Source::Field(_) => None,
        };
        constant.into_iter().chain(self.codes.iter().map(|(_, code)| super::layout::constant(code)))
    }
}
