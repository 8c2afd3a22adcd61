//! `abigate fuzz`

use std::fs;
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::output::Outputs;
use super::{Ending, interrupt, output, send};
use crate::fuzz::{
    Builtin, Campaign, CommandTarget, Failure, JudgeOfReplies, Laboratory, Report, SocketTarget, Target,
    TlsTarget, address, replay, run as run_campaign,
};
use crate::gateway::client_tls;
use crate::generate::{Generator, Specification};
use crate::grammar::Grammar;
use crate::host::World;

/// How many different transactions are mutated.
const VARIETY: usize = 24;

/// Send mutated batches of an application to a decoder and judge what it answers
///
/// The grammar chooses what is done to a valid batch and says what must become of it. Failures are made as
/// small as they can be and kept, each with a description beside it and the command that shows it again.
/// An interrupt (Ctrl-C) ends the run early, with exit code 130: what was found by then is kept and told.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The input application identifier
    #[arg(long, value_name = "ID", required_unless_present = "replay")]
    app: Option<String>,
    /// What is tested: `builtin`, `exec:COMMAND` (a message on its standard input, the answer on its
    /// standard output) or HOST:PORT
    #[arg(long, value_name = "TARGET", default_value = "builtin")]
    target: String,
    /// What decides every choice
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many messages
    #[arg(long, value_name = "N", default_value_t = 1000)]
    runs: u64,
    /// Stop after so many different failures
    #[arg(long, value_name = "N", default_value_t = 20)]
    failures: usize,
    /// Where failures are kept
    #[arg(long, value_name = "DIR", default_value = "abigate-fuzz")]
    keep: PathBuf,
    /// Keep failures as they were found
    #[arg(long)]
    no_minimise: bool,
    /// Send a kept failure again and say whether it still fails
    #[arg(long, value_name = "FILE", conflicts_with = "app")]
    replay: Option<PathBuf>,
    /// How long an answer may take
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    timeout: u64,
    /// Connect to HOST:PORT without TLS
    #[arg(long)]
    plain: bool,
    /// Let HOST:PORT be another machine: one of yours
    #[arg(long)]
    anywhere: bool,
    /// How the summary is written
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// The reference data that messages are made from, TOML; the demo world without it
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// The password of the sender that transmits
    #[arg(long, value_name = "TEXT", default_value = "PASSWD")]
    password: String,
    #[command(flatten)]
    credentials: send::CredentialArguments,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// For people.
    Human,
    /// One JSON object.
    Json,
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let grammar = Grammar::builtin();
    let world = match &arguments.world {
        Some(file) => World::open(file, grammar)?,
        None => World::demo(grammar)?,
    };
    match &arguments.replay {
        Some(file) => show_again(grammar, &world, file, &arguments, outputs),
        None => look_for_failures(grammar, &world, &arguments, outputs),
    }
}

fn target<'g>(
    grammar: &'g Grammar,
    world: &World,
    application: &str,
    arguments: &Arguments,
) -> anyhow::Result<Box<dyn Target + 'g>> {
    let timeout = Duration::from_millis(arguments.timeout);
    if arguments.target == "builtin" {
        return Ok(Box::new(Builtin::new(grammar, world, application)?));
    }
    if let Some(line) = arguments.target.strip_prefix("exec:") {
        return Ok(Box::new(CommandTarget::new(line, timeout).context("exec: names no command")?));
    }
    let found = address(&arguments.target, arguments.anywhere)
        .with_context(|| format!("{} is no target", arguments.target))?;
    if arguments.plain {
        return Ok(Box::new(SocketTarget::new(found, timeout)));
    }
    let tls = client_tls(&send::credentials(&arguments.credentials))?;
    Ok(Box::new(TlsTarget::new(&arguments.target, tls, timeout)?))
}

