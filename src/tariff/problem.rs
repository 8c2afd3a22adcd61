//! What stands in the way of a computation, or does not fit together.

use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use super::table::Period;
use crate::model::{Code, CountryCode, HtsNumber};

/// A problem and its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The line, from 0; nothing for the summary.
    pub line: Option<usize>,
    /// The number on the line, from 0.
    pub tariff: Option<usize>,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The schedule does not have the number on that date.
    NumberUnknown(HtsNumber, Date),
    /// The schedule has the number but no rate of that column.
    RateMissing(HtsNumber),
    /// The rate is not one that can be computed.
    NotComputable(String),
    /// A quantity in that unit is missing.
    QuantityMissing(String),
    /// No other number on the line has a rate to derive duty from.
    NothingDerived,
    /// The number has two rates, and it is not said which applies; the first was taken.
    ChoiceMissing,
    /// The amounts are beyond what can be computed exactly.
    TooLarge,
    /// The claim is no programme.
    ProgramUnknown(Code<2>),
    /// The programme does not cover the date: the general rate is deposited.
    ProgramNotInForce(Code<2>, Period, Date),
    /// The programme does not cover the origin.
    ProgramNotForOrigin(Code<2>, CountryCode),
    /// The schedule does not list the programme for the number.
    ProgramNotListed(Code<2>),
    /// A heading of chapter 99 that nobody knows.
    HeadingUnknown(HtsNumber),
    /// The heading is not in force on the date.
    HeadingNotInForce(HtsNumber, Date),
    /// The heading does not cover the origin.
    HeadingNotForOrigin(HtsNumber, CountryCode),
    /// Value on an IEEPA heading belongs on the number of chapters 1 to 97.
    ValueOnHeading(HtsNumber),
    /// A heading stands without a number of chapters 1 to 97.
    HeadingAlone(HtsNumber),
    /// An entry type that takes no remedies.
    HeadingNotAllowed(HtsNumber),
    /// An all-in heading, though the normal duty reaches the all-in rate, or the other way round.
    AllInMismatch(HtsNumber),
    /// Two headings that exclude each other on one line.
    HeadingsExclude(HtsNumber, HtsNumber),
    /// A heading of Section 232 beside a declaration that excludes the product from it.
    HeadingWithExclusion(HtsNumber),
    /// The date that rates depend on is more than 90 days after receipt.
    DateTooFar(Date),
    /// Numbers are not in the order 98, 99, 1 to 97.
    OutOfOrder(HtsNumber),
    /// Headings of chapter 99 are not in the order CBP asks for.
    HeadingsOutOfOrder(HtsNumber),
    /// No rate of tax is known for the class.
    TaxUnknown(Code<3>),
    /// No rate of the fee is known on the date.
    FeeUnknown(String, Date),
    /// Charges must be reported at that value.
    ChargesMissing(Decimal),
}

