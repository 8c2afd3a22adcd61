//! JSON Schema of the model, within the batches and blocks that carry it.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::codec::APPLICATION;
use crate::grammar::{Direction, Grammar};
use crate::message::{Content, document_schema};
use crate::model::EntrySummaryFiling;

/// The schema of entry summaries of the model, as one document and as lines.
#[must_use]
pub fn model_schema(grammar: &Grammar) -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let filing = generator.subschema_for::<EntrySummaryFiling>().to_value();
    let definitions = generator.take_definitions(true);
    let in_line = Map::from_iter([("filing".to_owned(), filing.clone())]);
    let content = Content { list: "filings", item: filing, in_line };
    document_schema(grammar, (APPLICATION, Direction::Input), "Entry summaries", &content, definitions)
}
