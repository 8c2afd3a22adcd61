//! Whether the built-in host accepts what was made.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::GenerateError;
use crate::envelope::RawBatch;
use crate::gateway::Outliner;
use crate::grammar::Grammar;
use crate::host::{Host, HostError, TrustingPeer, World};
use crate::store::SqliteStore;
use crate::wire::Columns;

/// Where CBP's days begin and end.
const TIME_ZONE: &str = "America/New_York";

/// A host with a store of its own, in memory.
pub(super) struct Trial<'g> {
    host: Host<'g, SqliteStore>,
    outliner: Outliner,
    now: Zoned,
}

impl<'g> Trial<'g> {
    pub(super) fn new(grammar: &'g Grammar, world: &World, date: Date) -> Result<Self, GenerateError> {
        let zone = TimeZone::get(TIME_ZONE).unwrap_or(TimeZone::UTC);
        let noon = date.at(12, 0, 0, 0).to_zoned(zone);
        let now = noon.unwrap_or_else(|_| Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC));
        let store = SqliteStore::in_memory().map_err(HostError::from)?;
        let host = Host::new(grammar, world.clone(), store, &now)?;
        Ok(Self { host, outliner: Outliner::new(grammar)?, now })
    }

    /// Why a batch is not accepted as a whole.
    pub(super) fn refusal(&mut self, rows: Vec<Columns>) -> Option<String> {
        let answer = match self.host.answer(&RawBatch::from_rows(rows), &TrustingPeer, &self.now) {
            Ok(answer) => answer,
            Err(error) => return Some(error.to_string()),
        };
        let outcome = self.outliner.outcome(&answer);
        (outcome.rejected > 0 || outcome.accepted == 0).then(|| outcome.to_string())
    }
}
