//! Which kind of record, and which layout of it, 80 columns are.

use std::fmt;

use crate::grammar::{Automaton, Cell, Direction, Discriminator, Grammar, Layout, LayoutId, Symbol};
use crate::wire::Columns;

/// A kind a control identifier may stand for.
#[derive(Clone, Debug)]
struct Kind {
    symbol: Symbol,
    /// The value that marks it where several places share the identifier.
    mark: Option<(Cell, Discriminator)>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// The identifier as it stands in the first four columns, and which of their bits it fills.
    key: u32,
    filled: u32,
    /// The answer, if the identifier alone decides.
    plain: Option<(Symbol, LayoutId)>,
    /// The next entry of the same slot, counted from 1; 0 is none.
    next: u8,
    record: String,
    kinds: Vec<Kind>,
    /// Variants first; one without competitors is taken unseen.
    layouts: Vec<LayoutId>,
}

/// An identifier that alone decides, and its answer.
#[derive(Clone, Copy, Debug)]
struct Plain {
    key: u32,
    filled: u32,
    symbol: Symbol,
    layout: LayoutId,
}

/// Tells the records of one application apart by their first columns.
#[derive(Clone)]
pub struct Identifier<'g> {
    grammar: &'g Grammar,
    /// By a hash of two columns: the identifiers of two characters with which no longer one begins.
    /// Nearly all records are known by these.
    plain: Box<[Option<Plain>; 256]>,
    /// Longer identifiers come first.
    entries: Vec<Entry>,
    /// The first entry with a hash of four columns, counted from 1; 0 is none.
    long: Box<[u8; 256]>,
    /// The same for shorter identifiers, by a hash of two columns.
    short: Box<[u8; 256]>,
}

impl fmt::Debug for Identifier<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identifier").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

impl<'g> Identifier<'g> {
    /// The identifier of an application's records, those that it borrows included.
    #[must_use]
    pub fn new(grammar: &'g Grammar, application: &str, direction: Direction, automaton: &Automaton) -> Self {
        let mut entries = Vec::new();
        for record in automaton.records() {
            let layouts = grammar.layouts_of(application, direction, record);
            let general = layouts.last().map(|id| grammar.layout(*id));
            let mut kinds = automaton
                .symbols_of(record)
                .map(|(symbol, mark)| Kind {
                    symbol,
                    mark: mark.and_then(|mark| {
                        let cell = general?.cell(&mark.field).ok()?;
                        Some((cell, mark.clone()))
                    }),
                })
                .collect::<Vec<_>>();
            // A place without a mark is for what no other place is marked for.
            kinds.sort_by_key(|kind| kind.mark.is_none());
            entries.push(Entry::new(record, kinds, layouts));
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.record.len()));
        let mut identifier = Self {
            grammar,
            plain: plain_ones(&entries),
            entries,
            long: Box::new([0; 256]),
            short: Box::new([0; 256]),
        };
        identifier.hang_in();
        identifier
    }

    /// Hangs the entries into their slots, the last one first, so that longer ones are met first.
    fn hang_in(&mut self) {
        for index in (0..self.entries.len()).rev() {
            let key = self.entries[index].key;
            let number = index as u8 + 1;
            match self.entries[index].record.len() {
                0 => {}
                // Of an identifier of one character the second column may hold anything.
                1 => {
                    self.entries[index].next = self.short[0];
                    self.short.fill(number);
                }
                length => {
                    let slot = if length < 4 {
                        &mut self.short[hash(key & 0xFFFF)]
                    } else {
                        &mut self.long[hash(key)]
                    };
                    self.entries[index].next = std::mem::replace(slot, number);
                }
            }
        }
    }

    /// The record's kind and layout; `None` if the application has no such record.
    #[must_use]
    #[inline]
    pub fn identify(&self, columns: &Columns) -> Option<(Symbol, LayoutId)> {
        let word = u32::from_le_bytes([columns[0], columns[1], columns[2], columns[3]]);
        if let Some(plain) = self.plain[hash(word & 0xFFFF)]
            && word & plain.filled == plain.key
        {
            return Some((plain.symbol, plain.layout));
        }
        let entry = self
            .find(self.long[hash(word)], word)
            .or_else(|| self.find(self.short[hash(word & 0xFFFF)], word))?;
        entry.plain.or_else(|| self.decide(entry, columns))
    }

    #[inline]
    fn find(&self, mut number: u8, word: u32) -> Option<&Entry> {
        while let Some(index) = usize::from(number).checked_sub(1) {
            let entry = &self.entries[index];
            if word & entry.filled == entry.key {
                return Some(entry);
            }
            number = entry.next;
        }
        None
    }

    /// Which of several layouts and places a record is of, by its values.
    fn decide(&self, entry: &Entry, columns: &Columns) -> Option<(Symbol, LayoutId)> {
        let matching = entry.layouts.iter().find(|id| self.grammar.layout(**id).matches(columns));
        let layout = *matching.or(entry.layouts.last())?;
        let kind = entry.kinds.iter().find(|kind| kind.stands_in(columns)).or(entry.kinds.first())?;
        Some((kind.symbol, layout))
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
        self.mark.as_ref().is_none_or(|(cell, mark)| mark.admits(cell.text(columns)))
    }
}

impl Entry {
    fn new(record: &str, kinds: Vec<Kind>, layouts: Vec<LayoutId>) -> Self {
        let mut key = [0; 4];
        let mut filled = [0; 4];
        for (index, byte) in record.bytes().take(4).enumerate() {
            key[index] = byte;
            filled[index] = u8::MAX;
        }
        let plain = match (kinds.as_slice(), layouts.as_slice()) {
            ([kind], [layout]) => Some((kind.symbol, *layout)),
            _ => None,
        };
        Self {
            key: u32::from_le_bytes(key),
            filled: u32::from_le_bytes(filled),
            plain,
            next: 0,
            record: record.to_owned(),
            kinds,
            layouts,
        }
    }
}

/// A slot is taken by the first that comes; another one is found among the entries.
fn plain_ones(entries: &[Entry]) -> Box<[Option<Plain>; 256]> {
    let mut table = Box::new([None; 256]);
    for entry in entries.iter().filter(|entry| entry.record.len() == 2) {
        let begins = |other: &Entry| other.record.len() > 2 && other.record.starts_with(&entry.record);
        if let Some((symbol, layout)) = entry.plain.filter(|_| !entries.iter().any(begins)) {
            let plain = Plain { key: entry.key, filled: entry.filled, symbol, layout };
            table[hash(entry.key)].get_or_insert(plain);
        }
    }
    table
}

#[inline]
fn hash(word: u32) -> usize {
    (word.wrapping_mul(0x9E37_79B1) >> 24) as usize
}
