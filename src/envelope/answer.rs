//! What goes back: a refusal, a response around what the host answers, or a notification.

use jiff::civil::Date;

use super::condition::{EnvelopeCondition, Place};
use super::directory::{Party, Sender};
use super::layouts::{BatchCells, BlockHeaderCells, BlockTrailerCells, EnvelopeCodec, PartyCells};
use super::read::{BatchReading, Block};
use crate::grammar::{Cell, ConditionCode, PutError};
use crate::wire::Columns;

/// The final condition of a refusal and its disposition type (B&B-33, note 3).
const REJECTED: (&str, &str) = ("999", "R");

/// An answer that cannot be written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// A value is too long, of the wrong class, or there are more records than the count can say.
    #[error(transparent)]
    Unfit(#[from] PutError),
    /// Applications without a response, or a batch that is no batch, have no answer of this kind.
    #[error("application {application:?} has no response")]
    NoResponse {
        /// The application of the input.
        application: String,
    },
}

/// What CBP sends by itself (B&B-38).
#[derive(Clone, Debug)]
pub struct Notification {
    /// To whom it goes.
    pub receiver: Sender,
    /// The day on which it was prepared.
    pub date: Date,
    /// Its application.
    pub application: String,
    /// The blocks: for whom, and the records between B and Y.
    pub blocks: Vec<(Party, Vec<Columns>)>,
}

/// The answer to a block: its records between B and Y, and where the answers to its transactions end.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BlockAnswer {
    /// The records.
    pub records: Vec<Columns>,
    /// How many of the records stand there when the answer to a transaction ends, in order.
    ends: Vec<usize>,
}

impl BlockAnswer {
    /// Notes that the answer to a transaction ends with the last record.
    pub fn end_transaction(&mut self) {
        self.ends.push(self.records.len());
    }

    /// Puts the answer to further transactions of the block behind this one.
    pub fn append(&mut self, more: Self) {
        let before = self.records.len();
        self.records.extend(more.records);
        self.ends.extend(more.ends.into_iter().map(|end| before + end));
    }

    /// Takes back all but so many records.
    pub fn truncate(&mut self, records: usize) {
        self.records.truncate(records);
        self.ends.retain(|end| *end <= records);
    }

    /// The records in parts of which none has more than so many. A part ends with a transaction, unless the
    /// answer to one alone has more.
    fn parts(&self, most: usize) -> Vec<&[Columns]> {
        let (mut parts, mut begin) = (Vec::new(), 0);
        let mut ends = self.ends.iter().copied().peekable();
        while begin < self.records.len() {
            let limit = self.records.len().min(begin + most.max(1));
            let mut end = limit;
            if limit < self.records.len() {
                let mut last = None;
                while let Some(next) = ends.next_if(|next| *next <= limit) {
                    last = Some(next);
                }
                end = last.filter(|last| *last > begin).unwrap_or(limit);
            }
            parts.push(&self.records[begin..end]);
            begin = end;
        }
        parts
    }
}

impl From<Vec<Columns>> for BlockAnswer {
    /// An answer that is not one to several transactions.
    fn from(records: Vec<Columns>) -> Self {
        Self { records, ends: Vec::new() }
    }
}

