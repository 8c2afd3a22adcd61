//! Judges each field by its line in the grammar.

use std::collections::HashSet;
use std::sync::Arc;

use super::checks::{CHECKS, Case, Check};
use super::compile::{item_number, sorted};
use super::expression::{Spot, Texts};
use super::{Context, ListName, RuleError, reference};
use crate::grammar::{Cell, ClassSet, ConditionCode, Designation, Field, Grammar, Layout, Masks, Values};
use crate::message::Transaction;
use crate::wire::Columns;

#[derive(Clone, Debug, Default)]
struct Accepted {
    texts: Texts,
    references: Vec<HeldList>,
}

/// A list that a host may hold.
#[derive(Clone, Debug)]
struct HeldList {
    name: ListName,
    /// The grammar's codes, for a host that does not hold it.
    own: Option<Texts>,
}

#[derive(Clone)]
struct NamedCheck {
    check: &'static Check,
    beside: Option<Cell>,
    code: ConditionCode,
}

#[derive(Clone)]
struct FieldPlan {
    cell: Cell,
    item: u8,
    /// Blank is wrong.
    mandatory: bool,
    accepted: Option<Accepted>,
    missing: Option<ConditionCode>,
    unknown: Option<ConditionCode>,
    invalid: Option<ConditionCode>,
    zero: Option<ConditionCode>,
    checks: Vec<NamedCheck>,
}

/// What is checked in the records of one layout.
#[derive(Clone, Default)]
pub(super) struct LayoutPlan {
    masks: Arc<Masks>,
    fields: Vec<FieldPlan>,
    /// The fields that the masks alone cannot accept.
    always: Vec<u16>,
}

/// In which way a field fails.
#[derive(Clone, Copy)]
pub(super) enum Wrong {
    Missing,
    Class,
    Value,
    Zero,
    Check(&'static Check),
}

/// What is wrong with a field.
pub(super) struct Failure {
    pub(super) spot: Spot,
    pub(super) cell: Cell,
    /// The condition, if the field names one for this.
    pub(super) code: Option<ConditionCode>,
    pub(super) wrong: Wrong,
}

impl LayoutPlan {
    /// # Errors
    /// A check that no one has written.
    pub(super) fn new(grammar: &Grammar, layout: &Layout) -> Result<Self, RuleError> {
        let mut plan = Self { masks: Arc::clone(&layout.masks), ..Self::default() };
        let identifier = layout.record.len();
        for field in &layout.fields {
            if field.is_filler() || field.cell.last_column() <= identifier {
                continue;
            }
            let field = FieldPlan::new(grammar, layout, field)?;
            if field.needs_a_look() {
                plan.always.push(plan.fields.len() as u16);
            }
            plan.fields.push(field);
        }
        Ok(plan)
    }

    pub(super) fn conditions(&self) -> impl Iterator<Item = ConditionCode> {
        self.fields.iter().flat_map(|field| {
            let own = [field.missing, field.unknown, field.invalid, field.zero];
            own.into_iter().flatten().chain(field.checks.iter().map(|check| check.code))
        })
    }

    /// The fields of a record that fail, each once.
    #[inline]
    pub(super) fn judge(
        &self,
        transaction: &Transaction,
        record: u32,
        context: &Context<'_>,
        fail: &mut impl FnMut(Failure),
    ) {
        let columns = &transaction.rows()[record as usize];
        let mut look = |field: &FieldPlan| {
            if let Err((wrong, code)) = field.judge(columns, context) {
                fail(Failure { spot: Spot { record, item: field.item }, cell: field.cell, code, wrong });
            }
        };
        if self.masks.accept(columns) {
            self.always.iter().for_each(|&index| look(&self.fields[usize::from(index)]));
        } else {
            self.fields.iter().for_each(look);
        }
    }
}

impl FieldPlan {
    fn new(grammar: &Grammar, layout: &Layout, field: &Field) -> Result<Self, RuleError> {
        let mut checks = Vec::new();
        for (name, code) in &field.conditions.checks {
            let wrong = |message: String| RuleError::new(0, 0, message);
            let check = CHECKS
                .iter()
                .find(|check| check.name == name)
                .ok_or_else(|| wrong(format!("{} {} names no check {name}", layout.record, field.name)))?;
            let beside = match check.beside {
                Some(other) => Some(layout.cell(other).map_err(|unknown| wrong(unknown.to_string()))?),
                None => None,
            };
            checks.push(NamedCheck { check, beside, code: *code });
        }
        let conditions = &field.conditions;
        Ok(Self {
            cell: field.cell,
            item: item_number(&field.name).unwrap_or(0),
            mandatory: field.designation == Designation::Mandatory
                && !field.cell.class().has(ClassSet::SPACE),
            accepted: accepted(grammar, field),
            missing: conditions.missing,
            unknown: conditions.unknown,
            invalid: conditions.invalid,
            zero: conditions.zero,
            checks,
        })
    }

