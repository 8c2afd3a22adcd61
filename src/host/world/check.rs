//! Whether a world agrees with itself.

use argon2::password_hash::phc::PasswordHash;
use jiff::Zoned;

use super::reference::masked;
use super::{WorldError, WorldFile};
use crate::grammar::Grammar;

/// Every name that a row of one table has in another must stand there.
pub(super) fn check(file: &WorldFile, grammar: &Grammar) -> Result<(), WorldError> {
    check_profiles(file, grammar)?;
    check_bonds(file)?;
    check_filed(file)
}

/// The world's clock.
pub(super) fn clock(text: Option<&str>) -> Result<Option<Zoned>, WorldError> {
    let invalid = |_| WorldError::Invalid {
        table: "world",
        key: text.unwrap_or_default().to_owned(),
        column: "clock",
        expected: "date and time with a zone, such as 2026-08-03T12:00:00-04:00[America/New_York]",
    };
    text.map(str::parse).transpose().map_err(invalid)
}

fn check_profiles(file: &WorldFile, grammar: &Grammar) -> Result<(), WorldError> {
    let is_application = |code: &String| grammar.application(code).is_some();
    for code in &file.unavailable_applications {
        let row = Row { table: "world", key: String::new() };
        row.names("unavailable_applications", code, "the applications", is_application(code))?;
    }
    for (index, sender) in file.sender.iter().enumerate() {
        let row = Row { table: "sender", key: format!("{} {}", sender.site, sender.id) };
        let same = |other: &&super::SenderProfile| other.site == sender.site && other.id == sender.id;
        if file.sender[..index].iter().any(|other| same(&other)) {
            return Err(WorldError::Twice { table: "sender", key: row.key });
        }
        if PasswordHash::new(&sender.password_hash).is_err() {
            return Err(row.invalid("password_hash", "argon2 hash"));
        }
        for code in &sender.filers {
            row.names("filers", code, "filer", file.filer.iter().any(|filer| filer.code == *code))?;
        }
    }
    for filer in &file.filer {
        let row = Row { table: "filer", key: filer.code.clone() };
        if filer.check_digit_offsets.iter().any(|offset| *offset > 9) {
            return Err(row.invalid("check_digit_offsets", "list of digits"));
        }
        for port in &filer.ports {
            row.names("ports", port, "port", file.has_port(port))?;
        }
        for code in &filer.applications {
            row.names("applications", code, "the applications", is_application(code))?;
        }
    }
    Ok(())
}

fn check_bonds(file: &WorldFile) -> Result<(), WorldError> {
    for bond in file.bond.iter().flatten() {
        let row = Row { table: "bond", key: bond.number.clone() };
        row.names("importer", &bond.importer, "importer", file.has_importer(&bond.importer))?;
        row.names("surety", &bond.surety, "surety", file.has_surety(&bond.surety))?;
    }
    for bond in file.single_transaction_bond.iter().flatten() {
        let row =
            Row { table: "single_transaction_bond", key: format!("{} {}", bond.filer, bond.entry_number) };
        row.names("filer", &bond.filer, "filer", file.has_filer(&bond.filer))?;
        row.names("importer", &bond.importer, "importer", file.has_importer(&bond.importer))?;
        row.names("surety", &bond.surety, "surety", file.has_surety(&bond.surety))?;
    }
    for case in file.case.iter().flatten() {
        let row = Row { table: "case", key: case.number.clone() };
        if case.rate.parse::<rust_decimal::Decimal>().is_err() {
            return Err(row.invalid("rate", "decimal number"));
        }
        for (column, code) in [("manufacturer", &case.manufacturer), ("exporter", &case.exporter)] {
            if let Some(code) = code {
                let known = file.manufacturer.iter().flatten().any(|row| row.code == *code);
                row.names(column, code, "manufacturer", known)?;
            }
        }
    }
    Ok(())
}

fn check_filed(file: &WorldFile) -> Result<(), WorldError> {
    for release in file.release.iter().flatten() {
        let row = Row { table: "release", key: format!("{} {}", release.filer, release.entry_number) };
        row.names("filer", &release.filer, "filer", file.has_filer(&release.filer))?;
        row.names("port", &release.port, "port", file.has_port(&release.port))?;
    }
    for (index, summary) in file.entry_summary.iter().enumerate() {
        let row = Row { table: "entry_summary", key: format!("{} {}", summary.filer, summary.entry_number) };
        let same = |other: &super::FiledSummary| {
            other.filer == summary.filer && other.entry_number == summary.entry_number
        };
        if file.entry_summary[..index].iter().any(same) {
            return Err(WorldError::Twice { table: "entry_summary", key: row.key });
        }
        row.names("filer", &summary.filer, "filer", file.has_filer(&summary.filer))?;
        row.names("port", &summary.port, "port", file.has_port(&summary.port))?;
        row.names("importer", &summary.importer, "importer", file.has_importer(&summary.importer))?;
    }
    Ok(())
}

impl WorldFile {
    fn has_filer(&self, code: &str) -> bool {
        self.filer.iter().any(|filer| filer.code == code)
    }

    fn has_port(&self, code: &str) -> bool {
        self.port.iter().flatten().any(|port| port.code == code)
    }

    fn has_importer(&self, number: &str) -> bool {
        self.importer.iter().flatten().any(|importer| importer.number == number)
    }

    fn has_surety(&self, code: &str) -> bool {
        self.surety.iter().flatten().any(|surety| surety.code == code)
    }
}

/// The row at hand, for errors.
struct Row {
    table: &'static str,
    key: String,
}

impl Row {
    fn names(
        &self,
        column: &'static str,
        value: &str,
        target: &'static str,
        known: bool,
    ) -> Result<(), WorldError> {
        if known {
            return Ok(());
        }
        let value = if column == "importer" { masked(value) } else { value.to_owned() };
        let key = self.key.clone();
        Err(WorldError::Unknown { table: self.table, key, column, value, target })
    }

    fn invalid(&self, column: &'static str, expected: &'static str) -> WorldError {
        WorldError::Invalid { table: self.table, key: self.key.clone(), column, expected }
    }
}
