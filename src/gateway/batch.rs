//! stand-in
use crate::wire::*;
/// x
#[derive(Clone, Default)]
pub struct RawBatch {
    /// x
    pub rows: Vec<Columns>,
    /// x
    pub ended: bool,
}
impl std::fmt::Debug for RawBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawBatch")
    }
}
#[derive(Debug, Default)]
pub(super) struct BatchCollector {
    current: Option<RawBatch>,
}
impl BatchCollector {
    pub fn new(_: Limits) -> Self {
        Self::default()
    }
    pub fn push(&mut self, line: Line<'_>) -> Result<Option<RawBatch>, LimitExceeded> {
        let b = self.current.get_or_insert_default();
        b.rows.push(*line.columns);
        if line.columns[0] == b'Z' {
            b.ended = true;
            return Ok(self.current.take());
        }
        Ok(None)
    }
    pub fn finish(&mut self) -> Option<RawBatch> {
        self.current.take()
    }
}
