//! The warnings of a summary, as they are kept.

use jiff::Zoned;

use crate::grammar::{Cell, Direction, Grammar, LayoutId, Severity, UnknownName};
use crate::host::filing::Filing;
use crate::message::Transaction;
use crate::rules::Raised;
use crate::store::CensusWarning;
use crate::wire::Columns;

/// The fields of a summary that say where a warning stands.
#[derive(Debug)]
pub(in crate::host) struct WarningCells {
    line: (LayoutId, Cell),
    tariff: (LayoutId, Cell),
}

impl WarningCells {
    pub(in crate::host) fn new(grammar: &Grammar) -> Result<Self, UnknownName> {
        let cell = |record, field| {
            let layout = grammar.find("AE", Direction::Input, record, "")?;
            Ok::<_, UnknownName>((layout.id, layout.cell(field)?))
        };
        Ok(Self { line: cell("40", "line_item_identifier")?, tariff: cell("50", "hts_number")? })
    }

    /// The warnings among the conditions of an accepted filing.
    pub(in crate::host) fn of(
        &self,
        transaction: &Transaction,
        conditions: &[Raised],
        filing: &Filing,
        now: &Zoned,
    ) -> Vec<CensusWarning> {
        let warnings = conditions.iter().filter(|raised| raised.severity == Severity::CensusWarning);
        warnings
            .map(|raised| CensusWarning {
                entry: filing.key.clone(),
                port: filing.port.clone(),
                accepted: now.date(),
                line: named(transaction, raised, self.line),
                hts: named(transaction, raised, self.tariff),
                code: raised.code.to_string(),
            })
            .collect()
    }

    /// The line item identifiers of stored records.
    pub(in crate::host) fn lines<'a>(
        &self,
        grammar: &'a Grammar,
        records: &'a [Columns],
    ) -> impl Iterator<Item = &'a str> + use<'a> {
        let (layout, cell) = (grammar.layout(self.line.0), self.line.1);
        records.iter().filter(move |row| layout.matches(row)).map(move |row| cell.text(row))
    }
}

/// What a record on the way to a condition says.
fn named(transaction: &Transaction, raised: &Raised, (layout, cell): (LayoutId, Cell)) -> String {
    let mut records = raised.places.iter().map(|place| place.record as usize);
    let record = records.find(|&record| transaction.nodes()[record].layout == layout);
    record.map_or_else(String::new, |record| cell.text(&transaction.rows()[record]).to_owned())
}
