//! Line records: 40 to 63, SE50 to SE63, CW02.

use super::agency::Agency;
use super::declaration::Choice;
use super::field::put_bytes;
use super::part::{
    Child, Fields, Nested, Part, Reader, Row, Writer, fields, part, path_in_row, places, read_row, write_row,
};
use super::place::{Names, Reading, RecordPlace, Source, Spot, Writing};
use super::problem::EncodeProblem;
use crate::grammar::{Symbol, UnknownName};
use crate::model::{
    AgencyRecord, ArticleParty, CensusOverride, Code, Declaration, DutyCase, Entity, HtsNumber, InvoiceLines,
    InvoiceReference, License, Line, ManufacturerCode, PartyNumber, Quantity, Revenue, Rows, Ruling,
    Sanction, SanctionStatement, Tariff, Text, ZoneMerchandise,
};

part! {
    Line as LinePlace {
        fields {
            identifier: "line_item_identifier",
            set_role: "article_set_indicator",
            country_of_origin: "country_of_origin_code",
            country_of_export: "country_of_export_code",
            export_date: "date_of_exportation",
            textile_export_date: "date_of_exportation_for_textiles",
            special_program: "trade_agreement_special_program_claim_code",
            charges: "charges_amount",
            foreign_port_of_lading: "foreign_port_of_lading_code",
            gross_weight: "gross_shipping_weight",
            textile_category: "category_code_for_textiles",
            product_claim: "product_claim_code",
            related_parties: "related_party_indicator",
            net_cost_method: "nafta_net_cost_indicator",
            fee_exemption: "fee_exemption_code",
            non_reimbursement_statement: "ad_case_non_reimbursement_statement",
        }
        children {
            zone: Row<Option<ZoneMerchandise>> ["41"],
            invoices: Nested<Vec<InvoiceReference>> ["42"],
            ruling: Row<Option<Ruling>> ["43"],
            descriptions: Row<Vec<Text<70>>> ["44", "commercial_description_text"],
            parties: Row<Vec<ArticleParty>> ["47"],
            entities: Nested<Vec<Entity>> ["SE50"],
            agency_substitutions: Agency<Vec<AgencyRecord>> [],
            tariffs: Nested<Vec<Tariff>> ["50"],
            visa: Row<Option<Code<9>>> ["51", "standard_visa_number"],
            licenses: Row<Vec<License>> ["52"],
            cases: Row<Vec<DutyCase>> ["53"],
            declarations: Choice<Vec<Declaration>> ["54"],
            tax: Row<Option<Revenue>> ["60", "ir_tax_amount"],
            other_revenue: Row<Option<Revenue>> ["61", "other_revenue_amount"],
            fees: Row<Vec<Revenue>> ["62", "user_fee_amount"],
            sanctions: Nested<Vec<Sanction>> ["SE62"],
            correction_reasons: Row<Rows<Code<3>>> ["63", "post_summary_correction_line_reason_code_#"],
            census_overrides: Row<Rows<CensusOverride>> ["CW02"],
        }
    }
}

part! {
    InvoiceReference as InvoiceReferencePlace {
        fields {
            supplier: "supplier_id_code",
            number: "invoice_number",
        }
        lists {
            lines: InvoiceLines,
        }
        children {
            ruling: Row<Option<Ruling>> ["43"],
            descriptions: Row<Vec<Text<70>>> ["44", "commercial_description_text"],
        }
    }
}

part! {
    Tariff as TariffPlace {
        fields {
            hts_number: "hts_number",
            duty: "duty_amount",
            value: "value_of_goods_amount",
        }
        lists {
            quantities: Quantity,
        }
        children {
            sanctions: Row<Option<SanctionStatement>> ["SE60"],
            current_hts_number: Row<Option<HtsNumber>> ["SE61", "current_hts_number_for_pf_status_merchandise"],
            agency_data: Agency<Vec<AgencyRecord>> [],
        }
    }
}

