//! Codes whose lists are short and closed in the chapter.

/// Defines an enum of codes; in JSON they have their names.
macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident { $($(#[$case_meta:meta])* $case:ident = $code:literal,)* })*) => {$(
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, Eq, Hash, PartialEq,
            schemars::JsonSchema, serde::Deserialize, serde::Serialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$case_meta])* $case,)*
        }

        impl $name {
            /// All codes, in the chapter's order.
            pub const ALL: &'static [Self] = &[$(Self::$case,)*];

            /// The code as it travels.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$case => $code,)*
                }
            }
        }

        impl super::Coded for $name {
            const WIDTH: usize = usize::MAX;
            const EXPECTED: &'static str = concat!("one of", $(" ", $code,)*);

            #[inline]
            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                Self::ALL.iter().copied().find(|case| case.code().as_bytes() == bytes)
            }

            #[inline]
            fn as_bytes(&self) -> &[u8] {
                self.code().as_bytes()
            }
        }
    )*};
}

codes! {
    /// What is to be done with the summary (ESF-26).
    Action {
        /// Add it, or replace it if its broker reference is the one on file.
        Add = "A",
        /// Add it, or replace whatever is on file.
        Replace = "R",
        /// Delete it.
        Delete = "D",
    }
    /// What the goods of an informal shipment are for (ESF-26).
    ShipmentUsage {
        /// Personal use.
        Personal = "P",
        /// Commercial samples.
        CommercialSample = "X",
    }
    /// How internal revenue tax is paid later (ESF-26).
    DeferredTax {
        /// By the conventional way.
        Conventional = "1",
        /// By electronic funds transfer.
        ElectronicFundsTransfer = "2",
    }
    /// Partner agency data of goods released without certification (ESF-26).
    AgencyDataIncluded {
        /// Expedited release: FAST, BRASS or rail line release.
        ExpeditedRelease = "Y",
        /// Weekly foreign trade zone entry.
        WeeklyZoneEntry = "F",
    }
    /// Kinds of numbers of a manifest (ESF-44).
    BillKind {
        /// Number of an in-bond or in-transit movement.
        InBond = "I",
        /// Master bill.
        Master = "M",
        /// House bill.
        House = "H",
        /// Bill below a house bill.
        SubHouse = "S",
    }
    /// Kinds of bonds (ESF-49).
    BondKind {
        /// Continuous bond.
        Continuous = "8",
        /// Single transaction bond.
        SingleTransaction = "9",
    }
    /// What a bond is for (ESF-49).
    BondDesignation {
        /// The basic bond.
        Basic = "B",
        /// An additional bond.
        Additional = "A",
        /// A substitution single transaction bond.
        Substitution = "U",
        /// A superseding single transaction bond.
        Superseding = "E",
    }
    /// What becomes of a continuous bond (ESF-49).
    ContinuousBondChange {
        /// It is superseding.
        Superseding = "Y",
        /// It is substituting.
        Substitution = "S",
    }
    /// Schemes of global business identifiers (ESF-61).
    BusinessIdentifierScheme {
        /// Legal entity identifier.
        Lei = "LEI",
        /// Global location number.
        Gln = "GLN",
        /// Data universal numbering system.
        Duns = "DUNS",
        /// Altana identifier.
        Altana = "ALTA",
    }
    /// An article's place in a set (ESF-65).
    SetRole {
        /// The set as a whole.
        Header = "X",
        /// A component.
        Component = "V",
    }
    /// Claims that depend on the product (ESF-65).
    ProductClaim {
        /// Craft beverage modernization act.
        CraftBeverage = "C",
        /// Folklore product.
        Folklore = "F",
        /// Hong Kong suit made to measure.
        HongKongSuit = "G",
        /// Special access.
        SpecialAccess = "H",
        /// Textile sample.
        TextileSample = "M",
    }
    /// Yes or no, where the wire tells no from silence.
    Answer {
        /// Yes.
        Yes = "Y",
        /// No.
        No = "N",
    }
    /// Why no fee is paid (ESF-65).
    FeeExemption {
        /// Exempt from the cotton fee.
        Cotton = "1",
        /// Organic.
        Organic = "2",
    }
    /// The standing of merchandise in a foreign trade zone (ESF-72).
    ZoneStatus {
        /// Privileged foreign.
        PrivilegedForeign = "P",
        /// Non-privileged foreign.
        NonPrivilegedForeign = "N",
        /// Domestic.
        Domestic = "D",
    }
    /// Kinds of rulings (ESF-76).
    RulingKind {
        /// Pre-classification.
        PreClassification = "C",
        /// Pre-approval.
        PreApproval = "P",
        /// Binding ruling.
        Binding = "R",
    }
    /// How antidumping or countervailing duty is secured (ESF-98).
    DutySecurity {
        /// By a bond.
        Bond = "B",
        /// By cash.
        Cash = "C",
    }
    /// What a case's deposit rate applies to (ESF-98).
    RateKind {
        /// Percent of the value.
        AdValorem = "A",
        /// Dollars a unit.
        Specific = "S",
    }
    /// Kinds of sanction data (ESF-121).
    SanctionKind {
        /// Fishing.
        Fishing = "FSHNG INFO",
        /// Mining.
        Mining = "MINE INFO",
    }
    /// What sanction data say (ESF-121).
    SanctionField {
        /// Country of mining.
        CountryOfMining = "COUNTRY OF MINING",
        /// Method of harvest.
        MethodOfHarvest = "METHOD OF HARVEST",
        /// The vessel's flag.
        VesselFlag = "VESSEL FLAG",
        /// The vessel's number of the International Maritime Organization.
        VesselImo = "VESSEL IMO",
        /// The vessel's name.
        VesselName = "VESSEL NAME",
        /// Country of harvest.
        CountryOfHarvest = "COUNTRY OF HARVEST",
    }
}
