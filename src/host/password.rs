//! Passwords against argon2 hashes.

use std::cell::RefCell;

use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, Version};

thread_local! {
    /// The memory that a hash is computed in, 19 MiB by default. Each thread keeps its own: the system's allocator
    /// would hold on to much more if it were asked for it again and again.
    static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// Whether a password belongs to an argon2 hash in PHC form. A text that is no such hash belongs to no password.
pub(super) fn verify(hash: &str, password: &[u8]) -> bool {
    computed(hash, password).is_some_and(|(computed, expected)| computed == expected)
}

/// The hash of a password with the salt and the cost of a known one, and the known one.
fn computed(hash: &str, password: &[u8]) -> Option<(Output, Output)> {
    let known = PasswordHash::new(hash).ok()?;
    let (salt, expected) = (known.salt.as_ref()?, *known.hash.as_ref()?);
    let algorithm = Algorithm::try_from(known.algorithm.as_str()).ok()?;
    let version = known.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
    let params = Params::try_from(&known).ok()?;
    let blocks = params.block_count();
    let mut output = vec![0; expected.as_ref().len()];
    MEMORY.with_borrow_mut(|memory| {
        memory.resize(blocks, Block::default());
        let argon2 = Argon2::new(algorithm, version, params);
        let done =
            argon2.hash_password_into_with_memory(password, salt.as_ref(), &mut output, &mut memory[..]);
        // nothing that a password could be found from stays
        memory.fill(Block::default());
        done.ok()
    })?;
    Some((Output::new(&output).ok()?, expected))
}
