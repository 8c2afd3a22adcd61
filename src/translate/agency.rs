//! Partner agency records as trees. Whatever record of the structure no table speaks for is one.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::field::put_bytes;
use super::part::{Child, Reader, Writer};
use super::place::{Names, Reading, RecordPlace, Spot, Writing};
use super::problem::EncodeProblem;
use crate::grammar::{Designation, Direction, GroupMember, Layout, Member, Symbol, UnknownName, Values};
use crate::message::{Group, Node};
use crate::model::{AgencyFields, AgencyRecord, AgencyText, Code, Coded};
use crate::wire::RECORD_LENGTH;

/// Partner agency records, and other records that no table speaks for: `Agency []`.
pub(super) struct Agency;

struct AgencyField {
    name: Arc<str>,
    spot: Spot,
    numeric: bool,
}

struct AgencyPlace {
    record: RecordPlace,
    fields: Vec<AgencyField>,
}

/// The records that travel as trees.
pub(super) struct AgencyPlaces {
    /// Sorted by the record's identifier; of several layouts the general one comes last.
    places: Vec<AgencyPlace>,
    /// By the record's kind, the range of its layouts.
    of_symbol: Vec<std::ops::Range<usize>>,
    /// By group: whether it begins with a record that the others of the group belong to.
    headed: Vec<bool>,
}

impl AgencyPlaces {
    /// All records of the structure that are not among those spoken for.
    pub(super) fn new(
        names: &Names<'_>,
        root: &GroupMember,
        bound: &BTreeSet<String>,
    ) -> Result<Self, UnknownName> {
        let mut ids = names.automaton.records().filter(|id| !bound.contains(*id)).collect::<Vec<_>>();
        ids.sort_unstable();
        let mut places: Vec<AgencyPlace> = Vec::new();
        let mut of_symbol = Vec::new();
        for id in ids {
            let from = places.len();
            for (symbol, _) in names.automaton.symbols_of(id) {
                places.truncate(from);
                for layout in layouts(names, id) {
                    places.push(AgencyPlace::new(layout, symbol)?);
                }
                let index = usize::from(symbol.0);
                of_symbol.resize(of_symbol.len().max(index + 1), 0..0);
                of_symbol[index] = from..places.len();
            }
        }
        let mut headed = Vec::new();
        number_groups(root, &mut headed);
        Ok(Self { places, of_symbol, headed })
    }

    #[inline]
    fn has(&self, symbol: Symbol) -> bool {
        self.of_symbol.get(usize::from(symbol.0)).is_some_and(|range| !range.is_empty())
    }

    fn place_of(&self, node: &Node) -> Option<&AgencyPlace> {
        let places = &self.places[self.of_symbol.get(usize::from(node.symbol.0))?.clone()];
        places.iter().find(|place| place.record.layout == node.layout)
    }

    fn place_by_id(&self, id: &str) -> Option<&AgencyPlace> {
        let behind = self.places.partition_point(|place| place.record.id.as_str() <= id);
        self.places[..behind].last().filter(|place| place.record.id == id)
    }
}

/// The layouts of a record: the application's own, or else those of the message set that travels in it.
fn layouts<'g>(names: &Names<'g>, id: &'g str) -> impl Iterator<Item = &'g Layout> {
    let all = names.grammar.layouts();
    let of = move |layout: &&Layout| layout.record == id && layout.direction == Direction::Input;
    let own = all.iter().filter(of).find(|layout| layout.application == names.application);
    let other = all.iter().filter(of).find(|layout| layout.application != "*");
    let application = own.or(other).map_or("", |layout| layout.application.as_str());
    names.grammar.variants(application, Direction::Input, id)
}

/// Groups are numbered as the automaton does: each before its members.
fn number_groups(group: &GroupMember, headed: &mut Vec<bool>) {
    let head = group.members.first();
    headed.push(matches!(head, Some(Member::Record(record))
        if record.designation == Designation::Mandatory && record.maximum == Some(1)));
    for member in &group.members {
        if let Member::Group(inner) = member {
            number_groups(inner, headed);
        }
    }
}

impl AgencyPlace {
    fn new(layout: &Layout, symbol: Symbol) -> Result<Self, UnknownName> {
        let record = RecordPlace::new(layout, symbol);
        let mut fields = Vec::new();
        for field in &layout.fields {
            if field.is_filler() || matches!(field.values, Values::Constant(_)) {
                continue;
            }
            let spot = record.find(layout, &field.name)?;
            fields.push(AgencyField {
                name: field.name.as_str().into(),
                spot,
                numeric: spot.cell.class().is_numeric(),
            });
        }
        Ok(Self { record, fields })
    }

    fn read(&self, reading: &mut Reading<'_>) -> Option<AgencyRecord> {
        let source = reading.source;
        let mut fields = AgencyFields::with_capacity(self.fields.len());
        let mut complete = true;
        for field in &self.fields {
            if source.is_blank(&field.spot) {
                continue;
            }
            let value = if field.numeric {
                source.digits(&field.spot).and_then(|digits| number(digits, field.spot.cell.width()))
            } else {
                AgencyText::from_bytes(source.indented(&field.spot))
            };
            match value {
                Some(value) => fields.push(Arc::clone(&field.name), value),
                None => {
                    let expected = if field.numeric { "digits" } else { AgencyText::EXPECTED };
                    reading.fail(&field.spot, expected, true);
                    complete = false;
                }
            }
        }
        let record = Code::from_bytes(self.record.id.as_bytes())?;
        complete.then_some(AgencyRecord { record, fields, children: Vec::new() })
    }

