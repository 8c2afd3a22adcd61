//! Accepting connections, and stopping.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, debug, error, info, info_span, warn};

use super::admission::{Admission, InAnteroom};
use super::budget::{Budget, PATIENCE};
use super::certificates::{CertificateError, common_name, server_tls};
use super::guesses::Guesses;
use super::mailroom::Mailroom;
use super::password::{Verifiers, hash_of_nobody};
use super::session::{self, Shared};
use super::writer::{HostGone, HostHandle, HostThread};
use super::{Answer, Config, Outliner, PasswordError, Peer, greeting};
use crate::grammar::UnknownName;

/// How long to wait before accepting again when the system refuses, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How often mail is looked for.
const MAIL_INTERVAL: Duration = Duration::from_millis(500);

/// How long a connection that is refused is waited for, to take the refusal.
const REFUSAL: Duration = Duration::from_secs(1);

/// How many connections are refused at the same time with a word; further ones without.
const REFUSALS: usize = 64;

/// What a connection is told for which there is no room: a fatal alert of TLS 1.2, `internal_error`, which
/// says that it is not the peer's fault. There is none for a server that is full.
const NO_ROOM: [u8; 7] = [21, 3, 3, 0, 2, 2, 80];

/// A gateway that listens.
pub struct Server {
    listener: TcpListener,
    acceptor: Arc<RwLock<TlsAcceptor>>,
    config: Config,
    admission: Arc<Admission>,
    refusals: Arc<Semaphore>,
    handshake: Duration,
    shutdown: Duration,
    shared: Arc<Shared>,
    host: HostThread,
}

/// What a gateway did until it stopped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// Connections accepted.
    pub connections: u64,
    /// Batches answered on connections that have ended in good order.
    pub batches: u64,
    /// Connections cut because they did not end before the deadline.
    pub cut: usize,
}

