//! The book of rules of an application, and the judgement of a transaction by it.

use std::borrow::Borrow;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::ast::{self, At, Item};
use super::compile::{Compiler, Scope};
use super::eval::{Change, Content, Firsts, Judge, Repair};
use super::expression::{Expression, RecordRef, Spot};
use super::fields::{Failure, LayoutPlan, Spoiled};
use super::gate::Gate;
use super::memo::{Memo, Questions};
use super::owed::{FactCells, Owed};
use super::presence::Presence;
use super::reason::{Reason, Reasoned};
use super::signpost::{Signposts, WHOLE};
use super::{Context, Raised, RuleError, RuleText, parse};
use crate::grammar::{Cell, ConditionCode, Direction, Grammar, Severity};
use crate::message::Transaction;

/// A file of rules that comes with the program.
macro_rules! rules {
    ($name:literal) => {
        RuleText {
            name: concat!("grammars/rules/", $name),
            text: include_str!(concat!("../../grammars/rules/", $name)),
        }
    };
}

/// The rules of entry summaries, a file a subject. They are judged in this order, so that a file can
/// rely on those before it; the signposts stand in the first. What is wrong with a party or a case is told
/// before the amounts that depend on it.
const ENTRY_SUMMARY: &[RuleText<'_>] = &[
    rules!("entry_summary_signposts.rules"),
    rules!("entry_summary_parties.rules"),
    rules!("entry_summary.rules"),
    rules!("entry_summary_corrections.rules"),
    rules!("entry_summary_agencies.rules"),
    rules!("entry_summary_duty.rules"),
    rules!("entry_summary_census.rules"),
];

struct Rule {
    code: ConditionCode,
    severity: Severity,
    record: RecordRef,
    signpost: usize,
    /// The field to blame; one cell, or one an item.
    cells: Box<[Cell]>,
    /// It only matters when this guard holds.
    guard: Option<usize>,
    gate: Gate,
    test: Expression,
    /// As its file has it, in one line.
    text: Arc<str>,
}

struct Guard {
    outer: Option<usize>,
    test: Expression,
    /// As its file has it, in one line.
    text: Arc<str>,
}

/// What raises a condition.
enum Cause<'a> {
    Field(&'a Failure),
    Rule(&'a Rule, &'a Judge<'a>),
}

/// What rules are applied to.
struct Filing<'a> {
    transaction: &'a Transaction,
    context: &'a Context<'a>,
    presence: Presence<'a>,
    owed: Owed<'a>,
    firsts: Firsts,
    memo: Memo,
}

impl Filing<'_> {
    fn judge<'b>(&'b self, spoiled: &'b Spoiled, this: Spot) -> Judge<'b> {
        let &Self { transaction, context, ref presence, ref owed, ref firsts, ref memo } = self;
        Judge { transaction, context, presence, spoiled, owed, this, firsts, memo }
    }
}

/// All that is checked in the transactions of one application.
pub struct RuleBook {
    application: String,
    signposts: Signposts,
    /// By layout.
    plans: Vec<LayoutPlan>,
    /// Where the facts stand that figures are computed from; none where nothing asks for any.
    facts: Option<FactCells>,
    guards: Vec<Guard>,
    rules: Vec<Rule>,
    /// How many questions rules ask again and again.
    questions: usize,
}

impl RuleBook {
    /// The rules of entry summaries.
    ///
    /// # Errors
    /// A rule that breaks the language, or names what the grammar does not have.
    pub fn builtin(grammar: &Grammar) -> Result<Self, RuleError> {
        Self::compile(grammar, ENTRY_SUMMARY)
    }

    /// The application whose transactions it judges.
    #[must_use]
    pub fn application(&self) -> &str {
        &self.application
    }

    /// Whether there are rules for an application's transactions; [`Self::builtin`] has them.
    #[must_use]
    pub fn judges(application: &str) -> bool {
        let opens = |line: &str| line.strip_prefix("rules ").is_some_and(|own| own == application);
        ENTRY_SUMMARY.iter().any(|file| file.text.lines().any(opens))
    }

