//! The importer's additional declarations: one record with a layout for each kind.

use super::part::{Child, Fields, Reader, Writer, fields};
use super::place::{Names, Reading, RecordPlace, Source, Spot, Writing};
use super::problem::EncodeProblem;
use crate::grammar::{Symbol, UnknownName};
use crate::model::{
    AluminumOrigin, AutoPartsLicense, Certification, CopperOrigin, CraftBeverage, Declaration,
    ExportCertificate, OtherDeclaration, ProductExclusion, SoftwoodLumber, SteelOrigin,
};

/// Records of one identifier and several layouts: `Choice ["id"]`.
pub(super) struct Choice;

/// Pairs the kinds of an enum with the variants of a record.
macro_rules! choice {
    ($name:ident as $place:ident { $($field:ident: $case:ident($kind:ty) [$variant:literal],)* }) => {
        pub(in crate::translate) struct $place {
            symbol: Symbol,
            $($field: (RecordPlace, <$kind as Fields>::Place),)*
        }

        impl Child<Choice> for Vec<$name> {
            type Place = $place;

            fn place(names: &Names<'_>, spec: &[&str]) -> Result<$place, UnknownName> {
                let id = spec.first().copied().unwrap_or_default();
                let symbol = names.record(id, "")?.symbol;
                $(
                    let record = names.record(id, $variant)?;
                    let fields = <$kind as Fields>::place(&record, names, "", 1)?;
                    let $field = (record, fields);
                )*
                Ok($place { symbol, $($field,)* })
            }

            #[inline]
            fn accepts(&self, place: &$place, next: Symbol, _: &Reader<'_>) -> bool {
                place.symbol == next
            }

            fn read(&mut self, place: &$place, reader: &mut Reader<'_>) {
                let layout = reader.layout();
                $(
                    if layout == Some(place.$field.0.layout) {
                        let mut reading = reader.take(&place.$field.0);
                        self.extend(<$kind as Fields>::read(&place.$field.1, &mut reading).map($name::$case));
                        return;
                    }
                )*
                reader.misplaced();
            }

            fn write(&self, place: &$place, writer: &mut Writer<'_>) -> Result<(), EncodeProblem> {
                self.iter().enumerate().try_for_each(|(at, value)| {
                    let written = match value {
                        $($name::$case(fields) => {
                            writer.record(&place.$field.0, |writing| fields.write(&place.$field.1, writing))
                        })*
                    };
                    written.map_err(|problem| problem.within(at))
                })
            }
        }
    };
}

choice! {
    Declaration as DeclarationPlace {
        softwood_lumber: SoftwoodLumber(SoftwoodLumber) ["iad_01"],
        steel_exclusion: SteelExclusion(ProductExclusion) ["iad_02"],
        aluminum_exclusion: AluminumExclusion(ProductExclusion) ["iad_03"],
        steel_export_certificate: SteelExportCertificate(ExportCertificate) ["iad_04"],
        craft_beverage: CraftBeverage(CraftBeverage) ["iad_05"],
        ad_cvd_certification: AdCvdCertification(Certification) ["iad_06"],
        aluminum_origin: AluminumOrigin(AluminumOrigin) ["iad_07"],
        steel_origin: SteelOrigin(SteelOrigin) ["iad_08"],
        bifacial_certification: BifacialCertification(Certification) ["iad_09"],
        crane_certification: CraneCertification(Certification) ["iad_10"],
        auto_parts_license: AutoPartsLicense(AutoPartsLicense) ["iad_11"],
        copper_origin: CopperOrigin(CopperOrigin) ["iad_12"],
        other: Other(OtherDeclaration) [""],
    }
}

fields! {
    SoftwoodLumber as SoftwoodLumberPlace {
        compliant: "softwood_lumber_declaration_indicator",
        export_price: "softwood_lumber_export_price",
        export_charges: "softwood_lumber_export_charges",
    }

    ProductExclusion as ProductExclusionPlace {
        identifier: "product_exclusion_identifier",
    }

    ExportCertificate as ExportCertificatePlace {
        number: "export_certificate_number",
    }

    CraftBeverage as CraftBeveragePlace {
        controlled_group: "controlled_group_name",
        producer_identifier: "foreign_producer_identifier",
        producer_name: "foreign_producer_name",
        allocation_quantity: "allocation_quantity",
        flavor_credit: "flavor_content_credit_indicator",
        rate_designation: "cbma_rate_designation_code",
        tax_rate: "ttb_tax_rate_confirmation",
    }

    Certification as CertificationPlace {}

    AluminumOrigin as AluminumOriginPlace {
        primary_smelt_applies: "primary_country_of_smelt_applicability_code",
        primary_country_of_smelt: "primary_country_of_smelt_code",
        secondary_smelt_applies: "secondary_country_of_smelt_applicability_code",
        secondary_country_of_smelt: "secondary_country_of_smelt_code",
        country_of_cast: "country_of_cast_code",
    }

    SteelOrigin as SteelOriginPlace {
        country_of_melt_and_pour: "country_of_melt_and_pour_code",
        other_country: "country_of_melt_and_pour_applicability_code",
    }

    AutoPartsLicense as AutoPartsLicensePlace {
        number: "license_number",
    }

    CopperOrigin as CopperOriginPlace {
        primary_country_of_smelt: "primary_country_of_smelt_code",
        secondary_country_of_smelt: "secondary_country_of_smelt_code",
        country_of_cast: "country_of_most_recent_cast_code",
    }

    OtherDeclaration as OtherDeclarationPlace {
        code: "importers_additional_declaration_type_code",
        information: "importers_additional_declaration_information",
    }
}
