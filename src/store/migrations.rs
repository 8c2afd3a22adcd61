//! The schema, as the steps that led to it; a step that has been released is never changed.

/// The steps. A store's version is how many of them it has seen.
pub(super) const MIGRATIONS: [&str; 2] = [
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
];
