//! What is kept: accepted entry summaries, and every batch with the answer it got.
//!
//! A batch is one unit of work. What it changes and what it is answered become durable together, when
//! the unit is committed; a unit that is dropped leaves no trace.

mod archive;
mod census;
mod check;
mod file;
mod ledger;
mod mark;
mod migrations;
mod packed;
mod sqlite;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::envelope::Sender;
use crate::wire::Columns;

pub use archive::{Archive, Progress, SetAside, SetAsideKind};
pub use census::{CensusWarning, WarningQuery};
pub use check::StoreReport;
pub use ledger::{HistoryEntry, Ledger, Mail, MailQuery, MailState, Standing, SupersededVersion};
pub use mark::Mark;
pub use sqlite::{SqliteStore, SqliteUnit};

/// An entry's number with the code of the filer who assigned it.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntryKey {
    /// The entry filer code.
    pub filer: String,
    /// The entry number with its check digit.
    pub number: String,
}

impl fmt::Display for EntryKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.filer, self.number)
    }
}

/// A text that names no entry.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no entry; write the filer code and the entry number: \"EEE 00001015\"")]
pub struct NoEntryKey(String);

impl FromStr for EntryKey {
    type Err = NoEntryKey;

    /// The filer code and the entry number, with a space between them or without; hyphens are left out.
    fn from_str(text: &str) -> Result<Self, NoEntryKey> {
        let plain = text.chars().filter(|sign| !matches!(sign, ' ' | '-')).collect::<String>();
        let plain = plain.to_ascii_uppercase();
        let fits = plain.len() == 11 && plain.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match plain.split_at_checked(3).filter(|_| fits) {
            Some((filer, number)) => Ok(Self { filer: filer.to_owned(), number: number.to_owned() }),
            None => Err(NoEntryKey(text.to_owned())),
        }
    }
}

impl TryFrom<String> for EntryKey {
    type Error = NoEntryKey;

    fn try_from(text: String) -> Result<Self, NoEntryKey> {
        text.parse()
    }
}

impl From<EntryKey> for String {
    fn from(key: EntryKey) -> Self {
        key.to_string()
    }
}

/// A preliminary statement: what the summaries on it have in common. It holds an importer's number and has
/// no `Debug`.
#[derive(Clone, Eq, PartialEq)]
pub struct StatementKey {
    /// The entry filer code.
    pub filer: String,
    /// The day on which it is to be printed.
    pub print_date: Date,
    /// The payment type code.
    pub payment_type: String,
    /// The importer whose statement it is, empty for one of the filer's.
    pub importer: String,
}

/// Who may change a summary, and how (entry summary chapter, ESF-132, ESF-183, ESF-210).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlState {
    /// The filer may replace and delete it.
    #[default]
    TradeControl,
    /// On a statement or in CBP's hands otherwise, not yet paid.
    CbpControl,
    /// Paid; a post summary correction may change it.
    Paid,
    /// Paid and under review by CBP.
    UnderReview,
    /// Paid and rejected by an officer of CBP; the filer may replace it, but does not pay again.
    Rejected,
    /// Rejected by an officer of CBP before it was paid; the filer may replace it.
    RejectedUnpaid,
    /// Liquidated.
    Liquidated,
    /// Cancelled.
    Cancelled,
}

impl ControlState {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::TradeControl,
        Self::CbpControl,
        Self::Paid,
        Self::UnderReview,
        Self::Rejected,
        Self::RejectedUnpaid,
        Self::Liquidated,
        Self::Cancelled,
    ];

    /// The word for it in a store and in a world.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TradeControl => "trade_control",
            Self::CbpControl => "cbp_control",
            Self::Paid => "paid",
            Self::UnderReview => "under_review",
            Self::Rejected => "rejected",
            Self::RejectedUnpaid => "rejected_unpaid",
            Self::Liquidated => "liquidated",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A summary's version (ESF-206, note 5): 00100 when first accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Version {
    /// Rises when a filer replaces a summary that CBP rejected or that left its statement; 1 to 999.
    pub major: u16,
    /// Rises when an officer of CBP changes the summary; 0 to 99.
    pub minor: u8,
}

impl Version {
    /// The version of a summary accepted for the first time.
    pub const FIRST: Self = Self { major: 1, minor: 0 };

    /// The version of a summary that replaces one that CBP rejected or that left its statement.
    #[must_use]
    pub fn after_rejection(self) -> Self {
        Self { major: (self.major + 1).min(999), minor: 0 }
    }

    /// The version of a summary that an officer of CBP has changed.
    #[must_use]
    pub fn after_modification(self) -> Self {
        Self { minor: (self.minor + 1).min(99), ..self }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:03}{:02}", self.major, self.minor)
    }
}

