//! The rows of one entry summary.

use serde_json::Value;

use super::fill::{Filling, Misfit, fill};
use super::layout::{Cells, Format, blank_cells};
use super::mapping::{Body, Entry, Member};
use super::read::csv_row;
use super::totals::Totals;
use super::write::{FlatWriter, Rows, Wrong};

impl FlatWriter<'_> {
    /// Adds the rows of a summary or of an element of one of its lists; gives its keys.
    pub(super) fn emit(
        &self,
        level: usize,
        object: &Value,
        carried: Option<(usize, Cells)>,
        ordinal: u64,
        into: &mut Rows,
    ) -> Result<Cells, Wrong> {
        let known = &self.layout.levels[level];
        let Some(kind) = known.row else { return Ok(Cells::new()) };
        let begun = into.len();
        let row = &self.layout.rows[kind];
        let mut cells = carried.map_or_else(|| blank_cells(row), |(_, cells)| cells);
        if let Some(field) = known.body.number {
            cells[field] = Some(ordinal.to_string());
        }
        let mut kinds = vec![kind];
        let mut fillings = vec![Filling { row, body: &known.body, cells }];
        for member in &known.members {
            if let Member::With { row, body } = member {
                kinds.push(*row);
                let row = &self.layout.rows[*row];
                fillings.push(Filling { row, body, cells: blank_cells(row) });
            }
        }
        let filled = fill(&self.own(level, object), &mut fillings, self.layout.encoding());
        filled.map_err(|(index, misfit)| Wrong { kind: kinds.get(index).copied(), misfit })?;
        let mut with = fillings.into_iter().map(|filling| filling.cells);
        let cells = with.next().unwrap_or_default();
        let keys = known.keys.iter().map(|key| cells[*key].clone()).collect();
        let shared = self.shared(level).filter(|inner| !self.list(*inner, object).is_empty());
        match shared {
            None => into.push((kind, cells)),
            Some(inner) => {
                self.elements(inner, object, Some((kind, cells)), into)?;
            }
        }
        for member in &known.members {
            match member {
                Member::With { row, body } => {
                    let mut cells = with.next().unwrap_or_default();
                    let is_needed = !body.is_blank(&cells) || !body.totals.is_empty();
                    if is_needed {
                        let mut totals = Totals::new(known, self.layout.rows.len());
                        into[begun..].iter().for_each(|(kind, cells)| totals.add(*kind, cells));
                        self.total(&totals, body, *row, &mut cells);
                        into.push((*row, cells));
                    }
                }
                Member::Level(inner) if Some(*inner) != self.shared(level) => {
                    self.elements(*inner, object, None, into)?;
                }
                Member::Level(_) => {}
            }
        }
        Ok(keys)
    }

    /// Adds the rows of the elements of a list.
    pub(super) fn elements(
        &self,
        level: usize,
        object: &Value,
        mut carried: Option<(usize, Cells)>,
        into: &mut Rows,
    ) -> Result<(), Wrong> {
        let mut before = None;
        for (element, ordinal) in self.list(level, object).iter().zip(1..) {
            let keys = self.emit(level, element, carried.clone(), ordinal, into)?;
            self.differ(level, before.as_ref(), &keys)?;
            before = Some(keys);
            if let (Some((kind, cells)), Some(parent)) = (&mut carried, self.layout.levels[level].parent) {
                self.forget_once(parent, *kind, cells);
            }
        }
        Ok(())
    }

    /// What follows another one is told from it by its keys, where there are some.
    pub(super) fn differ(&self, level: usize, before: Option<&Cells>, keys: &Cells) -> Result<(), Wrong> {
        let known = &self.layout.levels[level];
        if keys.is_empty() || before != Some(keys) {
            return Ok(());
        }
        let found = format!("what tells {} apart the same twice", known.name);
        let misfit =
            Misfit { field: known.keys.first().copied(), found, expected: "another value".to_owned() };
        Err(Wrong { kind: known.row, misfit })
    }

    /// Takes out of the values of a row what is said once: of a level, and of those around it.
    pub(super) fn forget_once(&self, level: usize, kind: usize, cells: &mut Cells) {
        let fields = &self.layout.rows[kind].fields;
        let mut around = Some(level);
        while let Some(level) = around {
            let known = &self.layout.levels[level];
            if known.row == Some(kind) {
                let once =
                    known.body.entries.iter().filter_map(Entry::field).filter(|field| fields[*field].once);
                once.chain(known.body.rest).for_each(|field| cells[field] = None);
            }
            around = known.parent;
        }
    }

    /// Fills in what a trailer counts, itself included.
    pub(super) fn total(&self, totals: &Totals, body: &Body, kind: usize, cells: &mut Cells) {
        let mut totals = totals.clone();
        totals.add(kind, cells);
        for total in &body.totals {
            cells[total.field] = totals.of(total).map(|number| number.to_string());
        }
    }

    /// The level within that begins in the same row.
    pub(super) fn shared(&self, level: usize) -> Option<usize> {
        let known = &self.layout.levels[level];
        known.members.iter().find_map(|member| match member {
            Member::Level(inner) if self.layout.levels[*inner].row == known.row => Some(*inner),
            _ => None,
        })
    }

    pub(super) fn list<'v>(&self, level: usize, object: &'v Value) -> &'v [Value] {
        let list = object.get(&self.layout.levels[level].list).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    /// An object without the lists that have levels of their own.
    pub(super) fn own(&self, level: usize, object: &Value) -> Value {
        let mut own = object.clone();
        for member in &self.layout.levels[level].members {
            if let (Member::Level(inner), Value::Object(own)) = (member, &mut own) {
                own.shift_remove(&self.layout.levels[*inner].list);
            }
        }
        own
    }

    /// The bytes of a row.
    pub(super) fn bytes(&self, kind: usize, cells: &Cells) -> Result<Vec<u8>, Wrong> {
        let row = &self.layout.rows[kind];
        let misfit = |field: usize, expected: String| {
            let found = cells[field].clone().unwrap_or_else(|| "nothing".to_owned());
            Wrong { kind: Some(kind), misfit: Misfit { field: Some(field), found, expected } }
        };
        let Format::Fixed { length, encoding, .. } = self.layout.format else {
            let mut values = Vec::with_capacity(cells.len());
            for (index, (field, cell)) in row.fields.iter().zip(cells).enumerate() {
                let text = match cell {
                    None if field.mandatory => Err("a value".to_owned()),
                    None => Ok(String::new()),
                    Some(value) => field.text_of(value),
                };
                values.push(text.map_err(|expected| misfit(index, expected))?);
            }
            return Ok(csv_row(values.iter().map(String::as_bytes)));
        };
        let mut bytes = vec![encoding.space(); length];
        for (index, (field, cell)) in row.fields.iter().zip(cells).enumerate() {
            if !field.is_filler() {
                let written = field.write(cell.as_deref(), encoding, &mut bytes[field.start..field.end]);
                written.map_err(|expected| misfit(index, expected))?;
            }
        }
        Ok(self.layout.framed(bytes))
    }
}
