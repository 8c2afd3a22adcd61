//! The schema, as the steps that led to it; a step that has been released is never changed.

/// The steps. A store's version is how many of them it has seen.
pub(super) const MIGRATIONS: [&str; 7] = [
    "
    CREATE TABLE entry_summary (
        filer             TEXT NOT NULL,
        number            TEXT NOT NULL,
        port              TEXT NOT NULL,
        entry_type        TEXT NOT NULL,
        importer          TEXT NOT NULL,
        broker_reference  TEXT NOT NULL,
        state             TEXT NOT NULL,
        corrected         INTEGER NOT NULL,
        reconciled        INTEGER NOT NULL,
        version_major     INTEGER NOT NULL,
        version_minor     INTEGER NOT NULL,
        entry_date        TEXT,
        import_date       TEXT,
        liquidation_date  TEXT,
        warehouse_filer   TEXT,
        warehouse_number  TEXT,
        final_withdrawal  INTEGER NOT NULL,
        records           BLOB NOT NULL,
        added             TEXT NOT NULL,
        changed           TEXT NOT NULL,
        PRIMARY KEY (filer, number)
    ) STRICT;
    CREATE INDEX entry_summary_warehouse ON entry_summary (warehouse_filer, warehouse_number);
    CREATE TABLE consolidated_release (
        filer          TEXT NOT NULL,
        number         TEXT NOT NULL,
        into_filer     TEXT NOT NULL,
        into_number    TEXT NOT NULL,
        PRIMARY KEY (filer, number)
    ) STRICT;
    CREATE INDEX consolidated_release_into ON consolidated_release (into_filer, into_number);
    CREATE TABLE batch (
        id        INTEGER PRIMARY KEY,
        received  TEXT NOT NULL,
        sender    TEXT NOT NULL,
        records   BLOB NOT NULL,
        answer    BLOB NOT NULL
    ) STRICT;
",
    "
    CREATE TABLE census_warning (
        filer     TEXT NOT NULL,
        number    TEXT NOT NULL,
        port      TEXT NOT NULL,
        accepted  TEXT NOT NULL,
        line      TEXT NOT NULL,
        hts       TEXT NOT NULL,
        code      TEXT NOT NULL,
        override  TEXT
    ) STRICT;
    CREATE INDEX census_warning_entry ON census_warning (filer, number, line, code);
    CREATE INDEX census_warning_open ON census_warning (filer, accepted) WHERE override IS NULL;
",
    "
    ALTER TABLE entry_summary ADD COLUMN due TEXT;
    ALTER TABLE entry_summary ADD COLUMN standing TEXT NOT NULL DEFAULT '{}';
    UPDATE entry_summary SET standing = '{\"was_controlled\":true}' WHERE state <> 'trade_control';
    UPDATE entry_summary SET standing = '{\"version_due\":true,\"was_controlled\":true}' WHERE state = 'rejected';
    UPDATE entry_summary SET due = liquidation_date WHERE state = 'paid';
    CREATE INDEX entry_summary_due ON entry_summary (due, filer, number) WHERE due IS NOT NULL;
    CREATE TABLE entry_summary_history (
        id             INTEGER PRIMARY KEY,
        filer          TEXT NOT NULL,
        number         TEXT NOT NULL,
        at             TEXT NOT NULL,
        who            TEXT NOT NULL,
        event          TEXT NOT NULL,
        from_state     TEXT,
        to_state       TEXT,
        version_major  INTEGER NOT NULL,
        version_minor  INTEGER NOT NULL,
        remarks        TEXT NOT NULL
    ) STRICT;
    CREATE INDEX entry_summary_history_entry ON entry_summary_history (filer, number);
    CREATE TABLE mail (
        id         INTEGER PRIMARY KEY AUTOINCREMENT,
        site       TEXT NOT NULL,
        sender     TEXT NOT NULL,
        office     TEXT NOT NULL,
        filer      TEXT NOT NULL,
        number     TEXT NOT NULL,
        written    TEXT NOT NULL,
        state      TEXT NOT NULL,
        delivered  TEXT,
        records    BLOB NOT NULL
    ) STRICT;
    CREATE INDEX mail_waiting ON mail (site, sender, office, id) WHERE state = 'waiting';
    CREATE INDEX mail_held ON mail (id) WHERE state = 'held';
",
    // Marks of CBP on a summary, words with a space between them.
    "ALTER TABLE entry_summary ADD COLUMN marks TEXT NOT NULL DEFAULT '';",
    // What a summary was before it was replaced or corrected. A correction leaves the version as it is, so
    // that several rows may have the same.
    "
    CREATE TABLE entry_summary_version (
        id             INTEGER PRIMARY KEY,
        filer          TEXT NOT NULL,
        number         TEXT NOT NULL,
        version_major  INTEGER NOT NULL,
        version_minor  INTEGER NOT NULL,
        superseded     TEXT NOT NULL,
        who            TEXT NOT NULL,
        records        BLOB NOT NULL
    ) STRICT;
    CREATE INDEX entry_summary_version_entry ON entry_summary_version (filer, number);
",
    // Statements that were printed before their day.
    "
    CREATE TABLE preliminary_statement (
        filer         TEXT NOT NULL,
        print_date    TEXT NOT NULL,
        payment_type  TEXT NOT NULL,
        importer      TEXT NOT NULL,
        printed       TEXT NOT NULL,
        PRIMARY KEY (filer, print_date, payment_type, importer)
    ) STRICT, WITHOUT ROWID;
",
    // Marks of the store itself. A store that holds anything has had its world loaded.
    // What cannot be read or worked on, and is left out until somebody has looked at it.
    // By its digest a batch is known again whose answer may not have arrived; the numbers are those of the
    // steps that it left in the histories.
    "
    CREATE TABLE mark (
        name  TEXT NOT NULL PRIMARY KEY,
        at    TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO mark (name, at) SELECT 'world_loaded', ''
        WHERE EXISTS (SELECT 1 FROM entry_summary) OR EXISTS (SELECT 1 FROM entry_summary_history)
            OR EXISTS (SELECT 1 FROM batch);
    CREATE TABLE set_aside (
        kind     TEXT NOT NULL,
        name     TEXT NOT NULL,
        at       TEXT NOT NULL,
        reason   TEXT NOT NULL,
        records  BLOB NOT NULL,
        PRIMARY KEY (kind, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE unarrived (
        batch         INTEGER PRIMARY KEY,
        sender        TEXT NOT NULL,
        digest        BLOB NOT NULL,
        received      TEXT NOT NULL,
        history_from  INTEGER NOT NULL,
        history_to    INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX unarrived_digest ON unarrived (sender, digest);
",
];
