//! Which headings of chapter 99 a number needs, may have, or may not have (usage note (ii), ESF-186, 187).

use jiff::civil::Date;
use serde::Serialize;

use super::Tariff;
use super::heading::Heading;
use crate::model::{CountryCode, HtsNumber};

/// What a programme of additional duty wants of a number, an origin and a date.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// One of the headings must be there: a dutiable one, or one that exempts.
    Required,
    /// A heading may be there; whether it must depends on a list of numbers that the tables do not hold.
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

impl Tariff {
    /// What each programme wants of an article of chapters 1 to 97, in the order of the programmes.
    ///
    /// Whether an exemption applies is the filer's to claim, so a programme is satisfied by any of its headings that
    /// fit. A programme for listed articles requires a heading only where the tables hold the list; where they
    /// do not, its headings are allowed. A heading that puts a duty is never required beside a heading
    /// of a programme that excludes it: [`Headings::exclude`](super::Headings::exclude) tells.
    #[must_use]
    pub fn headings_due(&self, number: HtsNumber, origin: CountryCode, date: Date) -> Vec<Due<'_>> {
        let origin = self.country(origin);
        let fitting = |heading: &&Heading| {
            heading.period.contains(date) && heading.covers(origin) && heading.lists(number) != Some(false)
        };
        let headings = self.headings.iter().filter(fitting).collect::<Vec<_>>();
        let programmes = self.headings.programmes().iter().enumerate();
        programmes
            .map(|(programme, what)| {
                let headings = headings.iter().filter(|heading| heading.programme == programme);
                let headings = headings.copied().collect::<Vec<_>>();
                let requires = |heading: &&Heading| {
                    heading.is_dutiable() && (what.covers_all || heading.lists(number) == Some(true))
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

    /// Whether a heading may stand beside an article: required where its own list of numbers names the article and a
    /// duty stands on it; not allowed out of its dates, countries or list; `None` if no table has the heading.
    #[must_use]
    pub fn heading_standing(
        &self,
        heading: HtsNumber,
        number: HtsNumber,
        origin: CountryCode,
        date: Date,
    ) -> Option<Standing> {
        let (found, is_known) = self.headings.find(heading, date);
        let origin = self.country(origin);
        match found.filter(|heading| heading.covers(origin)) {
            Some(heading) => Some(match heading.lists(number) {
                Some(false) => Standing::NotAllowed,
                Some(true) if heading.is_dutiable() => Standing::Required,
                _ => Standing::Allowed,
            }),
            None => is_known.then_some(Standing::NotAllowed),
        }
    }
}
