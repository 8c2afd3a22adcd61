//! Records and fields by name, resolved once.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::field::Field;
use super::problem::{DecodeProblem, EncodeProblem, shown};
use crate::grammar::{
    Automaton, Bits, Cell, ClassSet, Direction, Grammar, Layout, LayoutId, Masks, Symbol, UnknownName, Values,
};
use crate::wire::{Columns, RECORD_LENGTH};

/// A field's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    /// Its columns; bit 0 is column 1.
    mask: u128,
    pub(super) cell: Cell,
    /// Which field of the record it is, to name it in a problem.
    field: u8,
    /// The value of a field that lists but one short value; else nothing.
    only: [u8; 3],
    only_length: u8,
}

impl Spot {
    /// Whether a column, from 1, is one of its own.
    pub(super) fn holds(&self, column: usize) -> bool {
        (self.cell.first_column()..=self.cell.last_column()).contains(&column)
    }

    /// The value of a field that lists but one; empty if it lists none or several.
    #[inline]
    pub(super) fn only(&self) -> &[u8] {
        &self.only[..usize::from(self.only_length)]
    }
}

/// A record as it stands, with a map of its columns: what is blank and where a text begins and ends
/// is found without looking at the bytes.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) columns: &'a Columns,
    space: u128,
    digit: u128,
}

impl<'a> Source<'a> {
    #[inline]
    pub(super) fn new(columns: &'a Columns) -> Self {
        let bits = Bits::of(columns);
        Self { columns, space: bits.space, digit: bits.digit }
    }

    /// Whether nothing but spaces stands in the field.
    #[inline]
    pub(super) fn is_blank(&self, spot: &Spot) -> bool {
        spot.mask & !self.space == 0
    }

    /// The text without the spaces around it.
    #[inline]
    pub(super) fn text(&self, spot: &Spot) -> &'a [u8] {
        let filled = spot.mask & !self.space;
        if filled == 0 {
            return &[];
        }
        &self.columns[filled.trailing_zeros() as usize..128 - filled.leading_zeros() as usize]
    }

    /// The text without the spaces behind it.
    #[inline]
    pub(super) fn indented(&self, spot: &Spot) -> &'a [u8] {
        let filled = spot.mask & !self.space;
        if filled == 0 {
            return &[];
        }
        &self.columns[spot.mask.trailing_zeros() as usize..128 - filled.leading_zeros() as usize]
    }

    /// The digits as they stand, spaces before them apart; `None` if there is anything else.
    #[inline]
    pub(super) fn digits(&self, spot: &Spot) -> Option<&'a [u8]> {
        let filled = spot.mask & !self.space;
        // One unbroken run to the field's end: adding its lowest bit carries just beyond the field.
        let beyond = |bits: u128| bits + (bits & bits.wrapping_neg());
        let whole = filled & !self.digit == 0 && (filled == 0 || beyond(filled) == beyond(spot.mask));
        whole.then(|| self.text(spot))
    }
}

/// A record's place in the structure, and its layout.
#[derive(Clone, Debug)]
pub(super) struct RecordPlace {
    pub(super) id: String,
    pub(super) symbol: Symbol,
    pub(super) layout: LayoutId,
    blank: Columns,
    masks: Arc<Masks>,
    /// The columns that must be spaces. Fillers that the chapter prints with another class are
    /// nobody's: what stands there is not carried.
    filler: u128,
    fields: Vec<(String, Cell)>,
}

/// Resolves names and remembers which records are spoken for.
pub(super) struct Names<'g> {
    pub(super) grammar: &'g Grammar,
    pub(super) automaton: &'g Automaton,
    pub(super) application: &'g str,
    pub(super) bound: &'g RefCell<BTreeSet<String>>,
    /// The record in whose table names are resolved.
    above: &'g str,
}

impl<'g> Names<'g> {
    pub(super) fn new(
        grammar: &'g Grammar,
        automaton: &'g Automaton,
        application: &'g str,
        bound: &'g RefCell<BTreeSet<String>>,
    ) -> Self {
        Self { grammar, automaton, application, bound, above: "" }
    }

    /// The same names for the records below one.
    pub(super) fn below(&self, above: &'g str) -> Self {
        Self { above, ..*self }
    }

    /// The record with this identifier. `^1` is the identifier of the record above with its last
    /// character replaced: records of the header and of a line that differ in one digit share a table.
    pub(super) fn record(&self, id: &str, variant: &str) -> Result<RecordPlace, UnknownName> {
        let id = match id.strip_prefix('^') {
            Some(end) => format!("{}{end}", &self.above[..self.above.len().saturating_sub(end.len())]),
            None => id.to_owned(),
        };
        let layout = self.grammar.find(self.application, Direction::Input, &id, variant)?;
        let symbol = self.automaton.symbol(&id).ok_or_else(|| {
            UnknownName(format!("the structure of {} has no record {id}", self.application))
        })?;
        self.bound.borrow_mut().insert(id);
        Ok(RecordPlace::new(layout, symbol))
    }
}

impl RecordPlace {
    pub(super) fn new(layout: &Layout, symbol: Symbol) -> Self {
        let fillers =
            layout.fields.iter().filter(|field| field.is_filler() && field.cell.class() == ClassSet::SPACE);
        let filler = fillers.fold(0, |mask, field| {
            let (first, last) = (field.cell.first_column() - 1, field.cell.last_column() - 1);
            (first..=last).fold(mask, |mask, column| mask | 1_u128 << column)
        });
        Self {
            id: layout.record.clone(),
            symbol,
            layout: layout.id,
            blank: layout.blank(),
            masks: Arc::clone(&layout.masks),
            filler,
            fields: layout.fields.iter().map(|field| (field.name.clone(), field.cell)).collect(),
        }
    }

