//! Special programmes, groups of countries and the chapter 98 provisions.

use jiff::civil::Date;

use super::country::CountrySet;
use super::table::{Period, Row, Sources, TableError};
use crate::model::{Code, CountryCode};

/// A claim of a trade agreement or special programme, in one period.
#[derive(Clone, Debug)]
pub struct Program {
    /// The code that is claimed.
    pub claim: Code<2>,
    /// The marks of the schedule's special column that the claim stands on.
    pub listed: Vec<Code<2>>,
    /// Whether the claim frees every article by itself.
    pub frees: bool,
    /// Countries of origin; empty for any.
    pub origins: Vec<CountryCode>,
    /// When entries are covered.
    pub period: Period,
    /// Whether the claim exempts from merchandise processing fees.
    pub exempts_from_fees: bool,
    /// The prefixes of its columns in the USITC tariff database; years differ in them.
    pub database: Vec<String>,
}

/// The programmes.
#[derive(Clone, Debug, Default)]
pub struct Programs(Vec<Program>);

impl Programs {
    pub(super) fn new(sources: &Sources) -> Result<Self, TableError> {
        let mut programs = Vec::new();
        sources.table("programs")?.each(|row| {
            let listed = row.words("listed").filter(|mark| *mark != "free");
            programs.push(Program {
                claim: code(row.cell("claim"))?,
                listed: listed.map(code).collect::<Result<_, _>>()?,
                frees: row.cell("listed") == "free",
                origins: countries(row, "origins")?,
                period: row.period()?,
                exempts_from_fees: row.cell("mpf") == "y",
                database: row.words("database").map(str::to_owned).collect(),
            });
            Ok(())
        })?;
        Ok(Self(programs))
    }

    /// The programme of a claim on a date; of one that is known but does not cover the date, the last
    /// period, as an error.
    ///
    /// # Errors
    /// No programme of that code, or none that covers the date.
    pub fn find(&self, claim: Code<2>, date: Date) -> Result<&Program, Option<&Program>> {
        let mut last = None;
        for program in self.0.iter().filter(|program| program.claim == claim) {
            if program.period.contains(date) {
                return Ok(program);
            }
            last = Some(program);
        }
        Err(last)
    }

    /// All programmes, period by period.
    pub fn iter(&self) -> impl Iterator<Item = &Program> {
        self.0.iter()
    }
}

/// Groups of countries by their names.
#[derive(Clone, Debug, Default)]
pub struct Places {
    groups: Vec<Group>,
    /// Countries of any group: most are in none.
    any: CountrySet,
}

/// The countries of a group in a period.
#[derive(Clone, Debug)]
struct Group {
    name: String,
    period: Period,
    countries: Vec<CountryCode>,
    set: CountrySet,
}

impl Places {
    pub(super) fn new(sources: &Sources) -> Result<Self, TableError> {
        let (mut groups, mut any) = (Vec::new(), CountrySet::default());
        sources.table("places")?.each(|row| {
            let countries = countries(row, "countries")?;
            let mut set = CountrySet::default();
            countries.iter().for_each(|country| set.add(*country));
            any.extend(&set);
            groups.push(Group { name: row.cell("group").to_owned(), period: row.period()?, countries, set });
            Ok(())
        })?;
        Ok(Self { groups, any })
    }

    /// Whether a country is in a group on a date.
    #[must_use]
    pub fn contains(&self, group: &str, country: CountryCode, date: Date) -> bool {
        let holds =
            |part: &Group| part.set.contains(country) && part.name == group && part.period.contains(date);
        self.any.contains(country) && self.groups.iter().any(holds)
    }

    pub(super) fn members(&self, group: &str) -> impl Iterator<Item = CountryCode> {
        self.groups
            .iter()
            .filter(move |part| part.name == group)
            .flat_map(|part| part.countries.iter().copied())
    }
}

/// What a number of chapter 98 does to its line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Provision {
    /// It and the number beside it owe what its own rate says.
    Free,
    /// Its own value is free; the number beside it owes duty on the value that stands there.
    Split,
    /// Nothing is owed under bond.
    Bond,
}

/// The provisions of chapter 98 by their prefixes.
#[derive(Clone, Debug, Default)]
pub struct Provisions(Vec<(String, Provision, bool)>);

impl Provisions {
    pub(super) fn new(sources: &Sources) -> Result<Self, TableError> {
        let mut provisions = Vec::new();
        sources.table("chapter98")?.each(|row| {
            let effect = match row.cell("effect") {
                "free" => Provision::Free,
                "split" => Provision::Split,
                "bond" => Provision::Bond,
                other => return Err(format!("column effect: found {other:?}, expected free, split or bond")),
            };
            provisions.push((row.cell("prefix").to_owned(), effect, row.cell("mpf") == "y"));
            Ok(())
        })?;
        provisions.sort_by_key(|(prefix, ..)| std::cmp::Reverse(prefix.len()));
        Ok(Self(provisions))
    }

    /// What a number does, and whether its line owes merchandise processing fees all the same.
    #[must_use]
    pub fn find(&self, number: &str) -> Option<(Provision, bool)> {
        if !number.starts_with("98") {
            return None;
        }
        let found = self.0.iter().find(|(prefix, ..)| number.starts_with(prefix.as_str()));
        found.map(|(_, provision, mpf)| (*provision, *mpf))
    }
}

pub(super) fn code<const N: usize>(text: &str) -> Result<Code<N>, String> {
    Code::new(text).map_err(|error| format!("found {text:?}, {error}"))
}

pub(super) fn countries(row: &Row<'_>, column: &str) -> Result<Vec<CountryCode>, String> {
    row.words(column).map(country).collect()
}

pub(super) fn country(text: &str) -> Result<CountryCode, String> {
    CountryCode::new(text).map_err(|error| format!("found {text:?}, {error}"))
}
