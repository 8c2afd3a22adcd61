//! The schedule: rates and reporting units by number and date, of several versions side by side.

use std::collections::HashMap;

use jiff::civil::Date;

use super::rate::Rate;
use super::table::Period;
use super::unit::Units;
use crate::model::{Code, HtsNumber};

/// A version of the schedule that rows were taken from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    /// A short name.
    pub name: String,
    /// Where it comes from.
    pub source: String,
}

/// What a version says of a number in a period. Blank rates are those of the eight-digit number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScheduleRow {
    /// Eight digits for legal rates, ten for a statistical suffix.
    pub number: HtsNumber,
    /// When it is in force.
    pub period: Period,
    /// The general rate of column 1 as printed.
    pub general: String,
    /// The special rates of column 1 as printed, such as `Free (AU,BH) 2.5% (KR)`.
    pub special: String,
    /// The rate of column 2 as printed.
    pub column_2: String,
    /// The units that quantities are reported in.
    pub units: Vec<Code<3>>,
    /// Whether antidumping duty may be due.
    pub antidumping: bool,
    /// Whether countervailing duty may be due.
    pub countervailing: bool,
    /// Flags of partner agencies.
    pub agencies: String,
    /// A short description.
    pub description: String,
    /// Headings of chapter 99 that the number's footnotes refer to, such as `See 9903.88.15`; `None` where the file
    /// tells none of its numbers' footnotes.
    pub headings: Option<Vec<HtsNumber>>,
}

/// A rate as printed, and as an expression.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Printed {
    /// What the schedule prints.
    pub text: Box<str>,
    /// What it means.
    pub rate: Rate,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct RateId(u32);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct SpecialId(u32);

/// The legal rates of a number.
#[derive(Clone, Copy, Debug)]
struct Legal {
    general: Option<RateId>,
    special: Option<SpecialId>,
    column_2: Option<RateId>,
}

/// How a number is reported.
#[derive(Clone, Copy, Debug)]
struct Reporting {
    units: [Option<Code<3>>; 3],
    antidumping: bool,
    countervailing: bool,
    agencies: u32,
    description: u32,
}

/// The headings that footnotes refer to, a place in `Schedule::referred`.
#[derive(Clone, Copy, Debug)]
struct References(u32);

/// Rows by number and date.
#[derive(Clone, Debug)]
struct Dated<T> {
    rows: Vec<Entry<T>>,
    /// Where the rows of each four-digit heading begin, and where the last end.
    starts: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    key: u64,
    period: Period,
    version: u16,
    what: T,
}

impl<T> Default for Dated<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), starts: Vec::new() }
    }
}

impl<T> Dated<T> {
    /// The row in force; where several are, the one that began last, and of those the one added last.
    fn find(&self, key: u64, date: Date) -> Option<&Entry<T>> {
        let heading = four_digits(key);
        let [start, end] = [heading, heading + 1].map(|at| self.starts.get(at).map(|start| *start as usize));
        let rows = self.rows.get(start?..end?)?;
        let end = rows.partition_point(|row| (row.key, row.period.from) <= (key, date));
        let candidates = rows[..end].iter().rev().take_while(|row| row.key == key);
        candidates.into_iter().find(|row| date <= row.period.to)
    }

    /// The first key that is not less.
    fn first(&self, key: u64) -> Option<u64> {
        self.rows.get(self.rows.partition_point(|row| row.key < key)).map(|row| row.key)
    }

