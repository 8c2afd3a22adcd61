//! How many connections there may be, of whom, and who goes when there is no room.
//!
//! A connection is in the anteroom until its handshake is done. The anteroom has its own room: who comes
//! when it is full is let in, and the one that has been silent longest has to go, so that connections that
//! say nothing keep nobody out. Behind it, connections are limited in all, by address and by certificate.
//! Who is beyond a limit is refused at once.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::Limits;

/// The connections that there are.
#[derive(Debug)]
pub(super) struct Admission {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    anteroom: VecDeque<Newcomer>,
    next_number: u64,
    admitted: usize,
    by_address: HashMap<IpAddr, usize>,
    by_account: HashMap<Arc<str>, usize>,
}

#[derive(Debug)]
struct Newcomer {
    number: u64,
    address: IpAddr,
    has_spoken: bool,
    /// Cancelled when it has to go.
    go: CancellationToken,
}

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    /// There are as many connections as there may be.
    Full,
    /// There are as many from its address as there may be.
    Address,
    /// There are as many with its certificate as there may be.
    Certificate,
}

/// A connection in the anteroom. When it is dropped, its place is free.
#[derive(Debug)]
pub(super) struct InAnteroom {
    admission: Arc<Admission>,
    number: u64,
    address: IpAddr,
    go: CancellationToken,
}

/// A connection behind the anteroom. When it is dropped, its place is free.
#[derive(Debug)]
pub(super) struct Admitted {
    admission: Arc<Admission>,
    address: IpAddr,
    account: Arc<str>,
}

impl Admission {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default() }
    }

    /// Lets a connection into the anteroom.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<InAnteroom, Refusal> {
        let mut state = self.state();
        // refused here, before the handshake costs anything, rather than behind it
        self.check(&state, address)?;
        let here = |newcomer: &&Newcomer| newcomer.address == address;
        let of_address = state.anteroom.iter().filter(here).count();
        let admitted = state.by_address.get(&address).copied().unwrap_or_default();
        if of_address + admitted >= self.limits.per_address() {
            state.send_away(|newcomer| newcomer.address == address);
        }
        if state.anteroom.len() >= self.limits.handshakes {
            state.send_away(|_| true);
        }
        let number = state.next_number;
        state.next_number += 1;
        let go = CancellationToken::new();
        state.anteroom.push_back(Newcomer { number, address, has_spoken: false, go: go.clone() });
        Ok(InAnteroom { admission: Arc::clone(self), number, address, go })
    }

    fn check(&self, state: &State, address: IpAddr) -> Result<(), Refusal> {
        if state.admitted >= self.limits.connections {
            return Err(Refusal::Full);
        }
        if state.by_address.get(&address).is_some_and(|count| *count >= self.limits.per_address()) {
            return Err(Refusal::Address);
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // a panic elsewhere cannot leave it half changed
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Sends away the one that has been silent longest, or else the one that has been there longest.
    fn send_away(&mut self, of: impl Fn(&Newcomer) -> bool) {
        let silent = self.anteroom.iter().position(|newcomer| of(newcomer) && !newcomer.has_spoken);
        let chosen = silent.or_else(|| self.anteroom.iter().position(of));
        if let Some(newcomer) = chosen.and_then(|index| self.anteroom.remove(index)) {
            newcomer.go.cancel();
        }
    }
}

impl InAnteroom {
    /// Notes that the first byte has come.
    pub(super) fn spoke(&self) {
        let mut state = self.admission.state();
        if let Some(newcomer) = state.anteroom.iter_mut().find(|newcomer| newcomer.number == self.number) {
            newcomer.has_spoken = true;
        }
    }

    /// Completes when the connection has to make room for another.
    pub(super) async fn sent_away(&self) {
        self.go.cancelled().await;
    }

    /// Lets the connection out of the anteroom, on an account.
    pub(super) fn admit(self, account: Arc<str>) -> Result<Admitted, Refusal> {
        let admission = Arc::clone(&self.admission);
        let mut state = admission.state();
        admission.check(&state, self.address)?;
        if state.by_account.get(&account).is_some_and(|count| *count >= admission.limits.per_certificate()) {
            return Err(Refusal::Certificate);
        }
        state.admitted += 1;
        *state.by_address.entry(self.address).or_default() += 1;
        *state.by_account.entry(Arc::clone(&account)).or_default() += 1;
        drop(state);
        Ok(Admitted { admission, address: self.address, account })
    }
}

impl Drop for InAnteroom {
    fn drop(&mut self) {
        self.admission.state().anteroom.retain(|newcomer| newcomer.number != self.number);
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut state = self.admission.state();
        state.admitted -= 1;
        count_down(&mut state.by_address, &self.address);
        count_down(&mut state.by_account, &self.account);
    }
}

fn count_down<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Full => "as many connections as limits.connections allows",
            Self::Address => "as many connections from its address as limits.connections_per_address allows",
            Self::Certificate => {
                "as many connections with its certificate as limits.connections_per_certificate allows"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(connections: usize, handshakes: usize) -> Arc<Admission> {
        Arc::new(Admission::new(Limits { connections, handshakes, ..Limits::default() }))
    }

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn whoever_is_silent_makes_room() {
        let admission = admission(100, 3);
        let speaking = admission.enter(address(1)).unwrap();
        speaking.spoke();
        let silent = [admission.enter(address(2)).unwrap(), admission.enter(address(2)).unwrap()];
        let honest = admission.enter(address(3)).unwrap();
        honest.spoke();
        assert!(silent[0].go.is_cancelled() && !silent[1].go.is_cancelled() && !speaking.go.is_cancelled());
        assert!(honest.admit("honest".into()).is_ok());
    }

    #[test]
    fn one_certificate_does_not_take_all_places() {
        let admission = admission(16, 16);
        let enter = |last, account: &str| admission.enter(address(last))?.admit(account.into());
        let mine = (0..4).map(|number| enter(number, "mine").unwrap()).collect::<Vec<_>>();
        assert_eq!(enter(9, "mine").unwrap_err(), Refusal::Certificate);
        assert!(enter(9, "theirs").is_ok());
        drop(mine);
        assert!(enter(9, "mine").is_ok());
    }

    #[test]
    fn one_address_does_not_take_all_places() {
        let admission = admission(8, 16);
        let enter = |last, account: usize| admission.enter(address(last))?.admit(account.to_string().into());
        let mine = (0..4).map(|number| enter(1, number).unwrap()).collect::<Vec<_>>();
        assert_eq!(enter(1, 9).unwrap_err(), Refusal::Address);
        let others = (0..4).map(|number| enter(2, number).unwrap()).collect::<Vec<_>>();
        assert_eq!(enter(3, 9).unwrap_err(), Refusal::Full);
        drop((mine, others));
        assert!(enter(1, 9).is_ok());
    }
}
