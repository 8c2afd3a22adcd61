//! Batch and block control: the A, B, Y and Z records around transactions, and the X0 and X1 records
//! of a refusal (batch chapter, B&B-8 to B&B-38).
//!
//! A [`BatchCollector`] gathers a batch's records, an [`EnvelopeCodec`] reads it against what a
//! [`Directory`] knows of senders and filers, and writes the refusal, the response or a notification
//! around what the host has to say. It also reads and writes batches as a filer does, without a directory
//! ([`EnvelopeCodec::parse`], [`Submission`]). This room knows no socket, no clock and no store.

mod answer;
mod check;
mod collect;
mod condition;
mod directory;
mod layouts;
mod read;
mod split;
mod submission;

pub use answer::{AnswerError, BlockAnswer, Notification};
pub use collect::{BatchCollector, RawBatch};
pub use condition::{EnvelopeCondition, Place};
pub use directory::{Directory, Party, Permit, Sender, Standing};
pub use layouts::{EnvelopeCodec, HeaderCells};
pub use read::{BatchHeader, BatchReading, Block, StructureFault};
pub use submission::Submission;
