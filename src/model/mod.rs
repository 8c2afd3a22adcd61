//! Entry summaries as people in the trade think of them: no columns, no fill, no codes where a name
//! will do. The JSON form is an interface to others: names in snake case, amounts as decimal
//! strings, dates in ISO form; what is absent is left out and unknown names are refused.
//!
//! What a type cannot hold is no entry summary at all; whether one is right is for the rules.

mod agency;
mod codes;
mod declaration;
mod filing;
mod header;
mod identifiers;
mod line;
mod object;
mod rows;
mod text;

pub use agency::{AgencyFields, AgencyRecord, AgencyText};
pub use codes::{
    Action, AgencyDataIncluded, Answer, BillKind, BondDesignation, BondKind, BusinessIdentifierScheme,
    ContinuousBondChange, DeferredTax, DutySecurity, FeeExemption, ProductClaim, RateKind, RulingKind,
    SanctionField, SanctionKind, SetRole, ShipmentUsage, ZoneStatus,
};
pub use declaration::{
    AluminumOrigin, AutoPartsLicense, Certification, CopperOrigin, CraftBeverage, Declaration,
    ExportCertificate, OtherDeclaration, ProductExclusion, SoftwoodLumber, SteelOrigin,
};
pub use filing::EntrySummaryFiling;
pub use header::{
    AdCvdTotals, AddressComponent, Bill, Bond, BusinessIdentifier, CargoManifest, CargoReference, Conveyance,
    CorrectionContact, Entity, EntityDescription, EntityPlace, FeeTotal, GrandTotals, Header, HeaderFee,
    Importation, Release, ReleaseReference, WarehouseWithdrawal,
};
pub use identifiers::{
    CaseNumber, CountryCode, EntityIdentifier, EntryNumber, FilerCode, ForeignPortCode, HtsNumber,
    ManufacturerCode, PartyNumber, PortCode,
};
pub use line::{
    ArticleParty, CensusOverride, DutyCase, InvoiceLines, InvoiceReference, License, Line, Quantity, Revenue,
    Ruling, Sanction, SanctionStatement, Tariff, ZoneMerchandise,
};
pub use rows::Rows;
pub(crate) use text::cannot_travel;
pub use text::{Code, Coded, InvalidValue, Text};
