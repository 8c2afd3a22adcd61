//! Makes a transaction obey its application's rules, change by change.
//!
//! Each condition that the rules raise says what would undo it; one of these changes is made, and the rules
//! are asked again. What a random transaction lacks is filled in that way, what it has too much goes, and
//! totals become the sums they are, without any knowledge here of what the records mean.

use super::dice::Dice;
use super::recipe::Given;
use super::value;
use super::workshop::{Plan, Workshop};
use crate::grammar::{Designation, Field, GroupMember, LayoutId, Member, RecordMember, Symbol, Values};
use crate::rules::{Change, Content, Context, RuleBook};
use crate::wire::Columns;

/// After so many changes a transaction is given up.
const PATIENCE: usize = 400;

/// After so many changes that made nothing better, it begins again where it was best.
const ASTRAY: usize = 20;

impl Workshop<'_> {
    /// The same transaction, obeying the rules; none if it cannot be brought to.
    pub(super) fn mend(
        &self,
        book: &RuleBook,
        mut rows: Vec<Columns>,
        dice: &mut Dice,
    ) -> Option<Vec<Columns>> {
        let context =
            Context { grammar: self.grammar, reference: self.world, today: self.today, block: &self.block };
        let mut best = (usize::MAX, rows.clone(), 0);
        for step in 0..PATIENCE {
            let transaction = self.assemble(&rows)?;
            let mut repairs = book.repairs(&transaction, &context);
            if repairs.len() < best.0 {
                best = (repairs.len(), rows.clone(), step);
            } else if step - best.2 > ASTRAY {
                // one change led to another and none of them back
                rows = best.1.clone();
                best.2 = step;
                let transaction = self.assemble(&rows)?;
                repairs = book.repairs(&transaction, &context);
            }
            // What a rule reads may hang on those before it.
            let first = if dice.chance(0.8) { 0 } else { dice.below(repairs.len()) };
            let Some((_, repair)) = repairs.get(first) else { return Some(rows) };
            let mut changes = repair.direct.iter().collect::<Vec<_>>();
            if changes.is_empty() || dice.chance(0.05) {
                changes.extend(&repair.indirect);
            }
            dice.shuffle(&mut changes);
            if let Some(next) = changes.into_iter().find_map(|change| self.changed(&rows, change, dice)) {
                rows = next;
            }
        }
        None
    }

    /// The transaction with a change, if it still has the structure of one.
    fn changed(&self, rows: &[Columns], change: &Change, dice: &mut Dice) -> Option<Vec<Columns>> {
        let mut next = match change {
            Change::Field { record, cell, content } => {
                let mut next = rows.to_vec();
                let row = next.get_mut(*record as usize)?;
                let layout = self.layout(row)?;
                let same_place = |field: &Field| field.cell.first_column() == cell.first_column();
                let index = layout.fields.iter().position(same_place)?;
                self.refill(layout, index, content, row, dice)?;
                next
            }
            Change::Remove(record) => self.without(rows, *record)?,
            Change::Insert { symbol, layout, within } => {
                let places = within.start as usize + 1..=(within.end as usize).min(rows.len());
                return self.with(rows, *symbol, *layout, places, dice);
            }
        };
        self.settle(&mut next);
        self.is_whole(&next).then_some(next)
    }

    fn refill(
        &self,
        layout: &crate::grammar::Layout,
        index: usize,
        content: &Content,
        row: &mut Columns,
        dice: &mut Dice,
    ) -> Option<()> {
        let field = &layout.fields[index];
        let before = *row;
        match self.given(layout, index) {
            Some(Given::Always) if *content == Content::Blank => return None,
            Some(Given::Never) if *content != Content::Blank => return None,
            _ => {}
        }
        match content {
            _ if field.decides || matches!(field.values, Values::Constant(_)) => return None,
            Content::Blank if field.designation == Designation::Mandatory => return None,
            Content::Blank => field.cell.put_blank(row),
            Content::Another => self.draw(layout, index, row, dice),
            Content::Text(text) => value::put(field, text, row),
            Content::Number(number) => field.cell.put_decimal(row, *number).ok()?,
            Content::Date(date) => field.cell.put_date(row, *date).ok()?,
            Content::OneOfList(list) => value::put(field, &self.code_of(list, dice)?, row),
            Content::Form(form) => value::put(field, &value::formed(form, dice), row),
        }
        (*row != before).then_some(())
    }

    /// A record taken away; with its whole group if it opens one.
    fn without(&self, rows: &[Columns], record: u32) -> Option<Vec<Columns>> {
        let row = rows.get(record as usize)?;
        if self.is_always_there(row) {
            return None;
        }
        let transaction = self.assemble(rows)?;
        let opened = transaction.groups().iter().skip(1).find(|group| group.first == record);
        let end = opened.map_or(record + 1, |group| group.end);
        let mut next = rows.to_vec();
        next.drain(record as usize..end as usize);
        (!next.is_empty()).then_some(next)
    }

    /// A record put in at the first place that takes it: alone, or else with what its group needs.
    fn with(
        &self,
        rows: &[Columns],
        symbol: Symbol,
        layout: Option<LayoutId>,
        places: std::ops::RangeInclusive<usize>,
        dice: &mut Dice,
    ) -> Option<Vec<Columns>> {
        let mut path = Vec::new();
        let member = find(self, &self.structure.root, symbol, &mut path)?;
        let plan = Plan { fields: 0.2, ..Plan::LEAST };
        let mut pieces = vec![vec![self.record(member, layout, plan, dice)?]];
        for group in path.iter().rev().take(2) {
            let mut piece = Vec::new();
            self.group(group, plan, Some(member), &mut piece, dice);
            pieces.push(piece);
        }
        for piece in pieces {
            for place in places.clone() {
                let mut next = rows.to_vec();
                next.splice(place..place, piece.iter().copied());
                if self.is_whole(&next) {
                    self.settle(&mut next);
                    return Some(next);
                }
            }
        }
        None
    }
}

/// The first place of a kind of record, and the groups around it, outermost first.
fn find<'a>(
    workshop: &Workshop<'_>,
    group: &'a GroupMember,
    symbol: Symbol,
    path: &mut Vec<&'a GroupMember>,
) -> Option<&'a RecordMember> {
    path.push(group);
    for member in &group.members {
        match member {
            Member::Record(record) if workshop.automaton.record(symbol) == record.record => {
                let mut symbols = workshop.automaton.symbols_of(&record.record);
                if symbols.any(|(own, mark)| own == symbol && mark == record.discriminator.as_ref()) {
                    return Some(record);
                }
            }
            Member::Record(_) => {}
            Member::Group(inner) => {
                if let Some(found) = find(workshop, inner, symbol, path) {
                    return Some(found);
                }
            }
        }
    }
    path.pop();
    None
}