impl ProblemKind {
    /// A word for programs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::NumberUnknown(..) => "number_unknown",
            Self::RateMissing(_) => "rate_missing",
            Self::NotComputable(_) => "not_computable",
            Self::QuantityMissing(_) => "quantity_missing",
            Self::NothingDerived => "nothing_derived",
            Self::ChoiceMissing => "choice_missing",
            Self::TooLarge => "too_large",
            Self::ProgramUnknown(_) => "program_unknown",
            Self::ProgramNotInForce(..) => "program_not_in_force",
            Self::ProgramNotForOrigin(..) => "program_not_for_origin",
            Self::ProgramNotListed(_) => "program_not_listed",
            Self::HeadingUnknown(_) => "heading_unknown",
            Self::HeadingNotInForce(..) => "heading_not_in_force",
            Self::HeadingNotForOrigin(..) => "heading_not_for_origin",
            Self::ValueOnHeading(_) => "value_on_heading",
            Self::HeadingAlone(_) => "heading_alone",
            Self::HeadingNotAllowed(_) => "heading_not_allowed",
            Self::AllInMismatch(_) => "all_in_mismatch",
            Self::HeadingsExclude(..) => "headings_exclude",
            Self::HeadingWithExclusion(_) => "heading_with_exclusion",
            Self::DateTooFar(_) => "date_too_far",
            Self::OutOfOrder(_) => "out_of_order",
            Self::HeadingsOutOfOrder(_) => "headings_out_of_order",
            Self::TaxUnknown(_) => "tax_unknown",
            Self::FeeUnknown(..) => "fee_unknown",
            Self::ChargesMissing(_) => "charges_missing",
        }
    }

    /// Whether an amount could not be computed for it, so that what is claimed stays unverified.
    #[must_use]
    pub fn leaves_unverified(&self) -> bool {
        matches!(
            self,
            Self::NumberUnknown(..)
                | Self::RateMissing(_)
                | Self::NotComputable(_)
                | Self::QuantityMissing(_)
                | Self::NothingDerived
                | Self::ChoiceMissing
                | Self::TooLarge
                | Self::HeadingUnknown(_)
                | Self::TaxUnknown(_)
                | Self::FeeUnknown(..)
        )
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NumberUnknown(number, date) => write!(formatter, "the schedule has no {number} on {date}"),
            Self::RateMissing(number) => write!(formatter, "the schedule has no such rate for {number}"),
            Self::NotComputable(text) => write!(formatter, "rate {text:?} has no formula"),
            Self::QuantityMissing(unit) => write!(formatter, "the rate needs a quantity in {unit}"),
            Self::NothingDerived => {
                formatter.write_str("no other number on the line has a rate to derive duty from")
            }
            Self::ChoiceMissing => {
                formatter.write_str("two rates, and not said which applies: the first was taken")
            }
            Self::TooLarge => formatter.write_str("the amounts are too large to be computed exactly"),
            Self::ProgramUnknown(claim) => write!(formatter, "claim {claim} is no programme"),
            Self::ProgramNotInForce(claim, period, date) => {
                write!(
                    formatter,
                    "claim {claim} holds {period}, not on {date}: the general rate is deposited"
                )
            }
            Self::ProgramNotForOrigin(claim, origin) => {
                write!(formatter, "claim {claim} is not for goods of {origin}")
            }
            Self::ProgramNotListed(claim) => {
                write!(formatter, "the schedule does not list claim {claim} for the number")
            }
            Self::HeadingUnknown(number) => write!(formatter, "heading {number} is not known"),
            Self::HeadingNotInForce(number, date) => {
                write!(formatter, "heading {number} is not in force on {date}")
            }
            Self::HeadingNotForOrigin(number, origin) => {
                write!(formatter, "heading {number} is not for goods of {origin}")
            }
            Self::ValueOnHeading(number) => {
                write!(formatter, "value on heading {number} belongs on the number of chapters 1 to 97")
            }
            Self::HeadingAlone(number) => {
                write!(formatter, "heading {number} stands without a number of chapters 1 to 97")
            }
            Self::HeadingNotAllowed(number) => {
                write!(formatter, "the entry type does not allow heading {number}")
            }
            Self::AllInMismatch(number) => {
                write!(
                    formatter,
                    "heading {number} does not fit the normal duty: below the all-in rate or not"
                )
            }
            Self::HeadingsExclude(one, other) => {
                write!(formatter, "headings {one} and {other} exclude each other")
            }
            Self::HeadingWithExclusion(number) => {
                write!(formatter, "heading {number} stands beside a product exclusion")
            }
            Self::DateTooFar(date) => write!(formatter, "{date} is more than 90 days after receipt"),
            Self::OutOfOrder(number) => {
                write!(formatter, "number {number} is out of order: 98, then 99, then 1 to 97")
            }
            Self::HeadingsOutOfOrder(number) => {
                write!(formatter, "heading {number} is asked for earlier in the line")
            }
            Self::TaxUnknown(class) => write!(formatter, "no rate of tax is known for class {class} here"),
            Self::FeeUnknown(fee, date) => write!(formatter, "no {fee} is known for {date}"),
            Self::ChargesMissing(value) => {
                write!(formatter, "charges must be reported at a value of {value}")
            }
        }
    }
}

impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("problem", self.kind.word())?;
        if let Some(line) = self.line {
            map.serialize_entry("line", &(line + 1))?;
        }
        if let Some(tariff) = self.tariff {
            map.serialize_entry("tariff", &(tariff + 1))?;
        }
        map.serialize_entry("message", &self.kind.to_string())?;
        map.end()
    }
}
