//! Messages as trees of batch, block, transaction, group, record and field; generic for any chapter.

mod check;
mod closure;
mod explain;
mod finding;
mod identify;
mod json;
mod judge;
mod lexicon;
mod outline;
mod secrets;
mod transaction;

pub use check::Checker;
pub use closure::{Closure, Unclosed};
pub(crate) use explain::wrapped;
pub use explain::{Explainer, Headline, HtmlPage, Level, Page, TextPage, Told};
pub use finding::{Finding, Position};
pub use identify::Identifier;
pub use json::{
    Content, Definitions, Form, Piece, ReadError, ReadFault, RecordLines, RecordsWriter, Translation,
    canonical, document_schema, field_value, no_filings, put_value, read_ndjson, read_records,
    records_schema, schema_text,
};
pub use judge::{FieldTrouble, Trouble, judge};
pub use outline::{Body, Child, Control, Item, Outline, Part, children};
pub use secrets::{Secrets, cover};
pub use transaction::{Assembler, Group, GroupRef, Node, Transaction};
