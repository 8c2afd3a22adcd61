//! `abigate serve`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::output::{Output, Outputs};
use super::{Ending, development, log};
use crate::gateway::{Config, ConfigError, HostWithClock, Server};
use crate::grammar::Grammar;
use crate::host::World;
use crate::store::SqliteStore;

/// Run the gateway
///
/// It stops on an interrupt or termination signal: open batches are finished and answered first.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The settings, TOML
    #[arg(long, value_name = "FILE", conflicts_with = "dev")]
    config: Option<PathBuf>,
    /// For development: make certificates, settings, a store and the demo world under ./abigate-dev
    #[arg(long)]
    dev: bool,
    /// The world to answer from, TOML, instead of the one the settings name
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Where to listen instead of where the settings say; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let config = configure(&arguments)?;
    config.check()?;
    log::start(&config.log)?;
    let host = open_host(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = Server::bind(&config, host).await?;
        announce(&server.local_addr()?.to_string(), arguments.dev, outputs.standard());
        server.run(stop_signal()?).await?;
        Ok(Ending::Clean)
    })
}

fn configure(arguments: &Arguments) -> anyhow::Result<Config> {
    let mut config = match (&arguments.config, arguments.dev) {
        (Some(file), _) => Config::from_file(file)?,
        (None, true) => {
            development::prepare(Path::new(development::FOLDER), &World::demo(Grammar::builtin())?)?
        }
        (None, false) => bail!("name the settings with --config FILE, or try --dev"),
    };
    if let Some(world) = &arguments.world {
        config.world = Some(world.clone());
    }
    if let Some(listen) = &arguments.listen {
        config.listen.clone_from(listen);
    }
    Ok(config)
}

fn open_host(config: &Config) -> anyhow::Result<HostWithClock<SqliteStore>> {
    let world = config.world.as_deref().ok_or(ConfigError::Missing("world"))?;
    let store = config.store.as_deref().ok_or(ConfigError::Missing("store"))?;
    let world =
        World::open(world, Grammar::builtin()).with_context(|| format!("world {}", world.display()))?;
    let store = SqliteStore::open(store).with_context(|| format!("store {}", store.display()))?;
    Ok(HostWithClock::new(world, store)?)
}

/// Says where the gateway listens, for people and for programs that started it.
fn announce(address: &str, dev: bool, mut output: Output) {
    let mut text = format!("listening on {address}\n");
    if dev {
        text.push_str(&format!(
            "certificates, settings, world and store are in ./{}\n\
             send a batch:  abigate send FILE --to {address}\n\
             as a sender other than {}:  --as NAME\n",
            development::FOLDER,
            development::SENDER,
        ));
    }
    // the gateway runs even if nobody can read this
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

/// Completes when the process is asked to end.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}