    /// The rules of an application's files, in order.
    ///
    /// # Errors
    /// All rules that break the language, or name what neither the grammar nor a host has; files of more than
    /// one application.
    pub fn compile(grammar: &Grammar, files: &[RuleText<'_>]) -> Result<Self, RuleError> {
        let mut book = Self {
            application: String::new(),
            signposts: Signposts::default(),
            plans: vec![LayoutPlan::default(); grammar.layouts().len()],
            facts: None,
            guards: Vec::new(),
            rules: Vec::new(),
            questions: 0,
        };
        let questions = Questions::default();
        let mut problems = Vec::new();
        for file in files {
            let mut errors = Vec::new();
            if let Err(error) = book.add_file(grammar, file.text, &questions, &mut errors) {
                errors.push(error);
            }
            problems.extend(RuleError::of_file(file.name, errors));
        }
        book.questions = questions.count();
        if problems.is_empty() && book.signposts.is_empty() {
            let file = files.first().map_or("", |file| file.name);
            problems = RuleError::of_file(file, vec![RuleError::new(1, 1, "no signpost".to_owned())]);
        }
        if problems.is_empty() { Ok(book) } else { Err(RuleError { problems }) }
    }

    /// Adds the rules of a file. What is wrong with one of them does not end it.
    fn add_file(
        &mut self,
        grammar: &Grammar,
        text: &str,
        questions: &Questions,
        errors: &mut Vec<RuleError>,
    ) -> Result<(), RuleError> {
        let file = parse::parse(text)?;
        let (_, automaton) = grammar
            .structure(&file.application, Direction::Input)
            .ok_or_else(|| RuleError::at(text, 0, format!("no structure {}", file.application)))?;
        let (facts, misses) = (OnceCell::new(), RefCell::default());
        let compiler = Compiler {
            grammar,
            automaton,
            application: &file.application,
            text,
            facts: &facts,
            questions,
            misses: &misses,
        };
        if self.application.is_empty() {
            self.application.clone_from(&file.application);
            for record in automaton.records() {
                for layout in compiler.layouts(record) {
                    self.plans[layout.id.index()] = LayoutPlan::new(grammar, layout)?;
                }
            }
        } else if self.application != file.application {
            return Err(RuleError::at(text, 0, format!("not the rules of {}", self.application)));
        }
        self.add(&compiler, &file.items, None, errors);
        errors.append(&mut misses.take());
        self.facts = self.facts.take().or(facts.into_inner());
        Ok(())
    }

    fn add(
        &mut self,
        compiler: &Compiler<'_>,
        items: &[At<Item>],
        guard: Option<usize>,
        errors: &mut Vec<RuleError>,
    ) {
        for item in items {
            let added = match &item.node {
                Item::Signpost(post) => self.signposts.add(compiler, post, item.offset),
                Item::Rule(rule) => {
                    self.rule(compiler, rule, item.offset, guard).map(|rule| self.rules.push(rule))
                }
                Item::When(test, end, inner) => {
                    let text = in_one_line(&compiler.text[item.offset..*end]);
                    let guarded = header(compiler, item.offset)
                        .and_then(|scope| compiler.expression(test, scope, scope))
                        .map(|test| self.guards.push(Guard { outer: guard, test, text }));
                    let own = self.guards.len().checked_sub(1);
                    self.add(compiler, inner, own, errors);
                    guarded
                }
            };
            errors.extend(added.err());
        }
    }

    fn rule(
        &self,
        compiler: &Compiler<'_>,
        rule: &ast::Rule,
        offset: usize,
        guard: Option<usize>,
    ) -> Result<Rule, RuleError> {
        let known = ConditionCode::new(&rule.code)
            .and_then(|code| compiler.grammar.conditions().get(compiler.application, code));
        let condition = known.ok_or_else(|| {
            compiler.wrong(offset, format!("{} has no condition {}", compiler.application, rule.code))
        })?;
        let (record, scope) = compiler.record(&rule.record)?;
        let signpost = match &rule.signpost {
            Some(name) => {
                let named = self.signposts.named(&name.node);
                named.ok_or_else(|| compiler.wrong(name.offset, "no such signpost"))?
            }
            None => self.signposts.of(record.symbol, record.items > 0).unwrap_or(WHOLE),
        };
        let cells = match &rule.field {
            Some(field) => compiler.cells(field.offset, scope, &field.node)?,
            None => Box::default(),
        };
        let test = compiler.expression(&rule.test, scope, scope)?;
        let gate = Gate::new(&test, record.symbol);
        Ok(Rule {
            code: condition.code,
            severity: condition.severity,
            record,
            signpost,
            cells,
            guard,
            gate,
            test,
            text: in_one_line(&compiler.text[offset..rule.end]),
        })
    }

    /// Every condition that fields or rules can raise: application and code, in order.
    #[must_use]
    pub fn conditions(&self) -> Vec<(&str, ConditionCode)> {
        let fields = self.plans.iter().flat_map(LayoutPlan::conditions);
        let codes = fields.chain(self.rules.iter().map(|rule| rule.code)).collect::<BTreeSet<_>>();
        codes.into_iter().map(|code| (self.application.as_str(), code)).collect()
    }

    /// The lists of a host that the rules of each condition ask, what is on file among them.
    #[must_use]
    pub fn lists(&self) -> BTreeMap<ConditionCode, BTreeSet<&str>> {
        let mut lists = BTreeMap::<_, BTreeSet<&str>>::new();
        for rule in &self.rules {
            let asked = lists.entry(rule.code).or_default();
            asked.extend(rule.test.lists());
            let mut guard = rule.guard;
            while let Some(around) = guard.and_then(|guard| self.guards.get(guard)) {
                asked.extend(around.test.lists());
                guard = around.outer;
            }
        }
        lists.retain(|_, asked| !asked.is_empty());
        lists
    }

    /// The conditions of a transaction, in the order they are answered: by signpost, and under one
    /// signpost the gravest first.
    #[must_use]
    pub fn judge(&self, transaction: &Transaction, context: &Context<'_>) -> Vec<Raised> {
        let mut raised = Vec::new();
        self.go_through(transaction, context, &mut raised, &mut |_| {});
        self.sort(&mut raised);
        raised
    }

    /// The same with reasons: what was expected, and by which rule. It takes longer.
    #[must_use]
    pub fn explain(&self, transaction: &Transaction, context: &Context<'_>) -> Vec<Reasoned> {
        let (mut raised, mut reasons) = (Vec::new(), Vec::new());
        let structure = context.grammar.structure(&self.application, Direction::Input);
        self.go_through(transaction, context, &mut raised, &mut |cause| {
            reasons.push(match cause {
                Cause::Field(failure) => Reason::of_field(failure, transaction, context),
                Cause::Rule(rule, judge) => {
                    let wishes = structure
                        .map(|(_, automaton)| judge.wishes(&self.application, automaton, &rule.test))
                        .unwrap_or_default();
                    Reason::of_rule(wishes, &rule.text)
                }
            });
        });
        let explained = raised.into_iter().zip(reasons);
        let mut explained = explained
            .map(|(raised, reason)| reason.explains(raised, transaction, context))
            .collect::<Vec<_>>();
        self.sort(&mut explained);
        explained
    }

    /// The rules that raise a condition, as their files have them, and the tests around them.
    pub fn rules_of(&self, code: ConditionCode) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.rules.iter().filter(move |rule| rule.code == code).map(|rule| {
            let mut around = Vec::new();
            let mut guard = rule.guard;
            while let Some(Guard { outer, text, .. }) = guard.and_then(|guard| self.guards.get(guard)) {
                around.insert(0, &**text);
                guard = *outer;
            }
            (&*rule.text, around)
        })
    }

