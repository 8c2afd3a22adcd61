//! Mail on its way out: which mailboxes a connection serves, and how far each has been emptied.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::envelope::Sender;

/// What all connections know of mail: that there is some, and which mailboxes are being emptied.
#[derive(Debug)]
pub(super) struct Mailroom {
    /// The number of the newest mail. A change tells every connection to look.
    newest: watch::Sender<i64>,
    leased: Mutex<HashSet<Sender>>,
}

/// The right to empty a mailbox: one connection has it at a time, so that mail keeps its order and does not
/// travel twice. It ends when it is dropped; then others look.
#[derive(Debug)]
pub(super) struct Lease {
    room: Arc<Mailroom>,
    mailbox: Sender,
}

/// A mailbox that a connection serves.
#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) address: Sender,
    /// The last mail that this connection has carried.
    pub(super) sent: i64,
    /// Held while mail has been carried that does not yet count as delivered.
    pub(super) lease: Option<Lease>,
}

impl Mailroom {
    pub(super) fn new() -> Self {
        Self { newest: watch::Sender::new(0), leased: Mutex::default() }
    }

    /// Tells the number of the newest mail to who waits for it.
    pub(super) fn announce(&self, newest: i64) {
        self.newest.send_if_modified(|known| std::mem::replace(known, newest) != newest);
    }

    /// Completes at each announcement.
    pub(super) fn subscribe(&self) -> watch::Receiver<i64> {
        self.newest.subscribe()
    }

    /// The right to empty a mailbox, unless another connection has it.
    pub(super) fn lease(self: &Arc<Self>, mailbox: &Sender) -> Option<Lease> {
        let is_free = self.leased().insert(mailbox.clone());
        is_free.then(|| Lease { room: Arc::clone(self), mailbox: mailbox.clone() })
    }

    fn leased(&self) -> MutexGuard<'_, HashSet<Sender>> {
        // a panic elsewhere cannot leave it half changed
        self.leased.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.room.leased().remove(&self.mailbox);
        self.room.newest.send_modify(|_| ());
    }
}

impl Mailbox {
    pub(super) fn new(address: Sender) -> Self {
        Self { address, sent: 0, lease: None }
    }
}