impl EnvelopeCodec<'_> {
    /// The refusal of a batch: X1 for each condition, with X0 before those of a block or transaction,
    /// between control records of CBP's own. There are never more records than the count can say; of
    /// more conditions than that the last are left out.
    ///
    /// # Errors
    /// A condition's narrative does not fit its field.
    pub fn rejection(&self, reading: &BatchReading) -> Result<Vec<Columns>, AnswerError> {
        let (trailer, count) = self.output.generated_block_trailer;
        let most = most_counted(count);
        let mut records = Vec::new();
        for group in reading.conditions.chunk_by(|one, other| one.place == other.place) {
            let mut rows = self.references(reading, group)?;
            for condition in group {
                rows.push(self.disposition("", condition.code)?);
            }
            if records.len() + rows.len() >= most {
                break;
            }
            records.append(&mut rows);
        }
        if let Some(code) = ConditionCode::new(REJECTED.0) {
            records.push(self.disposition(REJECTED.1, code)?);
        }
        let mut trailer = trailer.blank();
        count.put_digits(&mut trailer, records.len() as u64)?;
        let mut rows = vec![self.header(reading, ""), self.output.generated_header.blank()];
        rows.append(&mut records);
        rows.extend([trailer, self.output.generated_trailer.blank()]);
        Ok(rows)
    }

    /// The response to a batch: its control records, with the application of the response and the
    /// number of records, around the answer to each block. A block without records is left out; one with
    /// more records than can be counted is answered by several blocks, each with whole transactions.
    ///
    /// # Errors
    /// The application has no response.
    pub fn response(
        &self,
        reading: &BatchReading,
        blocks: &[BlockAnswer],
    ) -> Result<Vec<Columns>, AnswerError> {
        let no_response = || AnswerError::NoResponse { application: reading.application.clone() };
        let application = self.grammar.response(&reading.application).ok_or_else(no_response)?;
        let family = self.family(reading.e_manifest);
        let trailer = reading.trailer.as_ref().ok_or_else(no_response)?;
        let mut rows = vec![self.header(reading, application)];
        let count = self.output.block_trailer.count;
        let most = count.map_or(usize::MAX, most_counted);
        for (block, answer) in reading.blocks.iter().zip(blocks) {
            for records in answer.parts(most) {
                rows.push(self.block_header(block, application));
                rows.extend_from_slice(records);
                rows.push(self.block_trailer(block, application, reading.e_manifest, records.len())?);
            }
        }
        rows.push(mirror_batch(&family.trailer, trailer, &family.output_trailer));
        Ok(rows)
    }

    /// A notification. The e-Manifest family names the application in its blocks only.
    ///
    /// # Errors
    /// A value that does not fit its field, or a block with more records than can be counted.
    pub fn notification(&self, notification: &Notification) -> Result<Vec<Columns>, AnswerError> {
        let family = self.family(self.is_e_manifest(&notification.application));
        let mut header = addressed(&family.output_header, &notification.receiver, notification.date)?;
        if let Some(cell) = family.output_header.application.filter(|_| !family.is_e_manifest) {
            cell.put_text(&mut header, &notification.application)?;
        }
        let mut rows = vec![header];
        let (first, last) = (&self.output.block_header, &self.output.block_trailer);
        for (party, records) in &notification.blocks {
            let mut header = first.layout.blank();
            put_party(&first.processing, &mut header, party)?;
            first.application.put_text(&mut header, &notification.application)?;
            let mut trailer = last.layout.blank();
            put_party(&last.processing, &mut trailer, party)?;
            last.application.put_text(&mut trailer, &notification.application)?;
            put_count(last, &mut trailer, records.len())?;
            rows.push(header);
            rows.extend_from_slice(records);
            rows.push(trailer);
        }
        rows.push(addressed(&family.output_trailer, &notification.receiver, notification.date)?);
        Ok(rows)
    }

    /// The A-record that goes back. A refusal has no application, nor has the e-Manifest family.
    fn header(&self, reading: &BatchReading, application: &str) -> Columns {
        let family = self.family(reading.e_manifest);
        let Some(received) = &reading.header else { return family.output_header.layout.blank() };
        let mut row = mirror_batch(&family.header, received, &family.output_header);
        if let Some(cell) = family.output_header.application.filter(|_| !family.is_e_manifest) {
            put(cell, &mut row, application.as_bytes());
        }
        if let Some(cell) = family.output_header.user_data {
            put_right(cell, &mut row, family.returned_user_data(received));
        }
        row
    }

    fn block_header(&self, block: &Block, application: &str) -> Columns {
        let cells = &self.output.block_header;
        let mut row = cells.layout.blank();
        if let Some(received) = &block.header {
            mirror_block(&self.block, received, cells, &mut row);
        }
        put(cells.application, &mut row, application.as_bytes());
        row
    }

    fn block_trailer(
        &self,
        block: &Block,
        application: &str,
        e_manifest: bool,
        count: usize,
    ) -> Result<Columns, PutError> {
        let cells = &self.output.block_trailer;
        let mut row = cells.layout.blank();
        if let Some(received) = &block.trailer {
            let input = &self.family(e_manifest).block_trailer;
            mirror_party(&input.processing, received, &cells.processing, &mut row);
        }
        put(cells.application, &mut row, application.as_bytes());
        put_count(cells, &mut row, count)?;
        Ok(row)
    }

    /// The X0-records that point at the place of some conditions.
    fn references(
        &self,
        reading: &BatchReading,
        group: &[EnvelopeCondition],
    ) -> Result<Vec<Columns>, PutError> {
        let place = group.first().map_or(Place::Batch, |condition| condition.place);
        let (Place::Block { block: number } | Place::Transaction { block: number, .. }) = place else {
            return Ok(Vec::new());
        };
        let (cells, occurrence) = &self.output.block_reference;
        let mut row = cells.layout.blank();
        occurrence.put_digits(&mut row, u64::from(number))?;
        let block = reading.blocks.get(number as usize - 1);
        if let Some(received) = block.and_then(|block| block.header.as_ref()) {
            mirror_block(&self.block, received, cells, &mut row);
        }
        let mut rows = vec![row];
        if let Place::Transaction { transaction, record, column, .. } = place {
            let cells = &self.output.transaction_reference;
            let mut row = cells.layout.blank();
            cells.occurrence.put_digits(&mut row, u64::from(transaction))?;
            cells.record.put_digits(&mut row, u64::from(record))?;
            cells.column.put_digits(&mut row, u64::from(column))?;
            rows.push(row);
        }
        Ok(rows)
    }

    fn disposition(&self, kind: &str, code: ConditionCode) -> Result<Columns, PutError> {
        let cells = &self.output.disposition;
        let narrative = self.grammar.conditions().get("*", code).map_or("", |known| &known.narrative);
        let mut row = cells.layout.blank();
        cells.disposition.put_text(&mut row, kind)?;
        cells.condition.put_text(&mut row, code.as_str())?;
        put(cells.narrative, &mut row, narrative.as_bytes());
        Ok(row)
    }
}

