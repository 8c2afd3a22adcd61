//! Records and fields compared.

use super::{Change, ChangeKind, paired};
use crate::grammar::{ConditionCode, Field, FieldConditions, Layout, Values};

pub(super) fn appeared_layout(layout: &Layout) -> Change {
    let names = told(layout).into_iter().skip(1).map(|field| field.name.as_str());
    let names = names.collect::<Vec<_>>().join(", ");
    let text = format!("record appeared, with {names}");
    Change::new(ChangeKind::Appeared, "", &layout.name, text).at_layout(layout)
}

pub(super) fn vanished_layout(layout: &Layout) -> Change {
    Change::new(ChangeKind::Vanished, &layout.name, "", "record vanished").at_layout(layout)
}

/// What is compared: fillers are told of as what fields become.
fn told(layout: &Layout) -> Vec<&Field> {
    layout.fields.iter().filter(|field| !field.is_filler()).collect()
}

pub(super) fn compare_layouts(old: &Layout, new: &Layout, changes: &mut Vec<Change>) {
    if old.name != new.name || old.variant != new.variant {
        let full = |layout: &Layout| match layout.variant.as_str() {
            "" => layout.name.clone(),
            variant => format!("{} ({variant})", layout.name),
        };
        let change = Change::of(ChangeKind::Renamed, "the record's name", full(old), full(new));
        changes.push(change.at_layout(new));
    }
    let (own, others) = (told(old), told(new));
    for pair in paired(&own, &others, |old, new| old.name == new.name, may_be_renamed) {
        match pair {
            (Some(old), Some(now)) => {
                compare_fields(old, now, &mut |change| changes.push(change.at_field(new, now)));
            }
            (None, Some(field)) => changes.push(appeared(field, old).at_field(new, field)),
            (Some(field), None) => changes.push(vanished(field, new).at_field(old, field)),
            (None, None) => {}
        }
    }
}

/// A field that keeps its columns or the name that the chapter prints is the same one.
fn may_be_renamed(old: &Field, new: &Field) -> bool {
    let columns = |field: &Field| (field.cell.first_column(), field.cell.last_column());
    columns(old) == columns(new) || old.element == new.element
}

fn appeared(field: &Field, old: &Layout) -> Change {
    let before = other_fields(field, old);
    let place = if before.is_empty() { "filler".to_owned() } else { before };
    let text = format!("appeared: {}; its columns were {place}", described(field));
    Change::new(ChangeKind::Appeared, "", described(field), text)
}

fn vanished(field: &Field, new: &Layout) -> Change {
    let after = other_fields(field, new);
    let place = if after.is_empty() { "filler".to_owned() } else { after };
    let text = format!("vanished; its columns are {place}");
    Change::new(ChangeKind::Vanished, described(field), "", text)
}

/// The fields of another revision that have columns of this one.
fn other_fields(field: &Field, layout: &Layout) -> String {
    let overlap = |other: &&Field| !other.is_filler() && other.cell.mask() & field.cell.mask() != 0;
    let names = layout.fields.iter().filter(overlap).map(|other| other.name.as_str());
    names.collect::<Vec<_>>().join(" and ")
}

fn described(field: &Field) -> String {
    let mut text = format!("{}, {}", field.designation.word(), field.class.in_words());
    if let Some(decimals) = field.decimals {
        text.push_str(", ");
        text.push_str(&decimal_places(Some(decimals)));
    }
    if field.values != Values::Any {
        text.push_str(", ");
        text.push_str(&allowed(field));
    }
    text
}

fn decimal_places(decimals: Option<u8>) -> String {
    match decimals {
        None => "no amount".to_owned(),
        Some(0) => "whole units".to_owned(),
        Some(1) => "1 decimal place".to_owned(),
        Some(decimals) => format!("{decimals} decimal places"),
    }
}

fn compare_fields(old: &Field, new: &Field, report: &mut dyn FnMut(Change)) {
    if old.name != new.name {
        report(Change::of(ChangeKind::Renamed, "its name", &old.name, &new.name));
    }
    if old.element != new.element {
        let quoted = |field: &Field| format!("{:?}", field.element);
        report(Change::of(ChangeKind::Renamed, "the chapter's name", quoted(old), quoted(new)));
    }
    compare_columns(old, new, report);
    if old.class != new.class {
        let (from, to) = (old.class.in_words(), new.class.in_words());
        report(Change::of(ChangeKind::Class, "it", from, to));
    }
    if (old.cell.class(), old.class) != (new.cell.class(), new.class) && old.class == new.class {
        let (from, to) = (old.cell.class().in_words(), new.cell.class().in_words());
        report(Change::of(ChangeKind::Class, "what is accepted", from, to));
    }
    if old.designation != new.designation {
        report(Change::of(ChangeKind::Designation, "it", old.designation.word(), new.designation.word()));
    }
    if old.decimals != new.decimals {
        let (from, to) = (decimal_places(old.decimals), decimal_places(new.decimals));
        report(Change::of(ChangeKind::Decimals, "it", from, to));
    }
    if old.cell.date_format() != new.cell.date_format() {
        let name = |field: &Field| field.cell.date_format().map_or("no date", |format| format.name());
        report(Change::of(ChangeKind::DateFormat, "it", name(old), name(new)));
    }
    if (&old.values, &old.also) != (&new.values, &new.also) {
        report(values(old, new));
    }
    if old.decides != new.decides {
        let words = |decides| if decides { "deciding the record's layout" } else { "deciding nothing" };
        report(Change::of(ChangeKind::Decides, "it", words(old.decides), words(new.decides)));
    }
    compare_conditions(&old.conditions, &new.conditions, report);
}

