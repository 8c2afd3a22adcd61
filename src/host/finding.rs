//! Conditions of rules and of the envelope as findings: with the record, its columns and what was expected.

use std::sync::Arc;

use super::capability::Explained;
use super::examine::Examined;
use crate::envelope::{EnvelopeCodec, EnvelopeCondition, Place, RawBatch};
use crate::grammar::{ConditionCode, Grammar, Layout, LayoutId, Severity};
use crate::message::{Checker, Finding, Position};
use crate::rules::Reasoned;
use crate::wire::Columns;

/// The list of what each condition of the envelope blames: the field of the A- or B-record, none where it is a trailer
/// that differs from its header, and what was expected.
const BLAMED: &str = "envelope_condition_field";

/// Makes findings of conditions.
pub(super) struct FindingWriter<'g> {
    grammar: &'g Grammar,
    checker: Checker<'g>,
}

impl<'g> FindingWriter<'g> {
    pub(super) fn new(grammar: &'g Grammar) -> Self {
        Self { grammar, checker: Checker::new(grammar, None) }
    }

    /// A condition of a rule, or of a field's line in the grammar. The record is given as it came.
    pub(super) fn of_rule(
        &self,
        position: Position,
        application: &str,
        reasoned: &Reasoned,
        (row, layout): (&Columns, LayoutId),
    ) -> Finding {
        let raised = &reasoned.raised;
        let layout = self.grammar.layout(layout);
        let mut finding = self.of_condition(position, application, (raised.code, raised.severity), row);
        finding.record_id.clone_from(&layout.record);
        finding.layout = Some(layout.id);
        if let Some(cell) = reasoned.cell {
            let field = layout.fields.iter().find(|field| field.cell == cell);
            finding.field = field.map(|field| field.name.clone());
            finding.columns = Some((cell.first_column(), cell.last_column()));
            finding.found = cell.raw(row).escape_ascii().to_string();
        }
        finding.expected.clone_from(&reasoned.expected);
        finding.rule = reasoned.rule.as_deref().map(str::to_owned);
        finding
    }

    fn blamed(&self, code: ConditionCode, column: &str) -> Option<&'g str> {
        self.grammar.list(BLAMED)?.value(code.as_str(), column)
    }

    /// A condition of the envelope, at a control record.
    pub(super) fn of_envelope(
        &self,
        position: Position,
        application: &str,
        code: ConditionCode,
        (row, layout): (&Columns, Option<&Layout>),
    ) -> Finding {
        let mut finding = self.of_condition(position, application, (code, Severity::Fatal), row);
        finding.layout = layout.map(|layout| layout.id);
        let blamed = |column| self.blamed(code, column).unwrap_or_default();
        let name = blamed("field");
        if let Some(cell) = layout.and_then(|layout| layout.cell(name).ok()) {
            finding.field = Some(name.to_owned());
            finding.columns = Some((cell.first_column(), cell.last_column()));
            finding.found = cell.raw(row).escape_ascii().to_string();
        }
        finding.expected = blamed("expected").to_owned();
        finding
    }

    fn of_condition(
        &self,
        position: Position,
        application: &str,
        (code, severity): (ConditionCode, Severity),
        row: &Columns,
    ) -> Finding {
        let mut finding = self.checker.finding_at(severity, Some(code), row, position.transaction == 0);
        // Those of the envelope stand under `*` for every application.
        let known = [application, "AX", "*"].iter().find_map(|of| self.grammar.conditions().get(of, code));
        if let Some(known) = known {
            finding.message.clone_from(&known.narrative);
            finding.severity = known.severity;
        }
        finding.position = position;
        finding.application = application.to_owned();
        finding
    }

    /// All that was found in a batch that has been answered, in the order of its records.
    pub(super) fn of_batch(
        &self,
        codec: &EnvelopeCodec<'_>,
        batch: &RawBatch,
        (examined, explained): (&Examined, &[Explained]),
        source: Option<&Arc<str>>,
        number: u32,
    ) -> Vec<Finding> {
        let reading = &examined.reading;
        let block_of = |record: u32| {
            reading
                .blocks
                .partition_point(|block| block.first_record <= record)
                .try_into()
                .unwrap_or(u32::MAX)
        };
        let position = |record: u32, transaction: u32| Position {
            source: source.cloned(),
            batch: number,
            block: block_of(record),
            transaction,
            record: (batch.first_record + u64::from(record)).saturating_sub(1),
            record_in_batch: record,
        };
        let application = reading.application.as_str();
        let row = |record: u32| batch.rows.get((record as usize).checked_sub(1)?);
        let mut findings = Vec::new();
        for condition in &reading.conditions {
            let (record, transaction) =
                place_of(condition, self.blamed(condition.code, "field") == Some(""), batch, examined);
            let Some(row) = row(record) else { continue };
            let layout = control_layout(codec, application, row);
            let mut finding =
                self.of_envelope(position(record, transaction), application, condition.code, (row, layout));
            if let Place::Transaction { column, .. } = condition.place
                && column > 0
            {
                finding.columns = Some((usize::from(column), usize::from(column)));
            }
            findings.push(finding);
        }
        if let Some(fault) = &reading.structure_fault
            && let Some(row) = row(fault.record)
        {
            let at = position(fault.record, fault.transaction);
            let mut finding =
                self.of_condition(at, application, (fault.fault.condition(), Severity::Fatal), row);
            finding.expected = fault.fault.to_string();
            findings.push(finding);
        }
        for Explained { record, transaction, layout, reasoned } in explained {
            let Some(row) = row(*record) else { continue };
            findings.push(self.of_rule(
                position(*record, *transaction),
                application,
                reasoned,
                (row, *layout),
            ));
        }
        findings.sort_by_key(|finding| finding.position.record_in_batch);
        findings
    }
}

/// The record and the transaction that a condition of the envelope is about.
fn place_of(
    condition: &EnvelopeCondition,
    is_of_trailer: bool,
    batch: &RawBatch,
    examined: &Examined,
) -> (u32, u32) {
    let last = u32::try_from(batch.rows.len()).unwrap_or(u32::MAX);
    match condition.place {
        Place::Batch if is_of_trailer => (last, 0),
        Place::Batch => (1, 0),
        Place::Block { block } => {
            let blocks = &examined.reading.blocks;
            let first = |index: usize| blocks.get(index).map(|block| block.first_record);
            let index = (block as usize).saturating_sub(1);
            // The Y-record stands before the next B-record or before the Z-record.
            let behind = first(index + 1).unwrap_or(last);
            let record = if is_of_trailer { behind.saturating_sub(1) } else { first(index).unwrap_or(1) };
            (record, 0)
        }
        Place::Transaction { record, transaction, .. } => (record, transaction),
    }
}

/// The layout of a control record of an input.
pub(super) fn control_layout<'g>(
    codec: &EnvelopeCodec<'g>,
    application: &str,
    row: &Columns,
) -> Option<&'g Layout> {
    let is_of = |layout: &&Layout| layout.record.as_bytes().first() == Some(&row[0].to_ascii_uppercase());
    codec.input_layouts(application).into_iter().find(is_of)
}
