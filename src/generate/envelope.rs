//! Control records around generated transactions, input and output form.

use std::collections::HashMap;

use jiff::civil::Date;

use super::dice::Dice;
use super::value;
use crate::grammar::{Application, Designation, Direction, Grammar, Layout, Values};
use crate::host::World;
use crate::rules::BlockInfo;
use crate::wire::Columns;

/// The application under which the grammar keeps the envelope's records.
const ENVELOPE: &str = "*";
/// The variants of control records: e-Manifest applications and all others.
const FAMILIES: [&str; 2] = ["eman", "esar"];

/// Who transmits.
#[derive(Clone, Debug, Default)]
pub(super) struct Transmitter {
    pub(super) site: String,
    pub(super) id: String,
    pub(super) password: String,
}

/// The control records of every batch of a run.
pub(super) struct Envelope<'g> {
    direction: Direction,
    e_manifest: bool,
    grammar: &'g Grammar,
    world: &'g World,
    application: String,
    texts: HashMap<&'static str, String>,
    date: Date,
}

impl<'g> Envelope<'g> {
    pub(super) fn new(
        grammar: &'g Grammar,
        world: &'g World,
        application: &Application,
        transmitter: Transmitter,
        block: &BlockInfo,
        date: Date,
    ) -> Self {
        let mut texts = HashMap::from([
            ("sender_receiver_site_code", transmitter.site),
            ("sender_receiver_id_code", transmitter.id),
            ("application_identifier_code", application.code.clone()),
            ("processing_district_port_code", block.port.clone()),
            ("processing_filer_code", block.filer.clone()),
        ]);
        if application.direction == Direction::Input {
            texts.insert("communication_password", transmitter.password);
        }
        Self {
            direction: application.direction,
            e_manifest: application.e_manifest,
            application: application.code.clone(),
            grammar,
            world,
            texts,
            date,
        }
    }

    /// A control record of a block with so many records. Half of the batches have data of the sender's own.
    pub(super) fn row(&self, record: &str, records: usize, dice: &mut Dice) -> Option<Columns> {
        let layout = self.layout(record)?;
        let mut row = layout.blank();
        for field in layout.fields.iter().filter(|field| !field.is_filler()) {
            let listed = value::codes(self.grammar, self.world, field);
            let name = field.name.as_str();
            if name == "transmission_date" {
                // Dates of today's century fit.
                let _ = field.cell.put_date(&mut row, self.date);
            } else if name.ends_with("_transaction_image_count") {
                value::put_number(field, records as u64, &mut row);
            } else if name.ends_with("_user_data_text") {
                if dice.chance(0.5) {
                    value::random(field, self.date, &mut row, dice);
                }
            } else if let Some(text) = self.texts.get(name) {
                let named = listed.is_empty() || listed.contains(text);
                if named && (field.designation == Designation::Mandatory || !self.is_left_out(name)) {
                    value::put(field, text, &mut row);
                }
            } else if layout.variant == "statement"
                && !name.starts_with("preparer")
                && !matches!(field.values, Values::Constant(_))
            {
                match dice.pick(&listed) {
                    Some(code) => value::put(field, code, &mut row),
                    None => value::random(field, self.date, &mut row, dice),
                }
            }
        }
        Some(row)
    }

    /// The answers of the e-Manifest family name no application in their A-record.
    fn is_left_out(&self, name: &str) -> bool {
        name == "application_identifier_code" && self.e_manifest && self.direction == Direction::Output
    }

    fn layout(&self, record: &str) -> Option<&'g Layout> {
        let other = FAMILIES[usize::from(self.e_manifest)];
        let own = |layout: &&Layout| layout.variant != other;
        let mut layouts = self.grammar.variants(ENVELOPE, self.direction, record).filter(own);
        layouts.find(|layout| {
            layout.deciding.iter().all(|index| {
                let field = &layout.fields[*index];
                let named = field.name == "application_identifier_code";
                named && matches!(&field.values, Values::OneOf(codes) if codes.contains(&self.application))
            })
        })
    }
}
