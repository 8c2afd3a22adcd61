//! What is done beside the batches, and goes on though one row, one batch or the program itself is broken.
//!
//! What cannot be read or worked on is set aside: it is told once, remembered in the store, and left out
//! from then on. `abigate admin check` shows it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::{Timestamp, Zoned};
use rusqlite::ErrorCode;

use super::receipts::Receipts;
use super::{Acted, Host, HostError, Peer};
use crate::envelope::{RawBatch, Sender};
use crate::store::{EntryKey, Mail, SetAside, SetAsideKind, Store, StoreError, Unit};

/// How many summaries time moves on in one unit of work.
const DUE_TOGETHER: u32 = 256;

impl<S: Store> Host<'_, S> {
    /// Does what time does up to now: summaries go on their statements, and liquidate. What the table of
    /// transitions does not allow does not happen. A summary that cannot be read is set aside.
    ///
    /// # Errors
    /// The store failed; what was done until then in whole units is kept.
    pub fn advance(&mut self, now: &Zoned) -> Result<Acted, HostError> {
        let mut acted = Acted::default();
        loop {
            let due = self.store.begin()?.ledger()?.due(now.date(), DUE_TOGETHER)?;
            if due.is_empty() {
                return Ok(acted);
            }
            match self.pass_together(&due, now) {
                Ok(done) => add(&mut acted, done),
                Err(error) if may_pass(&error) => return Err(error),
                // one by one, to find out which of them it is
                Err(_) => {
                    for key in &due {
                        add(&mut acted, self.pass_or_set_aside(key, now)?);
                    }
                }
            }
        }
    }

    fn pass_or_set_aside(&mut self, key: &EntryKey, now: &Zoned) -> Result<Acted, HostError> {
        match self.pass_together(std::slice::from_ref(key), now) {
            Ok(done) => Ok(done),
            Err(error) if may_pass(&error) => Err(error),
            Err(error) => {
                tracing::error!(entry = %key, %error, "time cannot move the summary on, it is set aside");
                self.set_aside(SetAsideKind::EntrySummary, key.to_string(), &error, now)?;
                Ok(Acted::default())
            }
        }
    }

    /// Moves summaries on in one unit of work.
    fn pass_together(&mut self, due: &[EntryKey], now: &Zoned) -> Result<Acted, HostError> {
        let Self { life, store, .. } = self;
        let pass = || {
            let mut acted = Acted::default();
            let mut unit = store.begin()?;
            for key in due {
                if let Some(summary) = unit.entry_summary(key)? {
                    life.pass(summary, &mut unit, now, &mut acted)?;
                }
            }
            unit.commit()?;
            Ok(acted)
        };
        // a unit that a panic ends leaves no trace
        catch_unwind(AssertUnwindSafe(pass)).unwrap_or_else(|panic| Err(HostError::panicked(&*panic)))
    }

    /// The first mail that waits in a mailbox behind a number. Mail that cannot be read is set aside.
    ///
    /// # Errors
    /// The store failed.
    pub fn next_mail(
        &mut self,
        recipient: &Sender,
        after: i64,
        now: &Zoned,
    ) -> Result<Option<Mail>, HostError> {
        loop {
            match self.store.next_mail(recipient, after) {
                Err(error @ StoreError::DamagedMail { number, .. }) => {
                    tracing::error!(%error, "the notification cannot be read, it is set aside");
                    self.set_aside(SetAsideKind::Mail, number.to_string(), &error, now)?;
                }
                found => return Ok(found?),
            }
        }
    }

    /// Notes in the store which of a peer's answers have arrived.
    ///
    /// # Errors
    /// The store failed; then their batches are answered once more as they were, if they come again.
    pub fn note_arrivals(&mut self, receipts: &Receipts) -> Result<(), HostError> {
        let arrived = receipts.arrived();
        if !arrived.is_empty() {
            self.store.arrived(&arrived)?;
            receipts.noted(&arrived);
        }
        Ok(())
    }

    /// Removes batches that were received before a time, and no more than so many; whether there may be
    /// more.
    ///
    /// # Errors
    /// The store failed.
    pub fn remove_batches(&mut self, before: Timestamp, most: u32) -> Result<bool, HostError> {
        self.tidy(|unit| Ok(unit.archive()?.remove_batches(before, most)? == most as usize))
    }

    /// When the newest batch on file was received; `None` if there is no batch.
    ///
    /// # Errors
    /// The store failed.
    pub fn newest_batch(&mut self) -> Result<Option<Timestamp>, HostError> {
        Ok(self.store.begin()?.archive()?.newest_batch()?)
    }

    /// Forgets which batches may come again whose answers have not arrived, if they were received too long
    /// before now; no more than so many. Whether there may be more.
    ///
    /// # Errors
    /// The store failed.
    pub fn forget_unarrived(&mut self, now: &Zoned, most: u32) -> Result<bool, HostError> {
        let before = super::batch::remembered_since(now);
        self.tidy(|unit| Ok(unit.archive()?.forget_digests(before, most)? == most as usize))
    }

    fn tidy(
        &mut self,
        tidy: impl FnOnce(&mut dyn Unit) -> Result<bool, StoreError>,
    ) -> Result<bool, HostError> {
        let mut unit = self.store.begin()?;
        let more = tidy(&mut unit)?;
        unit.commit()?;
        Ok(more)
    }

    /// Keeps a batch that the program has failed at, for its developers.
    ///
    /// # Errors
    /// The store failed.
    pub fn set_batch_aside(
        &mut self,
        batch: &RawBatch,
        error: &HostError,
        now: &Zoned,
    ) -> Result<(), HostError> {
        let records = super::batch::without_control_passwords(batch);
        let name =
            super::batch::digest(&records).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        tracing::error!(%error, batch = name, records = records.len(), "the batch is set aside");
        self.put_aside(&SetAside {
            kind: SetAsideKind::Batch,
            name,
            at: now.timestamp(),
            reason: error.to_string(),
            records,
        })
    }

    fn set_aside(
        &mut self,
        kind: SetAsideKind,
        name: String,
        error: &dyn std::error::Error,
        now: &Zoned,
    ) -> Result<(), HostError> {
        let (at, reason) = (now.timestamp(), error.to_string());
        self.put_aside(&SetAside { kind, name, at, reason, records: Vec::new() })
    }

    fn put_aside(&mut self, what: &SetAside) -> Result<(), HostError> {
        let mut unit = self.store.begin()?;
        unit.archive()?.set_aside(what)?;
        Ok(unit.commit()?)
    }

    /// The answer to a batch, or, if the program fails at it, that of a system failure; then the batch is set
    /// aside.
    ///
    /// # Errors
    /// As [`Host::answer`], or there is no answer at all.
    pub fn answer_in_any_case(
        &mut self,
        batch: &RawBatch,
        peer: &dyn Peer,
        now: &Zoned,
    ) -> Result<Vec<crate::wire::Columns>, HostError> {
        let answered = catch_unwind(AssertUnwindSafe(|| self.answer(batch, peer, now)));
        let error = match answered {
            Ok(Err(error)) if !matches!(error, HostError::Store(_)) => error,
            Ok(answered) => return answered,
            Err(panic) => HostError::panicked(&*panic),
        };
        if let Err(error) = self.set_batch_aside(batch, &error, now) {
            tracing::error!(%error, "the batch could not be set aside");
        }
        let failure = catch_unwind(AssertUnwindSafe(|| self.system_failure(batch, peer, now)));
        failure.unwrap_or_else(|panic| Err(HostError::panicked(&*panic)))
    }
}

impl HostError {
    /// What a panic has said.
    #[must_use]
    pub fn panicked(panic: &(dyn std::any::Any + Send)) -> Self {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::Panicked(said.unwrap_or_else(|| "no word of why".to_owned()))
    }
}

/// Whether an error is one of the store as a whole, which may pass, and not one of a single row.
fn may_pass(error: &HostError) -> bool {
    let HostError::Store(error) = error else { return false };
    match error {
        StoreError::Damaged { .. } | StoreError::DamagedMail { .. } => false,
        StoreError::Database(error) => {
            error.sqlite_error_code().is_some_and(|code| code != ErrorCode::DatabaseCorrupt)
        }
        _ => true,
    }
}

fn add(acted: &mut Acted, mut done: Acted) {
    acted.steps.append(&mut done.steps);
    acted.mail.append(&mut done.mail);
    acted.released += done.released;
}
