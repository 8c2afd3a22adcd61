//! Who has sent wrong passwords, and how long they wait before the next one is looked at.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many wrong passwords cost nothing: typing errors.
const FREE: u32 = 3;

/// The first delay; each further wrong password doubles it.
const FIRST_DELAY: Duration = Duration::from_millis(200);

/// The longest delay between two passwords.
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// How long a password may wait for its turn; whoever brings more at the same time is refused.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// After how long without a wrong password all is forgotten.
const MEMORY: Duration = Duration::from_secs(600);

/// How many names are remembered.
const NAMES: usize = 4096;

/// Wrong passwords, by the certificate or address they came from, and by the sender they were for.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    by_name: Mutex<HashMap<String, Guesser>>,
}

#[derive(Debug)]
struct Guesser {
    wrong: u32,
    last: Instant,
    /// Before this, the next password is not looked at.
    next: Instant,
}

/// So many passwords wait already that another one would have to wait too long.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("too many wrong passwords")]
pub struct TooManyGuesses;

impl Guesses {
    /// How long a password has to wait, by all the names that it comes under. The turn is taken.
    pub(super) fn turn(&self, names: &[String], now: Instant) -> Result<Duration, TooManyGuesses> {
        let mut by_name = self.by_name();
        let mut wait = Duration::ZERO;
        for name in names {
            if let Some(guesser) = by_name.get(name) {
                wait = wait.max(guesser.next.saturating_duration_since(now));
            }
        }
        if wait > LONGEST_WAIT {
            return Err(TooManyGuesses);
        }
        for name in names {
            if let Some(guesser) = by_name.get_mut(name) {
                guesser.next = now + wait + delay(guesser.wrong);
            }
        }
        Ok(wait)
    }

    /// Notes a wrong password; says the how manieth it is under any of its names.
    pub(super) fn wrong(&self, names: &[String], now: Instant) -> u32 {
        let mut by_name = self.by_name();
        let mut most = 0;
        for name in names {
            if by_name.len() >= NAMES && !by_name.contains_key(name) {
                forget(&mut by_name, now);
            }
            let new = Guesser { wrong: 0, last: now, next: now };
            let guesser = by_name.entry(name.clone()).or_insert(new);
            if now.duration_since(guesser.last) > MEMORY {
                guesser.wrong = 0;
            }
            guesser.wrong += 1;
            guesser.last = now;
            guesser.next = guesser.next.max(now + delay(guesser.wrong));
            most = most.max(guesser.wrong);
        }
        most
    }

    /// Notes a right password: who knows it has guessed nothing.
    pub(super) fn right(&self, names: &[String]) {
        let mut by_name = self.by_name();
        for name in names {
            by_name.remove(name);
        }
    }

    fn by_name(&self) -> MutexGuard<'_, HashMap<String, Guesser>> {
        // a panic elsewhere cannot leave it half changed
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets who has not guessed for long; if that is nobody, whoever has not for longest.
fn forget(by_name: &mut HashMap<String, Guesser>, now: Instant) {
    by_name.retain(|_, guesser| now.duration_since(guesser.last) <= MEMORY);
    if by_name.len() >= NAMES {
        let oldest = by_name.iter().min_by_key(|(_, guesser)| guesser.last).map(|(name, _)| name.clone());
        oldest.and_then(|name| by_name.remove(&name));
    }
}

fn delay(wrong: u32) -> Duration {
    match wrong.checked_sub(FREE + 1) {
        None => Duration::ZERO,
        Some(doublings) => FIRST_DELAY.saturating_mul(1 << doublings.min(16)).min(LONGEST_DELAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[&str]) -> Vec<String> {
        all.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn delays_grow_up_to_a_bound_and_end_with_the_right_password() {
        let guesses = Guesses::default();
        let name = names(&["certificate"]);
        let mut waits = Vec::new();
        let mut now = Instant::now();
        for _ in 0..14 {
            let wait = guesses.turn(&name, now).unwrap();
            waits.push(wait.as_millis());
            now += wait;
            guesses.wrong(&name, now);
        }
        assert_eq!(waits[..6], [0, 0, 0, 0, 200, 400]);
        assert_eq!(waits[13], LONGEST_DELAY.as_millis());
        guesses.right(&name);
        assert_eq!(guesses.turn(&name, now), Ok(Duration::ZERO));
    }

    #[test]
    fn guesses_at_the_same_time_wait_one_behind_the_other_and_not_for_ever() {
        let guesses = Guesses::default();
        let name = names(&["certificate"]);
        let now = Instant::now();
        for _ in 0..20 {
            guesses.wrong(&name, now);
        }
        let waits = (0..4).map(|_| guesses.turn(&name, now).map(|wait| wait.as_secs())).collect::<Vec<_>>();
        assert_eq!(waits, [Ok(10), Ok(20), Ok(30), Err(TooManyGuesses)]);
        assert_eq!(guesses.turn(&names(&["another"]), now), Ok(Duration::ZERO));
    }

    #[test]
    fn the_memory_is_bounded() {
        let guesses = Guesses::default();
        let mut now = Instant::now();
        for number in 0..NAMES + 50 {
            now += Duration::from_millis(1);
            guesses.wrong(&[number.to_string()], now);
        }
        assert_eq!(guesses.by_name().len(), NAMES);
        assert!(guesses.by_name().contains_key(&(NAMES + 49).to_string()));
    }
}