part! {
    Sanction as SanctionPlace {
        fields {
            record: "record_id",
            kind: "record_type",
            field: "field_name",
        }
        children {
            values: Row<Vec<Text<76>>> ["SE63", "field_value"],
        }
    }
}

fields! {
    ZoneMerchandise as ZoneMerchandisePlace {
        status: "ftz_merchandise_status_code",
        privileged_filing_date: "privileged_ftz_merchandise_filing_date",
        quantity: "ftz_line_item_quantity",
    }

    InvoiceLines as InvoiceLinesPlace {
        first: "invoice_line_range_#_begin",
        last: "invoice_line_range_#_end",
    }

    Ruling as RulingPlace {
        kind: "ruling_type_code",
        number: "ruling_number",
    }

    Quantity as QuantityPlace {
        amount: "quantity_#",
        unit: "unit_of_measure_code_#",
    }

    SanctionStatement as SanctionStatementPlace {
        disclaimed: "sanction_disclaim_indicator",
    }

    License as LicensePlace {
        kind: "license_certificate_permit_type_code",
        number: "license_certificate_permit_number",
    }

    DutyCase as DutyCasePlace {
        number: "case_number",
        security: "bond_cash_claim_code",
        deposit_rate: "case_deposit_rate",
        rate_kind: "case_rate_type_qualifier_code",
        value: "ad_cvd_value_of_goods_amount",
        quantity: "ad_cvd_quantity",
        duty: "ad_cvd_duty_amount",
        non_reimbursement_declaration: "ad_cvd_non_reimbursement_declaration_identifier",
    }

    // The amount's name differs from record to record.
    Revenue as RevenuePlace {
        class: "accounting_class_code",
        amount: "=",
    }

    CensusOverride as CensusOverridePlace {
        condition: "census_warning_condition_code_#",
        override_code: "census_warning_condition_override_code_#",
    }
}

/// The kind of party decides what its identifier is.
impl Fields for ArticleParty {
    type Place = (Spot, Spot);

    fn place(
        record: &RecordPlace,
        names: &Names<'_>,
        _: &str,
        number: usize,
    ) -> Result<Self::Place, UnknownName> {
        let role = record.spot(|role: &Code<1>| role, names, "article_party_type_code", number)?;
        let identifier =
            record.spot(|number: &PartyNumber| number, names, "article_party_identifier", number)?;
        Ok((role, identifier))
    }

    fn numbered(_: &str) -> bool {
        false
    }

    fn is_blank((role, _): &Self::Place, source: &Source<'_>) -> bool {
        source.is_blank(role)
    }

    fn read((role, identifier): &Self::Place, reading: &mut Reading<'_>) -> Option<Self> {
        match reading.source.text(role) {
            b"M" => reading.field(identifier).map(Self::Manufacturer),
            b"C" => reading.field(identifier).map(Self::DeliveredTo),
            b"S" => reading.field(identifier).map(Self::SoldTo),
            b"E" => reading.field(identifier).map(Self::ForeignExporter),
            _ => {
                reading.fail(role, "one of M C S E", false);
                None
            }
        }
    }

    fn write(
        &self,
        (role, identifier): &Self::Place,
        writing: &mut Writing<'_>,
    ) -> Result<(), EncodeProblem> {
        let (code, number): (_, Result<&ManufacturerCode, &PartyNumber>) = match self {
            Self::Manufacturer(code) => ("M", Ok(code)),
            Self::DeliveredTo(number) => ("C", Err(number)),
            Self::SoldTo(number) => ("S", Err(number)),
            Self::ForeignExporter(code) => ("E", Ok(code)),
        };
        put_bytes(role.cell, writing.columns, code.as_bytes());
        let written = match number {
            Ok(code) => writing.field(identifier, code),
            Err(number) => writing.field(identifier, number),
        };
        written.map_err(|problem| problem.below("identifier"))
    }
}
