//! Filings within the JSON of records: what stands in the place of a transaction.

use std::io::Write;

use serde::Deserialize;
use serde_json::Value;

use super::codec::EntrySummaryCodec;
use super::problem::DecodeProblem;
use crate::grammar::Fault;
use crate::message::Body;
use crate::model::EntrySummaryFiling;
use crate::wire::Columns;

impl EntrySummaryCodec {
    /// The filing of a block's transaction as JSON.
    ///
    /// # Errors
    /// Why there is none: the structure is at fault, or the first problem.
    pub fn to_json(&self, body: &Body<'_>) -> Result<Value, String> {
        serde_json::to_value(self.filing(body)?).map_err(|error| error.to_string())
    }

    /// Writes the filing of a block's transaction as JSON.
    ///
    /// # Errors
    /// As [`to_json`](Self::to_json); nothing is written then.
    pub fn write_json(&self, body: &Body<'_>, out: impl Write) -> Result<(), String> {
        serde_json::to_writer(out, &self.filing(body)?).map_err(|error| error.to_string())
    }

    /// The filing of a block's transaction.
    ///
    /// # Errors
    /// As [`to_json`](Self::to_json).
    pub fn filing(&self, body: &Body<'_>) -> Result<EntrySummaryFiling, String> {
        let Some((transaction, _)) = &body.tree else {
            let fault = body.fault.as_ref().map(Fault::to_string);
            return Err(fault.unwrap_or_else(|| "its structure is not known".to_owned()));
        };
        self.decode(transaction).map_err(|problems| {
            let problem = problems.first().map(DecodeProblem::to_string);
            problem.unwrap_or_else(|| "it is no entry summary".to_owned())
        })
    }

    /// The records of a filing that is given as JSON.
    ///
    /// # Errors
    /// What the model does not admit, or the first value that its field cannot hold.
    pub fn from_json(&self, filing: &Value) -> Result<Vec<Columns>, String> {
        let filing = EntrySummaryFiling::deserialize(filing).map_err(|error| error.to_string())?;
        self.encode(&filing).map_err(|problem| problem.to_string())
    }
}
