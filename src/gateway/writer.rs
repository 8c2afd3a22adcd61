//! The host thread: the one place where batches take effect.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};
use tracing::Span;

use super::{Answer, AnswerError, Peer};
use crate::envelope::RawBatch;
use crate::wire::Columns;

/// How many waiting batches are answered together: enough to share the cost of keeping them, few enough
/// that the first does not wait long for the last.
const TOGETHER: usize = 64;

/// The thread that owns what answers batches. It ends when the last [`HostHandle`] is dropped.
#[derive(Debug)]
pub struct HostThread {
    thread: JoinHandle<()>,
}

/// The way to the host thread. A clone is one more way to the same thread.
#[derive(Clone, Debug)]
pub struct HostHandle {
    queue: mpsc::Sender<Request>,
}

/// The host thread has ended, by a defect of the program; nothing can be answered any more.
#[derive(Debug, thiserror::Error)]
#[error("the host thread has ended")]
pub struct HostGone;

struct Request {
    batch: RawBatch,
    peer: Arc<Peer>,
    span: Span,
    reply: oneshot::Sender<Result<Vec<Columns>, AnswerError>>,
}

impl HostThread {
    /// Starts the thread with a queue for so many waiting batches.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(mut host: impl Answer, queued_batches: usize) -> std::io::Result<(Self, HostHandle)> {
        let (queue, mut requests) = mpsc::channel::<Request>(queued_batches);
        let thread = thread::Builder::new().name("host".to_owned()).spawn(move || {
            let mut waiting = Vec::new();
            while requests.blocking_recv_many(&mut waiting, TOGETHER) > 0 {
                answer(&mut host, &mut waiting);
            }
        })?;
        Ok((Self { thread }, HostHandle { queue }))
    }

    /// Waits for its end. Blocks.
    ///
    /// # Errors
    /// It has ended by a defect of the program.
    pub fn join(self) -> Result<(), HostGone> {
        self.thread.join().map_err(|_| HostGone)
    }
}

/// Answers what waits: one batch in its span, several together.
fn answer(host: &mut impl Answer, waiting: &mut Vec<Request>) {
    let answers = match &**waiting {
        [Request { batch, peer, span, .. }] => vec![span.in_scope(|| host.answer(batch, peer))],
        several => {
            let batches = several.iter().map(|request| (&request.batch, &*request.peer)).collect::<Vec<_>>();
            host.answer_all(&batches)
        }
    };
    for (request, answer) in waiting.drain(..).zip(answers) {
        // a connection that is gone cannot be told; what it sent has taken effect all the same
        let _ = request.reply.send(answer);
    }
}

impl HostHandle {
    /// The answer to a batch. Waits while the queue is full.
    ///
    /// # Errors
    /// The host thread has ended. What the host itself says stands inside.
    pub async fn answer(
        &self,
        batch: RawBatch,
        peer: Arc<Peer>,
        span: Span,
    ) -> Result<Result<Vec<Columns>, AnswerError>, HostGone> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Request { batch, peer, span, reply }).await.map_err(|_| HostGone)?;
        answer.await.map_err(|_| HostGone)
    }

    /// Waits until the host thread has ended while it is still wanted.
    pub async fn gone(&self) {
        self.queue.closed().await;
    }
}
