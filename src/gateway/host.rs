//! The host, as the gateway asks it.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, Zoned};

use super::{Answer, AnswerError, Examine, Peer, SenderPassword, Waiting, outline};
use crate::envelope::{RawBatch, Sender};
use crate::host::{self, Acted, Action, ActionError, Examined, Host, HostError, SenderProfile, World};
use crate::message::Finding;
use crate::store::Store;
use crate::wire::Columns;

/// Where CBP's days begin and end.
const TIME_ZONE: &str = "America/New_York";

/// A host with a clock: the world's, which stands still, or else the machine's.
#[derive(Debug)]
pub struct HostWithClock<S> {
    host: Host<'static, S>,
    clock: Option<Zoned>,
    /// The day up to which time has done its work.
    advanced: Option<Date>,
    /// How often it is still called before it tries again what has failed.
    pause: u32,
    /// For how many days batches are kept; for ever if there is no number.
    keep_days: Option<u32>,
    /// Whether there may be batches that are too old.
    is_untidy: bool,
    /// Whether the clock has jumped while the gateway was running.
    is_stopped: bool,
}

/// A gateway may rest for a while; after so many days its clock is doubted.
const FAR: i32 = 366;

/// How many days lie between two days, whichever is the later one.
fn days_between(one: Date, other: Date) -> i32 {
    one.until(other).map_or(i32::MAX, |span| span.get_days().abs())
}

/// After how many calls the host tries again what it has failed at.
const PAUSE: u32 = 20;

/// How many batches are removed at once: batches that wait do not wait long.
const TIDY_TOGETHER: u32 = 500;

impl<S: Store> HostWithClock<S> {
    /// A host for a world, with the grammars that come with the program.
    ///
    /// # Errors
    /// The grammar and the rules do not fit together, or the store failed.
    pub fn new(world: World, store: S) -> Result<Self, HostError> {
        let clock = world.clock().cloned();
        let grammar = crate::grammar::Grammar::builtin();
        let now = read_clock(clock.as_ref());
        let host = Host::new(grammar, world, store, &now)?;
        Ok(Self {
            host,
            clock,
            advanced: None,
            pause: 0,
            keep_days: None,
            is_untidy: false,
            is_stopped: false,
        })
    }

    /// The same host, which removes batches from its store that it has had for so many days; 0 stands for
    /// never.
    #[must_use]
    pub fn keep_batches(self, days: u32) -> Self {
        Self { keep_days: Some(days).filter(|days| *days > 0), ..self }
    }
}

impl<S: Store> HostWithClock<S> {
    /// The answer to a batch and why, as by [`Host::answer_explained`], now.
    ///
    /// # Errors
    /// As [`Host::answer_explained`].
    pub fn answer_explained(
        &mut self,
        batch: &RawBatch,
        peer: &Peer,
        source: Option<&Arc<str>>,
        number: u32,
    ) -> Result<(Vec<Columns>, Vec<Finding>), HostError> {
        self.host.answer_explained(batch, peer, &read_clock(self.clock.as_ref()), source, number)
    }

    /// Does what CBP does of its own accord, now.
    ///
    /// # Errors
    /// As [`Host::act`].
    pub fn act(&mut self, action: &Action) -> Result<Acted, ActionError> {
        self.host.act(action, &read_clock(self.clock.as_ref()))
    }

    /// Whether the clock has gone another way than a day at a time. Then time does nothing more until the gateway is
    /// started again, by somebody who has looked at the clock: what time has done is not undone.
    fn has_jumped(&mut self, now: &Zoned) -> Result<bool, HostError> {
        let today = now.date();
        match self.advanced {
            None => {
                let newest = self
                    .host
                    .newest_batch()?
                    .map(|received| received.to_zoned(now.time_zone().clone()).date());
                if let Some(newest) = newest.filter(|newest| days_between(*newest, today) > FAR) {
                    tracing::warn!(%newest, %today, "the clock is far from the newest batch of the store; is it right?");
                }
                Ok(false)
            }
            Some(last) if days_between(last, today) > 1 => {
                if !std::mem::replace(&mut self.is_stopped, true) {
                    tracing::error!(%last, %today, "the clock has jumped: nothing that is due by a day is done until the \
                        gateway is started again");
                }
                Ok(true)
            }
            Some(_) => Ok(self.is_stopped),
        }
    }

    fn do_what_time_does(&mut self, now: &Zoned) -> Result<(), HostError> {
        if self.has_jumped(now)? {
            return Ok(());
        }
        if self.advanced != Some(now.date()) {
            self.host.advance(now)?;
            self.advanced = Some(now.date());
            self.is_untidy = true;
        }
        if self.is_untidy {
            let forgotten = !self.host.forget_unarrived(now, TIDY_TOGETHER)?;
            let removed = match self.keep_days {
                Some(days) => {
                    let before =
                        now.timestamp().saturating_sub(SignedDuration::from_hours(24 * i64::from(days)));
                    !self.host.remove_batches(before.unwrap_or(Timestamp::MIN), TIDY_TOGETHER)?
                }
                None => true,
            };
            self.is_untidy = !(forgotten && removed);
        }
        Ok(())
    }

