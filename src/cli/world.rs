//! Which world a command looks things up in.

use std::path::PathBuf;

use clap::Args;

use crate::grammar::Grammar;
use crate::host::World;

/// The reference data and the parties that a check may look up.
#[derive(Clone, Debug, Args)]
pub(super) struct WorldName {
    /// Look up parties and reference data in this world, TOML.
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Look them up in the demo world, in which the samples are right.
    #[arg(long, conflicts_with = "world")]
    demo: bool,
}

impl WorldName {
    /// The world that is named, if one is.
    pub(super) fn open(&self, grammar: &Grammar) -> anyhow::Result<Option<World>> {
        Ok(match &self.world {
            Some(file) => Some(World::open(file, grammar)?),
            None if self.demo => Some(World::demo(grammar)?),
            None => None,
        })
    }
}
