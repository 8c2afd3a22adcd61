//! A batch as a unit of work.

use std::num::NonZero;
use std::thread;

use jiff::Zoned;

use super::capability::{Capabilities, Capability, Desk, Foresight};
use super::world::PeerDirectory;
use super::{Host, HostError, Peer};
use crate::envelope::{BatchReading, Block, RawBatch, Sender};
use crate::grammar::{Direction, Grammar};
use crate::store::{BatchOnFile, Store, Unit};
use crate::wire::Columns;

/// The field that holds the password of an A- or Z-record.
const PASSWORD: &str = "communication_password";

impl<S: Store> Host<'_, S> {
    /// The answer to a batch. It has been kept, with all that the batch changed, when this returns.
    ///
    /// If the store fails, nothing of the batch is kept and each transaction is answered with a system
    /// failure (ESF-211), so that it is sent again.
    ///
    /// # Errors
    /// The answer cannot be written: grammar and host do not fit together.
    pub fn answer(
        &mut self,
        batch: &RawBatch,
        peer: &dyn Peer,
        now: &Zoned,
    ) -> Result<Vec<Columns>, HostError> {
        self.world.turn_to(now.date());
        let reading = self.read(batch, peer);
        match self.keep(&[(batch, &reading)], Vec::new(), now) {
            Ok(answers) => Ok(answers.into_iter().flatten().collect()),
            Err(HostError::Store(error)) => {
                let sender = name_of(&reading.sender);
                tracing::error!(%error, sender, "nothing of the batch was kept");
                self.unprocessed(&reading)
            }
            Err(error) => Err(error),
        }
    }

    /// The answers to batches in their order, as by [`Self::answer`], but kept together: what takes the
    /// store its time is done once for all of them. Where one of them cannot be kept, each is kept by
    /// itself.
    pub fn answer_all(
        &mut self,
        batches: &[(&RawBatch, &dyn Peer)],
        now: &Zoned,
    ) -> Vec<Result<Vec<Columns>, HostError>> {
        self.world.turn_to(now.date());
        let readings =
            batches.iter().map(|(batch, peer)| (*batch, self.read(batch, *peer))).collect::<Vec<_>>();
        let together = readings.iter().map(|(batch, reading)| (*batch, reading)).collect::<Vec<_>>();
        let foreseen = self.foresee(&together, now);
        match self.keep(&together, foreseen, now) {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(_) => batches.iter().map(|(batch, peer)| self.answer(batch, *peer, now)).collect(),
        }
    }

    fn read(&self, batch: &RawBatch, peer: &dyn Peer) -> BatchReading {
        let applications = self.capabilities.applications();
        let directory = PeerDirectory { world: &self.world, peer, applications: &applications };
        self.envelope.read_batch(batch, &directory)
    }

    /// What can be said of each block of some batches before their turn comes, found by all cores.
    fn foresee(&self, batches: &[(&RawBatch, &BatchReading)], now: &Zoned) -> Vec<Vec<Foresight>> {
        let (capabilities, world) = (&self.capabilities, &self.world);
        let of_batch = |reading: &BatchReading| {
            let is_refused = !reading.conditions.is_empty() || reading.structure_fault.is_some();
            match capabilities.get(&reading.application) {
                Some(capability) if !is_refused => {
                    reading.blocks.iter().map(|block| capability.foresee(block, world, now)).collect()
                }
                _ => Vec::new(),
            }
        };
        let of_all = |part: &[(&RawBatch, &BatchReading)]| {
            part.iter().map(|(_, reading)| of_batch(reading)).collect::<Vec<_>>()
        };
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let mut parts = batches.chunks(batches.len().div_ceil(threads).max(1));
        let first = parts.next().unwrap_or_default();
        thread::scope(|scope| {
            let others = parts.map(|part| (part.len(), scope.spawn(|| of_all(part)))).collect::<Vec<_>>();
            let mut found = of_all(first);
            for (batches, other) in others {
                // what a thread that failed has not foreseen is found out later, and belongs to its batches
                found.extend(other.join().unwrap_or_else(|_| vec![Vec::new(); batches]));
            }
            found
        })
    }

    /// The answers to batches, kept in one unit of work: all of them or none.
    fn keep(
        &mut self,
        batches: &[(&RawBatch, &BatchReading)],
        foreseen: Vec<Vec<Foresight>>,
        now: &Zoned,
    ) -> Result<Vec<Vec<Columns>>, HostError> {
        let mut unit = self.store.begin()?;
        let mut answers = Vec::with_capacity(batches.len());
        let foreseen = foreseen.into_iter().chain(std::iter::repeat_with(Vec::new));
        for ((batch, reading), foreseen) in batches.iter().zip(foreseen) {
            let is_refused = !reading.conditions.is_empty();
            let (answer, records) = if is_refused {
                // Its records are not kept: where control records are wrong, no one knows in which
                // column of which record the password stands.
                (self.envelope.rejection(reading)?, Vec::new())
            } else {
                let capability = capability(&self.capabilities, reading)?;
                let (world, sender) = (&self.world, &reading.sender);
                let mut desk = Desk { world, unit: &mut unit, now, sender, foreseen: Foresight::new() };
                let blocks = process(capability, batch, (reading, foreseen), &mut desk)?;
                (self.envelope.response(reading, &blocks)?, without_passwords(self.grammar, batch))
            };
            unit.put_batch(&on_file(reading, records, &answer, now))?;
            answers.push(answer);
        }
        unit.commit()?;
        Ok(answers)
    }

    /// The answer when nothing could be kept.
    fn unprocessed(&self, reading: &BatchReading) -> Result<Vec<Columns>, HostError> {
        if !reading.conditions.is_empty() {
            return Ok(self.envelope.rejection(reading)?);
        }
        let capability = capability(&self.capabilities, reading)?;
        let failure = |block: &Block| capability.system_failure(block);
        let blocks = reading.blocks.iter().map(failure).collect::<Result<Vec<_>, _>>()?;
        Ok(self.envelope.response(reading, &blocks)?)
    }
}

