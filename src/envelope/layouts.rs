//! The envelope's layouts, resolved once by name.

use std::collections::HashMap;

use super::directory::Party;
use crate::grammar::{ALL_COLUMNS, Automaton, Bits, Cell, Direction, Grammar, Layout, LayoutId, UnknownName};
use crate::message::Identifier;
use crate::wire::Columns;

/// How many characters at the end of the transmitter's user data come back to the e-Manifest family
/// (B&B-11, note 5).
const E_MANIFEST_USER_DATA: usize = 11;

/// The code list of applications that take one block in a batch (X41).
const SINGLE_BLOCK_LIST: &str = "single_block_applications";

/// Reads and writes the envelope of every application that a grammar has.
#[derive(Debug)]
pub struct EnvelopeCodec<'g> {
    pub(super) grammar: &'g Grammar,
    pub(super) header: HeaderCells,
    pub(super) esar: Family<'g>,
    pub(super) e_manifest: Family<'g>,
    pub(super) block: BlockHeaderCells<'g>,
    pub(super) output: OutputLayouts<'g>,
    /// The structure and the records of every input application that has a map.
    pub(super) applications: HashMap<&'g str, (Identifier<'g>, &'g Automaton)>,
    /// The filler columns that must be spaces, one mask a layout.
    fillers: HashMap<LayoutId, u128>,
}

/// Where an A-record says who sends. The two families put it into the same columns: which family it is
/// shows only once it has been read.
#[derive(Clone, Copy, Debug)]
pub struct HeaderCells {
    pub(super) site: Cell,
    pub(super) id: Cell,
    pub(super) office: Cell,
    pub(super) password: Cell,
    pub(super) application: Cell,
    pub(super) user_data: Cell,
}

impl HeaderCells {
    /// Resolves the names of its fields.
    ///
    /// # Errors
    /// The grammar lacks one of them.
    pub fn new(grammar: &Grammar) -> Result<Self, UnknownName> {
        let layout = grammar.find("*", Direction::Input, "A", "esar")?;
        Ok(Self {
            site: layout.cell("sender_receiver_site_code")?,
            id: layout.cell("sender_receiver_id_code")?,
            office: layout.cell("sender_receiver_office_code")?,
            password: layout.cell("communication_password")?,
            application: layout.cell("application_identifier_code")?,
            user_data: layout.cell("transmitters_user_data_text")?,
        })
    }
}

/// The control records of one of the two families, ESAR and e-Manifest.
#[derive(Debug)]
pub(super) struct Family<'g> {
    pub(super) header: BatchCells<'g>,
    pub(super) trailer: BatchCells<'g>,
    pub(super) block_trailer: BlockTrailerCells<'g>,
    pub(super) output_header: BatchCells<'g>,
    pub(super) output_trailer: BatchCells<'g>,
    /// Whether the application and the start of the user data stay out of the answer's A-record.
    pub(super) is_e_manifest: bool,
}

/// An A- or Z-record.
#[derive(Debug)]
pub(super) struct BatchCells<'g> {
    pub(super) layout: &'g Layout,
    pub(super) site: Cell,
    pub(super) id: Cell,
    pub(super) office: Cell,
    pub(super) date: Cell,
    pub(super) password: Option<Cell>,
    /// A-records only.
    pub(super) application: Option<Cell>,
    pub(super) user_data: Option<Cell>,
}

/// A B-record.
#[derive(Debug)]
pub(super) struct BlockHeaderCells<'g> {
    pub(super) layout: &'g Layout,
    pub(super) processing: PartyCells,
    pub(super) preparer: PartyCells,
    pub(super) preparer_indicator: Cell,
    pub(super) application: Cell,
    pub(super) user_data: Cell,
}

/// A Y-record.
#[derive(Debug)]
pub(super) struct BlockTrailerCells<'g> {
    pub(super) layout: &'g Layout,
    pub(super) processing: PartyCells,
    pub(super) application: Cell,
    /// How many records the block has; e-Manifest inputs and all outputs.
    pub(super) count: Option<Cell>,
}

#[derive(Debug)]
pub(super) struct PartyCells {
    pub(super) port: Cell,
    pub(super) filer: Cell,
    pub(super) office: Cell,
}

