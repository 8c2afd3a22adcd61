//! The world a host answers from: who may transmit and file, and what is on file about ports, parties,
//! bonds, tariff numbers and cases. A TOML file says all of it; `samples/world.toml` is the built-in one.

mod check;
mod file;
mod in_force;
mod kind;
mod profiles;
mod reference;
mod schedules;
mod tables;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Zoned;
use jiff::civil::Date;
use serde::Deserialize;
use toml::de::DeTable;

use crate::grammar::{Grammar, UnknownName};
use crate::rules::{ColumnName, ListName, Reference, Row};
use crate::tariff::{Article, Tariff};
use crate::wire::read_text;

pub use file::{ReferenceFile, ReferenceFileError, RowProblem};
pub use kind::{ReferenceColumn, ReferenceKind, ReferenceKinds};
pub use profiles::{FilerKind, FilerProfile, SenderProfile};
pub use reference::ReferenceTable;
pub use tables::FiledSummary;

pub(super) use profiles::PeerDirectory;

use super::census::{self, Parameter, ParameterTable};
use in_force::References;

/// The folder of reference data beside a world file that names none.
const REFERENCE_FOLDER: &str = "reference";

/// Who may transmit, and what is on file. Its `Debug` shows no party's number.
#[derive(Clone)]
pub struct World {
    clock: Option<Zoned>,
    unavailable_applications: Vec<String>,
    senders: Vec<SenderProfile>,
    filers: HashMap<String, FilerProfile>,
    entry_summaries: Vec<FiledSummary>,
    /// The folder of reference data, as the world file names it.
    reference: Option<PathBuf>,
    kinds: Arc<ReferenceKinds>,
    references: References,
    census: ParameterTable,
    /// The tariff with schedules of the world's own, if it has any.
    tariff: Option<Arc<Tariff>>,
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
        table: String,
        /// The key of the two rows.
        key: String,
    },
    /// A row names something that no table has.
    #[error("{table} {key:?}: {column} {value:?} is not in {target}")]
    Unknown {
        /// The table.
        table: String,
        /// The key of the row.
        key: String,
        /// The column that names it.
        column: String,
        /// What it names.
        value: String,
        /// Where that should stand.
        target: String,
    },
    /// A value that is not what the column holds.
    #[error("{at}{table} {key:?}: {column}: expected {expected}", at = at(*line))]
    Invalid {
        /// The line where the row begins, for rows of reference data.
        line: Option<usize>,
        /// The table.
        table: String,
        /// The key of the row.
        key: String,
        /// The column.
        column: String,
        /// What it should be.
        expected: String,
    },
    /// A file of the folder of reference data.
    #[error(transparent)]
    Reference(#[from] ReferenceFileError),
    /// The grammar does not say what reference data there is.
    #[error(transparent)]
    Grammar(#[from] UnknownName),
}

/// What a world file may hold beside reference data. A table of that which is left out is not on file at
/// all, and no condition that depends on it is raised; an empty one knows nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorldFile {
    clock: Option<String>,
    /// The folder of reference data, relative to the world file.
    reference: Option<PathBuf>,
    #[serde(default)]
    unavailable_applications: Vec<String>,
    #[serde(default)]
    sender: Vec<SenderProfile>,
    #[serde(default)]
    filer: Vec<FilerProfile>,
    /// What Census expects, in the place of what comes with the program.
    census_parameter: Option<Vec<Parameter>>,
    #[serde(default)]
    entry_summary: Vec<FiledSummary>,
}

fn at(line: Option<usize>) -> String {
    line.map(|line| format!("line {line}: ")).unwrap_or_default()
}

