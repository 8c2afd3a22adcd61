//! What is wrong with some of the input, and what is left out because of it.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::path::Path;

use crate::cli::output::{self, Output, Outputs};
use crate::flat::{Event, FlatProblem};

/// Tells what is wrong on standard error, and keeps what is left out in a file.
pub(super) struct Side {
    source: String,
    /// What is left out when it is read, as it came.
    read: RefCell<Option<Output>>,
    /// What is left out when it is written, as records of 80 columns. The same file where records are
    /// read: a file holds one kind of thing.
    written: RefCell<Option<Output>>,
    any: Cell<bool>,
}

impl Side {
    /// A side file, emptied; what is left out when flat rows are written of flat rows goes to a file
    /// of its own, which there is only if it is needed.
    pub(super) fn new(
        source: &str,
        file: Option<&Path>,
        outputs: &Outputs,
        is_flat: bool,
    ) -> anyhow::Result<Self> {
        let (read, written) = match file {
            None => (None, None),
            Some(file) if is_flat => {
                let mut name = file.as_os_str().to_owned();
                name.push(".abi");
                let read = outputs.open(Some(file))?;
                let written = match read.is_file() {
                    true => outputs.open_if_needed(Path::new(&name))?,
                    false => read.clone(),
                };
                (Some(read), Some(written))
            }
            Some(file) => (None, Some(outputs.open(Some(file))?)),
        };
        Ok(Self {
            source: source.to_owned(),
            read: RefCell::new(read),
            written: RefCell::new(written),
            any: Cell::new(false),
        })
    }

    /// The name of what is read.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Says that something is wrong.
    pub(super) fn tell(&self, problem: &str) {
        self.any.set(true);
        output::tell_problem(format_args!("{}: {problem}", self.source));
    }

    pub(super) fn tell_problem(&self, problem: &FlatProblem) {
        self.tell(&problem.to_string());
    }

    /// Takes what reading a flat file tells besides records.
    pub(super) fn take_read(&self, event: Event) -> io::Result<()> {
        match event {
            Event::Problem(problem) => self.tell_problem(&problem),
            Event::Rejected(bytes) => {
                self.any.set(true);
                if let Some(file) = self.read.borrow_mut().as_mut() {
                    file.write_all(&bytes)?;
                }
            }
            Event::Record(_) | Event::Rows(_) => {}
        }
        Ok(())
    }

    /// Keeps records that are not written.
    pub(super) fn reject(&self, bytes: &[u8]) -> io::Result<()> {
        self.any.set(true);
        self.written.borrow_mut().as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }

    /// Whether anything was wrong.
    pub(super) fn has_problems(&self) -> bool {
        self.any.get()
    }
}