fn look_for_failures(
    grammar: &Grammar,
    world: &World,
    arguments: &Arguments,
    outputs: &Outputs,
) -> anyhow::Result<Ending> {
    let application = arguments.app.as_deref().unwrap_or_default().to_ascii_uppercase();
    let Some(mut laboratory) = Laboratory::new(grammar, &application) else {
        bail!("no grammar has an input structure for application {application:?}");
    };
    let specification = Specification {
        application: application.clone(),
        seed: arguments.seed,
        date: None,
        separator: b"\n".to_vec(),
        variety: VARIETY.min(usize::try_from(arguments.runs).unwrap_or(VARIETY)),
        password: arguments.password.clone(),
    };
    let mut generator = Generator::new(grammar, world, &specification)?;
    let mut target = target(grammar, world, &application, arguments)?;
    let judge = JudgeOfReplies::new(grammar, &application)?;
    let campaign = Campaign {
        seed: arguments.seed,
        runs: arguments.runs,
        most_failures: arguments.failures,
        minimise: !arguments.no_minimise,
    };
    interrupt::await_signal();
    let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(arguments.runs));
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len}, {msg} failures, {eta} left")?;
    let bar = bar.map(|bar| bar.with_style(style));
    let report =
        run_campaign(&mut laboratory, &judge, &mut generator, &mut *target, campaign, |run, failures| {
            if let Some(bar) = &bar {
                bar.set_position(run);
                bar.set_message(failures.to_string());
            }
            if interrupt::is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .with_context(|| format!("cannot send to {}", arguments.target))?;
    let files = keep(&report, arguments)?;
    let told = match arguments.format {
        Format::Json => format!("{:#}\n", serde_json::to_value(&report)?),
        Format::Human => summary(&report, &files, arguments),
    };
    // flushed at the end of the run, whose ending stands even if nobody reads this
    outputs.standard().write_all(told.as_bytes())?;
    Ok(match report.failures.len() {
        _ if interrupt::is_asked() => Ending::Interrupted,
        0 => Ending::Clean,
        _ => Ending::Findings,
    })
}

/// Keeps each failure: the message, and beside it what is known of it.
fn keep(report: &Report, arguments: &Arguments) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for failure in &report.failures {
        fs::create_dir_all(&arguments.keep).with_context(|| arguments.keep.display().to_string())?;
        let kind = failure.mutation.split(':').next().unwrap_or_default();
        let name = format!("{}-{kind}-{}-{}.abi", failure.application, failure.seed, failure.run);
        let path = arguments.keep.join(name.replace('$', "_"));
        output::write_file(&path, &failure.message)?;
        let mut described = serde_json::to_value(failure)?;
        if let Some(object) = described.as_object_mut() {
            object.insert("target".to_owned(), arguments.target.clone().into());
            object.insert("replay".to_owned(), again(&path, arguments).into());
        }
        let beside = path.with_extension("json");
        output::write_file(&beside, format!("{described:#}\n").as_bytes())?;
        files.push(path);
    }
    Ok(files)
}

/// The command that sends a failure again.
fn again(path: &Path, arguments: &Arguments) -> String {
    let target = match arguments.target.as_str() {
        "builtin" => String::new(),
        target => format!(" --target '{target}'{}", if arguments.plain { " --plain" } else { "" }),
    };
    format!("abigate fuzz --replay {}{target}", path.display())
}

fn summary(report: &Report, files: &[PathBuf], arguments: &Arguments) -> String {
    let coverage = &report.coverage;
    let mut text = format!(
        "{} messages: {} failures\nreached {} of {} records, broke {} of {} fields in {} ways\n",
        report.runs,
        report.failures.len(),
        coverage.records.len(),
        coverage.all_records,
        coverage.fields.len(),
        coverage.all_fields,
        coverage.mutations.len(),
    );
    let known =
        |code: &&String| coverage.conditions.contains_key(*code) || coverage.expected.contains_key(*code);
    let reached = coverage.all_conditions.iter().filter(known).count();
    text += &format!(
        "conditions of fields: {reached} of {} provoked; seen in answers: {}\n",
        coverage.all_conditions.len(),
        coverage.conditions.len(),
    );
    for (failure, path) in report.failures.iter().zip(files) {
        text += &format!(
            "\n{:?}: {}\n  {} at {}, {} records\n  {}\n",
            failure.verdict.fault,
            failure.verdict.detail,
            failure.mutation,
            if failure.place.is_empty() { "the message" } else { &failure.place },
            failure.records,
            again(path, arguments),
        );
    }
    text
}

fn show_again(
    grammar: &Grammar,
    world: &World,
    file: &Path,
    arguments: &Arguments,
    outputs: &Outputs,
) -> anyhow::Result<Ending> {
    let beside = file.with_extension("json");
    let described = fs::read_to_string(&beside).with_context(|| beside.display().to_string())?;
    let mut failure: Failure =
        serde_json::from_str(&described).with_context(|| beside.display().to_string())?;
    failure.message = fs::read(file).with_context(|| file.display().to_string())?;
    let mut target = target(grammar, world, &failure.application, arguments)?;
    let mut out = outputs.standard();
    writeln!(out, "{} at {}", failure.mutation, failure.place)?;
    match replay(grammar, &failure, &mut *target)? {
        Some(verdict) => {
            writeln!(out, "{:?}: {}", verdict.fault, verdict.detail)?;
            Ok(Ending::Findings)
        }
        None => {
            writeln!(out, "answered as it should be")?;
            Ok(Ending::Clean)
        }
    }
}