fn compare_columns(old: &Field, new: &Field, report: &mut dyn FnMut(Change)) {
    if old.cell.mask() == new.cell.mask() {
        return;
    }
    let (from, to) = (old.cell.to_string(), new.cell.to_string());
    let (before, after) = (old.cell.width(), new.cell.width());
    let moved = |kind, verb| {
        let text = format!("{verb} from {before} columns ({from}) to {after} ({to})");
        Change::new(kind, from.clone(), to.clone(), text)
    };
    report(match before.cmp(&after) {
        std::cmp::Ordering::Less => moved(ChangeKind::Grew, "grew"),
        std::cmp::Ordering::Greater => moved(ChangeKind::Shrank, "shrank"),
        std::cmp::Ordering::Equal => {
            let text = format!("moved from {from} to {to}");
            Change::new(ChangeKind::Moved, from, to, text)
        }
    });
}

/// What a field may hold, in words.
fn allowed(field: &Field) -> String {
    let words = |values: &Values| match values {
        Values::Any => "any value".to_owned(),
        Values::Constant(text) => format!("always {text:?}"),
        Values::OneOf(texts) => format!("one of {}", texts.join(" ")),
        Values::List(name) => format!("a code of @{name}"),
    };
    let all = std::iter::once(&field.values).chain(&field.also);
    all.map(words).collect::<Vec<_>>().join(" or ")
}

/// Single values that came and went, or else all that was and is allowed.
fn values(old: &Field, new: &Field) -> Change {
    let (from, to) = (allowed(old), allowed(new));
    let (Some(before), Some(after)) = (few(old), few(new)) else {
        return Change::of(ChangeKind::Values, "it", from, to);
    };
    let only = |of: &[String], not: &[String]| {
        let texts = of.iter().filter(|text| !not.contains(text)).map(|text| format!("{text:?}"));
        texts.collect::<Vec<_>>().join(", ")
    };
    let (gone, come) = (only(&before, &after), only(&after, &before));
    let text = match (gone.as_str(), come.as_str()) {
        ("", "") => format!("it was {from}, is {to}"),
        ("", come) => format!("may now hold {come}"),
        (gone, "") => format!("may no longer hold {gone}"),
        (gone, come) => format!("may now hold {come}, no longer {gone}"),
    };
    Change::new(ChangeKind::Values, from, to, text)
}

/// The values of a field that may hold only a few.
fn few(field: &Field) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for values in std::iter::once(&field.values).chain(&field.also) {
        match values {
            Values::Any | Values::List(_) => return None,
            Values::Constant(text) => all.push(text.clone()),
            Values::OneOf(texts) => all.extend(texts.iter().cloned()),
        }
    }
    Some(all)
}

fn compare_conditions(old: &FieldConditions, new: &FieldConditions, report: &mut dyn FnMut(Change)) {
    let named = [
        ("left blank", old.missing, new.missing),
        ("of an unknown value", old.unknown, new.unknown),
        ("not of its class", old.invalid, new.invalid),
        ("zero", old.zero, new.zero),
    ];
    for (when, from, to) in named {
        if from != to {
            report(raised(&format!("what it raises if {when}"), from, to));
        }
    }
    let code = |conditions: &FieldConditions, check: &str| {
        conditions.checks.iter().find(|(name, _)| name == check).map(|(_, code)| *code)
    };
    let names = old.checks.iter().chain(&new.checks).map(|(name, _)| name);
    let mut told = Vec::new();
    for name in names {
        let (from, to) = (code(old, name), code(new, name));
        if from != to && !told.contains(&name) {
            told.push(name);
            report(raised(&format!("what it raises by the check {name}"), from, to));
        }
    }
}

/// A condition that is raised by another code than before.
pub(super) fn raised(about: &str, from: Option<ConditionCode>, to: Option<ConditionCode>) -> Change {
    let word = |code: Option<ConditionCode>| code.map_or("nothing".to_owned(), |code| code.to_string());
    Change::of(ChangeKind::Condition, about, word(from), word(to))
}
