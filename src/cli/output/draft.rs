//! The new contents of a file, beside it until they are whole.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::{Builder, NamedTempFile, TempPath};

use super::super::interrupt;

/// Begins the name of a draft.
const PREFIX: &str = ".abigate-";

/// Who may read a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Access {
    /// Whoever may read the file that it replaces; a new file, whoever may read the user's other files.
    Public,
    /// Its owner only.
    Owner,
}

/// The contents that a file is to have. A draft that is dropped is removed.
pub(super) struct Draft {
    target: PathBuf,
    /// The name of the draft.
    name: PathBuf,
    /// The draft itself, until it is delivered.
    path: Option<TempPath>,
    access: Access,
    /// What stands at the target now.
    old: Option<Metadata>,
}

impl Draft {
    /// An empty draft of a regular file, and where to write it. It lies beside the file, or among the
    /// temporary files if the file may be written but its folder may not.
    pub(super) fn new(target: PathBuf, access: Access) -> io::Result<(Self, File)> {
        let old = fs::metadata(&target).ok();
        let folder = target.parent().unwrap_or(Path::new("."));
        let made = interrupt::keep_draft(|| match draft_in(folder, access) {
            Err(error) if old.is_some() && is_refused(&error) => draft_in(&std::env::temp_dir(), access),
            other => other,
        });
        // the name of the draft in the library's words would only confuse
        let made = made.map_err(|error| io::Error::from(error.kind()))?;
        let (file, path) = made.into_parts();
        let draft = Self { target, name: path.to_path_buf(), path: Some(path), access, old };
        Ok((draft, file))
    }

    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Gives all drafts the names of their targets; no signal comes between.
    pub(super) fn deliver_all(mut drafts: Vec<Self>) -> anyhow::Result<()> {
        interrupt::undisturbed(|| {
            drafts.iter_mut().try_for_each(|draft| {
                let delivered = draft.deliver();
                delivered.with_context(|| draft.target.display().to_string())
            })
        })
    }

    fn deliver(&mut self) -> io::Result<()> {
        let Some(path) = self.path.take() else { return Ok(()) };
        let Some(old) = &self.old else { return path.persist(&self.target).map_err(|refused| refused.error) };
        if !is_replaceable(old, &fs::metadata(&path)?) {
            return copy(&path, &self.target);
        }
        if self.access == Access::Public {
            fs::set_permissions(&path, old.permissions())?;
        }
        // a file on which something is mounted can be written but not replaced
        path.persist(&self.target).or_else(|refused| copy(&refused.path, &self.target))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        drop(self.path.take());
        interrupt::forget_draft(&self.name);
    }
}

fn draft_in(folder: &Path, access: Access) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX);
    if let (Access::Public, Some(permissions)) = (access, public()) {
        builder.permissions(permissions);
    }
    builder.tempfile_in(folder)
}

/// The permissions of a new file before the user's mask takes some away.
#[cfg(unix)]
fn public() -> Option<Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(0o666))
}

#[cfg(not(unix))]
fn public() -> Option<Permissions> {
    None
}

fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Whether another file can take the place of this one. Not so if the file has further names, or if it
/// would get another owner.
#[cfg(unix)]
fn is_replaceable(old: &Metadata, new: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    old.nlink() == 1 && (old.uid(), old.gid()) == (new.uid(), new.gid())
}

#[cfg(not(unix))]
fn is_replaceable(_old: &Metadata, _new: &Metadata) -> bool {
    true
}

/// Writes a whole draft into the file that is there.
fn copy(draft: &Path, target: &Path) -> io::Result<()> {
    let mut from = File::open(draft)?;
    let mut to = File::options().write(true).truncate(true).open(target)?;
    io::copy(&mut from, &mut to).map(drop)
}
