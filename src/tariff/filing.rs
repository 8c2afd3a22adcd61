//! Facts from an entry summary of the model.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Tariff;
use super::facts::{Amount, CaseFacts, Dates, LineFacts, SummaryFacts, TariffFacts, TaxFacts, Zone};
use super::scope::Scopes;
use crate::model::{
    AgencyDataIncluded, Code, Declaration, DutyCase, EntrySummaryFiling, License, Line, ProductClaim,
};

/// What CBP knows of a summary beside what is filed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Known {
    /// The day of receipt.
    pub received: Date,
    /// The entry date that CBP has determined.
    pub entry: Option<Date>,
    /// The day of release.
    pub release: Option<Date>,
    /// Whether the port of entry is a courier hub, a user fee airport or an express consignment
    /// facility.
    pub express_port: bool,
    /// Whether the filer owes the manual entry surcharge where it is not exempt.
    pub manual: bool,
}

impl Known {
    /// Nothing but the day of receipt.
    #[must_use]
    pub fn received(received: Date) -> Self {
        Self { received, entry: None, release: None, express_port: false, manual: false }
    }
}

impl Tariff {
    /// The facts of a filing that its duty and fees depend on.
    #[must_use]
    pub fn facts_of(&self, filing: &EntrySummaryFiling, known: &Known) -> SummaryFacts {
        facts(filing, known, &self.scopes)
    }

    /// Whether a license of this kind frees its line of agricultural assessments (ESF-95).
    #[must_use]
    pub fn frees_of_assessments(&self, license: Code<2>) -> bool {
        self.scopes.no_agricultural_fee_licenses.has(Some(license))
    }
}

fn facts(filing: &EntrySummaryFiling, known: &Known, scopes: &Scopes) -> SummaryFacts {
    let header = &filing.header;
    let (importation, cargo) = (filing.importation.as_ref(), filing.cargo.as_ref());
    SummaryFacts {
        entry_type: header.entry_type,
        mode: header.mode_of_transport,
        dates: Dates {
            received: known.received,
            entry: known.entry,
            estimated_entry: importation.and_then(|importation| importation.estimated_entry_date),
            release: known.release,
            statement: header.preliminary_statement_date,
            arrival: cargo.and_then(|cargo| cargo.estimated_arrival_date),
            in_bond: cargo.and_then(|cargo| cargo.in_bond_date),
            importation: importation.and_then(|importation| importation.importation_date),
        },
        consolidated: header.consolidated,
        consolidated_express: header.consolidated_express,
        express_port: known.express_port,
        // What expedited release lets in owes no surcharge (usage note (r), ESF-164).
        manual: known.manual && header.agency_data_included != Some(AgencyDataIncluded::ExpeditedRelease),
        lines: filing.lines.iter().map(|each| line(each, scopes)).collect(),
    }
}

fn line(line: &Line, scopes: &Scopes) -> LineFacts {
    // Exemption of organic products, certificate of the Agricultural Marketing Service (ESF-95).
    let exempting = |license: &License| scopes.no_agricultural_fee_licenses.has(Some(license.kind));
    LineFacts {
        origin: line.country_of_origin,
        program: line.special_program,
        set_role: line.set_role,
        zone: line.zone.as_ref().map(|zone| Zone { status: zone.status, filed: zone.privileged_filing_date }),
        tariffs: line.tariffs.iter().map(tariff).collect(),
        cases: line.cases.iter().map(case).collect(),
        tax: line.tax.as_ref().map(|revenue| TaxFacts {
            class: revenue.class,
            category: None,
            craft_rate: craft_rate(line),
            quantity: None,
        }),
        agricultural_exempt: line.fee_exemption.is_some() || line.licenses.iter().any(exempting),
        excluded: line.declarations.iter().any(|declaration| {
            matches!(declaration, Declaration::SteelExclusion(_) | Declaration::AluminumExclusion(_))
        }),
        charges: line.charges,
    }
}

fn tariff(tariff: &crate::model::Tariff) -> TariffFacts {
    let mut facts = TariffFacts::new(tariff.hts_number, tariff.value);
    for (place, quantity) in facts.quantities.iter_mut().zip(&tariff.quantities) {
        *place = quantity.amount.map(|amount| Amount { amount, unit: quantity.unit });
    }
    facts
}

fn case(case: &DutyCase) -> CaseFacts {
    let reported = |number: Option<Decimal>| number.filter(|number| !number.is_zero());
    CaseFacts {
        number: case.number,
        security: case.security,
        rate: case.deposit_rate,
        kind: case.rate_kind,
        value: reported(case.value),
        quantity: reported(case.quantity),
    }
}

fn craft_rate(line: &Line) -> Option<Decimal> {
    line.product_claim.filter(|claim| *claim == ProductClaim::CraftBeverage)?;
    line.declarations.iter().find_map(|declaration| match declaration {
        Declaration::CraftBeverage(product) => Some(product.tax_rate),
        _ => None,
    })
}
