//! Where every command writes. A file is written beside its name and takes the name when the whole run is
//! done. Until then the old file stays as it was, so that it may be the file that is read.
#![allow(clippy::disallowed_methods, reason = "this is the place where files are written")]

mod draft;

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};

use super::{Ending, interrupt};
use draft::{Access, Draft};

const BUFFER: usize = 256 << 10;

/// Symbolic links that are followed from one to the next; more are a circle.
const LINKS: usize = 40;

const STANDARD_OUTPUT: &str = "standard output";

/// Whether the reader of standard output has gone.
static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// What a run writes: standard output, and files that appear together when the run is done. A run that
/// fails drops them, and the old files stay.
pub(super) struct Outputs {
    standard: Output,
    /// Whether standard output has been opened as the file of something.
    is_standard_taken: Cell<bool>,
    files: RefCell<Vec<PendingFile>>,
}

/// A file that is being written.
struct PendingFile {
    draft: Draft,
    writer: Output,
    /// Whether the file appears only if something was written.
    only_if_needed: bool,
}

/// One output, by its name. Clones write to the same place.
#[derive(Clone)]
pub(super) struct Output {
    name: Rc<str>,
    to: Rc<RefCell<BufWriter<Box<dyn Write>>>>,
    is_used: Rc<Cell<bool>>,
    is_file: bool,
}

impl Outputs {
    pub(super) fn new() -> Self {
        Self {
            standard: Output::new(STANDARD_OUTPUT, Box::new(StandardOutput)),
            is_standard_taken: Cell::new(false),
            files: RefCell::default(),
        }
    }

    /// Standard output.
    pub(super) fn standard(&self) -> Output {
        self.standard.clone()
    }

    /// The named file, or standard output for `-` and where no file is named.
    ///
    /// # Errors
    /// The file cannot be written, or is already an output of this run.
    pub(super) fn open(&self, file: Option<&Path>) -> anyhow::Result<Output> {
        match file {
            None => self.take_standard(),
            Some(path) => self.open_file(path, false),
        }
    }

    /// The named file, which appears only if something is written to it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(super) fn open_if_needed(&self, path: &Path) -> anyhow::Result<Output> {
        self.open_file(path, true)
    }

    /// The named file, in a folder that is made if it is not there.
    ///
    /// # Errors
    /// As [`Self::open`], or the folder cannot be made.
    pub(super) fn open_in_folder(&self, path: &Path) -> anyhow::Result<Output> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        self.open_file(path, false)
    }

    /// Adds a whole file.
    ///
    /// # Errors
    /// As [`Self::open`], and the file cannot be written.
    pub(super) fn write(&self, path: &Path, contents: &[u8]) -> anyhow::Result<()> {
        let mut writer = self.open_file(path, false)?;
        writer.write_all(contents)?;
        Ok(writer.close()?)
    }

    fn take_standard(&self) -> anyhow::Result<Output> {
        if self.is_standard_taken.replace(true) {
            bail!("{STANDARD_OUTPUT} is named for two outputs");
        }
        Ok(self.standard())
    }

    fn open_file(&self, path: &Path, only_if_needed: bool) -> anyhow::Result<Output> {
        let name = path.display().to_string();
        let opened = Place::of(path).with_context(|| name.clone())?;
        let (draft, file) = match opened {
            Place::StandardOutput => return self.take_standard(),
            Place::Direct(file) => return Ok(Output::new(&name, Box::new(file))),
            Place::File(target) => {
                if self.files.borrow().iter().any(|file| file.draft.target() == target) {
                    bail!("{name} is named for two outputs");
                }
                interrupt::watch();
                Draft::new(target, Access::Public).with_context(|| name.clone())?
            }
        };
        let writer = Output { is_file: true, ..Output::new(&name, Box::new(file)) };
        self.files.borrow_mut().push(PendingFile { draft, writer: writer.clone(), only_if_needed });
        Ok(writer)
    }

    /// Writes what is buffered to standard output. Everything has been done, even if nobody reads it.
    fn flush(&self) -> anyhow::Result<()> {
        match self.standard().flush().map_err(anyhow::Error::from) {
            Err(error) if is_closed(&error) => Ok(()),
            flushed => flushed,
        }
    }

    /// Ends a run that came to its end: the files get their names, unless some of the input is missing in them.
    ///
    /// # Errors
    /// Something cannot be written. Old files whose new contents are not whole stay as they were.
    pub(super) fn end(self, ending: Ending) -> anyhow::Result<()> {
        match ending {
            Ending::Clean | Ending::Findings => self.deliver(),
            Ending::Failed | Ending::Interrupted => self.flush(),
        }
    }

    fn deliver(self) -> anyhow::Result<()> {
        self.flush()?;
        let files = self.files.into_inner();
        for file in &files {
            file.writer.clone().close()?;
        }
        let (needed, spare): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| !file.only_if_needed || file.writer.is_used.get());
        drop(spare);
        Draft::deliver_all(needed.into_iter().map(|file| file.draft).collect())
    }
}

impl Output {
    fn new(name: &str, to: Box<dyn Write>) -> Self {
        let to = Rc::new(RefCell::new(BufWriter::with_capacity(BUFFER, to)));
        Self { name: name.into(), to, is_used: Rc::default(), is_file: false }
    }

