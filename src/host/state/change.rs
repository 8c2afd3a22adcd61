//! What a correction changes in the header of a summary, told by the reasons that stand for it
//! (ESF-185, ESF-223; list `ae_psc_header_data`).

use std::collections::{BTreeMap, BTreeSet};

use crate::grammar::{Cell, Direction, Grammar, UnknownName};
use crate::model::HtsNumber;
use crate::tariff::Tariff;
use crate::wire::Columns;

/// The list of header data that count, and the reason that stands for each.
const LIST: &str = "ae_psc_header_data";

/// The fields whose change counts: those of the header that need a reason, and the tariff numbers with
/// their duty.
#[derive(Debug)]
pub(in crate::host) struct ComparedData {
    header: Vec<Datum>,
    tariff: (String, Cell, Cell),
}

#[derive(Debug)]
struct Datum {
    /// What the record begins with.
    record: String,
    cell: Cell,
    reason: String,
}

impl ComparedData {
    pub(in crate::host) fn new(grammar: &Grammar) -> Result<Self, UnknownName> {
        let list = grammar.list(LIST).ok_or_else(|| UnknownName(format!("no list {LIST}")))?;
        let datum = |row: &Vec<String>| {
            let text = |column| list.cell(row, column).unwrap_or_default();
            let layout = grammar.find("AE", Direction::Input, text("record"), "")?;
            let cell = layout.cell(text("field"))?;
            Ok(Datum { record: text("record").to_owned(), cell, reason: text("reason").to_owned() })
        };
        let header = list.rows().iter().map(datum).collect::<Result<_, UnknownName>>()?;
        let layout = grammar.find("AE", Direction::Input, "50", "")?;
        let tariff = (layout.record.clone(), layout.cell("hts_number")?, layout.cell("duty_amount")?);
        Ok(Self { header, tariff })
    }

    /// Whether the numbers of the emergency tariffs (IEEPA), or the duty on them, differ. Which numbers
    /// these are is said by the tariff that comes with the program.
    pub(super) fn ieepa_differs(&self, before: &[Columns], after: &[Columns]) -> bool {
        let Ok(tariff) = Tariff::builtin() else { return false };
        let (record, number, duty) = &self.tariff;
        let counted = |rows: &[Columns]| {
            let mut counted = BTreeMap::<(String, String), u32>::new();
            for row in rows.iter().filter(|row| row.starts_with(record.as_bytes())) {
                let text = number.text(row);
                if HtsNumber::new(text).is_ok_and(|number| tariff.headings().is_ieepa(number)) {
                    *counted.entry((text.to_owned(), duty.text(row).to_owned())).or_default() += 1;
                }
            }
            counted
        };
        counted(before) != counted(after)
    }

    /// The reasons for which data differ, each once, a space between them.
    pub(super) fn changes(&self, before: &[Columns], after: &[Columns]) -> String {
        let differs = |datum: &&Datum| !datum.values(before).eq(datum.values(after));
        let reasons = self.header.iter().filter(differs).map(|datum| datum.reason.as_str());
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
