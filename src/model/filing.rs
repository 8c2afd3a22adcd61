//! A filing: one entry summary that is to be added, replaced or deleted.

use super::agency::AgencyRecord;
use super::codes::Action;
use super::header::{
    AdCvdTotals, Bond, CargoManifest, CargoReference, CorrectionContact, Entity, FeeTotal, GrandTotals,
    Header, HeaderFee, Importation, Release, ReleaseReference, WarehouseWithdrawal,
};
use super::line::Line;
use super::object::objects;
use super::rows::Rows;
use super::text::{Code, Text};

objects! {
    /// What a filer sends of one entry summary.
    struct EntrySummaryFiling {
        /// What is to be done.
        action: Action,
        /// Which summary it is and how it is filed, paid and released.
        header: Header,
    } optional {
        /// Who imports, when and where to; a delete request has no more than the header.
        importation: Option<Importation>,
        /// How and where the cargo arrives.
        cargo: Option<CargoReference>,
        /// Whom to ask about a correction of the cargo release.
        correction_contact: Option<CorrectionContact>,
        /// Voyage, trip or flight.
        trip: Option<Code<5>>,
        /// Manifested cargo.
        manifests: Vec<CargoManifest>,
        /// The warehouse entry that goods are withdrawn from.
        warehouse_withdrawal: Option<WarehouseWithdrawal>,
        /// Bonds.
        bonds: Vec<Bond>,
        /// The releases of a consolidated summary.
        releases: Rows<Release>,
        /// Documents that are missing.
        missing_documents: Rows<Code<2>>,
        /// Fees of the whole summary.
        fees: Rows<HeaderFee>,
        /// Why header data are corrected after the summary.
        correction_reasons: Rows<Code<3>>,
        /// The correction explained in words.
        correction_explanations: Vec<Text<75>>,
        /// Partner agency data that the sets of any line refer to.
        agency_substitutions: Vec<AgencyRecord>,
        /// References for cargo release.
        release_references: Vec<ReleaseReference>,
        /// Parties to the cargo, when certifying for release.
        entities: Vec<Entity>,
        /// Lines.
        lines: Vec<Line>,
        /// Totals of antidumping and countervailing duty.
        ad_cvd_totals: Option<AdCvdTotals>,
        /// Totals of fees.
        fee_totals: Rows<FeeTotal>,
        /// Totals of the summary.
        grand_totals: Option<GrandTotals>,
    }
}

impl EntrySummaryFiling {
    /// The filing as JSON: names in snake case, amounts as decimal strings, dates as `CCYY-MM-DD`;
    /// what is absent is left out.
    ///
    /// # Errors
    /// None that the model's types allow.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// A filing from its JSON.
    ///
    /// # Errors
    /// A name the model does not have, or a value its type does not admit.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}
