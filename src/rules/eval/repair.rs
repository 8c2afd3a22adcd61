//! What could be changed in a transaction so that a test turns out otherwise.
//!
//! A rule that holds says by itself what would undo it: a field that must equal a sum is given the sum, a
//! record that may not stand is taken away. So who makes transactions needs no knowledge beside the rules.

use std::ops::Range;

use rust_decimal::Decimal;

use super::{Judge, Value, as_number, as_text};
use crate::grammar::{Cell, LayoutId, Symbol};
use crate::rules::ast::Comparison;
use crate::rules::expression::{Expression, FieldRef, Holder, Kind, Lookup, RecordRef, Scan, Spot, reach};

/// More accepted values than these are left to whoever draws one.
const FEW: usize = 40;

/// What a field should hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Nothing.
    Blank,
    /// Something else than now.
    Another,
    /// This text.
    Text(String),
    /// This number.
    Number(Decimal),
    /// This date.
    Date(jiff::civil::Date),
    /// A code of this list of the host's.
    OneOfList(String),
    /// A text of this form: `A` a letter, `N` a digit, `X` either, other signs themselves.
    Form(Vec<u8>),
}

/// A change by which a condition may vanish.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A field gets another content.
    Field {
        /// The record: an index into the transaction's rows.
        record: u32,
        /// The field.
        cell: Cell,
        /// What it should hold.
        content: Content,
    },
    /// A record is taken away, with the group it opens.
    Remove(u32),
    /// A record is put in.
    Insert {
        /// Its kind.
        symbol: Symbol,
        /// Its layout, if it must be a certain one.
        layout: Option<LayoutId>,
        /// Behind one of these records.
        within: Range<u32>,
    },
}

/// Changes by which one condition may vanish.
#[derive(Clone, Debug, Default)]
pub struct Repair {
    /// What the test itself speaks of.
    pub direct: Vec<Change>,
    /// What the values it compares depend on: keys of tables, parts of sums.
    pub indirect: Vec<Change>,
}

