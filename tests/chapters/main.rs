//! Every chapter: the order of its records, their values on the way to JSON and back, and the commands.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod commands;
mod conditions;
mod maps;
mod round_trip;
mod stream;
mod structures;
mod values;
