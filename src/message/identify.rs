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

/// Finds entries at once: by the first column it is known how many make the identifier, and by a hash of
/// these where it stands. What does not fit in is found by searching.
#[derive(Clone, Debug)]
struct Index {
    /// By the first column: the bits of the first four columns that the identifiers fill which begin with it;
    /// none if there are none, or if these differ in length.
    filled: [u32; 256],
    multiplier: u32,
    slots: [Place; 1 << INDEX_BITS],
}

/// More slots than identifiers, so that few share one.
const INDEX_BITS: u32 = 9;

/// Where an identifier leads.
#[derive(Clone, Copy, Debug)]
struct Place {
    key: u32,
    /// The answer of an identifier that alone decides, or else the entry's index and no layout.
    number: u8,
    is_plain: bool,
    layout: LayoutId,
}

impl Place {
    /// What no record leads to.
    const NONE: Self = Self { key: 1, number: 0, is_plain: false, layout: LayoutId::FIRST };

    fn of(index: usize, entry: &Entry) -> Self {
        let (number, layout) =
            entry.plain.map_or((index as u8, LayoutId::FIRST), |(symbol, layout)| (symbol.0, layout));
        Self { key: entry.key, number, is_plain: entry.plain.is_some(), layout }
    }
}

impl Index {
    fn of(entries: &[Entry]) -> Self {
        let mut filled = [0; 256];
        for entry in entries {
            let begins_alike =
                |other: &&Entry| other.record.as_bytes().first() == entry.record.as_bytes().first();
            let is_alike = |other: &Entry| other.record.len() == entry.record.len();
            if (1..=4).contains(&entry.record.len()) && entries.iter().filter(begins_alike).all(is_alike) {
                filled[usize::from(entry.record.as_bytes()[0])] = entry.filled;
            }
        }
        let places = entries.iter().enumerate().map(|(index, entry)| Place::of(index, entry));
        let places = places.filter(|place| filled[usize::from(place.key as u8)] != 0).collect::<Vec<_>>();
        // By the multiplier that finds most of them a slot of their own.
        let mut best = (0, Self { filled, multiplier: 1, slots: [Place::NONE; 1 << INDEX_BITS] });
        for number in 0..MULTIPLIERS {
            let multiplier = 0x9E37_79B1_u32.wrapping_mul(2 * number + 1);
            let mut index = Self { filled, multiplier, slots: [Place::NONE; 1 << INDEX_BITS] };
            let placed = places.iter().filter(|place| index.put(place)).count();
            if placed > best.0 {
                best = (placed, index);
            }
            if placed == places.len() {
                break;
            }
        }
        best.1
    }

    /// Puts an identifier into its slot, if that is free.
    fn put(&mut self, place: &Place) -> bool {
        let slot = &mut self.slots[slot(self.multiplier, place.key)];
        let is_free = slot.key == Place::NONE.key;
        if is_free {
            *slot = *place;
        }
        is_free
    }

    #[inline]
    fn find(&self, word: u32) -> Option<Place> {
        let key = word & self.filled[usize::from(word as u8)];
        let place = self.slots[slot(self.multiplier, key)];
        (place.key == key).then_some(place)
    }
}

/// How many multipliers are tried.
const MULTIPLIERS: u32 = 64;

#[inline]
fn slot(multiplier: u32, key: u32) -> usize {
    (key.wrapping_mul(multiplier) >> (u32::BITS - INDEX_BITS)) as usize
}

/// Tells the records of one application apart by their first columns. A clone shares what it knows.
#[derive(Clone)]
pub struct Identifier<'g> {
    grammar: &'g Grammar,
    /// By this nearly all records are known.
    index: Arc<Index>,
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
            index: Arc::new(Index::of(&entries)),
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
        match self.index.find(word) {
            Some(place) if place.is_plain => Some((Symbol(place.number), place.layout)),
            Some(place) => self.decide(&self.entries[usize::from(place.number)], columns),
            None => self.search(word, columns),
        }
    }

    /// Finds what the index does not.
    fn search(&self, word: u32, columns: &Columns) -> Option<(Symbol, LayoutId)> {
        let entry = self
            .find(self.long[hash(word)], word)
            .or_else(|| self.find(self.short[hash(word & 0xFFFF)], word))?;
        entry.plain.or_else(|| self.decide(entry, columns))
    }

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
        let matches = |id: &&LayoutId| self.grammar.layout(**id).matches(columns);
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
        fn the_index_finds_what_searching_finds(
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
            let word = u32::from_le_bytes([columns[0], columns[1], columns[2], columns[3]]);
            prop_assert_eq!(identifier.identify(&columns), identifier.search(word, &columns));
        }
    }
}
