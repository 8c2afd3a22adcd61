//! abigate is an ABI gateway: it speaks the 80-column CATAIR records of CBP's Automated Broker
//! Interface on one side and a typed entry summary model on the other.
//!
//! A message travels through the rooms of this crate from left to right, and back the same way:
//!
//! ```text
//! bytes ─ wire ─ grammar ─ message ─ envelope ─ translate ─ model ─ rules ─ host ─ store
//! ```
//!
//! Each room uses only the rooms to its left; [`tariff`], which computes what is owed, stands between
//! model and rules, and [`flat`] brings files of other layouts to the model and back. Everything left of
//! [`host`] is free of I/O, clocks and randomness; [`gateway`] (sockets) and [`cli`] (commands) stand
//! around them and hold no customs knowledge.

// Tests write files and print as they like.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout))]

#[cfg(feature = "cli")]
pub mod cli;
pub mod envelope;
pub mod flat;
#[cfg(feature = "gateway")]
pub mod fuzz;
#[cfg(feature = "gateway")]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "gateway")]
pub mod gateway;
#[cfg(feature = "gateway")]
pub mod generate;
pub mod grammar;
#[cfg(feature = "store")]
pub mod host;
pub mod message;
pub mod model;
pub mod rules;
#[cfg(feature = "gateway")]
pub mod scenario;
#[cfg(feature = "store")]
pub mod store;
pub mod tariff;
pub mod translate;
pub mod wire;
