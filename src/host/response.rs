//! AX: the answer to an entry summary (entry summary chapter, ESF-192 to ESF-211).

use std::collections::HashMap;

use crate::grammar::{
    Cell, ConditionCode, Direction, Fault, Grammar, Layout, PutError, Severity, UnknownName,
};
use crate::message::Transaction;
use crate::rules::{Place, Raised};
use crate::store::Version;
use crate::wire::Columns;

/// The codes of final dispositions. 995, 996 and 999 are printed; 997 and 998 are assumed after the
/// TIB chapter, since this one prints their texts without a code.
const ADDED: &str = "995";
const REPLACED: &str = "996";
const DELETED: &str = "997";
const TRANSACTION_REJECTED: &str = "998";
const BATCH_REJECTED: &str = "999";
const SYSTEM_FAILURE: &str = "ZZZ";
/// Says which record a fault of structure was found at.
const WHERE: &str = "A03";

/// The signpost that begins every answer.
const SUMMARY: &str = "SUMMRY";
/// The layout of partner agency signposts, which are named after their records.
const AGENCY_VARIANT: &str = "pga";
const REFERENCE_LIST: &str = "ae_e0_reference";

/// What is said of a transaction in each record of its answer.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// The position of the header record.
    pub(super) record: u32,
    /// The transaction in its block, from 1.
    pub(super) number: u32,
    pub(super) filer: String,
    pub(super) entry_number: String,
    pub(super) broker_reference: String,
}

/// How a transaction ended.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) conditions: Vec<Raised>,
    /// The broker reference on file, where a required match failed (ESF-206, note 4).
    pub(super) shown_reference: Option<String>,
    is_accepted: bool,
    code: &'static str,
    version: Option<Version>,
}

impl Verdict {
    pub(super) fn added(version: Version) -> Self {
        Self::new(true, ADDED, Some(version))
    }

    pub(super) fn replaced(version: Version) -> Self {
        Self::new(true, REPLACED, Some(version))
    }

    pub(super) fn deleted() -> Self {
        Self::new(true, DELETED, None)
    }

    pub(super) fn rejected() -> Self {
        Self::new(false, TRANSACTION_REJECTED, None)
    }

    fn new(is_accepted: bool, code: &'static str, version: Option<Version>) -> Self {
        Self { conditions: Vec::new(), shown_reference: None, is_accepted, code, version }
    }

    /// The severity of the final record: that of the gravest condition, where a partner agency's
    /// warning stands above one of Census (ESF-205, notes 2 and 3).
    fn severity(&self) -> Option<Severity> {
        if !self.is_accepted {
            return Some(Severity::Fatal);
        }
        [Severity::AgencyWarning, Severity::CensusWarning, Severity::Informational]
            .into_iter()
            .find(|severity| self.conditions.iter().any(|raised| raised.severity == *severity))
    }
}

/// Writes E0- and E1-records.
#[derive(Debug)]
pub(super) struct ResponseWriter<'g> {
    grammar: &'g Grammar,
    signposts: HashMap<&'g str, Signpost<'g>>,
    condition: ConditionCells<'g>,
}

/// An E0-record of one reference type.
#[derive(Debug)]
struct Signpost<'g> {
    layout: &'g Layout,
    /// Its place among all reference types, which is the order of the records they stand for.
    rank: usize,
    kind: Cell,
    occurrence: Cell,
    copies: Vec<Copy<'g>>,
}

/// A value that an E0-record takes from the input.
#[derive(Debug)]
struct Copy<'g> {
    to: Cell,
    field: &'g str,
    record: &'g str,
}

/// The E1-record.
#[derive(Debug)]
struct ConditionCells<'g> {
    layout: &'g Layout,
    disposition: Cell,
    severity: Cell,
    code: Cell,
    narrative: Cell,
    filer: Cell,
    entry_number: Cell,
    version: Cell,
    broker_reference: Cell,
}