impl Judge<'_> {
    /// Collects what may make a test turn out as wanted.
    pub(in crate::rules) fn turn(&self, test: &Expression, at: Spot, wanted: bool, out: &mut Repair) {
        match test {
            Expression::And(parts) | Expression::Or(parts) => {
                for part in parts.iter().filter(|part| self.truth(part, at) != Some(wanted)) {
                    self.turn(part, at, wanted, out);
                }
            }
            Expression::Not(inner) => self.turn(inner, at, !wanted, out),
            Expression::Compare(kind, operator, left, right) => {
                let operator = if wanted { *operator } else { operator.opposite() };
                self.turn_comparison(*kind, operator, [left, right], at, out);
            }
            Expression::OneOf(value, texts) if wanted && texts.len() <= FEW => {
                let contents = texts.iter().map(|text| Content::Text(text.to_owned()));
                self.put(value, at, contents, out);
            }
            Expression::OnReference(lookup) if matches!(*lookup.key, Expression::Joined(_)) => {
                self.depend(&lookup.key, at, out);
            }
            Expression::Absent(lookup, _) => self.depend(&lookup.key, at, out),
            Expression::OnReference(Lookup { list, key, .. }) if wanted => {
                self.put(key, at, [Content::OneOfList(list.to_string()), Content::Blank], out);
            }
            Expression::Like(value, forms) if wanted => {
                self.put(value, at, forms.iter().map(|form| Content::Form(form.to_vec())), out);
            }
            Expression::Has(words, word) if wanted => {
                let known = self.text(words, at).unwrap_or_default();
                let contents = known.split(' ').map(|one| Content::Text(one.to_owned()));
                self.put(word, at, contents.chain([Content::Blank]), out);
                self.depend(words, at, out);
            }
            Expression::OneOf(value, _)
            | Expression::OnReference(Lookup { key: value, .. })
            | Expression::Like(value, _)
            | Expression::Weekend(value) => {
                self.put(value, at, [Content::Another, Content::Blank], out);
            }
            Expression::Has(words, word) => {
                self.put(word, at, [Content::Another, Content::Blank], out);
                self.depend(words, at, out);
            }
            Expression::Given(field) if wanted => self.fill(field, at, Content::Another, out),
            Expression::Given(field) => self.fill(field, at, Content::Blank, out),
            Expression::Any(scan) => self.turn_search(scan, at, wanted, out),
            Expression::Repeats(fields, _) => {
                for field in fields {
                    self.fill(field, at, Content::Another, out);
                    self.fill(field, at, Content::Blank, out);
                }
                out.direct.push(Change::Remove(at.record));
            }
            Expression::Differ(scan, field) => self.level(scan, field, at, out),
            Expression::Gap(cells) => self.close_gap(cells, at, out),
            Expression::Neighbour { record, next, value } => {
                if let Some(spot) = self.neighbour(record, *next, at) {
                    self.turn(value, spot, wanted, out);
                }
            }
            _ => {}
        }
    }

    /// Either side may be a field that takes what the other side says.
    fn turn_comparison(
        &self,
        kind: Kind,
        operator: Comparison,
        sides: [&Expression; 2],
        at: Spot,
        out: &mut Repair,
    ) {
        let [left, right] = sides;
        for (one, other, operator) in [(left, right, operator), (right, left, operator.mirrored())] {
            let contents = match operator {
                Comparison::Unequal => vec![Content::Another, Content::Blank],
                Comparison::Equal => self.content(other, at, kind, 0).into_iter().collect(),
                Comparison::LessOrEqual | Comparison::Less => {
                    self.content(other, at, kind, -1).into_iter().chain([Content::Blank]).collect()
                }
                Comparison::GreaterOrEqual | Comparison::Greater => {
                    self.content(other, at, kind, 1).into_iter().chain([Content::Another]).collect()
                }
            };
            self.put(one, at, contents, out);
        }
    }

    /// What a field must hold to equal an expression, or to be a little less or more.
    fn content(&self, expression: &Expression, at: Spot, kind: Kind, beyond: i64) -> Option<Content> {
        let value = self.value(expression, at, kind);
        Some(match kind {
            Kind::Text => match as_text(value)? {
                text if text.is_empty() => Content::Blank,
                text => Content::Text(text.into_owned()),
            },
            Kind::Number => Content::Number(as_number(value)?.checked_add(Decimal::from(beyond))?),
            Kind::Date => match value {
                Value::Date(date) => {
                    Content::Date(date.checked_add(jiff::Span::new().try_days(beyond).ok()?).ok()?)
                }
                _ => Content::Another,
            },
        })
    }

    /// Gives an expression that is a field these contents; whatever else it depends on is indirect.
    fn put(
        &self,
        expression: &Expression,
        at: Spot,
        contents: impl IntoIterator<Item = Content>,
        out: &mut Repair,
    ) {
        match expression {
            Expression::Field(field) => {
                for content in contents {
                    self.fill(field, at, content, out);
                }
            }
            Expression::Part(field, ..) => self.fill(field, at, Content::Another, out),
            Expression::Neighbour { record, next, value } => {
                if let Some(spot) = self.neighbour(record, *next, at) {
                    self.put(value, spot, contents, out);
                }
            }
            Expression::Count(scan) => {
                self.turn_search(scan, at, true, out);
                self.turn_search(scan, at, false, out);
            }
            other => self.depend(other, at, out),
        }
    }

    /// A field, or the record it would stand in if there is none.
    fn fill(&self, field: &FieldRef, at: Spot, content: Content, out: &mut Repair) {
        match (self.cell(field, at), &field.holder) {
            (Some((cell, record)), _) => out.direct.push(Change::Field { record, cell, content }),
            (None, Holder::Nearest(record, _)) if content != Content::Blank => {
                out.direct.push(inserted(record, 0..self.transaction.rows().len() as u32));
            }
            (None, _) => {}
        }
    }

    /// The fields that a value is made of.
    fn depend(&self, expression: &Expression, at: Spot, out: &mut Repair) {
        match expression {
            Expression::Field(field) | Expression::Part(field, ..) => {
                if let Some((cell, record)) = self.cell(field, at) {
                    out.indirect.push(Change::Field { record, cell, content: Content::Another });
                }
            }
            Expression::Owed(_, class) => {
                let row = &self.transaction.rows()[at.record as usize];
                for &column in self.owed.fact_columns(at.record) {
                    let layout =
                        self.context.grammar.layout(self.transaction.nodes()[at.record as usize].layout);
                    let of_column =
                        |field: &&crate::grammar::Field| field.cell.first_column() == usize::from(column);
                    if let Some(field) =
                        layout.fields.iter().find(of_column).filter(|field| !field.cell.is_blank(row))
                    {
                        let (record, cell) = (at.record, field.cell);
                        out.indirect.push(Change::Field { record, cell, content: Content::Another });
                    }
                }
                class.iter().for_each(|class| self.depend(class, at, out));
            }
            Expression::Arithmetic(_, left, right) => {
                self.depend(left, at, out);
                self.depend(right, at, out);
            }
            Expression::Shift(inner, ..) | Expression::Round(inner, _) | Expression::Absolute(inner) => {
                self.depend(inner, at, out);
            }
            Expression::Joined(parts) => parts.iter().for_each(|(_, part)| self.depend(part, at, out)),
            Expression::First(values) => values.iter().for_each(|value| self.depend(value, at, out)),
            Expression::Table(_, keys) => keys.iter().for_each(|key| self.depend(key, at, out)),
            Expression::Reference(lookup, _) => self.depend(&lookup.key, at, out),
            Expression::Sum(scan, value) | Expression::The(scan, value) => {
                for spot in self.spots(scan, at) {
                    self.depend(value, spot, out);
                }
            }
            Expression::Neighbour { record, next, value } => {
                if let Some(spot) = self.neighbour(record, *next, at) {
                    self.depend(value, spot, out);
                }
            }
            _ => {}
        }
    }

    /// There is to be a record of the kind, or none.
    fn turn_search(&self, scan: &Scan, at: Spot, wanted: bool, out: &mut Repair) {
        for spot in self.spots(scan, at) {
            let admitted = self.admits(scan, spot) == Some(true);
            if admitted == wanted {
                continue;
            }
            if let Some(filter) = &scan.filter {
                self.turn(filter, spot, wanted, out);
            }
            if !wanted {
                out.direct.push(Change::Remove(spot.record));
            }
        }
        if wanted {
            out.direct.push(inserted(&scan.record, reach(self.transaction, scan, at.record)));
        }
    }

    /// All records get the value of the first one.
    fn level(&self, scan: &Scan, field: &FieldRef, at: Spot, out: &mut Repair) {
        let mut first = None;
        for spot in self.spots(scan, at) {
            let Some((cell, record)) = self.cell(field, spot) else { continue };
            let text = cell.text(&self.transaction.rows()[record as usize]);
            match first {
                None => first = Some(text),
                Some(known) if known != text => {
                    let content = Content::Text(known.to_owned());
                    out.direct.push(Change::Field { record, cell, content });
                }
                Some(_) => {}
            }
        }
    }

    fn close_gap(&self, cells: &[Cell], at: Spot, out: &mut Repair) {
        let here = usize::from(at.item);
        let Some([before, item]) = here.checked_sub(2).and_then(|first| cells.get(first..here)) else {
            return;
        };
        for (cell, content) in [(*item, Content::Blank), (*before, Content::Another)] {
            out.direct.push(Change::Field { record: at.record, cell, content });
        }
    }

    /// What may undo a rule that holds for a record: its test, or the record.
    pub(in crate::rules) fn repair(&self, test: &Expression) -> Repair {
        let mut repair = Repair::default();
        self.turn(test, self.this, false, &mut repair);
        if self.this.record > 0 {
            repair.indirect.push(Change::Remove(self.this.record));
        }
        repair
    }
}

fn inserted(record: &RecordRef, within: Range<u32>) -> Change {
    Change::Insert { symbol: record.symbol, layout: record.layout, within }
}
