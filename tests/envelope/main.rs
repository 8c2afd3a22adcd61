//! The envelope: the chapter's worked examples, every condition that can be provoked, and what must
//! hold for any input.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod collecting;
mod conditions;
mod examples;
mod families;
mod support;
