//! A batch, read: its parties, its blocks, their transactions, and what is wrong with it.

use std::fmt;

use zeroize::Zeroizing;

use super::check::{Checks, ControlRows, lengths};
use super::collect::{ControlRecord, RawBatch};
use super::condition::{EnvelopeCondition, Found, Place};
use super::directory::{Directory, Party, Sender};
use super::layouts::{EnvelopeCodec, HeaderCells};
use super::split::{BlockRows, Split, split};
use crate::grammar::{Cell, ConditionCode, Fault};
use crate::message::{Assembler, Transaction};
use crate::wire::Columns;

/// What a batch says, or why it is refused. Its A-record holds the password, and its transactions
/// hold taxpayer numbers, so its `Debug` shows neither.
#[derive(Default)]
pub struct BatchReading {
    /// The transmitter.
    pub sender: Sender,
    /// The application of the batch; the first block's where the A-record may leave it out.
    pub application: String,
    /// The blocks. Their transactions are there only if nothing is wrong with the envelope.
    pub blocks: Vec<Block>,
    /// What is wrong with the envelope, in the order in which it is answered; answered with X1.
    pub conditions: Vec<EnvelopeCondition>,
    /// A fault of structure that the application answers in its own records; the batch is refused,
    /// and nothing behind the fault has been looked at (entry summary chapter, ESF-207).
    pub structure_fault: Option<StructureFault>,
    pub(super) e_manifest: bool,
    pub(super) header: Option<Columns>,
    pub(super) trailer: Option<Columns>,
}

/// What an A-record says of the sender. There is no other reading of it: whoever asks for a sender, the
/// gateway for its password and its mail or the host for its rights, asks [`HeaderCells::read`]. It holds
/// the password and has no `Debug`.
#[derive(Clone)]
pub struct BatchHeader {
    /// The transmitter.
    pub sender: Sender,
    /// The application; empty where the A-record may leave it out.
    pub application: String,
    /// The password in upper case, without the spaces behind it.
    pub password: Zeroizing<Vec<u8>>,
    /// The record in upper case, user data apart.
    pub(super) row: Columns,
}

impl HeaderCells {
    /// Reads an A-record, in upper or lower case. Returns `None` for any other record.
    #[must_use]
    pub fn read(&self, row: &Columns) -> Option<BatchHeader> {
        if ControlRecord::of(row) != Some(ControlRecord::BatchHeader) {
            return None;
        }
        let row = upper(row, Some(self.user_data));
        let text = |cell: Cell| cell.text(&row).to_owned();
        Some(BatchHeader {
            sender: Sender { site: text(self.site), id: text(self.id), office: text(self.office) },
            application: text(self.application),
            password: Zeroizing::new(self.password.raw(&row).trim_ascii_end().to_vec()),
            row,
        })
    }
}

/// A block, read.
#[derive(Default)]
pub struct Block {
    /// The processing filer and its port.
    pub processing: Party,
    /// The preparer, if the block names one.
    pub preparer: Option<Party>,
    /// The claim to file remotely, blank if there is none.
    pub preparer_indicator: String,
    /// Its transactions, in order. Their records are numbered as in the batch, the A-record is 1, and
    /// lower case letters have become upper case.
    pub transactions: Vec<Transaction>,
    /// The B-record's number in the batch.
    pub first_record: u32,
    /// How many transactions of the block stood before these: 0, unless the block is answered in parts.
    pub answered: u32,
    pub(super) header: Option<Columns>,
    pub(super) trailer: Option<Columns>,
}

/// A fault of structure within a transaction; all counts begin with 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StructureFault {
    /// The application that answers it.
    pub application: String,
    /// The fault; its condition is the application's.
    pub fault: Fault,
    /// The block in the batch.
    pub block: u32,
    /// The transaction in the block.
    pub transaction: u32,
    /// The record in the batch; the A-record is 1.
    pub record: u32,
}

/// The first thing wrong with a block's transactions, and where.
struct Trouble {
    transaction: u32,
    record: u32,
    what: What,
}

enum What {
    Character { column: u8 },
    Filler { column: u8 },
    Structure(Fault),
}

