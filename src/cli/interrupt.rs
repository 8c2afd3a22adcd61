//! Signals that ask the program to end: an interrupt (Ctrl-C) and a termination. Drafts of files are removed
//! before it ends. A command that wants to tell what it has so far is only told of the first signal.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tempfile::NamedTempFile;
use tokio::runtime::{Builder, Runtime};

/// What a shell says of a program that an interrupt has ended.
pub(super) const INTERRUPTED: u8 = 130;

/// The same of a termination.
#[cfg(unix)]
const TERMINATED: u8 = 143;

/// Drafts that lie beside their files.
static DRAFTS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Whether a command ends by itself once it is asked to.
static IS_AWAITED: AtomicBool = AtomicBool::new(false);

static IS_ASKED: AtomicBool = AtomicBool::new(false);

fn drafts() -> MutexGuard<'static, Vec<PathBuf>> {
    DRAFTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a draft that a signal removes.
pub(super) fn keep_draft(make: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<NamedTempFile> {
    let mut drafts = drafts();
    let draft = make()?;
    drafts.push(draft.path().to_owned());
    Ok(draft)
}

/// A draft is no longer there.
pub(super) fn forget_draft(draft: &Path) {
    drafts().retain(|other| other != draft);
}

/// Whether any file is being written.
pub(super) fn has_drafts() -> bool {
    !drafts().is_empty()
}

/// Does something that no signal ends half way. It must not make or forget drafts.
pub(super) fn undisturbed<T>(act: impl FnOnce() -> T) -> T {
    let _waits = drafts();
    act()
}

/// From now on the first signal does not end the program: [`is_asked`] tells of it. The second one does.
pub(super) fn await_signal() {
    IS_AWAITED.store(true, Ordering::Relaxed);
    watch();
}

/// Whether a signal has come since [`await_signal`].
pub(super) fn is_asked() -> bool {
    IS_ASKED.load(Ordering::Relaxed)
}

/// Begins to look for signals. Where that is not possible, a signal ends the program as it ends any other.
pub(super) fn watch() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        if let Ok(runtime) = Builder::new_current_thread().enable_all().build() {
            look(runtime);
        }
    });
}

#[cfg(unix)]
fn look(runtime: Runtime) {
    use tokio::signal::unix::{SignalKind, signal};
    let entered = runtime.enter();
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    drop(entered);
    std::thread::spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => heed(INTERRUPTED),
                    _ = terminate.recv() => heed(TERMINATED),
                }
            }
        });
    });
}

#[cfg(not(unix))]
fn look(runtime: Runtime) {
    std::thread::spawn(move || {
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                heed(INTERRUPTED);
            }
        });
    });
}

/// Notes the first signal if a command waits for it; otherwise ends the program.
fn heed(code: u8) {
    if IS_AWAITED.load(Ordering::Relaxed) && !IS_ASKED.swap(true, Ordering::Relaxed) {
        return;
    }
    // held until the end: no draft is made or delivered any more
    let drafts = drafts();
    for draft in &*drafts {
        // what cannot be removed stays behind under a name of its own
        let _ = fs::remove_file(draft);
    }
    std::process::exit(code.into());
}
