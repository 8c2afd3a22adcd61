//! Between records and the model, both ways, one module a group of records.
//!
//! Tables pair the model's fields with the grammar's names; a name that the grammar does not have
//! is an error when the codec is made, never at the thousandth message. Decoding an encoded filing
//! gives the filing again, and encoding what was decoded from canonical records gives those records.

mod agency;
mod codec;
mod declaration;
mod field;
mod header;
mod json;
mod line;
mod part;
mod place;
mod problem;
mod schema;

pub use codec::EntrySummaryCodec;
pub use problem::{DecodeProblem, EncodeProblem};
pub use schema::model_schema;
