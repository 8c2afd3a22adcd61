//! Rates of duty as expressions with exact numbers.

use std::fmt;

use rust_decimal::Decimal;

use super::unit::{UnitId, Units};

/// A rate of duty, tax or fee.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rate {
    /// No duty.
    Free,
    /// The sum of terms, with a least and a most that it may come to.
    Sum(Box<Sum>),
    /// Sugar by its degrees of polarization.
    Polarized(Polarized),
    /// A computation code of Appendix F with its three rates.
    Coded(Box<Coded>),
    /// The rate of another number on the line, or the highest of several.
    Derived,
    /// The duty of the number beside a chapter 99 heading, and more.
    Beside(Box<Sum>),
    /// Terms on the parts of an article, which are reported under suffixes of their own (Appendix F, page 4).
    Parts(Box<[Part]>),
    /// The schedule refers to a note instead of a rate: not computable (Appendix F, code X).
    Note,
    /// A text that is not understood, and where it stops being so.
    Unread(RateError),
}

/// A term on a part of an article, such as `6% on the case` of a watch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    /// The term.
    pub term: Term,
    /// The parts, in lower case as printed; empty for a term that names none.
    pub on: String,
}

/// Terms that are added, and what bounds their sum.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sum {
    /// The terms.
    pub terms: Vec<Term>,
    /// The sum is no less than this.
    pub least: Option<Term>,
    /// The sum is no more than this.
    pub most: Option<Term>,
}

/// A term of a rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Term {
    /// A part of the value: `rate` over `over`, which is 1 but for thirds of a percent.
    AdValorem {
        /// The part, as a fraction.
        rate: Decimal,
        /// What it is to be divided by.
        over: u8,
    },
    /// Dollars a unit.
    Specific {
        /// The dollars.
        dollars: Decimal,
        /// The unit.
        unit: UnitId,
    },
}

/// So many dollars a unit, less so many for each degree under 100, but not less than so many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Polarized {
    /// Dollars at 100 degrees.
    pub full: Decimal,
    /// Dollars less for each degree under 100.
    pub per_degree: Decimal,
    /// The least dollars.
    pub least: Decimal,
    /// The unit.
    pub unit: UnitId,
}

/// A computation code and what it is computed with: dollars for specific rates, fractions for parts of
/// the value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Coded {
    /// The code.
    pub code: String,
    /// The specific or primary rate (P1).
    pub specific: Decimal,
    /// The ad valorem or secondary rate (P2).
    pub ad_valorem: Decimal,
    /// The other rate (P3).
    pub other: Decimal,
}

/// Where a text stops being a rate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("at character {at}: found {found:?}, expected {expected}")]
pub struct RateError {
    /// The character, from 1.
    pub at: usize,
    /// What stands there.
    pub found: String,
    /// What could have stood there.
    pub expected: &'static str,
}

impl Rate {
    /// The computation code of Appendix F that the rate has with these reporting units. `None` where no
    /// code fits.
    #[must_use]
    pub fn code(&self, units: &Units, reporting: &[crate::model::Code<3>]) -> Option<char> {
        match self {
            Self::Free => Some('0'),
            Self::Derived => Some('9'),
            Self::Note | Self::Unread(_) => Some('X'),
            Self::Coded(coded) => coded.code.chars().next(),
            Self::Polarized(rate) => match units.place(rate.unit, reporting) {
                Some(1) => Some('J'),
                _ => Some('K'),
            },
            Self::Sum(sum) => sum.code(units, reporting),
            Self::Beside(_) | Self::Parts(_) => None,
        }
    }
}

impl Sum {
    fn code(&self, units: &Units, reporting: &[crate::model::Code<3>]) -> Option<char> {
        if self.least.is_some() || self.most.is_some() {
            return None;
        }
        let mut places = Vec::new();
        let mut ad_valorem = false;
        for term in &self.terms {
            match term {
                Term::AdValorem { .. } => ad_valorem = true,
                Term::Specific { unit, .. } => places.push(units.place(*unit, reporting)?),
            }
        }
        places.sort_unstable();
        match (places.as_slice(), ad_valorem) {
            ([], true) => Some('7'),
            ([0], false) => Some('1'),
            ([1], false) => Some('2'),
            ([0, 1], false) => Some('3'),
            ([0], true) => Some('4'),
            ([1], true) => Some('5'),
            ([0, 1], true) => Some('6'),
            ([2], true) => Some('D'),
            ([1, 2], true) => Some('E'),
            _ => None,
        }
    }
}

impl Term {
    /// A term of a whole fraction of the value.
    #[must_use]
    pub fn ad_valorem(rate: Decimal) -> Self {
        Self::AdValorem { rate, over: 1 }
    }

    pub(super) fn display<'t>(&'t self, units: &'t Units) -> impl fmt::Display + 't {
        struct Shown<'t>(&'t Term, &'t Units);
        impl fmt::Display for Shown<'_> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0 {
                    Term::AdValorem { rate, over: 1 } => {
                        write!(formatter, "{}%", (rate * Decimal::ONE_HUNDRED).normalize())
                    }
                    Term::AdValorem { rate, over } => {
                        write!(formatter, "{}/{over}%", (rate * Decimal::ONE_HUNDRED).normalize())
                    }
                    Term::Specific { dollars, unit } => {
                        write!(formatter, "${}/{}", dollars.normalize(), self.1.name(*unit))
                    }
                }
            }
        }
        Shown(self, units)
    }
}
