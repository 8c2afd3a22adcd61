//! Records of 80 columns, cut from a stream of bytes.
//!
//! This room knows nothing of what a record means. It finds out how records are separated, pads
//! short lines where lines are separated, keeps limits, and says where each record stood.

/// The columns of a record (batch chapter, B&B-7).
pub const RECORD_LENGTH: usize = 80;

/// The 80 bytes of a record.
pub type Columns = [u8; RECORD_LENGTH];
