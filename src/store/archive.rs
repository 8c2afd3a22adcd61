//! What a store keeps for its own sake: marks, what is set aside, and batches whose answers may be asked for
//! again.

use std::fmt;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::StoreError;
use super::packed::{pack, unpack};
use super::sqlite::{SqliteUnit, timestamp};
use crate::wire::Columns;

/// What becomes of what cannot be read or worked on: it is left out until somebody has looked at it. Its
/// `Debug` does not show the records.
#[derive(Clone, Eq, PartialEq)]
pub struct SetAside {
    /// What it is.
    pub kind: SetAsideKind,
    /// Which one: an entry, the number of a notification, the digest of a batch.
    pub name: String,
    /// When it was set aside.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// The records of a batch, the passwords blanked.
    pub records: Vec<Columns>,
}

impl fmt::Debug for SetAside {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SetAside")
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("reason", &self.reason)
            .field("records", &self.records.len())
            .finish_non_exhaustive()
    }
}

/// What can be set aside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SetAsideKind {
    /// A summary that time would move on.
    EntrySummary,
    /// A notification that waits for its recipient.
    Mail,
    /// A batch that the program has failed at.
    Batch,
}

impl SetAsideKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::EntrySummary, Self::Mail, Self::Batch];

    /// The word for it in a store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EntrySummary => "entry_summary",
            Self::Mail => "mail",
            Self::Batch => "batch",
        }
    }
}

/// How far a unit of work has come.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// How many rows it has changed; only the difference of two tells something.
    pub changes: u64,
    /// The number of the newest step in any history.
    pub history: i64,
}

/// The part of a unit of work that is about the store and its batches.
pub trait Archive {
    /// Whether a mark has been set.
    ///
    /// # Errors
    /// The store failed.
    fn has_mark(&mut self, name: &str) -> Result<bool, StoreError>;

    /// Sets a mark. One that is set stays as it is.
    ///
    /// # Errors
    /// The store failed.
    fn set_mark(&mut self, name: &str, at: Timestamp) -> Result<(), StoreError>;

    /// When the newest batch was received; `None` if there is no batch.
    ///
    /// # Errors
    /// The store failed.
    fn newest_batch(&mut self) -> Result<Option<Timestamp>, StoreError>;

    /// How far this unit has come.
    ///
    /// # Errors
    /// The store failed.
    fn progress(&mut self) -> Result<Progress, StoreError>;

    /// Remembers by its digest a batch on file whose answer may not arrive, and between which points it took
    /// effect.
    ///
    /// # Errors
    /// The store failed.
    fn expect_arrival(
        &mut self,
        batch: i64,
        digest: &[u8],
        effect: (Progress, Progress),
    ) -> Result<(), StoreError>;

    /// The number and the answer of a remembered batch of a sender that was received at a time or later. One
    /// whose summaries the same sender has changed since by other batches is not given: who goes on has
    /// got his answer.
    ///
    /// # Errors
    /// The store failed.
    fn unarrived(
        &mut self,
        sender: &str,
        digest: &[u8],
        since: Timestamp,
    ) -> Result<Option<(i64, Vec<Columns>)>, StoreError>;

    /// Forgets the digests of batches whose answers have arrived.
    ///
    /// # Errors
    /// The store failed.
    fn arrived(&mut self, batches: &[i64]) -> Result<(), StoreError>;

    /// Removes batches that were received before a time, the oldest first and no more than so many; says how
    /// many. The newest batch stays.
    ///
    /// # Errors
    /// The store failed.
    fn remove_batches(&mut self, before: Timestamp, most: u32) -> Result<usize, StoreError>;

    /// Forgets the digests of batches that were received before a time, no more than so many; says how many.
    ///
    /// # Errors
    /// The store failed.
    fn forget_digests(&mut self, before: Timestamp, most: u32) -> Result<usize, StoreError>;

    /// Sets something aside; what has been set aside already stays as it is.
    ///
    /// # Errors
    /// The store failed.
    fn set_aside(&mut self, what: &SetAside) -> Result<(), StoreError>;

    /// Takes back what was set aside; says whether it was.
    ///
    /// # Errors
    /// The store failed.
    fn take_back(&mut self, kind: SetAsideKind, name: &str) -> Result<bool, StoreError>;

    /// All that is set aside.
    ///
    /// # Errors
    /// The store failed.
    fn all_set_aside(&mut self) -> Result<Vec<SetAside>, StoreError>;
}