    /// Whether it is a regular file, and no stream or device.
    pub(super) fn is_file(&self) -> bool {
        self.is_file
    }

    /// Ends a file: what is buffered is written, and the system may forget the file.
    fn close(&mut self) -> io::Result<()> {
        self.flush()?;
        *self.to.borrow_mut() = BufWriter::with_capacity(0, Box::new(io::sink()));
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.is_used.set(true);
        let written = self.to.borrow_mut().write(bytes);
        OutputError::name(&self.name, written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.to.borrow_mut().flush();
        OutputError::name(&self.name, flushed)
    }
}

/// An output that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{name}")]
struct OutputError {
    name: String,
    source: io::Error,
}

impl OutputError {
    fn name<T>(name: &str, done: io::Result<T>) -> io::Result<T> {
        done.map_err(|source| io::Error::new(source.kind(), Self { name: name.to_owned(), source }))
    }
}

/// Standard output. A run that also writes files goes on when nobody reads its words any more; a run that
/// writes nothing else ends.
struct StandardOutput;

impl StandardOutput {
    fn unless_closed<T>(done: io::Result<T>, otherwise: T) -> io::Result<T> {
        match done {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                IS_CLOSED.store(true, Ordering::Relaxed);
                if interrupt::has_drafts() { Ok(otherwise) } else { Err(error) }
            }
            other => other,
        }
    }
}

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::unless_closed(io::stdout().write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::unless_closed(io::stdout().flush(), ())
    }
}

/// What a path stands for.
enum Place {
    StandardOutput,
    /// A device, a pipe or a descriptor: nothing to replace.
    Direct(File),
    /// A regular file that is there or not, by its real name.
    File(PathBuf),
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::StandardOutput);
        }
        let path = follow(path)?;
        if is_descriptor(&path) && path.file_name().is_some_and(|number| number == "1") {
            return Ok(Self::StandardOutput);
        }
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder"));
            }
            Ok(found) if !found.is_file() || is_descriptor(&path) => {
                return Ok(Self::Direct(File::options().append(true).open(&path)?));
            }
            // tells whether the file may be written
            Ok(_) => drop(File::options().write(true).open(&path)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let name = path.file_name().ok_or_else(|| io::Error::other("is not the name of a file"))?;
        Ok(Self::File(folder.canonicalize()?.join(name)))
    }
}

/// Follows symbolic links to the file that they stand for, which need not be there.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            Ok(link) if !is_descriptor(&path) => path = path.parent().unwrap_or(Path::new("")).join(link),
            // it is no link
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Whether a path names a descriptor of this process, as `/dev/stdout` and `>(…)` of a shell do.
fn is_descriptor(path: &Path) -> bool {
    path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd")
}

/// Writes a whole file at once.
///
/// # Errors
/// It cannot be written; an old file stays as it was.
pub(super) fn write_file(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    write_with(path, contents, Access::Public)
}

/// Writes a whole file that only its owner can read.
///
/// # Errors
/// As [`write_file`].
pub(super) fn write_secret(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    write_with(path, contents, Access::Owner)
}

fn write_with(path: &Path, contents: &[u8], access: Access) -> anyhow::Result<()> {
    let write = || match Place::of(path)? {
        Place::StandardOutput => io::stdout().write_all(contents).map(|()| None),
        Place::Direct(mut file) => file.write_all(contents).map(|()| None),
        Place::File(target) => {
            let (draft, mut file) = Draft::new(target, access)?;
            file.write_all(contents).map(|()| Some(draft))
        }
    };
    let draft = write().with_context(|| path.display().to_string())?;
    Draft::deliver_all(draft.into_iter().collect())
}

/// What came of printing by a library on standard output.
pub(super) fn printed(done: io::Result<()>) -> anyhow::Result<()> {
    Ok(OutputError::name(STANDARD_OUTPUT, StandardOutput::unless_closed(done, ()))?)
}

/// Whether standard output is a terminal.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Tells something on standard error. There is nobody to tell if that cannot be written.
pub(super) fn tell(words: impl Display) {
    let _ = io::stderr().lock().write_all(format!("{words}\n").as_bytes());
}

/// Tells of a problem on standard error, in the program's name.
pub(super) fn tell_problem(problem: impl Display) {
    tell(format_args!("abigate: {problem}"));
}

/// Whether an error says that nobody reads standard output any more.
pub(super) fn is_closed(error: &anyhow::Error) -> bool {
    let is_broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let kind = kind.or_else(|| cause.downcast_ref::<serde_json::Error>()?.io_error_kind());
        kind == Some(io::ErrorKind::BrokenPipe)
    };
    IS_CLOSED.load(Ordering::Relaxed) && error.chain().any(is_broken_pipe)
}

/// Whether an error is that of an output, which it names.
pub(super) fn is_of_output(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.is_some_and(|inner| inner.is::<OutputError>())
    })
}

/// Names the input in an error of reading. An error that names it, or an output, stays as it is.
pub(super) fn name_input(name: &str, error: anyhow::Error) -> anyhow::Error {
    let is_named = error.chain().any(|cause| cause.to_string().starts_with(name));
    if is_named || is_of_output(&error) { error } else { error.context(name.to_owned()) }
}
