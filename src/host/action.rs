//! What CBP does to a summary of its own accord, as a file or a command says it.

use serde::{Deserialize, Serialize};

use super::HostError;
use super::notification::{AgencyStatus, Officer, QuotaLine, REMARKS_LENGTH};
use crate::store::{EntryKey, HistoryEntry, StoreError};

/// What CBP does. The names are those of the table of transitions.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Takes a summary out of its filer's control.
    TakeControl(Step),
    /// Puts it on its preliminary statement before its day.
    PlaceOnStatement(Step),
    /// Gives it back to the filer's control.
    TakeOffStatement(Step),
    /// Books its payment.
    Collect(Step),
    /// Accepts it after review, or takes a rejection back.
    Accept(Step),
    /// Changes it: a new minor version.
    Modify(Step),
    /// Rejects it or its last correction.
    Reject(Rejection),
    /// Asks for the electronic invoice, the summary package or certain documents.
    RequestDocuments(DocumentRequest),
    /// Asks for information, which the remarks name.
    RequestInformation(Step),
    /// Has got what it asked for.
    Receive(Step),
    /// Has a team review it.
    Review(Assignment),
    /// Cancels it.
    Cancel(Step),
    /// Takes it off the file.
    Inactivate(Step),
    /// Liquidates it.
    Liquidate(Step),
    /// Decides on quota lines; told at the end of the day.
    QuotaStatus(QuotaDecision),
    /// Passes on what partner agencies say.
    AgencyStatus(AgencyDecision),
    /// Detains the goods.
    Detain(Step),
    /// Lets detained goods go.
    ReleaseDetention(Step),
    /// Denies the extension of a temporary importation.
    DenyExtension(Step),
    /// Ends the day: what was held for it goes out.
    EndOfDay {},
}

/// An action with nothing to it but the summary.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The summary.
    pub entry: EntryKey,
    /// The officer; the system acts if there is none.
    #[serde(default)]
    pub officer: Option<Officer>,
    /// What the filer is told, at most 500 characters.
    #[serde(default)]
    pub remarks: String,
}

/// A rejection. Each reason is told in a notification of its own.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    /// The summary.
    pub entry: EntryKey,
    /// The reason codes, at least one; for a line with its identifier behind a slash: `003/001`.
    pub reasons: Vec<String>,
    /// The officer; the system acts if there is none.
    #[serde(default)]
    pub officer: Option<Officer>,
    /// What the filer is told, at most 500 characters.
    #[serde(default)]
    pub remarks: String,
}

/// A request for documents.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentRequest {
    /// The summary.
    pub entry: EntryKey,
    /// What is asked for.
    #[serde(default)]
    pub kind: DocumentKind,
    /// The codes of certain documents; their names lead the remarks.
    #[serde(default)]
    pub documents: Vec<String>,
    /// The officer; the system acts if there is none.
    #[serde(default)]
    pub officer: Option<Officer>,
    /// What the filer is told, at most 500 characters.
    #[serde(default)]
    pub remarks: String,
}

/// Which documents are asked for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// The electronic invoice only.
    Invoice,
    /// The whole summary package.
    #[default]
    Package,
    /// Certain documents.
    Documents,
}

/// An assignment to a team.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The summary.
    pub entry: EntryKey,
    /// The import specialist team, three characters.
    pub team: String,
    /// The officer; the system acts if there is none.
    #[serde(default)]
    pub officer: Option<Officer>,
    /// What the history keeps.
    #[serde(default)]
    pub remarks: String,
}

/// A decision on quota lines.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaDecision {
    /// The summary.
    pub entry: EntryKey,
    /// Its quota lines.
    pub lines: Vec<QuotaLine>,
    /// Whether it is told at once and not at the end of the day.
    #[serde(default)]
    pub at_once: bool,
    /// The officer; the system acts if there is none.
    #[serde(default)]
    pub officer: Option<Officer>,
    /// What the filer is told, at most 500 characters.
    #[serde(default)]
    pub remarks: String,
}

/// What partner agencies decided.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AgencyDecision {
    /// The summary.
    pub entry: EntryKey,
    /// What each agency says.
    pub agencies: Vec<AgencyStatus>,
    /// What the filer is told, at most 500 characters.
    #[serde(default)]
    pub remarks: String,
}

/// Why an action is not done. Nothing of it has taken effect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// The summary is in a state in which this cannot happen.
    #[error("{entry}: {event} is not possible: {reason}")]
    Illegal {
        /// The summary.
        entry: EntryKey,
        /// What was to be done.
        event: &'static str,
        /// Why not, as the table of transitions says.
        reason: String,
    },
    /// A code that is not on its list.
    #[error("{code:?} is not in {list}")]
    UnknownCode {
        /// The code.
        code: String,
        /// The list.
        list: &'static str,
    },
    /// Something that the action needs is missing.
    #[error("{event} needs {what}")]
    Missing {
        /// The action.
        event: &'static str,
        /// What it needs.
        what: &'static str,
    },
    /// Remarks that no notification can carry.
    #[error("remarks have {length} characters, {REMARKS_LENGTH} is the limit")]
    RemarksTooLong {
        /// How many there are.
        length: usize,
    },
    /// Nobody transmits for the filer, so that nobody can be told.
    #[error("no sender transmits for filer {filer}")]
    NoRecipient {
        /// The filer.
        filer: String,
    },
    /// The store failed, or a value does not fit its record.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl From<StoreError> for ActionError {
    fn from(error: StoreError) -> Self {
        Self::Host(error.into())
    }
}

/// What an action did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Acted {
    /// The steps, in the order in which they were taken.
    pub steps: Vec<HistoryEntry>,
    /// The numbers of the mail that it wrote.
    pub mail: Vec<i64>,
    /// How many held notifications it let go.
    pub released: usize,
}
