//! Headings of chapter 99 that add to, replace or exempt from duty: their dates, countries and order.

use jiff::civil::Date;

use super::country::CountrySet;
use super::program::{Places, country};
use super::rate::Rate;
use super::table::{Period, Row, Sources, TableError};
use super::unit::Units;
use crate::model::{CountryCode, HtsNumber};

/// What a heading does.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadingKind {
    /// Its duty stands beside the normal one.
    Add,
    /// Its duty stands in place of the normal one.
    Replace,
    /// The normal duty already reaches the all-in rate.
    DealZero,
    /// It says that a duty does not apply.
    Exempt,
}

/// A heading in one period.
#[derive(Clone, Debug)]
pub struct Heading {
    /// Its eight digits.
    pub number: HtsNumber,
    /// Its programme, a place in [`Headings::programmes`].
    pub programme: usize,
    /// Whether it is one of the IEEPA headings.
    pub ieepa: bool,
    /// The rate as printed.
    pub text: String,
    /// The rate.
    pub rate: Rate,
    /// When it is in force.
    pub period: Period,
    /// What it does.
    pub kind: HeadingKind,
    /// Where it was published.
    pub source: String,
    scope: CountrySet,
    numbers: Listed,
}

/// The numbers that a heading is for.
#[derive(Clone, Debug, Default)]
struct Listed {
    prefixes: Vec<String>,
    /// Whether the table holds all of them; a part ends with [`AND_MORE`].
    is_whole: bool,
}

/// Stands behind a list that is only a part of the published one.
const AND_MORE: &str = "...";

impl Heading {
    /// Whether goods of an origin come under it.
    #[must_use]
    pub fn covers(&self, origin: CountryCode) -> bool {
        self.scope.contains(origin)
    }

    /// Whether it is for a number, by the list of numbers that the table holds; `None` if that does not tell, as the
    /// table holds no list or only a part of it.
    #[must_use]
    pub fn lists(&self, number: HtsNumber) -> Option<bool> {
        let Listed { prefixes, is_whole } = &self.numbers;
        let is_listed = prefixes.iter().any(|prefix| number.as_str().starts_with(prefix.as_str()));
        (is_listed || *is_whole).then_some(is_listed)
    }

    /// Whether a duty stands on it.
    #[must_use]
    pub fn is_dutiable(&self) -> bool {
        matches!(self.kind, HeadingKind::Add | HeadingKind::Replace)
    }
}

/// A programme of additional duty.
#[derive(Clone, Debug)]
pub struct Programme {
    /// Its word.
    pub name: String,
    /// The place of its headings among those of a line, from 1.
    pub order: u8,
    /// Programmes whose dutiable headings may not stand on the same line.
    pub excludes: Vec<String>,
    /// Whether it is for all articles of its countries, but those that another heading exempts.
    pub covers_all: bool,
    /// What it is.
    pub meaning: String,
}

/// The headings, by number and date.
#[derive(Clone, Debug, Default)]
pub struct Headings {
    headings: Vec<Heading>,
    /// The numbers of the headings, in the same order.
    keys: Vec<u32>,
    programmes: Vec<Programme>,
}

impl Headings {
    pub(super) fn new(sources: &Sources, units: &Units, places: &Places) -> Result<Self, TableError> {
        let mut headings = Self { programmes: programmes(sources)?, ..Self::default() };
        let mut scopes = Vec::new();
        for name in ["ieepa", "headings"] {
            sources.table(name)?.each(|row| {
                headings.headings.push(headings.read(row, name == "ieepa", units)?);
                scopes.push(row.cell("scope").to_owned());
                Ok(())
            })?;
        }
        // Scopes that name other headings are those of headings that name countries.
        for refers in [false, true] {
            for (place, scope) in scopes.iter().enumerate().filter(|(_, scope)| scope.contains('-') == refers)
            {
                let wrong = |message| TableError { file: "headings".to_owned(), line: 0, message };
                headings.headings[place].scope = headings.scope(place, scope, places).map_err(wrong)?;
            }
        }
        headings.headings.sort_by_key(|heading| (heading.number, heading.period.from));
        headings.keys = headings.headings.iter().map(|heading| key(heading.number)).collect();
        Ok(headings)
    }

    fn read(&self, row: &Row<'_>, ieepa: bool, units: &Units) -> Result<Heading, String> {
        let name = row.cell("programme");
        let programme = self.programmes.iter().position(|programme| programme.name == name);
        let kind = match row.cell("kind") {
            "add" => HeadingKind::Add,
            "replace" => HeadingKind::Replace,
            "deal_zero" => HeadingKind::DealZero,
            "exempt" => HeadingKind::Exempt,
            other => {
                return Err(format!(
                    "column kind: found {other:?}, expected add, replace, deal_zero or exempt"
                ));
            }
        };
        let rate = Rate::parse(row.cell("rate"), units);
        if let Rate::Unread(error) = &rate {
            return Err(format!("column rate: {error}"));
        }
        let list = row.cell("numbers");
        let prefixes = row.words("numbers").filter(|prefix| *prefix != AND_MORE);
        let prefixes = prefixes.map(|prefix| prefix.replace('.', "")).collect::<Vec<_>>();
        let is_whole = !prefixes.is_empty() && !list.ends_with(AND_MORE);
        Ok(Heading {
            numbers: Listed { prefixes, is_whole },
            number: number(row.cell("heading"))?,
            programme: programme.ok_or_else(|| format!("no programme {name:?}"))?,
            ieepa,
            text: row.cell("rate").to_owned(),
            rate,
            period: row.period()?,
            kind,
            source: row.source(),
            scope: CountrySet::default(),
        })
    }

