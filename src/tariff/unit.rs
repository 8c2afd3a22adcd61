//! Units: how rates name them, and which reported quantities give them.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::program::code;
use super::table::{Sources, TableError};
use crate::model::Code;

/// A unit of a rate, an index into [`Units`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct UnitId(u8);

/// The row of the table that names parts of articles, which are no units.
const PART: &str = "part of an article";

/// Which units rates are in.
#[derive(Clone, Debug, Default)]
pub struct Units {
    units: Vec<Unit>,
    phrases: HashMap<String, UnitId>,
    /// The codes of quantities, by what the schedule's column of units prints.
    printed: HashMap<String, Vec<Code<3>>>,
}

#[derive(Clone, Debug)]
struct Unit {
    name: String,
    codes: Vec<(Code<3>, Conversion)>,
}

/// How an amount in a reported unit becomes one in the unit of a rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Conversion {
    Same,
    Times(Decimal),
    Over(Decimal),
}

impl Conversion {
    fn of(self, amount: Decimal) -> Decimal {
        match self {
            Self::Same => amount,
            Self::Times(factor) => amount * factor,
            Self::Over(divisor) => amount / divisor,
        }
    }
}

impl Units {
    pub(super) fn new(sources: &Sources) -> Result<Self, TableError> {
        let mut units = Self::default();
        sources.table("units")?.each(|row| {
            let id = UnitId(u8::try_from(units.units.len()).map_err(|_| "more than 256 units".to_owned())?);
            let codes = row.words("codes").map(conversion).collect::<Result<_, _>>()?;
            units.units.push(Unit { name: row.cell("unit").to_owned(), codes });
            let phrases = row.cell("phrases").split(';').chain([row.cell("unit")]);
            units.phrases.extend(phrases.map(|phrase| (normal(phrase), id)));
            Ok(())
        })?;
        sources.table("printed_units")?.each(|row| {
            let codes = row.words("codes").map(code).collect::<Result<_, _>>()?;
            units.printed.insert(normal(row.cell("printed")), codes);
            Ok(())
        })?;
        Ok(units)
    }

    /// The codes of the quantities that the schedule's column of units asks for in these words; `None` if the words
    /// are not known.
    #[must_use]
    pub fn reported(&self, printed: &str) -> Option<&[Code<3>]> {
        self.printed.get(&normal(printed)).map(Vec::as_slice)
    }

    /// The unit that a rate names.
    #[must_use]
    pub fn find(&self, phrase: &str) -> Option<UnitId> {
        self.phrases.get(&normal(phrase)).copied()
    }

    /// The first word of a text that names a part of an article with a suffix of its own, in lower case.
    #[must_use]
    pub fn part(&self, text: &str) -> Option<String> {
        let words = text.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase);
        words.into_iter().find(|word| self.phrases.get(word).is_some_and(|id| self.name(*id) == PART))
    }

    /// A unit's name.
    #[must_use]
    pub fn name(&self, id: UnitId) -> &str {
        &self.units[usize::from(id.0)].name
    }

    /// An amount in a reported unit as one in this unit, if the reported unit gives it.
    #[must_use]
    pub fn convert(&self, id: UnitId, amount: Decimal, reported: Code<3>) -> Option<Decimal> {
        let codes = &self.units[usize::from(id.0)].codes;
        let found = codes.iter().find(|(code, _)| *code == reported)?;
        Some(found.1.of(amount))
    }

    /// What is to be done to an amount in a reported unit, for an explanation: ` x 1000`, ` / 1000` or
    /// nothing.
    #[must_use]
    pub fn conversion(&self, id: UnitId, reported: Code<3>) -> String {
        let codes = &self.units[usize::from(id.0)].codes;
        match codes.iter().find(|(code, _)| *code == reported) {
            Some((_, Conversion::Times(factor))) => format!(" x {factor}"),
            Some((_, Conversion::Over(divisor))) => format!(" / {divisor}"),
            Some((_, Conversion::Same)) | None => String::new(),
        }
    }

    /// The code of a quantity that is reported in just this unit.
    #[must_use]
    pub fn code(&self, id: UnitId) -> Option<Code<3>> {
        let codes = &self.units[usize::from(id.0)].codes;
        codes.iter().find(|(_, conversion)| *conversion == Conversion::Same).map(|(code, _)| *code)
    }

    /// The first unit that quantities of a code are in as they are.
    #[must_use]
    pub fn of_code(&self, code: Code<3>) -> Option<UnitId> {
        let is_same = |unit: &Unit| unit.codes.contains(&(code, Conversion::Same));
        let place = self.units.iter().position(is_same)?;
        u8::try_from(place).ok().map(UnitId)
    }

    /// Which of the reporting units of a number gives this unit, from 0.
    #[must_use]
    pub fn place(&self, id: UnitId, reporting: &[Code<3>]) -> Option<usize> {
        let codes = &self.units[usize::from(id.0)].codes;
        codes.iter().find_map(|(code, _)| reporting.iter().position(|unit| unit == code))
    }
}

/// `T*1000`: thousand times an amount in T; `L/3.78`: an amount in L over 3.78.
fn conversion(text: &str) -> Result<(Code<3>, Conversion), String> {
    let number = |text: &str| text.parse().map_err(|_| format!("found {text:?}, expected a number"));
    let code = |text: &str| Code::new(text).map_err(|error| format!("unit code {text:?}: {error}"));
    if let Some((unit, factor)) = text.split_once('*') {
        Ok((code(unit)?, Conversion::Times(number(factor)?)))
    } else if let Some((unit, divisor)) = text.split_once('/') {
        Ok((code(unit)?, Conversion::Over(number(divisor)?)))
    } else {
        Ok((code(text)?, Conversion::Same))
    }
}

/// A phrase without case, full stops, doubled spaces and superscripts.
fn normal(phrase: &str) -> String {
    let words = phrase.split([' ', '.']).filter(|word| !word.is_empty());
    let words = words.map(str::to_lowercase).collect::<Vec<_>>().join(" ");
    words.replace('\u{b2}', "2").replace('\u{b3}', "3")
}
