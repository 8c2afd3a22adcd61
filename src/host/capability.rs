//! The applications that have a host here: a table, one module and one row each.

use std::fmt;

use jiff::Zoned;

use super::{HostError, World, census, entry_summary};
use crate::envelope::Block;
use crate::grammar::{Fault, Grammar};
use crate::store::Unit;
use crate::wire::Columns;

/// The applications, and what makes the host of each.
const CAPABILITIES: [(&str, Maker); 3] =
    [("AE", entry_summary::capability), ("CW", census::overrides), ("CJ", census::query)];

/// Makes the host of an application.
type Maker = for<'g> fn(&'g Grammar) -> Result<Box<dyn Capability + 'g>, HostError>;

/// What the host does for one application. All answers are the records between B and Y.
pub(super) trait Capability: fmt::Debug + Send + Sync {
    /// Does what a block asks for, and answers each of its transactions in order.
    ///
    /// # Errors
    /// The store failed, or a record of the answer cannot be written.
    fn answer_block(&self, block: &Block, desk: &mut Desk<'_>) -> Result<Vec<Columns>, HostError>;

    /// The answer to a batch that breaks the structure map; the record is where the fault was found.
    ///
    /// # Errors
    /// A record of the answer cannot be written.
    fn structure_fault(&self, fault: &Fault, record: Option<&Columns>) -> Result<Vec<Columns>, HostError>;

    /// The answer to a block of which nothing was kept, since the store failed.
    ///
    /// # Errors
    /// A record of the answer cannot be written.
    fn system_failure(&self, block: &Block) -> Result<Vec<Columns>, HostError>;
}

/// What lies before a capability when it answers.
pub(super) struct Desk<'a> {
    /// Who may do what, and reference data.
    pub(super) world: &'a World,
    /// What is on file. Committed by the batch, not by a capability.
    pub(super) unit: &'a mut dyn Unit,
    pub(super) now: &'a Zoned,
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
