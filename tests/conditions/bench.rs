//! Reads the cases, changes the samples and judges them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use abigate::grammar::{Automaton, Direction, Grammar};
use abigate::host;
use abigate::message::{Assembler, Identifier, Transaction};
use abigate::rules::{BlockInfo, Context, Raised, Reference, RuleBook};
use abigate::tariff::Tariff;

pub type Columns = [u8; 80];

pub struct Bench {
    pub grammar: &'static Grammar,
    pub book: RuleBook,
    /// Worlds that files of cases name, by name.
    worlds: HashMap<String, host::World>,
    automaton: &'static Automaton,
}

/// What the rules are told of the world: anything is on a list but what begins with ZZ or 99-99.
pub struct World;

const COLUMNS: [(&str, &str, &str, &str); 20] = [
    ("importer", "12-0000001", "status", "void"),
    ("importer", "12-0000002", "status", "inactive"),
    ("importer", "12-0000003", "reconciliation", "false"),
    ("importer", "12-0000003", "periodic_statements", "false"),
    ("bond", "12-0000003", "surety", "032"),
    ("schedule_d", "1001", "kinds", "entry"),
    ("schedule_d", "1002", "kinds", "entry cargo rail"),
    ("firms", "A001", "cargo", "false"),
    ("filer", "CU1", "client_branches", "true"),
    ("filer", "CU1", "statements", "true"),
    ("filer", "CU1", "periodic_statements", "false"),
    ("filer", "CU1", "electronic_invoice", "false"),
    ("filer", "CU2", "statements", "false"),
    ("filer", "EEE", "client_branches", "false"),
    ("case", "A475000001", "country", "FR"),
    ("case_period", "A475000002", "deposit", "cash"),
    ("hts", "3924104001", "units", "KG"),
    ("hts", "1902192021", "agencies", "AM7 FD4"),
    ("hts", "1902192022", "agencies", "AM7 FD3"),
    ("hts", "8471300101", "agencies", "EP8"),
];
const CASE_RATES: [(&str, &str, &str); 2] =
    [("A475000003", "ad_valorem_rate", "2.5"), ("C475000004", "specific_rate", "0.25")];

impl Reference for World {
    fn has(&self, list: &str, code: &str) -> Option<bool> {
        let held = [
            "filer",
            "schedule_d",
            "schedule_k",
            "firms",
            "carrier",
            "hts",
            "importer",
            "manufacturer",
            "bond",
            "case",
            "pga_source_type",
            "pga_entity_role",
            "pga_affirmation_of_compliance",
            "pga_vessel_characteristic",
            "pga_routing_type",
        ];
        held.contains(&list).then(|| {
            let unknown = code.starts_with("ZZ") || code.starts_with("99-99") || code.ends_with("999999");
            !unknown && (list, code) != ("bond", "12-0000004")
        })
    }

    fn value(&self, list: &str, code: &str, column: &str) -> Option<Cow<'_, str>> {
        if list == "census_parameter" {
            return parameters().value(list, code, column);
        }
        // What holds for a case holds on every day.
        let code = if list == "case_period" { code.split(' ').next()? } else { code };
        let rate = CASE_RATES.iter().find(|(number, ..)| list == "case_period" && *number == code);
        if let Some((_, kind, rate)) = rate {
            return column
                .ends_with("_rate")
                .then(|| if column == *kind { (*rate).into() } else { "".into() });
        }
        let found = COLUMNS.iter().find(|row| (row.0, row.1, row.2) == (list, code, column))?;
        Some(found.3.into())
    }

    fn check_digit_offsets(&self, filer: &str) -> Cow<'_, [u8]> {
        Cow::Borrowed(if filer == "CU1" { &[0, 1] } else { &[0] })
    }
}

/// The same world with a tariff: that of the program, and numbers for what it has none of.
pub struct DutyWorld;

