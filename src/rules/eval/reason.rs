//! What a rule that holds would have accepted instead: the digit, the sum, the unit, the missing record.

use rust_decimal::Decimal;

use super::{Judge, Value, as_number, as_text};
use crate::grammar::{Automaton, Cell, Direction};
use crate::rules::ast::{Arithmetic, Comparison};
use crate::rules::expression::{Expression, FieldRef, Holder, Kind, Lookup, RecordRef, Scan, Spot, Texts};
use crate::wire::{Columns, RECORD_LENGTH};

/// Wishes that are collected of one test. A test of a long summary could have thousands.
const MOST: usize = 12;
/// Codes that are named where one of several is wanted.
const CODES: usize = 12;

/// What a wish is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::rules) enum Target {
    /// A field of a record.
    Field(u32, Cell),
    /// A record as a whole.
    Record(u32),
    /// A record that is not there, or a figure made of several fields.
    Elsewhere,
}

/// One of the ways in which a test would not hold.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rules) struct Wish {
    pub(in crate::rules) target: Target,
    pub(in crate::rules) words: String,
    /// Lower ranks tell more: a missing record or a computed value before a code that decides whether the
    /// rule applies at all.
    pub(in crate::rules) rank: u8,
}

const BEST: u8 = 0;
const TELLING: u8 = 1;
const SUPERFLUOUS: u8 = 2;
const DECIDING: u8 = 3;

impl Judge<'_> {
    /// The ways in which a test that holds for the record at hand would not hold.
    pub(in crate::rules) fn wishes(
        &self,
        application: &str,
        automaton: &Automaton,
        test: &Expression,
    ) -> Vec<Wish> {
        let mut wishes = Wishes { judge: self, application, automaton, all: Vec::new() };
        wishes.collect(test, self.this, false);
        wishes.all.sort_by_key(|wish| wish.rank);
        wishes.all
    }
}

struct Wishes<'j, 'a> {
    judge: &'j Judge<'a>,
    application: &'j str,
    automaton: &'j Automaton,
    all: Vec<Wish>,
}

impl Wishes<'_, '_> {
    fn collect(&mut self, test: &Expression, at: Spot, wanted: bool) {
        if self.all.len() >= MOST {
            return;
        }
        let judge = self.judge;
        match test {
            Expression::And(parts) | Expression::Or(parts) => {
                for part in parts.iter().filter(|part| judge.truth(part, at) != Some(wanted)) {
                    self.collect(part, at, wanted);
                }
            }
            Expression::Not(inner) => self.collect(inner, at, !wanted),
            Expression::Compare(kind, operator, left, right) => {
                let operator = if wanted { *operator } else { operator.opposite() };
                self.comparison(*kind, operator, [left, right], at);
            }
            Expression::OneOf(value, texts) => {
                let words = if wanted { one_of(texts) } else { another(&judge.text(value, at)) };
                self.value(value, at, words, DECIDING);
            }
            Expression::OnReference(lookup) => {
                self.key(lookup, at, if wanted { "one that is" } else { "one that is not" }.to_owned());
            }
            Expression::Like(value, forms) => {
                let forms = forms.iter().map(|form| String::from_utf8_lossy(form)).collect::<Vec<_>>();
                let words = if wanted { "the form" } else { "another form than" };
                self.value(value, at, format!("{words} {}", forms.join(" or ")), TELLING);
            }
            Expression::Has(words, word) => self.word(words, word, at, wanted),
            Expression::Weekend(value) if !wanted => {
                self.value(value, at, "a day from Monday to Friday".to_owned(), TELLING);
            }
            Expression::Given(field) => self.given(field, at, wanted),
            Expression::Any(scan) => self.search(scan, at, wanted),
            Expression::Repeats(fields, _) => {
                for field in fields {
                    self.field(field, at, "a value that no earlier record has".to_owned(), TELLING);
                }
            }
            Expression::Gap(cells) => {
                let before = usize::from(at.item).checked_sub(2).and_then(|before| cells.get(before));
                if let Some(cell) = before {
                    self.push(Target::Field(at.record, *cell), "a value, since the next has one", TELLING);
                }
            }
            Expression::Neighbour { record, next, value } => {
                if let Some(spot) = judge.neighbour(record, *next, at) {
                    self.collect(value, spot, wanted);
                }
            }
            _ => {}
        }
    }

    fn push(&mut self, target: Target, words: impl Into<String>, rank: u8) {
        let wish = Wish { target, words: words.into(), rank };
        if !wish.words.is_empty() && !self.all.contains(&wish) {
            self.all.push(wish);
        }
    }

    fn field(&mut self, field: &FieldRef, at: Spot, words: String, rank: u8) {
        if let Some((cell, record)) = self.judge.cell(field, at) {
            self.push(Target::Field(record, cell), words, rank);
        }
    }

    /// A wish for an expression, if it is a field.
    fn value(&mut self, expression: &Expression, at: Spot, words: String, rank: u8) {
        if let Some(target) = self.place(expression, at) {
            self.push(target, words, rank);
        }
    }

