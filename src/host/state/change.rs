//! What a correction changes in the header of a summary, told by the reasons that stand for it
//! (ESF-185, ESF-223; list `ae_psc_header_data`).

use std::collections::BTreeSet;

use crate::grammar::{Cell, Direction, Grammar, UnknownName};
use crate::wire::Columns;

/// The list of header data that count, and the reason that stands for each.
const LIST: &str = "ae_psc_header_data";

/// The fields of the header whose change needs a reason.
#[derive(Debug)]
pub(in crate::host) struct HeaderData(Vec<Datum>);

#[derive(Debug)]
struct Datum {
    /// What the record begins with.
    record: String,
    cell: Cell,
    reason: String,
}

impl HeaderData {
    pub(in crate::host) fn new(grammar: &Grammar) -> Result<Self, UnknownName> {
        let list = grammar.list(LIST).ok_or_else(|| UnknownName(format!("no list {LIST}")))?;
        let datum = |row: &Vec<String>| {
            let text = |column| list.cell(row, column).unwrap_or_default();
            let layout = grammar.find("AE", Direction::Input, text("record"), "")?;
            let cell = layout.cell(text("field"))?;
            Ok(Datum { record: text("record").to_owned(), cell, reason: text("reason").to_owned() })
        };
        list.rows().iter().map(datum).collect::<Result<_, _>>().map(Self)
    }

    /// The reasons for which data differ, each once, a space between them.
    pub(super) fn changes(&self, before: &[Columns], after: &[Columns]) -> String {
        let differs = |datum: &&Datum| !datum.values(before).eq(datum.values(after));
        let reasons = self.0.iter().filter(differs).map(|datum| datum.reason.as_str());
        reasons.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
    }
}

impl Datum {
    /// The values in all records of the kind; a missing record is none, and so is a blank.
    fn values<'a>(&'a self, rows: &'a [Columns]) -> impl Iterator<Item = &'a str> {
        let of_kind = rows.iter().filter(|row| row.starts_with(self.record.as_bytes()));
        of_kind.filter_map(|row| self.cell.value(row))
    }
}
