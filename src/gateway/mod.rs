//! The gateway: TLS connections on which plain records come and go.
//!
//! A connection is a stream of records as any ABI program writes them. A batch ends at its Z-record
//! (batch chapter, B&B-12) and is answered on the same connection before the next one is looked at,
//! so answers stand in the order of the batches and a peer that does not read its answers slows
//! down only itself. All connections share one host thread, which owns the store: batches queue for
//! it in a bounded channel, and its answer is written after it has committed.
//!
//! This room knows nothing of customs. What a batch is answered with is decided by an [`Answer`].

mod certificates;
mod client;
mod config;
mod host;
mod intake;
mod outline;
mod password;
mod server;
mod session;
mod writer;

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

pub use certificates::{
    CertificateError, Credentials, DevelopmentCertificates, Issued, client_tls, common_name, provider,
    server_tls,
};
pub use client::{Client, ClientError};
pub use config::{
    ClientCertificates, Config, ConfigError, Limits, LogConfig, LogFormat, Timeouts, TlsVersion,
};
pub use host::HostWithClock;
pub use intake::Intake;
pub use outline::{Outcome, Outline, Outliner};
pub use password::{PasswordError, PasswordMemory, hash_password, verify_password};
pub use server::{Report, Server, ServerError};
pub use session::SessionError;
pub use writer::{HostGone, HostHandle, HostThread};

use crate::envelope::RawBatch;
use crate::wire::Columns;

/// What decides the answer to a batch; the host, or something simpler in a test.
///
/// It is called on one thread, a batch at a time, and may block.
pub trait Answer: Send + 'static {
    /// The senders whose passwords can be verified before their batches queue for the host thread,
    /// which then has nothing slow to do. Others are verified there.
    fn senders(&self) -> Vec<SenderPassword> {
        Vec::new()
    }

    /// The records of the answer, which the peer gets once this has returned.
    ///
    /// # Errors
    /// The batch could not be answered at all, as when the store has failed; nothing of it has taken
    /// effect and its connection is closed.
    fn answer(&mut self, batch: &RawBatch, peer: &Peer) -> Result<Vec<Columns>, AnswerError>;

    /// The answers to batches that wait at the same moment, in their order, as by [`Self::answer`]. Who
    /// can keep them together saves the time that keeping each would take.
    fn answer_all(&mut self, batches: &[(&RawBatch, &Peer)]) -> Vec<Result<Vec<Columns>, AnswerError>> {
        batches.iter().map(|(batch, peer)| self.answer(batch, peer)).collect()
    }
}

/// The password of a sender, as far as it is known.
#[derive(Clone)]
pub struct SenderPassword {
    /// The sender, as [`Outline::sender`] names it.
    pub sender: String,
    /// The argon2 hash of its password, in PHC form.
    pub hash: String,
}

impl fmt::Debug for SenderPassword {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SenderPassword").field("sender", &self.sender).finish_non_exhaustive()
    }
}

/// Why a batch could not be answered.
pub type AnswerError = Box<dyn Error + Send + Sync>;

/// Who is on the other side of a connection.
pub struct Peer {
    certificate: Option<String>,
    passwords: PasswordMemory,
    verified: AtomicBool,
}

impl Peer {
    /// A peer with the common name of its certificate, if it has shown one.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn new(certificate: Option<String>) -> Result<Self, PasswordError> {
        Ok(Self { certificate, passwords: PasswordMemory::new()?, verified: AtomicBool::new(false) })
    }

    /// The common name of its certificate; none if the gateway did not ask for one or the peer has
    /// none, in which case its password alone speaks for it.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// Whether a password belongs to a hash; slow the first time, by design.
    #[must_use]
    pub fn knows_password(&self, hash: &str, password: &[u8]) -> bool {
        let right = self.passwords.verify(hash, password);
        if right {
            self.verified.store(true, Ordering::Relaxed);
        }
        right
    }

    /// Whether [`Self::knows_password`] answers from memory.
    fn recalls_password(&self, hash: &str, password: &[u8]) -> bool {
        self.passwords.recalls(hash, password)
    }

    /// Whether a password was right since this was last asked.
    ///
    /// Only then a batch's header stands where it should, and its columns may be logged: in a header
    /// that is out of step the password may stand where the sender is looked for.
    fn take_verified(&self) -> bool {
        self.verified.swap(false, Ordering::Relaxed)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Peer").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}
