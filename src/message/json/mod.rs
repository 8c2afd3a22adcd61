//! The generic JSON of records, of any chapter and in both directions, without loss.
//!
//! ```json
//! {"batches":[{"application":"AE","direction":"in","header":RECORD,"blocks":[
//!   {"header":RECORD,"transactions":[
//!     {"group":"entry_summary","members":[{"group":"header","members":[RECORD]}]},
//!     {"unstructured":[RECORD],"fault":"record 40 may not follow record 90"}
//!   ],"trailer":RECORD}],"trailer":RECORD}]}
//! ```
//!
//! A record is `{"record":"40","name":"line_item_header","variant":"…","fields":{…}}`; blank fields
//! and blank fillers are left out, and so is the control identifier. A value is text without trailing
//! spaces, an amount a decimal string with its implied places (`"416.00"`), a date `"2026-08-03"`.
//! Whatever would not come back as the very same bytes is `{"raw":"…"}`, or `{"raw_hex":"…"}` where
//! bytes are not printable ASCII: a value, or a record that no layout knows. What stands in a filler
//! is `"filler_COLUMN"`; `""` blanks a field that is a constant otherwise.
//!
//! In the line form (NDJSON) each object is one transaction with the control records around it:
//! `{"batch":1,"block":1,"transaction":1,"application":"AE","direction":"in","before":[RECORD],
//! "group":…,"members":[…],"after":[RECORD]}`. Read back in order they give the same records.
//!
//! A translation to a model may put `"filings":[…]`, or `"filing":…` in a line, in the place of
//! transactions; what stands in there is the translation's own.
//!
//! Reading takes no offence at a message that is wrong; it is the records that may not be ambiguous.

mod lines;
mod pen;
mod plan;
mod read;
mod schema;
mod text;
mod value;
mod write;

pub use lines::{Piece, RecordLines};
pub use read::{ReadError, ReadFault, no_filings, read_ndjson, read_records};
pub use schema::{Content, Definitions, document_schema, records_schema, schema_text};
pub(super) use value::decoded;
pub use value::{canonical, field_value, put_value};
pub use write::{Form, RecordsWriter, Translation};
