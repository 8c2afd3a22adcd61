//! What a filing says once, for all of its lines.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::codes::{
    AgencyDataIncluded, BillKind, BondDesignation, BondKind, ContinuousBondChange, DeferredTax, ShipmentUsage,
};
use super::identifiers::{CountryCode, EntryNumber, FilerCode, PartyNumber, PortCode};
use super::object::objects;
use super::rows::Rows;
use super::text::{Code, Text};

objects! {
    /// Which summary it is and how it is filed, paid and released (ESF-26).
    struct Header {
        /// The filer's code in the entry number.
        filer_code: FilerCode,
        /// The entry number, check digit included.
        entry_number: EntryNumber,
        /// The port of entry.
        port_of_entry: PortCode,
    } optional {
        /// The entry type; only a delete request may lack it.
        entry_type: Option<Code<2>>,
        /// The filer's own reference.
        broker_reference: Option<Code<9>>,
        /// The mode of transport.
        mode_of_transport: Option<Code<2>>,
        /// Whether the bond is waived.
        bond_waived: bool,
        /// Whether the summary is signed electronically.
        signed: bool,
        /// Whether the filer asks for certification for cargo release.
        certify_cargo_release: bool,
        /// Whether the invoices are electronic.
        electronic_invoice: bool,
        /// Whether the summary consolidates several releases.
        consolidated: bool,
        /// What the goods of an informal shipment are for.
        shipment_usage: Option<ShipmentUsage>,
        /// Whether entry and entry summary are filed together, live.
        live_entry: bool,
        /// How internal revenue tax is paid later.
        deferred_tax: Option<DeferredTax>,
        /// Whether the trade agreement claim is left to reconciliation.
        trade_agreement_reconciliation: bool,
        /// What else is left to reconciliation.
        reconciliation_issue: Option<Code<3>>,
        /// How duty is paid.
        payment_type: Option<Code<1>>,
        /// The day of the preliminary statement.
        preliminary_statement_date: Option<Date>,
        /// The month of the periodic statement, two digits.
        periodic_statement_month: Option<Code<2>>,
        /// The client branch on the statement.
        statement_client_branch: Option<Code<2>>,
        /// Why the bond is waived.
        bond_waiver_reason: Option<Code<3>>,
        /// Whether this is a post summary correction.
        post_summary_correction: bool,
        /// Whether accelerated liquidation is asked for.
        accelerated_liquidation: bool,
        /// Whether the filer knows the importer.
        known_importer: bool,
        /// Whether partner agency data come without certification, and why.
        agency_data_included: Option<AgencyDataIncluded>,
        /// Whether use and export of temporary imports are declared.
        temporary_import_declaration: bool,
        /// Whether this is a consolidated informal summary of express shipments.
        consolidated_express: bool,
    }

    /// Who imports, when and where to (ESF-36).
    struct Importation {
    } optional {
        /// The importer of record.
        importer_of_record: Option<PartyNumber>,
        /// The consignee.
        consignee: Option<PartyNumber>,
        /// The party that refunds and notices go to.
        notify_party: Option<PartyNumber>,
        /// The estimated date of entry.
        estimated_entry_date: Option<Date>,
        /// The date of importation.
        importation_date: Option<Date>,
        /// The state of destination.
        state_of_destination: Option<Code<2>>,
        /// The foreign trade zone.
        foreign_trade_zone: Option<Code<9>>,
    }

    /// How and where the cargo arrives (ESF-39).
    struct CargoReference {
    } optional {
        /// The carrier.
        carrier: Option<Code<4>>,
        /// The port of unlading.
        port_of_unlading: Option<PortCode>,
        /// The estimated date of arrival at the port of entry.
        estimated_arrival_date: Option<Date>,
        /// Where the goods are, by FIRMS code.
        location_of_goods: Option<Code<4>>,
        /// The conveyance's name.
        conveyance_name: Option<Text<20>>,
        /// The vessel's number.
        vessel_code: Option<Code<7>>,
        /// The port of examination.
        exam_port: Option<PortCode>,
        /// The date of the in-bond or in-transit movement.
        in_bond_date: Option<Date>,
    }

    /// Whom to ask about a correction of the cargo release (ESF-41).
    struct CorrectionContact {
        /// The contact's name.
        name: Text<40>,
        /// The contact's telephone number.
        phone: Text<15>,
    } optional {
        /// Whether documents were sent to the document image system.
        documents_sent: bool,
    }

    /// A grouping of manifested cargo (ESF-43).
    struct CargoManifest {
        /// How many of the smallest exterior packages.
        quantity: u64,
        /// Their unit.
        unit: Code<5>,
    } optional {
        /// The bill and the numbers above and below it.
        bills: Vec<Bill>,
        /// Conveyances, when certifying for release.
        conveyances: Vec<Conveyance>,
        /// Equipment numbers, when certifying for release.
        equipment: Vec<Code<20>>,
    }

    /// A number of the manifest (ESF-44).
    struct Bill {
        /// What kind of number it is.
        kind: BillKind,
        /// The number.
        number: Code<12>,
    } optional {
        /// Who issued it.
        issuer: Option<Code<4>>,
    }

    /// A conveyance of a split shipment or one outside the automated manifest (ESF-46).
    struct Conveyance {
        /// The carrier.
        carrier: Code<4>,
        /// Voyage, flight, trip or manifest number.
        trip: Code<5>,
        /// The date of arrival.
        arrival_date: Date,
        /// How many packages.
        quantity: u64,
    } optional {
        /// Their unit.
        unit: Option<Code<5>>,
        /// The conveyance's name.
        name: Option<Text<20>>,
    }

    /// The warehouse entry that goods are withdrawn from (ESF-48).
    struct WarehouseWithdrawal {
        /// The filer of the warehouse entry.
        filer_code: FilerCode,
        /// Its number.
        entry_number: EntryNumber,
        /// Its port.
        port: PortCode,
    } optional {
        /// Whether it is the last withdrawal.
        is_final: bool,
    }

    /// A bond (ESF-49).
    struct Bond {
        /// What kind of bond it is.
        kind: BondKind,
        /// What it is for.
        designation: BondDesignation,
        /// The surety company.
        surety: Code<3>,
    } optional {
        /// What becomes of a continuous bond.
        continuous_change: Option<ContinuousBondChange>,
        /// The amount of a single transaction bond in whole dollars.
        amount: Option<Decimal>,
        /// The number that the surety's producer gave the bond.
        producer_account: Option<Code<10>>,
    }

    /// A release that a consolidated summary covers (ESF-51).
    struct Release {
        /// The filer of the release.
        filer_code: FilerCode,
        /// Its entry number.
        entry_number: EntryNumber,
    }

    /// A fee of the whole summary (ESF-53).
    struct HeaderFee {
        /// The accounting class.
        class: Code<3>,
    } optional {
        /// The amount in dollars and cents.
        amount: Option<Decimal>,
    }

    /// A reference for cargo release (ESF-56).
    struct ReleaseReference {
        /// What the reference is.
        qualifier: Code<3>,
        /// The reference.
        reference: Text<50>,
    }

    /// A party to the cargo, of the header (ESF-59) or of a line (ESF-80), by its name and address or
    /// by an identifier.
    struct Entity {
        /// What it does.
        role: Code<3>,
    } optional {
        /// Its name.
        name: Option<Text<35>>,
        /// What the identifier is.
        identifier_qualifier: Option<Code<3>>,
        /// Its identifier.
        identifier: Option<super::identifiers::EntityIdentifier>,
        /// Global business identifiers.
        business_identifiers: Vec<BusinessIdentifier>,
        /// What the party is, in pieces.
        descriptions: Vec<EntityDescription>,
        /// Its street address, component by component.
        address: Rows<AddressComponent>,
        /// Its place.
        place: Option<EntityPlace>,
    }

    /// A global business identifier (ESF-61, ESF-85).
    struct BusinessIdentifier {
        /// Who gives such numbers.
        scheme: super::codes::BusinessIdentifierScheme,
        /// The identifier.
        identifier: Code<35>,
    }

    /// A piece of a party type's description (ESF-62, ESF-86).
    struct EntityDescription {
        /// The piece's place among the pieces.
        sequence: u64,
        /// The text.
        text: Text<75>,
    }

    /// A component of a street address (ESF-63, ESF-87).
    struct AddressComponent {
    } optional {
        /// What it is. The second of a record may lack it, or the text; no condition is raised.
        qualifier: Option<Code<2>>,
        /// The text.
        text: Option<Text<35>>,
    }

    /// A city and country (ESF-64, ESF-88).
    struct EntityPlace {
        /// The city.
        city: Text<35>,
        /// The country.
        country: CountryCode,
    } optional {
        /// The country's subdivision.
        subdivision: Option<Code<3>>,
        /// The postal code.
        postal_code: Option<Text<15>>,
    }

    /// Totals of antidumping and countervailing duty (ESF-128), in dollars and cents.
    struct AdCvdTotals {
    } optional {
        /// Antidumping duty secured by bond.
        bonded_antidumping: Option<Decimal>,
        /// Antidumping duty deposited in cash.
        cash_antidumping: Option<Decimal>,
        /// Countervailing duty secured by bond.
        bonded_countervailing: Option<Decimal>,
        /// Countervailing duty deposited in cash.
        cash_countervailing: Option<Decimal>,
    }

    /// The total of a fee (ESF-129).
    struct FeeTotal {
        /// The accounting class.
        class: Code<3>,
    } optional {
        /// The amount in dollars and cents.
        amount: Option<Decimal>,
    }

    /// Totals of the summary (ESF-131), in dollars and cents.
    struct GrandTotals {
    } optional {
        /// Duty.
        duty: Option<Decimal>,
        /// User fees.
        fees: Option<Decimal>,
        /// Internal revenue tax.
        tax: Option<Decimal>,
        /// Antidumping duty.
        antidumping: Option<Decimal>,
        /// Countervailing duty.
        countervailing: Option<Decimal>,
        /// Other revenue.
        other_revenue: Option<Decimal>,
    }
}
