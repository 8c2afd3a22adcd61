//! A stage without sockets: a host in memory, and the story's clock.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Zoned;
use jiff::civil::DateTime;

use super::play::{Stage, StageError};
use super::{Story, facts};
use crate::envelope::{RawBatch, Sender};
use crate::gateway::Outliner;
use crate::grammar::Grammar;
use crate::host::{Action, ActionError, Host, Peer, World};
use crate::store::{EntryKey, SqliteStore, Store};
use crate::wire::Columns;

/// The record that refuses a batch or a block.
const REFUSAL: &[u8] = b"X0";

/// A host in memory that lives by the story's clock.
pub struct Rehearsal {
    host: Host<'static, SqliteStore>,
    now: Zoned,
    outliner: Outliner,
}

impl Rehearsal {
    /// A stage for a story: the demo world with the story's rows, and nothing on file but what that says.
    ///
    /// # Errors
    /// The story's rows do not fit the world, or the host cannot work.
    pub fn new(story: &Story) -> Result<Self, StageError> {
        let grammar = Grammar::builtin();
        let world = Self::world(story)?;
        let clock = world.clock().cloned().ok_or("the demo world has no clock")?;
        let now = match story.begin {
            Some(begin) => begin.to_zoned(clock.time_zone().clone())?,
            None => clock,
        };
        let host = Host::new(grammar, world, SqliteStore::in_memory()?, &now)?;
        Ok(Self { host, now, outliner: Outliner::new(grammar)? })
    }

    /// The world of a story.
    ///
    /// # Errors
    /// The story's rows do not fit the demo world.
    pub fn world(story: &Story) -> Result<World, StageError> {
        Ok(World::parse(&format!("{}\n{}", World::DEMO, story.world), Grammar::builtin())?)
    }

    /// The host.
    pub fn host(&mut self) -> &mut Host<'static, SqliteStore> {
        &mut self.host
    }

    /// The time it is.
    #[must_use]
    pub fn now(&self) -> &Zoned {
        &self.now
    }

    /// The answer to a batch alone, without the mail that comes with it.
    ///
    /// # Errors
    /// The host cannot answer.
    pub fn answer(&mut self, batch: &RawBatch, peer: &dyn Peer) -> Result<Vec<Columns>, StageError> {
        Ok(self.host.answer(batch, peer, &self.now)?)
    }
}

/// A rehearsal in which one peer speaks for every sender.
impl Stage for (Rehearsal, &dyn Peer) {
    fn set_clock(&mut self, to: DateTime) -> Result<(), StageError> {
        self.0.set_clock(to)
    }

    fn send(&mut self, rows: &[Columns]) -> Result<Vec<Columns>, StageError> {
        let (rehearsal, peer) = self;
        let mut answer = rehearsal.answer(&RawBatch::from_rows(rows.to_vec()), *peer)?;
        // a batch that is let in shows whose mailbox it may empty
        if !answer.iter().any(|row| row.starts_with(REFUSAL)) {
            let mailbox = rehearsal.outliner.outline(rows).mailbox;
            answer.extend(rehearsal.collect(&mailbox)?);
        }
        Ok(answer)
    }

    fn act(&mut self, action: &Action) -> Result<Option<String>, StageError> {
        self.0.act(action)
    }

    fn collect(&mut self, recipient: &Sender) -> Result<Vec<Columns>, StageError> {
        self.0.collect(recipient)
    }

    fn facts(&mut self, entry: &EntryKey) -> Result<BTreeMap<&'static str, String>, StageError> {
        self.0.facts(entry)
    }
}

impl Rehearsal {
    /// As [`Stage::set_clock`].
    ///
    /// # Errors
    /// The time lies before that of the stage, or the host cannot go on.
    pub fn set_clock(&mut self, to: DateTime) -> Result<(), StageError> {
        let to = to.to_zoned(self.now.time_zone().clone())?;
        if to < self.now {
            return Err(format!("the clock would go back from {} to {to}", self.now).into());
        }
        self.now = to;
        self.host.advance(&self.now)?;
        Ok(())
    }

    /// As [`Stage::act`].
    ///
    /// # Errors
    /// The host cannot work.
    pub fn act(&mut self, action: &Action) -> Result<Option<String>, StageError> {
        match self.host.act(action, &self.now) {
            Ok(_) => Ok(None),
            Err(ActionError::Host(error)) => Err(error.into()),
            Err(refusal) => Ok(Some(refusal.to_string())),
        }
    }

    /// As [`Stage::collect`].
    ///
    /// # Errors
    /// The store failed.
    pub fn collect(&mut self, recipient: &Sender) -> Result<Vec<Columns>, StageError> {
        let mail = self.host.mail(recipient)?;
        if let Some(last) = mail.last() {
            self.host.mark_delivered(recipient, last.id, &self.now)?;
        }
        Ok(mail.into_iter().flat_map(|mail| mail.records).collect())
    }

    /// As [`Stage::facts`].
    ///
    /// # Errors
    /// The store failed.
    pub fn facts(&mut self, entry: &EntryKey) -> Result<BTreeMap<&'static str, String>, StageError> {
        let balance = self.host.warehouse_balance(entry)?;
        let mut unit = self.host.store().begin()?;
        Ok(facts::facts(&mut unit, entry, balance.as_ref())?)
    }
}

impl fmt::Debug for Rehearsal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rehearsal").field("now", &self.now).finish_non_exhaustive()
    }
}
