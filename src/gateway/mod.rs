//! The gateway: TLS connections on which plain records come and go.
//!
//! A connection is a stream of records as any ABI program writes them. A batch ends at its Z-record
//! (batch chapter, B&B-12) and is answered on the same connection before the next one is looked at,
//! so answers stand in the order of the batches and a peer that does not read its answers slows
//! down only itself. All connections share one host thread, which owns the store: batches queue for
//! it by sender, after other threads have found out what can be known without the store, and its answer is
//! written after it has committed.
//!
//! Who sends is found out from the A-record, before the rest of the batch is there, and everything that a
//! peer can make the gateway hold or do has a limit, in all and for that peer.
//!
//! What the host has for a sender of its own accord waits in a mailbox and goes out between batches, on a
//! connection that has shown to be the sender's. It counts as delivered when that connection goes on or is
//! closed in good order, and goes out again on the next one otherwise.
//!
//! This room knows nothing of customs. What a batch is answered with is decided by an [`Answer`].

mod admission;
mod authority;
mod budget;
mod certificates;
mod client;
mod config;
mod exchange;
mod greeting;
mod guesses;
mod host;
mod intake;
mod mailroom;
mod outline;
mod password;
mod pkcs12;
mod queue;
mod server;
mod session;
mod writer;

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use authority::Authority;
pub use certificates::{
    CertificateError, Credentials, DevelopmentCertificates, Issued, client_tls, common_name, provider,
    server_tls,
};
pub use client::{Client, ClientError};
pub use config::{
    ClientCertificates, Config, ConfigError, Keeping, Limits, LogConfig, LogFormat, Timeouts, TlsVersion,
};
pub use host::HostWithClock;
pub use intake::Intake;
pub use outline::{Outcome, Outline, Outliner};
pub use password::{PasswordError, PasswordMemory, hash_password, verify_password};
pub use pkcs12::{Pkcs12Error, pkcs12, random_word};
pub use server::{Reloader, Report, Server, ServerError};
pub use session::SessionError;
pub use writer::{HostGone, HostHandle, HostThread};

use crate::envelope::{RawBatch, Sender};
use crate::host::{Examined, Receipts};
use crate::wire::Columns;

/// What decides the answer to a batch; the host, or something simpler in a test.
///
/// It is called on one thread, a batch at a time, and may block.
pub trait Answer: Send + 'static {
    /// The senders that there are, so that a password is verified when its A-record comes and the host
    /// thread has nothing slow to do. If there are none, passwords are verified on the host thread.
    fn senders(&self) -> Vec<SenderPassword> {
        Vec::new()
    }

    /// The records of the answer, which the peer gets once this has returned.
    ///
    /// # Errors
    /// The batch could not be answered at all. Nothing of it has taken effect, or nobody knows whether it
    /// has; its connection is closed.
    fn answer(&mut self, batch: &RawBatch, peer: &Peer) -> Result<Vec<Columns>, AnswerError>;

    /// What can find out about a batch before its turn comes, on any thread. By default nothing can.
    fn examiner(&self) -> Option<Examine> {
        None
    }

    /// The answers to batches that wait at the same moment, in their order, as by [`Self::answer`]. Who
    /// can keep them together saves the time that keeping each would take.
    fn answer_all(&mut self, batches: Vec<Waiting<'_>>) -> Vec<Result<Vec<Columns>, AnswerError>> {
        batches.into_iter().map(|(batch, peer, _)| self.answer(batch, peer)).collect()
    }

    /// Goes on with a batch that is too long to be answered at once, by about so many records; nothing until
    /// its last part is answered. What is known of the batch, and how far it has come, stands in `examined`.
    /// Others are answered between two calls. By default the batch is answered whole.
    ///
    /// # Errors
    /// As [`Self::answer`]; parts that were answered before may have taken effect.
    fn answer_part(
        &mut self,
        batch: &RawBatch,
        peer: &Peer,
        examined: &mut Option<Examined>,
        records: usize,
    ) -> Result<Option<Vec<Columns>>, AnswerError> {
        let _ = (examined, records);
        self.answer(batch, peer).map(Some)
    }

    /// Called twice a second: does what time does, and tells the number of the newest mail, whoever wrote
    /// it.
    ///
    /// # Errors
    /// The store has failed; it is tried again.
    fn tick(&mut self) -> Result<i64, AnswerError> {
        Ok(0)
    }

    /// The first mail that waits in a mailbox behind a number, with its own number.
    ///
    /// # Errors
    /// The store has failed; it is tried again.
    fn next_mail(
        &mut self,
        _mailbox: &Sender,
        _after: i64,
    ) -> Result<Option<(i64, Vec<Columns>)>, AnswerError> {
        Ok(None)
    }

    /// Notes that the answers that have gone out to a peer have arrived, as far as its
    /// [receipts](Peer::receipts) say so.
    ///
    /// # Errors
    /// The store has failed; batches that come again are answered as they were.
    fn note_arrivals(&mut self, _peer: &Peer) -> Result<(), AnswerError> {
        Ok(())
    }

    /// Counts the mail of a mailbox up to a number as delivered.
    ///
    /// # Errors
    /// The store has failed; the mail goes out again.
    fn mark_delivered(&mut self, _mailbox: &Sender, _up_to: i64) -> Result<(), AnswerError> {
        Ok(())
    }
}