    /// The field that an expression reads, if it is one.
    fn place(&self, expression: &Expression, at: Spot) -> Option<Target> {
        match expression {
            Expression::Field(field) | Expression::Part(field, ..) => {
                let (cell, record) = self.judge.cell(field, at)?;
                Some(Target::Field(record, cell))
            }
            Expression::Neighbour { record, next, value } => {
                self.place(value, self.judge.neighbour(record, *next, at)?)
            }
            _ => None,
        }
    }

    fn comparison(&mut self, kind: Kind, operator: Comparison, sides: [&Expression; 2], at: Spot) {
        let [left, right] = sides;
        if let Some((one, other)) = difference(left).or_else(|| difference(right)) {
            return self.equality(one, other, at);
        }
        let before = self.all.len();
        for (one, other, operator) in [(left, right, operator), (right, left, operator.mirrored())] {
            let Some(target) = self.place(one, at) else { continue };
            let Some(value) = self.written(other, at, kind, target) else { continue };
            let part = match one {
                Expression::Part(_, from, to) => format!(" in places {from}-{to}"),
                _ => String::new(),
            };
            // A code that is compared with a literal mostly says whether the rule applies.
            let is_literal = matches!(other, Expression::Text(_));
            let rank = match operator {
                Comparison::Equal => BEST,
                _ if is_literal => DECIDING,
                _ => TELLING,
            };
            self.push(target, format!("{}{value}{part}", bound(operator, kind)), rank);
        }
        if before < self.all.len() {
            return;
        }
        if let (Expression::Reference(lookup, column), Expression::Text(text)) = (left, right) {
            let words = format!("one with {} {}{}", column.name, bound(operator, kind), quoted(&[text]));
            return self.key(lookup, at, words);
        }
        if kind == Kind::Number
            && let Some((found, value)) = self.number(left, at).zip(self.number(right, at))
        {
            self.push(Target::Elsewhere, format!("{}{value}, not {found}", bound(operator, kind)), TELLING);
        }
    }

    /// A wish for the field by which a row of a list is looked up.
    fn key(&mut self, lookup: &Lookup, at: Spot, words: String) {
        let words = format!("{words} on the list {}", lookup.list);
        match &*lookup.key {
            Expression::Joined(parts) => {
                let last = parts.iter().rev().find_map(|(_, part)| self.place(part, at));
                last.into_iter().for_each(|target| self.push(target, words.clone(), TELLING));
            }
            key => self.value(key, at, words, TELLING),
        }
    }

    /// Either number may be a field that should be what the other is.
    fn equality(&mut self, one: &Expression, other: &Expression, at: Spot) {
        let before = self.all.len();
        for (field, other) in [(one, other), (other, one)] {
            let target = self.place(field, at);
            let value = target.and_then(|target| self.written(other, at, Kind::Number, target));
            if let Some((target, value)) = target.zip(value) {
                self.push(target, value, TELLING);
            }
        }
        if before == self.all.len()
            && let Some((found, value)) = self.number(one, at).zip(self.number(other, at))
        {
            self.push(Target::Elsewhere, format!("{value}, not {found}"), TELLING);
        }
    }

    fn number(&self, expression: &Expression, at: Spot) -> Option<Decimal> {
        as_number(self.judge.value(expression, at, Kind::Number)).map(|number| number.normalize())
    }

    /// What an expression comes to, as a field would hold it.
    fn written(&self, expression: &Expression, at: Spot, kind: Kind, target: Target) -> Option<String> {
        let Target::Field(record, cell) = target else { return None };
        let mut row: Columns = [b' '; RECORD_LENGTH];
        let value = self.judge.value(expression, at, kind);
        let (put, plain) = match kind {
            Kind::Text => {
                let text = as_text(value)?;
                return Some(if text.is_empty() { "blank".to_owned() } else { format!("\"{text}\"") });
            }
            Kind::Number => {
                let number = as_number(value)?;
                (cell.put_decimal(&mut row, number), number.normalize().to_string())
            }
            Kind::Date => match value {
                Value::Date(date) => (cell.put_date(&mut row, date), date.to_string()),
                _ => return None,
            },
        };
        // A number in the place of another is written with as many columns.
        let is_of_record = (record as usize) < self.judge.transaction.rows().len();
        if put.is_err() || !is_of_record {
            return Some(plain);
        }
        let text = cell.text(&row);
        Some(if text == plain { format!("\"{text}\"") } else { format!("\"{text}\" ({plain})") })
    }

    fn word(&mut self, words: &Expression, word: &Expression, at: Spot, wanted: bool) {
        let Some(known) = self.judge.text(words, at) else { return };
        if wanted && self.place(word, at).is_some() {
            let known = known.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>();
            let told = if known.is_empty() { "blank".to_owned() } else { quoted(&known) };
            self.value(word, at, told, BEST);
        } else if let (Expression::Reference(lookup, column), Expression::Text(text)) = (words, word) {
            let has = if wanted { "with" } else { "without" };
            self.key(lookup, at, format!("one {has} {text:?} among its {}", column.name));
        } else if let (false, Expression::Text(text)) = (wanted, word) {
            // The duty engine's words for what does not fit together.
            self.push(Target::Elsewhere, format!("no {}", text.replace('_', " ")), TELLING);
        }
    }

