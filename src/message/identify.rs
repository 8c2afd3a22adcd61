//! Which kind of record, and which layout of it, 80 columns are.

use std::fmt;
use std::sync::Arc;

use crate::grammar::{Automaton, Direction, Grammar, Layout, LayoutId, Mark, Symbol};
use crate::wire::Columns;

/// A kind a control identifier may stand for.
#[derive(Clone, Debug)]
struct Kind {
    symbol: Symbol,
    /// The value that marks it where several places share the identifier.
    mark: Option<Mark>,
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

impl Plain {
    /// What no record begins with.
    const NONE: Self = Self { key: 1, filled: 0, symbol: Symbol(0), layout: LayoutId::FIRST };
}

/// Tells the records of one application apart by their first columns. A clone shares what it knows.
#[derive(Clone)]
pub struct Identifier<'g> {
    grammar: &'g Grammar,
    /// By a hash of two or three columns: the identifiers of so many characters with which no longer one
    /// begins. Nearly all records are known by these.
    two: Arc<PlainTable>,
    three: Arc<PlainTable>,
    /// Longer identifiers come first.
    entries: Arc<[Entry]>,
    /// The first entry with a hash of four columns, counted from 1; 0 is none.
    long: Arc<[u8; 256]>,
    /// The same for shorter identifiers, by a hash of two columns.
    short: Arc<[u8; 256]>,
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
                        Some(Mark::new(cell, &mark.values))
                    }),
                })
                .collect::<Vec<_>>();
            // A place without a mark is for what no other place is marked for.
            kinds.sort_by_key(|kind| kind.mark.is_none());
            entries.push(Entry::new(record, kinds, layouts));
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.record.len()));
        let [long, short] = hang_in(&mut entries);
        Self {
            grammar,
            two: Arc::new(plain_ones(&entries, 2)),
            three: Arc::new(plain_ones(&entries, 3)),
            entries: entries.into(),
            long: Arc::new(long),
            short: Arc::new(short),
        }
    }

    /// The record's kind and layout; `None` if the application has no such record.
    #[must_use]
    #[inline]
    pub fn identify(&self, columns: &Columns) -> Option<(Symbol, LayoutId)> {
        let [first, ..] = columns.as_chunks().0 else { return None };
        let word = u32::from_le_bytes(*first);
        let two = &self.two[hash(word & 0xFFFF)];
        if word & two.filled == two.key {
            return Some((two.symbol, two.layout));
        }
        let three = &self.three[hash(word & 0xFF_FFFF)];
        if word & three.filled == three.key {
            return Some((three.symbol, three.layout));
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
        let matches = |id: &&LayoutId| self.grammar.layout(**id).is_decided(columns);
        let layout = match &*entry.layouts {
            [only] => *only,
            several => *several.iter().find(matches).or(several.last())?,
        };
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
        self.mark.as_ref().is_none_or(|mark| mark.stands_in(columns))
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

/// Hangs entries into the slots of long and short ones, the last entry first, so that longer ones are met
/// first.
fn hang_in(entries: &mut [Entry]) -> [[u8; 256]; 2] {
    let [mut long, mut short] = [[0; 256]; 2];
    for (index, entry) in entries.iter_mut().enumerate().rev() {
        let number = index as u8 + 1;
        let slot = match entry.record.len() {
            0 => continue,
            // Of an identifier of one character the second column may hold anything.
            1 => {
                entry.next = short[0];
                short.fill(number);
                continue;
            }
            2 | 3 => &mut short[hash(entry.key & 0xFFFF)],
            _ => &mut long[hash(entry.key)],
        };
        entry.next = std::mem::replace(slot, number);
    }
    [long, short]
}

/// By the hash of their identifiers.
type PlainTable = [Plain; 256];

/// A slot is taken by the first that comes; another one is found among the entries.
fn plain_ones(entries: &[Entry], length: usize) -> PlainTable {
    let mut table = [Plain::NONE; 256];
    for entry in entries.iter().filter(|entry| entry.record.len() == length) {
        let begins = |other: &Entry| other.record.len() > length && other.record.starts_with(&entry.record);
        if let Some((symbol, layout)) = entry.plain.filter(|_| !entries.iter().any(begins)) {
            let plain = Plain { key: entry.key, filled: entry.filled, symbol, layout };
            let slot = &mut table[hash(entry.key)];
            if slot.filled == 0 {
                *slot = plain;
            }
        }
    }
    table
}

#[inline]
fn hash(word: u32) -> usize {
    (word.wrapping_mul(0x9E37_79B1) >> 24) as usize
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::wire::RECORD_LENGTH;

    /// Those of all applications.
    static IDENTIFIERS: LazyLock<Vec<Identifier<'static>>> = LazyLock::new(|| {
        let grammar = Grammar::builtin();
        let structures = grammar.structures().map(|(structure, automaton)| {
            Identifier::new(grammar, &structure.application, structure.direction, automaton)
        });
        structures.collect()
    });

    proptest! {
        #[test]
        fn a_record_is_told_as_the_obvious_way_does(
            which in any::<prop::sample::Index>(),
            entry in any::<prop::sample::Index>(),
            kept in 0..=4_usize,
            rest in "[ -~]{80}",
        ) {
            let identifier = &IDENTIFIERS[which.index(IDENTIFIERS.len())];
            let entry = &identifier.entries[entry.index(identifier.entries.len())];
            let mut columns = [b' '; RECORD_LENGTH];
            columns.copy_from_slice(rest.as_bytes());
            let kept = kept.min(entry.record.len());
            columns[..kept].copy_from_slice(&entry.record.as_bytes()[..kept]);
            let longest = identifier.entries.iter().find(|entry| columns.starts_with(entry.record.as_bytes()));
            let obvious = longest.and_then(|entry| identifier.decide(entry, &columns));
            prop_assert_eq!(identifier.identify(&columns), obvious);
        }
    }
}