    /// Whether more than classes and presence is asked of it.
    fn needs_a_look(&self) -> bool {
        let dated = self.cell.class().has(ClassSet::DATE);
        dated || self.accepted.is_some() || self.zero.is_some() || !self.checks.is_empty()
    }

    /// # Errors
    /// What fails first, and its condition if the field names one for it.
    fn judge(&self, columns: &Columns, context: &Context<'_>) -> Result<(), (Wrong, Option<ConditionCode>)> {
        if self.cell.is_blank(columns) {
            return if self.mandatory { Err((Wrong::Missing, self.missing)) } else { Ok(()) };
        }
        if !self.is_of_class(columns) {
            return Err((Wrong::Class, self.invalid.or(self.unknown)));
        }
        let text = self.cell.text(columns);
        if self.accepted.as_ref().is_some_and(|accepted| !accepted.admits(text, context)) {
            return Err((Wrong::Value, self.unknown));
        }
        if self.zero.is_some() && self.cell.digits(columns) == Ok(Some(0)) {
            return Err((Wrong::Zero, self.zero));
        }
        for check in &self.checks {
            let case = Case {
                text,
                columns,
                beside: check.beside,
                grammar: context.grammar,
                reference: context.reference,
            };
            if (check.check.test)(&case) == Some(false) {
                return Err((Wrong::Check(check.check), Some(check.code)));
            }
        }
        Ok(())
    }

    fn is_of_class(&self, columns: &Columns) -> bool {
        let class = self.cell.class();
        if class.has(ClassSet::DATE) && class.is_numeric() {
            self.cell.date(columns).is_ok()
        } else if class.is_numeric() {
            self.cell.digits(columns).is_ok()
        } else {
            self.cell.raw(columns).iter().all(|&byte| class.admits(byte))
        }
    }
}

impl Accepted {
    /// A list that no one holds forbids nothing.
    fn admits(&self, text: &str, context: &Context<'_>) -> bool {
        let referred = |list: &HeldList| {
            let ask = || context.reference.has(&list.name.name, text);
            let held = context.reference.row(&list.name, text).is_there(ask);
            held.unwrap_or_else(|| list.own.as_ref().is_none_or(|texts| texts.has(text)))
        };
        self.texts.has(text) || self.references.iter().any(referred)
    }
}

fn accepted(grammar: &Grammar, field: &Field) -> Option<Accepted> {
    let mut texts = Vec::new();
    let mut references = Vec::new();
    for values in [&field.values].into_iter().chain(&field.also) {
        match values {
            Values::Any => {}
            Values::Constant(text) => texts.push(text.clone()),
            Values::OneOf(some) => texts.extend(some.iter().cloned()),
            Values::List(name) => match grammar.list(name) {
                Some(list) if reference::is_held(grammar, name) => {
                    let codes = list.codes().map(str::to_owned).collect::<Vec<_>>();
                    references.push(HeldList {
                        name: reference::named(grammar, name),
                        own: Some(Texts::new(sorted(&codes))),
                    });
                }
                Some(list) => texts.extend(list.codes().map(str::to_owned)),
                None => references.push(HeldList { name: reference::named(grammar, name), own: None }),
            },
        }
    }
    (field.values != Values::Any).then(|| Accepted { texts: Texts::new(sorted(&texts)), references })
}

/// The fields that have failed.
pub(super) type Spoiled = HashSet<(u32, u8)>;
