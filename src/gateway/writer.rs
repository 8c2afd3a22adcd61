//! The host thread: the one place where batches take effect. Before their turn comes, batches are examined
//! by as many threads as there are cores; what those find out need not be done on the host thread.

use std::fmt;
use std::num::NonZero;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::exchange::{BatchRequest, Exchange, PART, Task};
use super::{Answer, AnswerError, Examine, Peer};
use crate::envelope::RawBatch;
use crate::wire::Columns;

/// The thread that owns what answers batches. It ends when the last [`HostHandle`] is dropped.
#[derive(Debug)]
pub struct HostThread {
    thread: JoinHandle<()>,
}

/// The way to the host thread. A clone is one more way to the same thread.
#[derive(Clone)]
pub struct HostHandle {
    door: Arc<Door>,
    /// Cancelled when the host thread has ended.
    ended: CancellationToken,
}

/// What all handles share: when the last is dropped, nothing more will come.
struct Door(Arc<Exchange>);

/// The host thread has ended, by a defect of the program; nothing can be answered any more.
#[derive(Debug, thiserror::Error)]
#[error("the host thread has ended")]
pub struct HostGone;

/// Tells the others when the host thread ends, in whatever way.
struct End {
    exchange: Arc<Exchange>,
    ended: CancellationToken,
}

impl HostThread {
    /// Starts the threads. So many batches are examined ahead of the host thread.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(mut host: impl Answer, queued_batches: usize) -> std::io::Result<(Self, HostHandle)> {
        let examine = host.examiner();
        let exchange = Arc::new(Exchange::new(examine.is_some(), queued_batches));
        let ended = CancellationToken::new();
        let end = End { exchange: Arc::clone(&exchange), ended: ended.clone() };
        let handle = HostHandle { door: Arc::new(Door(exchange)), ended };
        if let Some(examine) = examine {
            start_examining(examine, &end.exchange)?;
        }
        let thread = thread::Builder::new().name("host".to_owned()).spawn(move || {
            let exchange = &end.exchange;
            while let Some(turn) = exchange.next_turn() {
                turn.tasks.into_iter().for_each(|task| task(&mut host));
                answer(&mut host, turn.short);
                if let Some(unfinished) = turn.long.and_then(|long| answer_part(&mut host, long)) {
                    exchange.put_back(unfinished);
                }
            }
        })?;
        Ok((Self { thread }, handle))
    }

    /// Waits for its end. Blocks.
    ///
    /// # Errors
    /// It has ended by a defect of the program.
    pub fn join(self) -> Result<(), HostGone> {
        self.thread.join().map_err(|_| HostGone)
    }
}

/// Starts the threads that examine batches. One of them takes short batches only: long ones can keep all
/// the others busy.
fn start_examining(examine: Examine, exchange: &Arc<Exchange>) -> std::io::Result<()> {
    let examine = Arc::new(examine);
    for number in 0..=thread::available_parallelism().map_or(1, NonZero::get) {
        let (exchange, examine) = (Arc::clone(exchange), Arc::clone(&examine));
        thread::Builder::new().name("examiner".to_owned()).spawn(move || {
            while let Some(mut request) = exchange.next_to_examine(number > 0) {
                let BatchRequest { batch, peer, span, examined, .. } = &mut request;
                // what a defect has left unsaid the host finds out for itself
                let found = || span.in_scope(|| examine(batch, peer));
                *examined = panic::catch_unwind(AssertUnwindSafe(found)).ok().flatten();
                exchange.put_examined(request);
            }
        })?;
    }
    Ok(())
}

/// Answers short batches; one in its span, several together.
fn answer(host: &mut impl Answer, mut requests: Vec<BatchRequest>) {
    if requests.is_empty() {
        return;
    }
    let span = if let [one] = &*requests { one.span.clone() } else { Span::none() };
    let waiting = requests.iter_mut().map(|request| {
        let BatchRequest { batch, peer, examined, .. } = request;
        let examined = examined.take();
        (&*batch, &**peer, examined)
    });
    let answers = span.in_scope(|| host.answer_all(waiting.collect()));
    for (request, answer) in requests.into_iter().zip(answers) {
        // a connection that is gone cannot be told; what it sent has taken effect all the same
        let _ = request.reply.send(answer);
    }
}

/// Answers a part of a long batch; gives the batch back if it was not the last part.
fn answer_part(host: &mut impl Answer, mut request: BatchRequest) -> Option<BatchRequest> {
    let BatchRequest { batch, peer, span, examined, .. } = &mut request;
    let answered = span.in_scope(|| host.answer_part(batch, peer, examined, PART));
    let answer = match answered {
        Ok(None) => return Some(request),
        Ok(Some(rows)) => Ok(rows),
        Err(error) => Err(error),
    };
    // as for short ones
    let _ = request.reply.send(answer);
    None
}

impl HostHandle {
    /// The answer to a batch. Waits until its turn has come.
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
        self.door.0.push(BatchRequest { batch, peer, span, examined: None, reply });
        answer.await.map_err(|_| HostGone)
    }

    /// What the host says to something short that it is asked. Goes before all batches.
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
        self.door.0.push_task(task);
        answer.await.map_err(|_| HostGone)
    }

    /// Waits until the host thread has ended while it is still wanted.
    pub async fn gone(&self) {
        self.ended.cancelled().await;
    }
}

impl fmt::Debug for HostHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HostHandle").finish_non_exhaustive()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.exchange.abandon();
        self.ended.cancel();
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
