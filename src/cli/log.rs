//! Where log events go: to standard error.

use std::io::{self, IsTerminal};

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::gateway::{LogConfig, LogFormat};

/// The variable whose directives go before those of the settings.
const VARIABLE: &str = "ABIGATE_LOG";

/// Starts to log as the settings say.
pub(super) fn start(config: &LogConfig) -> anyhow::Result<()> {
    let directives = std::env::var(VARIABLE).unwrap_or_else(|_| config.filter.clone());
    let filter = EnvFilter::try_new(&directives).with_context(|| format!("log filter `{directives}`"))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    let started = match config.format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot log: {error}"))
}
