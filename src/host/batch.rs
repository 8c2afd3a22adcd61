//! A batch as a unit of work.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN};
use jiff::{SignedDuration, Timestamp, Zoned};

use super::capability::{Capabilities, Capability, Desk, Foresight};
use super::examine::Examined;
use super::finding::FindingWriter;
use super::{Host, HostError, Peer};
use crate::envelope::{BatchReading, Block, BlockAnswer, RawBatch, Sender};
use crate::grammar::Grammar;
use crate::message::{Finding, Secrets};
use crate::store::{BatchOnFile, Store, StoreError, Unit};
use crate::wire::Columns;

/// A batch that waits for its answer, who sent it, and what is known of it already.
pub type Waiting<'a> = (&'a RawBatch, &'a dyn Peer, Option<Examined>);

/// How long a batch is remembered whose answer may not have arrived. A sender that has lost an answer asks for
/// it again within days.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// An answer, and the number of its batch on file if the peer may have to ask for it again.
struct Answered {
    records: Vec<Columns>,
    unarrived: Option<i64>,
}

impl<S: Store> Host<'_, S> {
    /// The answer to a batch. It has been kept, with all that the batch changed, when this returns.
    ///
    /// If the store fails, nothing of the batch is kept and each transaction is answered with a system
    /// failure (ESF-211), so that it is sent again.
    ///
    /// # Errors
    /// The answer cannot be written: grammar and host do not fit together. Or nobody knows whether the batch
    /// has been kept ([`StoreError::Uncertain`]): then there is no answer, and the peer must be told nothing.
    pub fn answer(
        &mut self,
        batch: &RawBatch,
        peer: &dyn Peer,
        now: &Zoned,
    ) -> Result<Vec<Columns>, HostError> {
        let mut examined = self.examined((batch, peer, None), now);
        match self.keep(&mut [(batch, peer, &mut examined)], now) {
            Ok(answers) => Ok(answers.into_iter().flatten().collect()),
            Err(HostError::Store(error)) if !matches!(error, StoreError::Uncertain(_)) => {
                self.nothing_kept(&error, &examined)
            }
            Err(error) => Err(error),
        }
    }

    /// The answer to a batch, as by [`Self::answer`], and why: each condition as a finding. Nothing of a
    /// batch is explained whose answer is a system failure.
    ///
    /// # Errors
    /// The answer cannot be written: grammar and host do not fit together.
    pub fn answer_explained(
        &mut self,
        batch: &RawBatch,
        peer: &dyn Peer,
        now: &Zoned,
        source: Option<&Arc<str>>,
        number: u32,
    ) -> Result<(Vec<Columns>, Vec<Finding>), HostError> {
        let mut examined = self.examined((batch, peer, None), now);
        examined.explained = Some(Vec::new());
        let answer = match self.keep(&mut [(batch, peer, &mut examined)], now) {
            Ok(answers) => answers.into_iter().flatten().collect(),
            Err(HostError::Store(error)) if !matches!(error, StoreError::Uncertain(_)) => {
                return Ok((self.nothing_kept(&error, &examined)?, Vec::new()));
            }
            Err(error) => return Err(error),
        };
        let explained = examined.explained.take().unwrap_or_default();
        let writer = FindingWriter::new(self.grammar);
        let codec = &self.examiner.envelope;
        let findings = writer.of_batch(codec, batch, (&examined, &explained), source, number);
        Ok((answer, findings))
    }

    /// The answers to batches in their order, as by [`Self::answer`], but kept together: what takes the
    /// store its time is done once for all of them. Where one of them cannot be kept, each is kept by
    /// itself, as by [`Self::answer_in_any_case`].
    pub fn answer_all(
        &mut self,
        batches: Vec<Waiting<'_>>,
        now: &Zoned,
    ) -> Vec<Result<Vec<Columns>, HostError>> {
        let waiting = batches.iter().map(|(batch, peer, _)| (*batch, *peer)).collect::<Vec<_>>();
        let together = catch_unwind(AssertUnwindSafe(|| self.answer_together(batches, now)));
        let each = |this: &mut Self| {
            let answer = |(batch, peer): &(&RawBatch, &dyn Peer)| this.answer_in_any_case(batch, *peer, now);
            waiting.iter().map(answer).collect()
        };
        together.unwrap_or(None).unwrap_or_else(|| each(self))
    }

    /// The answers to batches kept together; nothing if each is to be tried by itself.
    fn answer_together(
        &mut self,
        batches: Vec<Waiting<'_>>,
        now: &Zoned,
    ) -> Option<Vec<Result<Vec<Columns>, HostError>>> {
        let waiting = batches.iter().map(|(batch, peer, _)| (*batch, *peer)).collect::<Vec<_>>();
        let mut examined = batches.into_iter().map(|one| self.examined(one, now)).collect::<Vec<_>>();
        let kept = {
            let batches = waiting.iter().zip(&mut examined);
            let batches = batches.map(|((batch, peer), examined)| (*batch, *peer, examined));
            self.keep(&mut batches.collect::<Vec<_>>(), now)
        };
        match kept {
            Ok(answers) => Some(answers.into_iter().map(Ok).collect()),
            // all have waited for the store together, which nobody has to do again
            Err(HostError::Store(error)) if error.is_locked() => {
                Some(examined.iter().map(|examined| self.nothing_kept(&error, examined)).collect())
            }
            Err(HostError::Store(StoreError::Uncertain(error))) => {
                let text = error.to_string();
                let uncertain = || Err(HostError::Unknown(text.clone()));
                Some(waiting.iter().map(|_| uncertain()).collect())
            }
            Err(_) => None,
        }
    }

    fn nothing_kept(&self, error: &StoreError, examined: &Examined) -> Result<Vec<Columns>, HostError> {
        let sender = name_of(&examined.reading.sender);
        tracing::error!(%error, sender, "nothing of the batch was kept");
        self.unprocessed(&examined.reading)
    }

    /// The answer to a batch of which nothing is kept.
    pub(super) fn system_failure(
        &mut self,
        batch: &RawBatch,
        peer: &dyn Peer,
        now: &Zoned,
    ) -> Result<Vec<Columns>, HostError> {
        let examined = self.examined((batch, peer, None), now);
        self.unprocessed(&examined.reading)
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
        batches: &mut [(&RawBatch, &dyn Peer, &mut Examined)],
        now: &Zoned,
    ) -> Result<Vec<Vec<Columns>>, HostError> {
        let Self { examiner, world, store, grammar, .. } = self;
        let mut unit = store.begin()?;
        let mut answers = Vec::with_capacity(batches.len());
        let mut noted = Vec::new();
        for (batch, peer, examined) in &mut *batches {
            if let Some(receipts) = peer.receipts() {
                let arrived = receipts.arrived();
                unit.archive()?.arrived(&arrived)?;
                noted.push((receipts, arrived));
            }
            let foreseen = std::mem::take(&mut examined.foreseen);
            let reading = &examined.reading;
            if !reading.conditions.is_empty() {
                // It is not kept: where control records are wrong, nobody knows who has sent it, or in which
                // column of which record the password stands.
                let records = examiner.envelope.rejection(reading)?;
                answers.push(Answered { records, unarrived: None });
                continue;
            }
            let kept = without_passwords(grammar, batch);
            let digest = peer.receipts().map(|_| digest(&kept));
            let sender = name_of(&reading.sender);
            let since = remembered_since(now);
            if let Some(digest) = &digest
                && let Some((number, records)) = unit.archive()?.unarrived(&sender, digest, since)?
            {
                tracing::info!(
                    sender,
                    batch = number,
                    "the batch was answered before, it gets the same answer"
                );
                answers.push(Answered { records, unarrived: Some(number) });
                continue;
            }
            let capability = capability(&examiner.capabilities, reading)?;
            let before = unit.archive()?.progress()?;
            let sender = &reading.sender;
            let explained = examined.explained.take();
            let mut desk =
                Desk { world, unit: &mut unit, now, sender, foreseen: Foresight::new(), explained };
            let blocks = process(capability, batch, (reading, foreseen), &mut desk)?;
            examined.explained = desk.explained;
            let records = examiner.envelope.response(reading, &blocks)?;
            let after = unit.archive()?.progress()?;
            let number = unit.put_batch(&on_file(reading, kept, &records, now))?;
            // one that has changed nothing does no harm when it is judged again
            let unarrived = digest.filter(|_| after.changes != before.changes);
            if let Some(digest) = &unarrived {
                unit.archive()?.expect_arrival(number, digest, (before, after))?;
            }
            answers.push(Answered { records, unarrived: unarrived.map(|_| number) });
        }
        unit.commit()?;
        for (receipts, arrived) in noted {
            receipts.noted(&arrived);
        }
        for ((_, peer, _), answer) in batches.iter().zip(&answers) {
            if let (Some(receipts), Some(number)) = (peer.receipts(), answer.unarrived) {
                receipts.sent(number);
            }
        }
        Ok(answers.into_iter().map(|answer| answer.records).collect())
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
) -> Result<Vec<BlockAnswer>, HostError> {
    let Some(fault) = &reading.structure_fault else {
        let foreseen = foreseen.into_iter().chain(std::iter::repeat_with(Foresight::new));
        let answer = |(block, foreseen)| {
            desk.foreseen = foreseen;
            capability.answer_block(block, desk)
        };
        return reading.blocks.iter().zip(foreseen).map(answer).collect();
    };
    let record = batch.rows.get(fault.record as usize - 1);
    let mut blocks = vec![BlockAnswer::default(); reading.blocks.len()];
    if let Some(rows) = blocks.get_mut(fault.block as usize - 1) {
        *rows = capability.structure_fault(&fault.fault, record)?.into();
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

/// Since when a batch must have been received to be remembered.
pub(super) fn remembered_since(now: &Zoned) -> Timestamp {
    now.timestamp().saturating_sub(REMEMBERED).unwrap_or(Timestamp::MIN)
}

/// What tells records from all others.
pub(super) fn digest(records: &[Columns]) -> [u8; SHA256_OUTPUT_LEN] {
    let mut digest = [0; SHA256_OUTPUT_LEN];
    digest.copy_from_slice(aws_lc_rs::digest::digest(&SHA256, records.as_flattened()).as_ref());
    digest
}

/// A batch's records without its control records, in which a password may stand in any column if the
/// program has failed at reading them.
pub(super) fn without_control_passwords(batch: &RawBatch) -> Vec<Columns> {
    let mut rows = batch.rows.clone();
    for (index, row) in rows.iter_mut().enumerate() {
        let is_control = index == 0 || matches!(row[0].to_ascii_uppercase(), b'A' | b'Z');
        if is_control {
            row[1..].fill(b' ');
        }
    }
    rows
}

/// The batch's records with spaces where a password may stand.
pub(super) fn without_passwords(grammar: &Grammar, batch: &RawBatch) -> Vec<Columns> {
    let mut rows = batch.rows.clone();
    Secrets::new(grammar).cover(&mut rows, b' ');
    rows
}
