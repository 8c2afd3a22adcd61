//! `abigate admin summary`

use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::super::output::Outputs;
use super::super::{Ending, stream};
use super::place::{Format, FormatArgument, Place};
use crate::grammar::Grammar;
use crate::host::{
    self, Acted, Action, Assignment, BalanceLine, DocumentKind, DocumentRequest, Officer, Rejection, Step,
    WarehouseBalance,
};
use crate::store::{EntryKey, EntrySummary, HistoryEntry, Store, SupersededVersion, Unit};

/// Entry summaries on file, and what CBP does to them
///
/// What each action does in which state stands in docs/life-of-a-summary.md.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    format: FormatArgument,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The summaries on file
    List {
        /// Only of this filer
        #[arg(long, value_name = "CODE")]
        filer: Option<String>,
    },
    /// A summary and its history; of a warehouse entry also what is left of it
    Show {
        /// Filer code and entry number, such as "EEE 00001015"
        entry: EntryKey,
        /// Also the records that later ones have taken the place of, since CBP has had it in hand
        #[arg(long)]
        versions: bool,
    },
    /// Take it out of its filer's control
    TakeControl(On),
    /// Put it on its preliminary statement before its day
    PlaceOnStatement(On),
    /// Give it back to its filer's control
    TakeOffStatement(On),
    /// Book its payment
    Collect(On),
    /// Accept it after review, or take a rejection back
    Accept(On),
    /// Note that an officer has changed it: a new minor version
    Modify(On),
    /// Reject it or its last correction
    Reject {
        #[command(flatten)]
        on: On,
        /// A reason code, for a line with its identifier behind a slash: 003/001; may be repeated
        #[arg(long = "reason", value_name = "CODE", required = true)]
        reasons: Vec<String>,
    },
    /// Ask for documents
    RequestDocuments {
        #[command(flatten)]
        on: On,
        /// What is asked for; certain documents if some are named
        #[arg(long, value_enum)]
        kind: Option<Kind>,
        /// The code of a document; may be repeated
        #[arg(long = "document", value_name = "CODE")]
        documents: Vec<String>,
    },
    /// Ask for information, which the remarks name
    RequestInformation(On),
    /// Note that what was asked for has come
    Receive(On),
    /// Have a team review it
    Review {
        #[command(flatten)]
        on: On,
        /// The import specialist team
        #[arg(long)]
        team: String,
    },
    /// Cancel it
    Cancel(On),
    /// Take it off the file
    Inactivate(On),
    /// Liquidate it
    Liquidate(On),
    /// Detain the goods
    Detain(On),
    /// Let detained goods go
    ReleaseDetention(On),
    /// Deny the extension of a temporary importation
    DenyExtension(On),
    /// Do what a file says: one action in TOML, such as `quota_status = { entry = "EEE 00001015", … }`
    Act {
        /// The file; `-` for standard input
        file: PathBuf,
    },
    /// End the day: let go what was held for it
    EndOfDay,
    /// Do what time does up to now: statements are printed, summaries liquidate
    Advance,
}

/// A summary and what is said of it.
#[derive(Clone, Debug, Args)]
struct On {
    /// Filer code and entry number, such as "EEE 00001015"
    entry: EntryKey,
    /// What the filer is told, at most 500 characters
    #[arg(long, value_name = "TEXT", default_value = "")]
    remarks: String,
    /// The officer of CBP, last name first; the system acts if none is named
    #[arg(long, value_name = "NAME")]
    officer: Option<String>,
    /// The officer's telephone number, digits only
    #[arg(long, value_name = "NUMBER", default_value = "", requires = "officer")]
    telephone: String,
    /// Its extension
    #[arg(long, value_name = "NUMBER", default_value = "", requires = "telephone")]
    extension: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// The electronic invoice only
    Invoice,
    /// The whole summary package
    Package,
    /// Certain documents
    Documents,
}

pub(super) fn run(arguments: &Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let format = arguments.format.format;
    let text = match &arguments.command {
        Command::List { filer } => list(&arguments.place, filer.as_deref(), format)?,
        Command::Show { entry, versions } => show(&arguments.place, entry, *versions, format)?,
        Command::Advance => told(&arguments.place.host()?.advance()?, format),
        command => {
            let action = action(command)?;
            told(&arguments.place.host()?.act(&action)?, format)
        }
    };
    outputs.standard().write_all(text.as_bytes())?;
    Ok(Ending::Clean)
}

