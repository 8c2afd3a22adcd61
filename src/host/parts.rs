//! A long batch, answered in parts, so that others need not wait for the whole of it.
//!
//! Each part is a unit of work of its own: some of the batch's transactions, as many as fit. CBP accepts or
//! rejects each transaction by itself, so a batch is not a whole to CBP either. The batch and its answer are
//! kept with the last part. If the program ends between two parts, what the earlier ones did has been done,
//! and the batch, which has had no answer, is sent again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Zoned;

use super::batch::{capability, digest, name_of, on_file, remembered_since, without_passwords};
use super::capability::{Desk, Foresight};
use super::examine::Examined;
use super::{Host, HostError, Peer};
use crate::envelope::{Block, BlockAnswer, RawBatch};
use crate::store::{self, Store, StoreError, Unit};
use crate::wire::Columns;

/// How far a batch has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The answers to the blocks, as far as they have been answered.
    answers: Vec<BlockAnswer>,
    /// How far the store had come when the first part began.
    before: Option<store::Progress>,
    /// Whether the store has failed: then all that follows is answered with a system failure at once.
    has_failed: bool,
}

/// Transactions of one block that are answered in one part.
struct Piece {
    /// Where the block stands in the batch, from 0.
    index: usize,
    block: Block,
    foreseen: Foresight,
}

