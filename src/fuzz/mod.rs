//! Grammar-aware fuzzing: valid batches, one mutation each, and what must become of them.
//!
//! The grammar chooses the mutation and says what the answer must be: a mandatory field that is blank raises
//! the condition its line names, a group that stands once too often the one of its place. So a target is not
//! only watched for falling over; what it answers is judged. The same seed sends the same messages.

mod builtin;
mod case;
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
pub use verdict::{Expectation, Fault, JudgeOfReplies, Verdict};

use crate::generate::{Dice, Generator};
use crate::grammar::{Grammar, UnknownName};
use crate::wire::{Columns, records};
use minimise::Minimiser;

/// How long and for what is looked.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// What decides every choice.
    pub seed: u64,
    /// How many messages are sent, those for minimising apart.
    pub runs: u64,
    /// After so many different failures it ends.
    pub most_failures: usize,
    /// Whether failures are made smaller.
    pub minimise: bool,
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
    /// The message.
    #[serde(skip)]
    pub message: Vec<u8>,
}

/// What a campaign has found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// How many messages were sent, those for minimising apart.
    pub runs: u64,
    /// The failures, each kind once.
    pub failures: Vec<Failure>,
    /// What was reached.
    pub coverage: Coverage,
}

/// Sends the messages of a campaign. `progress` hears of each, and may end the run: what has been found by
/// then is reported.
///
/// # Errors
/// The target cannot be reached.
pub fn run(
    laboratory: &mut Laboratory<'_>,
    judge: &JudgeOfReplies<'_>,
    generator: &mut Generator<'_>,
    target: &mut dyn Target,
    campaign: Campaign,
    mut progress: impl FnMut(u64, usize) -> ControlFlow<()>,
) -> io::Result<Report> {
    let mut dice = Dice::new(campaign.seed);
    let mut seen = HashSet::new();
    let coverage = Coverage::new(laboratory);
    let mut report = Report { runs: 0, failures: Vec::new(), coverage };
    while report.runs < campaign.runs && report.failures.len() < campaign.most_failures {
        let rows = base(generator, &mut dice);
        let mutation = laboratory.choose(&rows, &mut dice);
        let case = Case { rows, mutation };
        let expected = laboratory.expect(&case);
        report.coverage.note(laboratory, &case, &expected);
        let message = case.message();
        let reply = target.send(&message)?;
        for code in judge.outcome(&reply).codes {
            *report.coverage.conditions.entry(code.to_string()).or_default() += 1;
        }
        if let Some(verdict) = judge.judge(&message, &expected, &reply) {
            let key =
                (verdict.fault, case.mutation.kind(), expected.any_of.clone(), expected.none_of.clone());
            if seen.insert(key) {
                let found = if campaign.minimise {
                    Minimiser::new(laboratory, judge, target).minimise(case, expected, verdict)?
                } else {
                    (case, expected, verdict)
                };
                report.failures.push(failure(laboratory, found, campaign.seed, report.runs));
            }
        }
        report.runs += 1;
        if progress(report.runs, report.failures.len()).is_break() {
            break;
        }
    }
    Ok(report)
}

/// A batch of one to three transactions.
fn base(generator: &mut Generator<'_>, dice: &mut Dice) -> Vec<Columns> {
    let known = generator.transactions().len();
    let chosen = (0..=dice.below(3)).map(|_| dice.below(known)).collect::<Vec<_>>();
    let mut batch = Vec::new();
    generator.batch_of(&chosen, &mut batch);
    records(&batch).map(|record| record.columns).collect()
}

fn failure(
    laboratory: &Laboratory<'_>,
    (case, expected, verdict): (Case, Expectation, Verdict),
    seed: u64,
    run: u64,
) -> Failure {
    Failure {
        application: laboratory.application().to_owned(),
        seed,
        run,
        mutation: case.mutation.to_string(),
        place: laboratory.place(&case.rows, &case.mutation),
        expected,
        verdict,
        records: case.lines().len(),
        message: case.message(),
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