    /// The place of a field of the model; `#` in the name stands for the number.
    pub(super) fn spot<O, T: Field>(
        &self,
        _of: fn(&O) -> &T,
        names: &Names<'_>,
        name: &str,
        number: usize,
    ) -> Result<Spot, UnknownName> {
        let spot = self.find(names.grammar.layout(self.layout), &name.replace('#', &number.to_string()))?;
        T::check(&spot).map_err(|what| UnknownName(format!("{} {name} {what}", self.id)))?;
        Ok(spot)
    }

    pub(super) fn find(&self, layout: &Layout, name: &str) -> Result<Spot, UnknownName> {
        let cell = layout.cell(name)?;
        let field = layout.fields.iter().position(|field| field.name == name).unwrap_or_default();
        let mask =
            (cell.first_column()..=cell.last_column()).fold(0, |mask, column| mask | 1_u128 << (column - 1));
        let mut spot =
            Spot { mask, cell, field: u8::try_from(field).unwrap_or(u8::MAX), only: [0; 3], only_length: 0 };
        if let Some(Values::OneOf(values)) = layout.fields.get(field).map(|field| &field.values)
            && let [value] = values.as_slice()
            && let Some(only) = spot.only.get_mut(..value.len())
        {
            only.copy_from_slice(value.as_bytes());
            spot.only_length = value.len() as u8;
        }
        Ok(spot)
    }

    fn name(&self, spot: &Spot) -> String {
        self.fields.get(usize::from(spot.field)).map(|(name, _)| name.clone()).unwrap_or_default()
    }

    /// A record of which only the constants stand.
    #[inline]
    pub(super) fn blank(&self) -> Columns {
        self.blank
    }

    /// The fillers that are not blank.
    #[inline]
    pub(super) fn spoilt(&self, source: &Source<'_>) -> u128 {
        self.filler & !source.space
    }

    /// Whether every field of a written record is of its class.
    #[inline]
    pub(super) fn verify(&self, columns: &Columns) -> Result<(), EncodeProblem> {
        if self.masks.accept(columns) { Ok(()) } else { self.blame(columns) }
    }

    #[cold]
    fn blame(&self, columns: &Columns) -> Result<(), EncodeProblem> {
        for (name, cell) in &self.fields {
            if !cell.raw(columns).iter().all(|&byte| cell.class().admits(byte) || byte == b' ') {
                return Err(EncodeProblem {
                    path: Box::default(),
                    record: self.id.clone(),
                    field: name.clone(),
                    columns: (cell.first_column(), cell.last_column()),
                    // Not shown: what is of the wrong class may be anything.
                    found: shown(cell.raw(columns), true),
                    expected: cell.class().in_words().into(),
                });
            }
        }
        Ok(())
    }
}

/// A record that is being read.
pub(super) struct Reading<'a> {
    pub(super) source: Source<'a>,
    pub(super) record: &'a RecordPlace,
    pub(super) number: u32,
    pub(super) problems: &'a mut Vec<DecodeProblem>,
}

impl Reading<'_> {
    #[inline]
    pub(super) fn field<T: Field>(&mut self, spot: &Spot) -> Option<T> {
        match T::read(spot, &self.source) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.fail(spot, expected, T::SECRET);
                None
            }
        }
    }

    #[cold]
    pub(super) fn fail(&mut self, spot: &Spot, expected: &str, secret: bool) {
        self.problem(
            self.record.name(spot),
            spot.cell.first_column(),
            spot.cell.last_column(),
            expected,
            secret,
        );
    }

    /// A fault of the record as a whole.
    #[cold]
    pub(super) fn fail_record(&mut self, expected: &str) {
        self.problem(String::new(), 1, RECORD_LENGTH, expected, true);
    }

    #[cold]
    pub(super) fn fail_fillers(&mut self, spoilt: u128) {
        for (name, cell) in &self.record.fields {
            if name == "filler"
                && (cell.first_column()..=cell.last_column()).any(|c| spoilt >> (c - 1) & 1 == 1)
            {
                self.problem(name.clone(), cell.first_column(), cell.last_column(), "spaces", true);
            }
        }
    }

    fn problem(&mut self, field: String, first: usize, last: usize, expected: &str, secret: bool) {
        self.problems.push(DecodeProblem {
            record: self.record.id.clone(),
            number: self.number + 1,
            field,
            columns: (first, last),
            found: shown(&self.source.columns[first - 1..last], secret),
            expected: expected.to_owned(),
        });
    }
}

/// A record that is being written.
pub(super) struct Writing<'a> {
    pub(super) columns: &'a mut Columns,
    pub(super) record: &'a RecordPlace,
}

impl Writing<'_> {
    #[inline]
    pub(super) fn field<T: Field>(&mut self, spot: &Spot, value: &T) -> Result<(), EncodeProblem> {
        value.write(spot, self.columns).map_err(|misfit| self.misfit(spot, misfit.found, misfit.expected))
    }

    #[cold]
    pub(super) fn misfit(&self, spot: &Spot, found: String, expected: String) -> EncodeProblem {
        EncodeProblem {
            path: Box::default(),
            record: self.record.id.clone(),
            field: self.record.name(spot),
            columns: (spot.cell.first_column(), spot.cell.last_column()),
            found,
            expected: expected.into(),
        }
    }
}
