//! A world file as its operator wrote it, with rows added and nothing else changed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use super::super::super::output;
use crate::grammar::{Direction, Grammar};
use crate::host::{FilerKind, World};

/// The text of a world file.
pub(super) struct WorldText {
    path: PathBuf,
    document: DocumentMut,
}

/// A row of the table `sender`.
pub(super) struct NewSender<'a> {
    pub(super) site: &'a str,
    pub(super) id: &'a str,
    /// Its offices beside the nameless one.
    pub(super) offices: &'a [String],
    pub(super) password_hash: &'a str,
    pub(super) certificate: Option<&'a str>,
    pub(super) filers: &'a [String],
}

/// A row of the table `filer`.
pub(super) struct NewFiler<'a> {
    pub(super) code: &'a str,
    pub(super) name: &'a str,
    pub(super) kind: FilerKind,
    pub(super) ports: &'a [String],
    pub(super) applications: &'a [String],
    /// Its offices beside the nameless one.
    pub(super) offices: &'a [String],
}

/// A code in upper case that fills its columns in a control record.
pub(super) fn code(grammar: &Grammar, field: &str, option: &str, text: &str) -> anyhow::Result<String> {
    let mut layouts =
        ["A", "B"].into_iter().flat_map(|record| grammar.variants("*", Direction::Input, record));
    let cell = layouts.find_map(|layout| layout.cell(field).ok());
    let cell = cell.with_context(|| format!("the grammar has no field {field}"))?;
    let upper = text.to_ascii_uppercase();
    if upper.len() != cell.width() || !upper.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        bail!("--{option} {text:?}: write {} letters or digits", cell.width());
    }
    Ok(upper)
}

impl WorldText {
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let named = || format!("world {}", path.display());
        let text = fs::read_to_string(path).with_context(named)?;
        // the text of a wrong line is not shown: a party's number may stand in it
        let wrong = |error: toml_edit::TomlError| {
            let offset = error.span().map_or(0, |span| span.start);
            let line = text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
            anyhow!("line {line}: {}", error.message())
        };
        let document = text.parse::<DocumentMut>().map_err(wrong).with_context(named)?;
        Ok(Self { path: path.to_owned(), document })
    }

    fn rows(&self, table: &str) -> impl Iterator<Item = &Table> {
        self.document.get(table).and_then(Item::as_array_of_tables).into_iter().flatten()
    }

    fn has(&self, table: &str, columns: &[(&str, &str)]) -> bool {
        let is_it = |row: &Table| {
            columns.iter().all(|(column, text)| row.get(column).and_then(Item::as_str) == Some(text))
        };
        self.rows(table).any(is_it)
    }

    pub(super) fn has_filer(&self, code: &str) -> bool {
        self.has("filer", &[("code", code)])
    }

    /// The codes of its ports, in their order.
    pub(super) fn ports(&self) -> Vec<String> {
        let codes = self.rows("port").filter_map(|row| row.get("code").and_then(Item::as_str));
        codes.map(str::to_owned).collect()
    }

    pub(super) fn refuse_sender(&self, site: &str, id: &str) -> anyhow::Result<()> {
        if self.has("sender", &[("site", site), ("id", id)]) {
            bail!("{} has a sender {site} {id} already", self.path.display());
        }
        Ok(())
    }

    /// A certificate that is made is that of one sender only.
    pub(super) fn refuse_certificate(&self, name: &str) -> anyhow::Result<()> {
        if self.has("sender", &[("certificate", name)]) {
            bail!(
                "{} has a sender with the certificate {name} already: choose another --name, or say \
                 --certificate {name} if this sender shows the same one",
                self.path.display()
            );
        }
        Ok(())
    }

    pub(super) fn add_sender(&mut self, sender: &NewSender<'_>) -> anyhow::Result<()> {
        let mut row = Table::new();
        row["site"] = value(sender.site);
        row["id"] = value(sender.id);
        row["offices"] = value(offices(sender.offices));
        row["password_hash"] = value(sender.password_hash);
        if let Some(certificate) = sender.certificate {
            row["certificate"] = value(certificate);
        }
        row["filers"] = value(sender.filers.iter().collect::<Array>());
        self.push("sender", row)
    }

    pub(super) fn add_filer(&mut self, filer: &NewFiler<'_>) -> anyhow::Result<()> {
        if filer.ports.is_empty() {
            bail!("{} has no ports: name those of filer {} with --port", self.path.display(), filer.code);
        }
        let is_broker = filer.kind == FilerKind::Broker;
        let mut row = Table::new();
        row["code"] = value(filer.code);
        row["name"] = value(filer.name);
        row["kind"] = value(if is_broker { "broker" } else { "importer" });
        row["national_permit"] = value(is_broker);
        row["ports"] = value(filer.ports.iter().collect::<Array>());
        row["applications"] = value(filer.applications.iter().collect::<Array>());
        row["offices"] = value(offices(filer.offices));
        row["statements"] = value(true);
        row["periodic_statements"] = value(true);
        row["electronic_invoice"] = value(true);
        self.push("filer", row)
    }

    fn push(&mut self, table: &str, row: Table) -> anyhow::Result<()> {
        let path = &self.path;
        let rows = self.document.entry(table).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        let rows = rows.as_array_of_tables_mut().with_context(|| {
            format!("{}: write `{table}` as tables, each beginning with [[{table}]]", path.display())
        })?;
        rows.push(row);
        Ok(())
    }

    /// Whether it is a world with what was added.
    pub(super) fn check(&self, grammar: &Grammar) -> anyhow::Result<()> {
        let checked = World::parse(&self.document.to_string(), grammar);
        checked.map(drop).with_context(|| format!("world {}", self.path.display()))
    }

    pub(super) fn write(&self) -> anyhow::Result<()> {
        output::write_file(&self.path, self.document.to_string().as_bytes())
    }
}

/// The nameless office and these.
fn offices(named: &[String]) -> Array {
    std::iter::once("").chain(named.iter().map(String::as_str)).collect()
}
