//! Stories: a conversation with a host as data, and what must come of it.
//!
//! A [`Story`] is a TOML file with a title, some words on what it shows, and steps: the clock moves, a
//! batch is sent, CBP acts, mail is collected, the file is looked at. Each step says what is expected,
//! to the column. [`play`] performs a story on a [`Stage`]: a host in memory ([`Rehearsal`]), or whatever
//! else can be sent batches. Nothing here does I/O or looks at a clock; the story has its own.

mod facts;
mod message;
mod play;
mod rehearsal;
mod story;

pub use facts::FACTS;
pub use play::{Difference, Stage, StageError, play};
pub use rehearsal::Rehearsal;
pub use story::{Expected, Step, StepKind, Story, StoryError};