/// What an E1-record says.
struct Line<'a> {
    disposition: &'a str,
    severity: Option<Severity>,
    code: ConditionCode,
    narrative: &'a str,
    version: Option<Version>,
}

impl<'g> ResponseWriter<'g> {
    pub(super) fn new(grammar: &'g Grammar) -> Result<Self, UnknownName> {
        let list =
            grammar.list(REFERENCE_LIST).ok_or_else(|| UnknownName(format!("no list {REFERENCE_LIST}")))?;
        let mut signposts: HashMap<&str, Signpost<'g>> = HashMap::new();
        for row in list.rows() {
            let column = |name| list.cell(row, name).unwrap_or_default();
            let (code, field, record) = (column("code"), column("field"), column("source_record"));
            if !signposts.contains_key(code) {
                signposts.insert(code, Signpost::new(grammar, code, signposts.len())?);
            }
            let Some(signpost) = signposts.get_mut(code).filter(|_| !record.is_empty()) else { continue };
            let to = signpost.layout.cell(field)?;
            signpost.copies.push(Copy { to, field, record });
        }
        let layout = grammar.find("AX", Direction::Output, "E1", "")?;
        let condition = ConditionCells {
            layout,
            disposition: layout.cell("disposition_type_code")?,
            severity: layout.cell("severity_code")?,
            code: layout.cell("condition_code")?,
            narrative: layout.cell("narrative_text")?,
            filer: layout.cell("entry_filer_code")?,
            entry_number: layout.cell("entry_number")?,
            version: layout.cell("version_number")?,
            broker_reference: layout.cell("broker_reference_number")?,
        };
        Ok(Self { grammar, signposts, condition })
    }

    /// The answer to a transaction: its signpost, the conditions behind the signposts that lead to
    /// them, the final disposition.
    pub(super) fn transaction(
        &self,
        rows: &mut Vec<Columns>,
        transaction: &Transaction,
        header: &Header,
        verdict: &Verdict,
    ) -> Result<(), PutError> {
        rows.push(self.summary(transaction, header)?);
        let reference = verdict.shown_reference.as_ref().unwrap_or(&header.broker_reference);
        let header = &Header { broker_reference: reference.clone(), ..header.clone() };
        for conditions in self.in_order(&verdict.conditions).chunk_by(|one, other| one.places == other.places)
        {
            for place in conditions.first().map_or(&[][..], |raised| &raised.places) {
                if place.signpost != SUMMARY {
                    rows.push(self.signpost(transaction, header, place)?);
                }
            }
            for raised in conditions {
                let (code, severity) = (raised.code, Some(raised.severity));
                let narrative = self.narrative(code);
                let line = Line { disposition: "", severity, code, narrative, version: None };
                rows.push(self.line(header, &line)?);
            }
        }
        let severity = verdict.severity();
        let disposition = if verdict.is_accepted { "A" } else { "R" };
        rows.extend(self.last(header, disposition, severity, verdict.code, verdict.version)?);
        Ok(())
    }

    /// The answer to a transaction that could not be processed (ESF-211).
    pub(super) fn system_failure(
        &self,
        rows: &mut Vec<Columns>,
        transaction: &Transaction,
        header: &Header,
    ) -> Result<(), PutError> {
        rows.push(self.summary(transaction, header)?);
        rows.extend(self.last(header, "R", Some(Severity::Fatal), SYSTEM_FAILURE, None)?);
        Ok(())
    }

    /// The answer to a batch whose structure is at fault (ESF-207).
    pub(super) fn structure_fault(
        &self,
        fault: &Fault,
        record: Option<&Columns>,
    ) -> Result<Vec<Columns>, PutError> {
        let header = Header {
            record: 0,
            number: 0,
            filer: String::new(),
            entry_number: String::new(),
            broker_reference: String::new(),
        };
        let fatal = Some(Severity::Fatal);
        let code = fault.condition();
        let narrative = self.narrative(code);
        let mut rows = vec![
            self.line(&header, &Line { disposition: "", severity: fatal, code, narrative, version: None })?,
        ];
        if let Some((code, record)) = ConditionCode::new(WHERE).zip(record) {
            let narrative = &self.position(code, record);
            let severity = Some(Severity::Informational);
            rows.push(
                self.line(&header, &Line { disposition: "", severity, code, narrative, version: None })?,
            );
        }
        rows.extend(self.last(&header, "R", fatal, BATCH_REJECTED, None)?);
        Ok(rows)
    }

