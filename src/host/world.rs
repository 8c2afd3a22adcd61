//! The world a host answers from: who may transmit and file, and what is on file about ports, parties,
//! bonds, tariff numbers and cases. A TOML file says all of it; `samples/world.toml` is the built-in one.

mod check;
mod profiles;
mod reference;
mod tables;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use jiff::Zoned;
use serde::Deserialize;

use crate::grammar::Grammar;
use crate::rules::Reference;
use crate::tariff::Tariff;

pub use profiles::{FilerKind, FilerProfile, SenderProfile};
pub use tables::{FiledSummary, Release};

pub(super) use profiles::PeerDirectory;

use reference::ReferenceTable;

/// Who may transmit, and what is on file. Its `Debug` shows no party's number.
#[derive(Clone)]
pub struct World {
    clock: Option<Zoned>,
    unavailable_applications: Vec<String>,
    senders: Vec<SenderProfile>,
    filers: HashMap<String, FilerProfile>,
    entry_summaries: Vec<FiledSummary>,
    reference: HashMap<&'static str, ReferenceTable>,
}

/// A world that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is no TOML, or has a table or a key that worlds do not have. The line is not shown: it may
    /// hold a party's number.
    #[error("line {line}: {message}")]
    Syntax {
        /// The line, counted from one.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// Two rows of a table are about the same thing.
    #[error("{table}: {key:?} stands there twice")]
    Twice {
        /// The table.
        table: &'static str,
        /// The key of the two rows.
        key: String,
    },
    /// A row names something that no table has.
    #[error("{table} {key:?}: {column} {value:?} is not in {target}")]
    Unknown {
        /// The table.
        table: &'static str,
        /// The key of the row.
        key: String,
        /// The column that names it.
        column: &'static str,
        /// What it names.
        value: String,
        /// Where that should stand.
        target: &'static str,
    },
    /// A value that is not what the column holds.
    #[error("{table} {key:?}: {column} is no {expected}")]
    Invalid {
        /// The table.
        table: &'static str,
        /// The key of the row.
        key: String,
        /// The column.
        column: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// What a world file may hold. A reference table that is left out is not on file at all, and no
/// condition that depends on it is raised; an empty one knows nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorldFile {
    clock: Option<String>,
    #[serde(default)]
    unavailable_applications: Vec<String>,
    #[serde(default)]
    sender: Vec<SenderProfile>,
    #[serde(default)]
    filer: Vec<FilerProfile>,
    port: Option<Vec<tables::Port>>,
    importer: Option<Vec<tables::Importer>>,
    surety: Option<Vec<tables::Surety>>,
    bond: Option<Vec<tables::Bond>>,
    single_transaction_bond: Option<Vec<tables::SingleTransactionBond>>,
    manufacturer: Option<Vec<tables::Manufacturer>>,
    carrier: Option<Vec<tables::Carrier>>,
    firms: Option<Vec<tables::Firms>>,
    foreign_port: Option<Vec<tables::ForeignPort>>,
    tariff: Option<Vec<tables::Tariff>>,
    case: Option<Vec<tables::Case>>,
    release: Option<Vec<Release>>,
    #[serde(default)]
    entry_summary: Vec<FiledSummary>,
}

impl World {
    /// The file of the demo world, as it comes with the program.
    pub const DEMO: &str = include_str!("../../samples/world.toml");

    /// The demo world.
    ///
    /// # Errors
    /// None, as its tests show; the signature is that of any world.
    pub fn demo(grammar: &Grammar) -> Result<Self, WorldError> {
        Self::parse(Self::DEMO, grammar)
    }

    /// The world of a file.
    ///
    /// # Errors
    /// The file cannot be read, or what it says contradicts itself.
    pub fn open(path: &Path, grammar: &Grammar) -> Result<Self, WorldError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| WorldError::Read { path: path.display().to_string(), source })?;
        Self::parse(&text, grammar)
    }

    /// The world that a text describes; the grammar says which applications there are.
    ///
    /// # Errors
    /// The text is no TOML, or what it says contradicts itself.
    pub fn parse(text: &str, grammar: &Grammar) -> Result<Self, WorldError> {
        let file: WorldFile = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let line = text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1;
            WorldError::Syntax { line, message: error.message().to_owned() }
        })?;
        check::check(&file, grammar)?;
        let clock = check::clock(file.clock.as_deref())?;
        let reference = reference::tables(&file)?;
        Ok(Self {
            clock,
            unavailable_applications: file.unavailable_applications,
            senders: file.sender,
            filers: file.filer.into_iter().map(|filer| (filer.code.clone(), filer)).collect(),
            entry_summaries: file.entry_summary,
            reference,
        })
    }

    /// The time at which the world stands still, if it does.
    #[must_use]
    pub fn clock(&self) -> Option<&Zoned> {
        self.clock.as_ref()
    }

    /// Who may transmit.
    #[must_use]
    pub fn senders(&self) -> &[SenderProfile] {
        &self.senders
    }

    /// The filer with this code.
    #[must_use]
    pub fn filer(&self, code: &str) -> Option<&FilerProfile> {
        self.filers.get(code)
    }

    /// The summaries that a new store begins with.
    #[must_use]
    pub fn entry_summaries(&self) -> &[FiledSummary] {
        &self.entry_summaries
    }

    /// Whether a list has a code; `None` if the world does not hold the list.
    #[must_use]
    pub fn lists(&self, list: &str, code: &str) -> Option<bool> {
        self.reference.get(list).map(|table| table.has(code))
    }

    /// The codes of a list, sorted; none if the world does not hold it.
    #[must_use]
    pub fn codes(&self, list: &str) -> Vec<&str> {
        self.reference.get(list).map(ReferenceTable::codes).unwrap_or_default()
    }

    /// A column of a code's row.
    #[must_use]
    pub fn column(&self, list: &str, code: &str, column: &str) -> Option<&str> {
        self.reference.get(list)?.value(code, column)
    }
}

