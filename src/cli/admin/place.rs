//! Which store and world an operator means, and how what is found there is printed.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::super::{answer, development};
use crate::gateway::{Config, ConfigError, HostWithClock};
use crate::grammar::Grammar;
use crate::host::World;
use crate::store::SqliteStore;

/// The store that is meant. It may be that of a gateway that runs.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The data folder of `abigate answer`
    #[arg(long, value_name = "DIR", global = true, conflicts_with = "config")]
    data: Option<PathBuf>,
    /// The settings of a gateway; those in ./abigate-dev if neither is named
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The world, TOML, instead of the one the settings name
    #[arg(long, value_name = "FILE", global = true)]
    world: Option<PathBuf>,
}

/// How it is printed.
#[derive(Debug, Args)]
pub(super) struct FormatArgument {
    /// How it is printed
    #[arg(long, value_enum, global = true, default_value_t)]
    pub(super) format: Format,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum Format {
    /// To read
    #[default]
    Text,
    /// A JSON value
    Json,
}

impl Place {
    /// The store; it is not made where there is none.
    pub(super) fn store(&self) -> anyhow::Result<SqliteStore> {
        let (path, _) = self.paths()?;
        SqliteStore::open(&path).with_context(|| format!("store {}", path.display()))
    }

    /// A host on the store, beside the one of a gateway that runs.
    pub(super) fn host(&self) -> anyhow::Result<HostWithClock<SqliteStore>> {
        let store = self.store()?;
        let grammar = Grammar::builtin();
        let world = match self.paths()?.1 {
            Some(file) => World::open(&file, grammar).with_context(|| format!("world {}", file.display()))?,
            None => World::demo(grammar)?,
        };
        Ok(HostWithClock::new(world, store)?)
    }

    fn paths(&self) -> anyhow::Result<(PathBuf, Option<PathBuf>)> {
        if let Some(folder) = &self.data {
            return Ok((folder.join(answer::STORE), self.world.clone()));
        }
        let beside = Path::new(development::FOLDER).join(development::SETTINGS_FILE);
        let settings = match &self.config {
            Some(file) => file,
            None if beside.exists() => &beside,
            None => bail!("name the store with --data DIR or --config FILE"),
        };
        let config = Config::from_file(settings)?;
        let store = config.store.ok_or(ConfigError::Missing("store"))?;
        Ok((store, self.world.clone().or(config.world)))
    }
}
