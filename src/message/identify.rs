//! Which kind of record, and which layout of it, 80 columns are.

use std::fmt;

use crate::grammar::{Automaton, Cell, Direction, Grammar, Layout, LayoutId, Symbol};
use crate::wire::Columns;

/// A kind a control identifier may stand for.
#[derive(Clone, Debug)]
struct Kind {
    symbol: Symbol,
    /// The value that marks it where several places share the identifier.
    mark: Option<(Cell, String)>,
}

#[derive(Clone, Debug)]
struct Entry {
    record: String,
    kinds: Vec<Kind>,
    /// Variants first; one without competitors is taken unseen.
    layouts: Vec<LayoutId>,
}

/// Tells the records of one application apart by their first columns.
#[derive(Clone)]
pub struct Identifier<'g> {
    grammar: &'g Grammar,
    entries: Vec<Entry>,
    /// Entries by a hash of the first two columns; 0 is none. Longer identifiers come first.
    buckets: Box<[Vec<u8>; 256]>,
}

impl fmt::Debug for Identifier<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identifier").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

impl<'g> Identifier<'g> {
    /// The identifier of an application's records. A record of the structure whose layout belongs to
    /// another application (the partner agency set inside an entry summary) is found there.
    #[must_use]
    pub fn new(grammar: &'g Grammar, application: &str, direction: Direction, automaton: &Automaton) -> Self {
        let mut entries = Vec::new();
        for record in automaton.records() {
            let layouts = layouts_of(grammar, application, direction, record);
            let general = layouts.last().map(|id| grammar.layout(*id));
            let kinds = automaton
                .symbols_of(record)
                .map(|(symbol, mark)| Kind {
                    symbol,
                    mark: mark.and_then(|mark| {
                        let cell = general?.cell(&mark.field).ok()?;
                        Some((cell, mark.value.clone()))
                    }),
                })
                .collect();
            entries.push(Entry { record: record.to_owned(), kinds, layouts });
        }
        let mut buckets: Box<[Vec<u8>; 256]> = Box::new(std::array::from_fn(|_| Vec::new()));
        for (index, entry) in entries.iter().enumerate() {
            let bytes = entry.record.as_bytes();
            match bytes {
                [first, second, ..] => buckets[hash(*first, *second)].push(index as u8),
                // An identifier of one character: whatever its second column holds.
                [first] => (0..=u8::MAX).for_each(|second| buckets[hash(*first, second)].push(index as u8)),
                [] => {}
            }
        }
        for bucket in buckets.iter_mut() {
            bucket.sort_by_key(|&index| std::cmp::Reverse(entries[usize::from(index)].record.len()));
            bucket.dedup();
        }
        Self { grammar, entries, buckets }
    }

    /// The record's kind and layout; `None` if the application has no such record.
    #[must_use]
    #[inline]
    pub fn identify(&self, columns: &Columns) -> Option<(Symbol, LayoutId)> {
        let bucket = &self.buckets[hash(columns[0], columns[1])];
        let entry = bucket
            .iter()
            .map(|&index| &self.entries[usize::from(index)])
            .find(|entry| columns.starts_with(entry.record.as_bytes()))?;
        let layout = match entry.layouts.as_slice() {
            [] => return None,
            [only] => *only,
            several => {
                let matching = several.iter().find(|id| self.grammar.layout(**id).matches(columns));
                *matching.or(several.last())?
            }
        };
        let symbol = match entry.kinds.as_slice() {
            [only] => only.symbol,
            several => several.iter().find(|kind| kind.stands_in(columns)).or(several.first())?.symbol,
        };
        Some((symbol, layout))
    }

    /// The layout with this id.
    #[must_use]
    pub fn layout(&self, id: LayoutId) -> &'g Layout {
        self.grammar.layout(id)
    }

    /// The first columns of a record that no one knows, for a diagnostic.
    #[must_use]
    pub fn shown(&self, columns: &Columns) -> String {
        columns[..4]
            .iter()
            .map(|&byte| if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '?' })
            .collect()
    }
}

impl Kind {
    fn stands_in(&self, columns: &Columns) -> bool {
        self.mark.as_ref().is_none_or(|(cell, value)| cell.text(columns) == value)
    }
}

#[inline]
fn hash(first: u8, second: u8) -> usize {
    usize::from(first.wrapping_mul(37) ^ second)
}

/// The layouts of a record of an application's structure, its own or those of the set it borrows from.
pub(super) fn layouts_of(
    grammar: &Grammar,
    application: &str,
    direction: Direction,
    record: &str,
) -> Vec<LayoutId> {
    let own = grammar.variants(application, direction, record).map(|layout| layout.id).collect::<Vec<_>>();
    if !own.is_empty() {
        return own;
    }
    let borrowed = grammar
        .layouts()
        .iter()
        .find(|layout| layout.record == record && layout.direction == direction && layout.application != "*")
        .map(|layout| layout.application.clone());
    let Some(other) = borrowed else { return Vec::new() };
    grammar.variants(&other, direction, record).map(|layout| layout.id).collect()
}
