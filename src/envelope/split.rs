//! Where a batch's blocks begin and end.

use std::ops::Range;

use super::collect::{ControlRecord, RawBatch};
use super::condition::{Found, Place};

/// A block's records, by their index in the batch.
#[derive(Clone, Debug)]
pub(super) struct BlockRows {
    pub(super) header: usize,
    pub(super) details: Range<usize>,
    pub(super) trailer: Option<usize>,
}

/// A batch's control records, by their index.
#[derive(Clone, Debug, Default)]
pub(super) struct Split {
    pub(super) header: Option<usize>,
    pub(super) blocks: Vec<BlockRows>,
    pub(super) trailer: Option<usize>,
}

/// Finds the control records, and notes those that are missing or out of sequence (B&B-8, B&B-34).
pub(super) fn split(batch: &RawBatch, found: &mut Found) -> Split {
    let mut split = Split::default();
    let mut open: Option<BlockRows> = None;
    for (index, row) in batch.rows.iter().enumerate() {
        match (ControlRecord::of(row), open.as_mut()) {
            (Some(ControlRecord::BatchHeader), None) if index == 0 => split.header = Some(0),
            (Some(ControlRecord::BlockHeader), _) => {
                if let Some(unended) = open.take() {
                    found.add(Place::Batch, "X05");
                    split.blocks.push(unended);
                }
                open = Some(BlockRows { header: index, details: index + 1..index + 1, trailer: None });
            }
            (Some(ControlRecord::BlockTrailer), Some(block)) => {
                block.trailer = Some(index);
                split.blocks.extend(open.take());
            }
            (Some(ControlRecord::BatchTrailer), _) => split.trailer = Some(index),
            (_, Some(block)) => block.details.end = index + 1,
            (_, None) => found.add(Place::Batch, "X03"),
        }
    }
    if let Some(unended) = open {
        found.add(Place::Batch, "X05");
        split.blocks.push(unended);
    }
    if split.header.is_none() {
        found.add(Place::Batch, "X01");
    }
    if split.blocks.is_empty() {
        found.add(Place::Batch, "X03");
    }
    if split.trailer.is_none() {
        found.add(Place::Batch, "X06");
    }
    split
}