const NUMBERS: &str = "version\ttests\tmade for these tests
number\tfrom\tto\tgeneral\tspecial\tcolumn_2\tunits\tad\tcv\tagencies\tdescription
08044000\t2020-01-01\t\tFree\t\tFree\tKG\t\t\t\tavocados
09011100\t2020-01-01\t\tFree\t\tFree\tKG\t\t\t\tcoffee
22083030\t2020-01-01\t\tFree\t\tFree\tPFL\t\t\t\twhisky
39230001\t2020-01-01\t2020-12-31\t5%\t\t50%\tNO\t\t\t\tended
39230002\t2020-01-01\t\t5%\t\t50%\tNO\t\t\t\tno programme
39230003\t2020-01-01\t\tSee additional U.S. note 1\t\t50%\tNO\t\t\t\tnote
39230004\t2020-01-01\t\tthree florins the dozen\t\t50%\tNO\t\t\t\tunread
39230005\t2020-01-01\t\t\t\t50%\tNO\t\t\t\tcolumn 2 alone
39230006\t2020-01-01\t\tFree\t\tFree\tNO KG L\t\t\t\tthree units
";

static TARIFF: LazyLock<Tariff> = LazyLock::new(|| {
    let mut tariff = Tariff::builtin().unwrap().clone();
    tariff.add_schedule(NUMBERS).unwrap();
    tariff
});

impl Reference for DutyWorld {
    fn has(&self, list: &str, code: &str) -> Option<bool> {
        World.has(list, code)
    }

    fn value(&self, list: &str, code: &str, column: &str) -> Option<Cow<'_, str>> {
        let express = (list, code, column) == ("schedule_d", "2767", "kinds");
        if express { Some("entry cargo air express".into()) } else { World.value(list, code, column) }
    }

    fn tariff(&self) -> Option<&Tariff> {
        Some(&TARIFF)
    }

    fn check_digit_offsets(&self, filer: &str) -> Cow<'_, [u8]> {
        World.check_digit_offsets(filer)
    }
}

/// A world in which no duty is judged.
struct WithoutDuty<'a>(&'a host::World);

impl Reference for WithoutDuty<'_> {
    fn has(&self, list: &str, code: &str) -> Option<bool> {
        self.0.has(list, code)
    }

    fn value(&self, list: &str, code: &str, column: &str) -> Option<Cow<'_, str>> {
        self.0.value(list, code, column)
    }

    fn check_digit_offsets(&self, filer: &str) -> Cow<'_, [u8]> {
        self.0.check_digit_offsets(filer)
    }
}

/// A world that holds nothing but the parameters of Census that come with the program.
fn parameters() -> &'static abigate::host::World {
    static EMPTY: LazyLock<abigate::host::World> =
        LazyLock::new(|| abigate::host::World::parse("", Grammar::builtin()).unwrap());
    &EMPTY
}

impl Bench {
    /// A world that a file of cases names.
    pub fn world(&self, name: &str) -> &host::World {
        &self.worlds[name]
    }

    pub fn new() -> Self {
        let grammar = Grammar::builtin();
        let book = RuleBook::builtin(grammar).unwrap_or_else(|error| panic!("{error}"));
        let (_, automaton) = grammar.structure("AE", Direction::Input).unwrap();
        let worlds = files("toml").into_iter().map(|path| {
            let text = format!("{}\n{}", host::World::DEMO, std::fs::read_to_string(&path).unwrap());
            let world = host::World::parse(&text, grammar);
            let world = world.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), world)
        });
        Self { grammar, book, automaton, worlds: worlds.collect() }
    }

    /// The summaries of a batch, as their records.
    pub fn summaries(&self, path: &Path) -> Vec<Vec<Columns>> {
        let mut found: Vec<Vec<Columns>> = Vec::new();
        for row in rows(path) {
            match row[0] {
                b'A' | b'B' | b'Y' | b'Z' => {}
                _ if row.starts_with(b"10") => found.push(vec![row]),
                _ => found.last_mut().unwrap().push(row),
            }
        }
        found
    }

    /// What the block of a summary says; summaries are counted from 0.
    pub fn block(&self, path: &Path, summary: usize) -> BlockInfo {
        let rows = rows(path);
        let summaries = rows.iter().enumerate().filter(|(_, row)| row.starts_with(b"10"));
        let (at, _) = summaries.clone().nth(summary).unwrap();
        let row = rows[..at].iter().rev().find(|row| row[0] == b'B').unwrap();
        let layout = self.grammar.find("*", Direction::Input, "B", "").unwrap();
        let text = |name: &str| layout.cell(name).unwrap().text(row).to_owned();
        BlockInfo {
            port: text("processing_district_port_code"),
            filer: text("processing_filer_code"),
            preparer_port: text("preparer_district_port_code"),
            preparer_filer: text("preparer_filer_code"),
            preparer_indicator: String::new(),
        }
    }

    pub fn assembled(&self, rows: &[Columns]) -> Result<Transaction, String> {
        let identifier = Identifier::new(self.grammar, "AE", Direction::Input, self.automaton);
        let mut assembler = Assembler::new(identifier, self.automaton);
        for (number, row) in rows.iter().enumerate() {
            assembler
                .push(row, number as u64 + 1, &mut None)
                .map_err(|fault| format!("{} structure", fault.condition()))?;
        }
        assembler
            .finish()
            .map_err(|fault| format!("{} structure", fault.condition()))?
            .ok_or_else(|| "no transaction".to_owned())
    }

    pub fn context<'a>(&'a self, reference: &'a dyn Reference, block: &'a BlockInfo) -> Context<'a> {
        Context { grammar: self.grammar, reference, today: jiff::civil::date(2026, 8, 3), block }
    }
}

