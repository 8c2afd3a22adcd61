//! A-record passwords: argon2 hashes in the world file, and a memory of what was verified.

use std::num::NonZero;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::{fmt, io, thread};

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::hmac;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::certificates::provider;
use crate::host::{LocalPeer, Peer};

/// How costly a password hash is: 19 MiB, two passes, one lane. The one place that says so.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// How many verified passwords a connection remembers; a peer has few senders to speak for.
const REMEMBERED: usize = 32;

const KEY_LENGTH: usize = 32;

/// Why a password could not be hashed or remembered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Hashing failed; the text names the reason and nothing of the password.
    #[error("password hashing failed: {0}")]
    Hash(String),
    /// The system's random numbers are not to be had.
    #[error("no random numbers from the system")]
    Random,
}

/// The PHC string of a password, with a salt of its own, for a world file.
///
/// # Errors
/// The system has no randomness to give.
pub fn hash_password(password: &[u8]) -> Result<String, PasswordError> {
    let hash = hasher()?.hash_password(password).map_err(|error| PasswordError::Hash(error.to_string()))?;
    Ok(hash.to_string())
}

/// The threads that verify passwords, one a core: each takes a core and 19 MiB. They are always the same, so
/// that the memory is always the same as well.
#[derive(Debug)]
pub(super) struct Verifiers {
    jobs: mpsc::Sender<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Verifiers {
    /// Starts the threads; they end when this is dropped.
    pub(super) fn start() -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            let waiting = Arc::clone(&waiting);
            thread::Builder::new().name("password".to_owned()).spawn(move || {
                let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
                while let Ok(job) = next() {
                    // whoever waits for the verdict is told by the end of the channel
                    let _ = panic::catch_unwind(AssertUnwindSafe(job));
                }
            })?;
        }
        Ok(Self { jobs })
    }

    /// Whether `verify` says so, on one of the threads.
    pub(super) async fn run(&self, verify: impl FnOnce() -> bool + Send + 'static) -> bool {
        let (reply, verdict) = oneshot::channel();
        let job: Job = Box::new(move || {
            // a connection that is gone does not want to know
            let _ = reply.send(verify());
        });
        self.jobs.send(job).is_ok() && verdict.await.unwrap_or_default()
    }
}

/// The PHC string of a password that nobody knows. What is verified against it takes as long as what is
/// verified against a sender's own, so that time does not tell who is a sender.
///
/// # Errors
/// The system has no randomness to give.
pub(super) fn hash_of_nobody() -> Result<String, PasswordError> {
    let mut password = Zeroizing::new([0; KEY_LENGTH]);
    provider().secure_random.fill(&mut password[..]).map_err(|_| PasswordError::Random)?;
    hash_password(&password[..])
}

/// Whether a password belongs to a PHC string. A string that is not one belongs to no password.
#[must_use]
pub fn verify_password(hash: &str, password: &[u8]) -> bool {
    LocalPeer.knows_password(hash, password)
}

/// Remembers which passwords of a connection were right, so that only the first batch pays for it.
///
/// It keeps neither passwords nor anything they could be found from without its key: a tag under a
/// random key that lives as long as the connection.
pub struct PasswordMemory {
    key: hmac::Key,
    verdicts: Mutex<Verdicts>,
}

#[derive(Default)]
struct Verdicts {
    right: Vec<hmac::Tag>,
    /// The last one that was wrong, so that the same batch need not be asked about twice.
    wrong: Option<hmac::Tag>,
}

impl PasswordMemory {
    /// An empty memory under a new key.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn new() -> Result<Self, PasswordError> {
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        provider().secure_random.fill(&mut key[..]).map_err(|_| PasswordError::Random)?;
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key[..]), verdicts: Mutex::default() })
    }

    /// Whether a password belongs to a PHC string: from memory, else by verifying it.
    #[must_use]
    pub fn verify(&self, hash: &str, password: &[u8]) -> bool {
        let tag = self.tag(hash, password);
        if let Some(verdict) = self.verdicts().find(&tag) {
            return verdict;
        }
        let right = verify_password(hash, password);
        self.verdicts().remember(tag, right);
        right
    }

    /// What [`Self::verify`] answers, if it is known already, so that it is quick.
    #[must_use]
    pub fn recalls(&self, hash: &str, password: &[u8]) -> Option<bool> {
        let tag = self.tag(hash, password);
        self.verdicts().find(&tag)
    }

    fn tag(&self, hash: &str, password: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        // the length keeps the two apart
        context.update(&(hash.len() as u64).to_be_bytes());
        context.update(hash.as_bytes());
        context.update(password);
        context.sign()
    }

    fn verdicts(&self) -> MutexGuard<'_, Verdicts> {
        // a panic elsewhere cannot leave them half changed
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Verdicts {
    fn find(&self, tag: &hmac::Tag) -> Option<bool> {
        let is_same = |known: &hmac::Tag| known.as_ref() == tag.as_ref();
        if self.right.iter().any(is_same) {
            Some(true)
        } else {
            self.wrong.as_ref().is_some_and(is_same).then_some(false)
        }
    }

    fn remember(&mut self, tag: hmac::Tag, right: bool) {
        if !right {
            self.wrong = Some(tag);
            return;
        }
        if self.right.len() == REMEMBERED {
            self.right.remove(0);
        }
        self.right.push(tag);
    }
}

impl fmt::Debug for PasswordMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PasswordMemory").finish_non_exhaustive()
    }
}

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let (memory, passes, lanes) = COST;
    let params =
        Params::new(memory, passes, lanes, None).map_err(|error| PasswordError::Hash(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_password_belongs_to_its_hash_only() {
        let hash = hash_password(b"SECRET").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify_password(&hash, b"SECRET"));
        assert!(!verify_password(&hash, b"SECRE"));
        assert!(!verify_password("SECRET", b"SECRET"));
    }

    #[test]
    fn verdicts_are_remembered_for_their_pair_only() {
        let hash = hash_password(b"SECRET").unwrap();
        let memory = PasswordMemory::new().unwrap();
        assert!(!memory.verify(&hash, b"WRONG"));
        assert!(memory.verdicts().right.is_empty());
        assert!(memory.verify(&hash, b"SECRET"));
        assert!(memory.verify(&hash, b"SECRET"));
        assert!(!memory.verify(&hash, b"WRONG"));
        assert_eq!(memory.verdicts().right.len(), 1);
        let other = hash_password(b"OTHER").unwrap();
        assert!(!memory.verify(&other, b"SECRET"));
        assert!(memory.verify(&other, b"OTHER"));
        assert!(!format!("{memory:?}").contains("SECRET"));
    }

    #[test]
    fn the_memory_is_bounded() {
        let memory = PasswordMemory::new().unwrap();
        let tags = (0..100_u8).map(|number| memory.tag("hash", &[number])).collect::<Vec<_>>();
        let mut verdicts = Verdicts::default();
        for tag in &tags {
            verdicts.remember(*tag, true);
        }
        assert_eq!(verdicts.right.len(), REMEMBERED);
        assert_eq!(verdicts.find(&tags[99]), Some(true));
        assert_eq!(verdicts.find(&tags[0]), None);
    }

    #[test]
    fn a_tag_tells_hash_and_password_apart() {
        let memory = PasswordMemory::new().unwrap();
        assert!(memory.tag("ab", b"c").as_ref() != memory.tag("a", b"bc").as_ref());
    }
}