/// Why a gateway does not start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The settings or certificates cannot be used.
    #[error(transparent)]
    Certificates(#[from] CertificateError),
    /// Nothing can be accepted at the address.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// The host thread cannot be started.
    #[error("cannot start the host thread")]
    Thread(#[source] io::Error),
    /// The host thread has ended.
    #[error(transparent)]
    HostGone(#[from] HostGone),
    /// The system has no randomness to give.
    #[error(transparent)]
    Random(#[from] PasswordError),
    /// The grammars lack what a gateway logs.
    #[error(transparent)]
    Grammar(#[from] UnknownName),
}

impl Server {
    /// Listens, so that peers can connect, and starts the host thread. Nothing is accepted before
    /// [`Server::run`].
    ///
    /// # Errors
    /// The settings or certificates cannot be used, or the address cannot be listened on.
    pub async fn bind(config: &Config, host: impl Answer) -> Result<Self, ServerError> {
        let tls = server_tls(config)?;
        let outliner = Outliner::new(crate::grammar::Grammar::builtin())?;
        let listener = TcpListener::bind(&config.listen)
            .await
            .map_err(|source| ServerError::Listen { address: config.listen.clone(), source })?;
        let senders = host.senders();
        let (thread, handle) =
            HostThread::start(host, config.limits.queued_batches).map_err(ServerError::Thread)?;
        let shared = Shared {
            host: handle,
            outliner,
            senders,
            nobody: hash_of_nobody()?,
            guesses: Guesses::default(),
            budget: Arc::new(Budget::new(config.limits.held_bytes, PATIENCE)),
            verifiers: Verifiers::start().map_err(ServerError::Thread)?,
            mailroom: Arc::new(Mailroom::new()),
            timeouts: config.timeouts,
            limits: config.wire,
            stop: CancellationToken::new(),
        };
        Ok(Self {
            listener,
            acceptor: Arc::new(RwLock::new(TlsAcceptor::from(Arc::new(tls)))),
            config: config.clone(),
            admission: Arc::new(Admission::new(config.limits)),
            refusals: Arc::new(Semaphore::new(REFUSALS)),
            handshake: config.timeouts.handshake(),
            shutdown: config.timeouts.shutdown(),
            shared: Arc::new(shared),
            host: thread,
        })
    }

    /// What reads certificates, keys and revocations anew while the gateway runs.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        Reloader { acceptor: Arc::clone(&self.acceptor), config: self.config.clone() }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` completes. Then no new batch is begun; those that have begun are finished
    /// and answered, for as long as the deadline of the settings allows.
    ///
    /// # Errors
    /// The host thread has ended, by a defect of the program.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<Report, ServerError> {
        let tracker = TaskTracker::new();
        let cut = CancellationToken::new();
        let answered = Arc::new(AtomicU64::new(0));
        let mut report = Report::default();
        let host = self.shared.host.clone();
        tokio::select! {
            biased;
            () = host.gone() => error!("the host thread has ended"),
            () = stop => info!("stopping"),
            () = self.accept(&tracker, &cut, &answered, &mut report.connections) => {}
            () = look_for_mail(&host, &self.shared.mailroom) => {}
        }
        drop(host);

        let Self { listener, shared, host, shutdown, .. } = self;
        drop(listener);
        shared.stop.cancel();
        drop(shared);
        tracker.close();
        if timeout(shutdown, tracker.wait()).await.is_err() {
            report.cut = tracker.len();
            warn!(connections = report.cut, "connections cut at the deadline");
            cut.cancel();
            tracker.wait().await;
        }
        report.batches = answered.load(Ordering::Relaxed);
        let ended = tokio::task::spawn_blocking(|| host.join()).await;
        ended.map_err(|_| HostGone)??;
        info!(connections = report.connections, batches = report.batches, "stopped");
        Ok(report)
    }

    /// Accepts for ever. Who is beyond the limits is accepted too, to be refused at once.
    async fn accept(
        &self,
        tracker: &TaskTracker,
        cut: &CancellationToken,
        answered: &Arc<AtomicU64>,
        accepted: &mut u64,
    ) {
        let mut backoff = BACKOFF.0;
        loop {
            let (stream, address) = match self.listener.accept().await {
                Ok(connection) => connection,
                Err(error) => {
                    warn!(%error, "cannot accept");
                    sleep(backoff).await;
                    backoff = (backoff * 2).min(BACKOFF.1);
                    continue;
                }
            };
            backoff = BACKOFF.0;
            *accepted += 1;
            let span = info_span!(
                "connection",
                number = *accepted,
                peer = %address,
                certificate = tracing::field::Empty,
            );
            let place = match self.admission.enter(address.ip()) {
                Ok(place) => place,
                Err(refusal) => {
                    span.in_scope(|| info!(%refusal, "connection refused"));
                    self.refuse(stream, tracker);
                    continue;
                }
            };
            let connection = Connection {
                acceptor: self.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone(),
                handshake: self.handshake,
                shared: Arc::clone(&self.shared),
                address: address.ip(),
            };
            let (cut, answered) = (cut.clone(), Arc::clone(answered));
            tracker.spawn(
                async move {
                    let served = cut.run_until_cancelled(connection.serve(stream, place)).await;
                    answered.fetch_add(served.unwrap_or_default(), Ordering::Relaxed);
                }
                .instrument(span),
            );
        }
    }

    /// Says no in the words of TLS. Where many are refused, some are hung up on without a word.
    fn refuse(&self, mut stream: TcpStream, tracker: &TaskTracker) {
        let Ok(permit) = Arc::clone(&self.refusals).try_acquire_owned() else { return };
        tracker.spawn(async move {
            let farewell = async {
                stream.write_all(&NO_ROOM).await?;
                stream.shutdown().await?;
                // a connection that is closed with something unread is reset, and the alert is lost
                let mut unread = [0; 1024];
                while stream.read(&mut unread).await? > 0 {}
                Ok::<_, io::Error>(())
            };
            let _ = timeout(REFUSAL, farewell).await;
            drop(permit);
        });
    }
}

/// Reads the files of certificates, keys and revocations anew.
pub struct Reloader {
    acceptor: Arc<RwLock<TlsAcceptor>>,
    config: Config,
}

impl Reloader {
    /// Reads the files that the settings name. Connections that begin from now on go by what they hold;
    /// those that are open stay open. What comes of it is logged.
    ///
    /// # Errors
    /// A file cannot be used; then what was in force before stays in force.
    pub fn reload(&self) -> Result<(), CertificateError> {
        match server_tls(&self.config) {
            Ok(tls) => {
                *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tls).into();
                info!("certificates, key and revocations are read anew");
                Ok(())
            }
            Err(error) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                error!(%error, source, "certificates are not read anew; those from before stay in force");
                Err(error)
            }
        }
    }
}

impl std::fmt::Debug for Reloader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reloader").finish_non_exhaustive()
    }
}

