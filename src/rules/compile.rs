//! Looks up the names in a file of rules: records become kinds and layouts, fields cells, tables maps.

use std::cell::{OnceCell, RefCell};

use rust_decimal::Decimal;

use super::ast::{self, At};
use super::expression::{Expression, FieldRef, Holder, Kind, Reach, RecordRef, Scan, Texts, mark_upwards};
use super::memo::Questions;
use super::owed::{FIGURES, FactCells, Figure};
use super::{BLOCK_FIELDS, RuleError};
use crate::grammar::{Automaton, Cell, ClassSet, Direction, Grammar, Layout};

/// What unqualified names mean: the record a rule is about, or the one a search is at.
#[derive(Clone, Copy)]
pub(super) struct Scope<'g> {
    pub(super) layout: &'g Layout,
    pub(super) items: u8,
}

pub(super) struct Compiler<'g> {
    pub(super) grammar: &'g Grammar,
    pub(super) automaton: &'g Automaton,
    pub(super) application: &'g str,
    pub(super) text: &'g str,
    /// Where the facts of figures stand, once a rule asks for a figure.
    pub(super) facts: &'g OnceCell<FactCells>,
    /// What is asked again and again.
    pub(super) questions: &'g Questions,
    /// Names of lists and columns that there are not. They do not end the compilation, so that all of them
    /// are told together.
    pub(super) misses: &'g RefCell<Vec<RuleError>>,
}

pub(super) type Compiled<T> = Result<T, RuleError>;

/// What is known of the kind of a value; a text literal outweighs all others.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Hint {
    Literal,
    Of(Kind),
    None,
}

impl<'g> Compiler<'g> {
    pub(super) fn wrong(&self, offset: usize, message: impl Into<String>) -> RuleError {
        RuleError::at(self.text, offset, message)
    }

    /// A record and the layout by which its fields are named.
    pub(super) fn record(&self, name: &At<ast::RecordName>) -> Compiled<(RecordRef, Scope<'g>)> {
        let ast::RecordName { record, variant, items } = &name.node;
        let symbol = self
            .automaton
            .symbol(record)
            .ok_or_else(|| self.wrong(name.offset, format!("no record {record} in {}", self.application)))?;
        let layout = self
            .layouts(record)
            .into_iter()
            .find(|layout| layout.variant == variant.as_deref().unwrap_or_default())
            .ok_or_else(|| self.wrong(name.offset, format!("record {record} has no such layout")))?;
        let mut around = vec![false; self.automaton.groups().count()];
        for slot in self.automaton.slots().filter(|slot| slot.symbol == symbol) {
            mark_upwards(&mut around, slot.group, |group| self.automaton.group(group).parent);
        }
        let count = items_of(layout);
        if *items && count == 0 {
            return Err(self.wrong(name.offset, format!("record {record} has no numbered fields")));
        }
        let items = if *items { count } else { 0 };
        let reference = RecordRef {
            symbol,
            layout: variant.as_ref().map(|_| layout.id),
            around: around.into_boxed_slice(),
            items,
        };
        Ok((reference, Scope { layout, items }))
    }

