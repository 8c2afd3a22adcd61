//! How much of everything a peer may make us hold.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use super::RECORD_LENGTH;

/// Limits on what arrives. A settings file may leave out any of them, but may not add others.
///
/// The first one is kept here; the others are kept where batches and transactions are known.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a line without its separator; at least 80.
    #[serde(deserialize_with = "at_least_a_record")]
    pub line_length: usize,
    /// Records of a batch, its A- and Z-record included.
    pub records_per_batch: usize,
    /// Bytes of a batch as they arrived, separators included.
    pub bytes_per_batch: usize,
    /// Records of one transaction.
    pub records_per_transaction: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_length: 1024,
            records_per_batch: 500_000,
            bytes_per_batch: 64 << 20,
            records_per_transaction: 100_000,
        }
    }
}

/// Which limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// [`Limits::line_length`]
    LineLength,
    /// [`Limits::records_per_batch`]
    RecordsPerBatch,
    /// [`Limits::bytes_per_batch`]
    BytesPerBatch,
    /// [`Limits::records_per_transaction`]
    RecordsPerTransaction,
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::LineLength => "bytes in a line",
            Self::RecordsPerBatch => "records in a batch",
            Self::BytesPerBatch => "bytes in a batch",
            Self::RecordsPerTransaction => "records in a transaction",
        })
    }
}

/// More arrived than a limit allows; the stream cannot be read on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("more than {allowed} {limit}, at record {number}, byte {offset}")]
pub struct LimitExceeded {
    /// The limit.
    pub limit: Limit,
    /// What it allows.
    pub allowed: usize,
    /// The record that went beyond it, counted from one in the stream.
    pub number: u64,
    /// The stream's bytes before that record.
    pub offset: u64,
}

/// A shorter line length would refuse every record there is: a mistake in the settings.
fn at_least_a_record<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let length = usize::deserialize(deserializer)?;
    if length < RECORD_LENGTH {
        return Err(de::Error::custom(format_args!(
            "line_length is {length}, a record has {RECORD_LENGTH} columns"
        )));
    }
    Ok(length)
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn settings_name_the_limits_they_change() {
        let limits: Limits = toml::from_str("records_per_batch = 10").unwrap();
        assert_eq!(limits, Limits { records_per_batch: 10, ..Limits::default() });
    }

    #[test]
    fn unknown_and_senseless_limits_are_refused() {
        assert!(toml::from_str::<Limits>("record_per_batch = 10").is_err());
        let error = toml::from_str::<Limits>("line_length = 79").unwrap_err();
        assert!(error.to_string().contains("line_length is 79"), "{error}");
    }
}
