//! Entry summaries from and to records.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use super::agency::AgencyPlaces;
use super::header::FilingPlace;
use super::part::{Part, Reader, Writer};
use super::place::Names;
use super::problem::{DecodeProblem, EncodeProblem};
use crate::grammar::{Direction, Grammar, UnknownName};
use crate::message::Transaction;
use crate::model::{EntrySummaryFiling, Line};
use crate::wire::{Columns, RECORD_LENGTH};

/// The application identifier of entry summary filings.
pub(super) const APPLICATION: &str = "AE";

/// Translates entry summary filings both ways. All names are resolved when it is made.
pub struct EntrySummaryCodec {
    filing: FilingPlace,
    agency: AgencyPlaces,
}

impl fmt::Debug for EntrySummaryCodec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EntrySummaryCodec").finish_non_exhaustive()
    }
}

impl EntrySummaryCodec {
    /// The application identifier of what it translates.
    pub const APPLICATION: &str = APPLICATION;

    /// A codec by a grammar.
    ///
    /// # Errors
    /// The grammar lacks a record or field of the model, or the field is not as wide as the model's
    /// type, or is not an indicator where the model has one.
    pub fn new(grammar: &Grammar) -> Result<Self, UnknownName> {
        let (structure, automaton) = grammar
            .structure(APPLICATION, Direction::Input)
            .ok_or_else(|| UnknownName(format!("no structure {APPLICATION} in")))?;
        let bound = RefCell::new(BTreeSet::new());
        let names = Names::new(grammar, automaton, APPLICATION, &bound);
        let filing = EntrySummaryFiling::place(&names, header_record(automaton))?;
        let agency = AgencyPlaces::new(&names, &structure.root, &bound.borrow())?;
        Ok(Self { filing, agency })
    }

    /// The filing that a transaction's records make. Spaces before numbers are zeros; blank and zero
    /// stay apart where the model has an option.
    ///
    /// # Errors
    /// Every field that the model cannot hold, fillers that are not blank, and gaps in rows of values.
    pub fn decode(&self, transaction: &Transaction) -> Result<EntrySummaryFiling, Vec<DecodeProblem>> {
        let mut reader = Reader { transaction, position: 0, agency: &self.agency, problems: Vec::new() };
        let filing = match reader.next() {
            Some(next) if next == EntrySummaryFiling::symbol(&self.filing) => {
                EntrySummaryFiling::read(&self.filing, &mut reader)
            }
            _ => None,
        };
        while reader.next().is_some() {
            reader.misplaced();
        }
        match filing {
            Some(filing) if reader.problems.is_empty() => Ok(filing),
            _ => Err(reader.problems),
        }
    }

    /// The records of a filing in canonical form: numbers filled with zeros, texts to the left,
    /// spaces for what is absent, rows of values without gaps. Whether a record stands too often is
    /// for the structure map.
    ///
    /// # Errors
    /// The first value that its field cannot hold.
    pub fn encode(&self, filing: &EntrySummaryFiling) -> Result<Vec<Columns>, EncodeProblem> {
        let mut rows = Vec::new();
        self.encode_into(filing, &mut rows)?;
        Ok(rows)
    }

    /// Appends the records of a filing, as [`encode`](Self::encode) does.
    ///
    /// # Errors
    /// The first value that its field cannot hold; nothing is appended then.
    pub fn encode_into(
        &self,
        filing: &EntrySummaryFiling,
        rows: &mut Vec<Columns>,
    ) -> Result<(), EncodeProblem> {
        unambiguous(filing)?;
        let before = rows.len();
        let mut writer = Writer { rows, agency: &self.agency };
        filing.write(&self.filing, &mut writer).inspect_err(|_| rows.truncate(before))
    }
}

/// The record that every transaction begins with.
fn header_record(automaton: &crate::grammar::Automaton) -> &str {
    automaton.records().next().unwrap_or_default()
}

/// A ruling or description that follows an invoice is the invoice's as long as it may be one. The
/// chapter has a line report either invoices or a ruling and description of its own (ESF-76).
fn unambiguous(filing: &EntrySummaryFiling) -> Result<(), EncodeProblem> {
    let taken = |line: &&Line| match (line.invoices.last(), &line.ruling) {
        (None, _) => false,
        (Some(_), None) => !line.descriptions.is_empty(),
        (Some(invoice), Some(_)) => invoice.ruling.is_none() && invoice.descriptions.is_empty(),
    };
    match filing.lines.iter().enumerate().find(|(_, line)| taken(line)) {
        None => Ok(()),
        Some((at, line)) => Err(EncodeProblem {
            path: format!("lines[{at}].invoices").into(),
            record: String::new(),
            field: "invoices".to_owned(),
            columns: (1, RECORD_LENGTH),
            found: format!("line {} with invoices and a ruling or description of its own", line.identifier),
            expected: "one or the other".into(),
        }),
    }
}