impl BatchReading {
    /// Whether nothing is wrong with the envelope and with the structure of its transactions.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.conditions.is_empty() && self.structure_fault.is_none()
    }
}

impl Block {
    /// Takes the first transactions out, at most so many, as a block of their own.
    #[must_use]
    pub fn take_part(&mut self, count: usize) -> Self {
        let rest = self.transactions.split_off(count.min(self.transactions.len()));
        let part = Self {
            processing: self.processing.clone(),
            preparer: self.preparer.clone(),
            preparer_indicator: self.preparer_indicator.clone(),
            transactions: std::mem::replace(&mut self.transactions, rest),
            ..*self
        };
        self.answered += part.transactions.len() as u32;
        part
    }
}

impl fmt::Debug for BatchReading {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BatchReading")
            .field("sender", &self.sender)
            .field("application", &self.application)
            .field("blocks", &self.blocks)
            .field("conditions", &self.conditions)
            .field("structure_fault", &self.structure_fault)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Block")
            .field("processing", &self.processing)
            .field("preparer", &self.preparer)
            .field("transactions", &self.transactions.len())
            .field("first_record", &self.first_record)
            .finish_non_exhaustive()
    }
}

impl EnvelopeCodec<'_> {
    /// Reads a batch. A fault in batch control keeps the blocks from being looked at, one in a block
    /// keeps all transactions from being looked at, and the first one in a transaction ends it
    /// (B&B-34 to B&B-36).
    #[must_use]
    pub fn read_batch(&self, batch: &RawBatch, directory: &dyn Directory) -> BatchReading {
        let mut found = Found::default();
        let split = split(batch, &mut found);
        let mut reading = self.control_records(batch, &split);
        lengths(batch, &mut found);
        let checks = Checks {
            codec: self,
            directory,
            e_manifest: reading.e_manifest,
            application: &reading.application,
            sender: &reading.sender,
        };
        if let Some(header) = &reading.header {
            checks.batch_header(header, &mut found);
            if let Some(trailer) = &reading.trailer {
                checks.batch_trailer(header, trailer, &mut found);
            }
        }
        if found.is_empty() {
            for (number, (block, rows)) in (1..).zip(reading.blocks.iter().zip(&split.blocks)) {
                if let (Some(header), Some(trailer)) = (&block.header, &block.trailer) {
                    let details = rows.details.len();
                    checks.block(&ControlRows { block: number, header, trailer, details }, &mut found);
                }
            }
        }
        if found.is_empty() {
            self.read_transactions(batch, &split, &mut reading, &mut found);
        }
        reading.conditions = found.into_sorted();
        reading
    }

    /// Finds out the family, and puts the control records into upper case, user data apart.
    fn control_records(&self, batch: &RawBatch, split: &Split) -> BatchReading {
        let header = split.header.and_then(|index| self.header.read(&batch.rows[index]));
        let blocks = split.blocks.iter().map(|rows| self.block_control(batch, rows)).collect::<Vec<_>>();
        let named = header.as_ref().map_or("", |header| header.application.as_str());
        let first_block = blocks.first().and_then(|block| block.header.as_ref());
        let in_block = first_block.map_or("", |row| self.block.application.text(row));
        let e_manifest = self.is_e_manifest(if named.is_empty() { in_block } else { named });
        BatchReading {
            sender: header.as_ref().map(|header| header.sender.clone()).unwrap_or_default(),
            application: if named.is_empty() && e_manifest { in_block } else { named }.to_owned(),
            e_manifest,
            header: header.map(|header| header.row),
            trailer: split.trailer.map(|index| upper(&batch.rows[index], None)),
            blocks,
            ..BatchReading::default()
        }
    }

    fn block_control(&self, batch: &RawBatch, rows: &BlockRows) -> Block {
        let header = upper(&batch.rows[rows.header], Some(self.block.user_data));
        Block {
            first_record: rows.header as u32 + 1,
            answered: 0,
            trailer: rows.trailer.map(|index| upper(&batch.rows[index], None)),
            ..self.read_block_header(&header)
        }
    }

    /// The parties that a B-record in upper case names, as a block without transactions.
    #[must_use]
    pub fn read_block_header(&self, header: &Columns) -> Block {
        let names_preparer = !self.block.preparer.is_blank(header);
        Block {
            processing: self.block.processing.party(header),
            preparer: names_preparer.then(|| self.block.preparer.party(header)),
            preparer_indicator: self.block.preparer_indicator.text(header).to_owned(),
            header: Some(*header),
            ..Block::default()
        }
    }

    fn read_transactions(
        &self,
        batch: &RawBatch,
        split: &Split,
        reading: &mut BatchReading,
        found: &mut Found,
    ) {
        // An application without a map has been refused as not available.
        let Some((identifier, automaton)) = self.applications.get(reading.application.as_str()) else {
            return;
        };
        let mut assembler =
            Assembler::new(identifier.clone(), automaton).with_limit(batch.records_per_transaction);
        for (number, (block, rows)) in (1..).zip(reading.blocks.iter_mut().zip(&split.blocks)) {
            let Err(trouble) = self.read_block(&mut assembler, batch, rows, block) else { continue };
            let Trouble { transaction, record, what } = trouble;
            let place = |column| Place::Transaction { block: number, transaction, record, column };
            match what {
                What::Character { column } => found.add(place(column), "X40"),
                What::Filler { column } => found.add(place(column), "X39"),
                What::Structure(fault) if self.is_own(fault.condition()) => {
                    found.add_code(place(0), fault.condition());
                }
                What::Structure(fault) => {
                    let application = reading.application.clone();
                    reading.structure_fault =
                        Some(StructureFault { application, fault, block: number, transaction, record });
                }
            }
            break;
        }
        if !found.is_empty() || reading.structure_fault.is_some() {
            reading.blocks.iter_mut().for_each(|block| block.transactions.clear());
        }
    }

    /// Whether a condition is one of the envelope.
    fn is_own(&self, code: ConditionCode) -> bool {
        self.grammar.conditions().get("*", code).is_some()
    }

    /// Reads a block's transactions up to the first fault.
    fn read_block(
        &self,
        assembler: &mut Assembler<'_>,
        batch: &RawBatch,
        rows: &BlockRows,
        block: &mut Block,
    ) -> Result<(), Trouble> {
        let mut finished = None;
        for index in rows.details.clone() {
            let row = upper(&batch.rows[index], None);
            let record = index as u32 + 1;
            let pushed = assembler.push(&row, u64::from(record), &mut finished);
            self.take(finished.take(), block)?;
            let transaction = block.transactions.len() as u32 + 1;
            if let Some(column) = Self::nonstandard(&row) {
                return Err(Trouble { transaction, record, what: What::Character { column } });
            }
            if let Err(fault) = pushed {
                // One without its header stands behind one that has ended, unless it is the first.
                let ended = matches!(fault, Fault::HeaderMissing { .. }) && index > rows.details.start;
                let transaction = transaction + u32::from(ended);
                return Err(Trouble { transaction, record, what: What::Structure(fault) });
            }
        }
        let last = assembler.finish().map_err(|fault| Trouble {
            transaction: block.transactions.len() as u32 + 1,
            record: rows.details.end as u32,
            what: What::Structure(fault),
        })?;
        self.take(last, block)
    }

    /// Keeps a transaction whose fillers hold nothing.
    fn take(&self, finished: Option<Transaction>, block: &mut Block) -> Result<(), Trouble> {
        let Some(found) = finished else { return Ok(()) };
        let first = found.first_record() as u32;
        let transaction = block.transactions.len() as u32 + 1;
        for (record, (row, node)) in (first..).zip(found.rows().iter().zip(found.nodes())) {
            if let Some(column) = self.filled_filler(node.layout, row) {
                return Err(Trouble { transaction, record, what: What::Filler { column } });
            }
        }
        block.transactions.push(found);
        Ok(())
    }
}

/// CBP turns lower case letters into upper case before it looks at them (B&B-8), but what is the
/// sender's own comes back as it was.
fn upper(row: &Columns, user_data: Option<Cell>) -> Columns {
    let mut folded = *row;
    folded.make_ascii_uppercase();
    if let Some(cell) = user_data {
        let columns = cell.first_column() - 1..cell.last_column();
        folded[columns.clone()].copy_from_slice(&row[columns]);
    }
    folded
}