/// The action that a command stands for.
fn action(command: &Command) -> anyhow::Result<Action> {
    Ok(match command {
        Command::TakeControl(on) => Action::TakeControl(on.step()),
        Command::PlaceOnStatement(on) => Action::PlaceOnStatement(on.step()),
        Command::TakeOffStatement(on) => Action::TakeOffStatement(on.step()),
        Command::Collect(on) => Action::Collect(on.step()),
        Command::Accept(on) => Action::Accept(on.step()),
        Command::Modify(on) => Action::Modify(on.step()),
        Command::Receive(on) => Action::Receive(on.step()),
        Command::RequestInformation(on) => Action::RequestInformation(on.step()),
        Command::Cancel(on) => Action::Cancel(on.step()),
        Command::Inactivate(on) => Action::Inactivate(on.step()),
        Command::Liquidate(on) => Action::Liquidate(on.step()),
        Command::Detain(on) => Action::Detain(on.step()),
        Command::ReleaseDetention(on) => Action::ReleaseDetention(on.step()),
        Command::DenyExtension(on) => Action::DenyExtension(on.step()),
        Command::Reject { on, reasons } => {
            let Step { entry, officer, remarks } = on.step();
            Action::Reject(Rejection { entry, reasons: reasons.clone(), officer, remarks })
        }
        Command::RequestDocuments { on, kind, documents } => {
            let Step { entry, officer, remarks } = on.step();
            let kind = match kind {
                Some(Kind::Invoice) => DocumentKind::Invoice,
                Some(Kind::Documents) => DocumentKind::Documents,
                None if !documents.is_empty() => DocumentKind::Documents,
                Some(Kind::Package) | None => DocumentKind::Package,
            };
            let documents = documents.clone();
            Action::RequestDocuments(DocumentRequest { entry, kind, documents, officer, remarks })
        }
        Command::Review { on, team } => {
            let Step { entry, officer, remarks } = on.step();
            Action::Review(Assignment { entry, team: team.clone(), officer, remarks })
        }
        Command::Act { file } => {
            let mut text = String::new();
            stream::input(Some(file))?.read_to_string(&mut text)?;
            toml::from_str(&text).with_context(|| file.display().to_string())?
        }
        Command::EndOfDay => Action::EndOfDay {},
        Command::List { .. } | Command::Show { .. } | Command::Advance => {
            anyhow::bail!("not an action")
        }
    })
}

impl On {
    fn step(&self) -> Step {
        let officer = self.officer.as_ref().map(|name| Officer {
            name: name.clone(),
            telephone: self.telephone.clone(),
            extension: self.extension.clone(),
        });
        Step { entry: self.entry.clone(), officer, remarks: self.remarks.clone() }
    }
}

fn list(place: &Place, filer: Option<&str>, format: Format) -> anyhow::Result<String> {
    let mut store = place.store()?;
    let mut unit = store.begin()?;
    let mut text = String::new();
    let mut values = Vec::new();
    for key in unit.ledger()?.entry_summary_keys(filer)? {
        let Some(summary) = unit.entry_summary(&key)? else { continue };
        match format {
            Format::Json => values.push(value(&summary)),
            Format::Text => text.push_str(&line(&summary)),
        }
    }
    Ok(match format {
        Format::Json => format!("{:#}\n", Value::Array(values)),
        Format::Text => text,
    })
}

fn show(place: &Place, entry: &EntryKey, with_versions: bool, format: Format) -> anyhow::Result<String> {
    let mut store = place.store()?;
    let mut unit = store.begin()?;
    let summary = unit.entry_summary(entry)?;
    let history = unit.ledger()?.history(entry)?;
    anyhow::ensure!(summary.is_some() || !history.is_empty(), "{entry} is not on file and never was");
    let balance = host::warehouse_balance(entry, Grammar::builtin(), &mut unit)?;
    let versions = if with_versions { unit.ledger()?.versions(entry)? } else { Vec::new() };
    Ok(match format {
        Format::Json => {
            let history = history.iter().map(step_value).collect::<Vec<_>>();
            let mut shown =
                json!({ "entry": entry, "summary": summary.as_ref().map(value), "history": history });
            if let Some(balance) = &balance {
                shown["balance"] = balance_value(balance);
            }
            if with_versions {
                shown["versions"] = versions.iter().map(version_value).collect();
            }
            format!("{shown:#}\n")
        }
        Format::Text => {
            let mut text = match &summary {
                Some(summary) => line(summary) + &details(summary),
                None => format!("{entry}  not on file any more\n"),
            };
            text.extend(balance.iter().map(balance_lines));
            text.extend(history.iter().map(step_line));
            text.extend(versions.iter().map(version_lines));
            text
        }
    })
}