    /// The countries of a scope: `ALL`, `ALL except` a list, or a list of countries, `@GROUP` and
    /// `@HEADING-HEADING`, which stands for the countries of those headings in the same period.
    fn scope(&self, place: usize, text: &str, places: &Places) -> Result<CountrySet, String> {
        let (list, excepted) = match text.strip_prefix("ALL") {
            Some(rest) => (rest.trim().strip_prefix("except").unwrap_or(rest).trim(), true),
            None => (text, false),
        };
        let mut set = CountrySet::default();
        for part in list.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.strip_prefix('@').map(|group| (group, group.split_once('-'))) {
                None => set.add(country(part)?),
                Some((group, None)) => places.members(group).for_each(|country| set.add(country)),
                Some((_, Some((first, last)))) => {
                    let period = self.headings[place].period;
                    let numbers = number(first)?..=number(last)?;
                    let others = self.headings.iter().filter(|other| {
                        numbers.contains(&other.number)
                            && other.is_dutiable()
                            && other.period.from <= period.to
                            && period.from <= other.period.to
                    });
                    others.for_each(|other| set.extend(&other.scope));
                }
            }
        }
        Ok(if excepted { set.complement() } else { set })
    }

    /// The heading on a date, and whether the number is a heading of these tables at all.
    #[must_use]
    pub fn find(&self, number: HtsNumber, date: Date) -> (Option<&Heading>, bool) {
        let periods = self.periods(number);
        let found = periods.iter().rev().find(|heading| heading.period.contains(date));
        (found, !periods.is_empty())
    }

    /// All periods of a heading.
    #[must_use]
    pub fn periods(&self, number: HtsNumber) -> &[Heading] {
        let key = key(number);
        let start = self.keys.partition_point(|other| *other < key);
        let count = self.keys[start..].iter().take_while(|other| **other == key).count();
        &self.headings[start..start + count]
    }

    /// Whether the number is an IEEPA heading, in whatever period.
    #[must_use]
    pub fn is_ieepa(&self, number: HtsNumber) -> bool {
        self.periods(number).iter().any(|heading| heading.ieepa)
    }

    /// The headings that put a duty on goods of an origin on a date.
    pub fn dutiable(&self, origin: CountryCode, date: Date) -> impl Iterator<Item = &Heading> {
        let in_force = move |heading: &&Heading| heading.is_dutiable() && heading.period.contains(date);
        self.headings.iter().filter(in_force).filter(move |heading| heading.covers(origin))
    }

    /// All headings, in the order of their numbers and periods.
    pub fn iter(&self) -> impl Iterator<Item = &Heading> {
        self.headings.iter()
    }

    /// The programmes.
    #[must_use]
    pub fn programmes(&self) -> &[Programme] {
        &self.programmes
    }

    /// Whether the programmes of two dutiable headings exclude each other on a line.
    #[must_use]
    pub fn exclude(&self, one: &Heading, other: &Heading) -> bool {
        let [one, other] = [one, other].map(|heading| &self.programmes[heading.programme]);
        one.excludes.contains(&other.name) || other.excludes.contains(&one.name)
    }
}

fn programmes(sources: &Sources) -> Result<Vec<Programme>, TableError> {
    let mut programmes = Vec::new();
    sources.table("programmes")?.each(|row| {
        let order = row.cell("order");
        programmes.push(Programme {
            name: row.cell("programme").to_owned(),
            order: order.parse().map_err(|_| format!("column order: found {order:?}, expected a number"))?,
            excludes: row.words("excludes").map(str::to_owned).collect(),
            covers_all: match row.cell("articles") {
                "all" => true,
                "listed" => false,
                other => return Err(format!("column articles: found {other:?}, expected all or listed")),
            },
            meaning: row.cell("meaning").to_owned(),
        });
        Ok(())
    })?;
    Ok(programmes)
}

/// The first eight digits as a number.
fn key(number: HtsNumber) -> u32 {
    number.as_str().bytes().take(8).fold(0, |key, digit| key * 10 + u32::from(digit - b'0'))
}

/// A tariff number as printed, with or without full stops.
pub(super) fn number(text: &str) -> Result<HtsNumber, String> {
    let digits = text.chars().filter(|c| *c != '.').collect::<String>();
    HtsNumber::new(&digits).map_err(|error| format!("found {text:?}, {error}"))
}
