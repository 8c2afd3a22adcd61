//! A copy of a store, and whether all of it can be read.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Row;

use super::ledger::{read_history, read_mail, read_version};
use super::sqlite::{SUMMARY_COLUMNS, SqliteStore, read_batch, read_summary};
use super::{Archive, EntryKey, SetAside, SetAsideKind, Store, StoreError, Unit};

/// What a look at the whole store has found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StoreReport {
    /// The rows of each table that were read.
    pub rows: Vec<(&'static str, u64)>,
    /// What is wrong, each with its table and row.
    pub problems: Vec<String>,
    /// What has been set aside.
    pub set_aside: Vec<SetAside>,
}

/// No more problems than so many are told: a store that is damaged through and through has one a row.
const MOST_PROBLEMS: usize = 1000;

/// A table, what is asked of it, and what reads a row; the first column names the row.
type TableReader = (&'static str, String, fn(&Row<'_>) -> Result<(), StoreError>);

impl SqliteStore {
    /// Reads all of the store: the file as such, and each row with its checksums.
    ///
    /// # Errors
    /// The store cannot be read at all.
    pub fn check(&mut self) -> Result<StoreReport, StoreError> {
        let mut report = StoreReport::default();
        self.check_file(&mut report)?;
        for (table, query, read) in readers() {
            let mut statement = self.connection.prepare(&query)?;
            let mut rows = statement.query([])?;
            let mut count = 0;
            loop {
                let row = match rows.next() {
                    Ok(Some(row)) => row,
                    Ok(None) => break,
                    Err(error) => {
                        report.add(format!("{table}: {error}"));
                        break;
                    }
                };
                count += 1;
                if let Err(error) = read(row) {
                    let name = row.get::<_, String>(0).unwrap_or_default();
                    report.add(format!("{table} {name}: {error}"));
                }
            }
            report.rows.push((table, count));
        }
        report.set_aside = self.begin()?.archive()?.all_set_aside()?;
        Ok(report)
    }

    fn check_file(&self, report: &mut StoreReport) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare("PRAGMA integrity_check")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let found: String = row.get(0)?;
            if found != "ok" {
                report.add(format!("file: {found}"));
            }
        }
        Ok(())
    }

    /// Takes back what was set aside and can be read again; how much that was. Batches stay where they are.
    ///
    /// # Errors
    /// The store failed.
    pub fn take_back_what_is_sound(&mut self) -> Result<usize, StoreError> {
        let set_aside = self.begin()?.archive()?.all_set_aside()?;
        let mut unit = self.begin()?;
        let mut count = 0;
        for SetAside { kind, name, .. } in set_aside {
            let is_sound = match kind {
                SetAsideKind::EntrySummary => {
                    name.parse::<EntryKey>().is_ok_and(|key| unit.entry_summary(&key).is_ok())
                }
                SetAsideKind::Mail => unit.mail_is_sound(&name)?,
                SetAsideKind::Batch => false,
            };
            count += usize::from(is_sound && unit.take_back(kind, &name)?);
        }
        unit.commit()?;
        Ok(count)
    }

    /// Copies the store into a file, as it stands at one moment; batches go on meanwhile. The file is there
    /// when it is whole, and only its owner can read it.
    ///
    /// # Errors
    /// The file is the store itself, or it cannot be written, or the copy is not sound.
    pub fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        let is_own = |own: &Path| {
            let beside = |end: &str| PathBuf::from(format!("{}{end}", own.display()));
            let files = [own.to_owned(), beside("-wal"), beside("-shm")];
            files.iter().any(|file| same_file(file, to))
        };
        if self.path.as_deref().is_some_and(is_own) {
            return Err(StoreError::File(io::Error::other("a backup cannot take the place of its store")));
        }
        let part = PathBuf::from(format!("{}.{}.part", to.display(), std::process::id()));
        let written = self
            .write_copy(&part)
            .and_then(|()| fs::rename(&part, to).and_then(|()| sync_folder(to)).map_err(StoreError::File));
        if written.is_err() {
            // it may never have been made
            let _ = fs::remove_file(&part);
        }
        written
    }

    #[allow(clippy::disallowed_methods, reason = "the copy appears whole: it is renamed when it is checked")]
    fn write_copy(&self, part: &Path) -> Result<(), StoreError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(part).map_err(StoreError::File)?;
        let name = part.to_str().ok_or_else(|| io::Error::other("the name of the file is no UTF-8"));
        self.connection.execute("VACUUM INTO ?1", [name.map_err(StoreError::File)?])?;
        file.sync_all().map_err(StoreError::File)?;
        Self::check_copy(part)
    }

    /// Whether a copy is whole; it is only read.
    fn check_copy(part: &Path) -> Result<(), StoreError> {
        let connection =
            rusqlite::Connection::open_with_flags(part, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found == "ok" { Ok(()) } else { Err(StoreError::Corrupt(found)) }
    }
}

impl StoreReport {
    /// Whether there is nothing to look at.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty() && self.set_aside.is_empty()
    }

    fn add(&mut self, problem: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }
}

/// The tables whose rows the program reads, each with its reader.
fn readers() -> [TableReader; 5] {
    [
        (
            "entry_summary",
            format!("SELECT filer || ' ' || number, {SUMMARY_COLUMNS} FROM entry_summary ORDER BY filer, number"),
            |row| read_summary(&EntryKey::default(), row, 1).map(drop),
        ),
        (
            "entry_summary_history",
            "SELECT CAST(id AS TEXT), at, who, event, from_state, to_state, version_major, version_minor, remarks
             FROM entry_summary_history ORDER BY id"
                .to_owned(),
            |row| read_history(&EntryKey::default(), row, 1).map(drop),
        ),
        (
            "entry_summary_version",
            "SELECT CAST(id AS TEXT), version_major, version_minor, superseded, who, records
             FROM entry_summary_version ORDER BY id"
                .to_owned(),
            |row| read_version(row, 1).map(drop),
        ),
        (
            "mail",
            "SELECT CAST(id AS TEXT), id, site, sender, office, filer, number, written, state, delivered, records
             FROM mail ORDER BY id"
                .to_owned(),
            |row| read_mail(row, 1).map(drop),
        ),
        (
            "batch",
            "SELECT CAST(id AS TEXT), received, sender, records, answer FROM batch ORDER BY id".to_owned(),
            |row| read_batch(row, 1).map(drop),
        ),
    ]
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// Has the name of a file outlive a crash of the machine.
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