/// An accepted entry summary. Its `Debug` shows neither the importer's number nor the records.
#[derive(Clone, Eq, PartialEq)]
pub struct EntrySummary {
    /// Its number.
    pub key: EntryKey,
    /// The district and port of entry.
    pub port: String,
    /// The entry type code.
    pub entry_type: String,
    /// The importer of record's number.
    pub importer: String,
    /// The filer's own reference, empty if none was given.
    pub broker_reference: String,
    /// Who may change it.
    pub state: ControlState,
    /// Whether a post summary correction has been accepted.
    pub corrected: bool,
    /// Whether it was flagged for reconciliation.
    pub reconciled: bool,
    /// Its version.
    pub version: Version,
    /// The estimated entry date.
    pub entry_date: Option<Date>,
    /// The date of importation.
    pub import_date: Option<Date>,
    /// The day on which it will be or was liquidated, if it is set.
    pub liquidation_date: Option<Date>,
    /// The warehouse entry it withdraws from.
    pub warehouse: Option<EntryKey>,
    /// Whether it is the last withdrawal from it.
    pub final_withdrawal: bool,
    /// The records as they were accepted; empty for a summary that a world brings along.
    pub records: Vec<Columns>,
    /// What else CBP has noted of it.
    pub marks: Vec<Mark>,
    /// When it was first accepted.
    pub added: Timestamp,
    /// When it was last changed.
    pub changed: Timestamp,
    /// Who is told of it, and what CBP waits for.
    pub standing: Standing,
}

/// A summary that withdraws from a warehouse entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Withdrawal {
    /// The withdrawal.
    pub entry: EntryKey,
    /// Whether it is the last one.
    pub is_final: bool,
}

/// A batch and what was answered. The password is not kept. Its `Debug` does not show the records.
#[derive(Clone, Eq, PartialEq)]
pub struct BatchOnFile {
    /// When it was received.
    pub received: Timestamp,
    /// The transmitter: site, identification and office, as they stood in the A-record.
    pub sender: String,
    /// Its records, the passwords blanked.
    pub records: Vec<Columns>,
    /// The answer.
    pub answer: Vec<Columns>,
}

/// Says which summary it is and where it stands, but not what it holds: taxpayers' numbers.
impl fmt::Debug for EntrySummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EntrySummary")
            .field("key", &self.key)
            .field("port", &self.port)
            .field("entry_type", &self.entry_type)
            .field("broker_reference", &self.broker_reference)
            .field("state", &self.state)
            .field("version", &self.version)
            .field("records", &self.records.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BatchOnFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BatchOnFile")
            .field("received", &self.received)
            .field("sender", &self.sender)
            .field("records", &self.records.len())
            .field("answer", &self.answer.len())
            .finish()
    }
}

/// The store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database did.
    #[error("store: {0}")]
    Database(#[from] rusqlite::Error),
    /// There is no file.
    #[error("there is no store")]
    Missing,
    /// The file holds nothing.
    #[error("the file is empty, it is no store yet")]
    Empty,
    /// There is a store already.
    #[error("there is a store already")]
    Exists,
    /// The file was written by another program.
    #[error("the file is no store of abigate")]
    Foreign,
    /// The file cannot be made or looked at.
    #[error("store: {0}")]
    File(std::io::Error),
    /// The file is damaged.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// The unit could not be committed, and nobody knows whether it has been kept.
    #[error("store: it is not known whether anything was kept: {0}")]
    Uncertain(rusqlite::Error),
    /// The store was written by a later version of the program.
    #[error("store has schema version {found}, this program knows up to {known}")]
    TooNew {
        /// The version found.
        found: u32,
        /// The last one known.
        known: u32,
    },
    /// A stored value that the program did not write.
    #[error("store: {column} holds {found:?}")]
    Damaged {
        /// Where it stands.
        column: &'static str,
        /// What stands there.
        found: String,
    },
    /// A notification that cannot be read.
    #[error("notification {number}: {source}")]
    DamagedMail {
        /// Its number.
        number: i64,
        /// What is wrong with it.
        source: Box<StoreError>,
    },
    /// The store refused, for a reason of its own.
    #[error("store: {0}")]
    Refused(String),
}

impl StoreError {
    /// Whether another program has held the store for too long; nothing was kept.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        let code = match self {
            Self::Database(error) => error.sqlite_error_code(),
            _ => None,
        };
        matches!(code, Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked))
    }
}

/// Keeps what the host has accepted.
pub trait Store {
    /// A unit of work on this store.
    type Unit<'a>: Unit
    where
        Self: 'a;