/// Records of answers that both families share.
#[derive(Debug)]
pub(super) struct OutputLayouts<'g> {
    pub(super) block_header: BlockHeaderCells<'g>,
    pub(super) block_trailer: BlockTrailerCells<'g>,
    pub(super) generated_header: &'g Layout,
    pub(super) generated_block_trailer: (&'g Layout, Cell),
    pub(super) generated_trailer: &'g Layout,
    pub(super) block_reference: (BlockHeaderCells<'g>, Cell),
    pub(super) transaction_reference: TransactionReferenceCells<'g>,
    pub(super) disposition: DispositionCells<'g>,
}

/// An X0-record that points at a transaction.
#[derive(Debug)]
pub(super) struct TransactionReferenceCells<'g> {
    pub(super) layout: &'g Layout,
    pub(super) occurrence: Cell,
    pub(super) record: Cell,
    pub(super) column: Cell,
}

/// An X1-record.
#[derive(Debug)]
pub(super) struct DispositionCells<'g> {
    pub(super) layout: &'g Layout,
    pub(super) disposition: Cell,
    pub(super) condition: Cell,
    pub(super) narrative: Cell,
}

impl<'g> EnvelopeCodec<'g> {
    /// Resolves the names of the envelope's fields.
    ///
    /// # Errors
    /// The grammar lacks one of them.
    pub fn new(grammar: &'g Grammar) -> Result<Self, UnknownName> {
        let mut applications = HashMap::new();
        for (structure, automaton) in grammar.structures() {
            if structure.direction == Direction::Input {
                let code = structure.application.as_str();
                let identifier = Identifier::new(grammar, code, Direction::Input, automaton);
                applications.insert(code, (identifier, automaton));
            }
        }
        let find = |direction, record, variant| grammar.find("*", direction, record, variant);
        Ok(Self {
            grammar,
            header: HeaderCells::new(grammar)?,
            esar: Family::new(grammar, "esar", false)?,
            e_manifest: Family::new(grammar, "eman", true)?,
            block: BlockHeaderCells::new(find(Direction::Input, "B", "")?)?,
            output: OutputLayouts::new(grammar)?,
            applications,
            fillers: grammar.layouts().iter().map(|layout| (layout.id, filler_mask(layout))).collect(),
        })
    }

    /// The layouts of an input's A-, B-, Y- and Z-record.
    #[must_use]
    pub fn input_layouts(&self, application: &str) -> [&'g Layout; 4] {
        let family = self.family(self.is_e_manifest(application));
        [family.header.layout, self.block.layout, family.block_trailer.layout, family.trailer.layout]
    }

    pub(super) fn family(&self, e_manifest: bool) -> &Family<'g> {
        if e_manifest { &self.e_manifest } else { &self.esar }
    }

    /// Whether the code is one that inputs may have.
    pub(super) fn is_input_application(&self, code: &str) -> bool {
        self.grammar.application(code).is_some_and(|known| known.direction == Direction::Input)
    }

    pub(super) fn is_e_manifest(&self, code: &str) -> bool {
        self.grammar.application(code).is_some_and(|known| known.e_manifest)
    }

    pub(super) fn takes_one_block(&self, application: &str) -> bool {
        self.grammar.list(SINGLE_BLOCK_LIST).is_some_and(|list| list.contains(application))
    }

    /// The first column, from 1, that holds a character of no standard keyboard.
    pub(super) fn nonstandard(row: &Columns) -> Option<u8> {
        first_column(Bits::of(row).nonstandard())
    }

    /// The first column, from 1, of a filler that holds something; what is not standard apart.
    pub(super) fn filled_filler(&self, layout: LayoutId, row: &Columns) -> Option<u8> {
        let bits = Bits::of(row);
        let mask = self.fillers.get(&layout).copied().unwrap_or_default();
        first_column(mask & ALL_COLUMNS & !bits.space & !bits.nonstandard())
    }
}

fn first_column(mask: u128) -> Option<u8> {
    (mask != 0).then(|| mask.trailing_zeros() as u8 + 1)
}

/// The chapters print a few fillers with class X, and say that they are spaces.
fn filler_mask(layout: &Layout) -> u128 {
    let mut mask = 0;
    for field in layout.fields.iter().filter(|field| field.is_filler()) {
        for column in field.cell.first_column()..=field.cell.last_column() {
            mask |= 1 << (column - 1);
        }
    }
    mask
}

impl<'g> Family<'g> {
    fn new(grammar: &'g Grammar, variant: &str, is_e_manifest: bool) -> Result<Self, UnknownName> {
        let find = |direction, record| grammar.find("*", direction, record, variant);
        Ok(Self {
            header: BatchCells::new(find(Direction::Input, "A")?)?,
            trailer: BatchCells::new(find(Direction::Input, "Z")?)?,
            block_trailer: BlockTrailerCells::new(find(Direction::Input, "Y")?)?,
            output_header: BatchCells::new(find(Direction::Output, "A")?)?,
            output_trailer: BatchCells::new(find(Direction::Output, "Z")?)?,
            is_e_manifest,
        })
    }

