//! Duty, fees, tax and interest against what was worked by hand, properties, and published schedules.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod arithmetic;
mod cases;
mod due;
mod explain;
mod import;
mod properties;
mod reader;
mod samples;
