//! What a run has reached.

use std::collections::BTreeMap;

use serde::Serialize;

use super::case::Case;
use super::laboratory::Laboratory;
use super::target::Reply;
use super::verdict::{Expectation, JudgeOfReplies};

/// Records, fields and conditions that messages have been about, with how often.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Coverage {
    /// Records that were sent, by identifier and variant.
    pub records: BTreeMap<String, u64>,
    /// Fields that were broken.
    pub fields: BTreeMap<String, u64>,
    /// Kinds of mutations.
    pub mutations: BTreeMap<String, u64>,
    /// Conditions that an answer had to have.
    pub expected: BTreeMap<String, u64>,
    /// Conditions that came back.
    pub conditions: BTreeMap<String, u64>,
    /// Records that the grammar has.
    pub all_records: usize,
    /// Fields that the grammar has.
    pub all_fields: usize,
    /// Conditions that the grammar's fields name.
    pub all_conditions: Vec<String>,
}

impl Coverage {
    pub(super) fn new(laboratory: &Laboratory<'_>) -> Self {
        let (layouts, all_conditions) = laboratory.extent();
        let fields = layouts.iter().flat_map(|layout| &layout.fields);
        Self {
            all_records: layouts.len(),
            all_fields: fields.filter(|field| !field.is_filler()).count(),
            all_conditions,
            ..Self::default()
        }
    }

    /// Notes the conditions that came back.
    pub(super) fn hear(&mut self, judge: &JudgeOfReplies<'_>, reply: &Reply) {
        let answered = judge.outcome(reply).codes;
        let found = reply.findings.iter().flatten().flatten().copied();
        let codes = answered.iter().copied().chain(found.filter(|code| !answered.contains(code)));
        for code in codes {
            *self.conditions.entry(code.to_string()).or_default() += 1;
        }
    }

    pub(super) fn note(&mut self, laboratory: &Laboratory<'_>, case: &Case, expected: &Expectation) {
        let mut count = |map: fn(&mut Self) -> &mut BTreeMap<String, u64>, key: String| {
            *map(self).entry(key).or_default() += 1;
        };
        for row in 2..case.rows.len().saturating_sub(2) {
            if let Some(layout) = laboratory.layout(&case.rows, row) {
                let variant = if layout.variant.is_empty() { "" } else { ":" };
                count(|own| &mut own.records, format!("{}{variant}{}", layout.record, layout.variant));
            }
        }
        count(|own| &mut own.mutations, case.mutation.kind().to_owned());
        let place = laboratory.place(&case.rows, &case.mutation);
        if place.contains('.') && !place.ends_with(".filler") {
            count(|own| &mut own.fields, place);
        }
        for code in &expected.any_of {
            count(|own| &mut own.expected, code.clone());
        }
    }
}