    fn write(&self, fields: &AgencyFields, writing: &mut Writing<'_>) -> Result<(), EncodeProblem> {
        let mut from = 0;
        for (name, text) in fields.iter() {
            let at = self.position(name, from).ok_or_else(|| EncodeProblem {
                path: Box::default(),
                record: self.record.id.clone(),
                field: name.to_string(),
                columns: (1, RECORD_LENGTH),
                found: "an unknown field".to_owned(),
                expected: "a field of the record".into(),
            })?;
            from = at + 1;
            let field = &self.fields[at];
            let width = field.spot.cell.width();
            let digits = if field.numeric { number(text.as_bytes(), width) } else { None };
            let written = match &digits {
                _ if !field.numeric => put_bytes(field.spot.cell, writing.columns, text.as_bytes()),
                Some(digits) => put_bytes(field.spot.cell, writing.columns, digits.as_bytes()),
                None => None,
            };
            written.ok_or_else(|| {
                let what = if field.numeric { "digits" } else { "characters" };
                writing.misfit(
                    &field.spot,
                    format!("{} characters", text.as_bytes().len()),
                    format!("at most {width} {what}"),
                )
            })?;
        }
        Ok(())
    }

    /// Where the field stands; names mostly come in the order of the record.
    fn position(&self, name: &Arc<str>, from: usize) -> Option<usize> {
        let named = |field: &AgencyField| Arc::ptr_eq(&field.name, name) || field.name == *name;
        let onward = self.fields.iter().skip(from).position(named).map(|position| from + position);
        onward.or_else(|| self.fields.iter().position(named))
    }
}

/// Digits filled with zeros on the left; `None` if they are no digits or too many.
fn number(digits: &[u8], width: usize) -> Option<AgencyText> {
    let mut filled = [b'0'; RECORD_LENGTH];
    let start = width.checked_sub(digits.len())?;
    filled.get_mut(start..width)?.copy_from_slice(digits);
    let valid = digits.iter().all(u8::is_ascii_digit);
    if valid { AgencyText::from_bytes(&filled[..width]) } else { None }
}

impl Reader<'_> {
    /// The tree that begins here: the outermost group that does.
    fn agency_tree(&mut self, into: &mut Vec<AgencyRecord>) {
        let groups = self.transaction.groups();
        let mut group = self.transaction.nodes()[self.position].group as usize;
        let begins_here = |group: usize| groups[group].first as usize == self.position;
        if !begins_here(group) {
            self.agency_record(into);
            return;
        }
        while groups[group].parent as usize != group && begins_here(groups[group].parent as usize) {
            group = groups[group].parent as usize;
        }
        self.agency_group(group, into);
    }

    fn agency_group(&mut self, index: usize, into: &mut Vec<AgencyRecord>) {
        let group = self.transaction.groups()[index];
        let headed = self.agency.headed.get(usize::from(group.index)).copied().unwrap_or_default();
        let before = into.len();
        if headed {
            self.agency_record(into);
        }
        match into.get_mut(before) {
            // The head moves out so that its children can be read into it.
            Some(head) => {
                let mut children = std::mem::take(&mut head.children);
                self.agency_members(index, group, &mut children);
                into[before].children = children;
            }
            None => self.agency_members(index, group, into),
        }
    }

    fn agency_members(&mut self, index: usize, group: Group, into: &mut Vec<AgencyRecord>) {
        let groups = self.transaction.groups();
        let mut inner = index + 1;
        while self.position < group.end as usize {
            let own = self.transaction.nodes()[self.position].group as usize == index;
            let Some(next) = groups.get(inner).filter(|_| !own) else {
                self.agency_record(into);
                continue;
            };
            self.agency_group(inner, into);
            inner = next.groups_end as usize;
        }
    }

    fn agency_record(&mut self, into: &mut Vec<AgencyRecord>) {
        let agency = self.agency;
        let node = &self.transaction.nodes()[self.position];
        match agency.place_of(node) {
            Some(place) => {
                let mut reading = self.take(&place.record);
                into.extend(place.read(&mut reading));
            }
            None => self.misplaced(),
        }
    }
}

impl Writer<'_> {
    fn agency_record(&mut self, record: &AgencyRecord) -> Result<(), EncodeProblem> {
        let place = self.agency.place_by_id(record.record.as_str()).ok_or_else(|| EncodeProblem {
            path: Box::default(),
            record: record.record.to_string(),
            field: String::new(),
            columns: (1, RECORD_LENGTH),
            found: "an unknown record".to_owned(),
            expected: "a record of the partner agencies".into(),
        })?;
        self.record(&place.record, |writing| place.write(&record.fields, writing))?;
        record.children.iter().try_for_each(|child| self.agency_record(child))
    }
}

impl Child<Agency> for Vec<AgencyRecord> {
    type Place = ();

    fn place(_: &Names<'_>, _: &[&str]) -> Result<(), UnknownName> {
        Ok(())
    }

    #[inline]
    fn accepts(&self, (): &(), next: Symbol, reader: &Reader<'_>) -> bool {
        reader.agency.has(next)
    }

    fn read(&mut self, (): &(), reader: &mut Reader<'_>) {
        reader.agency_tree(self);
    }

    fn write(&self, (): &(), writer: &mut Writer<'_>) -> Result<(), EncodeProblem> {
        self.iter()
            .enumerate()
            .try_for_each(|(at, record)| writer.agency_record(record).map_err(|problem| problem.within(at)))
    }
}
