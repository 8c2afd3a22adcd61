//! A batch as a unit of work.

use jiff::Zoned;

use super::capability::{Capabilities, Capability, Desk, Foresight};
use super::examine::Examined;
use super::{Host, HostError, Peer};
use crate::envelope::{BatchReading, Block, RawBatch, Sender};
use crate::grammar::{Direction, Grammar};
use crate::store::{BatchOnFile, Store, Unit};
use crate::wire::Columns;

/// A batch that waits for its answer, who sent it, and what is known of it already.
pub type Waiting<'a> = (&'a RawBatch, &'a dyn Peer, Option<Examined>);

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
        let mut examined = self.examined((batch, peer, None), now);
        match self.keep(&mut [(batch, &mut examined)], now) {
            Ok(answers) => Ok(answers.into_iter().flatten().collect()),
            Err(HostError::Store(error)) => {
                let sender = name_of(&examined.reading.sender);
                tracing::error!(%error, sender, "nothing of the batch was kept");
                self.unprocessed(&examined.reading)
            }
            Err(error) => Err(error),
        }
    }

    /// The answers to batches in their order, as by [`Self::answer`], but kept together: what takes the
    /// store its time is done once for all of them. Where one of them cannot be kept, each is kept by
    /// itself.
    pub fn answer_all(
        &mut self,
        batches: Vec<Waiting<'_>>,
        now: &Zoned,
    ) -> Vec<Result<Vec<Columns>, HostError>> {
        let waiting = batches.iter().map(|(batch, peer, _)| (*batch, *peer)).collect::<Vec<_>>();
        let mut examined = batches.into_iter().map(|one| self.examined(one, now)).collect::<Vec<_>>();
        let batches = waiting.iter().map(|(batch, _)| *batch);
        match self.keep(&mut batches.zip(&mut examined).collect::<Vec<_>>(), now) {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(_) => waiting.iter().map(|(batch, peer)| self.answer(batch, *peer, now)).collect(),
        }
    }

    /// What is known of a batch, read now if it was not examined by the world of the day.
    fn examined(&mut self, (batch, peer, examined): Waiting<'_>, now: &Zoned) -> Examined {
        self.examiner.turn_to(now.date(), &mut self.world);
        let of_today = examined.filter(|examined| examined.is_of(&self.world));
        of_today.unwrap_or_else(|| self.examiner.read(batch, peer, &self.world))
    }

    /// The answers to batches, kept in one unit of work: all of them or none.
    fn keep(
        &mut self,
        batches: &mut [(&RawBatch, &mut Examined)],
        now: &Zoned,
    ) -> Result<Vec<Vec<Columns>>, HostError> {
        let Self { examiner, world, store, grammar, .. } = self;
        let mut unit = store.begin()?;
        let mut answers = Vec::with_capacity(batches.len());
        for (batch, examined) in batches {
            let foreseen = std::mem::take(&mut examined.foreseen);
            let reading = &examined.reading;
            let is_refused = !reading.conditions.is_empty();
            let (answer, records) = if is_refused {
                // Its records are not kept: where control records are wrong, no one knows in which
                // column of which record the password stands.
                (examiner.envelope.rejection(reading)?, Vec::new())
            } else {
                let capability = capability(&examiner.capabilities, reading)?;
                let sender = &reading.sender;
                let mut desk = Desk { world, unit: &mut unit, now, sender, foreseen: Foresight::new() };
                let blocks = process(capability, batch, (reading, foreseen), &mut desk)?;
                (examiner.envelope.response(reading, &blocks)?, without_passwords(grammar, batch))
            };
            // A refused batch has changed nothing, and anybody can send any number of them.
            if !is_refused {
                unit.put_batch(&on_file(reading, records, &answer, now))?;
            }
            answers.push(answer);
        }
        unit.commit()?;
        Ok(answers)
    }

    /// The answer when nothing could be kept.
    fn unprocessed(&self, reading: &BatchReading) -> Result<Vec<Columns>, HostError> {
        if !reading.conditions.is_empty() {
            return Ok(self.examiner.envelope.rejection(reading)?);
        }
        let capability = capability(&self.examiner.capabilities, reading)?;
        let failure = |block: &Block| capability.system_failure(block);
        let blocks = reading.blocks.iter().map(failure).collect::<Result<Vec<_>, _>>()?;
        Ok(self.examiner.envelope.response(reading, &blocks)?)
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
pub(super) fn capability<'a, 'g>(
    capabilities: &'a Capabilities<'g>,
    reading: &BatchReading,
) -> Result<&'a (dyn Capability + 'g), HostError> {
    let application = &reading.application;
    capabilities.get(application).ok_or_else(|| HostError::NoCapability(application.clone()))
}

pub(super) fn on_file(
    reading: &BatchReading,
    records: Vec<Columns>,
    answer: &[Columns],
    now: &Zoned,
) -> BatchOnFile {
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
pub(super) fn without_passwords(grammar: &Grammar, batch: &RawBatch) -> Vec<Columns> {
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
