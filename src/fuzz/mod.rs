//! Grammar-aware fuzzing: valid batches, one mutation each, and what must become of them.
//!
//! The grammar chooses the mutation and says what the answer must be: a mandatory field that is blank raises
//! the condition its line names, a group that stands once too often the one of its place. So a target is not
//! only watched for falling over; what it answers is judged. The same seed sends the same messages.

mod builtin;
mod case;
mod cause;
mod command;
mod coverage;
mod laboratory;
mod minimise;
mod mutation;
mod socket;
mod target;
mod verdict;

use std::collections::HashSet;
use std::io;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

pub use builtin::Builtin;
pub(crate) use builtin::Forgetful;
pub use case::Case;
pub use command::CommandTarget;
pub use coverage::Coverage;
pub use laboratory::Laboratory;
pub use mutation::{Break, Control, FieldFault, Mutation};
pub use socket::{SocketTarget, TlsTarget, address};
pub use target::{End, Reply, Target};
pub use verdict::{Expectation, Fault, JudgeOfReplies, NoFault, Verdict};

use crate::generate::{Dice, Generator};
use crate::grammar::{Grammar, UnknownName};
use crate::wire::{Columns, records};
use cause::{Causes, Known, cause};
use minimise::{Found, Minimiser};

/// How long and for what is looked.
#[derive(Clone, Debug, Default)]
pub struct Campaign {
    /// What decides every choice.
    pub seed: u64,
    /// How many messages are sent, those for minimising apart.
    pub runs: u64,
    /// After so many different failures it ends.
    pub most_failures: usize,
    /// Whether failures are made smaller.
    pub minimise: bool,
    /// The kinds of failures that are looked for; all of them if none is named.
    pub only: Vec<Fault>,
    /// Causes that are known: what comes of them is counted, but is no failure.
    pub baseline: HashSet<String>,
}

/// A fault that was found, with all that is needed to show it again.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Failure {
    /// The application.
    pub application: String,
    /// The seed of the run.
    pub seed: u64,
    /// Which message of the run it was, from 0.
    pub run: u64,
    /// What was done to the message, in words.
    pub mutation: String,
    /// The record and field it was done to.
    pub place: String,
    /// What had to become of it.
    pub expected: Expectation,
    /// What was wrong.
    pub verdict: Verdict,
    /// How many records the message has.
    pub records: usize,
    /// What lies behind it, as a baseline names it.
    #[serde(default)]
    pub cause: String,
    /// How many further messages of the run failed for the same cause.
    #[serde(default)]
    pub repeats: u64,
    /// The message.
    #[serde(skip)]
    pub message: Vec<u8>,
    /// What the target wrote to its standard error.
    #[serde(skip)]
    pub standard_error: Vec<u8>,
}

/// What a campaign has found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// How many messages were sent, those for minimising apart.
    pub runs: u64,
    /// The failures, each cause once.
    pub failures: Vec<Failure>,
    /// How many messages failed for a cause of the baseline.
    pub known: u64,
    /// Why the run ended early: the target could not be reached any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// What was reached.
    pub coverage: Coverage,
}

/// Sends the messages of a campaign. `progress` hears of each, and may end the run: what has been found by
/// then is reported.
///
/// # Errors
/// The target cannot be reached at all. If it is lost later, the message before is a failure and the run ends.
pub fn run(
    laboratory: &mut Laboratory<'_>,
    judge: &JudgeOfReplies<'_>,
    generator: &mut Generator<'_>,
    target: &mut dyn Target,
    campaign: &Campaign,
    mut progress: impl FnMut(u64, usize) -> ControlFlow<()>,
) -> io::Result<Report> {
    let mut dice = Dice::new(campaign.seed);
    let mut causes = Causes::new(&campaign.baseline);
    let coverage = Coverage::new(laboratory);
    let mut report = Report { runs: 0, failures: Vec::new(), known: 0, lost: None, coverage };
    let mut before = None;
    while report.runs < campaign.runs && report.failures.len() < campaign.most_failures {
        let rows = base(generator, &mut dice);
        let mutation = laboratory.choose(&rows, &mut dice);
        let case = Case { rows, mutation };
        let expected = laboratory.expect(&case);
        report.coverage.note(laboratory, &case, &expected);
        let message = case.message();
        let reply = match (target.send(&message), before.take()) {
            (Ok(reply), _) => reply,
            (Err(error), None) => return Err(error),
            (Err(error), Some((case, expected))) => {
                report.lost = Some(error.to_string());
                let verdict = Verdict { fault: Fault::Crash, detail: LOST.to_owned() };
                let found = Found { case, expected, verdict, standard_error: Vec::new() };
                report.take(found, |found| found, laboratory, &mut causes, campaign);
                break;
            }
        };
        report.coverage.hear(judge, &reply);
        let verdict = judge.judge(&message, &expected, &reply);
        before = Some((case.clone(), expected.clone()));
        if let Some(verdict) = verdict.filter(|verdict| campaign.looks_for(verdict.fault)) {
            let standard_error = reply.standard_error;
            let found = Found { case, expected, verdict, standard_error };
            let smaller = |found| match campaign.minimise {
                true => Minimiser::new(laboratory, judge, target).minimise(found),
                false => found,
            };
            report.take(found, smaller, laboratory, &mut causes, campaign);
        }
        report.runs += 1;
        if progress(report.runs, report.failures.len()).is_break() {
            break;
        }
    }
    Ok(report)
}

