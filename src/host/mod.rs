//! The receiving side: what becomes of a batch, and what it is answered.
//!
//! A [`Host`] reads a batch's envelope, judges each transaction by the rules and by what is on file,
//! changes what is on file, and writes the answer. It is deterministic given its store and the time it
//! is told. A batch is one unit of work: the answer exists only if batch, changes and answer are kept. Only a
//! batch that is too long for others to wait for is kept in parts, some transactions each.
//!
//! An application that the interface knows but that has no host here is answered X13, as CBP answers
//! for one that is switched off.

mod act;
mod action;
mod batch;
mod capability;
mod census;
mod entry_summary;
mod examine;
mod filing;
mod finding;
mod inspect;
mod life;
mod notification;
mod parts;
mod password;
mod receipts;
mod repair;
mod response;
mod state;
mod statement;
mod world;

use std::sync::Arc;

use jiff::Zoned;

use crate::grammar::{Grammar, PutError, UnknownName};
use crate::rules::RuleError;
use crate::store::{ControlState, EntryKey, EntrySummary, Standing, Store, StoreError, Unit, Version};

pub use action::{
    Acted, Action, ActionError, AgencyDecision, Assignment, DocumentKind, DocumentRequest, QuotaDecision,
    Rejection, Step,
};
pub use batch::Waiting;
pub use capability::answers;
pub use examine::{Examined, Examiner};
pub use inspect::{Inspection, Inspector};
pub use notification::{AgencyStatus, Officer, QuotaLine};
pub use receipts::Receipts;
pub use world::{
    FiledSummary, FilerKind, FilerProfile, ReferenceColumn, ReferenceFile, ReferenceFileError, ReferenceKind,
    ReferenceKinds, ReferenceTable, RowProblem, SenderProfile, World, WorldError,
};

pub use state::{BalanceLine, WarehouseBalance};

use life::Transitions;
use notification::NotificationWriter;
use statement::StatementCells;

/// The mark of a store that holds what its world brings along.
const WORLD_LOADED: &str = "world_loaded";

/// Who is on the other side of a connection.
pub trait Peer {
    /// The common name of the certificate it has shown, if it was asked for one.
    fn certificate(&self) -> Option<&str>;

    /// Whether a password belongs to an argon2 hash in PHC form.
    fn knows_password(&self, hash: &str, password: &[u8]) -> bool;

    /// What is known of the answers that have gone out to it; none for one to whom they cannot get lost.
    fn receipts(&self) -> Option<&Receipts> {
        None
    }
}

/// Who sends from this machine: there is no certificate, the password speaks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalPeer;

impl Peer for LocalPeer {
    fn certificate(&self) -> Option<&str> {
        None
    }

    fn knows_password(&self, hash: &str, password: &[u8]) -> bool {
        password::verify(hash, password)
    }
}

/// A peer whose every password is taken as right, for trials of batches that no sender sent. Verifying an
/// argon2 hash is slow on purpose, and such a trial is not about passwords.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrustingPeer;

impl Peer for TrustingPeer {
    fn certificate(&self) -> Option<&str> {
        None
    }

    fn knows_password(&self, _hash: &str, _password: &[u8]) -> bool {
        true
    }
}