/// Tells the connections of new mail for ever: another program may have written it to the same store.
async fn look_for_mail(host: &HostHandle, mailroom: &Mailroom) {
    let mut interval = tokio::time::interval(MAIL_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match host.ask(|host| host.tick()).await {
            Ok(Ok(newest)) => mailroom.announce(newest),
            Ok(Err(error)) => warn!(%error, "cannot look for mail"),
            // that the host thread has ended is found out elsewhere
            Err(HostGone) => std::future::pending().await,
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Server").field("listener", &self.listener).finish_non_exhaustive()
    }
}

struct Connection {
    acceptor: TlsAcceptor,
    handshake: Duration,
    shared: Arc<Shared>,
    address: IpAddr,
}

impl Connection {
    /// Serves a connection and tells how many batches were answered; its failures are its own.
    async fn serve(self, stream: TcpStream, place: InAnteroom) -> u64 {
        // answers are small and waited for
        let _ = stream.set_nodelay(true);
        let stream = tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => return 0,
            () = place.sent_away() => {
                info!("closed before its handshake was done, to make room for another");
                return 0;
            }
            shaken = timeout(self.handshake, self.shake_hands(stream, &place)) => match shaken {
                Ok(Some(stream)) => stream,
                Ok(None) => return 0,
                Err(_) => {
                    info!("handshake too slow");
                    return 0;
                }
            },
        };
        let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let name = match shown.map(common_name).transpose() {
            Ok(name) => name,
            Err(error) => {
                info!(%error, "certificate refused");
                return 0;
            }
        };
        if let Some(name) = &name {
            Span::current().record("certificate", name.as_str());
        }
        let peer = match Peer::at(name, self.address) {
            Ok(peer) => peer,
            Err(error) => {
                error!(%error, "connection refused");
                return 0;
            }
        };
        let _place = match place.admit(peer.account()) {
            Ok(place) => place,
            Err(refusal) => {
                info!(%refusal, "connection refused");
                farewell(stream).await;
                return 0;
            }
        };
        debug!("connected");
        match session::serve(stream, Arc::new(peer.connected()), self.shared).await {
            Ok(batches) => {
                info!(batches, "closed");
                batches
            }
            Err(error) => {
                warn!(%error, "connection ended");
                0
            }
        }
    }

    /// The handshake. What does not begin as one is told in the log and closed.
    async fn shake_hands(&self, stream: TcpStream, place: &InAnteroom) -> Option<TlsStream<TcpStream>> {
        match greeting::foreign(&stream).await {
            Ok(None) => {}
            Ok(Some(spoken)) => {
                warn!("the peer speaks {spoken}, not TLS");
                return None;
            }
            Err(error) => {
                debug!(%error, "gone before its handshake");
                return None;
            }
        }
        place.spoke();
        match self.acceptor.accept(stream).await {
            Ok(stream) => Some(stream),
            Err(error) => {
                info!(%error, "handshake refused");
                None
            }
        }
    }
}

/// Closes a connection in good order, if the peer lets us.
async fn farewell(mut stream: TlsStream<TcpStream>) {
    let _ = timeout(REFUSAL, stream.shutdown()).await;
}
