//! Makes records and transactions by the grammar: structure by its map, fields by their layouts.

use std::collections::{HashMap, HashSet};

use jiff::Span;
use jiff::civil::Date;

use super::GenerateError;
use super::dice::Dice;
use super::recipe::{Given, Recipe, Recipes};
use super::value;
use crate::grammar::{
    Automaton, Cursor, Designation, Field, Grammar, GroupMember, Layout, LayoutId, Member, Order,
    RecordMember, Structure, Symbol, Values,
};
use crate::host::World;
use crate::message::{Assembler, Identifier, Transaction};
use crate::rules::BlockInfo;
use crate::wire::Columns;

/// A transaction grows no further once it has so many records: whatever may be left out is.
const ENOUGH: usize = 300;
/// How often a record is drawn anew until it is of the kind that was meant.
const ATTEMPTS: usize = 40;
/// No group or record repeats more often where the map allows any number.
const MANY: u32 = 6;

/// How much of what may be left out stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// The share of records and groups.
    pub(super) records: f64,
    /// The share of fields.
    pub(super) fields: f64,
    /// How likely one more repeat is.
    pub(super) repeats: f64,
    /// The share of records and groups that no transaction has had yet, if it is more.
    pub(super) unseen: f64,
}

impl Plan {
    /// Only what must stand.
    pub(super) const LEAST: Self = Self { records: 0.0, fields: 0.0, repeats: 0.0, unseen: 0.0 };
    /// All that may stand, once at least.
    pub(super) const MOST: Self = Self { records: 1.0, fields: 1.0, repeats: 0.3, unseen: 1.0 };
}

/// What the values of one application's transactions are made from.
pub(super) struct Workshop<'a> {
    pub(super) grammar: &'a Grammar,
    pub(super) world: &'a World,
    pub(super) structure: &'a Structure,
    pub(super) automaton: &'a Automaton,
    pub(super) block: BlockInfo,
    pub(super) today: Date,
    identifier: Identifier<'a>,
    layouts: HashMap<&'a str, Vec<&'a Layout>>,
    recipes: Recipes,
    /// The kinds of records that transactions have had so far.
    seen: HashSet<Symbol>,
}

impl<'a> Workshop<'a> {
    pub(super) fn new(
        grammar: &'a Grammar,
        world: &'a World,
        (structure, automaton): (&'a Structure, &'a Automaton),
        block: BlockInfo,
        today: Date,
    ) -> Result<Self, GenerateError> {
        let application = structure.application.as_str();
        let mut layouts = HashMap::new();
        for record in automaton.records() {
            let ids = grammar.layouts_of(application, structure.direction, record);
            layouts.insert(record, ids.into_iter().map(|id| grammar.layout(id)).collect::<Vec<_>>());
        }
        let all = layouts.values().flatten().copied().collect::<Vec<_>>();
        Ok(Self {
            recipes: Recipes::new(grammar, application, &all)?,
            identifier: Identifier::new(grammar, application, structure.direction, automaton),
            grammar,
            world,
            structure,
            automaton,
            block,
            today,
            layouts,
            seen: HashSet::new(),
        })
    }

    /// Remembers which records a transaction has.
    pub(super) fn remember(&mut self, rows: &[Columns]) {
        let symbols = rows.iter().filter_map(|row| self.identifier.identify(row)).map(|(symbol, _)| symbol);
        self.seen.extend(symbols.collect::<Vec<_>>());
    }

    /// Whether something in a place of the map has not stood yet.
    fn is_new(&self, member: &Member) -> bool {
        match member {
            Member::Record(record) => self.symbol(record).is_some_and(|symbol| !self.seen.contains(&symbol)),
            Member::Group(group) => group.members.iter().any(|inner| self.is_new(inner)),
        }
    }

