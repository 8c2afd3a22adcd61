//! The store in a SQLite file, or in memory.

use std::cell::Cell;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::census::{self, CensusWarning, WarningQuery};
use super::file::{LESS_PATIENCE, PATIENCE, commit_error};
use super::ledger::{self, Ledger, Mail, MailQuery, Standing};
use super::packed::{pack, unpack};
use super::{
    Archive, BatchOnFile, EntryKey, EntrySummary, Mark, Store, StoreError, Unit, Version, Withdrawal,
};
use crate::envelope::Sender;

/// What a summary is read from.
macro_rules! summary_columns {
    () => {
        "port, entry_type, importer, broker_reference, state, corrected, reconciled, version_major,
         version_minor, entry_date, import_date, liquidation_date, warehouse_filer, warehouse_number,
         final_withdrawal, records, added, changed, due, standing, marks"
    };
}

pub(super) const SUMMARY_COLUMNS: &str = summary_columns!();
const SUMMARY_QUERY: &str =
    concat!("SELECT ", summary_columns!(), " FROM entry_summary WHERE filer = ?1 AND number = ?2");

/// A SQLite store. A file is written with a write-ahead log that is flushed at each commit, so what has
/// been committed survives a crash of the program and of the machine.
#[derive(Debug)]
pub struct SqliteStore {
    pub(super) connection: Connection,
    /// None for a store in memory.
    pub(super) path: Option<PathBuf>,
    /// Set when a commit has failed in a way that leaves open what stands on the disk.
    pub(super) is_doubtful: Cell<bool>,
    /// Whether the last unit could not begin since another program held the store.
    pub(super) is_locked: bool,
}

impl SqliteStore {
    /// The batches on file, oldest first.
    ///
    /// # Errors
    /// The store failed, or holds what the program did not write.
    pub fn batches(&self) -> Result<Vec<BatchOnFile>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT received, sender, records, answer FROM batch ORDER BY id")?;
        let mut rows = statement.query([])?;
        let mut batches = Vec::new();
        while let Some(row) = rows.next()? {
            batches.push(read_batch(row, 0)?);
        }
        Ok(batches)
    }
}

impl Store for SqliteStore {
    type Unit<'a> = SqliteUnit<'a>;

    fn begin(&mut self) -> Result<SqliteUnit<'_>, StoreError> {
        self.reopen_if_doubtful()?;
        self.connection.busy_timeout(if self.is_locked { LESS_PATIENCE } else { PATIENCE })?;
        // Immediate, so that a second program on the same file waits here and not in the middle.
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let begun = begun.map_err(StoreError::from);
        self.is_locked = begun.as_ref().is_err_and(StoreError::is_locked);
        Ok(SqliteUnit { transaction: begun?, is_doubtful: &self.is_doubtful })
    }

    fn newest_mail(&mut self) -> Result<i64, StoreError> {
        self.reopen_if_doubtful()?;
        ledger::newest_mail(&self.connection)
    }

    fn next_mail(&mut self, recipient: &Sender, after: i64) -> Result<Option<Mail>, StoreError> {
        self.reopen_if_doubtful()?;
        ledger::next_mail(&self.connection, recipient, after)
    }

    fn arrived(&mut self, batches: &[i64]) -> Result<(), StoreError> {
        self.reopen_if_doubtful()?;
        // the operating system has it when this returns; that it outlives a power cut is not worth a flush
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        let forgotten = self.begin().and_then(|mut unit| {
            unit.arrived(batches)?;
            unit.commit()
        });
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        forgotten
    }
}

/// A unit of work of a [`SqliteStore`].
#[derive(Debug)]
pub struct SqliteUnit<'a> {
    pub(super) transaction: Transaction<'a>,
    is_doubtful: &'a Cell<bool>,
}

