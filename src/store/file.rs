//! The file of a SQLite store: how it begins, whether it is one, and how it is opened again after a failure
//! that leaves open what stands on the disk.

use std::cell::Cell;
use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::StoreError;
use super::migrations::MIGRATIONS;
use super::sqlite::SqliteStore;

/// Stands in the header of the file, so that it is known whose it is: `ABIG`.
const APPLICATION_ID: i32 = 0x4142_4947;

/// How long a unit of work waits for another program that writes. One who has waited in vain is followed by
/// others who wait less, until the store is free again: they need not all wait in turn.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long one waits who comes after one who has waited in vain.
pub(super) const LESS_PATIENCE: Duration = Duration::from_millis(100);

impl SqliteStore {
    /// Opens the store in a file. One that an earlier version of the program has written is brought up to
    /// date.
    ///
    /// # Errors
    /// There is no file, it is empty, belongs to another program or to a later version of this one, or it
    /// cannot be read and written.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.try_exists().map_err(StoreError::File)? {
            return Err(StoreError::Missing);
        }
        let connection = connect(path)?;
        match owner(&connection)? {
            Owner::Nobody => Err(StoreError::Empty),
            Owner::Another => Err(StoreError::Foreign),
            Owner::This => Self::prepare(connection, Some(path)),
        }
    }

    /// Begins a store in a file that only its owner may read.
    ///
    /// # Errors
    /// There is a file that holds something, or it cannot be written.
    #[allow(clippy::disallowed_methods, reason = "SQLite writes the file, it is only made here")]
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        // the files that SQLite puts beside it get the same mode
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(StoreError::File)?;
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .map_err(StoreError::File)?;
        drop(file);
        let connection = connect(path)?;
        match owner(&connection)? {
            Owner::Nobody => Self::prepare(connection, Some(path)),
            Owner::This => Err(StoreError::Exists),
            Owner::Another => Err(StoreError::Foreign),
        }
    }

    /// Opens the store in a file, or begins it if there is no file or an empty one.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::create`].
    pub fn open_or_create(path: &Path) -> Result<Self, StoreError> {
        match Self::open(path) {
            Err(StoreError::Missing | StoreError::Empty) => Self::create(path),
            opened => opened,
        }
    }

    /// A store that is gone when it is dropped.
    ///
    /// # Errors
    /// SQLite refuses.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::prepare(Connection::open_in_memory()?, None)
    }

    fn prepare(connection: Connection, path: Option<&Path>) -> Result<Self, StoreError> {
        set_up(&connection)?;
        let mut store = Self {
            connection,
            path: path.map(Path::to_owned),
            is_doubtful: Cell::new(false),
            is_locked: false,
        };
        store.migrate()?;
        Ok(store)
    }

    fn migrate(&mut self) -> Result<(), StoreError> {
        // nothing is written where nothing is to be done: another program may be writing
        if is_current(&self.connection)? {
            return Ok(());
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction
            .execute_batch("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT")?;
        let found: u32 =
            transaction
                .query_row("SELECT coalesce(max(version), 0) FROM schema_version", [], |row| row.get(0))?;
        let known = MIGRATIONS.len() as u32;
        if found > known {
            return Err(StoreError::TooNew { found, known });
        }
        for (version, migration) in (1_u32..).zip(MIGRATIONS).skip(found as usize) {
            transaction.execute_batch(migration)?;
            transaction.execute("INSERT INTO schema_version (version) VALUES (?1)", [version])?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", known)?;
        Ok(transaction.commit()?)
    }

    /// Looks through the whole file for damage that does not show until it is too late.
    ///
    /// # Errors
    /// There is damage.
    pub fn quick_check(&self) -> Result<(), StoreError> {
        let found: String =
            self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(not_a_store)?;
        if found == "ok" { Ok(()) } else { Err(StoreError::Corrupt(found)) }
    }

    /// After a failure that leaves open what stands on the disk: lets go of all that is known of it and
    /// reads it anew. What has been read is written once more, so that it is there to stay.
    pub(super) fn reopen_if_doubtful(&mut self) -> Result<(), StoreError> {
        let Some(path) = self.path.as_deref().filter(|_| self.is_doubtful.get()) else { return Ok(()) };
        // two connections at once would share what is known
        self.connection = Connection::open_in_memory()?;
        let connection = connect(path)?;
        set_up(&connection)?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.connection = connection;
        self.is_doubtful.set(false);
        tracing::warn!("the store was opened again");
        Ok(())
    }
}

/// Who has written a file.
enum Owner {
    /// It is empty.
    Nobody,
    This,
    Another,
}

/// Looks whose file it is; nothing is changed.
fn owner(connection: &Connection) -> Result<Owner, StoreError> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i32>(0)).map_err(not_a_store);
    let id = number("PRAGMA application_id")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    // the first versions of the program wrote no number
    let is_old =
        "SELECT count(*) FROM sqlite_schema WHERE name IN ('schema_version', 'entry_summary', 'batch')
                  AND type = 'table'";
    Ok(match (id, tables) {
        (APPLICATION_ID, _) => Owner::This,
        (0, 0) => Owner::Nobody,
        (0, _) if number(is_old)? == 3 => Owner::This,
        _ => Owner::Another,
    })
}

