//! The history of summaries, and the mailboxes of those who are told of it.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::packed::{pack, unpack};
use super::sqlite::{SqliteUnit, timestamp};
use super::{ControlState, EntryKey, StatementKey, StoreError, Version};
use crate::envelope::{Party, Sender};
use crate::wire::Columns;

/// What the file knows of a summary beside what was filed: who is told of it, and what CBP waits for.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Standing {
    /// The filer that presented it last, at the port and office of its block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Party>,
    /// Who transmitted it last, and is told what becomes of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Sender>,
    /// The team of CBP that reviews it, empty if there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub team: String,
    /// What CBP has asked for and not yet got, empty if there is nothing: the event's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request: String,
    /// Whether CBP rejected it or it left its statement, so that its replacement is a new version.
    #[serde(skip_serializing_if = "is_false")]
    pub version_due: bool,
    /// Whether it has been under CBP's control, since when a refused filing no longer deletes it.
    #[serde(skip_serializing_if = "is_false")]
    pub was_controlled: bool,
    /// The day on which time alone moves it on, if there is one: it stands on a statement, or liquidates.
    #[serde(skip)]
    pub due: Option<Date>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// A step in the life of a summary.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HistoryEntry {
    /// The summary.
    pub entry: EntryKey,
    /// When.
    pub at: Timestamp,
    /// Who did it: a transmitter, an officer, or the passing of time.
    pub by: String,
    /// What was done, as the table of transitions names it.
    pub event: String,
    /// The state before; none if there was no summary on file.
    pub from: Option<ControlState>,
    /// The state after; none if there is no summary on file any more.
    pub to: Option<ControlState>,
    /// The version afterwards.
    pub version: Version,
    /// What was said, empty if nothing was.
    pub remarks: String,
}

/// What a summary was until it was replaced or corrected. Its `Debug` does not show the records.
#[derive(Clone, Eq, PartialEq)]
pub struct SupersededVersion {
    /// Its version. A correction leaves it as it is, so that several may have the same.
    pub version: Version,
    /// When another took its place.
    pub superseded: Timestamp,
    /// Who transmitted that one.
    pub by: String,
    /// The records as they were accepted.
    pub records: Vec<Columns>,
}

impl fmt::Debug for SupersededVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SupersededVersion")
            .field("version", &self.version)
            .field("superseded", &self.superseded)
            .field("by", &self.by)
            .field("records", &self.records.len())
            .finish()
    }
}

/// What becomes of a notification.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// It waits for the end of the day.
    Held,
    /// It waits for a connection of its recipient, or for that to take it.
    Waiting,
    /// The connection that carried it went on or was closed in good order.
    Delivered,
}

impl MailState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Held, Self::Waiting, Self::Delivered];

    /// The word for it in a store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
        }
    }
}

/// A batch in a mailbox. Its `Debug` does not show the records.
#[derive(Clone, Eq, PartialEq)]
pub struct Mail {
    /// Its number; a recipient gets its mail in the order of these.
    pub id: i64,
    /// For whom it is.
    pub recipient: Sender,
    /// The summary it speaks of.
    pub entry: EntryKey,
    /// When it was written.
    pub written: Timestamp,
    /// What became of it.
    pub state: MailState,
    /// When it counted as delivered.
    pub delivered: Option<Timestamp>,
    /// The batch, from A to Z.
    pub records: Vec<Columns>,
}

impl fmt::Debug for Mail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Mail")
            .field("id", &self.id)
            .field("recipient", &self.recipient)
            .field("entry", &self.entry)
            .field("state", &self.state)
            .field("records", &self.records.len())
            .finish_non_exhaustive()
    }
}

/// Which mail is asked for.
#[derive(Clone, Debug, Default)]
pub struct MailQuery {
    /// Only of this mailbox.
    pub recipient: Option<Sender>,
    /// Only what is in this state.
    pub state: Option<MailState>,
    /// Only what comes after this number.
    pub after: i64,
    /// No more than so many; 0 stands for all.
    pub most: u32,
}

/// What a unit of work writes down beside the summaries: what was done, and who is to be told.
pub trait Ledger {
    /// The summaries that time alone moves on by this day, in the order of their days.
    ///
    /// # Errors
    /// The store failed.
    fn due(&mut self, today: Date, most: u32) -> Result<Vec<EntryKey>, StoreError>;

