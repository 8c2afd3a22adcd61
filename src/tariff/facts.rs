//! What duty and fees depend on: the facts of a summary, its lines and their numbers.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::model::{CaseNumber, Code, CountryCode, DutySecurity, HtsNumber, RateKind, SetRole, ZoneStatus};

/// The facts of an entry summary.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SummaryFacts {
    /// The entry type.
    pub entry_type: Option<Code<2>>,
    /// The mode of transport.
    pub mode: Option<Code<2>>,
    /// Dates.
    pub dates: Dates,
    /// Whether it consolidates several releases.
    pub consolidated: bool,
    /// Whether it is a consolidated informal summary of express shipments.
    pub consolidated_express: bool,
    /// Whether the port of entry is a courier hub, a user fee airport or an express consignment
    /// facility.
    pub express_port: bool,
    /// Whether the filer is not automated and files at a port where that costs a surcharge.
    pub manual: bool,
    /// Lines, in their order.
    pub lines: Vec<LineFacts>,
}

/// Dates that rates depend on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Dates {
    /// The day of receipt.
    pub received: Date,
    /// The entry date that CBP has determined.
    pub entry: Option<Date>,
    /// The estimated date of entry.
    pub estimated_entry: Option<Date>,
    /// The day of release.
    pub release: Option<Date>,
    /// The day of the preliminary statement.
    pub statement: Option<Date>,
    /// The estimated date of arrival.
    pub arrival: Option<Date>,
    /// The date of the in-bond or in-transit movement.
    pub in_bond: Option<Date>,
    /// The date of importation.
    pub importation: Option<Date>,
}

impl Dates {
    /// Only the day of receipt.
    #[must_use]
    pub fn received(received: Date) -> Self {
        Self {
            received,
            entry: None,
            estimated_entry: None,
            release: None,
            statement: None,
            arrival: None,
            in_bond: None,
            importation: None,
        }
    }

    /// The date that fees other than the harbor maintenance fee depend on (usage note (n), ESF-161).
    #[must_use]
    pub fn fee(&self) -> Date {
        let later_arrival = self.arrival.filter(|arrival| *arrival > self.received);
        let dates = [self.entry, self.estimated_entry, self.release, self.statement, later_arrival];
        dates.into_iter().flatten().next().unwrap_or(self.received)
    }

    /// The date that the harbor maintenance fee depends on (usage note (o), ESF-162).
    #[must_use]
    pub fn harbor_fee(&self) -> Date {
        let dates = [self.importation, self.in_bond, self.arrival];
        dates.into_iter().flatten().next().unwrap_or(self.received)
    }

    /// The date that antidumping and countervailing duty depend on (usage note (ff), ESF-182).
    #[must_use]
    pub fn case(&self) -> Date {
        let dates = [self.entry, self.estimated_entry, self.release, self.arrival];
        dates.into_iter().flatten().next().unwrap_or(self.received)
    }
}

/// What a foreign trade zone says of goods.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Zone {
    /// Their standing.
    pub status: ZoneStatus,
    /// The day the privileged status was filed.
    pub filed: Option<Date>,
}

/// The facts of a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LineFacts {
    /// The country of origin, or the Canadian province.
    pub origin: CountryCode,
    /// The claim of a trade agreement or special programme.
    pub program: Option<Code<2>>,
    /// The article's place in a set.
    pub set_role: Option<SetRole>,
    /// What a foreign trade zone says of the goods.
    pub zone: Option<Zone>,
    /// Tariff numbers, in their order.
    pub tariffs: Vec<TariffFacts>,
    /// Antidumping and countervailing duty cases.
    pub cases: Vec<CaseFacts>,
    /// Internal revenue tax.
    pub tax: Option<TaxFacts>,
    /// Whether agricultural fees are not owed: organic goods, exempt cotton, a certificate.
    pub agricultural_exempt: bool,
    /// Whether a product is excluded from a remedy of Section 232.
    pub excluded: bool,
    /// The charges in whole dollars.
    pub charges: Option<Decimal>,
}

impl LineFacts {
    /// A line of one origin and one number.
    #[must_use]
    pub fn new(origin: CountryCode, tariffs: Vec<TariffFacts>) -> Self {
        Self {
            origin,
            program: None,
            set_role: None,
            zone: None,
            tariffs,
            cases: Vec::new(),
            tax: None,
            agricultural_exempt: false,
            excluded: false,
            charges: None,
        }
    }

    /// The sum of the values of its numbers.
    #[must_use]
    pub fn value(&self) -> Decimal {
        self.tariffs.iter().map(|tariff| tariff.value).sum()
    }
}

/// A number on a line and what is said of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TariffFacts {
    /// The number.
    pub number: HtsNumber,
    /// The value in whole dollars.
    pub value: Decimal,
    /// Quantities in the order of the schedule's units.
    pub quantities: [Option<Amount>; 3],
    /// Whether the second of two rates applies, where the schedule has two (computation code C).
    pub second_rate: Option<bool>,
}

impl TariffFacts {
    /// A number with a value.
    #[must_use]
    pub fn new(number: HtsNumber, value: Decimal) -> Self {
        Self { number, value, quantities: [None; 3], second_rate: None }
    }

    /// The chapter it stands in, as two digits.
    #[must_use]
    pub fn chapter(&self) -> &str {
        &self.number.as_str()[..2]
    }
}

/// A quantity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Amount {
    /// How many.
    pub amount: Decimal,
    /// The unit; the schedule's if not said.
    pub unit: Option<Code<3>>,
}

/// An antidumping or countervailing duty case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CaseFacts {
    /// The case; those of countervailing duty begin with C.
    pub number: CaseNumber,
    /// How the duty is secured.
    pub security: DutySecurity,
    /// Percent, or dollars a unit.
    pub rate: Decimal,
    /// What the rate applies to.
    pub kind: RateKind,
    /// The value, where it differs from that of the line.
    pub value: Option<Decimal>,
    /// The quantity.
    pub quantity: Option<Decimal>,
}

impl CaseFacts {
    /// Whether it is a case of countervailing duty.
    #[must_use]
    pub fn is_countervailing(&self) -> bool {
        self.number.as_str().starts_with('C')
    }
}

/// Internal revenue tax that a line owes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TaxFacts {
    /// The accounting class.
    pub class: Code<3>,
    /// The category, where the number does not tell.
    pub category: Option<String>,
    /// The rate of a craft beverage claim in dollars a unit of the category.
    pub craft_rate: Option<Decimal>,
    /// The quantity taxed, where it is not one of the number's.
    pub quantity: Option<Amount>,
}