fn balance_lines(balance: &WarehouseBalance) -> String {
    let mut text = format!("  warehouse: {}\n", if balance.closed { "closed" } else { "open" });
    for line in &balance.lines {
        let BalanceLine { hts_number, unit, entered, withdrawn } = line;
        let left = line.left().normalize();
        let (entered, withdrawn) = (entered.normalize(), withdrawn.normalize());
        text.push_str(&format!(
            "    {hts_number} {unit:3}  {entered} entered, {withdrawn} withdrawn, {left} left\n"
        ));
    }
    text
}

/// Quantities are texts, as exact as they are.
fn balance_value(balance: &WarehouseBalance) -> Value {
    let line = |line: &BalanceLine| {
        json!({
            "hts_number": line.hts_number,
            "unit": line.unit,
            "entered": line.entered.normalize().to_string(),
            "withdrawn": line.withdrawn.normalize().to_string(),
            "left": line.left().normalize().to_string(),
        })
    };
    json!({ "closed": balance.closed, "lines": balance.lines.iter().map(line).collect::<Vec<_>>() })
}

fn version_lines(version: &SupersededVersion) -> String {
    let SupersededVersion { version, superseded, by, records } = version;
    let mut text = format!("  version {version} until {superseded}, superseded by {by}\n");
    for record in records {
        text.push_str(&format!("    {}\n", String::from_utf8_lossy(record).trim_end()));
    }
    text
}

fn version_value(version: &SupersededVersion) -> Value {
    let records = version.records.iter().map(|record| String::from_utf8_lossy(record).trim_end().to_owned());
    json!({
        "version": version.version.to_string(),
        "superseded": version.superseded,
        "by": version.by,
        "records": records.collect::<Vec<_>>(),
    })
}

fn line(summary: &EntrySummary) -> String {
    let EntrySummary { key, entry_type, port, version, state, broker_reference, .. } = summary;
    let state = state.name();
    format!("{key}  type {entry_type}  port {port}  {version}  {state:15}  {broker_reference}")
        .trim_end()
        .to_owned()
        + "\n"
}

fn details(summary: &EntrySummary) -> String {
    let standing = &summary.standing;
    let recipient = standing.recipient.as_ref();
    let told = recipient.map(|to| format!("{} {} {}", to.site, to.id, to.office).trim_end().to_owned());
    let facts = [
        ("told to", told),
        ("owner", standing.owner.as_ref().map(|owner| owner.filer.clone())),
        ("team", Some(standing.team.clone())),
        ("asked for", Some(standing.request.clone())),
        ("time moves it on", standing.due.map(|day| day.to_string())),
        ("liquidation", summary.liquidation_date.map(|day| day.to_string())),
        ("corrected", summary.corrected.then(|| "yes".to_owned())),
    ];
    let known = facts.into_iter().filter_map(|(name, fact)| Some((name, fact?)));
    known.filter(|(_, fact)| !fact.is_empty()).map(|(name, fact)| format!("  {name}: {fact}\n")).collect()
}

fn step_line(step: &HistoryEntry) -> String {
    let name = |state: Option<crate::store::ControlState>| state.map_or("none", |state| state.name());
    let HistoryEntry { at, by, event, version, remarks, .. } = step;
    let line = format!("  {at}  {event}  {} -> {}  {version}  {by}", name(step.from), name(step.to));
    if remarks.is_empty() { line + "\n" } else { format!("{line}: {remarks}\n") }
}

fn told(acted: &Acted, format: Format) -> String {
    if format == Format::Json {
        let steps = acted.steps.iter().map(step_value).collect::<Vec<_>>();
        return format!("{:#}\n", json!({ "steps": steps, "mail": acted.mail, "released": acted.released }));
    }
    let mut text = String::new();
    for step in &acted.steps {
        text.push_str(&format!("{}\n{}", step.entry, step_line(step)));
    }
    for number in &acted.mail {
        text.push_str(&format!("  notification {number}\n"));
    }
    if acted.released > 0 {
        text.push_str(&format!("{} notifications let go\n", acted.released));
    }
    text
}

/// The summary without its parties' numbers.
fn value(summary: &EntrySummary) -> Value {
    json!({
        "entry": summary.key,
        "entry_type": summary.entry_type,
        "port": summary.port,
        "broker_reference": summary.broker_reference,
        "state": summary.state,
        "version": summary.version.to_string(),
        "corrected": summary.corrected,
        "entry_date": summary.entry_date,
        "liquidation_date": summary.liquidation_date,
        "due": summary.standing.due,
        "standing": summary.standing,
        "added": summary.added,
        "changed": summary.changed,
    })
}

fn step_value(step: &HistoryEntry) -> Value {
    json!({
        "entry": step.entry,
        "at": step.at,
        "by": step.by,
        "event": step.event,
        "from": step.from,
        "to": step.to,
        "version": step.version.to_string(),
        "remarks": step.remarks,
    })
}
