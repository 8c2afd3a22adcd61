//! A message to be sent: a valid batch, and what is done to it.

use super::mutation::{Break, Mutation};
use crate::wire::{Columns, RECORD_LENGTH};

/// A batch and one mutation of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The valid batch, record by record.
    pub rows: Vec<Columns>,
    /// What is done to it.
    pub mutation: Mutation,
}

impl Case {
    /// The records as they are sent, those that are of another length included.
    #[must_use]
    pub fn lines(&self) -> Vec<Vec<u8>> {
        let mut lines = self.rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>();
        self.mutation.apply(&mut lines);
        lines
    }

    /// The bytes that are sent.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let (separator, cut) = match &self.mutation {
            Mutation::Separate(separator) => (separator.bytes(), None),
            Mutation::Cut(length) => (Break::LineFeed.bytes(), Some(*length)),
            _ => (Break::LineFeed.bytes(), None),
        };
        let mut message = Vec::with_capacity(self.rows.len() * (RECORD_LENGTH + 1));
        for line in self.lines() {
            message.extend_from_slice(&line);
            message.extend_from_slice(separator);
        }
        message.truncate(cut.unwrap_or(message.len()));
        message
    }

    /// The same without some of its records; none if the mutation needs one of them.
    #[must_use]
    pub fn without(&self, first: usize, end: usize) -> Option<Self> {
        let mutation = self.mutation.without(first, end)?;
        let mut rows = self.rows.clone();
        rows.drain(first..end);
        Some(Self { rows, mutation })
    }
}
