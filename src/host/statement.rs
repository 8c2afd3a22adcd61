//! The preliminary statement that a summary asks to stand on (ESF-174 to ESF-176, 216).

use std::collections::HashMap;

use crate::grammar::{Cell, Direction, Grammar, UnknownName};
use crate::store::StatementKey;
use crate::wire::Columns;

/// The list of payment types; its column `grouping` says what the summaries of a statement share.
const LIST: &str = "ae_payment_type";
/// The words of that column for statements of one importer, and for those that leave out his suffix.
const BY_IMPORTER: &str = "importer";
const WITHOUT_SUFFIX: &str = "without suffix";

/// The fields that decide on which statement a summary stands.
#[derive(Debug)]
pub(super) struct StatementCells {
    header: (String, [Cell; 3]),
    importer: (String, Cell),
    /// What the summaries of a statement share, by payment type.
    grouping: HashMap<String, String>,
}

impl StatementCells {
    pub(super) fn new(grammar: &Grammar) -> Result<Self, UnknownName> {
        let list = grammar.list(LIST).ok_or_else(|| UnknownName(format!("no list {LIST}")))?;
        let grouping = list.rows().iter().filter_map(|row| {
            let grouping = list.cell(row, "grouping").filter(|grouping| !grouping.is_empty())?;
            Some((row.first()?.clone(), grouping.to_owned()))
        });
        let (header, content) = (
            grammar.find("AE", Direction::Input, "10", "")?,
            grammar.find("AE", Direction::Input, "11", "")?,
        );
        let cells = [
            header.cell("entry_filer_code")?,
            header.cell("payment_type_code")?,
            header.cell("preliminary_statement_print_date")?,
        ];
        Ok(Self {
            header: (header.record.clone(), cells),
            importer: (content.record.clone(), content.cell("importer_of_record_number")?),
            grouping: grouping.collect(),
        })
    }

    /// The statement of a summary; none if it asks for none.
    pub(super) fn read(&self, rows: &[Columns]) -> Option<StatementKey> {
        let row = |record: &str| rows.iter().find(|row| row.starts_with(record.as_bytes()));
        let (record, [filer, payment_type, date]) = &self.header;
        let header = row(record)?;
        let payment_type = payment_type.value(header)?;
        let grouping = self.grouping.get(payment_type)?;
        let mut importer = "";
        if grouping.contains(BY_IMPORTER) {
            importer = row(&self.importer.0).map_or("", |row| self.importer.1.text(row));
            if grouping.contains(WITHOUT_SUFFIX) {
                importer = without_suffix(importer);
            }
        }
        Some(StatementKey {
            filer: filer.text(header).to_owned(),
            print_date: date.date(header).ok().flatten()?,
            payment_type: payment_type.to_owned(),
            importer: importer.to_owned(),
        })
    }
}

/// An IRS number, `NN-NNNNNNNXX`, without its suffix; other numbers have none (ESF-136).
fn without_suffix(importer: &str) -> &str {
    match importer.split_at_checked(10) {
        Some((number, _)) if importer.as_bytes().get(2) == Some(&b'-') => number,
        _ => importer,
    }
}
