//! Accepting connections, and stopping.

use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, debug, error, info, info_span, warn};

use super::certificates::{CertificateError, common_name, server_tls};
use super::mailroom::Mailroom;
use super::session::{self, Shared};
use super::writer::{HostGone, HostHandle, HostThread};
use super::{Answer, Config, Outliner, Peer};
use crate::grammar::UnknownName;

/// How long to wait before accepting again when the system refuses, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How often mail is looked for.
const MAIL_INTERVAL: Duration = Duration::from_millis(500);

/// A gateway that listens.
pub struct Server {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    connections: usize,
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
            verifications: Semaphore::new(thread::available_parallelism().map_or(1, NonZero::get)),
            mailroom: Arc::new(Mailroom::new()),
            timeouts: config.timeouts,
            limits: config.wire,
            stop: CancellationToken::new(),
        };
        Ok(Self {
            listener,
            acceptor: TlsAcceptor::from(Arc::new(tls)),
            connections: config.limits.connections,
            handshake: config.timeouts.handshake(),
            shutdown: config.timeouts.shutdown(),
            shared: Arc::new(shared),
            host: thread,
        })
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

    /// Accepts for ever, never more at once than the settings allow.
    async fn accept(
        &self,
        tracker: &TaskTracker,
        cut: &CancellationToken,
        answered: &Arc<AtomicU64>,
        accepted: &mut u64,
    ) {
        let permits = Arc::new(Semaphore::new(self.connections));
        let mut backoff = BACKOFF.0;
        loop {
            // a semaphore that is never closed always gives its permit in the end
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
                return;
            };
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
            let connection = Connection {
                acceptor: self.acceptor.clone(),
                handshake: self.handshake,
                shared: Arc::clone(&self.shared),
            };
            let (cut, answered) = (cut.clone(), Arc::clone(answered));
            tracker.spawn(
                async move {
                    let served = cut.run_until_cancelled(connection.serve(stream)).await;
                    answered.fetch_add(served.unwrap_or_default(), Ordering::Relaxed);
                    drop(permit);
                }
                .instrument(span),
            );
        }
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
}

impl Connection {
    /// Serves a connection and tells how many batches were answered; its failures are its own.
    async fn serve(self, stream: TcpStream) -> u64 {
        // answers are small and waited for
        let _ = stream.set_nodelay(true);
        let accepting = timeout(self.handshake, self.acceptor.accept(stream));
        let stream = tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => return 0,
            accepted = accepting => match accepted {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => {
                    info!(%error, "handshake refused");
                    return 0;
                }
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
        let peer = match Peer::new(name) {
            Ok(peer) => peer,
            Err(error) => {
                error!(%error, "connection refused");
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
}