    /// The layouts of a record of this application or of the message set that travels in it.
    pub(super) fn layouts(&self, record: &str) -> Vec<&'g Layout> {
        let own = self.grammar.variants(self.application, Direction::Input, record).next().is_some();
        let fits = |layout: &&Layout| {
            layout.record == record
                && layout.direction == Direction::Input
                && (layout.application == self.application || !own && layout.application != "*")
        };
        self.grammar.layouts().iter().filter(fits).collect()
    }

    pub(super) fn expression(
        &self,
        expression: &At<ast::Expression>,
        this: Scope<'g>,
        at: Scope<'g>,
    ) -> Compiled<Expression> {
        let compile = |inner: &At<ast::Expression>| self.expression(inner, this, at);
        let boxed = |inner: &At<ast::Expression>| compile(inner).map(Box::new);
        let offset = expression.offset;
        Ok(match &expression.node {
            ast::Expression::Field(field) => Expression::Field(self.field(offset, field, this, at)?),
            ast::Expression::Part(field, from, to) => {
                let field = self.field(offset, field, this, at)?;
                if *from == 0 || from > to || field.cells.iter().any(|cell| cell.width() < usize::from(*to)) {
                    return Err(self.wrong(offset, "no such columns in the field"));
                }
                Expression::Part(field, *from, *to)
            }
            ast::Expression::Text(text) => Expression::Text(text.as_str().into()),
            ast::Expression::Number(number) => {
                Expression::Number(number.parse::<Decimal>().map_err(|_| self.wrong(offset, "not a number"))?)
            }
            ast::Expression::Today => Expression::Today,
            ast::Expression::Block(name) => {
                let known = BLOCK_FIELDS.iter().find(|(known, _)| known == name);
                let (_, field) = known.ok_or_else(|| self.wrong(offset, format!("block has no {name}")))?;
                Expression::Block(*field)
            }
            ast::Expression::Owed(name, class) => {
                let known = FIGURES.iter().find(|(known, _, asks)| known == name && *asks == class.is_some());
                let (_, figure, _) =
                    known.ok_or_else(|| self.wrong(offset, format!("no figure {name} is computed")))?;
                if self.facts.get().is_none() {
                    let facts = FactCells::new(self.grammar, self.automaton, self.application);
                    // no one else fills it
                    let _ = self.facts.set(facts.map_err(|error| self.wrong(offset, error.to_string()))?);
                }
                Expression::Owed(*figure, class.as_deref().map(boxed).transpose()?)
            }
            ast::Expression::Arithmetic(operator, left, right) => {
                Expression::Arithmetic(*operator, boxed(left)?, boxed(right)?)
            }
            ast::Expression::Shift(date, amount, unit) => Expression::Shift(boxed(date)?, *amount, *unit),
            ast::Expression::Round(inner, places) => Expression::Round(boxed(inner)?, *places),
            ast::Expression::Absolute(inner) => Expression::Absolute(boxed(inner)?),
            ast::Expression::Lookup { list, keys, column } => self.lookup(list, keys, column, (this, at))?,
            ast::Expression::Known { list, keys } => self.known(list, keys, (this, at))?,
            ast::Expression::Absent { list, keys, column } => {
                self.absent(list, keys, column.as_ref(), (this, at))?
            }
            ast::Expression::First(values) => {
                Expression::First(values.iter().map(compile).collect::<Compiled<_>>()?)
            }
            ast::Expression::The(scan, value) => {
                let (scan, inside) = self.scan(scan, this)?;
                Expression::The(scan, Box::new(self.expression(value, this, inside)?))
            }
            ast::Expression::Sum(scan, value) => {
                let (scan, inside) = self.scan(scan, this)?;
                Expression::Sum(scan, Box::new(self.expression(value, this, inside)?))
            }
            ast::Expression::Count(scan) => Expression::Count(self.scan(scan, this)?.0),
            ast::Expression::And(parts) => {
                Expression::And(parts.iter().map(compile).collect::<Compiled<_>>()?)
            }
            ast::Expression::Or(parts) => Expression::Or(parts.iter().map(compile).collect::<Compiled<_>>()?),
            ast::Expression::Not(inner) => Expression::Not(boxed(inner)?),
            ast::Expression::Compare(operator, left, right) => {
                let (left, right) = (boxed(left)?, boxed(right)?);
                Expression::Compare(kind_of(&left, &right), *operator, left, right)
            }
            ast::Expression::OneOf(value, texts) => {
                Expression::OneOf(boxed(value)?, Texts::new(sorted(texts)))
            }
            ast::Expression::OnList(value, list) => self.on_list(compile(value)?, list),
            ast::Expression::Like(value, patterns) => {
                let patterns = patterns.iter().map(|pattern| pattern.as_bytes().into()).collect();
                Expression::Like(boxed(value)?, patterns)
            }
            ast::Expression::Has(words, word) => Expression::Has(boxed(words)?, boxed(word)?),
            ast::Expression::Weekend(inner) => Expression::Weekend(boxed(inner)?),
            ast::Expression::Given(field) => Expression::Given(self.field(offset, field, this, at)?),
            ast::Expression::Any(scan) => Expression::Any(self.scan(scan, this)?.0),
            ast::Expression::Repeats(fields, reach) => {
                let mut found = Vec::new();
                for field in fields {
                    found.push(self.field(field.offset, &field.node, this, at)?);
                }
                Expression::Repeats(found.into(), self.own_kind(offset, reach, at)?)
            }
            ast::Expression::Differ(scan, field) => {
                let (scan, inside) = self.scan(scan, this)?;
                let name = ast::FieldName { holder: ast::Holder::Current, field: field.clone() };
                Expression::Differ(scan, self.field(offset, &name, this, inside)?)
            }
            ast::Expression::Gap(field) => {
                let cells = self.cells(offset, at, field)?;
                if at.items == 0 || cells.len() != usize::from(at.items) {
                    return Err(self.wrong(offset, "a gap is between the items of a record"));
                }
                Expression::Gap(cells)
            }
            ast::Expression::Neighbour { record, next, value } => {
                let (record, inside) = self.record(record)?;
                let value = Box::new(self.expression(value, this, inside)?);
                Expression::Neighbour { record, next: *next, value }
            }
        })
    }

    fn scan(&self, scan: &ast::Scan, this: Scope<'g>) -> Compiled<(Scan, Scope<'g>)> {
        let (record, inside) = self.record(&scan.record)?;
        let reach = self.reach(scan.record.offset, &scan.reach)?;
        let filter = match &scan.filter {
            Some(filter) => Some(Box::new(self.expression(filter, this, inside)?)),
            None => None,
        };
        Ok((Scan { record, reach, earlier: scan.earlier, filter }, inside))
    }

    /// What stands before the record or item at hand and is of its kind.
    fn own_kind(&self, offset: usize, reach: &ast::Reach, at: Scope<'g>) -> Compiled<Scan> {
        let variant = Some(&at.layout.variant).filter(|variant| !variant.is_empty()).cloned();
        let node = ast::RecordName { record: at.layout.record.clone(), variant, items: at.items > 0 };
        let (record, _) = self.record(&At { offset, node })?;
        Ok(Scan { record, reach: self.reach(offset, reach)?, earlier: true, filter: None })
    }

    fn reach(&self, offset: usize, reach: &ast::Reach) -> Compiled<Reach> {
        Ok(match reach {
            ast::Reach::Near => Reach::Near,
            ast::Reach::All => Reach::All,
            ast::Reach::Group(name) => {
                let groups =
                    self.automaton.groups().map(|group| group.name == *name).collect::<Box<[bool]>>();
                if !groups.contains(&true) {
                    return Err(self.wrong(offset, format!("no group {name} in {}", self.application)));
                }
                Reach::Group(groups)
            }
        })
    }

    pub(super) fn field(
        &self,
        offset: usize,
        name: &ast::FieldName,
        this: Scope<'g>,
        at: Scope<'g>,
    ) -> Compiled<FieldRef> {
        let (holder, scope) = match &name.holder {
            ast::Holder::Current => (Holder::Current, at),
            ast::Holder::This => (Holder::This, this),
            ast::Holder::Nearest(record) => {
                let (record, scope) = self.record(&At { offset, node: record.clone() })?;
                if record.items > 0 {
                    return Err(self.wrong(offset, "which item? name its field by number"));
                }
                let slot = self.questions.nearest(&record);
                (Holder::Nearest(record, slot), scope)
            }
        };
        Ok(FieldRef { holder, cells: self.cells(offset, scope, &name.field)? })
    }

    /// The cell of a field, or those of its numbered brothers where `#` stands for the number.
    pub(super) fn cells(&self, offset: usize, scope: Scope<'g>, field: &str) -> Compiled<Box<[Cell]>> {
        let Some((before, behind)) = field.split_once('#') else {
            let cell = scope.layout.cell(field).map_err(|unknown| self.wrong(offset, unknown.to_string()))?;
            return Ok(Box::new([cell]));
        };
        let cells = (1..=scope.items)
            .map_while(|item| scope.layout.field(&format!("{before}{item}{behind}")))
            .map(|field| field.cell)
            .collect::<Box<[Cell]>>();
        // A single cell would be read for every item.
        if cells.len() < 2 {
            let record = &scope.layout.record;
            return Err(self.wrong(offset, format!("{record} has no items with a field {field}")));
        }
        Ok(cells)
    }
}

