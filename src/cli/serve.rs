//! `abigate serve`

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use tokio_util::sync::CancellationToken;

use super::output::{Output, Outputs};
use super::{Ending, development, log};
use crate::gateway::{Config, ConfigError, HostWithClock, Reloader, Server};
use crate::grammar::Grammar;
use crate::host::World;
use crate::store::{SqliteStore, StoreError};

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
    /// Begin a new store where the settings name one; without this a store that is not there is an error
    #[arg(long)]
    new: bool,
    /// Where to listen instead of where the settings say; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
}

pub(super) fn run(arguments: Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // before anything slow, so that the gateway ends in good order whenever it is asked to
    let stop = runtime.block_on(async { stop_signal() })?;
    let ended = runtime.block_on(serve(arguments, outputs, stop));
    // a start that was broken off goes on in its thread; nobody waits for it
    runtime.shutdown_background();
    ended
}

async fn serve(arguments: Arguments, outputs: &Outputs, stop: CancellationToken) -> anyhow::Result<Ending> {
    let dev = arguments.dev;
    let opened = tokio::task::spawn_blocking(move || open(&arguments));
    let opened = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(Ending::Clean),
        opened = opened => opened.context("the start has ended by a defect of the program")?,
    };
    let Opened { config, host, log: _log, lock: _lock } = opened?;
    let server = Server::bind(&config, host).await?;
    announce(&server.local_addr()?.to_string(), dev, outputs.standard());
    reload_on_signal(server.reloader())?;
    server.run(stop.cancelled_owned()).await?;
    Ok(Ending::Clean)
}

/// What a gateway is started with.
struct Opened {
    config: Config,
    host: HostWithClock<SqliteStore>,
    /// Kept as long as the gateway runs.
    log: log::Log,
    /// Kept as long as the gateway runs.
    lock: File,
}

/// Reads the settings and opens all that they name. Slow: a world and its reference data are read.
fn open(arguments: &Arguments) -> anyhow::Result<Opened> {
    let config = configure(arguments)?;
    config.check()?;
    let log = log::start(&config.log)?;
    let lock = lock_store(&config)?;
    let host = open_host(&config, arguments.new)?;
    Ok(Opened { config, host, log, lock })
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

fn open_host(config: &Config, is_new: bool) -> anyhow::Result<HostWithClock<SqliteStore>> {
    let world = config.world.as_deref().ok_or(ConfigError::Missing("world"))?;
    let store = config.store.as_deref().ok_or(ConfigError::Missing("store"))?;
    let world =
        World::open(world, Grammar::builtin()).with_context(|| format!("world {}", world.display()))?;
    let store = open_store(store, is_new).with_context(|| format!("store {}", store.display()))?;
    Ok(HostWithClock::new(world, store)?.keep_batches(config.keeping.batches_days))
}

/// The store of the settings. One that has gone is not begun anew unless that is asked for: a path may be
/// wrong, or a disk not there.
fn open_store(path: &Path, is_new: bool) -> anyhow::Result<SqliteStore> {
    if is_new {
        tracing::info!(store = %path.display(), "a new store begins");
        return Ok(SqliteStore::create(path)?);
    }
    let store = match SqliteStore::open(path) {
        Err(error @ (StoreError::Missing | StoreError::Empty)) => {
            bail!("{error}; `abigate serve --new` begins one")
        }
        opened => opened?,
    };
    store.quick_check()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            tracing::warn!(store = %path.display(), mode = format!("{mode:o}"), "others can read the store");
        }
    }
    Ok(store)
}

/// Makes sure that no other gateway serves the store. The lock is on a file beside it: SQLite's own locks on
/// the store would be lost with any other handle on it. It ends with the process, however that ends.
#[allow(clippy::disallowed_methods, reason = "nothing is written to the file that is locked")]
fn lock_store(config: &Config) -> anyhow::Result<File> {
    let store = config.store.as_deref().ok_or(ConfigError::Missing("store"))?;
    // the store itself, by whatever name
    let store = store.canonicalize().unwrap_or_else(|_| store.to_owned());
    let mut path = store.clone().into_os_string();
    path.push(".lock");
    let path = PathBuf::from(path);
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).with_context(|| format!("lock {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("another gateway serves the store {}", store.display()),
        Err(TryLockError::Error(error)) => Err(error).context(format!("lock {}", path.display())),
    }
}

/// Has certificates, keys and revocations read anew whenever the process gets SIGHUP.
#[cfg(unix)]
fn reload_on_signal(reloader: Reloader) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut asked = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while asked.recv().await.is_some() {
            // it says itself what comes of it
            let _ = reloader.reload();
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn reload_on_signal(_reloader: Reloader) -> io::Result<()> {
    Ok(())
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

/// Cancelled when the process is asked to end. From now on the signals do not end the process themselves.
fn stop_signal() -> io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let asked = stop.clone();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            asked.cancel();
        });
    }
    #[cfg(not(unix))]
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.cancel();
        }
    });
    Ok(stop)
}
