//! Passwords and passphrases: read from where the operator keeps them, or made up and told once.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use zeroize::Zeroizing;

use super::super::super::stream;
use crate::gateway::random_word;
use crate::grammar::{Direction, Grammar};

/// No secret is longer, in bytes.
const LONGEST: u64 = 1024;

/// A password or passphrase.
pub(super) struct Secret {
    pub(super) text: Zeroizing<String>,
    /// Whether it was made up here, so that it must be told.
    is_made: bool,
}

impl Secret {
    /// The secret, if it was made up here. One that was given is not repeated.
    pub(super) fn made(&self) -> Option<&str> {
        self.is_made.then_some(self.text.as_str())
    }

    /// What is said of it.
    pub(super) fn shown(&self) -> String {
        self.made().map_or("as given".to_owned(), |text| format!("{text} (shown this once)"))
    }
}

/// The secret of a file, without the line break behind it, or one that is made up.
pub(super) fn word(file: Option<&Path>, length: usize) -> anyhow::Result<Secret> {
    let Some(file) = file else { return Ok(Secret { text: random_word(length)?, is_made: true }) };
    let mut text = Zeroizing::new(String::new());
    let read = stream::input(Some(file))?.take(LONGEST + 1).read_to_string(&mut text);
    read.with_context(|| file.display().to_string())?;
    let own = text.strip_suffix('\n').unwrap_or(&text);
    let own = own.strip_suffix('\r').unwrap_or(own);
    if own.is_empty() {
        bail!("{}: it is empty", file.display());
    }
    if own.len() as u64 > LONGEST || own.contains(char::is_control) {
        bail!("{}: write one line of at most {LONGEST} bytes", file.display());
    }
    Ok(Secret { text: Zeroizing::new(own.to_owned()), is_made: false })
}

/// The password of A-records. It is compared in upper case, as batches are read.
pub(super) fn password(grammar: &Grammar, file: Option<&Path>) -> anyhow::Result<Secret> {
    let header = grammar.find("*", Direction::Input, "A", "esar")?;
    let cell = header.cell("communication_password")?;
    let secret = word(file, cell.width())?;
    let upper = Zeroizing::new(secret.text.to_ascii_uppercase());
    let fits = upper.len() <= cell.width() && upper.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !fits {
        bail!(
            "the password does not fit columns {cell} of an A-record: write 1 to {} letters and digits",
            cell.width()
        );
    }
    Ok(Secret { text: upper, ..secret })
}
