//! Flat files of any layout: rows of a fixed length in ASCII or EBCDIC with packed and zoned numbers,
//! or comma separated values, and a mapping between their fields and the entry summary model.
//!
//! A [`FlatLayout`] is read from a file in the grammar language (`docs/flat-files.md`). [`read_flat`]
//! makes records of 80 columns of the rows, [`FlatWriter`] rows of the records; between them stands
//! the model. Nothing is lost on the way: what a layout has no field for is told, and so is what the
//! model does not admit. One entry summary is held at a time, and one that is wrong is given back as
//! it came while the others go on.

mod blame;
mod cell;
mod date;
mod direct;
mod element;
mod emit;
mod fill;
mod frame;
mod known;
mod layout;
mod mapping;
mod number;
mod parse;
mod path;
mod problem;
mod read;
mod reader;
mod totals;
mod translator;
mod write;

pub use layout::FlatLayout;
pub use problem::{FlatError, FlatProblem};
pub use read::{Event, read_flat};
pub use translator::Translator;
pub use write::FlatWriter;
