//! Messages as trees of batch, block, transaction, group, record and field; generic for any chapter.

mod check;
mod finding;
mod identify;
mod judge;
mod transaction;

pub use check::Checker;
pub use finding::{Finding, Position};
pub use identify::Identifier;
pub use judge::{FieldTrouble, Trouble, judge};
pub use transaction::{Assembler, Group, GroupRef, Node, Transaction};
