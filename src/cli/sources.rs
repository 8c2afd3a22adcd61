//! The files that a command reads: those that are named, and those in folders that are named.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::{Ending, output};

/// Names of files with records.
pub(super) const RECORDS: &[&str] = &["abi"];

/// A file to read.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Its path; `-` is standard input.
    pub(super) path: PathBuf,
    /// Its path within the folder that was named, or its name.
    pub(super) within: PathBuf,
}

impl Source {
    fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), within: path.file_name().map_or_else(PathBuf::new, PathBuf::from) }
    }

    /// Names the source in an error of reading it.
    pub(super) fn named(&self, error: impl Into<anyhow::Error>) -> anyhow::Error {
        output::name_input(&self.name(), error.into())
    }

    /// How messages name it.
    pub(super) fn name(&self) -> String {
        if self.path == Path::new("-") {
            "standard input".to_owned()
        } else {
            self.path.display().to_string()
        }
    }
}

/// The files that are meant, in the order in which they are named. A folder stands for the files in it and in
/// its folders whose names end in one of the endings, sorted; for all of them if there are no endings. Hidden
/// files and folders are left out. What cannot be listed is told, and the ending is `Failed`.
pub(super) fn expand(named: &[PathBuf], endings: &[&str]) -> (Vec<Source>, Ending) {
    let mut sources = Vec::new();
    let mut ending = Ending::Clean;
    for path in named {
        if !path.is_dir() {
            sources.push(Source::of(path));
            continue;
        }
        let mut found = Vec::new();
        let mut listed = list(path, endings, &mut found);
        if listed.is_ok() && found.is_empty() {
            listed = Err(anyhow::anyhow!("no file in this folder ends in {}", in_words(endings)));
        }
        if let Err(error) = listed {
            output::tell_problem(format_args!(
                "{:#}",
                output::name_input(&path.display().to_string(), error)
            ));
            ending = Ending::Failed;
        }
        sources.extend(found.into_iter().map(|file| {
            let within = file.strip_prefix(path).unwrap_or(&file).to_owned();
            Source { path: file, within }
        }));
    }
    (sources, ending)
}

/// Whether more than one file may be meant.
pub(super) fn are_several(named: &[PathBuf]) -> bool {
    named.len() > 1 || named.iter().any(|path| path.is_dir())
}

/// Works on each source. One that fails, with an error that names it, is told and does not end the rest. The
/// run has failed in the end.
///
/// # Errors
/// An output cannot be written.
pub(super) fn each(
    (sources, mut ending): (Vec<Source>, Ending),
    mut work: impl FnMut(&Source) -> anyhow::Result<Ending>,
) -> anyhow::Result<Ending> {
    for source in &sources {
        match work(source) {
            Ok(ended) => ending = ending.max(ended),
            Err(error) if output::is_of_output(&error) => return Err(error),
            Err(error) => {
                output::tell_problem(format_args!("{error:#}"));
                ending = Ending::Failed;
            }
        }
    }
    Ok(ending)
}

fn in_words(endings: &[&str]) -> String {
    endings.iter().map(|ending| format!(".{ending}")).collect::<Vec<_>>().join(" or ")
}

fn list(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let name = || folder.display().to_string();
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).with_context(name)? {
        entries.push(entry.with_context(name)?);
    }
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        // links to folders are not followed: they may lead in a circle
        if entry.file_type().with_context(name)?.is_dir() {
            list(&path, endings, found)?;
        } else if path.is_file() && has_ending(&path, endings) {
            found.push(path);
        }
    }
    Ok(())
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let own = path.extension().and_then(|own| own.to_str());
    endings.is_empty() || own.is_some_and(|own| endings.iter().any(|ending| own.eq_ignore_ascii_case(ending)))
}

/// Where what becomes of each source is written: in a folder, under its own name with another ending.
///
/// # Errors
/// Two sources would have the same file.
pub(super) fn targets(sources: &[Source], folder: &Path, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut targets = Vec::<PathBuf>::with_capacity(sources.len());
    for source in sources {
        let target = folder.join(&source.within).with_extension(ending);
        if let Some(other) = targets.iter().position(|other| *other == target) {
            let (one, other) = (source.name(), sources[other].name());
            bail!("{other} and {one} would both be written to {}", target.display());
        }
        targets.push(target);
    }
    Ok(targets)
}
