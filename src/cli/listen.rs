//! `abigate listen`

use std::cell::Cell;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::{Args, ValueEnum};
use rustls::ClientConfig;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::output::{Output, Outputs};
use super::{Ending, output, send};
use crate::gateway::{Client, client_tls};
use crate::grammar::Grammar;
use crate::message::{Explainer, Form, RecordsWriter, TextPage};
use crate::wire::Columns;

/// A gateway that ends connections faster than this, without a notification, does not want this one.
const TOO_SHORT: Duration = Duration::from_secs(2);

/// No notification has more records; a gateway that sends more is not listened to.
const LONGEST: usize = 500_000;

/// Take the notifications of a sender from a gateway and print them as they come
///
/// Connects, sends nothing, and prints each notification once all of it is there. It connects again when the
/// gateway ends an idle connection. At the end, after Ctrl-C too, it says farewell and prints what has come
/// meanwhile: all that the gateway counts as delivered is printed. Exit code 1 if fewer came than --count asks for.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The gateway
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7443")]
    to: String,
    /// End after so many notifications; those that are under way at that moment are printed too
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after one notification, as --count 1
    #[arg(long, conflicts_with = "count")]
    once: bool,
    /// End when no notification has come for so long
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,
    /// How notifications are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    credentials: send::CredentialArguments,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// Records of 80 columns, one a line
    #[default]
    Records,
    /// One JSON object a line and notification, in the form of `convert --to records`
    Json,
    /// Field by field, as `explain` does
    Explained,
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let tls = client_tls(&send::credentials(&arguments.credentials))?;
    let wanted = arguments.count.or(arguments.once.then_some(1));
    let mut printer = Printer::new(arguments.format, outputs.standard());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(listen(&arguments, tls, wanted, &mut printer));
    printer.failed?;
    ended.with_context(|| format!("{} notifications came", printer.count))?;
    match wanted {
        Some(wanted) if printer.count < wanted => {
            output::tell_problem(format_args!("{} of {wanted} notifications came", printer.count));
            Ok(Ending::Findings)
        }
        _ => Ok(Ending::Clean),
    }
}

/// Prints what comes until it is enough, or until somebody interrupts; connects again when the gateway ends an
/// idle connection.
async fn listen(
    arguments: &Arguments,
    tls: ClientConfig,
    wanted: Option<u64>,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let (stop, broken) = (CancellationToken::new(), CancellationToken::new());
    let patience = arguments.timeout.map(|seconds| Duration::from_secs(seconds.into()));
    let last = Cell::new(Instant::now());
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    while !stop.is_cancelled() {
        let begun = Instant::now();
        let before = printer.count;
        let client = tokio::select! {
            _ = &mut interrupted => return Ok(()),
            client = Client::connect(&arguments.to, tls.clone()) => client?,
        };
        let take = |columns: &Columns| {
            printer.push(columns);
            if printer.failed.is_err() {
                broken.cancel();
            } else if printer.is_between() {
                last.set(Instant::now());
                if wanted.is_some_and(|wanted| printer.count >= wanted) {
                    stop.cancel();
                }
            }
        };
        let ends = async {
            tokio::select! {
                _ = &mut interrupted => {}
                () = stop.cancelled() => {}
                () = silence(&last, patience) => {}
            }
            stop.cancel();
        };
        tokio::select! {
            biased;
            // no farewell: what could not be printed must not count as delivered
            () = broken.cancelled() => return Ok(()),
            listened = client.listen(ends, take) => listened?,
        }
        if !stop.is_cancelled() && printer.count == before && begun.elapsed() < TOO_SHORT {
            bail!("{} has ended the connection at once", arguments.to);
        }
    }
    Ok(())
}

/// Completes when nothing has come for so long; never if there is no limit.
async fn silence(last: &Cell<Instant>, patience: Option<Duration>) {
    let Some(patience) = patience else { return std::future::pending().await };
    while last.get().elapsed() < patience {
        tokio::time::sleep_until(last.get() + patience).await;
    }
}

/// Prints notifications, each once it is whole.
struct Printer {
    format: Format,
    out: Output,
    rows: Vec<Columns>,
    count: u64,
    /// Why nothing more can be printed.
    failed: anyhow::Result<()>,
}

impl Printer {
    fn new(format: Format, out: Output) -> Self {
        Self { format, out, rows: Vec::new(), count: 0, failed: Ok(()) }
    }

    /// Whether the last notification is whole.
    fn is_between(&self) -> bool {
        self.rows.is_empty()
    }

    fn push(&mut self, columns: &Columns) {
        if self.failed.is_err() {
            return;
        }
        self.rows.push(*columns);
        if self.rows.len() > LONGEST {
            self.failed = Err(anyhow!("a notification of more than {LONGEST} records"));
        }
        // a batch ends with its Z-record (batch chapter, B&B-12)
        if columns[0] == b'Z' {
            self.failed = self.print();
            self.count += u64::from(self.failed.is_ok());
            self.rows.clear();
        }
    }

    fn print(&mut self) -> anyhow::Result<()> {
        let mut text = Vec::new();
        match self.format {
            Format::Records => {
                self.rows.iter().for_each(|row| text.extend(row.iter().copied().chain([b'\n'])));
            }
            Format::Json => {
                let mut writer = RecordsWriter::new(Grammar::builtin(), Form::default(), Vec::new());
                self.rows.iter().try_for_each(|row| writer.push(row))?;
                let document: Value = serde_json::from_slice(&writer.finish()?)?;
                let batch = document.get("batches").and_then(|batches| batches.get(0));
                serde_json::to_writer(&mut text, batch.context("a notification that is no batch")?)?;
                text.push(b'\n');
            }
            Format::Explained => {
                let mut explainer =
                    Explainer::new(Grammar::builtin(), TextPage::new(&mut text, false, false));
                self.rows.iter().try_for_each(|row| explainer.push(row))?;
                explainer.finish()?;
            }
        }
        Ok(self.out.write_all(&text).and_then(|()| self.out.flush())?)
    }
}
