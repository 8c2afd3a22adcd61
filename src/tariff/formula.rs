//! The formulas of the computation codes (Appendix F), read from their table.

use std::collections::HashMap;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::{char, one_of, u32};
use nom::combinator::{all_consuming, map, map_opt};
use nom::multi::fold_many0;
use nom::sequence::{delimited, preceded, separated_pair, terminated};
use nom::{IResult, Parser};
use rust_decimal::Decimal;

use super::rate::Coded;
use super::table::TableError;
use crate::grammar::Grammar;

/// The list of codes and formulas, and the name of its files.
const LIST: &str = "duty_computation";

/// A formula over rates, quantities and value.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Formula {
    Number(Decimal),
    Name(Name),
    Apply(Operator, Box<Formula>, Box<Formula>),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Operator {
    Plus,
    Minus,
    Times,
    Greater,
    /// Either of both: the filer says which.
    Choice,
}

/// What a formula is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Name {
    Specific,
    AdValorem,
    Other,
    Value,
    Quantity(usize),
    DerivedDuty,
}

const NAMES: [(&str, Name); 8] = [
    ("specific", Name::Specific),
    ("advalorem", Name::AdValorem),
    ("other", Name::Other),
    ("value", Name::Value),
    ("quantity1", Name::Quantity(0)),
    ("quantity2", Name::Quantity(1)),
    ("quantity3", Name::Quantity(2)),
    ("derived_duty", Name::DerivedDuty),
];

/// What a formula is computed with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operands<'t> {
    pub(super) coded: &'t Coded,
    pub(super) value: Decimal,
    pub(super) quantities: [Option<Decimal>; 3],
    pub(super) derived: Option<Decimal>,
    /// Whether the second of two rates is the one.
    pub(super) second: Option<bool>,
}

/// What a formula lacks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Lacking {
    /// The quantity of that place, from 0.
    Quantity(usize),
    /// The duty of another number.
    Derived,
    /// Which of two rates it is.
    Choice,
    /// The formula itself.
    Formula,
    /// Room: the amount is beyond exact numbers.
    Room,
}

/// The formulas by their codes.
#[derive(Clone, Debug, Default)]
pub(super) struct Formulas(HashMap<String, (Formula, String)>);

impl Formulas {
    /// Whether a code has a formula.
    pub(super) fn knows(&self, code: &str) -> bool {
        self.0.contains_key(code)
    }

    pub(super) fn new(grammar: &Grammar) -> Result<Self, TableError> {
        let error = |line, message: String| TableError { file: LIST.to_owned(), line, message };
        let list = grammar.lists().find(|list| list.name() == LIST);
        let list = list.ok_or_else(|| error(0, "no such code list".to_owned()))?;
        let mut formulas = HashMap::new();
        for (index, row) in list.rows().iter().enumerate() {
            let cell = |column| list.cell(row, column).unwrap_or_default();
            if cell("formula").is_empty() {
                continue;
            }
            let (_, formula) = all_consuming(choice)
                .parse(cell("formula"))
                .map_err(|_| error(index + 2, format!("no formula: {}", cell("formula"))))?;
            formulas.insert(cell("code").to_owned(), (formula, cell("formula").to_owned()));
        }
        Ok(Self(formulas))
    }

    /// The amount by a code's formula.
    pub(super) fn compute(&self, operands: &Operands<'_>) -> Result<Decimal, Lacking> {
        let (formula, _) = self.0.get(&operands.coded.code).ok_or(Lacking::Formula)?;
        formula.value(operands)
    }

    /// A code's formula with its numbers, for an explanation.
    pub(super) fn show(&self, operands: &Operands<'_>) -> String {
        let Some((formula, text)) = self.0.get(&operands.coded.code) else { return String::new() };
        format!("{text} = {}", formula.show(operands))
    }
}

impl Formula {
    fn value(&self, with: &Operands<'_>) -> Result<Decimal, Lacking> {
        Ok(match self {
            Self::Number(number) => *number,
            Self::Name(name) => name.value(with)?,
            Self::Apply(Operator::Choice, first, second) => match with.second.ok_or(Lacking::Choice)? {
                false => first.value(with)?,
                true => second.value(with)?,
            },
            Self::Apply(operator, left, right) => {
                let (left, right) = (left.value(with)?, right.value(with)?);
                let result = match operator {
                    Operator::Plus => left.checked_add(right),
                    Operator::Minus => left.checked_sub(right),
                    Operator::Times => left.checked_mul(right),
                    Operator::Greater | Operator::Choice => Some(left.max(right)),
                };
                result.ok_or(Lacking::Room)?
            }
        })
    }

    fn show(&self, with: &Operands<'_>) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Name(name) => {
                name.value(with).map_or("?".to_owned(), |number| number.normalize().to_string())
            }
            Self::Apply(operator, left, right) => {
                let (left, right) = (left.show(with), right.show(with));
                match operator {
                    Operator::Plus => format!("({left} + {right})"),
                    Operator::Minus => format!("({left} - {right})"),
                    Operator::Times => format!("{left} x {right}"),
                    Operator::Greater => format!("the greater of {left} and {right}"),
                    Operator::Choice => format!("either {left} or {right}"),
                }
            }
        }
    }
}

impl Name {
    fn value(self, with: &Operands<'_>) -> Result<Decimal, Lacking> {
        match self {
            Self::Specific => Ok(with.coded.specific),
            Self::AdValorem => Ok(with.coded.ad_valorem),
            Self::Other => Ok(with.coded.other),
            Self::Value => Ok(with.value),
            Self::Quantity(place) => with.quantities[place].ok_or(Lacking::Quantity(place)),
            Self::DerivedDuty => with.derived.ok_or(Lacking::Derived),
        }
    }
}

fn choice(text: &str) -> IResult<&str, Formula> {
    chain(text, " | ", sum, |_| Operator::Choice)
}

fn sum(text: &str) -> IResult<&str, Formula> {
    let (rest, first) = product(text)?;
    let more = (delimited(char(' '), one_of("+-"), char(' ')), product);
    fold_many0(
        more,
        move || first.clone(),
        |left, (sign, right)| {
            let operator = if sign == '+' { Operator::Plus } else { Operator::Minus };
            Formula::Apply(operator, Box::new(left), Box::new(right))
        },
    )
    .parse(rest)
}

fn product(text: &str) -> IResult<&str, Formula> {
    chain(text, "*", factor, |_| Operator::Times)
}

fn chain<'t>(
    text: &'t str,
    sign: &str,
    part: fn(&'t str) -> IResult<&'t str, Formula>,
    operator: fn(&str) -> Operator,
) -> IResult<&'t str, Formula> {
    let (rest, first) = part(text)?;
    let build = |left, right| Formula::Apply(operator(sign), Box::new(left), Box::new(right));
    fold_many0(preceded(tag(sign), part), move || first.clone(), build).parse(rest)
}

fn factor(text: &str) -> IResult<&str, Formula> {
    let greater = delimited(tag("max("), separated_pair(sum, tag(", "), sum), char(')'));
    let name = take_while1(|c: char| c.is_ascii_alphanumeric() || c == '_');
    alt((
        map(greater, |(left, right)| Formula::Apply(Operator::Greater, Box::new(left), Box::new(right))),
        delimited(char('('), sum, char(')')),
        map(terminated(u32, nom::combinator::not(char('_'))), |number| Formula::Number(number.into())),
        map_opt(name, |word: &str| {
            NAMES.iter().find(|(name, _)| *name == word).map(|(_, name)| Formula::Name(*name))
        }),
    ))
    .parse(text)
}