/// A sender, as far as a connection has to know it.
#[derive(Clone)]
pub struct SenderPassword {
    /// The sender, as [`Outline::sender`] names it.
    pub sender: String,
    /// The argon2 hash of its password, in PHC form.
    pub hash: String,
    /// The common name of its certificate, if it has one.
    pub certificate: Option<String>,
    /// Its mailboxes, one an office.
    pub mailboxes: Vec<Sender>,
}

impl fmt::Debug for SenderPassword {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SenderPassword").field("sender", &self.sender).finish_non_exhaustive()
    }
}

/// A batch that waits for its answer, who sent it, and what is known of it already.
pub type Waiting<'a> = (&'a RawBatch, &'a Peer, Option<Examined>);

/// Finds out about a batch what does not depend on those before it; nothing, if nothing can be said.
pub type Examine = Box<dyn Fn(&RawBatch, &Peer) -> Option<Examined> + Send + Sync>;

/// Why a batch could not be answered.
pub type AnswerError = Box<dyn Error + Send + Sync>;

/// Who is on the other side of a connection.
pub struct Peer {
    certificate: Option<String>,
    account: Arc<str>,
    passwords: PasswordMemory,
    verified: AtomicBool,
    receipts: Option<Receipts>,
}

impl Peer {
    /// A peer to whom answers cannot get lost, with the common name of its certificate, if it has shown one.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn new(certificate: Option<String>) -> Result<Self, PasswordError> {
        let account = Arc::from(certificate.as_deref().unwrap_or_default());
        let (passwords, verified) = (PasswordMemory::new()?, AtomicBool::new(false));
        Ok(Self { certificate, account, passwords, verified, receipts: None })
    }

    /// A peer that has connected from an address.
    fn at(certificate: Option<String>, address: IpAddr) -> Result<Self, PasswordError> {
        let account = certificate.clone().unwrap_or_else(|| address.to_string());
        Ok(Self { account: Arc::from(account), ..Self::new(certificate)? })
    }

    /// On whose account goes what the peer makes the gateway do and hold: the common name of its
    /// certificate, or else its address.
    fn account(&self) -> Arc<str> {
        Arc::clone(&self.account)
    }

    /// The common name of its certificate; none if the gateway did not ask for one or the peer has
    /// none, in which case its password alone speaks for it.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// The same peer at the other end of a connection, where answers can get lost.
    #[must_use]
    pub fn connected(self) -> Self {
        Self { receipts: Some(Receipts::default()), ..self }
    }

    /// What is known of the answers that have gone out to it, if they can get lost.
    #[must_use]
    pub fn receipts(&self) -> Option<&Receipts> {
        self.receipts.as_ref()
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

    /// What [`Self::knows_password`] answers, if it answers from memory.
    fn recalls_password(&self, hash: &str, password: &[u8]) -> Option<bool> {
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
