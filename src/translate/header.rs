//! Header and totals records: 10 to 36, SE13 to SE36, 88 to 90.

use super::agency::Agency;
use super::part::{Child, Fields, Nested, Part, Reader, Row, Writer, fields, part};
use super::place::{Names, Reading, RecordPlace, Source, Spot, Writing};
use super::problem::EncodeProblem;
use crate::grammar::{Symbol, UnknownName};
use crate::model::{
    AdCvdTotals, AddressComponent, AgencyRecord, Bill, Bond, BusinessIdentifier, CargoManifest,
    CargoReference, Code, Conveyance, CorrectionContact, Entity, EntityDescription, EntityPlace,
    EntrySummaryFiling, FeeTotal, GrandTotals, Header, HeaderFee, Importation, Line, Release,
    ReleaseReference, Rows, Text, WarehouseWithdrawal,
};

part! {
    EntrySummaryFiling as FilingPlace {
        fields {
            action: "summary_filing_action_request_code",
        }
        inner {
            header: Header,
        }
        children {
            importation: Row<Option<Importation>> ["11"],
            cargo: Row<Option<CargoReference>> ["20"],
            correction_contact: Row<Option<CorrectionContact>> ["SE13"],
            trip: Row<Option<Code<5>>> ["21", "trip_identifier"],
            manifests: Nested<Vec<CargoManifest>> ["22"],
            warehouse_withdrawal: Row<Option<WarehouseWithdrawal>> ["30"],
            bonds: Row<Vec<Bond>> ["31"],
            releases: Row<Rows<Release>> ["32"],
            missing_documents: Row<Rows<Code<2>>> ["33", "missing_document_code_#"],
            fees: Row<Rows<HeaderFee>> ["34"],
            correction_reasons: Row<Rows<Code<3>>> ["35", "post_summary_correction_header_reason_code_#"],
            correction_explanations: Row<Vec<Text<75>>> ["36", "psc_filing_explanation_text"],
            agency_substitutions: Agency<Vec<AgencyRecord>> [],
            release_references: Row<Vec<ReleaseReference>> ["SE20"],
            entities: Nested<Vec<Entity>> ["SE30"],
            lines: Nested<Vec<Line>> ["40"],
            ad_cvd_totals: Row<Option<AdCvdTotals>> ["88"],
            fee_totals: Row<Rows<FeeTotal>> ["89"],
            grand_totals: Row<Option<GrandTotals>> ["90"],
        }
    }
}

part! {
    CargoManifest as ManifestPlace {
        fields {
            quantity: "manifested_quantity",
            unit: "manifested_quantity_unit_of_measure_code",
        }
        children {
            bills: Row<Vec<Bill>> ["23"],
            conveyances: Row<Vec<Conveyance>> ["SE16"],
            equipment: Row<Vec<Code<20>>> ["SE17", "equipment_number"],
        }
    }
}

// Header entities stand in SE30 to SE36, those of a line in SE50 to SE56, with the same fields.
part! {
    Entity as EntityPlaces {
        fields {
            role: "entity_code",
            name: "entity_name",
            identifier_qualifier: "entity_identifier_qualifier",
            identifier: "entity_identifier",
        }
        children {
            business_identifiers: Row<Vec<BusinessIdentifier>> ["^1"],
            descriptions: Row<Vec<EntityDescription>> ["^2"],
            address: Row<Rows<AddressComponent>> ["^5"],
            place: Row<Option<EntityPlace>> ["^6"],
        }
    }
}