    fn sort(&mut self) {
        self.rows.sort_by_key(|row| (row.key, row.period.from));
        self.rows.shrink_to_fit();
        self.starts.clear();
        for (place, row) in self.rows.iter().enumerate() {
            // A row has tens of bytes: memory ends before the numbers do.
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            self.starts.resize(self.starts.len().max(four_digits(row.key) + 1), place);
        }
        self.starts.push(u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
    }
}

/// Texts that stand often, each kept once.
#[derive(Clone, Debug, Default)]
struct Pool {
    texts: Vec<Box<str>>,
    ids: HashMap<Box<str>, u32>,
}

impl Pool {
    /// The text's place, and whether it is new.
    fn add(&mut self, text: &str) -> (u32, bool) {
        if let Some(&id) = self.ids.get(text) {
            return (id, false);
        }
        // A text has tens of bytes: memory ends before the numbers do.
        let id = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.into());
        self.ids.insert(text.into(), id);
        (id, true)
    }

    fn get(&self, id: u32) -> &str {
        self.texts.get(id as usize).map_or("", |text| text)
    }
}

/// The schedule. Lookups are by number and date.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    units: Units,
    versions: Vec<Version>,
    printed: Vec<Printed>,
    rate_ids: Pool,
    specials: Vec<Vec<(Code<2>, RateId)>>,
    special_ids: Pool,
    texts: Pool,
    referred: Vec<Vec<HtsNumber>>,
    referred_ids: HashMap<Vec<HtsNumber>, u32>,
    legal: Dated<Legal>,
    reporting: Dated<Reporting>,
    references: Dated<References>,
}

/// The number's digits as a key: a ten-digit number stands behind its eight-digit one.
fn key(number: HtsNumber) -> u64 {
    let digits = number.as_str().bytes().fold(0, |key, digit| key * 10 + u64::from(digit - b'0'));
    if number.as_str().len() == 8 { digits * 200 } else { digits * 2 + 1 }
}

/// The first four digits of a key's number.
fn four_digits(key: u64) -> usize {
    usize::try_from(key / 200 / 10_000).unwrap_or(usize::MAX - 1)
}

impl Schedule {
    /// An empty schedule.
    #[must_use]
    pub fn new(units: Units) -> Self {
        Self { units, ..Self::default() }
    }

    /// Adds what a version says. Rows that are added later win over earlier ones that begin on the same
    /// day.
    pub fn add(&mut self, version: Version, rows: impl IntoIterator<Item = ScheduleRow>) {
        let place = self.versions.iter().position(|known| *known == version).unwrap_or_else(|| {
            self.versions.push(version);
            self.versions.len() - 1
        });
        // Versions are counted in tens.
        let version = u16::try_from(place).unwrap_or(u16::MAX);
        for row in rows {
            self.add_row(version, &row);
        }
        self.legal.sort();
        self.reporting.sort();
        self.references.sort();
    }

    fn add_row(&mut self, version: u16, row: &ScheduleRow) {
        let (key, period) = (key(row.number), row.period);
        let legal = Legal {
            general: self.rate(&row.general),
            special: self.special(&row.special),
            column_2: self.rate(&row.column_2),
        };
        if legal.general.is_some() || legal.column_2.is_some() {
            self.legal.rows.push(Entry { key, period, version, what: legal });
        }
        let mut units = row.units.iter().copied();
        let reporting = Reporting {
            units: [units.next(), units.next(), units.next()],
            antidumping: row.antidumping,
            countervailing: row.countervailing,
            agencies: self.texts.add(&row.agencies).0,
            description: self.texts.add(&row.description).0,
        };
        self.reporting.rows.push(Entry { key, period, version, what: reporting });
        if let Some(headings) = &row.headings {
            let what = References(self.referred(headings));
            self.references.rows.push(Entry { key, period, version, what });
        }
    }

    /// The place of a list of headings, each kept once.
    fn referred(&mut self, headings: &[HtsNumber]) -> u32 {
        if let Some(&id) = self.referred_ids.get(headings) {
            return id;
        }
        // A list has tens of bytes: memory ends before the numbers do.
        let id = u32::try_from(self.referred.len()).unwrap_or(u32::MAX);
        self.referred.push(headings.to_vec());
        self.referred_ids.insert(headings.to_vec(), id);
        id
    }