    /// What may be changed in a transaction so that it raises less: one entry for each condition, in the
    /// order of the rules.
    #[must_use]
    pub fn repairs(&self, transaction: &Transaction, context: &Context<'_>) -> Vec<(ConditionCode, Repair)> {
        let (mut raised, mut repairs) = (Vec::new(), Vec::new());
        self.go_through(transaction, context, &mut raised, &mut |cause| {
            if let Cause::Rule(rule, judge) = cause {
                repairs.push((rule.code, judge.repair(&rule.test)));
            }
        });
        let of_fields = raised.len() - repairs.len();
        let redrawn = raised[..of_fields].iter().filter_map(|one| {
            let cell = one.cell?;
            let change = |content| Change::Field { record: one.record, cell, content };
            let direct = vec![change(Content::Another), change(Content::Blank)];
            Some((one.code, Repair { direct, indirect: Vec::new() }))
        });
        let mut all = redrawn.collect::<Vec<_>>();
        all.append(&mut repairs);
        all
    }

    /// Raises the conditions of fields and then those of rules; `observe` sees the cause of each.
    fn go_through(
        &self,
        transaction: &Transaction,
        context: &Context<'_>,
        raised: &mut Vec<Raised>,
        observe: &mut dyn FnMut(Cause<'_>),
    ) {
        let mut spoiled = HashSet::new();
        if transaction.rows().is_empty() {
            return;
        }
        self.judge_fields(transaction, context, &mut spoiled, raised, observe);
        let owed = Owed::new(transaction, context, self.facts.as_ref());
        let presence = Presence::of(transaction.rows());
        let memo = Memo::new(self.questions, transaction.rows().len());
        let filing = Filing { transaction, context, presence, owed, firsts: Firsts::default(), memo };
        let mut guards = vec![None; self.guards.len()];
        for rule in &self.rules {
            let matters = |guard| self.decide_guard(guard, &mut guards, &filing, &spoiled);
            if rule.guard.is_none_or(matters) {
                self.apply(rule, &filing, &mut spoiled, raised, observe);
            }
        }
    }

    fn judge_fields(
        &self,
        transaction: &Transaction,
        context: &Context<'_>,
        spoiled: &mut Spoiled,
        raised: &mut Vec<Raised>,
        observe: &mut dyn FnMut(Cause<'_>),
    ) {
        for (record, node) in transaction.nodes().iter().enumerate() {
            let Some(plan) = self.plans.get(node.layout.index()) else { continue };
            let mut fail = |failure: Failure| {
                let Failure { spot, cell, code, .. } = failure;
                // What no condition reports, the rules may still judge.
                let Some(code) = code else { return };
                observe(Cause::Field(&failure));
                spoiled.insert((spot.record, cell.first_column() as u8));
                let signpost = self.signposts.of(node.symbol, spot.item > 0).unwrap_or(WHOLE);
                let condition = context.grammar.conditions().get(&self.application, code);
                raised.push(Raised {
                    code,
                    severity: condition.map_or(Severity::Fatal, |condition| condition.severity),
                    places: self.signposts.places(transaction, signpost, spot),
                    record: spot.record,
                    cell: Some(cell),
                });
            };
            plan.judge(transaction, record as u32, context, &mut fail);
        }
    }

    /// Guards are decided when first asked for, so that a rule before them can spoil what they read.
    fn decide_guard(
        &self,
        guard: usize,
        decided: &mut [Option<bool>],
        filing: &Filing<'_>,
        spoiled: &Spoiled,
    ) -> bool {
        if let Some(known) = decided[guard] {
            return known;
        }
        let Guard { outer, test, .. } = &self.guards[guard];
        let this = Spot { record: 0, item: 0 };
        let judge = filing.judge(spoiled, this);
        let inside = outer.is_none_or(|outer| self.decide_guard(outer, decided, filing, spoiled));
        let holds = inside && judge.holds(test, this);
        decided[guard] = Some(holds);
        holds
    }

    fn apply(
        &self,
        rule: &Rule,
        filing: &Filing<'_>,
        spoiled: &mut Spoiled,
        raised: &mut Vec<Raised>,
        observe: &mut dyn FnMut(Cause<'_>),
    ) {
        let transaction = filing.transaction;
        let records = transaction.records_of(rule.record.symbol);
        let anywhere = filing.judge(spoiled, Spot { record: 0, item: 0 });
        if records.is_empty() || !rule.gate.is_open(&anywhere) {
            return;
        }
        let items = if rule.record.items == 0 { 0..=0 } else { 1..=rule.record.items };
        let mut failed = false;
        for &record in records {
            if rule.record.layout.is_some_and(|id| transaction.nodes()[record as usize].layout != id) {
                continue;
            }
            for item in items.clone() {
                let this = Spot { record, item };
                if !rule.gate.admits(&filing.presence, this) {
                    continue;
                }
                let judge = filing.judge(spoiled, this);
                // what is common to all records has been decided, unless a field has failed since
                let holds = if failed { judge.holds(&rule.test, this) } else { rule.gate.holds(&judge) };
                if !holds {
                    continue;
                }
                observe(Cause::Rule(rule, &judge));
                let cell = match &*rule.cells {
                    [] => None,
                    [only] => Some(*only),
                    several => several.get(usize::from(item).wrapping_sub(1)).copied(),
                };
                if let Some(cell) = cell {
                    spoiled.insert((record, cell.first_column() as u8));
                    filing.memo.forget();
                    failed = true;
                }
                raised.push(Raised {
                    code: rule.code,
                    severity: rule.severity,
                    places: self.signposts.places(transaction, rule.signpost, this),
                    record,
                    cell,
                });
            }
        }
    }

    fn sort<T: Borrow<Raised>>(&self, raised: &mut Vec<T>) {
        if raised.is_empty() {
            return;
        }
        raised.sort_by_cached_key(|one| {
            let one = one.borrow();
            let path = one.places.iter().map(|place| {
                (self.signposts.rank(&place.signpost), place.occurrence, place.record, place.item)
            });
            (path.collect::<Vec<_>>(), one.severity)
        });
        let mut told = HashSet::new();
        raised.retain(|one| told.insert((one.borrow().code, one.borrow().places.clone())));
    }
}

impl std::fmt::Debug for RuleBook {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RuleBook").field("application", &self.application).finish_non_exhaustive()
    }
}

/// A piece of a file of rules without its line breaks and comments.
fn in_one_line(text: &str) -> Arc<str> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let lines = lines.map(|line| line.split(" # ").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join(" ").into()
}

/// The record that begins a transaction.
fn header<'g>(compiler: &Compiler<'g>, offset: usize) -> Result<Scope<'g>, RuleError> {
    let first = compiler.automaton.records().next().unwrap_or_default().to_owned();
    let node = ast::RecordName { record: first, variant: None, items: false };
    compiler.record(&At { offset, node }).map(|(_, scope)| scope)
}
