//! Failures that are known: a file that a project keeps beside its decoder.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::super::output;
use crate::fuzz::{Failure, Fault};

/// The version of the file's form.
const VERSION: u32 = 1;

/// The file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    version: u32,
    /// By application, and there by cause.
    known: BTreeMap<String, BTreeMap<String, KnownFailure>>,
}

/// What came of a cause, for people: it is known by its cause alone.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct KnownFailure {
    fault: Fault,
    detail: String,
    mutation: String,
    place: String,
}

impl Default for Baseline {
    fn default() -> Self {
        Self { version: VERSION, known: BTreeMap::new() }
    }
}

impl Baseline {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let read: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} is no baseline of `abigate fuzz`", path.display()))?;
        if read.version != VERSION {
            bail!("{}: version {} of baselines is not known, only {VERSION}", path.display(), read.version);
        }
        Ok(read)
    }

    pub(super) fn causes(&self, application: &str) -> HashSet<String> {
        self.known.get(application).into_iter().flat_map(BTreeMap::keys).cloned().collect()
    }

    pub(super) fn add(&mut self, failure: &Failure) {
        let known = KnownFailure {
            fault: failure.verdict.fault,
            detail: failure.verdict.detail.clone(),
            mutation: failure.mutation.clone(),
            place: failure.place.clone(),
        };
        self.known.entry(failure.application.clone()).or_default().insert(failure.cause.clone(), known);
    }

    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        output::write_file(path, text.as_bytes())
    }
}