/// How many items stand side by side in a record: the highest number in its fields' names.
pub(super) fn items_of(layout: &Layout) -> u8 {
    layout.fields.iter().filter_map(|field| item_number(&field.name)).max().unwrap_or(0)
}

/// The number in a field's name: `quantity_2`, `invoice_line_range_3_begin`.
pub(super) fn item_number(name: &str) -> Option<u8> {
    name.split('_').find_map(|part| part.parse().ok())
}

pub(super) fn sorted(texts: &[String]) -> Box<[Box<str>]> {
    let mut texts = texts.iter().map(|text| text.as_str().into()).collect::<Vec<_>>();
    texts.sort_unstable();
    texts.dedup();
    texts.into()
}

fn kind_of(left: &Expression, right: &Expression) -> Kind {
    let hints = [hint(left), hint(right)];
    if hints.contains(&Hint::Literal) {
        return Kind::Text;
    }
    [Kind::Date, Kind::Number].into_iter().find(|kind| hints.contains(&Hint::Of(*kind))).unwrap_or(Kind::Text)
}

pub(super) fn hint(expression: &Expression) -> Hint {
    match expression {
        Expression::Text(_) => Hint::Literal,
        Expression::Today | Expression::Shift(..) => Hint::Of(Kind::Date),
        Expression::Number(_)
        | Expression::Arithmetic(..)
        | Expression::Round(..)
        | Expression::Absolute(_)
        | Expression::Sum(..)
        | Expression::Count(_)
        | Expression::Owed(Figure::Duty | Figure::Tax | Figure::Fee | Figure::FeeOfLines, _) => {
            Hint::Of(Kind::Number)
        }
        Expression::Field(field) => field.cells.first().map_or(Hint::None, |cell| {
            if cell.class().has(ClassSet::DATE) {
                Hint::Of(Kind::Date)
            } else if cell.class().is_numeric() {
                Hint::Of(Kind::Number)
            } else {
                Hint::None
            }
        }),
        Expression::Neighbour { value, .. } => hint(value),
        Expression::The(_, value) => hint(value),
        Expression::First(values) => values.first().map_or(Hint::None, hint),
        _ => Hint::None,
    }
}
