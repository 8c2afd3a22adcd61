//! Whether a world agrees with itself.

use argon2::password_hash::phc::PasswordHash;
use jiff::Zoned;

use super::reference::{key_of, masked};
use super::tables::Tables;
use super::{WorldError, WorldFile};
use crate::grammar::Grammar;

/// Every name that a row of one table has in another must stand there.
pub(super) fn check(file: &WorldFile, tables: &Tables, grammar: &Grammar) -> Result<(), WorldError> {
    let names = Names { file, tables };
    check_profiles(&names, grammar)?;
    check_tables(&names)?;
    check_filed(&names)
}

/// The world's clock.
pub(super) fn clock(text: Option<&str>) -> Result<Option<Zoned>, WorldError> {
    let invalid = |_| WorldError::Invalid {
        line: None,
        table: "world".to_owned(),
        key: text.unwrap_or_default().to_owned(),
        column: "clock".to_owned(),
        expected: "date and time with a zone, such as 2026-08-03T12:00:00-04:00[America/New_York]".to_owned(),
    };
    text.map(str::parse).transpose().map_err(invalid)
}

/// What a world file has rows of.
struct Names<'a> {
    file: &'a WorldFile,
    tables: &'a Tables,
}

fn check_profiles(names: &Names<'_>, grammar: &Grammar) -> Result<(), WorldError> {
    let file = names.file;
    let is_application = |code: &String| grammar.application(code).is_some();
    for code in &file.unavailable_applications {
        let row = Row { table: "world", key: String::new() };
        row.names("unavailable_applications", code, "the applications", is_application(code))?;
    }
    for (index, sender) in file.sender.iter().enumerate() {
        let row = Row { table: "sender", key: format!("{} {}", sender.site, sender.id) };
        let same = |other: &&super::SenderProfile| other.site == sender.site && other.id == sender.id;
        if file.sender[..index].iter().any(|other| same(&other)) {
            return Err(WorldError::Twice { table: "sender".to_owned(), key: row.key });
        }
        if PasswordHash::new(&sender.password_hash).is_err() {
            return Err(row.invalid("password_hash", "argon2 hash"));
        }
        for code in &sender.filers {
            row.names("filers", code, "filer", names.has("filer", code))?;
        }
    }
    for filer in &file.filer {
        let row = Row { table: "filer", key: filer.code.clone() };
        if filer.check_digit_offsets.iter().any(|offset| *offset > 9) {
            return Err(row.invalid("check_digit_offsets", "list of digits"));
        }
        for port in &filer.ports {
            row.names("ports", port, "port", names.has("port", port))?;
        }
        for code in &filer.applications {
            row.names("applications", code, "the applications", is_application(code))?;
        }
    }
    Ok(())
}

fn check_tables(names: &Names<'_>) -> Result<(), WorldError> {
    let mut tables = names.tables.values().collect::<Vec<_>>();
    tables.sort_unstable_by_key(|table| &table.kind().name);
    for table in tables {
        let kind = table.kind();
        for row in 0..table.len() {
            let cells = table.row(row).map(str::to_owned).collect::<Vec<_>>();
            for (column, cell) in kind.columns.iter().zip(&cells) {
                let Some(target) = &column.refers else { continue };
                let Some(unknown) = column.values(cell).find(|value| !names.has(target, value)) else {
                    continue;
                };
                return Err(WorldError::Unknown {
                    table: kind.name.clone(),
                    key: key_of(kind, &cells),
                    column: column.name.clone(),
                    value: if column.is_private() { masked(unknown) } else { unknown.to_owned() },
                    target: target.clone(),
                });
            }
        }
    }
    Ok(())
}

fn check_filed(names: &Names<'_>) -> Result<(), WorldError> {
    let filed = &names.file.entry_summary;
    for (index, summary) in filed.iter().enumerate() {
        let row = Row { table: "entry_summary", key: format!("{} {}", summary.filer, summary.entry_number) };
        let same = |other: &super::FiledSummary| {
            other.filer == summary.filer && other.entry_number == summary.entry_number
        };
        if filed[..index].iter().any(same) {
            return Err(WorldError::Twice { table: "entry_summary".to_owned(), key: row.key });
        }
        row.names("filer", &summary.filer, "filer", names.has("filer", &summary.filer))?;
        row.names("port", &summary.port, "port", names.has("port", &summary.port))?;
        row.names("importer", &summary.importer, "importer", names.has("importer", &summary.importer))?;
    }
    Ok(())
}

impl Names<'_> {
    fn has(&self, table: &str, key: &str) -> bool {
        if table == "filer" {
            return self.file.filer.iter().any(|filer| filer.code == key);
        }
        self.tables.get(table).is_some_and(|table| table.find(key).is_some())
    }
}

/// The row at hand, for errors.
struct Row {
    table: &'static str,
    key: String,
}

impl Row {
    fn names(&self, column: &str, value: &str, target: &str, known: bool) -> Result<(), WorldError> {
        if known {
            return Ok(());
        }
        Err(WorldError::Unknown {
            table: self.table.to_owned(),
            key: self.key.clone(),
            column: column.to_owned(),
            value: if column == "importer" { masked(value) } else { value.to_owned() },
            target: target.to_owned(),
        })
    }

    fn invalid(&self, column: &str, expected: &str) -> WorldError {
        WorldError::Invalid {
            line: None,
            table: self.table.to_owned(),
            key: self.key.clone(),
            column: column.to_owned(),
            expected: expected.to_owned(),
        }
    }
}
