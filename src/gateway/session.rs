//! One connection: its batches, one after the other, each answered before the next.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, debug, error, info, info_span, warn};

use super::writer::{HostGone, HostHandle};
use super::{Intake, Outliner, Peer, SenderPassword, Timeouts};
use crate::envelope::RawBatch;
use crate::wire::{Columns, WireError};

/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// After how long without a byte a whole record counts as ended though its separator has not come:
/// a peer may leave it out behind its last record and wait for the answer.
const QUIET: Duration = Duration::from_secs(1);

/// What all connections of a gateway share.
#[derive(Debug)]
pub(super) struct Shared {
    pub host: HostHandle,
    pub outliner: Outliner,
    pub senders: Vec<SenderPassword>,
    /// How many passwords are verified at once; each takes a core and 19 MiB.
    pub verifications: Semaphore,
    pub timeouts: Timeouts,
    pub limits: crate::wire::Limits,
    /// No new batches are begun once it is cancelled.
    pub stop: CancellationToken,
}

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The peer sent more than is allowed, or the connection broke while it was read.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The peer does not take its answer.
    #[error("the peer did not take its answer in time")]
    WriteTimeout,
    /// The batch could not be answered; nothing of it has taken effect.
    #[error("the batch could not be answered")]
    Unanswered,
    /// There is no host any more.
    #[error(transparent)]
    HostGone(#[from] HostGone),
}

/// Serves a connection until the peer closes it, is idle too long, or the gateway stops; tells how
/// many batches it answered.
pub(super) async fn serve<S>(stream: S, peer: Arc<Peer>, shared: Arc<Shared>) -> Result<u64, SessionError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let intake = Intake::new(shared.limits);
    let mut session = Session { stream, intake, peer, shared, read_ended: false, begun: None, batches: 0 };
    while let Some(batch) = session.next_batch().await? {
        session.batches += 1;
        let span = info_span!(
            "batch",
            number = session.batches,
            sender = tracing::field::Empty,
            application = tracing::field::Empty,
            records = batch.rows.len(),
            disposition = tracing::field::Empty,
        );
        session.answer(batch).instrument(span).await?;
    }
    session.close().await;
    Ok(session.batches)
}

/// What came of reading.
enum Read {
    /// Bytes.
    More,
    /// No byte for a while, behind a whole record.
    Quiet,
    /// Nothing more, ever.
    End,
}

struct Session<S> {
    stream: S,
    intake: Intake,
    peer: Arc<Peer>,
    shared: Arc<Shared>,
    /// Nothing more is read: the peer has closed its side, or was too slow.
    read_ended: bool,
    /// Since when the batch that is being read is being read.
    begun: Option<Instant>,
    batches: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// The next batch; none when there will be no more. What stands there when the peer closes or
    /// is too slow comes as a batch that has not ended.
    async fn next_batch(&mut self) -> Result<Option<RawBatch>, SessionError> {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        loop {
            if let Some(batch) = self.intake.next_batch(&mut chunk)? {
                self.begun = None;
                return Ok(Some(batch));
            }
            if self.read_ended {
                return Ok(self.intake.finish()?);
            }
            if self.intake.is_between_batches() {
                self.begun = None;
            } else {
                self.begun.get_or_insert_with(Instant::now);
            }
            let quiet = match self.read(&mut chunk).await? {
                Read::More => None,
                Read::Quiet => self.intake.end_record()?,
                Read::End => {
                    self.read_ended = true;
                    None
                }
            };
            if quiet.is_some() {
                self.begun = None;
                return Ok(quiet);
            }
        }
    }

    async fn read(&mut self, chunk: &mut BytesMut) -> Result<Read, SessionError> {
        let between = self.begun.is_none();
        let now = Instant::now();
        let deadline = match self.begun {
            Some(begun) => begun + self.shared.timeouts.batch(),
            None => now + self.shared.timeouts.idle(),
        };
        let quiet = self.intake.holds_whole_record() && now + QUIET < deadline;
        let until = if quiet { now + QUIET } else { deadline };
        chunk.reserve(CHUNK);
        let read = tokio::select! {
            biased;
            () = self.shared.stop.cancelled(), if between => {
                debug!("closing, the gateway stops");
                return Ok(Read::End);
            }
            read = timeout_at(until, self.stream.read_buf(chunk)) => read,
        };
        match read {
            Ok(Ok(0)) => Ok(Read::End),
            Ok(Ok(_)) => Ok(Read::More),
            // a peer that goes without a farewell is gone all the same
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Read::End),
            Ok(Err(error)) => Err(error.into()),
            Err(_) if quiet => Ok(Read::Quiet),
            Err(_) if between => {
                info!("closing, the peer is idle");
                Ok(Read::End)
            }
            Err(_) => {
                warn!("the batch did not end in time");
                Ok(Read::End)
            }
        }
    }

    async fn answer(&mut self, batch: RawBatch) -> Result<(), SessionError> {
        let span = Span::current();
        let outline = self.shared.outliner.outline(&batch.rows);
        self.verify_password(&outline.sender, &batch.rows).await;
        let answer = self.shared.host.answer(batch, Arc::clone(&self.peer), span.clone()).await?;
        let records = answer.map_err(|error| {
            error!(error = %error, "the batch could not be answered");
            SessionError::Unanswered
        })?;
        if self.peer.take_verified() {
            span.record("sender", outline.sender.as_str());
            span.record("application", outline.application.as_str());
        }
        let outcome = self.shared.outliner.outcome(&records);
        span.record("disposition", tracing::field::display(&outcome));
        info!(answer_records = records.len(), "batch answered");
        self.write(&records).await
    }

    /// Verifies the password of a batch here, so that the host thread finds the verdict in the peer's
    /// memory. Whether the batch is good is for the host to say.
    async fn verify_password(&self, sender: &str, rows: &[Columns]) {
        let Some(known) = self.shared.senders.iter().find(|known| known.sender == sender) else { return };
        let password = self.shared.outliner.password(rows);
        if self.peer.recalls_password(&known.hash, &password) {
            return;
        }
        let (peer, hash) = (Arc::clone(&self.peer), known.hash.clone());
        // a semaphore that is never closed always gives its permit in the end
        let Ok(_permit) = self.shared.verifications.acquire().await else { return };
        let _ = tokio::task::spawn_blocking(move || peer.knows_password(&hash, &password)).await;
    }

    async fn write(&mut self, records: &[Columns]) -> Result<(), SessionError> {
        let bytes = self.intake.encode(records)?;
        let written = timeout(self.shared.timeouts.write(), async {
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        });
        match written.await {
            Ok(result) => Ok(result?),
            Err(_) => Err(SessionError::WriteTimeout),
        }
    }

    /// Says farewell; a peer that does not hear it is no one's loss.
    async fn close(&mut self) {
        let _ = timeout(self.shared.timeouts.write(), self.stream.shutdown()).await;
    }
}
