//! The host, as the gateway asks it.

use jiff::Zoned;

use super::{Answer, AnswerError, Peer, SenderPassword, outline};
use crate::envelope::RawBatch;
use crate::host::{self, Host, HostError, SenderProfile, World};
use crate::store::Store;
use crate::wire::Columns;

/// Where CBP's days begin and end.
const TIME_ZONE: &str = "America/New_York";

/// A host with a clock: the world's, which stands still, or else the machine's.
#[derive(Debug)]
pub struct HostWithClock<S> {
    host: Host<'static, S>,
    clock: Option<Zoned>,
}

impl<S: Store> HostWithClock<S> {
    /// A host for a world, with the grammars that come with the program.
    ///
    /// # Errors
    /// The grammar and the rules do not fit together, or the store failed.
    pub fn new(world: World, store: S) -> Result<Self, HostError> {
        let clock = world.clock().cloned();
        let grammar = crate::grammar::Grammar::builtin();
        let now = read_clock(clock.as_ref());
        Ok(Self { host: Host::new(grammar, world, store, &now)?, clock })
    }
}

impl<S: Store + Send + 'static> Answer for HostWithClock<S> {
    fn senders(&self) -> Vec<SenderPassword> {
        let password = |sender: &SenderProfile| SenderPassword {
            sender: outline::sender(sender.site(), sender.id()),
            hash: sender.password_hash().to_owned(),
        };
        self.host.world().senders().iter().map(password).collect()
    }

    fn answer(&mut self, batch: &RawBatch, peer: &Peer) -> Result<Vec<Columns>, AnswerError> {
        let now = read_clock(self.clock.as_ref());
        self.host.answer(batch, peer, &now).map_err(reason)
    }

    fn answer_all(&mut self, batches: &[(&RawBatch, &Peer)]) -> Vec<Result<Vec<Columns>, AnswerError>> {
        let now = read_clock(self.clock.as_ref());
        let batches =
            batches.iter().map(|(batch, peer)| (*batch, *peer as &dyn host::Peer)).collect::<Vec<_>>();
        self.host.answer_all(&batches, &now).into_iter().map(|answer| answer.map_err(reason)).collect()
    }
}

impl host::Peer for Peer {
    fn certificate(&self) -> Option<&str> {
        Self::certificate(self)
    }

    fn knows_password(&self, hash: &str, password: &[u8]) -> bool {
        Self::knows_password(self, hash, password)
    }
}

/// Why there is no answer, for the log: without the value that does not fit, which may be anybody's
/// number.
fn reason(error: HostError) -> AnswerError {
    match error {
        HostError::Unfit(_) | HostError::Envelope(_) => "a value does not fit a record of the answer".into(),
        error => error.into(),
    }
}

fn read_clock(clock: Option<&Zoned>) -> Zoned {
    match clock {
        Some(stands) => stands.clone(),
        None => {
            let now = Zoned::now();
            // without time zone data the machine's own day is the best there is
            now.in_tz(TIME_ZONE).unwrap_or(now)
        }
    }
}
