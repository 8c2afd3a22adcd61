//! `abigate admin mailbox`

use std::io::Write;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::super::Ending;
use super::super::output::Outputs;
use super::place::{Format, FormatArgument, Place};
use crate::envelope::Sender;
use crate::store::{Mail, MailQuery, MailState, Store, Unit};

/// Notifications: what waits for whom, and what has been delivered
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
    /// The notifications, oldest first
    List {
        /// Only of this mailbox: site, identification and office, with spaces between
        #[arg(long = "of", value_name = "MAILBOX")]
        mailbox: Option<String>,
        /// Only in this state
        #[arg(long, value_enum)]
        state: Option<State>,
    },
    /// A notification as it travels
    Show {
        /// Its number in the list
        number: i64,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    /// Until the end of the day
    Held,
    /// For a connection of its recipient
    Waiting,
    /// Taken by its recipient
    Delivered,
}

pub(super) fn run(arguments: &Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let mut store = arguments.place.store()?;
    let mut unit = store.begin()?;
    let query = match &arguments.command {
        Command::List { mailbox, state } => MailQuery {
            recipient: mailbox.as_deref().map(mailbox_of),
            state: state.map(|state| match state {
                State::Held => MailState::Held,
                State::Waiting => MailState::Waiting,
                State::Delivered => MailState::Delivered,
            }),
            ..MailQuery::default()
        },
        Command::Show { number } => MailQuery { after: number - 1, most: 1, ..MailQuery::default() },
    };
    let found = unit.ledger()?.mail(&query)?;
    drop(unit);
    let text = match (&arguments.command, arguments.format.format) {
        (Command::List { .. }, Format::Json) => {
            format!("{:#}\n", Value::Array(found.iter().map(summary).collect()))
        }
        (Command::List { .. }, Format::Text) => found.iter().map(line).collect(),
        (Command::Show { number }, format) => {
            let mail = found.first().filter(|mail| mail.id == *number);
            let mail = mail.with_context(|| format!("there is no notification {number}"))?;
            let records = mail.records.iter().map(|row| String::from_utf8_lossy(row).into_owned());
            match format {
                Format::Json => {
                    let mut value = summary(mail);
                    value["records"] = records.collect();
                    format!("{value:#}\n")
                }
                Format::Text => records.map(|record| record + "\n").collect(),
            }
        }
    };
    outputs.standard().write_all(text.as_bytes())?;
    Ok(Ending::Clean)
}

/// A mailbox as a person writes it.
fn mailbox_of(text: &str) -> Sender {
    let mut parts = text.split([' ', '/']).map(str::to_ascii_uppercase);
    let mut next = || parts.next().unwrap_or_default();
    Sender { site: next(), id: next(), office: next() }
}

fn name(Sender { site, id, office }: &Sender) -> String {
    format!("{site} {id} {office}").trim_end().to_owned()
}

fn line(mail: &Mail) -> String {
    let delivered = mail.delivered.map(|at| format!(" {at}")).unwrap_or_default();
    let (number, state) = (mail.id, mail.state.name());
    format!(
        "{number:>6}  {:11}  {}  {}  {state}{delivered}\n",
        name(&mail.recipient),
        mail.entry,
        mail.written
    )
}

fn summary(mail: &Mail) -> Value {
    json!({
        "number": mail.id,
        "recipient": mail.recipient,
        "entry": mail.entry,
        "written": mail.written,
        "state": mail.state,
        "delivered": mail.delivered,
    })
}
