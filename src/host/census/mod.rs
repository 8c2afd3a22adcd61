//! Census warnings: the parameters that raise them, the query of those that no one has answered, and
//! their overrides.

mod overrides;
mod parameters;
mod query;
mod warnings;

pub(super) use parameters::{LIST, Parameter, ParameterTable};
pub(super) use warnings::WarningCells;
pub(super) use {overrides::capability as overrides, query::capability as query};

use crate::grammar::{ConditionCode, Grammar};

/// The text of a condition: of the application or its response, of entry summaries, or of the envelope.
fn narrative<'g>(grammar: &'g Grammar, application: &str, code: ConditionCode) -> &'g str {
    let conditions = grammar.conditions();
    let known = grammar.condition(application, code);
    let known = known.or_else(|| ["AE", "*"].into_iter().find_map(|other| conditions.get(other, code)));
    known.map_or("", |condition| &condition.narrative)
}
