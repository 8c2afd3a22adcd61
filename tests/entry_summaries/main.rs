//! What becomes of entry summaries: what is answered, and what is on file afterwards.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod answers;
mod census;
mod control;
mod failures;
mod model;
mod support;