impl Archive for SqliteUnit<'_> {
    fn has_mark(&mut self, name: &str) -> Result<bool, StoreError> {
        Ok(self.transaction.prepare_cached("SELECT 1 FROM mark WHERE name = ?1")?.exists([name])?)
    }

    fn set_mark(&mut self, name: &str, at: Timestamp) -> Result<(), StoreError> {
        let mut statement = self
            .transaction
            .prepare_cached("INSERT INTO mark (name, at) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING")?;
        statement.execute([name, &at.to_string()])?;
        Ok(())
    }

    fn newest_batch(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let mut statement =
            self.transaction.prepare_cached("SELECT received FROM batch ORDER BY id DESC LIMIT 1")?;
        let found = statement.query_row([], |row| row.get::<_, String>(0)).optional()?;
        found.map(|received| timestamp("batch.received", &received)).transpose()
    }

    fn progress(&mut self) -> Result<Progress, StoreError> {
        let mut statement =
            self.transaction.prepare_cached("SELECT coalesce(max(id), 0) FROM entry_summary_history")?;
        let history = statement.query_row([], |row| row.get(0))?;
        Ok(Progress { changes: self.transaction.total_changes(), history })
    }

    fn expect_arrival(
        &mut self,
        batch: i64,
        digest: &[u8],
        (from, to): (Progress, Progress),
    ) -> Result<(), StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO unarrived (batch, sender, digest, received, history_from, history_to)
             SELECT id, sender, ?2, received, ?3, ?4 FROM batch WHERE id = ?1",
        )?;
        statement.execute(params![batch, digest, from.history, to.history])?;
        Ok(())
    }

    fn unarrived(
        &mut self,
        sender: &str,
        digest: &[u8],
        since: Timestamp,
    ) -> Result<Option<(i64, Vec<Columns>)>, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT batch.id, batch.answer FROM unarrived JOIN batch ON batch.id = unarrived.batch
             WHERE unarrived.sender = ?1 AND unarrived.digest = ?2 AND unarrived.received >= ?3 AND NOT EXISTS (
                 SELECT 1 FROM entry_summary_history own
                 JOIN entry_summary_history later
                     ON later.filer = own.filer AND later.number = own.number
                         AND later.id > unarrived.history_to AND later.who = own.who
                 WHERE own.id > unarrived.history_from AND own.id <= unarrived.history_to
                     AND own.who = batch.sender)
             ORDER BY batch.id DESC LIMIT 1",
        )?;
        let found = statement
            .query_row(params![sender, digest, since.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let unpacked = |(id, answer): (i64, Vec<u8>)| Ok((id, unpack("batch.answer", &answer)?));
        found.map(unpacked).transpose()
    }

    fn arrived(&mut self, batches: &[i64]) -> Result<(), StoreError> {
        let mut statement = self.transaction.prepare_cached("DELETE FROM unarrived WHERE batch = ?1")?;
        for batch in batches {
            statement.execute([batch])?;
        }
        Ok(())
    }

    fn remove_batches(&mut self, before: Timestamp, most: u32) -> Result<usize, StoreError> {
        // a number is not given out again as long as the newest batch stays
        let mut statement = self.transaction.prepare_cached(
            "DELETE FROM batch WHERE received < ?1 AND id < (SELECT max(id) FROM batch)
                 AND id IN (SELECT id FROM batch ORDER BY id LIMIT ?2)",
        )?;
        Ok(statement.execute(params![before.to_string(), most])?)
    }

    fn forget_digests(&mut self, before: Timestamp, most: u32) -> Result<usize, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "DELETE FROM unarrived WHERE batch IN (SELECT batch FROM unarrived WHERE received < ?1 LIMIT ?2)",
        )?;
        Ok(statement.execute(params![before.to_string(), most])?)
    }

    fn set_aside(&mut self, what: &SetAside) -> Result<(), StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO set_aside (kind, name, at, reason, records) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (kind, name) DO NOTHING",
        )?;
        statement.execute(params![
            what.kind.name(),
            what.name,
            what.at.to_string(),
            what.reason,
            pack(&what.records)
        ])?;
        Ok(())
    }

    fn take_back(&mut self, kind: SetAsideKind, name: &str) -> Result<bool, StoreError> {
        let mut statement =
            self.transaction.prepare_cached("DELETE FROM set_aside WHERE kind = ?1 AND name = ?2")?;
        Ok(statement.execute([kind.name(), name])? > 0)
    }

    fn all_set_aside(&mut self) -> Result<Vec<SetAside>, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT kind, name, at, reason, records FROM set_aside ORDER BY at, kind, name",
        )?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let kind: String = row.get(0)?;
            found.push(SetAside {
                kind: SetAsideKind::ALL
                    .into_iter()
                    .find(|known| known.name() == kind)
                    .ok_or(StoreError::Damaged { column: "set_aside.kind", found: kind })?,
                name: row.get(1)?,
                at: timestamp("set_aside.at", &row.get::<_, String>(2)?)?,
                reason: row.get(3)?,
                records: unpack("set_aside.records", &row.get::<_, Vec<u8>>(4)?)?,
            });
        }
        Ok(found)
    }
}
