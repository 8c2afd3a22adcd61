//! Where log events go: to standard error, by a thread of their own.
//!
//! Standard error may stall (a pipe that nobody reads) or be gone (a pipe whose reader has ended). Neither
//! may keep a gateway from answering, so events wait in a bounded queue, are dropped and counted when it is
//! full, and an error of writing is no error of whoever had something to say.

use std::io::{self, IsTerminal, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::gateway::{LogConfig, LogFormat};

/// The variable whose directives go before those of the settings.
const VARIABLE: &str = "ABIGATE_LOG";

/// How many events wait to be written; some 2 MB.
const QUEUE: usize = 8192;

/// How long the end of the program waits for events to be written.
const FLUSH: Duration = Duration::from_secs(1);

/// How long until room in a full queue is looked for again.
const RETRY: Duration = Duration::from_millis(10);

/// Keeps the log going; when it is dropped, what waits is written, for as long as [`FLUSH`] allows.
#[must_use]
pub(super) struct Log {
    queue: SyncSender<Message>,
}

enum Message {
    Event(Vec<u8>),
    /// All that was sent before is to be written; then the sender is told.
    Flush(SyncSender<()>),
}

/// Starts to log as the settings say.
pub(super) fn start(config: &LogConfig) -> anyhow::Result<Log> {
    let directives = std::env::var(VARIABLE).unwrap_or_else(|_| config.filter.clone());
    let filter = EnvFilter::try_new(&directives).with_context(|| format!("log filter `{directives}`"))?;
    let (log, writer) = queue(io::stderr(), QUEUE).context("cannot start the log's thread")?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || writer.clone())
        .with_ansi(io::stderr().is_terminal());
    let started = match config.format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot log: {error}"))?;
    // the standard hook writes to standard error itself and would wait for it
    panic::set_hook(Box::new(tell_panic));
    Ok(log)
}

/// Says where a defect of the program showed. The message is told only where it is the program's own text:
/// one that was put together may hold a part of a record.
fn tell_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic.payload().downcast_ref::<&str>().copied().unwrap_or_default();
    let thread = thread::current();
    tracing::error!(place, message, thread = thread.name(), "a defect of the program");
}

/// A queue with room for so many events, and the thread that writes them.
fn queue(output: impl Write + Send + 'static, room: usize) -> io::Result<(Log, QueueWriter)> {
    let (queue, waiting) = mpsc::sync_channel(room);
    let dropped = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&dropped);
    let tell = move || match counted.swap(0, Ordering::Relaxed) {
        0 => {}
        // at the level of errors, so that no filter but `off` hides it
        events => tracing::error!(events, "log events were dropped: standard error did not take them"),
    };
    let write = move || write_all(&waiting, output, &tell);
    thread::Builder::new().name("log".to_owned()).spawn(write)?;
    Ok((Log { queue: queue.clone() }, QueueWriter { queue, dropped }))
}

/// Writes what waits until no more can come. When all has been written, `tell` says what was dropped.
fn write_all(waiting: &Receiver<Message>, mut output: impl Write, tell: &dyn Fn()) {
    loop {
        let message = match waiting.try_recv() {
            Ok(message) => message,
            Err(TryRecvError::Disconnected) => return,
            Err(TryRecvError::Empty) => {
                tell();
                let Ok(message) = waiting.recv() else { return };
                message
            }
        };
        match message {
            // where nobody reads, nobody misses it
            Message::Event(event) => {
                let _ = output.write_all(&event);
            }
            Message::Flush(done) => {
                tell();
                while let Ok(Message::Event(event)) = waiting.try_recv() {
                    let _ = output.write_all(&event);
                }
                let _ = done.try_send(());
            }
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let deadline = Instant::now() + FLUSH;
        let (done, flushed) = mpsc::sync_channel(1);
        let mut request = Message::Flush(done);
        // a log that stalls keeps nobody
        while Instant::now() < deadline {
            match self.queue.try_send(request) {
                Ok(()) => {
                    let _ = flushed.recv_timeout(deadline.saturating_duration_since(Instant::now()));
                    return;
                }
                Err(TrySendError::Full(unsent)) => request = unsent,
                Err(TrySendError::Disconnected(_)) => return,
            }
            thread::sleep(RETRY);
        }
    }
}

/// Puts each event, which comes whole, into the queue.
#[derive(Clone)]
struct QueueWriter {
    queue: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

impl Write for QueueWriter {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Message::Event(event.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// An output that takes nothing until it is let go.
    struct Stalled {
        gate: Receiver<()>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // once the gate is gone, everything passes
            let _ = self.gate.recv();
            self.taken.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stalled_output_drops_events_and_counts_them() {
        let (open, gate) = mpsc::channel();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (log, mut writer) = queue(Stalled { gate, taken: Arc::clone(&taken) }, 4).unwrap();
        for _ in 0..100 {
            writer.write_all(b"x").unwrap();
        }
        assert!(writer.dropped.load(Ordering::Relaxed) >= 95);
        drop(open);
        drop(log);
        assert!((4..=5).contains(&taken.lock().unwrap().len()));
        assert_eq!(writer.dropped.load(Ordering::Relaxed), 0, "it was told");
    }

    #[test]
    fn an_output_that_is_gone_is_no_error() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (log, mut writer) = queue(Gone, 4).unwrap();
        writer.write_all(b"nobody reads this").unwrap();
        drop(log);
        writer.write_all(b"nor this").unwrap();
    }
}
