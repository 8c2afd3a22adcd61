//! What is known of answers on their way: which of them have arrived.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The answers that have gone out on one connection, as the numbers of their batches on file.
///
/// An answer counts as arrived when its peer does something that it would hardly do without it: it sends a
/// further batch or says farewell. Until then its batch is known again by its digest (see
/// [`Archive::unarrived`](crate::store::Archive::unarrived)).
#[derive(Debug, Default)]
pub struct Receipts(Mutex<Answers>);

#[derive(Debug, Default)]
struct Answers {
    /// Gone out.
    open: Vec<i64>,
    /// Arrived, and not yet noted in the store.
    arrived: Vec<i64>,
}

/// How many answers of one connection are looked after. A peer may send many batches before it reads; of
/// the oldest it will not be known that they have arrived.
const MOST: usize = 256;

impl Receipts {
    /// Notes that all answers that have gone out have arrived.
    pub fn all_arrived(&self) {
        let Answers { open, arrived } = &mut *self.answers();
        arrived.append(open);
    }

    /// Whether an answer has gone out of which nothing shows that it arrived.
    #[must_use]
    pub fn awaits_some(&self) -> bool {
        !self.answers().open.is_empty()
    }

    /// Notes that the answer to a batch goes out.
    pub(super) fn sent(&self, batch: i64) {
        let open = &mut self.answers().open;
        if open.len() == MOST {
            open.remove(0);
        }
        open.push(batch);
    }

    /// The batches whose answers have arrived, and of which the store does not know that.
    pub(super) fn arrived(&self) -> Vec<i64> {
        self.answers().arrived.clone()
    }

    /// Notes that the store knows now that the answers to some batches have arrived.
    pub(super) fn noted(&self, batches: &[i64]) {
        self.answers().arrived.retain(|batch| !batches.contains(batch));
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        // a panic elsewhere cannot leave it half changed
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
