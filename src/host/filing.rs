//! What the host itself reads of an entry summary transaction: names resolved once, values by filing.

use jiff::civil::Date;

use crate::grammar::{Automaton, Cell, Direction, Grammar, Symbol, UnknownName};
use crate::message::Transaction;
use crate::store::EntryKey;
use crate::wire::Columns;

/// What a filing asks for (10-record, summary filing action request).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Action {
    /// Add, or replace where the broker reference is the one on file.
    Add,
    /// Add, or replace whatever the broker reference is.
    Replace,
    Delete,
}

impl Action {
    fn from_code(code: &str) -> Option<Self> {
        match code {
            "A" => Some(Self::Add),
            "R" => Some(Self::Replace),
            "D" => Some(Self::Delete),
            _ => None,
        }
    }
}

/// The warehouse entry that a filing withdraws from.
#[derive(Clone, Debug)]
pub(super) struct NamedWarehouse {
    pub(super) key: EntryKey,
    pub(super) is_final: bool,
}

/// An entry summary as filed, as far as the file decides on it. It holds the importer's number and has
/// no `Debug`.
#[derive(Clone)]
pub(super) struct Filing {
    /// None for an action that there is not.
    pub(super) action: Option<Action>,
    pub(super) key: EntryKey,
    pub(super) port: String,
    pub(super) entry_type: String,
    pub(super) broker_reference: String,
    /// Whether it is a post summary correction.
    pub(super) is_correction: bool,
    pub(super) is_reconciled: bool,
    pub(super) importer: String,
    pub(super) entry_date: Option<Date>,
    pub(super) import_date: Option<Date>,
    pub(super) warehouse: Option<NamedWarehouse>,
    pub(super) releases: Vec<EntryKey>,
}

/// The fields that a [`Filing`] is read from.
#[derive(Debug)]
pub(super) struct FilingCells {
    header: (Symbol, HeaderCells),
    content: (Symbol, [Cell; 3]),
    warehouse: (Symbol, [Cell; 3]),
    releases: (Symbol, Vec<(Cell, Cell)>),
}

#[derive(Debug)]
struct HeaderCells {
    action: Cell,
    filer: Cell,
    number: Cell,
    port: Cell,
    entry_type: Cell,
    broker_reference: Cell,
    correction: Cell,
    reconciliation: [Cell; 2],
}

impl FilingCells {
    pub(super) fn new(grammar: &Grammar, automaton: &Automaton) -> Result<Self, UnknownName> {
        let layout = |record| grammar.find("AE", Direction::Input, record, "");
        let symbol = |record: &str| {
            automaton
                .symbol(record)
                .ok_or_else(|| UnknownName(format!("structure AE has no record {record}")))
        };
        let (content, warehouse, release) = (layout("11")?, layout("30")?, layout("32")?);
        let mut releases = Vec::new();
        let item = |name: &str, item: usize| release.cell(&format!("{name}_{item}"));
        while let Ok(filer) = item("release_entry_filer_code", releases.len() + 1) {
            releases.push((filer, item("release_entry_number", releases.len() + 1)?));
        }
        Ok(Self {
            header: (symbol("10")?, HeaderCells::new(grammar)?),
            content: (
                symbol("11")?,
                [
                    content.cell("importer_of_record_number")?,
                    content.cell("estimated_entry_date")?,
                    content.cell("date_of_importation")?,
                ],
            ),
            warehouse: (
                symbol("30")?,
                [
                    warehouse.cell("associated_warehouse_entry_filer_code")?,
                    warehouse.cell("associated_warehouse_entry_number")?,
                    warehouse.cell("final_warehouse_withdrawal_indicator")?,
                ],
            ),
            releases: (symbol("32")?, releases),
        })
    }

    /// The position of the header record.
    pub(super) fn header_record(&self, transaction: &Transaction) -> u32 {
        transaction.records_of(self.header.0).first().copied().unwrap_or_default()
    }

    pub(super) fn read(&self, transaction: &Transaction) -> Filing {
        let row = |symbol| {
            let position = transaction.records_of(symbol).first()?;
            transaction.rows().get(*position as usize)
        };
        let header = self.header.1.read(row(self.header.0).unwrap_or(&BLANK));
        let content = row(self.content.0).unwrap_or(&BLANK);
        let [importer, entry_date, import_date] = &self.content.1;
        // A date that is none has been found out by its field.
        let date = |cell: &Cell| cell.date(content).ok().flatten();
        Filing {
            importer: importer.text(content).to_owned(),
            entry_date: date(entry_date),
            import_date: date(import_date),
            warehouse: row(self.warehouse.0).and_then(|row| self.read_warehouse(row)),
            releases: self.read_releases(transaction),
            ..header
        }
    }

    fn read_warehouse(&self, row: &Columns) -> Option<NamedWarehouse> {
        let [filer, number, is_final] = &self.warehouse.1;
        let key = EntryKey { filer: filer.value(row)?.to_owned(), number: number.value(row)?.to_owned() };
        Some(NamedWarehouse { key, is_final: !is_final.is_blank(row) })
    }

    fn read_releases(&self, transaction: &Transaction) -> Vec<EntryKey> {
        let mut releases = Vec::new();
        for &record in transaction.records_of(self.releases.0) {
            let row = &transaction.rows()[record as usize];
            for (filer, number) in &self.releases.1 {
                let (Some(filer), Some(number)) = (filer.value(row), number.value(row)) else { continue };
                releases.push(EntryKey { filer: filer.to_owned(), number: number.to_owned() });
            }
        }
        releases
    }
}

/// Stands for a record that does not.
const BLANK: Columns = [b' '; crate::wire::RECORD_LENGTH];

impl HeaderCells {
    fn new(grammar: &Grammar) -> Result<Self, UnknownName> {
        let header = grammar.find("AE", Direction::Input, "10", "")?;
        Ok(Self {
            action: header.cell("summary_filing_action_request_code")?,
            filer: header.cell("entry_filer_code")?,
            number: header.cell("entry_number")?,
            port: header.cell("district_port_of_entry")?,
            entry_type: header.cell("entry_type_code")?,
            broker_reference: header.cell("broker_reference_number")?,
            correction: header.cell("post_summary_correction_indicator")?,
            reconciliation: [
                header.cell("trade_agreement_reconciliation_indicator")?,
                header.cell("reconciliation_issue_code")?,
            ],
        })
    }

    /// A filing with the values of its header only.
    fn read(&self, row: &Columns) -> Filing {
        let text = |cell: Cell| cell.text(row).to_owned();
        Filing {
            action: Action::from_code(self.action.text(row)),
            key: EntryKey { filer: text(self.filer), number: text(self.number) },
            port: text(self.port),
            entry_type: text(self.entry_type),
            broker_reference: text(self.broker_reference),
            is_correction: !self.correction.is_blank(row),
            is_reconciled: self.reconciliation.iter().any(|cell| !cell.is_blank(row)),
            importer: String::new(),
            entry_date: None,
            import_date: None,
            warehouse: None,
            releases: Vec::new(),
        }
    }
}