    /// The numbers of the summaries on file, in their order; of one filer or of all.
    ///
    /// # Errors
    /// The store failed.
    fn entry_summary_keys(&mut self, filer: Option<&str>) -> Result<Vec<EntryKey>, StoreError>;

    /// Adds a step to a history.
    ///
    /// # Errors
    /// The store failed.
    fn put_history(&mut self, step: &HistoryEntry) -> Result<(), StoreError>;

    /// The history of a summary, oldest first. It outlives the summary.
    ///
    /// # Errors
    /// The store failed.
    fn history(&mut self, entry: &EntryKey) -> Result<Vec<HistoryEntry>, StoreError>;

    /// Notes that a preliminary statement has been printed.
    ///
    /// # Errors
    /// The store failed.
    fn put_statement(&mut self, statement: &StatementKey, printed: Timestamp) -> Result<(), StoreError>;

    /// Whether a preliminary statement has been printed before its day.
    ///
    /// # Errors
    /// The store failed.
    fn is_printed(&mut self, statement: &StatementKey) -> Result<bool, StoreError>;

    /// Keeps what a summary was until now.
    ///
    /// # Errors
    /// The store failed.
    fn put_version(&mut self, entry: &EntryKey, version: &SupersededVersion) -> Result<(), StoreError>;

    /// What a summary was before, oldest first. It outlives the summary.
    ///
    /// # Errors
    /// The store failed.
    fn versions(&mut self, entry: &EntryKey) -> Result<Vec<SupersededVersion>, StoreError>;

    /// Puts a batch into a mailbox and gives it a number, whatever number it has.
    ///
    /// # Errors
    /// The store failed.
    fn put_mail(&mut self, mail: &Mail) -> Result<i64, StoreError>;

    /// Mail in the order of its numbers.
    ///
    /// # Errors
    /// The store failed.
    fn mail(&mut self, query: &MailQuery) -> Result<Vec<Mail>, StoreError>;

    /// Lets go what was held: it waits from now on, behind what waits already. Says how much it was.
    ///
    /// # Errors
    /// The store failed.
    fn release_mail(&mut self) -> Result<usize, StoreError>;

    /// Counts what waits in a mailbox up to a number as delivered.
    ///
    /// # Errors
    /// The store failed.
    fn mark_delivered(&mut self, recipient: &Sender, up_to: i64, at: Timestamp) -> Result<(), StoreError>;
}

