//! What is wrong with a message, and where.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::grammar::{ConditionCode, LayoutId, Severity};

/// Where in a stream of batches something stands. All counts begin with 1; 0 is "not within one".
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Position {
    /// The file or connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Arc<str>>,
    /// The batch in the stream.
    pub batch: u32,
    /// The block in the batch.
    pub block: u32,
    /// The transaction in the block.
    pub transaction: u32,
    /// The record in the stream.
    pub record: u64,
    /// The record in its batch, as the X0-record counts.
    pub record_in_batch: u32,
}

/// One thing that is wrong, or worth knowing.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Where it stands.
    #[serde(flatten)]
    pub position: Position,
    /// How grave it is.
    #[serde(serialize_with = "severity_letter")]
    pub severity: Severity,
    /// The condition CBP would answer with, if it is one.
    #[serde(serialize_with = "code_text", skip_serializing_if = "Option::is_none")]
    pub condition: Option<ConditionCode>,
    /// What is wrong, in a few words: the condition's narrative or the diagnostic.
    pub message: String,
    /// The application in hand, if one is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub application: String,
    /// The record's layout, if it is known by one.
    #[serde(skip)]
    pub layout: Option<LayoutId>,
    /// The record's control identifier.
    pub record_id: String,
    /// The field, if it is one field's fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The first and last column, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<(usize, usize)>,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
    /// The rule that finds it, as its file has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The record as it stood, passwords masked, for a drawing.
    #[serde(skip)]
    pub record_text: String,
    /// A way out, such as the nearest valid code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

fn severity_letter<S: serde::Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_char(severity.letter())
}

fn code_text<S: serde::Serializer>(code: &Option<ConditionCode>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.as_ref().map_or("", ConditionCode::as_str))
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            write!(formatter, "{source}:{}: ", self.record)?;
        } else {
            write!(formatter, "record {}: ", self.record)?;
        }
        write!(formatter, "batch {}", self.batch)?;
        if self.block > 0 {
            write!(formatter, ", block {}", self.block)?;
        }
        if self.transaction > 0 {
            write!(formatter, ", transaction {}", self.transaction)?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.position, self.severity.letter())?;
        if let Some(condition) = self.condition {
            write!(formatter, "{condition}")?;
        }
        write!(formatter, " {}", self.message)?;
        if !self.record_id.is_empty() {
            write!(formatter, "; record {}", self.record_id)?;
        }
        if let Some((first, last)) = self.columns {
            write!(formatter, " columns {first}-{last}")?;
        }
        if let Some(field) = &self.field {
            write!(formatter, " ({field})")?;
        }
        if !self.found.is_empty() {
            write!(formatter, ": found {:?}", self.found)?;
        }
        if !self.expected.is_empty() {
            write!(formatter, ", expected {}", self.expected)?;
        }
        Ok(())
    }
}