/// The files of the cases with this end, in order.
fn files(end: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir("tests/conditions").unwrap().map(|entry| entry.unwrap().path());
    let mut files = files.filter(|path| path.extension().is_some_and(|own| own == end)).collect::<Vec<_>>();
    files.sort();
    files
}

fn rows(path: &Path) -> Vec<Columns> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| format!("{line:80}").into_bytes().try_into().unwrap()).collect()
}

/// # Errors
/// The condition of a fault of structure: the records are no transaction.
pub fn judged(bench: &Bench, rows: &[Columns], block: &BlockInfo) -> Result<Vec<Raised>, String> {
    judged_in(bench, &World, rows, block)
}

/// # Errors
/// The records are no transaction.
pub fn judged_in(
    bench: &Bench,
    world: &dyn Reference,
    rows: &[Columns],
    block: &BlockInfo,
) -> Result<Vec<Raised>, String> {
    let transaction = bench.assembled(rows)?;
    Ok(bench.book.judge(&transaction, &bench.context(world, block)))
}

/// `722 TOTALS; 433 LINITM 2 TARIFF 1`
pub fn shown(raised: &[Raised]) -> String {
    let one = |raised: &Raised| {
        let mut text = raised.code.to_string();
        for place in &raised.places {
            text += &format!(" {}", place.signpost);
            if place.occurrence > 0 {
                text += &format!(" {}", place.occurrence);
            }
        }
        text
    };
    raised.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[derive(Clone, Debug)]
pub struct Case {
    /// The file and line.
    pub place: String,
    base: String,
    summary: usize,
    world: Option<String>,
    pub change: String,
    pub expected: Vec<String>,
    /// Whether duty, tax and fees are judged.
    with_duty: bool,
}

/// All cases. A line `base NAME [NUMBER]` names the sample, and which summary of it; a case is
/// `CHANGES => CONDITIONS`, both lists separated by semicolons. A line `world NAME` says that the cases of
/// the file are judged in the demo world with the rows of `NAME.toml`, and not in the one made up here; a line
/// `with duty` that what is owed is judged as well, in a world of its own.
pub fn cases() -> Vec<Case> {
    cases_of(&files("cases"))
}

/// All cases of these files.
pub fn cases_of(files: &[std::path::PathBuf]) -> Vec<Case> {
    let mut found = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(path).unwrap();
        let mut base = (String::new(), 0);
        let (mut world, mut with_duty) = (None, false);
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if let Some(name) = line.strip_prefix("base ") {
                let (name, summary) = name.split_once(' ').unwrap_or((name, "1"));
                base = (name.to_owned(), summary.parse::<usize>().unwrap() - 1);
            } else if line == "with duty" {
                with_duty = true;
            } else if let Some(name) = line.strip_prefix("world ") {
                world = Some(name.to_owned());
            } else if let Some((change, expected)) = line.split_once("=>") {
                let expected = expected.split(';').map(|one| one.trim().to_owned());
                found.push(Case {
                    place: format!("{}:{}", path.display(), number + 1),
                    base: base.0.clone(),
                    summary: base.1,
                    world: world.clone(),
                    change: change.trim().to_owned(),
                    expected: expected.filter(|one| !one.is_empty()).collect(),
                    with_duty,
                });
            } else {
                assert!(
                    line.is_empty() || line.starts_with('#'),
                    "{}:{}: {line}",
                    path.display(),
                    number + 1
                );
            }
        }
    }
    found
}

