//! What can be found out about a batch before its turn comes: on any thread, for several at the same time.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Zoned;
use jiff::civil::Date;

use super::capability::{Capabilities, Explained, Foresight};
use super::parts::Progress;
use super::world::PeerDirectory;
use super::{HostError, Peer, World};
use crate::envelope::{BatchReading, EnvelopeCodec, RawBatch};
use crate::grammar::Grammar;

/// Reads batches and judges them as they are if nothing that they name is on file. What it finds does not
/// depend on other batches; the host, which answers one after the other, judges again what it must.
pub struct Examiner<'g> {
    pub(super) envelope: EnvelopeCodec<'g>,
    pub(super) capabilities: Capabilities<'g>,
    /// As the host holds it.
    world: RwLock<Arc<World>>,
}

/// What has been found out about a batch.
#[derive(Debug)]
pub struct Examined {
    /// By which world it was found.
    world: Arc<World>,
    pub(super) reading: BatchReading,
    /// By blocks.
    pub(super) foreseen: Vec<Foresight>,
    /// Why conditions were raised, once the batch is answered; `None` if nobody asks.
    pub(super) explained: Option<Vec<Explained>>,
    /// How far the batch has come, if it is answered in parts.
    pub(super) progress: Progress,
}

impl<'g> Examiner<'g> {
    pub(super) fn new(grammar: &'g Grammar, world: Arc<World>) -> Result<Self, HostError> {
        Ok(Self {
            envelope: EnvelopeCodec::new(grammar)?,
            capabilities: Capabilities::new(grammar)?,
            world: RwLock::new(world),
        })
    }

    /// What can be said of a batch now; nothing while the reference data of another day are in force.
    pub fn examine(&self, batch: &RawBatch, peer: &dyn Peer, now: &Zoned) -> Option<Examined> {
        let world = Arc::clone(&self.world.read().unwrap_or_else(PoisonError::into_inner));
        if world.day() != Some(now.date()) {
            return None;
        }
        let mut examined = self.read(batch, peer, &world);
        let reading = &examined.reading;
        let is_refused = !reading.conditions.is_empty() || reading.structure_fault.is_some();
        if let Some(capability) = self.capabilities.get(&reading.application).filter(|_| !is_refused) {
            let foresee = |block| capability.foresee(block, &world, now);
            examined.foreseen = reading.blocks.iter().map(foresee).collect();
        }
        Some(examined)
    }

    /// A batch that has been read and no more.
    pub(super) fn read(&self, batch: &RawBatch, peer: &dyn Peer, world: &Arc<World>) -> Examined {
        let applications = self.capabilities.applications();
        let directory = PeerDirectory { world, peer, applications: &applications };
        let reading = self.envelope.read_batch(batch, &directory);
        Examined {
            world: Arc::clone(world),
            reading,
            foreseen: Vec::new(),
            explained: None,
            progress: Progress::default(),
        }
    }

    /// The world with the reference data of a day in force, if they are not.
    pub(super) fn turn_to(&self, day: Date, world: &mut Arc<World>) {
        if world.day() != Some(day) {
            Arc::make_mut(world).turn_to(day);
            *self.world.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(world);
        }
    }
}

impl Examined {
    /// Whether a world is the one by which this was found.
    pub(super) fn is_of(&self, world: &Arc<World>) -> bool {
        Arc::ptr_eq(&self.world, world)
    }
}

impl fmt::Debug for Examiner<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Examiner").finish_non_exhaustive()
    }
}