    /// The tree of a transaction, if these records are one.
    pub(super) fn assemble(&self, rows: &[Columns]) -> Option<Transaction> {
        let mut assembler = Assembler::new(self.identifier.clone(), self.automaton);
        let mut finished = None;
        for (row, number) in rows.iter().zip(1..) {
            assembler.push(row, number, &mut finished).ok()?;
        }
        let last = assembler.finish().ok()?;
        if finished.is_some() { None } else { last }
    }

    /// Whether these records are one transaction.
    pub(super) fn is_whole(&self, rows: &[Columns]) -> bool {
        let mut cursor = Cursor::default();
        for (row, number) in rows.iter().zip(1..) {
            let Some((symbol, _)) = self.identifier.identify(row) else { return false };
            if cursor.step(self.automaton, symbol).is_err() || number > 1 && cursor.begins() {
                return false;
            }
        }
        !rows.is_empty() && cursor.finish(self.automaton).is_ok()
    }

    /// The layout of a record.
    pub(super) fn layout(&self, row: &Columns) -> Option<&'a Layout> {
        self.identifier.identify(row).map(|(_, id)| self.grammar.layout(id))
    }

    /// A transaction; it may yet lack something, or have too much, where the map is ambiguous.
    pub(super) fn transaction(&self, plan: Plan, dice: &mut Dice) -> Vec<Columns> {
        let mut rows = Vec::new();
        self.group(&self.structure.root, plan, None, &mut rows, dice);
        self.settle(&mut rows);
        rows
    }

    /// One instance of a group; a record that it must have can be named.
    pub(super) fn group(
        &self,
        group: &GroupMember,
        plan: Plan,
        wanted: Option<&RecordMember>,
        rows: &mut Vec<Columns>,
        dice: &mut Dice,
    ) {
        let mut members = group.members.iter().collect::<Vec<_>>();
        match group.order {
            Order::Sequence => {}
            Order::Unordered => dice.shuffle(members.get_mut(1..).unwrap_or_default()),
            Order::Choice => {
                dice.shuffle(&mut members);
                members.sort_by_key(|member| plan.unseen > 0.0 && !self.is_new(member));
                members.truncate(1);
            }
        }
        for member in members {
            let mut plan = if rows.len() > ENOUGH { Plan::LEAST } else { plan };
            if plan.unseen > plan.records && self.is_new(member) {
                plan.records = plan.unseen;
            }
            match member {
                Member::Record(record) => {
                    let wanted = wanted.is_some_and(|wanted| std::ptr::eq(wanted, record));
                    let given = self.recipes.record_given(&record.record);
                    let least = u32::from(wanted || given == Some(Given::Always));
                    if given == Some(Given::Never) && !wanted {
                        continue;
                    }
                    for _ in 0..times(record.designation, record.maximum, plan, dice).max(least) {
                        rows.extend(self.record(record, None, plan, dice));
                    }
                }
                Member::Group(inner) => {
                    for _ in 0..times(inner.designation, inner.maximum, plan, dice) {
                        self.group(inner, plan, None, rows, dice);
                    }
                }
            }
        }
    }

    /// A record of a place of the map, of a certain layout if one is named.
    pub(super) fn record(
        &self,
        member: &RecordMember,
        layout: Option<LayoutId>,
        plan: Plan,
        dice: &mut Dice,
    ) -> Option<Columns> {
        let meant = self.symbol(member);
        let layouts = self.layouts.get(member.record.as_str())?;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let chosen = match layout {
                Some(id) => self.grammar.layout(id),
                None => dice.pick(layouts)?,
            };
            let mut row = chosen.blank();
            self.fill(chosen, member, plan, &mut row, dice);
            let found = self.identifier.identify(&row);
            if found.map(|(symbol, id)| (Some(symbol), id)) == Some((meant, chosen.id)) {
                return Some(row);
            }
            last = found.filter(|(symbol, _)| Some(*symbol) == meant).map(|_| row).or(last);
        }
        last
    }

    fn symbol(&self, member: &RecordMember) -> Option<Symbol> {
        let mut symbols = self.automaton.symbols_of(&member.record);
        symbols.find(|(_, mark)| *mark == member.discriminator.as_ref()).map(|(symbol, _)| symbol)
    }

    fn fill(&self, layout: &Layout, member: &RecordMember, plan: Plan, row: &mut Columns, dice: &mut Dice) {
        let marks =
            self.automaton.symbols_of(&member.record).filter_map(|(_, mark)| mark).collect::<Vec<_>>();
        for (index, field) in layout.fields.iter().enumerate() {
            if field.is_filler() || matches!(field.values, Values::Constant(_)) {
                continue;
            }
            if let Some(mark) = member.discriminator.as_ref().filter(|mark| mark.field == field.name) {
                // The compiler of grammars has seen that the values fit.
                let _ = field.cell.put_text(row, dice.pick(&mark.values).map_or("", String::as_str));
                continue;
            }
            // A place without a mark among marked ones holds none of their values: not the blank one either.
            let decisive = field.decides || marks.iter().any(|mark| mark.field == field.name);
            let stands = match self.given(layout, index) {
                Some(given) => given == Given::Always,
                None => decisive || must_stand(field) || dice.chance(plan.fields),
            };
            if stands {
                self.draw(layout, index, row, dice);
            }
        }
    }

    /// Whether a field stands, where the table of values says that.
    pub(super) fn given(&self, layout: &Layout, field: usize) -> Option<Given> {
        self.recipes.given(layout, field)
    }

    /// Whether the table of values has a record stand always.
    pub(super) fn is_always_there(&self, row: &Columns) -> bool {
        let layout = self.layout(row);
        layout.is_some_and(|layout| self.recipes.record_given(&layout.record) == Some(Given::Always))
    }

    /// Draws the value of a field.
    pub(super) fn draw(&self, layout: &Layout, index: usize, row: &mut Columns, dice: &mut Dice) {
        let field = &layout.fields[index];
        match self.recipes.get(layout, index) {
            Some(recipe) => self.cook(recipe, field, row, dice),
            None => match value::codes(self.grammar, self.world, field) {
                codes if codes.is_empty() => value::random(field, self.today, row, dice),
                codes => {
                    if let Some(code) = dice.pick(&codes) {
                        value::put(field, code, row);
                    }
                }
            },
        }
    }

    fn cook(&self, recipe: &Recipe, field: &Field, row: &mut Columns, dice: &mut Dice) {
        let text = match recipe {
            Recipe::Any(texts) => dice.pick(texts).cloned(),
            Recipe::List(list) => self.code_of(list, dice),
            Recipe::Like(forms) => dice.pick(forms).cloned().map(|form| value::formed(form.as_bytes(), dice)),
            Recipe::Days(first, last) => {
                let span = Span::new().try_days(dice.between(*first, *last));
                let day = span.ok().and_then(|span| self.today.checked_add(span).ok());
                if let Some(day) = day {
                    // A day within the century of today fits every format.
                    let _ = field.cell.put_date(row, day);
                }
                return;
            }
            Recipe::Number(first, last) => Some(dice.between(*first, *last).to_string()),
            Recipe::Filer => Some(self.block.filer.clone()),
            Recipe::Port => Some(self.block.port.clone()),
            // These are known when the transaction stands, or when it is copied; until then something does.
            Recipe::Occurrence | Recipe::Running | Recipe::Same(_) | Recipe::Sum(_) | Recipe::Count(_) => {
                value::put(field, "1", row);
                return;
            }
            Recipe::EntryNumber(filer) => {
                let number = value::entry_number(0, filer.text(row), &[0]);
                value::put(field, &number, row);
                return;
            }
        };
        match text {
            Some(text) => value::put(field, &text, row),
            None => field.cell.put_blank(row),
        }
    }

    /// A code of a list, the world's or the grammar's.
    pub(super) fn code_of(&self, list: &str, dice: &mut Dice) -> Option<String> {
        let held = self.world.codes(list);
        let codes = match self.grammar.list(list) {
            Some(list) if held.is_empty() => list.codes().collect(),
            _ => held,
        };
        dice.pick(&codes).map(|code| (*code).to_owned())
    }

    /// Gives the fields their content that follow from the whole transaction.
    pub(super) fn settle(&self, rows: &mut [Columns]) {
        let mut seen = HashMap::new();
        for at in 0..rows.len() {
            let Some(layout) = self.layout(&rows[at]) else { continue };
            let occurrence =
                seen.entry(layout.record.as_str()).and_modify(|count| *count += 1).or_insert(1_u64);
            let occurrence = *occurrence;
            for (index, recipe) in self.recipes.following(layout) {
                let field = &layout.fields[index];
                if field.cell.is_blank(&rows[at]) {
                    continue;
                }
                match recipe {
                    Recipe::Occurrence => value::put_number(field, occurrence, &mut rows[at]),
                    Recipe::Count(record) => {
                        let count = rows.iter().filter(|row| row.starts_with(record.as_bytes())).count();
                        value::put_number(field, count as u64, &mut rows[at]);
                    }
                    Recipe::Same(source) => {
                        let text = self.values_of(rows, &source.record, &source.field).next();
                        if let Some(text) = text.map(str::to_owned) {
                            value::put(field, &text, &mut rows[at]);
                        }
                    }
                    Recipe::Sum(source) => {
                        let values = self.values_of(rows, &source.record, &source.field);
                        let sum = values.filter_map(|text| text.parse::<u64>().ok()).sum();
                        value::put_number(field, sum, &mut rows[at]);
                    }
                    _ => {}
                }
            }
        }
    }

    fn values_of<'b>(
        &'b self,
        rows: &'b [Columns],
        record: &'b str,
        field: &'b str,
    ) -> impl Iterator<Item = &'b str> + use<'a, 'b> {
        rows.iter().filter_map(move |row| {
            let layout = self.layout(row).filter(|layout| layout.record == record)?;
            layout.cell(field).ok()?.value(row)
        })
    }

    /// The fields of a transaction that differ from copy to copy.
    pub(super) fn running(&self, rows: &[Columns]) -> Vec<Running> {
        let mut found = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let Some(layout) = self.layout(row) else { continue };
            for (index, field) in layout.fields.iter().enumerate() {
                let filer = match self.recipes.get(layout, index) {
                    Some(Recipe::Running) => None,
                    Some(Recipe::EntryNumber(filer)) => Some(filer.text(row).to_owned()),
                    Some(Recipe::Same(source)) => {
                        let origin = found.iter().position(|known: &Running| {
                            let layout = self.layout(&rows[known.row]);
                            layout.is_some_and(|layout| {
                                layout.record == source.record
                                    && layout.fields[known.field].name == source.field
                            })
                        });
                        if let Some(origin) = origin {
                            let Running { filer, .. } = &found[origin];
                            let filer = filer.clone();
                            found.push(Running { row: at, field: index, filer, copies: Some(origin) });
                        }
                        continue;
                    }
                    _ => continue,
                };
                if !field.cell.is_blank(row) {
                    found.push(Running { row: at, field: index, filer, copies: None });
                }
            }
        }
        found
    }
}

/// A field whose number is another one in each copy of a transaction.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) row: usize,
    pub(super) field: usize,
    /// Whose check digit stands behind it.
    pub(super) filer: Option<String>,
    /// The one before it that it repeats.
    pub(super) copies: Option<usize>,
}

/// How often a record or group stands.
fn times(designation: Designation, maximum: Option<u32>, plan: Plan, dice: &mut Dice) -> u32 {
    if designation != Designation::Mandatory && !dice.chance(plan.records) {
        return 0;
    }
    let most = maximum.unwrap_or(MANY).min(MANY);
    let mut times = 1;
    while times < most && dice.chance(plan.repeats) {
        times += 1;
    }
    times
}

fn must_stand(field: &Field) -> bool {
    field.designation == Designation::Mandatory && !field.cell.class().has(crate::grammar::ClassSet::SPACE)
}