impl fmt::Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("World")
            .field("clock", &self.clock)
            .field("senders", &self.senders)
            .field("filers", &self.filers)
            .finish_non_exhaustive()
    }
}

impl Reference for World {
    fn has(&self, list: &str, code: &str) -> Option<bool> {
        self.lists(list, code)
    }

    fn value(&self, list: &str, code: &str, column: &str) -> Option<String> {
        self.column(list, code, column).map(str::to_owned)
    }

    fn tariff(&self) -> Option<&Tariff> {
        Tariff::builtin().ok()
    }

    fn check_digit_offsets(&self, filer: &str) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.filer(filer).map_or(&[0], FilerProfile::check_digit_offsets))
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn parse(text: &str) -> Result<World, WorldError> {
        World::parse(text, Grammar::builtin())
    }

    #[test]
    fn the_demo_world_agrees_with_itself() {
        let world = World::demo(Grammar::builtin()).unwrap();
        assert_eq!(world.lists("schedule_d", "2704"), Some(true));
        assert_eq!(world.lists("schedule_d", "2799"), Some(false));
        assert_eq!(world.column("hts", "3924104000", "units"), Some("NO KG"));
        assert_eq!(world.column("firms", "Z001", "cargo"), Some("false"));
        assert_eq!(world.column("bond", "28-3140001RT", "effective"), Some("2024-01-15"));
        assert_eq!(world.filer("CU1").map(FilerProfile::check_digit_offsets), Some(&[0, 1][..]));
    }

    #[test]
    fn what_a_world_leaves_out_is_not_judged() {
        let world = parse("").unwrap();
        assert_eq!(world.lists("importer", "28-3140001RT"), None);
        assert_eq!(world.lists("no such list", "X"), None);
        let empty = parse("importer = []").unwrap();
        assert_eq!(empty.lists("importer", "28-3140001RT"), Some(false));
    }

    #[test]
    fn errors_name_table_and_key() {
        let filer = "[[filer]]\ncode = \"EEE\"\nname = \"E\"\nkind = \"broker\"\n";
        let cases = [
            ("\nclok = \"\"", "line 2: unknown field `clok`"),
            ("clock = \"noon\"", "clock is no date and time"),
            (
                "unavailable_applications = [\"ZZ\"]",
                "unavailable_applications \"ZZ\" is not in the applications",
            ),
            (
                &format!("{filer}ports = [\"2704\"]\napplications = []"),
                "filer \"EEE\": ports \"2704\" is not in port",
            ),
            (
                &format!("{filer}ports = []\napplications = [\"ZZ\"]"),
                "filer \"EEE\": applications \"ZZ\" is not in the applications",
            ),
            (
                &format!("{filer}ports = []\napplications = []\n{filer}ports = []\napplications = []"),
                "filer: \"EEE\" stands there twice",
            ),
            (
                "[[sender]]\nsite = \"2704\"\nid = \"EEE\"\npassword_hash = \"secret\"\nfilers = []",
                "sender \"2704 EEE\": password_hash is no argon2 hash",
            ),
            (
                "[[surety]]\ncode = \"457\"\nname = \"L\"\n[[surety]]\ncode = \"457\"\nname = \"M\"",
                "surety: \"457\" stands there twice",
            ),
            (
                "[[bond]]\nimporter = \"28-3140001\"\nkind = \"continuous\"\nnumber = \"1\"\nsurety = \"457\"\n\
                 activity = \"1\"\neffective = \"2026-01-01\"",
                "bond \"1\": importer \"*******001\" is not in importer",
            ),
        ];
        for (text, message) in cases {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
            assert!(!error.contains("secret"));
        }
    }
}