impl<S: Store> Host<'_, S> {
    /// Goes on with the answer to a batch, by as many transactions as have about so many records together.
    /// Returns `None` until the last of them is answered. How far the batch has come stands in `examined`.
    ///
    /// If the store fails, the transactions of that part and of those behind it are answered with a system
    /// failure (ESF-211); those before have been kept and are answered as they were.
    ///
    /// # Errors
    /// As [`Host::answer`].
    pub fn answer_part(
        &mut self,
        batch: &RawBatch,
        peer: &dyn Peer,
        examined: &mut Option<Examined>,
        records: usize,
        now: &Zoned,
    ) -> Result<Option<Vec<Columns>>, HostError> {
        self.examiner.turn_to(now.date(), &mut self.world);
        let mut work = match examined.take() {
            Some(work) => work,
            None => self.examiner.read(batch, peer, &self.world),
        };
        if !work.reading.is_accepted() {
            return self.answer(batch, peer, now).map(Some);
        }
        if !work.is_of(&self.world) {
            work.foreseen.clear();
        }
        if work.progress.before.is_none() {
            match self.begin_parts(batch, peer, &mut work, now) {
                Ok(None) => {}
                Err(HostError::Store(error)) if !matches!(error, StoreError::Uncertain(_)) => {
                    tracing::error!(%error, "nothing of the batch was kept");
                    let before = Some(store::Progress::default());
                    work.progress = Progress { before, has_failed: true, ..Progress::default() };
                }
                answered => return answered,
            }
        }
        work.progress.answers.resize_with(work.reading.blocks.len(), BlockAnswer::default);
        let mut pieces = cut(&mut work, records);
        let is_last = work.reading.blocks.iter().all(|block| block.transactions.is_empty());
        let before = work.progress.answers.iter().map(|answer| answer.records.len()).collect::<Vec<_>>();
        let kept = if work.progress.has_failed {
            self.fail_part(&mut work, &pieces, is_last)
        } else {
            // a unit that a panic ends leaves no trace
            let keep = || self.keep_part((batch, peer), &mut work, &mut pieces, is_last, now);
            catch_unwind(AssertUnwindSafe(keep)).unwrap_or_else(|panic| Err(HostError::panicked(&*panic)))
        };
        let answer = match kept {
            Err(error @ HostError::Store(StoreError::Uncertain(_))) => return Err(error),
            Err(error) => {
                tracing::error!(%error, "a part of the batch was not kept, nor what stands behind it");
                if !matches!(error, HostError::Store(_)) {
                    self.set_batch_aside(batch, &error, now)?;
                }
                work.progress.has_failed = true;
                work.progress.answers.iter_mut().zip(before).for_each(|(rows, length)| rows.truncate(length));
                self.fail_part(&mut work, &pieces, is_last)?
            }
            Ok(answer) => answer,
        };
        if answer.is_none() {
            *examined = Some(work);
        }
        Ok(answer)
    }

    /// Notes how far the store has come. Returns the answer if the batch has been answered before and
    /// nothing shows that the answer arrived.
    fn begin_parts(
        &mut self,
        batch: &RawBatch,
        peer: &dyn Peer,
        work: &mut Examined,
        now: &Zoned,
    ) -> Result<Option<Vec<Columns>>, HostError> {
        let receipts = peer.receipts();
        if let Some(receipts) = receipts {
            self.note_arrivals(receipts)?;
        }
        let mut unit = self.store.begin()?;
        work.progress.before = Some(unit.archive()?.progress()?);
        let Some(receipts) = receipts else { return Ok(None) };
        let digest = digest(&without_passwords(self.grammar, batch));
        let sender = name_of(&work.reading.sender);
        let found = unit.archive()?.unarrived(&sender, &digest, remembered_since(now))?;
        Ok(found.map(|(number, records)| {
            tracing::info!(sender, batch = number, "the batch was answered before, it gets the same answer");
            receipts.sent(number);
            records
        }))
    }

    /// Answers pieces and keeps what they change; the whole answer if they are the last.
    fn keep_part(
        &mut self,
        (batch, peer): (&RawBatch, &dyn Peer),
        work: &mut Examined,
        pieces: &mut [Piece],
        is_last: bool,
        now: &Zoned,
    ) -> Result<Option<Vec<Columns>>, HostError> {
        let Self { examiner, world, store, grammar, .. } = self;
        let capability = capability(&examiner.capabilities, &work.reading)?;
        let mut unit = store.begin()?;
        for Piece { index, block, foreseen } in pieces {
            let (sender, foreseen) = (&work.reading.sender, std::mem::take(foreseen));
            let mut desk = Desk { world, unit: &mut unit, now, sender, foreseen, explained: None };
            work.progress.answers[*index].append(capability.answer_block(block, &mut desk)?);
        }
        let (mut answer, mut unarrived) = (None, None);
        if is_last {
            let rows = examiner.envelope.response(&work.reading, &work.progress.answers)?;
            let kept = without_passwords(grammar, batch);
            let digest = peer.receipts().map(|_| digest(&kept));
            let number = unit.put_batch(&on_file(&work.reading, kept, &rows, now))?;
            let after = unit.archive()?.progress()?;
            // what changes nothing leaves no step in a history
            let before = work.progress.before.filter(|before| before.history != after.history);
            if let (Some(digest), Some(before)) = (digest, before) {
                unit.archive()?.expect_arrival(number, &digest, (before, after))?;
                unarrived = Some(number);
            }
            answer = Some(rows);
        }
        unit.commit()?;
        if let (Some(receipts), Some(number)) = (peer.receipts(), unarrived) {
            receipts.sent(number);
        }
        Ok(answer)
    }

    /// Answers pieces of which nothing is kept; the whole answer if they are the last.
    fn fail_part(
        &self,
        work: &mut Examined,
        pieces: &[Piece],
        is_last: bool,
    ) -> Result<Option<Vec<Columns>>, HostError> {
        let capability = capability(&self.examiner.capabilities, &work.reading)?;
        for piece in pieces {
            work.progress.answers[piece.index].append(capability.system_failure(&piece.block)?);
        }
        if !is_last {
            return Ok(None);
        }
        Ok(Some(self.examiner.envelope.response(&work.reading, &work.progress.answers)?))
    }
}

/// Takes the next transactions that have so many records together, or a bit more, out of a batch.
fn cut(work: &mut Examined, records: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut room = records.max(1);
    for (index, block) in work.reading.blocks.iter_mut().enumerate() {
        let mut count = 0;
        for transaction in &block.transactions {
            if room == 0 {
                break;
            }
            room = room.saturating_sub(transaction.rows().len());
            count += 1;
        }
        if count > 0 {
            let foreseen = match work.foreseen.get_mut(index) {
                Some(foreseen) => foreseen.drain(..count.min(foreseen.len())).collect(),
                None => Foresight::new(),
            };
            pieces.push(Piece { index, block: block.take_part(count), foreseen });
        }
        if room == 0 {
            break;
        }
    }
    pieces
}
