//! The cargo releases that a filing names: that of its own entry and those it consolidates
//! (usage notes z, ee, ll).

use std::collections::BTreeSet;

use super::super::World;
use super::super::filing::Filing;
use crate::rules::Reference;
use crate::store::{EntryKey, StoreError, Unit};

/// The list of releases in the world.
const LIST: &str = "release";

/// Columns in which the releases of one summary must not differ.
const COMMON: [&str; 2] = ["mot", "immediate_delivery"];

/// The releases a filing names; the first is its own.
pub(super) struct Releases(Vec<NamedRelease>);

struct NamedRelease {
    key: EntryKey,
    /// Whether it is another filer's, and not there for this one.
    is_anothers: bool,
    /// The summary that consolidates it.
    into: Option<EntryKey>,
}

impl NamedRelease {
    /// A column in the world; empty if it says nothing, none if the release is not known.
    fn column(&self, world: &World, column: &str) -> Option<String> {
        let key = self.key.to_string();
        let known = !self.is_anothers && world.has(LIST, &key) == Some(true);
        known.then(|| world.value(LIST, &key, column).unwrap_or_default().into_owned())
    }
}

impl Releases {
    /// The releases of a filing, of which those of this filer are there.
    pub(super) fn read(filing: &Filing, filer: &str, unit: &mut dyn Unit) -> Result<Self, StoreError> {
        let mut releases = Self::unseen(filing, filer);
        for release in releases.0.iter_mut().filter(|release| !release.is_anothers) {
            release.into = unit.consolidated_into(&release.key)?;
        }
        Ok(releases)
    }

    /// The releases of a filing if none of them is part of a summary on file.
    pub(super) fn unseen(filing: &Filing, filer: &str) -> Self {
        let release =
            |key: &EntryKey| NamedRelease { key: key.clone(), is_anothers: key.filer != filer, into: None };
        Self(std::iter::once(&filing.key).chain(&filing.releases).map(release).collect())
    }

    /// Whether none of them is on file as part of a summary.
    pub(super) fn is_unseen(&self) -> bool {
        self.0.iter().all(|release| release.into.is_none())
    }

    fn find(&self, number: &str) -> Option<&NamedRelease> {
        self.0.iter().find(|release| release.key.number == number)
    }

    /// Whether the world knows a release; `None` if it holds none at all.
    pub(super) fn has(&self, world: &World, number: &str) -> Option<bool> {
        let release = self.find(number)?;
        world.has(LIST, &release.key.to_string()).map(|known| known && !release.is_anothers)
    }

    /// A column of a release, for a filing.
    pub(super) fn value(
        &self,
        world: &World,
        filing: &EntryKey,
        number: &str,
        column: &str,
    ) -> Option<String> {
        let release = self.find(number)?;
        match column {
            "consolidated_into" => {
                let other = release.into.as_ref().filter(|into| *into != filing);
                Some(other.map(EntryKey::to_string).unwrap_or_default())
            }
            "district" => release.column(world, "port")?.get(..2).map(str::to_owned),
            _ => release.column(world, column),
        }
    }

    /// What the consolidated releases are together: the first and the last day, and in what they differ.
    pub(super) fn together(&self, world: &World, column: &str) -> Option<String> {
        let given = |column| {
            let values = self.0.iter().skip(1).filter_map(|release| release.column(world, column));
            values.filter(|value| !value.is_empty()).collect::<BTreeSet<_>>()
        };
        match column {
            // Dates are written year first, so their order is that of their texts.
            "first_day" => given("released").pop_first(),
            "last_day" => given("released").pop_last(),
            "differing" => {
                let differing = COMMON.into_iter().filter(|column| given(column).len() > 1);
                Some(differing.collect::<Vec<_>>().join(" "))
            }
            _ => None,
        }
    }
}