    /// The conditions as they are sent: by the reference type that leads to them, then by record; at
    /// one place the gravest first.
    fn in_order<'a>(&self, conditions: &'a [Raised]) -> Vec<&'a Raised> {
        let rank =
            |place: &Place| self.signposts.get(place.signpost.as_str()).map_or(0, |signpost| signpost.rank);
        let mut ordered = conditions.iter().collect::<Vec<_>>();
        ordered.sort_by_cached_key(|raised| {
            let path = raised.places.iter().map(|place| (place.record, place.item, rank(place)));
            (raised.places.first().map(rank), path.collect::<Vec<_>>(), raised.severity)
        });
        ordered
    }

    fn summary(&self, transaction: &Transaction, header: &Header) -> Result<Columns, PutError> {
        let place = Place { signpost: SUMMARY.to_owned(), occurrence: 0, record: header.record, item: 0 };
        self.signpost(transaction, header, &place)
    }

    fn signpost(
        &self,
        transaction: &Transaction,
        header: &Header,
        place: &Place,
    ) -> Result<Columns, PutError> {
        let Some(signpost) =
            self.signposts.get(place.signpost.as_str()).or_else(|| self.signposts.get(SUMMARY))
        else {
            return Ok([b' '; crate::wire::RECORD_LENGTH]);
        };
        let mut row = signpost.layout.blank();
        signpost.kind.put_text(&mut row, &place.signpost)?;
        let mut occurrence = place.occurrence;
        for copy in &signpost.copies {
            let source = [header.record, place.record].into_iter().find_map(|record| {
                let layout =
                    self.layout_of(transaction, record).filter(|layout| layout.record == copy.record)?;
                Some((record, layout, transaction.rows().get(record as usize)?))
            });
            let Some((record, layout, input)) = source else { continue };
            if record == header.record {
                // What speaks of the summary as a whole counts the summaries of the block.
                occurrence = header.number;
            }
            put(copy.to, &mut row, source_bytes(layout, input, copy.field, place.item));
        }
        signpost.occurrence.put_digits(&mut row, u64::from(occurrence))?;
        Ok(row)
    }

    fn layout_of(&self, transaction: &Transaction, record: u32) -> Option<&'g Layout> {
        transaction.nodes().get(record as usize).map(|node| self.grammar.layout(node.layout))
    }

    /// The final record; none only if the code were no code.
    fn last(
        &self,
        header: &Header,
        disposition: &str,
        severity: Option<Severity>,
        code: &str,
        version: Option<Version>,
    ) -> Result<Option<Columns>, PutError> {
        let Some(code) = ConditionCode::new(code) else { return Ok(None) };
        let line = Line { disposition, severity, code, narrative: self.narrative(code), version };
        self.line(header, &line).map(Some)
    }

    fn line(&self, header: &Header, line: &Line<'_>) -> Result<Columns, PutError> {
        let cells = &self.condition;
        let mut row = cells.layout.blank();
        let severity = line.severity.map(|severity| severity.letter().to_string()).unwrap_or_default();
        cells.disposition.put_text(&mut row, line.disposition)?;
        cells.severity.put_text(&mut row, &severity)?;
        cells.code.put_text(&mut row, line.code.as_str())?;
        put(cells.narrative, &mut row, line.narrative.as_bytes());
        put(cells.filer, &mut row, header.filer.as_bytes());
        put(cells.entry_number, &mut row, header.entry_number.as_bytes());
        let version = line.version.map(|version| version.to_string()).unwrap_or_default();
        put(cells.version, &mut row, version.as_bytes());
        put(cells.broker_reference, &mut row, header.broker_reference.as_bytes());
        Ok(row)
    }

    /// The text of a condition: of the response, of the input, or of the envelope.
    fn narrative(&self, code: ConditionCode) -> &'g str {
        let conditions = self.grammar.conditions();
        let known = ["AX", "AE", "*"].into_iter().find_map(|application| conditions.get(application, code));
        known.map_or("", |condition| &condition.narrative)
    }

    /// The text that names a record; a fault of structure is one of the whole record.
    fn position(&self, code: ConditionCode, record: &Columns) -> String {
        let structure = self.grammar.structure("AE", Direction::Input);
        let known = structure.and_then(|(_, automaton)| {
            let is_this = |identifier: &&str| record.starts_with(identifier.as_bytes());
            automaton.records().filter(is_this).max_by_key(|identifier| identifier.len())
        });
        let shown = String::from_utf8_lossy(&record[..4]).to_ascii_uppercase();
        let identifier = known.unwrap_or(&shown);
        self.narrative(code).to_ascii_uppercase().replace("XXXX", identifier).replace("NN", "01")
    }
}

