//! Code lists compared.

use std::collections::BTreeSet;

use super::{Change, ChangeKind};
use crate::grammar::{CodeList, Grammar, Layout, Values};

/// Compares the lists that fields of both revisions name.
pub(super) fn compare(
    old: &Grammar,
    new: &Grammar,
    before: &[&Layout],
    after: &[&Layout],
    changes: &mut Vec<Change>,
) {
    for name in named(before).intersection(&named(after)) {
        if let (Some(old), Some(new)) = (old.list(name), new.list(name)) {
            compare_lists(old, new, changes);
        }
    }
}

fn named<'g>(layouts: &[&'g Layout]) -> BTreeSet<&'g str> {
    let fields = layouts.iter().flat_map(|layout| &layout.fields);
    let values = fields.flat_map(|field| std::iter::once(&field.values).chain(&field.also));
    let names = values.filter_map(|values| match values {
        Values::List(name) => Some(name.as_str()),
        Values::Any | Values::Constant(_) | Values::OneOf(_) => None,
    });
    names.collect()
}

fn compare_lists(old: &CodeList, new: &CodeList, changes: &mut Vec<Change>) {
    let mut told = BTreeSet::new();
    for code in new.codes().chain(old.codes()).filter(|code| told.insert(*code)) {
        let meaning = |list: &CodeList| list.meaning(code).unwrap_or_default().to_owned();
        let (from, to) = (meaning(old), meaning(new));
        let change = match (old.contains(code), new.contains(code)) {
            (false, true) => {
                let text = format!("code {code} appeared: {to}");
                Change::new(ChangeKind::Appeared, "", code, text)
            }
            (true, false) => {
                let text = format!("code {code} vanished: {from}");
                Change::new(ChangeKind::Vanished, code, "", text)
            }
            _ if from != to => Change::of(ChangeKind::Meaning, &format!("code {code}"), from, to),
            _ => continue,
        };
        changes.push(Change { list: new.name().to_owned(), ..change });
    }
}
