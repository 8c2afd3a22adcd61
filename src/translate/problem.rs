//! What could not be translated.

/// A field of a record that the model cannot hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("record {record} (number {number} of its transaction), {field} in columns {}-{}: found {found:?}, expected {expected}", .columns.0, .columns.1)]
pub struct DecodeProblem {
    /// The record's control identifier.
    pub record: String,
    /// The record's number in its transaction, from 1.
    pub number: u32,
    /// The field's name; empty if it is the record as a whole.
    pub field: String,
    /// The first and last column, from 1.
    pub columns: (usize, usize),
    /// What stands there; stars for letters and digits of a number that is not to be shown.
    pub found: String,
    /// What should stand there.
    pub expected: String,
}

/// A value of the model that does not fit its field.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("record {record}, {field} in columns {}-{}: {found:?} given, expected {expected}", .columns.0, .columns.1)]
pub struct EncodeProblem {
    /// Where in the filing the value stands, as far as that is known: `lines[0].tariffs[1].duty`.
    pub path: Box<str>,
    /// The control identifier of the record that was to be written.
    pub record: String,
    /// The field's name; empty if it is the record as a whole.
    pub field: String,
    /// The first and last column, from 1.
    pub columns: (usize, usize),
    /// What was to be written; stars for letters and digits of a number that is not to be shown.
    pub found: String,
    /// What would have fit.
    pub expected: Box<str>,
}

impl EncodeProblem {
    /// The problem of a value as the problem of what it stands in.
    #[cold]
    pub(super) fn below(mut self, key: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{key}{separator}{}", self.path).into();
        self
    }

    /// The problem of an element as the problem of its list.
    #[cold]
    pub(super) fn within(self, index: usize) -> Self {
        self.below(&format!("[{index}]"))
    }
}

/// The text as a diagnostic may show it.
pub(super) fn shown(bytes: &[u8], secret: bool) -> String {
    bytes
        .iter()
        .map(|&byte| match byte {
            _ if secret && byte.is_ascii_alphanumeric() => '*',
            b' '..=b'~' => char::from(byte),
            _ => '?',
        })
        .collect()
}
