//! The gateway over real sockets and real TLS.

#![allow(missing_docs, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod limits;
mod mail;
mod sessions;
mod stopping;
mod support;
mod trust;