/// Does what a batch asks for; the answer to each of its blocks.
fn process(
    capability: &dyn Capability,
    batch: &RawBatch,
    (reading, foreseen): (&BatchReading, Vec<Foresight>),
    desk: &mut Desk<'_>,
) -> Result<Vec<Vec<Columns>>, HostError> {
    let Some(fault) = &reading.structure_fault else {
        let foreseen = foreseen.into_iter().chain(std::iter::repeat_with(Foresight::new));
        let answer = |(block, foreseen)| {
            desk.foreseen = foreseen;
            capability.answer_block(block, desk)
        };
        return reading.blocks.iter().zip(foreseen).map(answer).collect();
    };
    let record = batch.rows.get(fault.record as usize - 1);
    let mut blocks = vec![Vec::new(); reading.blocks.len()];
    if let Some(rows) = blocks.get_mut(fault.block as usize - 1) {
        *rows = capability.structure_fault(&fault.fault, record)?;
    }
    Ok(blocks)
}

/// The host of the batch's application. The envelope has refused one that has none (X13).
fn capability<'a, 'g>(
    capabilities: &'a Capabilities<'g>,
    reading: &BatchReading,
) -> Result<&'a (dyn Capability + 'g), HostError> {
    let application = &reading.application;
    capabilities.get(application).ok_or_else(|| HostError::NoCapability(application.clone()))
}

fn on_file(reading: &BatchReading, records: Vec<Columns>, answer: &[Columns], now: &Zoned) -> BatchOnFile {
    BatchOnFile {
        received: now.timestamp(),
        sender: name_of(&reading.sender),
        records,
        answer: answer.to_vec(),
    }
}

pub(super) fn name_of(Sender { site, id, office }: &Sender) -> String {
    format!("{site} {id} {office}").trim_end().to_owned()
}

/// The batch's records with spaces where a password may stand.
fn without_passwords(grammar: &Grammar, batch: &RawBatch) -> Vec<Columns> {
    let cells = ["A", "Z"].map(|record| {
        let layouts = grammar.variants("*", Direction::Input, record);
        let cells = layouts.filter_map(|layout| layout.cell(PASSWORD).ok()).collect::<Vec<_>>();
        (record.as_bytes()[0], cells)
    });
    let mut rows = batch.rows.clone();
    for row in &mut rows {
        for (record, cells) in &cells {
            if row[0].eq_ignore_ascii_case(record) {
                cells.iter().for_each(|cell| cell.put_blank(row));
            }
        }
    }
    rows
}