impl Ledger for SqliteUnit<'_> {
    fn due(&mut self, today: Date, most: u32) -> Result<Vec<EntryKey>, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT filer, number FROM entry_summary WHERE due <= ?1 AND NOT EXISTS (
                 SELECT 1 FROM set_aside WHERE kind = 'entry_summary'
                     AND name = entry_summary.filer || ' ' || entry_summary.number)
             ORDER BY due, filer, number LIMIT ?2",
        )?;
        let keys = statement.query_map(params![today.to_string(), most], read_key)?;
        Ok(keys.collect::<Result<_, _>>()?)
    }

    fn entry_summary_keys(&mut self, filer: Option<&str>) -> Result<Vec<EntryKey>, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT filer, number FROM entry_summary WHERE ?1 IS NULL OR filer = ?1 ORDER BY filer, number",
        )?;
        let keys = statement.query_map([filer], read_key)?;
        Ok(keys.collect::<Result<_, _>>()?)
    }

    fn put_history(&mut self, step: &HistoryEntry) -> Result<(), StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO entry_summary_history
                 (filer, number, at, who, event, from_state, to_state, version_major, version_minor, remarks)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        statement.execute(params![
            step.entry.filer,
            step.entry.number,
            step.at.to_string(),
            step.by,
            step.event,
            step.from.map(ControlState::name),
            step.to.map(ControlState::name),
            step.version.major,
            step.version.minor,
            step.remarks,
        ])?;
        Ok(())
    }

    fn history(&mut self, entry: &EntryKey) -> Result<Vec<HistoryEntry>, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT at, who, event, from_state, to_state, version_major, version_minor, remarks
             FROM entry_summary_history WHERE filer = ?1 AND number = ?2 ORDER BY id",
        )?;
        let mut rows = statement.query([&entry.filer, &entry.number])?;
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            steps.push(read_history(entry, row, 0)?);
        }
        Ok(steps)
    }

    fn put_statement(&mut self, statement: &StatementKey, printed: Timestamp) -> Result<(), StoreError> {
        let StatementKey { filer, print_date, payment_type, importer } = statement;
        let mut insert = self.transaction.prepare_cached(
            "INSERT OR IGNORE INTO preliminary_statement (filer, print_date, payment_type, importer, printed)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        insert.execute(params![
            filer,
            print_date.to_string(),
            payment_type,
            importer,
            printed.to_string()
        ])?;
        Ok(())
    }

    fn is_printed(&mut self, statement: &StatementKey) -> Result<bool, StoreError> {
        let StatementKey { filer, print_date, payment_type, importer } = statement;
        let mut query = self.transaction.prepare_cached(
            "SELECT 1 FROM preliminary_statement
             WHERE filer = ?1 AND print_date = ?2 AND payment_type = ?3 AND importer = ?4",
        )?;
        Ok(query.exists(params![filer, print_date.to_string(), payment_type, importer])?)
    }

    fn put_version(&mut self, entry: &EntryKey, version: &SupersededVersion) -> Result<(), StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO entry_summary_version
                 (filer, number, version_major, version_minor, superseded, who, records)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        statement.execute(params![
            entry.filer,
            entry.number,
            version.version.major,
            version.version.minor,
            version.superseded.to_string(),
            version.by,
            pack(&version.records),
        ])?;
        Ok(())
    }

    fn versions(&mut self, entry: &EntryKey) -> Result<Vec<SupersededVersion>, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT version_major, version_minor, superseded, who, records
             FROM entry_summary_version WHERE filer = ?1 AND number = ?2 ORDER BY id",
        )?;
        let mut rows = statement.query([&entry.filer, &entry.number])?;
        let mut versions = Vec::new();
        while let Some(row) = rows.next()? {
            versions.push(read_version(row, 0)?);
        }
        Ok(versions)
    }

    fn put_mail(&mut self, mail: &Mail) -> Result<i64, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO mail (site, sender, office, filer, number, written, state, delivered, records)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        statement.execute(params![
            mail.recipient.site,
            mail.recipient.id,
            mail.recipient.office,
            mail.entry.filer,
            mail.entry.number,
            mail.written.to_string(),
            mail.state.name(),
            mail.delivered.map(|at| at.to_string()),
            pack(&mail.records),
        ])?;
        Ok(self.transaction.last_insert_rowid())
    }

    fn mail(&mut self, query: &MailQuery) -> Result<Vec<Mail>, StoreError> {
        find_mail(&self.transaction, query)
    }

    fn release_mail(&mut self) -> Result<usize, StoreError> {
        let held = find_mail(
            &self.transaction,
            &MailQuery { state: Some(MailState::Held), ..MailQuery::default() },
        )?;
        for mail in &held {
            self.transaction.prepare_cached("DELETE FROM mail WHERE id = ?1")?.execute([mail.id])?;
            // A new number: a connection that has carried later mail of the mailbox must not skip it.
            self.put_mail(&Mail { state: MailState::Waiting, ..mail.clone() })?;
        }
        Ok(held.len())
    }

    fn mark_delivered(&mut self, recipient: &Sender, up_to: i64, at: Timestamp) -> Result<(), StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "UPDATE mail SET state = 'delivered', delivered = ?5
             WHERE site = ?1 AND sender = ?2 AND office = ?3 AND state = 'waiting' AND id <= ?4",
        )?;
        statement.execute(params![recipient.site, recipient.id, recipient.office, up_to, at.to_string()])?;
        Ok(())
    }
}

/// The number of the newest mail, 0 if there has never been any.
pub(super) fn newest_mail(connection: &Connection) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT coalesce(max(id), 0) FROM mail")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Mail in the order of its numbers.
pub(super) fn find_mail(connection: &Connection, query: &MailQuery) -> Result<Vec<Mail>, StoreError> {
    let most = if query.most == 0 { -1 } else { i64::from(query.most) };
    let Some(Sender { site, id, office }) = &query.recipient else {
        let mut statement = connection.prepare_cached(
            "SELECT id, site, sender, office, filer, number, written, state, delivered, records FROM mail
             WHERE id > ?1 AND (?2 IS NULL OR state = ?2) ORDER BY id LIMIT ?3",
        )?;
        return read_all(statement.query(params![query.after, query.state.map(MailState::name), most])?);
    };
    let mut statement = connection.prepare_cached(
        "SELECT id, site, sender, office, filer, number, written, state, delivered, records FROM mail
         WHERE id > ?1 AND (?2 IS NULL OR state = ?2) AND site = ?4 AND sender = ?5 AND office = ?6
         ORDER BY id LIMIT ?3",
    )?;
    read_all(statement.query(params![
        query.after,
        query.state.map(MailState::name),
        most,
        site,
        id,
        office
    ])?)
}

