//! A line of an entry summary: one article and what is claimed, owed and declared for it.

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agency::AgencyRecord;
use super::codes::{
    Answer, DutySecurity, FeeExemption, ProductClaim, RateKind, RulingKind, SanctionField, SanctionKind,
    SetRole, ZoneStatus,
};
use super::declaration::Declaration;
use super::header::Entity;
use super::identifiers::{
    CaseNumber, CountryCode, ForeignPortCode, HtsNumber, ManufacturerCode, PartyNumber,
};
use super::object::objects;
use super::rows::Rows;
use super::text::{Code, Text};

objects! {
    /// A line (ESF-65).
    struct Line {
        /// The filer's identifier of the line.
        identifier: Code<3>,
        /// The country of origin.
        country_of_origin: CountryCode,
    } optional {
        /// The article's place in a set.
        set_role: Option<SetRole>,
        /// The country of export.
        country_of_export: Option<CountryCode>,
        /// The date of exportation.
        export_date: Option<Date>,
        /// The date of exportation of textiles from the country of origin.
        textile_export_date: Option<Date>,
        /// The claim of a trade agreement or special programme.
        special_program: Option<Code<2>>,
        /// The charges in whole dollars.
        charges: Option<Decimal>,
        /// The foreign port of lading.
        foreign_port_of_lading: Option<ForeignPortCode>,
        /// The gross weight in kilograms.
        gross_weight: Option<Decimal>,
        /// The textile category.
        textile_category: Option<Code<3>>,
        /// A claim that depends on the product.
        product_claim: Option<ProductClaim>,
        /// Whether buyer and seller are related.
        related_parties: Option<Answer>,
        /// Whether the net cost method was used.
        net_cost_method: bool,
        /// Why no fee is paid.
        fee_exemption: Option<FeeExemption>,
        /// Whether the importer states that antidumping duty is not reimbursed.
        non_reimbursement_statement: bool,
        /// What a foreign trade zone says of the goods.
        zone: Option<ZoneMerchandise>,
        /// The lines of electronic invoices that the article comes from.
        invoices: Vec<InvoiceReference>,
        /// The ruling, where the invoices are not electronic.
        ruling: Option<Ruling>,
        /// The commercial description, where the invoices are not electronic.
        descriptions: Vec<Text<70>>,
        /// Manufacturer, exporter, and those it is sold and delivered to.
        parties: Vec<ArticleParty>,
        /// Parties to the cargo, when certifying for release.
        entities: Vec<Entity>,
        /// Partner agency data that the sets of the line refer to.
        agency_substitutions: Vec<AgencyRecord>,
        /// Tariff numbers, in the order of the schedule's notes.
        tariffs: Vec<Tariff>,
        /// The textile visa.
        visa: Option<Code<9>>,
        /// Licence, certificate or permit.
        licenses: Vec<License>,
        /// Antidumping and countervailing duty cases.
        cases: Vec<DutyCase>,
        /// The importer's additional declarations.
        declarations: Vec<Declaration>,
        /// Internal revenue tax.
        tax: Option<Revenue>,
        /// Other revenue.
        other_revenue: Option<Revenue>,
        /// User fees.
        fees: Vec<Revenue>,
        /// Data of goods under sanctions.
        sanctions: Vec<Sanction>,
        /// Why the line is corrected after the summary.
        correction_reasons: Rows<Code<3>>,
        /// Census warnings that the filer overrides.
        census_overrides: Rows<CensusOverride>,
    }

    /// What a foreign trade zone says of the goods (ESF-72).
    struct ZoneMerchandise {
        /// Their standing.
        status: ZoneStatus,
        /// How many whole units.
        quantity: u64,
    } optional {
        /// The day the privileged status was filed.
        privileged_filing_date: Option<Date>,
    }

    /// Lines of an electronic invoice (ESF-74).
    struct InvoiceReference {
        /// The supplier. It is to be a manufacturer's code, yet any text is accepted (condition 451).
        supplier: Text<15>,
        /// The invoice's number.
        number: Code<17>,
    } optional {
        /// Which of its lines.
        lines: Vec<InvoiceLines>,
        /// The ruling for them.
        ruling: Option<Ruling>,
        /// Their commercial description.
        descriptions: Vec<Text<70>>,
    }

    /// A range of invoice lines.
    struct InvoiceLines {
        /// The first one.
        first: u64,
        /// The last one.
        last: u64,
    }

    /// A ruling (ESF-76).
    struct Ruling {
        /// What kind it is.
        kind: RulingKind,
    } optional {
        /// Its number.
        number: Option<Code<6>>,
    }

    /// A tariff number and what comes under it (ESF-89).
    struct Tariff {
        /// The tariff number.
        hts_number: HtsNumber,
        /// The duty in dollars and cents.
        duty: Decimal,
        /// The value in whole dollars.
        value: Decimal,
    } optional {
        /// Quantities in the units of the schedule.
        quantities: Vec<Quantity>,
        /// What is said of sanctions.
        sanctions: Option<SanctionStatement>,
        /// The tariff number in force, for goods of privileged status under one that is not.
        current_hts_number: Option<HtsNumber>,
        /// Partner agency data.
        agency_data: Vec<AgencyRecord>,
    }

    /// A quantity (ESF-89).
    struct Quantity {
    } optional {
        /// How many, with two decimal places.
        amount: Option<Decimal>,
        /// The unit; nothing for numbers without one.
        unit: Option<Code<3>>,
    }

    /// What is said of sanctions (ESF-91).
    struct SanctionStatement {
    } optional {
        /// Whether the goods are said not to be subject to them.
        disclaimed: bool,
    }

    /// A licence, certificate or permit (ESF-95).
    struct License {
        /// What kind it is.
        kind: Code<2>,
        /// Its number.
        number: Text<10>,
    }

    /// An antidumping or countervailing duty case (ESF-98).
    struct DutyCase {
        /// The case.
        number: CaseNumber,
        /// How the duty is secured.
        security: DutySecurity,
        /// Percent, or dollars a unit.
        deposit_rate: Decimal,
        /// What the rate applies to.
        rate_kind: RateKind,
        /// The duty in dollars and cents.
        duty: Decimal,
    } optional {
        /// The value in whole dollars, where it differs from the tariffs'.
        value: Option<Decimal>,
        /// The quantity, with four decimal places.
        quantity: Option<Decimal>,
        /// The declaration that the duty is not reimbursed.
        non_reimbursement_declaration: Option<Code<10>>,
    }

    /// A tax, fee or other revenue (ESF-118, ESF-120).
    struct Revenue {
        /// The accounting class.
        class: Code<3>,
        /// The amount in dollars and cents.
        amount: Decimal,
    }

    /// A statement about goods under sanctions (ESF-121).
    struct Sanction {
        /// Ties together the statements of one record.
        record: u64,
        /// What the record is about.
        kind: SanctionKind,
        /// What is stated.
        field: SanctionField,
    } optional {
        /// The values.
        values: Vec<Text<76>>,
    }

    /// A census warning that the filer overrides (ESF-126).
    struct CensusOverride {
        /// The warning's condition code.
        condition: Code<3>,
    } optional {
        /// Why it is overridden.
        override_code: Option<Code<2>>,
    }
}

/// A party to an article (ESF-78).
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(tag = "role", content = "identifier", rename_all = "snake_case", deny_unknown_fields)]
pub enum ArticleParty {
    /// Who made or supplied it.
    Manufacturer(ManufacturerCode),
    /// Whom it is delivered to.
    DeliveredTo(PartyNumber),
    /// Whom it is sold to.
    SoldTo(PartyNumber),
    /// Who exported it.
    ForeignExporter(ManufacturerCode),
}
