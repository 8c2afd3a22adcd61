//! A story as its file tells it.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::DateTime;
use serde::Deserialize;
use toml::Spanned;

use super::facts::FACTS;
use super::message;
use crate::envelope::Sender;
use crate::host::Action;
use crate::store::EntryKey;
use crate::wire::Columns;

/// A conversation, and what must come of it.
#[derive(Clone, Debug)]
pub struct Story {
    /// What it is called.
    pub title: String,
    /// What it shows, in plain words.
    pub about: String,
    /// The pages of the chapters that it follows.
    pub pages: Vec<String>,
    /// Rows that it adds to the demo world, TOML.
    pub world: String,
    /// When it begins, on New York's clocks; the demo world's noon if it does not say.
    pub begin: Option<DateTime>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// Its own text.
    source: String,
}

/// A step of a story.
#[derive(Clone, Debug)]
pub struct Step {
    /// What a reader should know of it; may be empty.
    pub note: String,
    /// What happens.
    pub kind: StepKind,
}

/// What happens in a step.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StepKind {
    /// The clock moves, and time does what time does.
    Clock(DateTime),
    /// A batch is sent. Its answer and the mail that comes with it are expected.
    Send(Vec<Columns>, Expected<String>),
    /// CBP acts. If it cannot, the reason is expected.
    Act(Box<Action>, Expected<Option<String>>),
    /// A sender collects what waits for it.
    Mail(Sender, Expected<String>),
    /// What is on file of a summary.
    Holds(EntryKey, Expected<BTreeMap<String, String>>),
}

/// What is expected, and where in the file it stands.
#[derive(Clone, Debug)]
pub struct Expected<T> {
    /// What it is.
    pub value: T,
    /// Its bytes in the file; none if it is left out.
    span: Option<Range<usize>>,
}

/// A file that tells no story.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoryError {
    /// It is no TOML, or has keys that stories do not have.
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    /// A step cannot be performed.
    #[error("step {step}: {message}")]
    Step {
        /// Which, from 1.
        step: usize,
        /// Why.
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoryFile {
    title: String,
    about: String,
    pages: Vec<String>,
    #[serde(default)]
    world: String,
    begin: Option<String>,
    step: Vec<StepRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepRow {
    #[serde(default)]
    note: String,
    clock: Option<String>,
    send: Option<String>,
    answer: Option<Spanned<String>>,
    act: Option<Action>,
    refused: Option<Spanned<String>>,
    mail: Option<String>,
    arrives: Option<Spanned<String>>,
    holds: Option<EntryKey>,
    facts: Option<Spanned<BTreeMap<String, String>>>,
}

impl Story {
    /// The story that a file tells.
    ///
    /// # Errors
    /// The file is no TOML, has other keys, or a step that is not one thing with what is expected of it.
    pub fn parse(source: &str) -> Result<Self, StoryError> {
        let file: StoryFile = toml::from_str(source)?;
        let step_error = |step| move |message| StoryError::Step { step, message };
        let steps = (1..).zip(file.step).map(|(number, row)| row.step().map_err(step_error(number)));
        Ok(Self {
            title: file.title,
            about: file.about,
            pages: file.pages,
            world: file.world,
            begin: file.begin.as_deref().map(time).transpose().map_err(step_error(0))?,
            steps: steps.collect::<Result<_, _>>()?,
            source: source.to_owned(),
        })
    }

    /// Its file with other expectations: pieces of TOML by the places where they go.
    #[must_use]
    pub fn rewritten(&self, mut pieces: Vec<(Range<usize>, String)>) -> String {
        pieces.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        let mut text = self.source.clone();
        for (span, piece) in pieces {
            text.replace_range(span, &piece);
        }
        text
    }
}

impl StepRow {
    fn step(self) -> Result<Step, String> {
        let kind = match self {
            Self { clock: Some(clock), send: None, act: None, mail: None, holds: None, .. } => {
                StepKind::Clock(time(&clock)?)
            }
            Self { clock: None, send: Some(send), answer: Some(answer), act: None, mail: None, .. } => {
                let rows = message::records(&send)?;
                let value = message::text(&message::records(answer.get_ref())?);
                StepKind::Send(rows, Expected { value, span: Some(answer.span()) })
            }
            Self { clock: None, send: None, act: Some(act), refused, mail: None, holds: None, .. } => {
                let span = refused.as_ref().map(Spanned::span);
                let value = refused.map(Spanned::into_inner);
                StepKind::Act(Box::new(act), Expected { value, span })
            }
            Self { clock: None, send: None, mail: Some(to), arrives: Some(mail), holds: None, .. } => {
                let value = message::text(&message::records(mail.get_ref())?);
                StepKind::Mail(sender(&to)?, Expected { value, span: Some(mail.span()) })
            }
            Self { clock: None, send: None, mail: None, holds: Some(entry), facts: Some(facts), .. } => {
                let span = Some(facts.span());
                let value = facts.into_inner();
                if let Some(name) = value.keys().find(|name| !FACTS.contains(&name.as_str())) {
                    return Err(format!("{name:?} is no fact; there are {}", FACTS.join(", ")));
                }
                StepKind::Holds(entry, Expected { value, span })
            }
            _ => {
                return Err("one of clock, send with answer, act, mail with arrives, holds with facts \
                            makes a step"
                    .to_owned());
            }
        };
        Ok(Step { note: self.note, kind })
    }
}

impl<T> Expected<T> {
    /// Where it stands in the file.
    pub(super) fn span(&self) -> Option<Range<usize>> {
        self.span.clone()
    }
}

fn time(text: &str) -> Result<DateTime, String> {
    text.parse().map_err(|_| format!("{text:?} is no date and time such as 2026-08-03T12:00"))
}

/// A site, an identification code and, if there is one, an office.
fn sender(text: &str) -> Result<Sender, String> {
    let parts = text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    match parts.as_slice() {
        [site, id] => Ok(Sender { site: site.clone(), id: id.clone(), office: String::new() }),
        [site, id, office] => Ok(Sender { site: site.clone(), id: id.clone(), office: office.clone() }),
        _ => Err(format!("{text:?} names no sender such as \"2704 EEE\"")),
    }
}