/// The first mail that waits in a mailbox behind a number.
pub(super) fn next_mail(
    connection: &Connection,
    Sender { site, id, office }: &Sender,
    after: i64,
) -> Result<Option<Mail>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, site, sender, office, filer, number, written, state, delivered, records FROM mail
         WHERE state = 'waiting' AND site = ?1 AND sender = ?2 AND office = ?3 AND id > ?4
             AND NOT EXISTS (SELECT 1 FROM set_aside WHERE kind = 'mail' AND name = CAST(mail.id AS TEXT))
         ORDER BY id LIMIT 1",
    )?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, read_mail(row, 0)));
    match statement.query_row(params![site, id, office, after], read).optional()? {
        None => Ok(None),
        Some((_, Ok(mail))) => Ok(Some(mail)),
        Some((number, Err(source))) => Err(StoreError::DamagedMail { number, source: Box::new(source) }),
    }
}

fn read_all(mut rows: rusqlite::Rows<'_>) -> Result<Vec<Mail>, StoreError> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read_mail(row, 0)?);
    }
    Ok(found)
}

/// A step out of a row whose columns begin at a place.
pub(super) fn read_history(entry: &EntryKey, row: &Row<'_>, at: usize) -> Result<HistoryEntry, StoreError> {
    let state = |index, column| -> Result<Option<ControlState>, StoreError> {
        row.get::<_, Option<String>>(at + index)?.map(|name| control_state(column, &name)).transpose()
    };
    Ok(HistoryEntry {
        entry: entry.clone(),
        at: timestamp("entry_summary_history.at", &row.get::<_, String>(at)?)?,
        by: row.get(at + 1)?,
        event: row.get(at + 2)?,
        from: state(3, "entry_summary_history.from_state")?,
        to: state(4, "entry_summary_history.to_state")?,
        version: Version { major: row.get(at + 5)?, minor: row.get(at + 6)? },
        remarks: row.get(at + 7)?,
    })
}

/// What a summary was, out of a row whose columns begin at a place.
pub(super) fn read_version(row: &Row<'_>, at: usize) -> Result<SupersededVersion, StoreError> {
    Ok(SupersededVersion {
        version: Version { major: row.get(at)?, minor: row.get(at + 1)? },
        superseded: timestamp("entry_summary_version.superseded", &row.get::<_, String>(at + 2)?)?,
        by: row.get(at + 3)?,
        records: unpack("entry_summary_version.records", &row.get::<_, Vec<u8>>(at + 4)?)?,
    })
}

/// Mail out of a row whose columns begin at a place.
pub(super) fn read_mail(row: &Row<'_>, at: usize) -> Result<Mail, StoreError> {
    let text = |index: usize| row.get::<_, String>(at + index);
    let state = text(7)?;
    let delivered = row.get::<_, Option<String>>(at + 8)?;
    Ok(Mail {
        id: row.get(at)?,
        recipient: Sender { site: text(1)?, id: text(2)?, office: text(3)? },
        entry: EntryKey { filer: text(4)?, number: text(5)? },
        written: timestamp("mail.written", &text(6)?)?,
        state: MailState::ALL
            .into_iter()
            .find(|known| known.name() == state)
            .ok_or(StoreError::Damaged { column: "mail.state", found: state })?,
        delivered: delivered.map(|at| timestamp("mail.delivered", &at)).transpose()?,
        records: unpack("mail.records", &row.get::<_, Vec<u8>>(at + 9)?)?,
    })
}

fn read_key(row: &Row<'_>) -> rusqlite::Result<EntryKey> {
    Ok(EntryKey { filer: row.get(0)?, number: row.get(1)? })
}

/// The state with this name.
pub(super) fn control_state(column: &'static str, name: &str) -> Result<ControlState, StoreError> {
    let known = ControlState::ALL.into_iter().find(|known| known.name() == name);
    known.ok_or_else(|| StoreError::Damaged { column, found: name.to_owned() })
}
