//! What else CBP has noted of a summary, beside who may change it.

use serde::{Deserialize, Serialize};

/// A mark on a summary. Each is the cause of one condition (error dictionary, revision 51).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A refund of its duties has been requested (864).
    RefundRequested,
    /// Liquidation is suspended for another reason than a case of antidumping or countervailing duty (B60).
    Suspended,
    /// Liquidation is extended (B59).
    Extended,
    /// The temporary importation is closed (B69).
    TemporaryImportationClosed,
    /// CBP has found that more duty is due (B71).
    AdditionalDuty,
    /// An officer of CBP has it open (B55).
    InUse,
    /// The entry number is not active (308, B70).
    Inactive,
    /// It was filed in the system before ACE (B27).
    NonAce,
}

impl Mark {
    /// All marks.
    pub const ALL: [Self; 8] = [
        Self::RefundRequested,
        Self::Suspended,
        Self::Extended,
        Self::TemporaryImportationClosed,
        Self::AdditionalDuty,
        Self::InUse,
        Self::Inactive,
        Self::NonAce,
    ];

    /// The word for it in a store, in a world and in rules.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RefundRequested => "refund_requested",
            Self::Suspended => "suspended",
            Self::Extended => "extended",
            Self::TemporaryImportationClosed => "temporary_importation_closed",
            Self::AdditionalDuty => "additional_duty",
            Self::InUse => "in_use",
            Self::Inactive => "inactive",
            Self::NonAce => "non_ace",
        }
    }

    /// Marks in one text, a space between them.
    pub(crate) fn join(marks: &[Self]) -> String {
        marks.iter().map(|mark| mark.name()).collect::<Vec<_>>().join(" ")
    }

    /// The marks of such a text, or the word that is none.
    pub(super) fn split(text: &str) -> Result<Vec<Self>, String> {
        let mark = |word: &str| Self::ALL.into_iter().find(|mark| mark.name() == word);
        text.split(' ')
            .filter(|word| !word.is_empty())
            .map(|word| mark(word).ok_or_else(|| word.to_owned()))
            .collect()
    }
}
