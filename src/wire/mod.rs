//! Records of 80 columns, cut from a stream of bytes (batch chapter, B&B-7).
//!
//! This room knows nothing of what a record means. It finds out how records are separated, pads
//! short lines where lines are separated, keeps limits, and says where each record stood. Whatever
//! bytes a peer sends come out as columns: lower case, control characters and bytes outside ASCII
//! are left for the grammar to find, with their position.
//!
//! # How records are separated
//! The first bytes of a stream decide, for the whole stream:
//! - a line feed among the first 160 bytes, or behind 80 columns and any spaces that follow them:
//!   records are **lines**, ended by a line feed. A carriage return right before the line feed belongs
//!   to the separator, whatever the first line did; any other carriage return is a column.
//! - otherwise records are **unseparated**, 80 bytes each. Only a stream of one record that ends with
//!   a carriage return is taken for a line whose separator was cut off.
//!
//! Empty lines, before or between records or batches, are skipped in either case and are not counted. So
//! is what pads files and transfers (NUL, 0x1A) and the byte order mark of a file that was appended, between
//! a Z-record and what follows it.
//!
//! # What may be wrong
//! A line shorter than 80 columns is padded with spaces, which is no defect. The last record of an
//! unseparated stream that ends too early is [`Defect::Short`]. A line that is longer is
//! [`Defect::Long`] and comes with its first 80 columns and its true length.
//!
//! # Odd streams and EBCDIC
//! A [`Door`] looks at the first bytes of a stream and turns what is odd into plain bytes, chunk by chunk,
//! before they are cut: byte order marks, UTF-16, other ends of records, and by an [`Encoding`] EBCDIC.
//!
//! # Three ways in
//! [`Splitter`] is pushed chunks, [`records`] walks a slice, [`RecordCodec`] frames an asynchronous
//! stream. All give the same records, however the bytes are cut into chunks.

#[cfg(feature = "gateway")]
mod codec;
mod door;
mod encoding;
mod limits;
mod record;
mod splitter;
#[cfg(test)]
mod tests;

#[cfg(feature = "gateway")]
pub use codec::{RecordCodec, WireError};
pub use door::{Content, Door, Unreadable, read_text, text_of};
pub use encoding::Encoding;
pub use limits::{Limit, LimitExceeded, Limits};
pub use record::{Defect, Line, Record, Records, Separator, records, says_nothing};
pub use splitter::Splitter;

/// The columns of a record (batch chapter, B&B-7).
pub const RECORD_LENGTH: usize = 80;

/// The 80 bytes of a record.
pub type Columns = [u8; RECORD_LENGTH];