    /// The columns of the user data that come back.
    pub(super) fn returned_user_data<'r>(&self, row: &'r Columns) -> &'r [u8] {
        let text = self.header.user_data.map_or(&[][..], |cell| cell.raw(row));
        let kept = if self.is_e_manifest { E_MANIFEST_USER_DATA } else { text.len() };
        &text[text.len().saturating_sub(kept)..]
    }
}

/// The place of a field that only some variants of a record have.
fn optional(layout: &Layout, name: &str) -> Option<Cell> {
    layout.field(name).map(|field| field.cell)
}

impl<'g> BatchCells<'g> {
    fn new(layout: &'g Layout) -> Result<Self, UnknownName> {
        Ok(Self {
            layout,
            site: layout.cell("sender_receiver_site_code")?,
            id: layout.cell("sender_receiver_id_code")?,
            office: layout.cell("sender_receiver_office_code")?,
            date: layout.cell("transmission_date")?,
            password: optional(layout, "communication_password"),
            application: optional(layout, "application_identifier_code"),
            user_data: optional(layout, "transmitters_user_data_text"),
        })
    }

    pub(super) fn application<'r>(&self, row: &'r Columns) -> &'r str {
        self.application.map_or("", |cell| cell.text(row))
    }
}

impl<'g> BlockHeaderCells<'g> {
    fn new(layout: &'g Layout) -> Result<Self, UnknownName> {
        Ok(Self {
            layout,
            processing: PartyCells::processing(layout)?,
            preparer: PartyCells {
                port: layout.cell("preparer_district_port_code")?,
                filer: layout.cell("preparer_filer_code")?,
                office: layout.cell("preparer_office_code")?,
            },
            preparer_indicator: layout.cell("preparer_indicator")?,
            application: layout.cell("application_identifier_code")?,
            user_data: layout.cell("filer_preparers_user_data_text")?,
        })
    }
}

impl<'g> BlockTrailerCells<'g> {
    fn new(layout: &'g Layout) -> Result<Self, UnknownName> {
        Ok(Self {
            layout,
            processing: PartyCells::processing(layout)?,
            application: layout.cell("application_identifier_code")?,
            count: optional(layout, "input_transaction_image_count")
                .or_else(|| optional(layout, "output_transaction_image_count")),
        })
    }
}

impl PartyCells {
    fn processing(layout: &Layout) -> Result<Self, UnknownName> {
        Ok(Self {
            port: layout.cell("processing_district_port_code")?,
            filer: layout.cell("processing_filer_code")?,
            office: layout.cell("processing_filer_office_code")?,
        })
    }

    pub(super) fn party(&self, row: &Columns) -> Party {
        let text = |cell: Cell| cell.text(row).to_owned();
        Party { port: text(self.port), filer: text(self.filer), office: text(self.office) }
    }

    pub(super) fn is_blank(&self, row: &Columns) -> bool {
        [self.port, self.filer, self.office].iter().all(|cell| cell.is_blank(row))
    }
}

impl<'g> OutputLayouts<'g> {
    fn new(grammar: &'g Grammar) -> Result<Self, UnknownName> {
        let find = |record, variant| grammar.find("*", Direction::Output, record, variant);
        let block_trailer = find("Y", "ace_generated")?;
        let block_reference = find("X0", "block")?;
        let transaction_reference = find("X0", "trnact")?;
        let disposition = find("X1", "")?;
        Ok(Self {
            block_header: BlockHeaderCells::new(find("B", "response")?)?,
            block_trailer: BlockTrailerCells::new(find("Y", "response")?)?,
            generated_header: find("B", "ace_generated")?,
            generated_block_trailer: (block_trailer, block_trailer.cell("output_transaction_image_count")?),
            generated_trailer: find("Z", "ace_generated")?,
            block_reference: (
                BlockHeaderCells::new(block_reference)?,
                block_reference.cell("occurrence_position")?,
            ),
            transaction_reference: TransactionReferenceCells {
                layout: transaction_reference,
                occurrence: transaction_reference.cell("occurrence_position")?,
                record: transaction_reference.cell("record_position_in_batch")?,
                column: transaction_reference.cell("position_in_record")?,
            },
            disposition: DispositionCells {
                layout: disposition,
                disposition: disposition.cell("disposition_type_code")?,
                condition: disposition.cell("condition_code")?,
                narrative: disposition.cell("narrative_text")?,
            },
        })
    }
}
