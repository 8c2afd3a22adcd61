//! The life of an entry summary: transitions, actions of CBP, what time does, notifications.

#![allow(missing_docs, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod actions;
mod notifications;
mod support;
mod table;
mod trade;