impl SqliteUnit<'_> {
    /// Whether a notification can be read; one that is gone can.
    pub(super) fn mail_is_sound(&self, number: &str) -> Result<bool, StoreError> {
        let Ok(number) = number.parse::<i64>() else { return Ok(false) };
        let query = MailQuery { after: number - 1, most: 1, ..MailQuery::default() };
        match ledger::find_mail(&self.transaction, &query) {
            Ok(_) => Ok(true),
            Err(StoreError::Damaged { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Unit for SqliteUnit<'_> {
    fn entry_summary(&mut self, key: &EntryKey) -> Result<Option<EntrySummary>, StoreError> {
        let mut statement = self.transaction.prepare_cached(SUMMARY_QUERY)?;
        let stored =
            statement.query_row([&key.filer, &key.number], |row| Ok(read_summary(key, row, 0))).optional()?;
        stored.transpose()
    }

    fn put_entry_summary(&mut self, summary: &EntrySummary) -> Result<(), StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT OR REPLACE INTO entry_summary (filer, number, port, entry_type, importer, broker_reference, state,
                 corrected, reconciled, version_major, version_minor, entry_date, import_date, liquidation_date,
                 warehouse_filer, warehouse_number, final_withdrawal, records, added, changed,
                 due, standing, marks)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
                 ?21, ?22, ?23)",
        )?;
        statement.execute(params![
            summary.key.filer,
            summary.key.number,
            summary.port,
            summary.entry_type,
            summary.importer,
            summary.broker_reference,
            summary.state.name(),
            summary.corrected,
            summary.reconciled,
            summary.version.major,
            summary.version.minor,
            summary.entry_date.map(|date| date.to_string()),
            summary.import_date.map(|date| date.to_string()),
            summary.liquidation_date.map(|date| date.to_string()),
            summary.warehouse.as_ref().map(|key| &key.filer),
            summary.warehouse.as_ref().map(|key| &key.number),
            summary.final_withdrawal,
            pack(&summary.records),
            summary.added.to_string(),
            summary.changed.to_string(),
            summary.standing.due.map(|date| date.to_string()),
            serde_json::to_string(&summary.standing)
                .map_err(|error| StoreError::Refused(error.to_string()))?,
            Mark::join(&summary.marks),
        ])?;
        Ok(())
    }

    fn remove_entry_summary(&mut self, key: &EntryKey) -> Result<(), StoreError> {
        self.consolidate(key, &[])?;
        self.put_census_warnings(key, &[])?;
        let mut statement =
            self.transaction.prepare_cached("DELETE FROM entry_summary WHERE filer = ?1 AND number = ?2")?;
        statement.execute([&key.filer, &key.number])?;
        Ok(())
    }

    fn consolidated_into(&mut self, release: &EntryKey) -> Result<Option<EntryKey>, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT into_filer, into_number FROM consolidated_release WHERE filer = ?1 AND number = ?2",
        )?;
        let into = statement
            .query_row([&release.filer, &release.number], |row| {
                Ok(EntryKey { filer: row.get(0)?, number: row.get(1)? })
            })
            .optional()?;
        Ok(into)
    }

    fn consolidate(&mut self, summary: &EntryKey, releases: &[EntryKey]) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("DELETE FROM consolidated_release WHERE into_filer = ?1 AND into_number = ?2")?
            .execute([&summary.filer, &summary.number])?;
        let mut statement = self.transaction.prepare_cached(
            "INSERT OR REPLACE INTO consolidated_release (filer, number, into_filer, into_number)
             VALUES (?1, ?2, ?3, ?4)",
        )?;
        for release in releases {
            statement.execute([&release.filer, &release.number, &summary.filer, &summary.number])?;
        }
        Ok(())
    }

    fn consolidated_by(&mut self, summary: &EntryKey) -> Result<Vec<EntryKey>, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT filer, number FROM consolidated_release
             WHERE into_filer = ?1 AND into_number = ?2 ORDER BY filer, number",
        )?;
        let rows = statement.query_map([&summary.filer, &summary.number], |row| {
            Ok(EntryKey { filer: row.get(0)?, number: row.get(1)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn withdrawals(&mut self, warehouse: &EntryKey) -> Result<Vec<Withdrawal>, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT filer, number, final_withdrawal FROM entry_summary
             WHERE warehouse_filer = ?1 AND warehouse_number = ?2 ORDER BY filer, number",
        )?;
        let rows = statement.query_map([&warehouse.filer, &warehouse.number], |row| {
            Ok(Withdrawal {
                entry: EntryKey { filer: row.get(0)?, number: row.get(1)? },
                is_final: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn finalize(&mut self, warehouse: &EntryKey, withdrawal: &EntryKey) -> Result<(), StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "UPDATE entry_summary SET final_withdrawal = (filer = ?3 AND number = ?4)
             WHERE warehouse_filer = ?1 AND warehouse_number = ?2",
        )?;
        statement.execute([&warehouse.filer, &warehouse.number, &withdrawal.filer, &withdrawal.number])?;
        Ok(())
    }

    fn ledger(&mut self) -> Result<&mut dyn Ledger, StoreError> {
        Ok(self)
    }

    fn put_census_warnings(
        &mut self,
        entry: &EntryKey,
        warnings: &[CensusWarning],
    ) -> Result<(), StoreError> {
        census::put(&self.transaction, entry, warnings)
    }

    fn census_warnings(&mut self, query: &WarningQuery<'_>) -> Result<Vec<CensusWarning>, StoreError> {
        census::find(&self.transaction, query)
    }

    fn override_census_warning(
        &mut self,
        entry: &EntryKey,
        line: &str,
        code: &str,
        reason: &str,
    ) -> Result<bool, StoreError> {
        census::resolve(&self.transaction, entry, line, code, reason)
    }

    fn put_batch(&mut self, batch: &BatchOnFile) -> Result<i64, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO batch (received, sender, records, answer) VALUES (?1, ?2, ?3, ?4)",
        )?;
        statement.execute(params![
            batch.received.to_string(),
            batch.sender,
            pack(&batch.records),
            pack(&batch.answer),
        ])?;
        Ok(self.transaction.last_insert_rowid())
    }

    fn archive(&mut self) -> Result<&mut dyn Archive, StoreError> {
        Ok(self)
    }

    fn commit(self) -> Result<(), StoreError> {
        let Self { transaction, is_doubtful } = self;
        transaction.commit().map_err(commit_error).inspect_err(|error| {
            is_doubtful.set(matches!(error, StoreError::Uncertain(_)));
        })
    }
}

/// A batch out of a row whose columns begin at a place.
pub(super) fn read_batch(row: &Row<'_>, at: usize) -> Result<BatchOnFile, StoreError> {
    Ok(BatchOnFile {
        received: timestamp("batch.received", &row.get::<_, String>(at)?)?,
        sender: row.get(at + 1)?,
        records: unpack("batch.records", &row.get::<_, Vec<u8>>(at + 2)?)?,
        answer: unpack("batch.answer", &row.get::<_, Vec<u8>>(at + 3)?)?,
    })
}

/// A summary out of a row in which [`SUMMARY_COLUMNS`] begin at a place.
pub(super) fn read_summary(key: &EntryKey, row: &Row<'_>, at: usize) -> Result<EntrySummary, StoreError> {
    let text = |index: usize| row.get::<_, String>(at + index);
    let maybe = |index: usize| row.get::<_, Option<String>>(at + index);
    let date = |index: usize, column: &'static str| -> Result<Option<Date>, StoreError> {
        let text = maybe(index)?;
        text.map(|text| text.parse().map_err(|_| StoreError::Damaged { column, found: text })).transpose()
    };
    Ok(EntrySummary {
        key: key.clone(),
        port: text(0)?,
        entry_type: text(1)?,
        importer: text(2)?,
        broker_reference: text(3)?,
        state: ledger::control_state("entry_summary.state", &text(4)?)?,
        corrected: row.get(at + 5)?,
        reconciled: row.get(at + 6)?,
        version: Version { major: row.get(at + 7)?, minor: row.get(at + 8)? },
        entry_date: date(9, "entry_summary.entry_date")?,
        import_date: date(10, "entry_summary.import_date")?,
        liquidation_date: date(11, "entry_summary.liquidation_date")?,
        warehouse: maybe(12)?.zip(maybe(13)?).map(|(filer, number)| EntryKey { filer, number }),
        final_withdrawal: row.get(at + 14)?,
        records: unpack("entry_summary.records", &row.get::<_, Vec<u8>>(at + 15)?)?,
        added: timestamp("entry_summary.added", &text(16)?)?,
        changed: timestamp("entry_summary.changed", &text(17)?)?,
        standing: Standing { due: date(18, "entry_summary.due")?, ..standing(&text(19)?)? },
        marks: Mark::split(&text(20)?)
            .map_err(|found| StoreError::Damaged { column: "entry_summary.marks", found })?,
    })
}

fn standing(text: &str) -> Result<Standing, StoreError> {
    let damaged = |_| StoreError::Damaged { column: "entry_summary.standing", found: text.to_owned() };
    serde_json::from_str(text).map_err(damaged)
}

pub(super) fn timestamp(column: &'static str, text: &str) -> Result<Timestamp, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged { column, found: text.to_owned() })
}

#[cfg(test)]
mod tests {

    use super::super::migrations::MIGRATIONS;
    use super::super::{ControlState, SupersededVersion};
    use super::*;
    use crate::wire::RECORD_LENGTH;

    fn summary(number: &str) -> EntrySummary {
        let now: Timestamp = "2026-08-03T16:00:00Z".parse().unwrap();
        EntrySummary {
            key: EntryKey { filer: "EEE".into(), number: number.into() },
            port: "2704".into(),
            entry_type: "01".into(),
            importer: "28-3140001RT".into(),
            broker_reference: "HHG-26101".into(),
            state: ControlState::TradeControl,
            corrected: false,
            reconciled: true,
            version: Version { major: 2, minor: 1 },
            entry_date: Some(jiff::civil::date(2026, 7, 30)),
            import_date: None,
            liquidation_date: None,
            warehouse: None,
            final_withdrawal: false,
            records: vec![[b'1'; RECORD_LENGTH], [b' '; RECORD_LENGTH]],
            marks: Mark::ALL.to_vec(),
            added: now,
            changed: now,
            standing: Standing::default(),
        }
    }

    #[test]
    fn a_committed_unit_survives_and_a_dropped_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abigate.db");
        let kept = summary("00001015");
        let mut store = SqliteStore::create(&path).unwrap();
        let mut unit = store.begin().unwrap();
        unit.put_entry_summary(&kept).unwrap();
        unit.commit().unwrap();
        let mut unit = store.begin().unwrap();
        unit.remove_entry_summary(&kept.key).unwrap();
        unit.put_entry_summary(&summary("00001023")).unwrap();
        assert_eq!(unit.entry_summary(&kept.key).unwrap(), None);
        drop(unit);
        drop(store);
        let mut store = SqliteStore::open(&path).unwrap();
        let mut unit = store.begin().unwrap();
        assert_eq!(unit.entry_summary(&kept.key).unwrap(), Some(kept));
        assert_eq!(unit.entry_summary(&summary("00001023").key).unwrap(), None);
    }

    #[test]
    fn every_control_state_is_kept() {
        let mut store = SqliteStore::in_memory().unwrap();
        let mut unit = store.begin().unwrap();
        for state in ControlState::ALL {
            let stored = EntrySummary { state, ..summary("00001015") };
            unit.put_entry_summary(&stored).unwrap();
            assert_eq!(unit.entry_summary(&stored.key).unwrap(), Some(stored));
        }
    }

    #[test]
    fn consolidation_goes_with_its_summary() {
        let mut store = SqliteStore::in_memory().unwrap();
        let mut unit = store.begin().unwrap();
        let (summary, release) =
            (summary("00001015"), EntryKey { filer: "EEE".into(), number: "00090018".into() });
        unit.put_entry_summary(&summary).unwrap();
        unit.consolidate(&summary.key, std::slice::from_ref(&release)).unwrap();
        assert_eq!(unit.consolidated_into(&release).unwrap(), Some(summary.key.clone()));
        unit.remove_entry_summary(&summary.key).unwrap();
        assert_eq!(unit.consolidated_into(&release).unwrap(), None);
    }

    #[test]
    fn withdrawals_are_found_by_their_warehouse_entry() {
        let mut store = SqliteStore::in_memory().unwrap();
        let mut unit = store.begin().unwrap();
        let warehouse = EntryKey { filer: "EEE".into(), number: "00001809".into() };
        let last = EntrySummary {
            warehouse: Some(warehouse.clone()),
            final_withdrawal: true,
            ..summary("00001015")
        };
        unit.put_entry_summary(&last).unwrap();
        unit.put_entry_summary(&summary("00001023")).unwrap();
        let found = unit.withdrawals(&warehouse).unwrap();
        assert_eq!(found, [Withdrawal { entry: last.key, is_final: true }]);
    }

    #[test]
    fn a_store_of_a_later_program_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abigate.db");
        let store = SqliteStore::create(&path).unwrap();
        store.connection.execute("INSERT INTO schema_version VALUES (99)", []).unwrap();
        store.connection.pragma_update(None, "user_version", 99).unwrap();
        drop(store);
        assert!(matches!(SqliteStore::open(&path), Err(StoreError::TooNew { found: 99, .. })));
    }

    #[test]
    fn a_store_of_the_first_version_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abigate.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT").unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection.execute("INSERT INTO schema_version VALUES (1)", []).unwrap();
        for (number, state) in [("00001015", "paid"), ("00001023", "rejected"), ("00001031", "trade_control")]
        {
            connection
                .execute(
                    "INSERT INTO entry_summary VALUES ('EEE', ?1, '2704', '01', '28-3140001RT', 'HHG-26101', ?2, 0, 0,
                         1, 0, '2026-07-30', NULL, '2026-12-04', NULL, NULL, 0, ?3, ?4, ?4)",
                    params![number, state, [b'1'; RECORD_LENGTH].as_slice(), "2026-08-03T16:00:00Z"],
                )
                .unwrap();
        }
        drop(connection);
        let mut store = SqliteStore::open(&path).unwrap();
        assert_eq!(store.newest_mail().unwrap(), 0);
        let mut unit = store.begin().unwrap();
        let due = jiff::civil::date(2026, 12, 4);
        let standings = [
            ("00001015", Standing { was_controlled: true, due: Some(due), ..Standing::default() }),
            ("00001023", Standing { was_controlled: true, version_due: true, ..Standing::default() }),
            ("00001031", Standing::default()),
        ];
        for (number, standing) in standings {
            let found = unit.entry_summary(&summary(number).key).unwrap().unwrap();
            assert_eq!((found.records.len(), found.standing), (1, standing), "{number}");
        }
        assert_eq!(unit.ledger().unwrap().due(due, 9).unwrap(), [summary("00001015").key]);
        assert!(unit.ledger().unwrap().history(&summary("00001015").key).unwrap().is_empty());
        assert!(unit.ledger().unwrap().versions(&summary("00001015").key).unwrap().is_empty());
    }

    #[test]
    fn superseded_versions_outlive_their_summary() {
        let mut store = SqliteStore::in_memory().unwrap();
        let mut unit = store.begin().unwrap();
        let summary = summary("00001015");
        unit.put_entry_summary(&summary).unwrap();
        let ledger = unit.ledger().unwrap();
        let version = |by: &str| SupersededVersion {
            version: summary.version,
            superseded: summary.changed,
            by: by.to_owned(),
            records: summary.records.clone(),
        };
        ledger.put_version(&summary.key, &version("2704 EEE")).unwrap();
        ledger.put_version(&summary.key, &version("2704 ABC")).unwrap();
        unit.remove_entry_summary(&summary.key).unwrap();
        let found = unit.ledger().unwrap().versions(&summary.key).unwrap();
        assert_eq!(found, [version("2704 EEE"), version("2704 ABC")]);
    }
}
