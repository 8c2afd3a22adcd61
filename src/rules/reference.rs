//! What rules may ask of lists: those of the grammar, and those that its folder describes as held by a host.
//! `reference_list.tsv` and `reference_column.tsv` describe what a world has rows of, `host_list.tsv` and
//! `host_column.tsv` what a host knows beside them: what is on file, filers, what Census expects.

use super::ast::{At, TableKey};
use super::{ColumnName, ListName};
use crate::grammar::{Direction, Grammar};

/// The list of lists that hosts hold, and that of their columns.
const LISTS: &str = "reference_list";
const COLUMNS: &str = "reference_column";
/// The same of what is no row of a world.
const HOST_LISTS: &str = "host_list";
const HOST_COLUMNS: &str = "host_column";

/// A name that there is not.
pub(super) enum Miss {
    List(String),
    /// Where it stands, if it is the column of one of the keys.
    Key(Option<usize>, String),
    Column(String),
}

/// Whether a list is one that a host may hold.
pub(super) fn is_held(grammar: &Grammar, list: &str) -> bool {
    grammar.list(LISTS).is_some_and(|lists| lists.contains(list))
}

/// A list by its name.
pub(super) fn named(grammar: &Grammar, list: &str) -> ListName {
    let rows = grammar.list(LISTS).map(|lists| lists.codes()).into_iter().flatten();
    let place = rows.into_iter().position(|known| known == list).and_then(|place| u16::try_from(place).ok());
    ListName { name: list.into(), place }
}

/// A column of a list by its name.
pub(super) fn column(grammar: &Grammar, list: &str, column: &str) -> ColumnName {
    let place = || {
        let kind = grammar.list(LISTS)?.value(list, "kind")?;
        let columns = grammar.list(COLUMNS)?;
        let cell = |row, name| columns.cell(row, name).unwrap_or_default();
        let mut of_kind = columns.rows().iter().filter(|row| cell(row, "kind") == kind);
        u16::try_from(of_kind.position(|row| cell(row, "column") == column)?).ok()
    };
    ColumnName { name: column.into(), place: place() }
}

/// A list that a host is asked for.
struct Held<'g> {
    keys: Vec<&'g str>,
    columns: Vec<&'g str>,
    /// The application whose fields are columns as well; empty if none are.
    fields: &'g str,
}

impl<'g> Held<'g> {
    fn new(grammar: &'g Grammar, list: &str) -> Option<Self> {
        let described = |lists: &str, column: &str| grammar.list(lists)?.value(list, column);
        let columns = |table: &str, of: &str, name: &str| {
            let Some(table) = grammar.list(table) else { return Vec::new() };
            let cell = |row, column| table.cell(row, column).unwrap_or_default();
            let own = table.rows().iter().filter(|row| cell(row, of) == name);
            own.map(|row| cell(row, "column")).collect()
        };
        let first_word = |part: &'g str| part.split('[').next().unwrap_or_default();
        if let Some(kind) = described(LISTS, "kind") {
            let keys = described(LISTS, "key")?.split(' ').map(first_word).collect();
            return Some(Self { keys, columns: columns(COLUMNS, "kind", kind), fields: "" });
        }
        let keys = described(HOST_LISTS, "key")?.split(' ').collect();
        let fields = described(HOST_LISTS, "fields").unwrap_or_default();
        Some(Self { keys, columns: columns(HOST_COLUMNS, "list", list), fields })
    }

    fn has(&self, grammar: &Grammar, column: &str) -> bool {
        let has_field = || {
            let layouts = grammar.layouts_under(self.fields, Direction::Input);
            layouts.iter().any(|layout| layout.field(column).is_some())
        };
        self.columns.contains(&column) || !self.fields.is_empty() && has_field()
    }
}

/// Whether a host is to be asked for a column of a list, or for a row if there is no column; if not, the
/// grammar has it.
///
/// # Errors
/// There is no such list; it has another key, or no such column.
pub(super) fn check(
    grammar: &Grammar,
    list: &str,
    keys: &[TableKey],
    column: Option<&At<String>>,
) -> Result<bool, Miss> {
    let held = Held::new(grammar, list);
    let is_host_asked =
        held.as_ref().filter(|held| column.is_none_or(|column| held.has(grammar, &column.node)));
    if let Some(held) = is_host_asked {
        let asked = keys.iter().map(|key| key.column.node.as_str());
        if asked.eq(held.keys.iter().copied()) {
            return Ok(true);
        }
        return Err(Miss::Key(None, format!("{list} is looked up by {}", held.keys.join(", "))));
    }
    let own = grammar.list(list).map(|own| own.header());
    let Some(header) = own else {
        let Some(held) = held else { return Err(unknown_list(grammar, list)) };
        let column = column.map_or("", |column| &column.node);
        return Err(Miss::Column(unknown(&format!("{list} has no column"), column, held.columns)));
    };
    let names = header.iter().map(String::as_str).collect::<Vec<_>>();
    let missing = |name: &str| unknown(&format!("{list} has no column"), name, names.clone());
    if let Some(key) = keys.iter().find(|key| !names.contains(&key.column.node.as_str())) {
        return Err(Miss::Key(Some(key.column.offset), missing(&key.column.node)));
    }
    match column.filter(|column| !names.contains(&column.node.as_str())) {
        Some(column) => Err(Miss::Column(missing(&column.node))),
        None => Ok(false),
    }
}

/// Whether a host holds a list by which a single value is looked up.
///
/// # Errors
/// There is no such list, or its key has several parts.
pub(super) fn check_single(grammar: &Grammar, list: &str) -> Result<(), Miss> {
    match Held::new(grammar, list) {
        None => Err(unknown_list(grammar, list)),
        Some(held) if held.keys.len() > 1 => {
            let keys = held.keys.join(", ");
            Err(Miss::List(format!("{list} is looked up by {keys}: ask `known @{list}[…]`")))
        }
        Some(_) => Ok(()),
    }
}

fn unknown_list(grammar: &Grammar, list: &str) -> Miss {
    let held = [LISTS, HOST_LISTS].into_iter().filter_map(|lists| grammar.list(lists));
    let known = held.flat_map(|lists| lists.codes()).chain(grammar.lists().map(|list| list.name()));
    Miss::List(unknown("no list", list, known.collect()))
}

/// The words for a name that there is not, with the nearest one that there is.
fn unknown(what: &str, name: &str, mut known: Vec<&str>) -> String {
    // of names that are equally near the first one, so that the words are always the same
    known.sort_unstable();
    let distance = |known: &&str| strsim::damerau_levenshtein(known, name);
    let nearest = known.into_iter().min_by_key(distance);
    match nearest.filter(|nearest| distance(nearest) * 3 <= name.chars().count().max(3)) {
        Some(nearest) => format!("{what} {name}; did you mean {nearest}?"),
        None => format!("{what} {name}"),
    }
}