/// The line of a place in a text, counted from one.
fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
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

    /// The world of a file, with the folder of reference data that it names or that lies beside it.
    ///
    /// # Errors
    /// A file cannot be read, or what it says contradicts itself.
    pub fn open(path: &Path, grammar: &Grammar) -> Result<Self, WorldError> {
        let text = read_text(path)
            .map_err(|source| WorldError::Read { path: path.display().to_string(), source })?;
        let mut world = Self::parse(&text, grammar)?;
        let folder = world.reference_folder(path);
        if world.reference.is_some() || folder.is_dir() {
            world.add_reference(&folder)?;
        }
        Ok(world)
    }

    /// The world that a text describes; the grammar says which applications and which reference data
    /// there are.
    ///
    /// # Errors
    /// The text is no TOML, or what it says contradicts itself.
    pub fn parse(text: &str, grammar: &Grammar) -> Result<Self, WorldError> {
        let kinds = ReferenceKinds::new(grammar)?;
        let wrong = |error: toml::de::Error| {
            let offset = error.span().map_or(0, |span| span.start);
            WorldError::Syntax { line: line_of(text, offset), message: error.message().to_owned() }
        };
        let mut file = DeTable::parse(text).map_err(wrong)?;
        let tables = tables::take(text, file.get_mut(), &kinds)?;
        let file = WorldFile::deserialize(toml::Deserializer::from(file)).map_err(wrong)?;
        check::check(&file, &tables, grammar)?;
        let clock = check::clock(file.clock.as_deref())?;
        let mut references = References::default();
        references.add(Date::MIN, profiles::table(&file.filer)?);
        for table in tables.into_values() {
            references.add(Date::MIN, table);
        }
        references.turn_to(clock.as_ref().map(Zoned::date));
        let census = file.census_parameter.map_or_else(ParameterTable::builtin, ParameterTable::new);
        let census = census.map_err(|key| WorldError::Invalid {
            line: None,
            table: census::LIST.to_owned(),
            key,
            column: "range".to_owned(),
            expected: "a decimal number".to_owned(),
        })?;
        Ok(Self {
            clock,
            unavailable_applications: file.unavailable_applications,
            senders: file.sender,
            filers: file.filer.into_iter().map(|filer| (filer.code.clone(), filer)).collect(),
            entry_summaries: file.entry_summary,
            reference: file.reference,
            kinds: Arc::new(kinds),
            references,
            census,
            tariff: None,
        })
    }

    /// Where the reference data of a world file lies.
    #[must_use]
    pub fn reference_folder(&self, world: &Path) -> PathBuf {
        let named = self.reference.as_deref().unwrap_or(Path::new(REFERENCE_FOLDER));
        world.parent().unwrap_or(Path::new("")).join(named)
    }

    /// Adds the files of a folder of reference data. Of each kind the newest that is not after the day
    /// at hand stands in the place of the world's own rows; schedules of the tariff are added to that of the
    /// program, and their numbers to the world's own.
    ///
    /// # Errors
    /// A file cannot be read, has no kind and day in its name, or holds rows that are wrong.
    pub fn add_reference(&mut self, folder: &Path) -> Result<(), ReferenceFileError> {
        if let Some(tariff) = schedules::read(folder, self.tariff.as_deref())? {
            self.tariff = Some(Arc::new(tariff));
        }
        for file in ReferenceFile::all(folder, &self.kinds)? {
            self.references.add(file.since, file.read(&self.kinds)?);
        }
        self.references.turn_to(self.references.day());
        Ok(())
    }

    /// Puts the reference data of a day in force. A world whose clock does not stand still begins with
    /// the newest.
    pub fn turn_to(&mut self, day: Date) {
        if self.references.day() != Some(day) {
            self.references.turn_to(Some(day));
        }
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

    /// The day whose reference data are in force; `None` if the newest are.
    #[must_use]
    pub fn day(&self) -> Option<Date> {
        self.references.day()
    }

    /// What kinds of reference data there are.
    #[must_use]
    pub fn kinds(&self) -> &ReferenceKinds {
        &self.kinds
    }

    /// The rows of a kind that are in force; `None` if the world does not hold it.
    #[must_use]
    pub fn table(&self, kind: &ReferenceKind) -> Option<&ReferenceTable> {
        self.references.of_kind(kind)
    }

    /// The first days of a kind's rows, oldest first; `None` for those of the world file itself.
    pub fn days(&self, kind: &ReferenceKind) -> impl Iterator<Item = Option<Date>> {
        self.references.days(&kind.name).map(|day| (day != Date::MIN).then_some(day))
    }

    /// Whether a list has a code; `None` if the world does not hold the list.
    #[must_use]
    pub fn lists(&self, list: &str, code: &str) -> Option<bool> {
        let (table, list) = self.references.list(list)?;
        Some(table.find_in(list, code).is_some())
    }

    /// The codes of a list, sorted; none if the world does not hold it.
    #[must_use]
    pub fn codes(&self, list: &str) -> Vec<&str> {
        self.references.list(list).map(|(table, list)| table.codes(list)).unwrap_or_default()
    }

    /// What a column of a code's row says, if it says something.
    #[must_use]
    pub fn column(&self, list: &str, code: &str, column: &str) -> Option<&str> {
        self.cell(list, code, column).filter(|text| !text.is_empty())
    }

    /// The article of a number in the world's own schedules, on the day at hand.
    fn article(&self, list: &str, code: &str) -> Option<Article<'_>> {
        let tariff = self.tariff.as_ref().filter(|_| list == schedules::LIST)?;
        schedules::article(tariff, code, self.day().unwrap_or(Date::MAX))
    }

    fn cell(&self, list: &str, code: &str, column: &str) -> Option<&str> {
        if list == census::LIST {
            return self.census.cell(self.census.find(code), column);
        }
        let (table, list) = self.references.list(list)?;
        table.value(table.find_in(list, code)?, column)
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
        self.lists(list, code).map(|has| has || self.article(list, code).is_some())
    }

    fn row(&self, name: &ListName, code: &str) -> Row {
        if name.place.is_none() && *name.name == *census::LIST {
            return Row::At(self.census.find(code));
        }
        let Some((table, list)) = self.references.named(name) else { return Row::NotHeld };
        let found = table.find_in(list, code).and_then(|row| u32::try_from(row).ok());
        match found {
            Some(row) => Row::At(row),
            None if self.article(&name.name, code).is_some() => Row::Unnumbered,
            None => Row::Missing,
        }
    }

    fn cell(&self, list: &ListName, row: u32, column: &ColumnName) -> Option<&str> {
        if list.place.is_none() && *list.name == *census::LIST {
            return self.census.cell(row, &column.name);
        }
        self.references.named(list)?.0.named(row, column)
    }

    fn may_have(&self, list: &ListName, first: &str) -> bool {
        *list.name == *census::LIST
            || self.references.named(list).is_some_and(|(table, list)| table.may_have(list, first))
    }

    fn value(&self, list: &str, code: &str, column: &str) -> Option<Cow<'_, str>> {
        let held = self.cell(list, code, column).map(Cow::Borrowed);
        held.or_else(|| schedules::column(&self.article(list, code)?, column))
    }

    fn tariff(&self) -> Option<&Tariff> {
        self.tariff.as_deref().or_else(|| Tariff::builtin().ok())
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

    /// The columns that rules may ask of filers and of Census parameters are those that there are.
    #[test]
    fn the_columns_of_the_hosts_own_lists_are_described() {
        let grammar = Grammar::builtin();
        let world = World::demo(grammar).unwrap();
        let described = |list: &str| {
            let rows = grammar.list("host_column").unwrap().rows().iter();
            rows.filter(|row| row[0] == list).map(|row| row[1].clone()).collect::<Vec<_>>()
        };
        let filers = world.references.list("filer").unwrap().0.kind().columns();
        assert_eq!(
            filers.iter().map(|column| column.name().to_owned()).collect::<Vec<_>>(),
            described("filer")
        );
        for column in described(census::LIST) {
            assert!(world.census.cell(0, &column).is_some(), "{column}");
        }
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
            ("[[surety]]\ncode = \"457\"\nnam = \"L\"", "line 3: surety has no column `nam`"),
            ("\n[[surety]]\ncode = \"457\"", "line 2: surety \"457\": name: expected a value"),
            ("clock = \"noon\"", "clock: expected date and time"),
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
                "sender \"2704 EEE\": password_hash: expected argon2 hash",
            ),
            (
                "[[surety]]\ncode = \"457\"\nname = \"L\"\n[[surety]]\ncode = \"457\"\nname = \"M\"",
                "surety: \"457\" stands there twice",
            ),
            (
                "[[bond]]\nimporter = \"28-3140001\"\nkind = \"continuous\"\nnumber = \"1\"\nsurety = \"457\"\n\
                 activity = \"1\"\neffective = \"2026-01-01\"",
                "bond \"*******001\": importer \"*******001\" is not in importer",
            ),
        ];
        for (text, message) in cases {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
            assert!(!error.contains("secret"));
        }
    }
}
