//! The applications that have a host here: a table, one module and one row each.

use std::fmt;

use jiff::Zoned;

use super::{HostError, World, census, entry_summary};
use crate::envelope::{Block, BlockAnswer, Sender};
use crate::grammar::{Fault, Grammar, LayoutId};
use crate::rules::{Raised, Reasoned};
use crate::store::Unit;
use crate::wire::Columns;

/// The applications, and what makes the host of each.
const CAPABILITIES: [(&str, Maker); 3] =
    [("AE", entry_summary::capability), ("CW", census::overrides), ("CJ", census::query)];

/// Whether there is a host for an application.
#[must_use]
pub fn answers(application: &str) -> bool {
    CAPABILITIES.iter().any(|(known, _)| *known == application)
}

/// Makes the host of an application.
type Maker = for<'g> fn(&'g Grammar) -> Result<Box<dyn Capability + 'g>, HostError>;

/// What the host does for one application. All answers are the records between B and Y.
pub(super) trait Capability: fmt::Debug + Send + Sync {
    /// Does what a block asks for, and answers each of its transactions in order. The answer to a block is
    /// the answers to its transactions, one behind the other: a long block comes in parts.
    ///
    /// # Errors
    /// The store failed, or a record of the answer cannot be written.
    fn answer_block(&self, block: &Block, desk: &mut Desk<'_>) -> Result<BlockAnswer, HostError>;

    /// The conditions of a block's transactions as they are if nothing that they name is on file: what can
    /// be found before it is a batch's turn, for several batches at the same time. Nothing, for who finds
    /// nothing.
    fn foresee(&self, block: &Block, world: &World, now: &Zoned) -> Foresight {
        let _ = (block, world, now);
        Foresight::new()
    }

    /// The answer to a batch that breaks the structure map; the record is where the fault was found.
    ///
    /// # Errors
    /// A record of the answer cannot be written.
    fn structure_fault(&self, fault: &Fault, record: Option<&Columns>) -> Result<Vec<Columns>, HostError>;

    /// The answer to a block of which nothing was kept, since the store failed.
    ///
    /// # Errors
    /// A record of the answer cannot be written.
    fn system_failure(&self, block: &Block) -> Result<BlockAnswer, HostError>;
}

/// A condition that a transaction was answered with, and why.
#[derive(Debug)]
pub(super) struct Explained {
    /// The record to look at, counted in the batch from 1.
    pub(super) record: u32,
    /// The transaction in its block, from 1.
    pub(super) transaction: u32,
    pub(super) layout: LayoutId,
    pub(super) reasoned: Reasoned,
}

/// The applications that have a host.
pub(super) fn applications() -> Vec<&'static str> {
    CAPABILITIES.iter().map(|(application, _)| *application).collect()
}

/// The conditions of a block's transactions, in order.
pub(super) type Foresight = Vec<Vec<Raised>>;

/// What lies before a capability when it answers.
pub(super) struct Desk<'a> {
    /// Who may do what, and reference data.
    pub(super) world: &'a World,
    /// What is on file. Committed by the batch, not by a capability.
    pub(super) unit: &'a mut dyn Unit,
    pub(super) now: &'a Zoned,
    /// Who transmitted the batch.
    pub(super) sender: &'a Sender,
    /// What has been foreseen of the block that is answered next, if anything has.
    pub(super) foreseen: Foresight,
    /// Why conditions were raised; `None` if nobody asks.
    pub(super) explained: Option<Vec<Explained>>,
}

/// The hosts of all applications.
#[derive(Debug)]
pub(super) struct Capabilities<'g>(Vec<(&'static str, Box<dyn Capability + 'g>)>);

impl<'g> Capabilities<'g> {
    pub(super) fn new(grammar: &'g Grammar) -> Result<Self, HostError> {
        let made = CAPABILITIES.iter().map(|(application, make)| Ok((*application, make(grammar)?)));
        Ok(Self(made.collect::<Result<Vec<_>, HostError>>()?))
    }

    /// The applications that have a host.
    pub(super) fn applications(&self) -> Vec<&'static str> {
        self.0.iter().map(|(application, _)| *application).collect()
    }

    /// The host of an application.
    pub(super) fn get(&self, application: &str) -> Option<&(dyn Capability + 'g)> {
        self.0.iter().find(|(known, _)| *known == application).map(|(_, capability)| capability.as_ref())
    }
}