fn is_current(connection: &Connection) -> Result<bool, StoreError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    Ok(number("application_id")? == APPLICATION_ID && number("user_version")? == MIGRATIONS.len() as i32)
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

fn set_up(connection: &Connection) -> Result<(), StoreError> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(())
}

/// Tells a file that is no database, or a damaged one, from other failures.
fn not_a_store(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::Foreign,
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Corrupt(error.to_string()),
        _ => error.into(),
    }
}

/// What an error of COMMIT means. It is certain that nothing was kept if there was no room for what was to be
/// written, since the record that makes it valid comes last, or if another program writes. After any other
/// error, as one of a flush, nobody knows.
pub(super) fn commit_error(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => error.into(),
        _ => StoreError::Uncertain(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_store_that_is_gone_or_empty_is_not_begun_anew_in_silence() {
        let folder = folder();
        let path = folder.path().join("abigate.db");
        assert!(matches!(SqliteStore::open(&path), Err(StoreError::Missing)));
        assert!(!path.exists());
        std::fs::write(&path, "").unwrap();
        assert!(matches!(SqliteStore::open(&path), Err(StoreError::Empty)));
        assert_eq!(std::fs::read(&path).unwrap(), b"");
        SqliteStore::create(&path).unwrap();
        SqliteStore::open(&path).unwrap();
        assert!(matches!(SqliteStore::create(&path), Err(StoreError::Exists)));
    }

    #[test]
    fn a_file_of_another_program_is_refused_and_left_as_it_is() {
        let folder = folder();
        let database = folder.path().join("other.db");
        Connection::open(&database).unwrap().execute_batch("CREATE TABLE batch (id INTEGER)").unwrap();
        let text = folder.path().join("text.db");
        std::fs::write(&text, "not a database, but longer than the header of one".repeat(40)).unwrap();
        for path in [database, text] {
            let before = std::fs::read(&path).unwrap();
            for opened in [SqliteStore::open(&path), SqliteStore::create(&path)] {
                assert!(matches!(opened, Err(StoreError::Foreign)), "{opened:?}");
            }
            assert_eq!(std::fs::read(&path).unwrap(), before);
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_a_store() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder();
        let path = folder.path().join("abigate.db");
        let store = SqliteStore::create(&path).unwrap();
        store.connection.execute("INSERT INTO mark VALUES ('a', '')", []).unwrap();
        for name in ["abigate.db", "abigate.db-wal", "abigate.db-shm"] {
            let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_damaged_store_is_noticed_at_the_start() {
        let folder = folder();
        let path = folder.path().join("abigate.db");
        let store = SqliteStore::create(&path).unwrap();
        store.quick_check().unwrap();
        drop(store);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4096].fill(0xAB);
        std::fs::write(&path, bytes).unwrap();
        let found = SqliteStore::open(&path).and_then(|store| store.quick_check());
        assert!(found.is_err());
    }

    #[test]
    fn what_is_known_after_an_uncertain_commit_is_read_anew() {
        let folder = folder();
        let path = folder.path().join("abigate.db");
        let mut store = SqliteStore::create(&path).unwrap();
        store.connection.execute("INSERT INTO mark VALUES ('kept', '')", []).unwrap();
        store.is_doubtful.set(true);
        store.reopen_if_doubtful().unwrap();
        assert!(!store.is_doubtful.get());
        let kept: u32 =
            store.connection.query_row("SELECT count(*) FROM mark", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 1);
    }
}
