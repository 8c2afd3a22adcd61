//! abigate itself as a target: its checker, and the host where that answers the application.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Zoned;

use super::target::{Reply, Target};
use crate::envelope::BatchCollector;
use crate::envelope::Sender;
use crate::generate::GenerateError;
use crate::grammar::{Grammar, Severity};
use crate::host::{self, Host, HostError, TrustingPeer, World};
use crate::message::Checker;
use crate::store::{
    Archive, BatchOnFile, CensusWarning, EntryKey, EntrySummary, Ledger, Mail, SqliteStore, Store,
    StoreError, Unit, WarningQuery, Withdrawal,
};
use crate::wire::{Limits, records};

/// The checker and the host of this program.
pub struct Builtin<'g> {
    grammar: &'g Grammar,
    /// The host, if it answers the application.
    host: Option<Host<'g, Forgetful>>,
    now: Zoned,
}

impl<'g> Builtin<'g> {
    /// The target for an application's messages.
    ///
    /// # Errors
    /// The host cannot work.
    pub fn new(grammar: &'g Grammar, world: &World, application: &str) -> Result<Self, GenerateError> {
        let now = world.clock().cloned().unwrap_or_default();
        let host = if host::answers(application) {
            let store = SqliteStore::in_memory().map_err(HostError::from)?;
            let filled = Host::new(grammar, world.clone(), store, &now)?;
            Some(Host::new(grammar, world.clone(), Forgetful(filled.into_store()), &now)?)
        } else {
            None
        };
        Ok(Self { grammar, host, now })
    }

    fn reply(&mut self, message: &[u8]) -> Reply {
        let mut findings = Vec::new();
        let mut checker = Checker::new(self.grammar, None);
        let mut report = |finding: crate::message::Finding| {
            if finding.severity != Severity::Informational {
                findings.push(finding.condition);
            }
        };
        for record in records(message) {
            checker.line(&record.as_line(), &mut report);
        }
        checker.finish(&mut report);
        let mut reply = Reply { findings: Some(findings), ..Reply::default() };
        let Some(host) = &mut self.host else { return reply };
        let mut collector = BatchCollector::new(Limits::default());
        let mut batches = Vec::new();
        for record in records(message) {
            match collector.push(record.as_line()) {
                Ok(batch) => batches.extend(batch),
                Err(limit) => return Reply::crash(limit.to_string()),
            }
        }
        batches.extend(collector.finish());
        for batch in &batches {
            match host.answer(batch, &TrustingPeer, &self.now) {
                Ok(rows) => reply.answer.extend(rows.iter().flat_map(|row| [&row[..], b"\n"].concat())),
                Err(error) => return Reply::crash(error.to_string()),
            }
        }
        reply
    }
}

impl Target for Builtin<'_> {
    fn send(&mut self, message: &[u8]) -> std::io::Result<Reply> {
        let reply = catch_unwind(AssertUnwindSafe(|| self.reply(message)));
        Ok(reply.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            Reply::crash(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("panic"))
        }))
    }
}

/// A store that keeps nothing, so that a message does the same each time.
#[derive(Debug)]
pub(crate) struct Forgetful(pub(crate) SqliteStore);

pub(crate) struct ForgetfulUnit<'a>(<SqliteStore as Store>::Unit<'a>);

impl Store for Forgetful {
    type Unit<'a> = ForgetfulUnit<'a>;

    fn begin(&mut self) -> Result<ForgetfulUnit<'_>, StoreError> {
        self.0.begin().map(ForgetfulUnit)
    }

    fn newest_mail(&mut self) -> Result<i64, StoreError> {
        self.0.newest_mail()
    }

    fn next_mail(&mut self, recipient: &Sender, after: i64) -> Result<Option<Mail>, StoreError> {
        self.0.next_mail(recipient, after)
    }
}

impl Unit for ForgetfulUnit<'_> {
    fn entry_summary(&mut self, key: &EntryKey) -> Result<Option<EntrySummary>, StoreError> {
        self.0.entry_summary(key)
    }

    fn put_entry_summary(&mut self, summary: &EntrySummary) -> Result<(), StoreError> {
        self.0.put_entry_summary(summary)
    }

    fn remove_entry_summary(&mut self, key: &EntryKey) -> Result<(), StoreError> {
        self.0.remove_entry_summary(key)
    }

    fn consolidated_into(&mut self, release: &EntryKey) -> Result<Option<EntryKey>, StoreError> {
        self.0.consolidated_into(release)
    }

    fn consolidate(&mut self, summary: &EntryKey, releases: &[EntryKey]) -> Result<(), StoreError> {
        self.0.consolidate(summary, releases)
    }

    fn consolidated_by(&mut self, summary: &EntryKey) -> Result<Vec<EntryKey>, StoreError> {
        self.0.consolidated_by(summary)
    }

    fn withdrawals(&mut self, warehouse: &EntryKey) -> Result<Vec<Withdrawal>, StoreError> {
        self.0.withdrawals(warehouse)
    }

    fn finalize(&mut self, warehouse: &EntryKey, withdrawal: &EntryKey) -> Result<(), StoreError> {
        self.0.finalize(warehouse, withdrawal)
    }

    fn ledger(&mut self) -> Result<&mut dyn Ledger, StoreError> {
        self.0.ledger()
    }

    fn put_census_warnings(
        &mut self,
        entry: &EntryKey,
        warnings: &[CensusWarning],
    ) -> Result<(), StoreError> {
        self.0.put_census_warnings(entry, warnings)
    }

    fn census_warnings(&mut self, query: &WarningQuery<'_>) -> Result<Vec<CensusWarning>, StoreError> {
        self.0.census_warnings(query)
    }

    fn override_census_warning(
        &mut self,
        entry: &EntryKey,
        line: &str,
        code: &str,
        reason: &str,
    ) -> Result<bool, StoreError> {
        self.0.override_census_warning(entry, line, code, reason)
    }

    fn put_batch(&mut self, batch: &BatchOnFile) -> Result<i64, StoreError> {
        self.0.put_batch(batch)
    }

    fn archive(&mut self) -> Result<&mut dyn Archive, StoreError> {
        self.0.archive()
    }

    fn commit(self) -> Result<(), StoreError> {
        Ok(())
    }
}
