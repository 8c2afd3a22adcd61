//! What is wrong with an envelope, and which X0-records point at it.

use crate::grammar::ConditionCode;

/// What a condition is about; counts and positions begin with 1.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// The A- or Z-record, or missing control records: no X0-record points there (B&B-29).
    Batch,
    /// A block's B- or Y-record.
    Block {
        /// The block in the batch.
        block: u32,
    },
    /// A record of a transaction.
    Transaction {
        /// The block in the batch.
        block: u32,
        /// The transaction in the block.
        transaction: u32,
        /// The record in the batch; the A-record is 1.
        record: u32,
        /// The first column of what is wrong; 0 for the whole record.
        column: u8,
    },
}

/// A condition of the envelope (X01 to X44).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct EnvelopeCondition {
    /// What it is about.
    pub place: Place,
    /// Its code.
    pub code: ConditionCode,
}

/// The conditions found so far, each once for a place.
#[derive(Debug, Default)]
pub(super) struct Found(Vec<EnvelopeCondition>);

impl Found {
    /// Notes a condition of the envelope by its code.
    pub(super) fn add(&mut self, place: Place, code: &str) {
        if let Some(code) = ConditionCode::new(code) {
            self.add_code(place, code);
        }
    }

    pub(super) fn add_code(&mut self, place: Place, code: ConditionCode) {
        let condition = EnvelopeCondition { place, code };
        // The conditions of one place come together, so the repeat of one is near the end.
        if !self.0.iter().rev().take_while(|known| known.place == place).any(|known| *known == condition) {
            self.0.push(condition);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, by place and then by code, as the chapter's examples order them.
    pub(super) fn into_sorted(mut self) -> Vec<EnvelopeCondition> {
        self.0.sort();
        self.0
    }
}