/// What is said of a message behind which the target could not be reached any more.
const LOST: &str = "it cannot be reached after this message";

impl Campaign {
    fn looks_for(&self, fault: Fault) -> bool {
        self.only.is_empty() || self.only.contains(&fault)
    }
}

impl Report {
    /// Counts a failure whose cause has been met; makes another one smaller and takes it in.
    fn take(
        &mut self,
        found: Found,
        smaller: impl FnOnce(Found) -> Found,
        laboratory: &Laboratory<'_>,
        causes: &mut Causes<'_>,
        campaign: &Campaign,
    ) {
        let first = cause_of(laboratory, &found);
        if let Some(known) = causes.find(&first) {
            return self.count(known);
        }
        let found = smaller(found);
        let cause = cause_of(laboratory, &found);
        let known = causes.find(&cause).unwrap_or(Known::Failure(self.failures.len()));
        causes.remember(first, known);
        causes.remember(cause.clone(), known);
        match known {
            Known::Failure(index) if index == self.failures.len() => {
                self.failures.push(failure(laboratory, found, cause, campaign.seed, self.runs));
            }
            known => self.count(known),
        }
    }

    fn count(&mut self, known: Known) {
        match known {
            Known::Before => self.known += 1,
            Known::Failure(index) => {
                if let Some(failure) = self.failures.get_mut(index) {
                    failure.repeats += 1;
                }
            }
        }
    }
}

fn cause_of(laboratory: &Laboratory<'_>, found: &Found) -> String {
    let Found { case, expected, verdict, standard_error } = found;
    let place = laboratory.place(&case.rows, &case.mutation);
    cause(case.mutation.kind(), &place, expected, verdict, standard_error)
}

/// A batch of one to three transactions.
fn base(generator: &mut Generator<'_>, dice: &mut Dice) -> Vec<Columns> {
    let known = generator.transactions().len();
    let chosen = (0..=dice.below(3)).map(|_| dice.below(known)).collect::<Vec<_>>();
    let mut batch = Vec::new();
    generator.batch_of(&chosen, &mut batch);
    records(&batch).map(|record| record.columns).collect()
}

fn failure(laboratory: &Laboratory<'_>, found: Found, cause: String, seed: u64, run: u64) -> Failure {
    let Found { case, expected, verdict, standard_error } = found;
    Failure {
        application: laboratory.application().to_owned(),
        seed,
        run,
        mutation: case.mutation.to_string(),
        place: laboratory.place(&case.rows, &case.mutation),
        expected,
        verdict,
        records: case.lines().len(),
        cause,
        repeats: 0,
        message: case.message(),
        standard_error,
    }
}

/// Sends a failure's message again; gives what is wrong now, if anything is.
///
/// # Errors
/// The target cannot be reached, or the grammar lacks the envelope.
pub fn replay(
    grammar: &Grammar,
    failure: &Failure,
    target: &mut dyn Target,
) -> Result<Option<Verdict>, ReplayError> {
    let judge = JudgeOfReplies::new(grammar, &failure.application)?;
    let reply = target.send(&failure.message)?;
    Ok(judge.judge(&failure.message, &failure.expected, &reply))
}

/// Why a failure cannot be shown again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The grammar lacks the envelope.
    #[error(transparent)]
    Grammar(#[from] UnknownName),
    /// The target cannot be reached.
    #[error("the target cannot be reached")]
    Unreachable(#[from] io::Error),
}
