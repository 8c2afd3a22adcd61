//! One connection: its batches, one after the other, each answered before the next.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, debug, error, info, info_span, warn};
use zeroize::Zeroizing;

use super::budget::{BYTES_PER_RECORD, Budget, BudgetExceeded, Holding};
use super::guesses::{Guesses, TooManyGuesses};
use super::mailroom::{Mailbox, Mailroom};
use super::password::Verifiers;
use super::writer::{HostGone, HostHandle};
use super::{Intake, Outline, Outliner, Peer, SenderPassword, Timeouts};
use crate::envelope::RawBatch;
use crate::host::Receipts;
use crate::wire::{Columns, WireError};

/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// After how long without a byte a whole record counts as ended though its separator has not come:
/// a peer may leave it out behind its last record and wait for the answer.
const QUIET: Duration = Duration::from_secs(1);

/// How long a peer that is taken leave of is waited for, to say farewell too: then the mail that it got
/// last counts as delivered.
const FAREWELL: Duration = Duration::from_secs(2);

/// What all connections of a gateway share.
#[derive(Debug)]
pub(super) struct Shared {
    pub host: HostHandle,
    pub outliner: Outliner,
    pub senders: Vec<SenderPassword>,
    /// The hash of a password that nobody knows, for senders that there are not.
    pub nobody: String,
    pub guesses: Guesses,
    pub budget: Arc<Budget>,
    pub verifiers: Verifiers,
    pub mailroom: Arc<Mailroom>,
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
    /// The gateway cannot hold the batch.
    #[error(transparent)]
    Budget(#[from] BudgetExceeded),
    /// The peer guesses passwords.
    #[error(transparent)]
    Guesses(#[from] TooManyGuesses),
    /// The batch could not be answered. Nothing of it has taken effect, or nobody knows whether it has.
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
    let news = shared.mailroom.subscribe();
    let holding = Holding::new(&shared.budget, peer.account());
    let mut session = Session {
        stream,
        intake,
        peer,
        shared,
        holding,
        read_ended: false,
        begun: None,
        header_read: false,
        batches: 0,
        mailboxes: Vec::new(),
        news,
        has_mail: false,
        ahead: BytesMut::new(),
        went_on_early: false,
        heard_farewell: false,
        silent_until: Instant::now() + QUIET,
    };
    session.identify_by_certificate();
    while let Some(batch) = session.next_batch().await? {
        if !std::mem::take(&mut session.header_read)
            && let Some(header) = batch.rows.first()
        {
            session.believes(header).await?;
        }
        session.holding.resize(batch.rows.len() * BYTES_PER_RECORD).await?;
        session.batches += 1;
        session.count_answers_as_arrived();
        let span = info_span!(
            "batch",
            number = session.batches,
            sender = tracing::field::Empty,
            application = tracing::field::Empty,
            records = batch.rows.len(),
            disposition = tracing::field::Empty,
        );
        session.answer(batch).instrument(span).await?;
        // mail is carried only between batches, so this one shows that the connection went on behind it
        session.mark_delivered().await?;
        session.holding.resize(0).await?;
    }
    session.close().await?;
    Ok(session.batches)
}

/// What came of reading.
enum Read {
    /// Bytes.
    More,
    /// No byte for a while, behind a whole record.
    Quiet,
    /// Nothing, but there may be mail for the peer.
    Mail,
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
    /// What the batch that is being read or answered takes.
    holding: Holding,
    /// Since when the batch that is being read is being read.
    begun: Option<Instant>,
    /// Whether the password of the batch that is being read has been looked at.
    header_read: bool,
    batches: u64,
    /// The mailboxes that are the peer's, as far as it has shown.
    mailboxes: Vec<Mailbox>,
    news: watch::Receiver<i64>,
    /// Whether there may be mail that this connection has not carried.
    has_mail: bool,
    /// What was read before the last answer went out.
    ahead: BytesMut,
    /// Whether the peer had sent on, or said farewell, before the last answer went out. What it sent then does
    /// not show that the answer arrived.
    went_on_early: bool,
    heard_farewell: bool,
    /// Until then a peer that has sent nothing may still begin to, and what it sends goes before mail.
    silent_until: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// The next batch; none when there will be no more. What stands there when the peer closes or
    /// is too slow comes as a batch that has not ended.
    async fn next_batch(&mut self) -> Result<Option<RawBatch>, SessionError> {
        let mut chunk = std::mem::take(&mut self.ahead);
        loop {
            if let Some(batch) = self.intake.next_batch(&mut chunk)? {
                self.begun = None;
                return Ok(Some(batch));
            }
            if self.read_ended {
                return Ok(self.intake.finish()?);
            }
            self.read_header().await?;
            self.holding.resize(self.intake.gathered().len() * BYTES_PER_RECORD).await?;
            if self.intake.is_between_batches() {
                self.begun = None;
            } else {
                self.begun.get_or_insert_with(Instant::now);
            }
            let quiet = match self.read(&mut chunk).await? {
                Read::More => None,
                Read::Quiet => self.intake.end_record()?,
                Read::Mail => {
                    self.carry_mail().await?;
                    None
                }
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
        let serves_mail = between && !self.mailboxes.is_empty();
        let (news, has_mail) = (&mut self.news, self.has_mail);
        let silent_until = (self.batches == 0).then_some(self.silent_until);
        let mail = async move {
            if let Some(silent_until) = silent_until {
                sleep_until(silent_until).await;
            }
            // its sender lives as long as the gateway
            if !has_mail && news.changed().await.is_err() {
                std::future::pending().await
            }
        };
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
            () = mail, if serves_mail => {
                self.has_mail = true;
                return Ok(Read::Mail);
            }
        };
        match read {
            Ok(Ok(0)) => {
                // the peer's farewell; TLS tells it from a connection that broke off
                if between {
                    self.mark_delivered().await?;
                    self.count_answers_as_arrived();
                    self.note_arrivals().await?;
                }
                self.heard_farewell = true;
                Ok(Read::End)
            }
            Ok(Ok(_)) => Ok(Read::More),
            // a peer that goes without a farewell is gone all the same
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.heard_farewell = true;
                Ok(Read::End)
            }
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
        let answer = self.shared.host.answer(batch, Arc::clone(&self.peer), span.clone()).await?;
        let records = answer.map_err(|error| {
            error!(error = %error, "the batch could not be answered");
            SessionError::Unanswered
        })?;
        if self.peer.take_verified() {
            span.record("sender", outline.sender.as_str());
            span.record("application", outline.application.as_str());
            self.identify(&outline);
        }
        // the peer first: nothing that the log does may keep its answer back
        self.look_ahead().await;
        let written = self.write(&records).await;
        let outcome = self.shared.outliner.outcome(&records);
        span.record("disposition", tracing::field::display(&outcome));
        info!(answer_records = records.len(), "batch answered");
        written
    }

    /// Looks whether the peer has sent on already, before it gets the answer.
    async fn look_ahead(&mut self) {
        if !self.awaits_arrivals() {
            return;
        }
        self.ahead.reserve(CHUNK);
        let is_between = self.intake.is_between_batches();
        let read = timeout(Duration::ZERO, self.stream.read_buf(&mut self.ahead)).await;
        self.went_on_early = !is_between || read.is_ok();
    }

    fn awaits_arrivals(&self) -> bool {
        self.peer.receipts().is_some_and(Receipts::awaits_some)
    }

    /// What the peer does now shows that it has got its answers, unless it did so before they went out.
    fn count_answers_as_arrived(&mut self) {
        if let Some(receipts) = self.peer.receipts().filter(|_| !self.went_on_early) {
            receipts.all_arrived();
        }
    }

    /// Has it noted which answers have arrived. A further batch does so too.
    async fn note_arrivals(&mut self) -> Result<(), SessionError> {
        let peer = Arc::clone(&self.peer);
        if let Err(error) = self.shared.host.ask(move |host| host.note_arrivals(&peer)).await? {
            warn!(%error, "it is not noted that answers have arrived");
        }
        Ok(())
    }

    /// Looks at the A-record of the batch that is being read as soon as it is there: a batch with a wrong
    /// password is read on, but no more than its control records are held.
    async fn read_header(&mut self) -> Result<(), SessionError> {
        let Some(header) = self.intake.gathered().first().copied().filter(|_| !self.header_read) else {
            return Ok(());
        };
        self.header_read = true;
        if !self.believes(&header).await? {
            self.intake.keep_control_records();
        }
        Ok(())
    }

    /// Whether the sender of a batch is the one that its A-record names. If not, the certificate no longer shows
    /// whose connection this is, and no mail is carried.
    async fn believes(&mut self, header: &Columns) -> Result<bool, SessionError> {
        let is_proven = self.prove(header).await?;
        if !is_proven {
            self.mailboxes.clear();
        }
        Ok(is_proven)
    }

    /// Verifies the password of a batch, so that the host thread finds the verdict in the peer's memory;
    /// tells whether the batch can be accepted as far as its sender is concerned. Which of sender,
    /// certificate and password is wrong is for the log alone: the peer gets the same answer after the
    /// same time.
    async fn prove(&self, header: &Columns) -> Result<bool, SessionError> {
        let shared = &self.shared;
        if shared.senders.is_empty() {
            return Ok(true);
        }
        let Some(header) = shared.outliner.header(header) else { return Ok(false) };
        let known = shared.senders.iter().find(|known| known.mailboxes.contains(&header.sender));
        let shown = self.peer.certificate();
        let (suspect, hash) = match known {
            None => ("sender", &shared.nobody),
            Some(known) if shown.is_some() && known.certificate.as_deref() != shown => {
                ("certificate", &shared.nobody)
            }
            Some(known) => ("password", &known.hash),
        };
        if self.peer.recalls_password(hash, &header.password) == Some(true) {
            return Ok(true);
        }
        // By its own certificate a sender is slowed down only by what it has guessed itself.
        let mut names = vec![format!("from {}", self.peer.account())];
        if let Some(known) = known.filter(|_| suspect == "certificate" || shown.is_none()) {
            names.push(format!("for {}", known.sender));
        }
        sleep(shared.guesses.turn(&names, std::time::Instant::now())?).await;
        if self.verify_password(hash, &header.password).await {
            shared.guesses.right(&names);
            return Ok(true);
        }
        let count = shared.guesses.wrong(&names, std::time::Instant::now());
        // only a sender of the world is named: what is none may be a password that is out of step
        let sender = known.map(|known| known.sender.as_str());
        warn!(wrong = suspect, sender, count, "the sender is not believed");
        Ok(false)
    }

    /// Whether a password belongs to a hash, found out on a thread that may take its time.
    async fn verify_password(&self, hash: &str, password: &[u8]) -> bool {
        let (peer, hash) = (Arc::clone(&self.peer), hash.to_owned());
        let password = Zeroizing::new(password.to_vec());
        self.shared.verifiers.run(move || peer.knows_password(&hash, &password)).await
    }

    async fn write(&mut self, records: &[Columns]) -> Result<(), SessionError> {
        let bytes = self.intake.encode(records);
        let written = timeout(self.shared.timeouts.write(), async {
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        });
        match written.await {
            Ok(result) => Ok(result?),
            Err(_) => Err(SessionError::WriteTimeout),
        }
    }

    /// A certificate shows whose connection this is before any batch does: all mailboxes of the senders that
    /// it belongs to are served.
    fn identify_by_certificate(&mut self) {
        let shown = self.peer.certificate();
        let is_shown = |known: &&SenderPassword| shown.is_some() && known.certificate.as_deref() == shown;
        for sender in self.shared.senders.iter().filter(is_shown) {
            self.mailboxes.extend(sender.mailboxes.iter().cloned().map(Mailbox::new));
        }
        self.has_mail = !self.mailboxes.is_empty();
    }

    /// A batch with the right password, and the right certificate where there is one, shows whose mailbox
    /// the connection serves.
    fn identify(&mut self, outline: &Outline) {
        let is_served = self.mailboxes.iter().any(|mailbox| mailbox.address == outline.mailbox);
        let shown = self.peer.certificate();
        let is_known = self.shared.senders.iter().any(|known| {
            known.mailboxes.contains(&outline.mailbox)
                && (shown.is_none() || known.certificate.as_deref() == shown)
        });
        if is_known && !is_served {
            self.mailboxes.push(Mailbox::new(outline.mailbox.clone()));
            self.has_mail = true;
        }
    }

    /// Writes the next mail that waits for the peer, if there is some. One at a time: what the peer sends
    /// in the meantime goes before.
    async fn carry_mail(&mut self) -> Result<(), SessionError> {
        self.has_mail = false;
        for index in 0..self.mailboxes.len() {
            if self.next_mail(index).await?.is_none() {
                continue;
            }
            let mailbox = &mut self.mailboxes[index];
            if mailbox.lease.is_none() {
                mailbox.lease = self.shared.mailroom.lease(&mailbox.address);
                if mailbox.lease.is_none() {
                    // another connection empties it; when that ends, there is news
                    continue;
                }
            }
            // asked again: until the lease was there, another connection may have delivered it
            let Some((number, records)) = self.next_mail(index).await? else {
                self.mailboxes[index].lease = None;
                continue;
            };
            self.write(&records).await?;
            self.mailboxes[index].sent = number;
            self.has_mail = true;
            debug!(mail = number, records = records.len(), "mail carried");
            return Ok(());
        }
        Ok(())
    }

    /// The next mail of a mailbox that this connection has not carried.
    async fn next_mail(&self, index: usize) -> Result<Option<(i64, Vec<Columns>)>, SessionError> {
        let Mailbox { address, sent, .. } = &self.mailboxes[index];
        let (address, after) = (address.clone(), *sent);
        let found = self.shared.host.ask(move |host| host.next_mail(&address, after)).await?;
        Ok(found.unwrap_or_else(|error| {
            // the next news is the next occasion
            warn!(%error, "cannot look for mail");
            None
        }))
    }

    /// Counts what this connection has carried as delivered. What cannot be counted goes out again on the
    /// next connection.
    async fn mark_delivered(&mut self) -> Result<(), SessionError> {
        for mailbox in self.mailboxes.iter_mut().filter(|mailbox| mailbox.lease.is_some()) {
            let (address, up_to) = (mailbox.address.clone(), mailbox.sent);
            match self.shared.host.ask(move |host| host.mark_delivered(&address, up_to)).await? {
                Ok(()) => mailbox.lease = None,
                Err(error) => warn!(%error, "mail is delivered but not counted"),
            }
        }
        Ok(())
    }

    /// Says farewell; a peer that does not hear it is no one's loss, but one that has got mail or an answer
    /// is waited for to say farewell too.
    async fn close(&mut self) -> Result<(), SessionError> {
        let _ = timeout(self.shared.timeouts.write(), self.stream.shutdown()).await;
        let awaits_arrivals = !self.heard_farewell && self.awaits_arrivals();
        if awaits_arrivals || self.mailboxes.iter().any(|mailbox| mailbox.lease.is_some()) {
            let mut ignored = [0; 1024];
            let farewell = timeout(FAREWELL, async {
                while self.stream.read(&mut ignored).await? > 0 {}
                Ok::<_, io::Error>(())
            });
            if matches!(farewell.await, Ok(Ok(()))) {
                self.mark_delivered().await?;
                if awaits_arrivals {
                    self.count_answers_as_arrived();
                    self.note_arrivals().await?;
                }
            }
        }
        Ok(())
    }
}