    fn rate(&mut self, text: &str) -> Option<RateId> {
        if text.is_empty() {
            return None;
        }
        let (id, is_new) = self.rate_ids.add(text);
        if is_new {
            self.printed.push(Printed { text: text.into(), rate: Rate::parse(text, &self.units) });
        }
        Some(RateId(id))
    }

    fn special(&mut self, text: &str) -> Option<SpecialId> {
        if text.is_empty() {
            return None;
        }
        let (id, is_new) = self.special_ids.add(text);
        if is_new {
            let mut rates = Vec::new();
            for (rate, marks) in special_parts(text) {
                let Some(id) = self.rate(rate) else { continue };
                rates.extend(marks.filter_map(|mark| Code::new(mark).ok()).map(|mark| (mark, id)));
            }
            self.specials.push(rates);
        }
        Some(SpecialId(id))
    }

    /// What the schedule says of a number on a date; `None` if it does not have it then.
    #[must_use]
    pub fn find(&self, number: HtsNumber, date: Date) -> Option<Article<'_>> {
        let own = key(number);
        let general = if number.as_str().len() == 8 { own } else { own / 200 * 200 };
        let legal = self.legal.find(own, date).or_else(|| self.legal.find(general, date));
        let reporting = self.reporting.find(own, date).or_else(|| self.reporting.find(general, date));
        if legal.is_none() && reporting.is_none() {
            return None;
        }
        Some(Article { schedule: self, legal, reporting })
    }

    /// Headings of chapter 99 that footnotes of a number refer to on a date: its own, then those of its eight digits.
    pub fn references(&self, number: HtsNumber, date: Date) -> impl Iterator<Item = HtsNumber> {
        let own = key(number);
        let general = own / 200 * 200;
        let of = |key| {
            let found = self.references.find(key, date);
            found.and_then(|row| self.referred.get(row.what.0 as usize)).map_or(&[][..], Vec::as_slice)
        };
        let (own, general) = (of(own), if own == general { &[][..] } else { of(general) });
        own.iter().chain(general.iter().filter(|heading| !own.contains(heading))).copied()
    }

    /// Whether a number may be reported on a date: it has a row of its own, or its eight digits have one and no
    /// row tells of any statistical suffixes behind them.
    #[must_use]
    pub fn is_reportable(&self, number: HtsNumber, date: Date) -> bool {
        let own = key(number);
        let general = own / 200 * 200;
        let has = |key| self.legal.find(key, date).is_some() || self.reporting.find(key, date).is_some();
        let suffix = |first: Option<u64>| first.is_some_and(|key| key < general + 200);
        let has_suffixes = suffix(self.legal.first(general + 1)) || suffix(self.reporting.first(general + 1));
        has(own) || !has_suffixes && has(general)
    }

    /// Whether the schedule has a number on any day.
    #[must_use]
    pub fn knows(&self, number: HtsNumber) -> bool {
        let key = key(number);
        let has = |from: Option<u64>| from == Some(key);
        has(self.legal.first(key)) || has(self.reporting.first(key))
    }

    /// The versions, in the order they were added.
    #[must_use]
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// Every rate that is printed, once.
    #[must_use]
    pub fn printed(&self) -> &[Printed] {
        &self.printed
    }

    /// The units of its rates.
    #[must_use]
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// How many rows it holds: with rates, and with reporting units.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.legal.rows.len(), self.reporting.rows.len())
    }
}

/// What the schedule says of a number on a date.
#[derive(Clone, Copy, Debug)]
pub struct Article<'s> {
    schedule: &'s Schedule,
    legal: Option<&'s Entry<Legal>>,
    reporting: Option<&'s Entry<Reporting>>,
}

