//! The host thread: the one place where batches take effect. Before their turn comes, batches are examined
//! by as many threads as there are cores; what those find out need not be done on the host thread.

use std::num::NonZero;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};
use tracing::Span;

use super::{Answer, AnswerError, Examine, Peer};
use crate::envelope::RawBatch;
use crate::host::Examined;
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
    /// To the threads that examine batches, or else to the host thread.
    batches: mpsc::Sender<Request>,
    /// To the host thread.
    queue: mpsc::Sender<Request>,
}

/// The host thread has ended, by a defect of the program; nothing can be answered any more.
#[derive(Debug, thiserror::Error)]
#[error("the host thread has ended")]
pub struct HostGone;

/// What waits for the host thread.
enum Request {
    Batch(Box<BatchRequest>),
    Task(Task),
}

/// Something short that the host is asked for.
type Task = Box<dyn FnOnce(&mut dyn Answer) + Send>;

struct BatchRequest {
    batch: RawBatch,
    peer: Arc<Peer>,
    span: Span,
    examined: Option<Examined>,
    reply: oneshot::Sender<Result<Vec<Columns>, AnswerError>>,
}

impl HostThread {
    /// Starts the threads with queues for so many waiting batches.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(mut host: impl Answer, queued_batches: usize) -> std::io::Result<(Self, HostHandle)> {
        let (queue, mut requests) = mpsc::channel::<Request>(queued_batches);
        let batches = match host.examiner() {
            Some(examine) => start_examining(examine, &queue, queued_batches)?,
            None => queue.clone(),
        };
        let thread = thread::Builder::new().name("host".to_owned()).spawn(move || {
            let (mut waiting, mut batches) = (Vec::new(), Vec::new());
            while requests.blocking_recv_many(&mut waiting, TOGETHER) > 0 {
                for request in waiting.drain(..) {
                    match request {
                        Request::Batch(request) => batches.push(*request),
                        Request::Task(task) => task(&mut host),
                    }
                }
                answer(&mut host, &mut batches);
            }
        })?;
        Ok((Self { thread }, HostHandle { batches, queue }))
    }

    /// Waits for its end. Blocks.
    ///
    /// # Errors
    /// It has ended by a defect of the program.
    pub fn join(self) -> Result<(), HostGone> {
        self.thread.join().map_err(|_| HostGone)
    }
}

/// Starts the threads that examine batches; they pass them on to the host thread and end with the last way
/// to them.
fn start_examining(
    examine: Examine,
    queue: &mpsc::Sender<Request>,
    queued_batches: usize,
) -> std::io::Result<mpsc::Sender<Request>> {
    let (batches, waiting) = mpsc::channel::<Request>(queued_batches);
    let (waiting, examine) = (Arc::new(Mutex::new(waiting)), Arc::new(examine));
    for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
        let (waiting, examine, queue) = (Arc::clone(&waiting), Arc::clone(&examine), queue.clone());
        thread::Builder::new().name("examiner".to_owned()).spawn(move || {
            let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
            while let Some(mut request) = next() {
                if let Request::Batch(request) = &mut request {
                    let BatchRequest { batch, peer, span, examined, .. } = &mut **request;
                    // what a defect has left unsaid the host finds out for itself
                    let found = || span.in_scope(|| examine(batch, peer));
                    *examined = panic::catch_unwind(AssertUnwindSafe(found)).ok().flatten();
                }
                if queue.blocking_send(request).is_err() {
                    return;
                }
            }
        })?;
    }
    Ok(batches)
}

/// Answers what waits; one batch in its span, several together.
fn answer(host: &mut impl Answer, requests: &mut Vec<BatchRequest>) {
    if requests.is_empty() {
        return;
    }
    let span = if let [one] = &**requests { one.span.clone() } else { Span::none() };
    let waiting = requests.iter_mut().map(|request| {
        let BatchRequest { batch, peer, examined, .. } = request;
        let examined = examined.take();
        (&*batch, &**peer, examined)
    });
    let answers = span.in_scope(|| host.answer_all(waiting.collect()));
    for (request, answer) in requests.drain(..).zip(answers) {
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
        let request = Request::Batch(Box::new(BatchRequest { batch, peer, span, examined: None, reply }));
        self.batches.send(request).await.map_err(|_| HostGone)?;
        answer.await.map_err(|_| HostGone)
    }

    /// What the host says to something short that it is asked. Waits while the queue is full.
    ///
    /// # Errors
    /// The host thread has ended.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Answer) -> T + Send + 'static,
    ) -> Result<T, HostGone> {
        let (reply, answer) = oneshot::channel();
        let task: Task = Box::new(move |host| {
            // one who is gone does not want to know
            let _ = reply.send(question(host));
        });
        self.queue.send(Request::Task(task)).await.map_err(|_| HostGone)?;
        answer.await.map_err(|_| HostGone)
    }

    /// Waits until the host thread has ended while it is still wanted.
    pub async fn gone(&self) {
        self.queue.closed().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sound;

    impl Answer for Sound {
        fn examiner(&self) -> Option<Examine> {
            Some(Box::new(|_, _| panic!("a defect of the examiner")))
        }

        fn answer(&mut self, batch: &RawBatch, _peer: &Peer) -> Result<Vec<Columns>, AnswerError> {
            Ok(batch.rows.clone())
        }
    }

    #[tokio::test]
    async fn a_batch_is_answered_though_its_examiner_fails() {
        let (thread, handle) = HostThread::start(Sound, 4).unwrap();
        let peer = Arc::new(Peer::new(None).unwrap());
        for _ in 0..8 {
            let rows = vec![[b' '; crate::wire::RECORD_LENGTH]; 3];
            let batch = RawBatch::from_rows(rows.clone());
            let answer = handle.answer(batch, Arc::clone(&peer), Span::none()).await.unwrap().unwrap();
            assert_eq!(answer, rows);
        }
        drop(handle);
        thread.join().unwrap();
    }
}