    /// Begins a unit of work; there is one at a time.
    ///
    /// # Errors
    /// The store failed.
    fn begin(&mut self) -> Result<Self::Unit<'_>, StoreError>;

    /// The number of the newest mail, whoever wrote it; 0 if there has never been any.
    ///
    /// # Errors
    /// The store failed.
    fn newest_mail(&mut self) -> Result<i64, StoreError>;

    /// The first mail that waits in a mailbox behind a number.
    ///
    /// # Errors
    /// The store failed.
    fn next_mail(&mut self, recipient: &Sender, after: i64) -> Result<Option<Mail>, StoreError>;

    /// Forgets the digests of batches whose answers have arrived. If the machine loses its power now they
    /// may be remembered all the same, which does no harm.
    ///
    /// # Errors
    /// The store failed.
    fn arrived(&mut self, batches: &[i64]) -> Result<(), StoreError> {
        let mut unit = self.begin()?;
        unit.archive()?.arrived(batches)?;
        unit.commit()
    }
}

/// What a batch reads and changes. Its own changes are visible in it at once.
pub trait Unit {
    /// The accepted summary of an entry.
    ///
    /// # Errors
    /// The store failed.
    fn entry_summary(&mut self, key: &EntryKey) -> Result<Option<EntrySummary>, StoreError>;

    /// Adds a summary or puts it in the place of the one on file.
    ///
    /// # Errors
    /// The store failed.
    fn put_entry_summary(&mut self, summary: &EntrySummary) -> Result<(), StoreError>;

    /// Removes a summary, and what it consolidates.
    ///
    /// # Errors
    /// The store failed.
    fn remove_entry_summary(&mut self, key: &EntryKey) -> Result<(), StoreError>;

    /// The summary into which a release is consolidated.
    ///
    /// # Errors
    /// The store failed.
    fn consolidated_into(&mut self, release: &EntryKey) -> Result<Option<EntryKey>, StoreError>;

    /// Sets the releases that a summary consolidates.
    ///
    /// # Errors
    /// The store failed.
    fn consolidate(&mut self, summary: &EntryKey, releases: &[EntryKey]) -> Result<(), StoreError>;

    /// The releases that a summary consolidates.
    ///
    /// # Errors
    /// The store failed.
    fn consolidated_by(&mut self, summary: &EntryKey) -> Result<Vec<EntryKey>, StoreError>;

    /// The withdrawals from a warehouse entry, and which of them is the last.
    ///
    /// # Errors
    /// The store failed.
    fn withdrawals(&mut self, warehouse: &EntryKey) -> Result<Vec<Withdrawal>, StoreError>;

    /// Makes a withdrawal the last one from its warehouse entry, and all others no longer the last.
    ///
    /// # Errors
    /// The store failed.
    fn finalize(&mut self, warehouse: &EntryKey, withdrawal: &EntryKey) -> Result<(), StoreError>;

    /// The history and the mailboxes, as part of this unit.
    ///
    /// # Errors
    /// The store failed.
    fn ledger(&mut self) -> Result<&mut dyn Ledger, StoreError>;

    /// Puts the Census warnings of a summary in the place of those on file.
    ///
    /// # Errors
    /// The store failed.
    fn put_census_warnings(&mut self, entry: &EntryKey, warnings: &[CensusWarning])
    -> Result<(), StoreError>;

    /// The warnings that no one has overridden, the summary accepted last first.
    ///
    /// # Errors
    /// The store failed.
    fn census_warnings(&mut self, query: &WarningQuery<'_>) -> Result<Vec<CensusWarning>, StoreError>;

    /// Overrides a warning of a line; says whether the line has it.
    ///
    /// # Errors
    /// The store failed.
    fn override_census_warning(
        &mut self,
        entry: &EntryKey,
        line: &str,
        code: &str,
        reason: &str,
    ) -> Result<bool, StoreError>;

    /// Keeps a batch and its answer; its number.
    ///
    /// # Errors
    /// The store failed.
    fn put_batch(&mut self, batch: &BatchOnFile) -> Result<i64, StoreError>;

    /// What the store keeps for its own sake, as part of this unit.
    ///
    /// # Errors
    /// The store failed.
    fn archive(&mut self) -> Result<&mut dyn Archive, StoreError>;

    /// Makes everything durable at once.
    ///
    /// # Errors
    /// The store failed, and nothing of the unit is kept; with [`StoreError::Uncertain`] it is not known
    /// whether all of it is kept or nothing.
    fn commit(self) -> Result<(), StoreError>
    where
        Self: Sized;
}
