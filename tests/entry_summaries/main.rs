//! What becomes of entry summaries: what is answered, and what is on file afterwards.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod again;
mod answers;
#[path = "../conditions/bench.rs"]
#[allow(dead_code)] // what only conditions.rs uses
mod bench;
mod census;
mod control;
mod correction;
mod failures;
mod foreign;
mod model;
mod on_file;
mod schedule;
mod support;
mod warehouse;