    /// Does what time does up to now.
    ///
    /// # Errors
    /// As [`Host::advance`].
    pub fn advance(&mut self) -> Result<Acted, HostError> {
        self.host.advance(&read_clock(self.clock.as_ref()))
    }
}

impl<S: Store + Send + 'static> Answer for HostWithClock<S> {
    fn senders(&self) -> Vec<SenderPassword> {
        SenderPassword::of_world(self.host.world())
    }

    fn answer(&mut self, batch: &RawBatch, peer: &Peer) -> Result<Vec<Columns>, AnswerError> {
        let now = read_clock(self.clock.as_ref());
        self.host.answer_in_any_case(batch, peer, &now).map_err(reason)
    }

    fn examiner(&self) -> Option<Examine> {
        let (examiner, clock) = (self.host.examiner(), self.clock.clone());
        Some(Box::new(move |batch, peer| examiner.examine(batch, peer, &read_clock(clock.as_ref()))))
    }

    fn answer_all(&mut self, batches: Vec<Waiting<'_>>) -> Vec<Result<Vec<Columns>, AnswerError>> {
        let now = read_clock(self.clock.as_ref());
        let batches = batches.into_iter();
        let batches = batches.map(|(batch, peer, examined)| (batch, peer as &dyn host::Peer, examined));
        let answers = self.host.answer_all(batches.collect(), &now);
        answers.into_iter().map(|answer| answer.map_err(reason)).collect()
    }

    fn answer_part(
        &mut self,
        batch: &RawBatch,
        peer: &Peer,
        examined: &mut Option<Examined>,
        records: usize,
    ) -> Result<Option<Vec<Columns>>, AnswerError> {
        let now = read_clock(self.clock.as_ref());
        self.host.answer_part(batch, peer, examined, records, &now).map_err(reason)
    }

    fn tick(&mut self) -> Result<i64, AnswerError> {
        let now = read_clock(self.clock.as_ref());
        if self.pause > 0 {
            self.pause -= 1;
        } else if let Err(error) = self.do_what_time_does(&now) {
            // mail goes out all the same
            tracing::error!(%error, "time stands still for a while");
            self.pause = PAUSE;
        }
        self.host.newest_mail().map_err(reason)
    }

    fn note_arrivals(&mut self, peer: &Peer) -> Result<(), AnswerError> {
        match Peer::receipts(peer) {
            Some(receipts) => self.host.note_arrivals(receipts).map_err(reason),
            None => Ok(()),
        }
    }

    fn next_mail(
        &mut self,
        mailbox: &Sender,
        after: i64,
    ) -> Result<Option<(i64, Vec<Columns>)>, AnswerError> {
        let now = read_clock(self.clock.as_ref());
        let mail = self.host.next_mail(mailbox, after, &now).map_err(reason)?;
        Ok(mail.map(|mail| (mail.id, mail.records)))
    }

    fn mark_delivered(&mut self, mailbox: &Sender, up_to: i64) -> Result<(), AnswerError> {
        let now = read_clock(self.clock.as_ref());
        self.host.mark_delivered(mailbox, up_to, &now).map_err(reason)
    }
}

impl SenderPassword {
    /// The senders of a world.
    #[must_use]
    pub fn of_world(world: &World) -> Vec<Self> {
        let password = |sender: &SenderProfile| SenderPassword {
            sender: outline::sender(sender.site(), sender.id()),
            hash: sender.password_hash().to_owned(),
            certificate: sender.certificate().map(str::to_owned),
            mailboxes: sender.offices().iter().map(|office| mailbox(sender, office)).collect(),
        };
        world.senders().iter().map(password).collect()
    }
}

impl host::Peer for Peer {
    fn certificate(&self) -> Option<&str> {
        Self::certificate(self)
    }

    fn knows_password(&self, hash: &str, password: &[u8]) -> bool {
        Self::knows_password(self, hash, password)
    }

    fn receipts(&self) -> Option<&host::Receipts> {
        Self::receipts(self)
    }
}

fn mailbox(sender: &SenderProfile, office: &str) -> Sender {
    Sender { site: sender.site().to_owned(), id: sender.id().to_owned(), office: office.to_owned() }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::grammar::Grammar;
    use crate::store::SqliteStore;

    #[test]
    fn a_clock_that_jumps_stops_what_time_does_until_the_gateway_is_started_again() {
        let world = World::demo(Grammar::builtin()).unwrap();
        let mut host = HostWithClock::new(world, SqliteStore::in_memory().unwrap()).unwrap();
        let advanced = |host: &mut HostWithClock<SqliteStore>, day: &str| {
            let now = format!("{day}T12:00[America/New_York]").parse::<Zoned>().unwrap();
            host.do_what_time_does(&now).unwrap();
            host.advanced.unwrap().to_string()
        };
        assert_eq!(advanced(&mut host, "2026-08-03"), "2026-08-03");
        assert_eq!(advanced(&mut host, "2026-08-04"), "2026-08-04");
        assert_eq!(advanced(&mut host, "2031-08-05"), "2026-08-04");
        assert_eq!(advanced(&mut host, "2026-08-05"), "2026-08-04", "somebody is to look at the clock first");
    }
}
