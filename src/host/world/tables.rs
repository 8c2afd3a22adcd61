//! The rows of the world's tables. Their keys are the columns by which rules ask for them. Parties'
//! numbers stand in them, so they have no `Debug`.

use std::fmt;

use jiff::civil::Date;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::store::{ControlState, Mark};
use crate::wire::{Columns, RECORD_LENGTH};

/// Rows of reference data: what is read from the file is what rules may ask for.
macro_rules! rows {
    ($($(#[$doc:meta])* struct $name:ident { $($(#[$attribute:meta])* $field:ident: $kind:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Deserialize, Serialize)]
            #[serde(deny_unknown_fields)]
            pub(super) struct $name { $($(#[$attribute])* pub(super) $field: $kind,)* }
        )*
    };
}

rows! {
    /// A district and port (Schedule D). Kinds: entry, cargo, and modes of transport.
    struct Port {
        code: String,
        name: String,
        kinds: Vec<String>,
    }

    /// An importer, consignee or notify party. Status: active, inactive, void.
    struct Importer {
        number: String,
        name: String,
        status: String,
        #[serde(default)]
        reconciliation: bool,
        #[serde(default)]
        periodic_statements: bool,
        /// The day of its monthly statement, two digits; 00 if it has chosen none (215, 314).
        #[serde(skip_serializing_if = "Option::is_none")]
        periodic_statement_day: Option<String>,
    }

    struct Surety {
        code: String,
        name: String,
    }

    /// A bond that covers an importer's activity until it is terminated.
    struct Bond {
        importer: String,
        kind: String,
        number: String,
        surety: String,
        activity: String,
        effective: Date,
        #[serde(skip_serializing_if = "Option::is_none")]
        terminates: Option<Date>,
    }

    /// A bond for one entry; its amount is in dollars.
    struct SingleTransactionBond {
        filer: String,
        entry_number: String,
        importer: String,
        designation: String,
        surety: String,
        amount: u64,
        entry_type: String,
    }

    struct Manufacturer {
        code: String,
        name: String,
    }

    struct Carrier {
        code: String,
        name: String,
        mode: String,
    }

    /// A location of goods; some are offices and take no cargo.
    struct Firms {
        code: String,
        name: String,
        cargo: bool,
    }

    /// A foreign port of lading (Schedule K).
    struct ForeignPort {
        code: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    }

    /// A tariff number with its reporting units in order, and the days on which it may be used.
    struct Tariff {
        number: String,
        description: String,
        units: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<Date>,
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<Date>,
    }

    /// An antidumping or countervailing duty case. The rate is in percent (type A) or in dollars a
    /// unit (type S); `cash` says that no bond is accepted.
    struct Case {
        number: String,
        name: String,
        country: String,
        rate: String,
        rate_type: String,
        #[serde(default)]
        cash: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        manufacturer: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        exporter: Option<String>,
    }
}

/// A cargo release that a summary may consolidate.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    pub(super) filer: String,
    pub(super) entry_number: String,
    pub(super) port: String,
    /// The mode of transportation, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mot: Option<String>,
    /// When it was released; an entry without the day is not released yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) released: Option<Date>,
    /// Whether it was made at a border by line release.
    #[serde(default)]
    pub(super) line_release: bool,
    /// Whether immediate delivery was asked for.
    #[serde(default)]
    pub(super) immediate_delivery: bool,
}

/// A summary that is on file when a store begins.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FiledSummary {
    pub(in crate::host) filer: String,
    pub(in crate::host) entry_number: String,
    pub(in crate::host) port: String,
    pub(in crate::host) entry_type: String,
    pub(in crate::host) importer: String,
    #[serde(default)]
    pub(in crate::host) broker_reference: String,
    #[serde(default)]
    pub(in crate::host) state: ControlState,
    #[serde(default)]
    pub(in crate::host) corrected: bool,
    #[serde(default)]
    pub(in crate::host) reconciled: bool,
    pub(in crate::host) entry_date: Option<Date>,
    pub(in crate::host) import_date: Option<Date>,
    pub(in crate::host) liquidation_date: Option<Date>,
    #[serde(default)]
    pub(in crate::host) marks: Vec<Mark>,
    /// The records as they were accepted, if what they hold matters.
    #[serde(default, deserialize_with = "records")]
    pub(in crate::host) records: Vec<Columns>,
}

fn records<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Columns>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let record = |text: &String| {
        let padded = format!("{text:RECORD_LENGTH$}").into_bytes();
        padded.try_into().map_err(|_| D::Error::custom("a record is longer than 80 columns"))
    };
    texts.iter().map(record).collect()
}

/// Says which summary it is but not whose: the importer's number is a taxpayer's.
impl fmt::Debug for FiledSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FiledSummary")
            .field("filer", &self.filer)
            .field("entry_number", &self.entry_number)
            .finish_non_exhaustive()
    }
}
