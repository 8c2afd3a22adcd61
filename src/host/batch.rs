//! A batch as a unit of work.

use jiff::Zoned;

use super::world::PeerDirectory;
use super::{Host, HostError, Peer};
use crate::envelope::{BatchReading, Block, RawBatch, Sender};
use crate::grammar::{Direction, Grammar};
use crate::store::{BatchOnFile, Store, Unit};
use crate::wire::Columns;

/// The applications that have a host here.
const APPLICATIONS: [&str; 1] = ["AE"];

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
        let directory = PeerDirectory { world: &self.world, peer, applications: &APPLICATIONS };
        let reading = self.envelope.read_batch(batch, &directory);
        let kept = match &reading.conditions {
            conditions if conditions.is_empty() => self.process(batch, &reading, now),
            _ => self.refuse(&reading, now),
        };
        match kept {
            Err(HostError::Store(error)) => {
                tracing::error!(%error, "nothing of the batch was kept");
                self.unprocessed(&reading)
            }
            answer => answer,
        }
    }

    /// Refuses a batch for its envelope. Its records are not kept: where control records are wrong, no
    /// one knows in which column of which record the password stands.
    fn refuse(&mut self, reading: &BatchReading, now: &Zoned) -> Result<Vec<Columns>, HostError> {
        let answer = self.envelope.rejection(reading)?;
        let mut unit = self.store.begin()?;
        unit.put_batch(&on_file(reading, Vec::new(), &answer, now))?;
        unit.commit()?;
        Ok(answer)
    }

    fn process(
        &mut self,
        batch: &RawBatch,
        reading: &BatchReading,
        now: &Zoned,
    ) -> Result<Vec<Columns>, HostError> {
        let mut unit = self.store.begin()?;
        let mut blocks = vec![Vec::new(); reading.blocks.len()];
        if let Some(fault) = &reading.structure_fault {
            let record = batch.rows.get(fault.record as usize - 1);
            if let Some(rows) = blocks.get_mut(fault.block as usize - 1) {
                *rows = self.entry_summaries.structure_fault(&fault.fault, record)?;
            }
        } else {
            for (block, rows) in reading.blocks.iter().zip(&mut blocks) {
                *rows = self.entry_summaries.answer_block(block, &self.world, &mut unit, now)?;
            }
        }
        let answer = self.envelope.response(reading, &blocks)?;
        unit.put_batch(&on_file(reading, without_passwords(self.grammar, batch), &answer, now))?;
        unit.commit()?;
        Ok(answer)
    }

    /// The answer when nothing could be kept.
    fn unprocessed(&self, reading: &BatchReading) -> Result<Vec<Columns>, HostError> {
        if !reading.conditions.is_empty() {
            return Ok(self.envelope.rejection(reading)?);
        }
        let failure = |block: &Block| self.entry_summaries.system_failure(block);
        let blocks = reading.blocks.iter().map(failure).collect::<Result<Vec<_>, _>>()?;
        Ok(self.envelope.response(reading, &blocks)?)
    }
}

fn on_file(reading: &BatchReading, records: Vec<Columns>, answer: &[Columns], now: &Zoned) -> BatchOnFile {
    let Sender { site, id, office } = &reading.sender;
    BatchOnFile {
        received: now.timestamp(),
        sender: format!("{site} {id} {office}").trim_end().to_owned(),
        records,
        answer: answer.to_vec(),
    }
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
