//! What is tested: something that takes a message and answers.

use std::time::Duration;

use crate::grammar::ConditionCode;

/// What became of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// How it ended.
    pub end: End,
    /// What came back.
    pub answer: Vec<u8>,
    /// What a decoder without an answer found: the condition of each finding, if it has one.
    pub findings: Option<Vec<Option<ConditionCode>>>,
    /// Whether a program ended with a code that stands for a refusal.
    pub refused: bool,
    /// What a program wrote to its standard error: the beginning and the end of it, if it was much.
    pub standard_error: Vec<u8>,
}

/// How a target came through a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum End {
    /// It answered, or had nothing to say.
    #[default]
    Done,
    /// It fell over: what is known of that.
    Crash(String),
    /// It had not answered in this time.
    Hang(Duration),
}

impl Reply {
    /// The reply of a target that fell over.
    #[must_use]
    pub fn crash(why: impl Into<String>) -> Self {
        Self { end: End::Crash(why.into()), ..Self::default() }
    }
}

/// Something that can be sent messages, one at a time.
pub trait Target {
    /// Sends a message and waits for what comes of it.
    ///
    /// # Errors
    /// The target cannot be reached: nothing is known of the message.
    fn send(&mut self, message: &[u8]) -> std::io::Result<Reply>;
}
