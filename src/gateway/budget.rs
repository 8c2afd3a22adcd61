//! How many bytes all connections together make the gateway hold.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// What a record of a batch takes at most while the batch is gathered, examined and answered: its columns
/// as they came, again in upper case, its place in the structure, and its answer. A batch of short lines
/// takes as much as one of long ones.
pub(super) const BYTES_PER_RECORD: usize = 256;

/// How long a connection waits for others to give something back before it is refused.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The bytes that there are to be held.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    patience: Duration,
    held: Mutex<Held>,
    given_back: Notify,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    by_account: HashMap<Arc<str>, usize>,
}

/// What a connection holds. When it is dropped, it is given back.
#[derive(Debug)]
pub(super) struct Holding {
    budget: Arc<Budget>,
    account: Arc<str>,
    bytes: usize,
}

/// There is nothing left to hold a batch with.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unfinished batches hold as much as limits.held_bytes allows")]
pub struct BudgetExceeded;

impl Budget {
    pub(super) fn new(limit: usize, patience: Duration) -> Self {
        Self { limit, patience, held: Mutex::default(), given_back: Notify::new() }
    }

    /// What may be held on one account: half, so that nobody takes what there is from everybody else.
    fn share(&self) -> usize {
        self.limit / 2
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // a panic elsewhere cannot leave it half changed
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holding {
    pub(super) fn new(budget: &Arc<Budget>, account: Arc<str>) -> Self {
        Self { budget: Arc::clone(budget), account, bytes: 0 }
    }

    /// Holds so many bytes from now on. Waits a while for others to give something back.
    pub(super) async fn resize(&mut self, bytes: usize) -> Result<(), BudgetExceeded> {
        let deadline = Instant::now() + self.budget.patience;
        let budget = Arc::clone(&self.budget);
        loop {
            // before the look, so that nothing is given back unnoticed in between
            let given_back = budget.given_back.notified();
            tokio::pin!(given_back);
            given_back.as_mut().enable();
            if self.try_resize(bytes) {
                return Ok(());
            }
            timeout_at(deadline, given_back).await.map_err(|_| BudgetExceeded)?;
        }
    }

    fn try_resize(&mut self, bytes: usize) -> bool {
        let mut held = self.budget.held();
        let others = held.all - self.bytes;
        let own = held.by_account.get(&self.account).copied().unwrap_or_default() - self.bytes;
        let fits = others + bytes <= self.budget.limit && own + bytes <= self.budget.share();
        if !fits && bytes > self.bytes {
            return false;
        }
        held.all = others + bytes;
        if own + bytes == 0 {
            held.by_account.remove(&self.account);
        } else {
            held.by_account.insert(Arc::clone(&self.account), own + bytes);
        }
        let shrinks = bytes < self.bytes;
        self.bytes = bytes;
        drop(held);
        if shrinks {
            self.budget.given_back.notify_waiters();
        }
        true
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.try_resize(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_held_in_all_and_by_one_account_is_bounded() {
        let budget = Arc::new(Budget::new(100, Duration::ZERO));
        let holding = |account: &str| Holding::new(&budget, account.into());
        let (mut one, mut again, mut other) = (holding("one"), holding("one"), holding("other"));
        assert_eq!(one.resize(40).await, Ok(()));
        assert_eq!(again.resize(20).await, Err(BudgetExceeded), "half of it is one account's share");
        assert_eq!(other.resize(50).await, Ok(()));
        assert_eq!(again.resize(10).await, Ok(()));
        assert_eq!(holding("third").resize(1).await, Err(BudgetExceeded));
        drop(one);
        assert_eq!(again.resize(50).await, Ok(()));
        drop((again, other));
        let held = budget.held();
        assert_eq!((held.all, held.by_account.len()), (0, 0));
    }

    #[tokio::test]
    async fn whoever_waits_goes_on_when_something_is_given_back() {
        let budget = Arc::new(Budget::new(100, Duration::from_secs(600)));
        let mut first = Holding::new(&budget, "first".into());
        first.resize(50).await.unwrap();
        let mut second = Holding::new(&budget, "first".into());
        let (waited, ()) = tokio::join!(second.resize(10), async {
            tokio::task::yield_now().await;
            drop(first);
        });
        assert_eq!(waited, Ok(()));
    }
}