/// A host that cannot work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The grammar lacks something that the host reads or writes.
    #[error(transparent)]
    Grammar(#[from] UnknownName),
    /// The rules cannot be read.
    #[error("rules: {0}")]
    Rules(#[from] RuleError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record of the answer cannot be written.
    #[error(transparent)]
    Unfit(#[from] PutError),
    /// Nobody knows whether a batch that was to be kept together with others has been kept.
    #[error("it is not known whether the batch was kept: {0}")]
    Unknown(String),
    /// The program has failed by a defect of its own.
    #[error("the program has failed: {0}")]
    Panicked(String),
    /// An application that has no host was not refused.
    #[error("application {0:?} has no host")]
    NoCapability(String),
    /// The envelope of the answer cannot be written.
    #[error(transparent)]
    Envelope(#[from] crate::envelope::AnswerError),
}

/// Answers batches.
#[derive(Debug)]
pub struct Host<'g, S> {
    grammar: &'g Grammar,
    world: Arc<World>,
    store: S,
    examiner: Arc<Examiner<'g>>,
    life: Life<'g>,
}

/// What becomes of summaries, and who is told.
#[derive(Debug)]
struct Life<'g> {
    transitions: Transitions,
    statements: StatementCells,
    writer: NotificationWriter<'g>,
}

impl<'g> Life<'g> {
    fn new(grammar: &'g Grammar) -> Result<Self, UnknownName> {
        Ok(Self {
            transitions: Transitions::new(grammar)?,
            statements: StatementCells::new(grammar)?,
            writer: NotificationWriter::new(grammar)?,
        })
    }
}

impl<'g, S: Store> Host<'g, S> {
    /// A host with the rules that come with the program. A new store begins with the summaries of the
    /// world; a mark in it says that it has them, so that what was done to them since is not undone.
    ///
    /// # Errors
    /// The grammar and the rules do not fit together, or the store failed.
    pub fn new(grammar: &'g Grammar, mut world: World, mut store: S, now: &Zoned) -> Result<Self, HostError> {
        world.turn_to(now.date());
        load(&world, &mut store, now)?;
        let world = Arc::new(world);
        let examiner = Arc::new(Examiner::new(grammar, Arc::clone(&world))?);
        Ok(Self { life: Life::new(grammar)?, examiner, grammar, world, store })
    }

    /// What examines batches before they are answered.
    #[must_use]
    pub fn examiner(&self) -> Arc<Examiner<'g>> {
        Arc::clone(&self.examiner)
    }

    /// The world it answers from.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The store, to look at what is on file.
    pub fn store(&mut self) -> &mut S {
        &mut self.store
    }

    /// As [`warehouse_balance`].
    ///
    /// # Errors
    /// The store failed, or the grammar has no quantities.
    pub fn warehouse_balance(&mut self, warehouse: &EntryKey) -> Result<Option<WarehouseBalance>, HostError> {
        warehouse_balance(warehouse, self.grammar, &mut self.store.begin()?)
    }

    /// The store, once no more batches come.
    #[must_use]
    pub fn into_store(self) -> S {
        self.store
    }
}

/// Puts what a world brings along into a store that has not got it yet.
fn load(world: &World, store: &mut impl Store, now: &Zoned) -> Result<(), StoreError> {
    let mut unit = store.begin()?;
    if unit.archive()?.has_mark(WORLD_LOADED)? {
        return Ok(());
    }
    for filed in world.entry_summaries() {
        unit.put_entry_summary(&on_file(filed, now))?;
    }
    unit.archive()?.set_mark(WORLD_LOADED, now.timestamp())?;
    unit.commit()
}

/// What is left of a warehouse entry; none if it is not on file.
///
/// # Errors
/// The store failed, or the grammar has no quantities.
pub fn warehouse_balance(
    warehouse: &EntryKey,
    grammar: &Grammar,
    unit: &mut dyn Unit,
) -> Result<Option<WarehouseBalance>, HostError> {
    Ok(state::balance(warehouse, &state::BalanceCells::new(grammar)?, unit)?)
}

fn on_file(filed: &FiledSummary, now: &Zoned) -> EntrySummary {
    EntrySummary {
        key: EntryKey { filer: filed.filer.clone(), number: filed.entry_number.clone() },
        port: filed.port.clone(),
        entry_type: filed.entry_type.clone(),
        importer: filed.importer.clone(),
        broker_reference: filed.broker_reference.clone(),
        state: filed.state,
        corrected: filed.corrected,
        reconciled: filed.reconciled,
        version: Version::FIRST,
        entry_date: filed.entry_date,
        import_date: filed.import_date,
        liquidation_date: filed.liquidation_date,
        warehouse: None,
        final_withdrawal: false,
        records: filed.records.clone(),
        marks: filed.marks.clone(),
        added: now.timestamp(),
        changed: now.timestamp(),
        standing: Standing {
            version_due: matches!(filed.state, ControlState::Rejected | ControlState::RejectedUnpaid),
            was_controlled: filed.state != ControlState::TradeControl,
            due: filed.liquidation_date.filter(|_| filed.state == ControlState::Paid),
            ..Standing::default()
        },
    }
}