impl<'s> Article<'s> {
    fn printed(&self, id: RateId) -> &'s Printed {
        &self.schedule.printed[id.0 as usize]
    }

    /// The general rate of column 1.
    #[must_use]
    pub fn general(&self) -> Option<&'s Printed> {
        self.legal?.what.general.map(|id| self.printed(id))
    }

    /// The rate of column 2.
    #[must_use]
    pub fn column_2(&self) -> Option<&'s Printed> {
        self.legal?.what.column_2.map(|id| self.printed(id))
    }

    /// The special rate of the first of these marks that is listed.
    #[must_use]
    pub fn special(&self, marks: &[Code<2>]) -> Option<&'s Printed> {
        let listed = &self.schedule.specials[self.legal?.what.special?.0 as usize];
        let found = marks.iter().find_map(|mark| listed.iter().find(|(listed, _)| listed == mark));
        found.map(|(_, id)| self.printed(*id))
    }

    /// The marks of the special column, each with its rate.
    pub fn specials(&self) -> impl Iterator<Item = (Code<2>, &'s Printed)> {
        let id = self.legal.and_then(|legal| legal.what.special);
        let listed = id.map_or(&[][..], |id| self.schedule.specials[id.0 as usize].as_slice());
        let article = *self;
        listed.iter().map(move |(mark, id)| (*mark, article.printed(*id)))
    }

    /// The units that quantities are reported in.
    #[must_use]
    pub fn units(&self) -> [Option<Code<3>>; 3] {
        self.reporting.map_or([None; 3], |row| row.what.units)
    }

    /// Whether antidumping and whether countervailing duty may be due.
    #[must_use]
    pub fn cases(&self) -> (bool, bool) {
        self.reporting.map_or((false, false), |row| (row.what.antidumping, row.what.countervailing))
    }

    /// Flags of partner agencies.
    #[must_use]
    pub fn agencies(&self) -> &'s str {
        self.reporting.map_or("", |row| self.schedule.texts.get(row.what.agencies))
    }

    /// A short description.
    #[must_use]
    pub fn description(&self) -> &'s str {
        self.reporting.map_or("", |row| self.schedule.texts.get(row.what.description))
    }

    /// The version that the rates stand in, and when they are in force.
    #[must_use]
    pub fn version(&self) -> Option<(&'s Version, Period)> {
        let row = self.legal?;
        Some((self.schedule.versions.get(usize::from(row.version))?, row.period))
    }
}

/// The parts of a special column: a rate and the marks in parentheses behind it.
pub(super) fn special_parts(text: &str) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut from = 0;
        loop {
            let open = from + rest.get(from..)?.find('(')?;
            let close = open + rest[open..].find(')')?;
            let (rate, marks) = (rest[..open].trim(), &rest[open + 1..close]);
            if marks.split(',').all(|mark| is_mark(mark.trim())) {
                rest = &rest[close + 1..];
                return Some((rate, marks.split(',').map(str::trim)));
            }
            from = close;
        }
    })
}

/// Whether a text is a mark of the special column.
pub(super) fn is_mark(mark: &str) -> bool {
    matches!(mark.len(), 1..=2)
        && mark.bytes().all(|byte| byte.is_ascii_uppercase() || b"+*#".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_columns_come_apart() {
        let parts = special_parts("Free (A+,AU, BH) 2.5% (KR) See 9912.04.05-9912.04.10 (MA)")
            .map(|(rate, marks)| (rate.to_owned(), marks.collect::<Vec<_>>().join(" ")))
            .collect::<Vec<_>>();
        let expected = [("Free", "A+ AU BH"), ("2.5%", "KR"), ("See 9912.04.05-9912.04.10", "MA")];
        assert_eq!(parts, expected.map(|(rate, marks)| (rate.to_owned(), marks.to_owned())));
    }

    #[test]
    fn a_suffix_stands_behind_its_legal_number() {
        let number = |text| HtsNumber::new(text).unwrap();
        assert!(key(number("61091000")) < key(number("6109100000")));
        assert_eq!(key(number("6109100099")) / 200 * 200, key(number("61091000")));
    }
}
