//! The performance of a story.

use std::collections::BTreeMap;
use std::error::Error;
use std::ops::Range;

use jiff::civil::DateTime;

use super::message;
use super::story::{Expected, Step, StepKind, Story};
use crate::envelope::Sender;
use crate::host::Action;
use crate::store::EntryKey;
use crate::wire::Columns;

/// Why a stage cannot go on.
pub type StageError = Box<dyn Error + Send + Sync>;

/// Where a story is performed.
pub trait Stage {
    /// Moves the clock, and does what time does until then.
    ///
    /// # Errors
    /// The stage cannot go on.
    fn set_clock(&mut self, to: DateTime) -> Result<(), StageError>;

    /// Sends a batch; all that comes back on its connection.
    ///
    /// # Errors
    /// The stage cannot go on.
    fn send(&mut self, rows: &[Columns]) -> Result<Vec<Columns>, StageError>;

    /// Has CBP act; why it cannot, if it cannot.
    ///
    /// # Errors
    /// The stage cannot go on.
    fn act(&mut self, action: &Action) -> Result<Option<String>, StageError>;

    /// What waits for a recipient, which then has it.
    ///
    /// # Errors
    /// The stage cannot go on.
    fn collect(&mut self, recipient: &Sender) -> Result<Vec<Columns>, StageError>;

    /// What is on file of a summary, by the names of [`super::FACTS`].
    ///
    /// # Errors
    /// The stage cannot go on.
    fn facts(&mut self, entry: &EntryKey) -> Result<BTreeMap<&'static str, String>, StageError>;
}

/// A step of which something else came than the story says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// Which step, from 1.
    pub step: usize,
    /// What the story says.
    pub expected: String,
    /// What came.
    pub found: String,
    /// Where the expectation stands in the story's file, and the TOML that would agree with what came.
    pub mend: Option<(Range<usize>, String)>,
}

/// Performs a story. Each step is handed over with what came of it: the records of an answer or of mail,
/// or some words.
///
/// # Errors
/// The stage cannot go on.
pub fn play(
    story: &Story,
    stage: &mut dyn Stage,
    mut watch: impl FnMut(&Step, &[Columns], &str),
) -> Result<Vec<Difference>, StageError> {
    let mut differences = Vec::new();
    for (number, step) in (1..).zip(&story.steps) {
        let difference = match &step.kind {
            StepKind::Clock(to) => {
                stage.set_clock(*to)?;
                watch(step, &[], &to.to_string());
                None
            }
            StepKind::Send(rows, expected) => {
                let answer = stage.send(rows)?;
                watch(step, &answer, "");
                compare_records(expected, &answer)
            }
            StepKind::Mail(recipient, expected) => {
                let mail = stage.collect(recipient)?;
                watch(step, &mail, "");
                compare_records(expected, &mail)
            }
            StepKind::Act(action, expected) => {
                let refusal = stage.act(action)?;
                watch(step, &[], refusal.as_deref().unwrap_or_default());
                (refusal != expected.value).then(|| Difference {
                    step: number,
                    expected: words(expected.value.as_deref()),
                    found: words(refusal.as_deref()),
                    mend: expected.span().zip(refusal).map(|(span, text)| (span, quoted(&text))),
                })
            }
            StepKind::Holds(entry, expected) => {
                let facts = stage.facts(entry)?;
                let found = expected.value.keys().map(|name| {
                    let value = facts.get(name.as_str()).cloned().unwrap_or_default();
                    (name.clone(), value)
                });
                let found = found.collect::<BTreeMap<_, _>>();
                watch(step, &[], &table(&found));
                (found != expected.value).then(|| Difference {
                    step: number,
                    expected: table(&expected.value),
                    found: table(&found),
                    mend: expected.span().map(|span| (span, table(&found))),
                })
            }
        };
        differences.extend(difference.map(|difference| Difference { step: number, ..difference }));
    }
    Ok(differences)
}

fn compare_records(expected: &Expected<String>, rows: &[Columns]) -> Option<Difference> {
    let found = message::text(rows);
    (found != expected.value).then(|| Difference {
        step: 0,
        expected: expected.value.clone(),
        mend: expected.span().map(|span| (span, format!("'''\n{found}'''"))),
        found,
    })
}

fn words(refusal: Option<&str>) -> String {
    refusal.map_or("done".to_owned(), |refusal| format!("refused: {refusal}"))
}

/// An inline table of texts.
fn table(facts: &BTreeMap<String, String>) -> String {
    let facts = facts.iter().map(|(name, value)| format!("{name} = {}", quoted(value)));
    format!("{{ {} }}", facts.collect::<Vec<_>>().join(", "))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
