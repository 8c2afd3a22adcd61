//! The importer's additional declarations (ESF-101 to ESF-117).

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes::Answer;
use super::identifiers::CountryCode;
use super::object::objects;
use super::text::{Code, Text};

/// An importer's additional declaration, by its kind.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Declaration {
    /// Export information of softwood lumber.
    SoftwoodLumber(SoftwoodLumber),
    /// Exclusion of a steel product.
    SteelExclusion(ProductExclusion),
    /// Exclusion of an aluminum product.
    AluminumExclusion(ProductExclusion),
    /// Export certificate of steel from South Korea.
    SteelExportCertificate(ExportCertificate),
    /// Craft beverage product.
    CraftBeverage(CraftBeverage),
    /// Certification that no antidumping or countervailing duty is due.
    AdCvdCertification(Certification),
    /// Where aluminum was smelted and cast.
    AluminumOrigin(AluminumOrigin),
    /// Where steel was melted and poured.
    SteelOrigin(SteelOrigin),
    /// Certification of bifacial solar panels.
    BifacialCertification(Certification),
    /// Certification of ship-to-shore cranes.
    CraneCertification(Certification),
    /// Licence for the offset of auto parts.
    AutoPartsLicense(AutoPartsLicense),
    /// Where copper was smelted and cast.
    CopperOrigin(CopperOrigin),
    /// Any other declaration, as it stands.
    Other(OtherDeclaration),
}

objects! {
    /// Export information of softwood lumber (ESF-102).
    struct SoftwoodLumber {
        /// Whether the act's requirements are met.
        compliant: Answer,
        /// The export price in whole dollars.
        export_price: Decimal,
    } optional {
        /// The export charges in whole dollars.
        export_charges: Option<Decimal>,
    }

    /// A product exclusion (ESF-103, ESF-104).
    struct ProductExclusion {
        /// Its identifier.
        identifier: Code<9>,
    }

    /// An export certificate (ESF-105).
    struct ExportCertificate {
        /// Its number.
        number: Code<9>,
    }

    /// A craft beverage product (ESF-106).
    struct CraftBeverage {
        /// The controlled group's name.
        controlled_group: Text<10>,
        /// The foreign producer's identifier.
        producer_identifier: Text<18>,
        /// The foreign producer's name.
        producer_name: Text<21>,
        /// The allocated quantity, with four decimal places.
        allocation_quantity: Decimal,
        /// The code of the rate.
        rate_designation: Code<6>,
        /// The rate in dollars, with four decimal places.
        tax_rate: Decimal,
    } optional {
        /// Whether there is a credit for wine or flavor content.
        flavor_credit: bool,
    }

    /// A certification that says all by standing there (ESF-110, ESF-114, ESF-115).
    struct Certification {}

    /// Where aluminum was smelted and cast (ESF-111).
    struct AluminumOrigin {
        /// Whether a primary country of smelt applies.
        primary_smelt_applies: Answer,
        /// Whether a secondary country of smelt applies.
        secondary_smelt_applies: Answer,
        /// Where it was cast.
        country_of_cast: CountryCode,
    } optional {
        /// The primary country of smelt.
        primary_country_of_smelt: Option<CountryCode>,
        /// The secondary country of smelt.
        secondary_country_of_smelt: Option<CountryCode>,
    }

    /// Where steel was melted and poured (ESF-113).
    struct SteelOrigin {
    } optional {
        /// The country.
        country_of_melt_and_pour: Option<CountryCode>,
        /// Whether no country is given, as derivatives may.
        other_country: bool,
    }

    /// A licence of the Department of Commerce (ESF-116).
    struct AutoPartsLicense {
        /// Its number.
        number: Code<8>,
    }

    /// Where copper was smelted and cast (ESF-117); `OTH` where unknown.
    struct CopperOrigin {
        /// The primary country of smelt.
        primary_country_of_smelt: Code<3>,
        /// The country of the most recent cast.
        country_of_cast: Code<3>,
    } optional {
        /// The secondary country of smelt.
        secondary_country_of_smelt: Option<Code<3>>,
    }

    /// A declaration of no known kind.
    struct OtherDeclaration {
        /// Its type code.
        code: Code<2>,
    } optional {
        /// What it says.
        information: Option<Text<76>>,
    }
}
