//! `abigate fuzz`

mod baseline;

use std::fs;
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use self::baseline::Baseline;
use super::output::Outputs;
use super::{Ending, interrupt, output, send};
use crate::fuzz::{
    Builtin, Campaign, CommandTarget, Failure, Fault, JudgeOfReplies, Laboratory, Report, SocketTarget,
    Target, TlsTarget, address, replay, run as run_campaign,
};
use crate::gateway::client_tls;
use crate::generate::{Generator, Specification};
use crate::grammar::{Direction, Grammar};
use crate::host::World;

/// So many of the last lines of a target's standard error are shown with a failure; its file has all.
const SHOWN_LINES: usize = 3;
/// How many different transactions are mutated.
const VARIETY: usize = 24;

/// Send mutated batches of an application to a decoder and judge what it answers
///
/// The grammar chooses what is done to a valid batch and says what must become of it. Failures are made as
/// small as they can be and kept, each with a description beside it and the command that shows it again.
/// An interrupt (Ctrl-C) ends the run early, with exit code 130: what was found by then is kept and told.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The application identifier: of an input for those who answer it, or of an answer or notice (AX, UC) for
    /// those who read it
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
    /// Look only for these kinds of failures, such as crash,hang (docs/fuzz.md)
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    only: Vec<Fault>,
    /// The file with the failures that are known: they are counted, but are no failures
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write a baseline with what --baseline holds and what is found now, and end with 0
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    write_baseline: Option<PathBuf>,
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
    let known = grammar.application(application);
    let one_way = known.is_some_and(|known| known.direction == Direction::Output);
    if arguments.plain {
        let target = SocketTarget::new(found, timeout);
        return Ok(Box::new(if one_way { target.one_way() } else { target }));
    }
    let tls = client_tls(&send::credentials(&arguments.credentials))?;
    let target = TlsTarget::new(&arguments.target, tls, timeout)?;
    Ok(Box::new(if one_way { target.one_way() } else { target }))
}

fn look_for_failures(
    grammar: &Grammar,
    world: &World,
    arguments: &Arguments,
    outputs: &Outputs,
) -> anyhow::Result<Ending> {
    let application = arguments.app.as_deref().unwrap_or_default().to_ascii_uppercase();
    let Some(mut laboratory) = Laboratory::new(grammar, &application) else {
        bail!("no grammar describes the transactions of application {application:?}");
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
    let mut known = match &arguments.baseline {
        Some(file) => Baseline::read(file)?,
        None => Baseline::default(),
    };
    let campaign = Campaign {
        seed: arguments.seed,
        runs: arguments.runs,
        most_failures: arguments.failures,
        minimise: !arguments.no_minimise,
        only: arguments.only.clone(),
        baseline: known.causes(&application),
    };
    interrupt::await_signal();
    let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(arguments.runs));
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len}, {msg} failures, {eta} left")?;
    let bar = bar.map(|bar| bar.with_style(style));
    let report =
        run_campaign(&mut laboratory, &judge, &mut generator, &mut *target, &campaign, |run, failures| {
            if let Some(bar) = &bar {
                bar.set_position(run);
                bar.set_message(failures.to_string());
            }
            if interrupt::is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .with_context(|| format!("cannot send to {}", arguments.target))?;
    let files = keep(&report, arguments)?;
    if let Some(file) = &arguments.write_baseline {
        report.failures.iter().for_each(|failure| known.add(failure));
        known.write(file)?;
    }
    let told = match arguments.format {
        Format::Json => format!("{:#}\n", serde_json::to_value(&report)?),
        Format::Human => summary(&report, &files, arguments),
    };
    // flushed at the end of the run, whose ending stands even if nobody reads this
    outputs.standard().write_all(told.as_bytes())?;
    let is_clean = report.failures.is_empty() || arguments.write_baseline.is_some();
    Ok(match is_clean && report.lost.is_none() {
        _ if interrupt::is_asked() => Ending::Interrupted,
        true => Ending::Clean,
        false => Ending::Findings,
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
            if !failure.standard_error.is_empty() {
                let said = path.with_extension("stderr");
                output::write_file(&said, &failure.standard_error)?;
                object.insert("standard_error".to_owned(), said.display().to_string().into());
            }
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
    let known = if report.known > 0 { format!(", {} known", report.known) } else { String::new() };
    let mut text = format!(
        "{} messages: {} failures{known}\nreached {} of {} records, broke {} of {} fields in {} ways\n",
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
            "\n{}: {}\n{}  {} at {}, {} records{}\n  {}\n",
            failure.verdict.fault.name(),
            failure.verdict.detail,
            last_words(&failure.standard_error),
            failure.mutation,
            if failure.place.is_empty() { "the message" } else { &failure.place },
            failure.records,
            if failure.repeats > 0 { format!(", {} more messages", failure.repeats) } else { String::new() },
            again(path, arguments),
        );
    }
    if let Some(reason) = &report.lost {
        text += &format!("\nthe target cannot be reached any more: {reason}\n");
    }
    text
}

/// The last lines that a target wrote to its standard error, each behind a bar.
fn last_words(standard_error: &[u8]) -> String {
    let text = String::from_utf8_lossy(standard_error);
    let lines = text.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>();
    let last = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
    let plain = |line: &&str| line.chars().filter(|sign| !sign.is_control()).take(160).collect::<String>();
    last.iter().map(|line| format!("  | {}\n", plain(line))).collect()
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
            writeln!(out, "{}: {}", verdict.fault.name(), verdict.detail)?;
            Ok(Ending::Findings)
        }
        None => {
            writeln!(out, "answered as it should be")?;
            Ok(Ending::Clean)
        }
    }
}