impl<'g> Signpost<'g> {
    fn new(grammar: &'g Grammar, code: &str, rank: usize) -> Result<Self, UnknownName> {
        let find = |variant: &str| grammar.find("AX", Direction::Output, "E0", variant);
        let layout = find(&code.to_ascii_lowercase()).or_else(|_| find(AGENCY_VARIANT))?;
        Ok(Self {
            layout,
            rank,
            kind: layout.cell("reference_data_type_code")?,
            occurrence: layout.cell("occurrence_position")?,
            copies: Vec::new(),
        })
    }
}

/// The bytes of a field in the record at hand, or of one of several side by side. A signpost that takes
/// a record as it is gets all that stands behind the control identifier.
fn source_bytes<'a>(layout: &Layout, row: &'a Columns, field: &str, item: u8) -> &'a [u8] {
    let numbered = layout.field(&format!("{field}_{item}"));
    match layout.field(field).or(numbered) {
        Some(found) => found.cell.raw(row),
        None => &row[layout.fields.first().map_or(0, |identifier| identifier.cell.last_column())..],
    }
}

/// Writes bytes as they came, left justified and cut at the field's end: an answer can show a value
/// that is not of its class, since that may be what is wrong with it.
pub(super) fn put(cell: Cell, row: &mut Columns, bytes: &[u8]) {
    let target = &mut row[cell.first_column() - 1..cell.last_column()];
    target.fill(b' ');
    for (to, from) in target.iter_mut().zip(bytes) {
        if from.is_ascii_graphic() {
            *to = from.to_ascii_uppercase();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(is_accepted: bool, severities: &[Severity]) -> Verdict {
        let conditions = severities.iter().filter_map(|severity| {
            let code = ConditionCode::new("27D")?;
            Some(Raised { code, severity: *severity, places: Vec::new(), record: 0, cell: None })
        });
        Verdict { conditions: conditions.collect(), ..Verdict::new(is_accepted, ADDED, None) }
    }

    #[test]
    fn the_final_severity_is_that_of_the_gravest_condition() {
        use Severity::{AgencyWarning, CensusWarning, Fatal, Informational};
        let cases = [
            (true, &[][..], None),
            (true, &[Informational], Some(Informational)),
            (true, &[Informational, CensusWarning], Some(CensusWarning)),
            (true, &[CensusWarning, AgencyWarning], Some(AgencyWarning)),
            (true, &[AgencyWarning, Informational], Some(AgencyWarning)),
            (false, &[CensusWarning, Fatal], Some(Fatal)),
            (false, &[], Some(Fatal)),
        ];
        for (is_accepted, severities, expected) in cases {
            assert_eq!(verdict(is_accepted, severities).severity(), expected, "{severities:?}");
        }
    }
}