impl Case {
    pub fn path(&self) -> std::path::PathBuf {
        Path::new("samples/entry_summary/good").join(&self.base).with_extension("abi")
    }

    /// # Errors
    /// The records are no transaction.
    pub fn judged(&self, bench: &Bench) -> Result<Vec<Raised>, String> {
        let own = self.world.as_ref().map(|name| WithoutDuty(&bench.worlds[name]));
        let world: &dyn Reference = match &own {
            Some(world) => world,
            None if self.with_duty => &DutyWorld,
            None => &World,
        };
        judged_in(bench, world, &self.rows(bench), &self.block(bench))
    }

    pub fn block(&self, bench: &Bench) -> BlockInfo {
        let mut block = bench.block(&self.path(), self.summary);
        for change in self.change.split(';').map(str::trim) {
            if let Some((name, value)) = change.strip_prefix("block ").and_then(|text| text.split_once(' ')) {
                match name {
                    "port" => value.clone_into(&mut block.port),
                    "filer" => value.clone_into(&mut block.filer),
                    "preparer_filer" => value.clone_into(&mut block.preparer_filer),
                    other => panic!("{}: block has no {other}", self.place),
                }
            }
        }
        block
    }

    /// The base with the case's changes:
    /// `set RECORD[.N].FIELD VALUE` (a blank if there is none), `drop RECORD[.N]` (all of them without a
    /// number), `repeat RECORD[.N]`, `insert RECORD[.N] TEXT` (behind it), `put RECORD[.N] TEXT` (in its
    /// place), `block NAME VALUE`. Records of one kind are counted from 1.
    pub fn rows(&self, bench: &Bench) -> Vec<Columns> {
        let mut rows = bench.summaries(&self.path()).remove(self.summary);
        for change in self.change.split(';').map(str::trim) {
            let (verb, rest) = change.split_once(' ').unwrap_or((change, ""));
            let (target, value) = rest.split_once(' ').unwrap_or((rest, ""));
            let parts = target.split('.').collect::<Vec<_>>();
            let number = parts.get(1).and_then(|part| part.parse::<usize>().ok());
            let at = position(&rows, parts[0], number.unwrap_or(1));
            let at = || at.unwrap_or_else(|| panic!("{}: no record {target}", self.place));
            match verb {
                "set" => set(bench, &mut rows[at()], parts.last().unwrap(), value, &self.place),
                "drop" if number.is_some() => drop(rows.remove(at())),
                "drop" => rows.retain(|row| !row.starts_with(parts[0].as_bytes())),
                "repeat" => rows.insert(at() + 1, rows[at()]),
                "insert" => rows.insert(at() + 1, row(value)),
                "put" => rows[at()] = row(value),
                "block" | "held" => {}
                other => panic!("{}: no change {other}", self.place),
            }
        }
        rows
    }
}

fn row(text: &str) -> Columns {
    format!("{text:80}").into_bytes().try_into().unwrap()
}

fn position(rows: &[Columns], record: &str, number: usize) -> Option<usize> {
    let of_kind = |(_, row): &(usize, &Columns)| row.starts_with(record.as_bytes());
    rows.iter().enumerate().filter(of_kind).nth(number - 1).map(|(position, _)| position)
}

fn set(bench: &Bench, row: &mut Columns, field: &str, value: &str, place: &str) {
    let record = bench
        .grammar
        .layouts()
        .iter()
        .filter(|layout| ["AE", "PGA"].contains(&layout.application.as_str()))
        .filter(|layout| layout.direction == Direction::Input && row.starts_with(layout.record.as_bytes()))
        .find(|layout| layout.matches(row) && layout.field(field).is_some());
    let layout = record.unwrap_or_else(|| panic!("{place}: no field {field}"));
    let cell = layout.cell(field).unwrap();
    let columns = cell.first_column() - 1..cell.last_column();
    assert!(value.len() <= columns.len(), "{place}: {value} is too long for {field}");
    let numeric =
        cell.class().is_numeric() && value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty();
    let text = if numeric {
        format!("{value:0>width$}", width = columns.len())
    } else {
        format!("{value:width$}", width = columns.len())
    };
    row[columns].copy_from_slice(text.as_bytes());
}
