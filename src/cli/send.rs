//! `abigate send`

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::output::Outputs;
use super::{Ending, development, output, stream};
use crate::gateway::{Client, Credentials, Outliner, client_tls};
use crate::grammar::Grammar;

/// Send batches to a gateway and print its answers as plain records
///
/// Without --ca, --cert and --key the credentials that `abigate serve --dev` left in ./abigate-dev
/// are used, of the sender that --as names.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file with the batches; `-` for standard input
    file: PathBuf,
    /// The gateway
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7443")]
    to: String,
    /// How long to stay connected after the last byte, for what else may arrive
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u32,
    #[command(flatten)]
    credentials: CredentialArguments,
}

/// Who connects, and to whom.
#[derive(Debug, Args)]
pub(super) struct CredentialArguments {
    /// The sender of ./abigate-dev to be
    #[arg(long = "as", value_name = "NAME", default_value = development::SENDER, conflicts_with = "cert")]
    sender: String,
    /// The authority of the gateway's certificate, PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Your certificate, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Your private key, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let mut batches = Vec::new();
    stream::raw_input(Some(&arguments.file))?.read_to_end(&mut batches)?;
    let tls = client_tls(&credentials(&arguments.credentials))?;
    let mut records = Vec::new();
    let mut output = outputs.standard();
    let mut printed = Ok(());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = Client::connect(&arguments.to, tls).await?;
        let wait = Duration::from_secs(arguments.wait.into());
        let conversation = client.converse(&batches, wait, |columns| {
            records.push(*columns);
            let line = output.write_all(columns).and_then(|()| output.write_all(b"\n"));
            printed = std::mem::replace(&mut printed, Ok(())).and(line);
        });
        conversation.await
    })?;
    printed?;
    let outcome = Outliner::new(Grammar::builtin())?.outcome(&records);
    output::tell(&outcome);
    Ok(if outcome.rejected == 0 { Ending::Clean } else { Ending::Findings })
}

/// What is named, and from the development folder what is not.
pub(super) fn credentials(arguments: &CredentialArguments) -> Credentials {
    let development = development::credentials(Path::new(development::FOLDER), &arguments.sender);
    let named = arguments.cert.clone().zip(arguments.key.clone());
    match &arguments.ca {
        // a gateway with an authority of its own has no use for a development certificate
        Some(authority) => Credentials { authority: authority.clone(), identity: named },
        None => Credentials { identity: named.or(development.identity), ..development },
    }
}