fields! {
    Header as HeaderPlace {
        filer_code: "entry_filer_code",
        entry_number: "entry_number",
        port_of_entry: "district_port_of_entry",
        broker_reference: "broker_reference_number",
        entry_type: "entry_type_code",
        mode_of_transport: "mot_code",
        bond_waived: "bond_waiver_indicator",
        signed: "electronic_signature",
        certify_cargo_release: "cargo_release_certification_request_indicator",
        electronic_invoice: "electronic_invoice_indicator",
        consolidated: "consolidated_summary_indicator",
        shipment_usage: "shipment_usage_type_code",
        live_entry: "live_entry_indicator",
        deferred_tax: "deferred_tax_payment_code",
        trade_agreement_reconciliation: "trade_agreement_reconciliation_indicator",
        reconciliation_issue: "reconciliation_issue_code",
        payment_type: "payment_type_code",
        preliminary_statement_date: "preliminary_statement_print_date",
        periodic_statement_month: "periodic_statement_month",
        statement_client_branch: "statement_client_branch_identifier",
        bond_waiver_reason: "bond_waiver_reason_code",
        post_summary_correction: "post_summary_correction_indicator",
        accelerated_liquidation: "accelerated_liquidation_request_indicator",
        known_importer: "known_importer_indicator",
        agency_data_included: "pga_data_included_indicator",
        temporary_import_declaration: "tib_declaration_indicator",
        consolidated_express: "consolidated_express_informal_indicator",
    }

    Importation as ImportationPlace {
        importer_of_record: "importer_of_record_number",
        consignee: "consignee_number",
        notify_party: "designated_notify_party_number",
        estimated_entry_date: "estimated_entry_date",
        importation_date: "date_of_importation",
        state_of_destination: "us_state_of_destination_code",
        foreign_trade_zone: "foreign_trade_zone_identifier",
    }

    CargoReference as CargoReferencePlace {
        carrier: "carrier_code",
        port_of_unlading: "district_port_of_unlading",
        estimated_arrival_date: "estimated_date_of_arrival",
        location_of_goods: "location_of_goods_code",
        conveyance_name: "conveyance_name",
        vessel_code: "vessel_code",
        exam_port: "designated_exam_port_code",
        in_bond_date: "in_bond_in_transit_date",
    }

    CorrectionContact as CorrectionContactPlace {
        name: "contact_name",
        phone: "contact_phone",
        documents_sent: "dis_indicator",
    }

    Bill as BillPlace {
        kind: "manifest_component_type_code",
        issuer: "manifest_component_issuer_code",
        number: "manifest_component_identifier",
    }

    Conveyance as ConveyancePlace {
        carrier: "carrier_code",
        trip: "voyage_flight_trip_manifest_number",
        arrival_date: "date_of_arrival",
        quantity: "quantity",
        unit: "unit_of_measure",
        name: "conveyance_name",
    }

    WarehouseWithdrawal as WarehouseWithdrawalPlace {
        filer_code: "associated_warehouse_entry_filer_code",
        entry_number: "associated_warehouse_entry_number",
        port: "associated_warehouse_entry_district_port_code",
        is_final: "final_warehouse_withdrawal_indicator",
    }

    Bond as BondPlace {
        kind: "bond_type_code",
        designation: "bond_designation_type_code",
        continuous_change: "continuous_bond_indicator",
        surety: "surety_company_code",
        amount: "single_transaction_bond_amount",
        producer_account: "single_transaction_bond_producer_account_number",
    }

    Release as ReleasePlace {
        filer_code: "release_entry_filer_code_#",
        entry_number: "release_entry_number_#",
    }

    HeaderFee as HeaderFeePlace {
        class: "accounting_class_code_#",
        amount: "header_fee_amount_#",
    }

    ReleaseReference as ReleaseReferencePlace {
        qualifier: "reference_identifier_qualifier",
        reference: "reference_identifier",
    }

    BusinessIdentifier as BusinessIdentifierPlace {
        scheme: "gbi_identifier_qualifier",
        identifier: "identifier",
    }

    EntityDescription as EntityDescriptionPlace {
        sequence: "sequence_number",
        text: "description",
    }

    AddressComponent as AddressComponentPlace {
        qualifier: "address_component_qualifier_#",
        text: "address_information_#",
    }

    EntityPlace as EntityPlacePlace {
        city: "city_name",
        subdivision: "country_sub_entity_code",
        postal_code: "postal_code",
        country: "country_code",
    }

    AdCvdTotals as AdCvdTotalsPlace {
        bonded_antidumping: "total_bonded_ad_duty_amount",
        cash_antidumping: "total_cash_deposit_ad_duty_amount",
        bonded_countervailing: "total_bonded_cv_duty_amount",
        cash_countervailing: "total_cash_deposit_cv_duty_amount",
    }

    FeeTotal as FeeTotalPlace {
        class: "accounting_class_code_#",
        amount: "total_fee_amount_#",
    }

    GrandTotals as GrandTotalsPlace {
        duty: "grand_total_duty_amount",
        fees: "grand_total_user_fee_amount",
        tax: "grand_total_ir_tax_amount",
        antidumping: "grand_total_ad_duty_amount",
        countervailing: "grand_total_cv_duty_amount",
        other_revenue: "grand_total_other_revenue_amount",
    }
}
