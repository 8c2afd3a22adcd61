//! A mapping turned around: what becomes of each value of the model.

use serde_json::Value;

use super::super::cell::{Field, Kind};
use super::super::layout::{FlatLayout, constant};
use super::super::mapping::{Entry, Member, SUMMARY, Source};
use super::super::number::Form;
use super::super::parse::Code;
use super::super::path::Step;

/// What becomes of a value.
#[derive(Debug)]
pub(super) enum Slot {
    /// A cell.
    Leaf(Leaf),
    /// Its members become something.
    Object(Vec<(String, Slot)>),
    /// Its elements do, by their place.
    List(Vec<Slot>),
    /// Its elements do, by the text of a key that comes first in each.
    ByKey(String, Vec<(String, Slot)>),
    /// Its elements have rows.
    Rows(usize, Box<Slot>),
}

/// A cell for a value.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) field: usize,
    pub(super) form: LeafForm,
}

#[derive(Debug)]
pub(super) enum LeafForm {
    /// Text as it stands, but for spaces at its end.
    Text,
    /// An amount that has so many decimal places already.
    Amount(usize),
    /// A date in ISO form.
    IsoDate,
    /// A number.
    Integer,
    /// The text of a code.
    Codes(Vec<(String, Code)>),
    /// Whatever else: by the field itself.
    Other,
}

/// The slots of a summary, if the layout is simple.
pub(super) fn compile(layout: &FlatLayout) -> Option<Slot> {
    let fields = &layout.rows.first()?.fields;
    let is_simple =
        layout.is_csv() && fields.iter().all(|field| !field.mandatory && field.constant().is_none());
    is_simple.then(|| level(layout, SUMMARY)).flatten()
}

fn level(layout: &FlatLayout, index: usize) -> Option<Slot> {
    let known = &layout.levels[index];
    // A level with keys is told from the one before by a number that always differs.
    let is_told = known.keys.is_empty() || known.body.number.is_some_and(|field| known.keys.contains(&field));
    if known.row != Some(0) || !is_told || known.body.rest.is_none() {
        return None;
    }
    let mut slot = Slot::Object(Vec::new());
    for entry in &known.body.entries {
        let leaf = leaf(&layout.rows[0].fields, entry)?;
        put(&mut slot, &entry.path.0, leaf)?;
    }
    for member in &known.members {
        let Member::Level(inner) = member else { return None };
        let rows = Slot::Rows(*inner, Box::new(level(layout, *inner)?));
        let Slot::Object(members) = &mut slot else { return None };
        members.push((layout.levels[*inner].list.clone(), rows));
    }
    Some(slot)
}

fn leaf(fields: &[Field], entry: &Entry) -> Option<Leaf> {
    let Source::Field(field) = entry.source else { return None };
    let known = &fields[field];
    if entry.codes.iter().any(|(_, code)| constant(code) == Value::Bool(false)) {
        return None;
    }
    let is_free = known.values.is_none() && !known.zero_blank;
    let form = match &known.kind {
        _ if !entry.codes.is_empty() => LeafForm::Codes(entry.codes.clone()),
        Kind::Number { form: Form::Plain { .. }, .. } if entry.integer && is_free => LeafForm::Integer,
        _ if entry.integer => return None,
        Kind::Text { class: None, right: false, upper: false } if is_free => LeafForm::Text,
        Kind::Number { form: Form::Point, decimals: Some(decimals), digits: usize::MAX, .. } if is_free => {
            LeafForm::Amount(*decimals)
        }
        Kind::Date { pattern, .. } if is_free && pattern.name() == "CCYY-MM-DD" => LeafForm::IsoDate,
        _ => LeafForm::Other,
    };
    Some(Leaf { field, form })
}

/// Puts a leaf where a path leads to.
fn put(slot: &mut Slot, path: &[Step], leaf: Leaf) -> Option<()> {
    let Some((step, rest)) = path.split_first() else {
        *slot = Slot::Leaf(leaf);
        return Some(());
    };
    let is_new = matches!(slot, Slot::Object(members) if members.is_empty());
    let inner = match step {
        Step::Key(key) => {
            let Slot::Object(members) = slot else { return None };
            member(members, key)
        }
        Step::Index(index) => {
            if is_new {
                *slot = Slot::List(Vec::new());
            }
            let Slot::List(elements) = slot else { return None };
            if *index == elements.len() {
                elements.push(Slot::Object(Vec::new()));
            }
            elements.get_mut(*index)?
        }
        Step::Where(key, text) => {
            if is_new {
                *slot = Slot::ByKey(key.clone(), Vec::new());
            }
            let Slot::ByKey(known, elements) = slot else { return None };
            if known != key {
                return None;
            }
            member(elements, text)
        }
    };
    put(inner, rest, leaf)
}

fn member<'s>(members: &'s mut Vec<(String, Slot)>, key: &str) -> &'s mut Slot {
    let at = members.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
        members.push((key.to_owned(), Slot::Object(Vec::new())));
        members.len() - 1
    });
    &mut members[at].1
}
