//! Editions of the schedule, each whole and in force from a day on, as one schedule in which every row has its first
//! and last day.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::super::schedule::ScheduleRow;
use super::super::table::Period;
use crate::model::{Code, HtsNumber};

/// Puts editions together, in the order of their days.
#[derive(Clone, Debug, Default)]
pub struct Editions {
    /// Rows that a later edition no longer has, or has otherwise.
    ended: Vec<ScheduleRow>,
    /// The rows of the last edition; each begins on the day of the edition that said so first.
    current: BTreeMap<HtsNumber, ScheduleRow>,
    last: Option<Date>,
}

impl Editions {
    /// Adds the rows of an edition that is in force from a day on. Numbers that it does not have end the day before.
    ///
    /// # Errors
    /// The day of the edition before it, if that is not earlier.
    pub fn add(&mut self, from: Date, rows: Vec<ScheduleRow>) -> Result<(), Date> {
        if let Some(last) = self.last.filter(|last| from <= *last) {
            return Err(last);
        }
        // The day of an edition before it was added is earlier, so there is a day before this one.
        let before = from.yesterday().unwrap_or(Date::MIN);
        let mut previous = std::mem::take(&mut self.current);
        for mut row in without_repeated_headings(rows) {
            row.period = Period { from, to: Date::MAX };
            if let Some(mut known) = previous.remove(&row.number) {
                if says_the_same(&known, &row) {
                    row.period = known.period;
                } else {
                    known.period.to = before;
                    self.ended.push(known);
                }
            }
            // Of two lines with the same number the later one counts, as for the schedule.
            self.current.insert(row.number, row);
        }
        self.ended.extend(previous.into_values().map(|mut row| {
            row.period.to = before;
            row
        }));
        self.last = Some(from);
        Ok(())
    }

    /// Takes over what a report of reporting units and flags of a day says of the numbers: the flags, and the units
    /// where the schedule's own text says the same as on that day.
    pub fn report(&mut self, day: Date, report: &[ScheduleRow]) {
        let on_the_day = |row: &&ScheduleRow| row.period.contains(day);
        let told = report.iter().filter(on_the_day).map(|row| (row.number, row)).collect::<HashMap<_, _>>();
        let printed = self.rows().filter(on_the_day);
        let printed =
            printed.map(|row| (row.number, row.units.clone())).collect::<HashMap<_, Vec<Code<3>>>>();
        for row in self.ended.iter_mut().chain(self.current.values_mut()) {
            let Some(told) = told.get(&row.number) else { continue };
            if printed.get(&row.number) == Some(&row.units) {
                row.units.clone_from(&told.units);
            }
            (row.antidumping, row.countervailing) = (told.antidumping, told.countervailing);
            row.agencies.clone_from(&told.agencies);
        }
    }

    fn rows(&self) -> impl Iterator<Item = &ScheduleRow> {
        self.ended.iter().chain(self.current.values())
    }

    /// The rows of all editions, by number and first day.
    #[must_use]
    pub fn into_rows(self) -> Vec<ScheduleRow> {
        let mut rows = self.ended;
        rows.extend(self.current.into_values());
        rows.sort_by_key(|row| (row.number, row.period.from));
        rows
    }
}

fn says_the_same(one: &ScheduleRow, other: &ScheduleRow) -> bool {
    ScheduleRow { period: other.period, ..one.clone() } == *other
}

/// The schedule adds the headings of a number's eight digits to its own: a suffix with just the same ones need not
/// repeat them.
fn without_repeated_headings(rows: Vec<ScheduleRow>) -> Vec<ScheduleRow> {
    let headings =
        |row: &ScheduleRow| row.headings.clone().map(|headings| (row.number.as_str().to_owned(), headings));
    let legal = rows.iter().filter(|row| row.number.as_str().len() == 8).filter_map(headings);
    let legal = legal.collect::<HashMap<_, _>>();
    let trimmed = rows.into_iter().map(|mut row| {
        let digits = row.number.as_str();
        if digits.len() == 10 && legal.get(&digits[..8]) == row.headings.as_ref() {
            row.headings = None;
        }
        row
    });
    trimmed.collect()
}
