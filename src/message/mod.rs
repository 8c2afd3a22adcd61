//! Messages as trees of batch, block, transaction, group, record and field; generic for any chapter.

mod finding;
mod identify;
mod transaction;

pub use finding::{Finding, Position};
pub use identify::Identifier;
pub use transaction::{Assembler, Group, GroupRef, Node, Transaction};