/// The highest number that a field can say.
fn most_counted(cell: Cell) -> usize {
    10_usize.saturating_pow(cell.width() as u32) - 1
}

/// Writes bytes as they are, left justified; what no standard keyboard has becomes a space, so that
/// what goes back can be read as records whatever came.
fn put(cell: Cell, row: &mut Columns, bytes: &[u8]) {
    let target = &mut row[cell.first_column() - 1..cell.last_column()];
    target.fill(b' ');
    for (to, from) in target.iter_mut().zip(bytes) {
        if from.is_ascii_graphic() {
            *to = *from;
        }
    }
}

/// Writes bytes at the end of a field, with spaces before them.
fn put_right(cell: Cell, row: &mut Columns, bytes: &[u8]) {
    let mut padded = vec![b' '; cell.width().saturating_sub(bytes.len())];
    padded.extend_from_slice(bytes);
    put(cell, row, &padded);
}

pub(super) fn put_count(
    cells: &BlockTrailerCells<'_>,
    row: &mut Columns,
    count: usize,
) -> Result<(), PutError> {
    cells.count.map_or(Ok(()), |cell| cell.put_digits(row, count as u64))
}

fn mirror_batch(input: &BatchCells<'_>, received: &Columns, output: &BatchCells<'_>) -> Columns {
    let mut row = output.layout.blank();
    let always = [
        (input.site, output.site),
        (input.id, output.id),
        (input.office, output.office),
        (input.date, output.date),
    ];
    for (from, to) in always.into_iter().chain(input.password.zip(output.password)) {
        put(to, &mut row, from.raw(received));
    }
    row
}

fn mirror_block(
    input: &BlockHeaderCells<'_>,
    received: &Columns,
    output: &BlockHeaderCells<'_>,
    row: &mut Columns,
) {
    mirror_party(&input.processing, received, &output.processing, row);
    mirror_party(&input.preparer, received, &output.preparer, row);
    let rest = [
        (input.preparer_indicator, output.preparer_indicator),
        (input.application, output.application),
        (input.user_data, output.user_data),
    ];
    for (from, to) in rest {
        put(to, row, from.raw(received));
    }
}

fn mirror_party(input: &PartyCells, received: &Columns, output: &PartyCells, row: &mut Columns) {
    for (from, to) in [(input.port, output.port), (input.filer, output.filer), (input.office, output.office)]
    {
        put(to, row, from.raw(received));
    }
}

/// An A- or Z-record with the other side's codes and the date, without an application.
pub(super) fn addressed(cells: &BatchCells<'_>, peer: &Sender, date: Date) -> Result<Columns, PutError> {
    let mut row = cells.layout.blank();
    cells.site.put_text(&mut row, &peer.site)?;
    cells.id.put_text(&mut row, &peer.id)?;
    cells.office.put_text(&mut row, &peer.office)?;
    cells.date.put_date(&mut row, date)?;
    Ok(row)
}

pub(super) fn put_party(cells: &PartyCells, row: &mut Columns, party: &Party) -> Result<(), PutError> {
    cells.port.put_text(row, &party.port)?;
    cells.filer.put_text(row, &party.filer)?;
    cells.office.put_text(row, &party.office)
}
