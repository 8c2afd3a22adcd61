//! Which headings of chapter 99 a number needs, may have, or may not have (usage note (ii), ESF-186, 187).

use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use super::Tariff;
use super::assess::{EXCLUDABLE, commodities, owes_nothing};
use super::facts::{LineFacts, SummaryFacts};
use super::heading::Heading;
use crate::model::{CountryCode, HtsNumber};

/// What a programme of additional duty wants of a number, an origin and a date.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// One of the headings must be there: a dutiable one, or one that exempts.
    Required,
    /// A heading may be there; whether it must depends on a list of numbers that neither the tables hold nor the
    /// schedule's footnotes tell.
    Allowed,
    /// No heading of the programme may be there.
    NotAllowed,
}

/// A programme's headings for a number, an origin and a date.
#[derive(Clone, Debug)]
pub struct Due<'t> {
    /// The programme, a place in [`Headings::programmes`](super::Headings::programmes).
    pub programme: usize,
    /// What it wants.
    pub standing: Standing,
    /// The headings that fit, the general one first: any one of them satisfies the programme.
    pub headings: Vec<&'t Heading>,
}

/// What a line has of the headings that a programme wants.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LineDue {
    /// The line, from 1.
    pub line: usize,
    /// The number of chapters 1 to 97.
    pub number: HtsNumber,
    /// The programme's word.
    pub programme: String,
    /// What the programme is.
    pub meaning: String,
    /// What it wants.
    pub standing: Standing,
    /// The headings that fit, the general one first.
    pub headings: Vec<HtsNumber>,
    /// The programme's headings that the line claims.
    pub claimed: Vec<HtsNumber>,
    /// Whether one is required and none that fits is claimed.
    pub missing: bool,
}

impl LineDue {
    /// Whether what the line claims is not what the programme wants.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.missing || self.claimed.iter().any(|heading| !self.headings.contains(heading))
    }
}

impl fmt::Display for LineDue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list =
            |headings: &[HtsNumber]| headings.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let standing = match self.standing {
            Standing::Required => "one required",
            Standing::Allowed => "allowed",
            Standing::NotAllowed => "not allowed",
        };
        write!(formatter, "line {}, {}: headings of {}: {standing}", self.line, self.number, self.meaning)?;
        if !self.claimed.is_empty() {
            let unfit = self.claimed.iter().any(|heading| !self.headings.contains(heading));
            let unfit = if unfit { ", which does not fit" } else { "" };
            write!(formatter, ", claimed {}{unfit}", list(&self.claimed))?;
        } else if self.missing {
            formatter.write_str(", missing")?;
        }
        if self.headings.is_empty() {
            Ok(())
        } else {
            write!(formatter, "; fitting {}", list(&self.headings))
        }
    }
}

impl Tariff {
    /// What the lines of a summary have of the headings that programmes want: a programme that neither wants one nor is
    /// claimed does not stand here, and neither does a line that owes no duty.
    #[must_use]
    pub fn headings_of(&self, facts: &SummaryFacts) -> Vec<LineDue> {
        let mut dues = Vec::new();
        for (index, line) in facts.lines.iter().enumerate() {
            if !owes_nothing(self, facts, line) {
                self.headings_of_line(index, line, self.duty_date(facts, line), &mut dues);
            }
        }
        dues
    }

    fn headings_of_line(&self, index: usize, line: &LineFacts, date: Date, dues: &mut Vec<LineDue>) {
        let programme_of =
            |number: HtsNumber| self.headings.periods(number).first().map(|heading| heading.programme);
        for (_, article) in commodities(line) {
            for due in self.headings_due(article.number, line.origin, date) {
                let claimed = line.tariffs.iter().map(|facts| facts.number);
                let claimed = claimed.filter(|number| programme_of(*number) == Some(due.programme));
                let claimed = claimed.collect::<Vec<_>>();
                let headings = due.headings.iter().map(|heading| heading.number).collect::<Vec<_>>();
                if claimed.is_empty() && due.standing == Standing::NotAllowed {
                    continue;
                }
                let is_met = claimed.iter().any(|number| headings.contains(number));
                let programme = &self.headings.programmes()[due.programme];
                dues.push(LineDue {
                    line: index + 1,
                    number: article.number,
                    programme: programme.name.clone(),
                    meaning: programme.meaning.clone(),
                    standing: due.standing,
                    // A declared product exclusion stands in place of the heading.
                    missing: due.standing == Standing::Required
                        && !is_met
                        && !(line.excluded && programme.name == EXCLUDABLE),
                    headings,
                    claimed,
                });
            }
        }
    }

    /// What each programme wants of an article of chapters 1 to 97, in the order of the programmes.
    ///
    /// Whether an exemption applies is the filer's to claim, so a programme is satisfied by any of its
    /// headings that fit. A programme for listed articles requires a heading only where a footnote of the
    /// schedule refers to it or the tables hold its list; where neither is so, its headings are allowed.
    /// Where a heading of another programme excludes the dutiable ones
    /// ([`Headings::exclude`](super::Headings::exclude)), one that exempts is what the programme wants.
    #[must_use]
    pub fn headings_due(&self, number: HtsNumber, origin: CountryCode, date: Date) -> Vec<Due<'_>> {
        let origin = self.country(origin);
        let referred = self.schedule.references(number, date).collect::<Vec<_>>();
        let fitting = |heading: &&Heading| {
            heading.period.contains(date)
                && heading.covers(origin)
                && is_listed(heading, number, &referred) != Some(false)
        };
        let headings = self.headings.iter().filter(fitting).collect::<Vec<_>>();
        let programmes = self.headings.programmes().iter().enumerate();
        programmes
            .map(|(programme, what)| {
                let headings = headings.iter().filter(|heading| heading.programme == programme);
                let headings = headings.copied().collect::<Vec<_>>();
                let requires = |heading: &&Heading| {
                    heading.is_dutiable()
                        && (what.covers_all || is_listed(heading, number, &referred) == Some(true))
                };
                let standing = if headings.iter().any(requires) {
                    Standing::Required
                } else if headings.is_empty() {
                    Standing::NotAllowed
                } else {
                    Standing::Allowed
                };
                Due { programme, standing, headings }
            })
            .collect()
    }

    /// Whether a heading may stand beside an article: required where a footnote of the article or its own
    /// list of numbers says so and a duty stands on it; not allowed out of its dates, countries or list;
    /// `None` if no table has the heading.
    #[must_use]
    pub fn heading_standing(
        &self,
        heading: HtsNumber,
        number: HtsNumber,
        origin: CountryCode,
        date: Date,
    ) -> Option<Standing> {
        let (found, is_known) = self.headings.find(heading, date);
        let referred = self.schedule.references(number, date).collect::<Vec<_>>();
        let origin = self.country(origin);
        match found.filter(|heading| heading.covers(origin)) {
            Some(heading) => Some(match is_listed(heading, number, &referred) {
                Some(false) => Standing::NotAllowed,
                Some(true) if heading.is_dutiable() => Standing::Required,
                _ => Standing::Allowed,
            }),
            None => is_known.then_some(Standing::NotAllowed),
        }
    }
}

/// Whether a heading is for a number: by the headings that the schedule's footnotes refer to, else by the
/// list of the tables.
fn is_listed(heading: &Heading, number: HtsNumber, referred: &[HtsNumber]) -> Option<bool> {
    if referred.contains(&heading.number) {
        return Some(true);
    }
    heading.lists(number)
}