    fn given(&mut self, field: &FieldRef, at: Spot, wanted: bool) {
        match (self.judge.cell(field, at), &field.holder) {
            (Some((cell, record)), _) => {
                let words = if wanted { "a value" } else { "blank" };
                self.push(Target::Field(record, cell), words, TELLING);
            }
            (None, Holder::Nearest(record, _)) if wanted => {
                let words = format!("a record {}", self.record(record));
                self.push(Target::Elsewhere, words, BEST);
            }
            (None, _) => {}
        }
    }

    fn search(&mut self, scan: &Scan, at: Spot, wanted: bool) {
        let name = self.record(&scan.record).to_owned();
        if wanted {
            let filter = scan.filter.as_deref().and_then(|filter| self.filter(scan, filter, at));
            let filter = filter.map(|filter| format!(" with {filter}")).unwrap_or_default();
            return self.push(Target::Elsewhere, format!("a record {name}{filter}"), BEST);
        }
        let judge = self.judge;
        let mut spots = judge.spots(scan, at).filter(|spot| judge.admits(scan, *spot) == Some(true));
        let Some(first) = spots.next() else { return };
        if let Some(filter) = &scan.filter {
            self.collect(filter, first, false);
        }
        self.push(Target::Record(first.record), format!("no such record {name}"), SUPERFLUOUS);
    }

    /// The value by which a search knows its record, if it is that simple.
    fn filter(&self, scan: &Scan, filter: &Expression, at: Spot) -> Option<String> {
        match filter {
            Expression::And(parts) => parts.iter().find_map(|part| self.filter(scan, part, at)),
            Expression::Compare(kind, Comparison::Equal, field, value) => {
                let Expression::Field(FieldRef { holder: Holder::Current, cells }) = &**field else {
                    return None;
                };
                let value = match kind {
                    Kind::Number => self.number(value, at)?.to_string(),
                    _ => as_text(self.judge.value(value, at, *kind))?.into_owned(),
                };
                Some(format!("{} \"{value}\"", self.field_name(&scan.record, *cells.first()?)?))
            }
            Expression::OneOf(field, texts) => {
                let Expression::Field(FieldRef { holder: Holder::Current, cells }) = &**field else {
                    return None;
                };
                let name = self.field_name(&scan.record, *cells.first()?)?;
                Some(format!("{name} {}", one_of(texts)))
            }
            _ => None,
        }
    }

    /// The name of a field; of fields side by side without the number of the first.
    fn field_name(&self, record: &RecordRef, cell: Cell) -> Option<&str> {
        let grammar = self.judge.context.grammar;
        let named = grammar.layouts_of(self.application, Direction::Input, self.record(record));
        let layout = grammar.layout(record.layout.or_else(|| named.first().copied())?);
        let field = layout.fields.iter().find(|field| field.cell == cell)?;
        Some(if record.items > 0 { field.name.trim_end_matches("_1") } else { &field.name })
    }

    fn record(&self, record: &RecordRef) -> &str {
        self.automaton.record(record.symbol)
    }
}

/// The two numbers whose distance an expression is.
fn difference(expression: &Expression) -> Option<(&Expression, &Expression)> {
    let Expression::Absolute(inner) = expression else { return None };
    match &**inner {
        Expression::Arithmetic(Arithmetic::Subtract, one, other) => Some((one, other)),
        _ => None,
    }
}

fn one_of(texts: &Texts) -> String {
    let shown = texts.iter().take(CODES).collect::<Vec<_>>();
    let more = if texts.len() > CODES { " …" } else { "" };
    format!("{}{more}", quoted(&shown))
}

/// `"01"`, `"01" or "02"`, `"01", "02" or "03"`.
fn quoted(texts: &[&str]) -> String {
    let shown = |text: &&str| if text.is_empty() { "blank".to_owned() } else { format!("\"{text}\"") };
    match texts.split_last() {
        Some((last, [])) => shown(last),
        Some((last, others)) => {
            format!("{} or {}", others.iter().map(shown).collect::<Vec<_>>().join(", "), shown(last))
        }
        None => String::new(),
    }
}

fn another(found: &Option<std::borrow::Cow<'_, str>>) -> String {
    match found.as_deref() {
        Some("") => "a value".to_owned(),
        Some(text) => format!("other than \"{text}\""),
        None => String::new(),
    }
}

/// The words before a value.
fn bound(operator: Comparison, kind: Kind) -> &'static str {
    match (operator, kind) {
        (Comparison::Equal, _) => "",
        (Comparison::Unequal, _) => "other than ",
        (Comparison::Less, Kind::Date) => "before ",
        (Comparison::LessOrEqual, Kind::Date) => "not after ",
        (Comparison::Greater, Kind::Date) => "after ",
        (Comparison::GreaterOrEqual, Kind::Date) => "not before ",
        (Comparison::Less, _) => "less than ",
        (Comparison::LessOrEqual, _) => "at most ",
        (Comparison::Greater, _) => "more than ",
        (Comparison::GreaterOrEqual, _) => "at least ",
    }
}
