//! Whose an entry is (docs/whose-entry.md). It is settled before any rule reads what is on file: what is
//! another filer's is not there for the filer of the block.

use super::super::World;
use super::super::filing::{Action, Filing};
use crate::grammar::Grammar;
use crate::rules::Reference;
use crate::store::EntrySummary;

/// The list of the lists that a world holds, and what their keys begin with where a row is a filer's.
const LISTS: &str = "reference_list";
const FILER: &str = "filer";
/// The list of rights to withdraw from a warehouse that have been transferred (19 CFR 144.22).
const TRANSFERS: &str = "warehouse_transfer";

/// The lists of a world whose rows belong to one filer each: those whose keys begin with the filer's code.
#[derive(Debug)]
pub(in crate::host) struct FilerLists(Vec<String>);

impl FilerLists {
    pub(in crate::host) fn new(grammar: &Grammar) -> Self {
        let mut names = vec![FILER.to_owned()];
        if let Some(lists) = grammar.list(LISTS) {
            let first_part = |row| lists.cell(row, "key").and_then(|key| key.split(' ').next());
            let of_filers = lists.rows().iter().filter(|row| first_part(row) == Some(FILER));
            names.extend(of_filers.filter_map(|row| row.first().cloned()));
        }
        Self(names)
    }

    /// Whether a row, found by a key or by the first part of one, is another filer's.
    pub(super) fn is_anothers(&self, list: &str, key: &str, filer: &str) -> bool {
        let is_of_filer = || key.split(' ').next() == Some(filer);
        self.0.iter().any(|name| name == list) && !is_of_filer()
    }
}

/// Whether the filer of a block may know of the summary that a filing names as its own: the filer's code is
/// part of its number; the filer has presented it last; or the filing corrects it for the same importer,
/// which another filer may do (ESF-185).
pub(in crate::host) fn may_file(filer: &str, filing: &Filing, summary: &EntrySummary) -> bool {
    let corrects = filing.is_correction && matches!(filing.action, Some(Action::Add | Action::Replace));
    is_own(filer, summary) || corrects && is_for_importer(filing, summary)
}

/// Whether the filer of a block may withdraw from a warehouse entry: it is the filer's own, or that of the
/// same importer, or the right to withdraw has been transferred to the importer of the withdrawal.
pub(super) fn may_withdraw(filer: &str, filing: &Filing, warehouse: &EntrySummary, world: &World) -> bool {
    let is_transferred = || {
        let transfer = format!("{} {}", warehouse.key, filing.importer);
        !filing.importer.is_empty() && world.has(TRANSFERS, &transfer) == Some(true)
    };
    is_own(filer, warehouse) || is_for_importer(filing, warehouse) || is_transferred()
}

fn is_own(filer: &str, summary: &EntrySummary) -> bool {
    let owner = summary.standing.owner.as_ref();
    summary.key.filer == filer || owner.is_some_and(|owner| owner.filer == filer)
}

fn is_for_importer(filing: &Filing, summary: &EntrySummary) -> bool {
    !filing.importer.is_empty() && filing.importer == summary.importer
}
