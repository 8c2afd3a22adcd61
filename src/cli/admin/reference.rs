//! `abigate admin reference`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use jiff::Zoned;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::super::Ending;
use super::super::output::Outputs;
use super::REFERENCE;
use crate::gateway::Config;
use crate::grammar::Grammar;
use crate::host::{ReferenceFile, ReferenceFileError, ReferenceKind, ReferenceTable, World};

/// Reference data: ports, parties, bonds, the tariff, cases, licences, quotas
///
/// The kinds and the columns of their files stand in docs/reference-data.md.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The data folder of `abigate answer`
    #[arg(long, value_name = "DIR", global = true, conflicts_with = "config")]
    data: Option<PathBuf>,
    /// The settings of a gateway; its world file says where reference data lies
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The day on which data are in force; today, or the day on which the world stands still
    #[arg(long, value_name = "DATE", global = true)]
    day: Option<Date>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a CSV file and put it in force from a day on
    Import(Import),
    /// The kinds of reference data: how many rows are in force, since when, and what comes
    List {
        #[command(flatten)]
        format: FormatArgument,
    },
    /// The rows of a kind that are in force
    Show(Show),
}

#[derive(Debug, Args)]
struct Import {
    /// The kind, such as port
    kind: String,
    /// The rows; the first line names the columns
    file: PathBuf,
    /// The first day on which they are in force
    #[arg(long, value_name = "DATE")]
    as_of: Date,
    /// Replace the file of the same kind and day
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Args)]
struct Show {
    /// The kind, such as port
    kind: String,
    /// The key of one row; a key of several columns takes a word for each
    key: Vec<String>,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, Args)]
struct FormatArgument {
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
enum Format {
    /// To read
    #[default]
    Text,
    /// JSON for programs
    Json,
}

pub(super) fn run(arguments: &Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let (mut world, folder) = world(arguments)?;
    let clock = world.clock().map(Zoned::date);
    world.turn_to(arguments.day.or(clock).unwrap_or_else(|| Zoned::now().date()));
    let mut out = outputs.standard();
    match &arguments.command {
        Command::Import(import) => {
            let folder = folder.ok_or_else(|| anyhow!("--data or --config says where to keep it"))?;
            self::import(&world, import, &folder, &mut out)
        }
        Command::List { format } => list(&world, format.format, &mut out),
        Command::Show(show) => self::show(&world, show, &mut out),
    }
}

/// The world whose reference data it is, and the folder where that lies.
fn world(arguments: &Arguments) -> anyhow::Result<(World, Option<PathBuf>)> {
    let grammar = Grammar::builtin();
    if let Some(path) = &arguments.config {
        let config = Config::from_file(path)?;
        let path = config.world.with_context(|| format!("{}: `world` is not set", path.display()))?;
        let world = World::open(&path, grammar)?;
        let folder = world.reference_folder(&path);
        return Ok((world, Some(folder)));
    }
    let mut world = World::demo(grammar)?;
    let folder = arguments.data.as_deref().map(|data| data.join(REFERENCE));
    if let Some(folder) = folder.as_deref().filter(|folder| folder.is_dir()) {
        world.add_reference(folder)?;
    }
    Ok((world, folder))
}

fn kind<'a>(world: &'a World, name: &str) -> anyhow::Result<&'a ReferenceKind> {
    world.kinds().get(name).ok_or_else(|| {
        let known = world.kinds().iter().map(ReferenceKind::name).collect::<Vec<_>>();
        anyhow!("no reference data {name}; there are {}", known.join(", "))
    })
}

fn import(world: &World, import: &Import, folder: &Path, out: &mut impl Write) -> anyhow::Result<Ending> {
    let kind = kind(world, &import.kind)?;
    match ReferenceFile::import(kind, &import.file, import.as_of, folder, import.replace) {
        Ok((file, table)) => {
            writeln!(out, "{}: {} rows, in force from {}", file.path.display(), table.len(), file.since)?;
            Ok(Ending::Clean)
        }
        Err(ReferenceFileError::Rows { path, problems, count }) => {
            for problem in &problems {
                writeln!(out, "{path}: {problem}")?;
            }
            writeln!(out, "{count} problems; nothing was imported")?;
            Ok(Ending::Findings)
        }
        Err(error) => Err(error.into()),
    }
}

fn list(world: &World, format: Format, out: &mut impl Write) -> anyhow::Result<Ending> {
    let today = world.day().unwrap_or(Date::MAX);
    let mut rows = Vec::new();
    for kind in world.kinds().iter() {
        let (past, coming) =
            world.days(kind).partition::<Vec<_>, _>(|day| day.is_none_or(|day| day <= today));
        let coming = coming.into_iter().flatten().map(|day| day.to_string()).collect::<Vec<_>>();
        let since = past.last().map(|day| day.map_or("world file".to_owned(), |day| day.to_string()));
        rows.push((kind.name(), world.table(kind).map(ReferenceTable::len), since, coming));
    }
    if format == Format::Json {
        let rows = rows.iter().map(|(kind, rows, since, coming)| {
            json!({ "kind": kind, "rows": rows, "since": since, "coming": coming })
        });
        writeln!(out, "{:#}", Value::Array(rows.collect()))?;
        return Ok(Ending::Clean);
    }
    writeln!(out, "{:26}{:>8}  {:12}coming", "kind", "rows", "since")?;
    for (kind, rows, since, coming) in &rows {
        let rows = rows.map_or("none".to_owned(), |rows| rows.to_string());
        let since = since.as_deref().unwrap_or_default();
        let line = format!("{kind:26}{rows:>8}  {since:12}{}", coming.join(" "));
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(Ending::Clean)
}

fn show(world: &World, show: &Show, out: &mut impl Write) -> anyhow::Result<Ending> {
    let kind = kind(world, &show.kind)?;
    let Some(table) = world.table(kind) else {
        bail!("no {} is held on that day", kind.name());
    };
    let rows = if show.key.is_empty() {
        table.sorted()
    } else {
        let key = show.key.join(" ");
        let row = table.find(&key);
        vec![row.ok_or_else(|| anyhow!("{} has no row {key}", kind.name()))?]
    };
    let columns = || kind.columns().iter().map(|column| column.name());
    if show.format.format == Format::Json {
        let object = |row: usize| {
            let cells = columns().zip(table.row(row));
            cells.map(|(name, cell)| (name.to_owned(), json!(cell))).collect::<Map<_, _>>()
        };
        writeln!(out, "{:#}", Value::Array(rows.into_iter().map(object).map(Value::Object).collect()))?;
        return Ok(Ending::Clean);
    }
    for row in rows {
        let given = columns().zip(table.row(row)).filter(|(_, cell)| !cell.is_empty());
        let given = given.map(|(name, cell)| format!("{name} {cell:?}")).collect::<Vec<_>>();
        writeln!(out, "{}", given.join("  "))?;
    }
    Ok(Ending::Clean)
}
