//! A condition with its reason: what was expected instead, and the rule that says so.

use std::borrow::Borrow;
use std::sync::Arc;

use super::checks::{Case, Expected};
use super::eval::{Target, Wish};
use super::fields::{Failure, Wrong};
use super::{Context, Raised};
use crate::grammar::{Cell, Field, Layout, Values};
use crate::message::Transaction;

/// Ways out that are told of one condition.
const SHOWN: usize = 3;

/// A condition that a transaction raises, and why.
#[derive(Clone, Debug)]
pub struct Reasoned {
    /// The condition.
    pub raised: Raised,
    /// The record to look at: an index into the transaction's rows. It is not always the one that was
    /// judged, since a rule of the header may find fault with a field of another record.
    pub record: u32,
    /// The field to look at, if it is one field.
    pub cell: Option<Cell>,
    /// What would not have raised the condition; empty if that is no one value.
    pub expected: String,
    /// The rule, as its file has it; `None` of what a field's own line in the grammar says.
    pub rule: Option<Arc<str>>,
}

impl Reasoned {
    /// A condition that no rule raises.
    pub(crate) fn without_reason(raised: Raised) -> Self {
        let (record, cell) = (raised.record, raised.cell);
        Self { raised, record, cell, expected: String::new(), rule: None }
    }
}

impl Borrow<Raised> for Reasoned {
    fn borrow(&self) -> &Raised {
        &self.raised
    }
}

/// Why a condition was raised, as long as the condition is not there yet.
pub(super) struct Reason {
    pub(super) wishes: Vec<Wish>,
    pub(super) expected: String,
    pub(super) rule: Option<Arc<str>>,
}

impl Reason {
    /// The reason of a field that fails by its own line in the grammar.
    pub(super) fn of_field(failure: &Failure, transaction: &Transaction, context: &Context<'_>) -> Self {
        let expected = expected_of_field(failure, transaction, context).unwrap_or_default();
        Self { wishes: Vec::new(), expected, rule: None }
    }

    /// The reason of a rule that holds.
    pub(super) fn of_rule(wishes: Vec<Wish>, rule: &Arc<str>) -> Self {
        Self { wishes, expected: String::new(), rule: Some(Arc::clone(rule)) }
    }

    /// The condition with its reason.
    pub(super) fn explains(
        self,
        raised: Raised,
        transaction: &Transaction,
        context: &Context<'_>,
    ) -> Reasoned {
        let Self { mut wishes, mut expected, rule } = self;
        let (mut record, mut cell) = (raised.record, raised.cell);
        if let Some(blamed) = cell {
            let own = Target::Field(record, blamed);
            if wishes.iter().any(|wish| wish.target == own) {
                wishes.retain(|wish| wish.target == own);
            }
        } else if let Some(only) = only_target(&wishes) {
            match only {
                Target::Field(of, field) => (record, cell) = (of, Some(field)),
                Target::Record(of) => record = of,
                Target::Elsewhere => {}
            }
        }
        for wish in wishes.iter().take(SHOWN) {
            if !expected.is_empty() {
                expected.push_str("; or ");
            }
            let is_shown =
                matches!(wish.target, Target::Field(of, field) if (of, Some(field)) == (record, cell));
            if let (false, Target::Field(of, field)) = (is_shown, wish.target)
                && let Some((layout, field)) = named(transaction, context, of, field)
            {
                expected.push_str(&format!("{} {} ", layout.record, field.name));
            }
            expected.push_str(&wish.words);
        }
        Reasoned { raised, record, cell, expected, rule }
    }
}

/// What all wishes are about, if it is one thing.
fn only_target(wishes: &[Wish]) -> Option<Target> {
    let first = wishes.first()?.target;
    wishes.iter().all(|wish| wish.target == first).then_some(first)
}

fn named<'a>(
    transaction: &Transaction,
    context: &Context<'a>,
    record: u32,
    cell: Cell,
) -> Option<(&'a Layout, &'a Field)> {
    let layout = context.grammar.layout(transaction.nodes().get(record as usize)?.layout);
    let field = layout.fields.iter().find(|field| field.cell == cell)?;
    Some((layout, field))
}

fn expected_of_field(failure: &Failure, transaction: &Transaction, context: &Context<'_>) -> Option<String> {
    let (layout, field) = named(transaction, context, failure.spot.record, failure.cell)?;
    let columns = transaction.rows().get(failure.spot.record as usize)?;
    Some(match failure.wrong {
        Wrong::Missing | Wrong::Class => format!("class {}, {}", field.cell.class(), field.element),
        Wrong::Zero => "more than zero".to_owned(),
        Wrong::Value => {
            let values = std::iter::once(&field.values).chain(&field.also);
            values.map(Values::in_table).collect::<Vec<_>>().join(" or ")
        }
        Wrong::Check(check) => match check.expected {
            Expected::Words(words) => words.to_owned(),
            Expected::Computed(compute) => {
                let beside = check.beside.and_then(|name| layout.cell(name).ok());
                let (text, grammar, reference) =
                    (failure.cell.text(columns), context.grammar, context.reference);
                compute(&Case { text, columns, beside, grammar, reference })?
            }
        },
    })
}
