//! The smallest message that still shows a fault.

use super::case::Case;
use super::laboratory::Laboratory;
use super::mutation::Mutation;
use super::target::Target;
use super::verdict::{Expectation, Fault, JudgeOfReplies, Verdict};

/// So many messages are sent to make one smaller, at most.
const PATIENCE: usize = 300;
/// The same where each of them waits for an answer that does not come.
const PATIENCE_WITH_HANGS: usize = 10;

/// Makes failing cases smaller.
pub(super) struct Minimiser<'a, 'g> {
    pub(super) laboratory: &'a Laboratory<'g>,
    pub(super) judge: &'a JudgeOfReplies<'g>,
    pub(super) target: &'a mut dyn Target,
    pub(super) patience: usize,
}

impl<'a, 'g> Minimiser<'a, 'g> {
    pub(super) fn new(
        laboratory: &'a Laboratory<'g>,
        judge: &'a JudgeOfReplies<'g>,
        target: &'a mut dyn Target,
    ) -> Self {
        Self { laboratory, judge, target, patience: PATIENCE }
    }

    /// The case with as few records and fields as show the same fault for the same reason.
    pub(super) fn minimise(
        mut self,
        case: Case,
        expected: Expectation,
        verdict: Verdict,
    ) -> std::io::Result<(Case, Expectation, Verdict)> {
        if verdict.fault == Fault::Hang {
            self.patience = PATIENCE_WITH_HANGS;
        }
        let mut best = (case, expected, verdict);
        self.fewer_records(&mut best)?;
        self.fewer_fields(&mut best)?;
        Ok(best)
    }

    /// Takes out runs of records, long ones first.
    fn fewer_records(&mut self, best: &mut (Case, Expectation, Verdict)) -> std::io::Result<()> {
        let mut length = best.0.rows.len() / 2;
        while length > 0 {
            let mut first = 2;
            while first < best.0.rows.len().saturating_sub(2) {
                let end = (first + length).min(best.0.rows.len() - 2);
                let smaller = best.0.without(first, end);
                if !self.try_case(smaller, best)? {
                    first = end;
                }
            }
            length /= 2;
        }
        Ok(())
    }

    /// Blanks fields that may be, all of a record at once or else one by one.
    fn fewer_fields(&mut self, best: &mut (Case, Expectation, Verdict)) -> std::io::Result<()> {
        for row in 2..best.0.rows.len().saturating_sub(2) {
            let Some(layout) = self.laboratory.layout(&best.0.rows, row) else { continue };
            let is_touched = |column: usize| matches!(&best.0.mutation, Mutation::Field { row: at, column: own, .. } if *at == row && *own == column);
            let cells = layout.fields.iter().map(|field| (field, field.cell));
            let cells = cells.filter(|(field, cell)| {
                let free = cell.first_column() > layout.record.len() && !field.decides;
                free && !is_touched(cell.first_column() - 1) && !cell.is_blank(&best.0.rows[row])
            });
            let cells = cells.map(|(_, cell)| cell).collect::<Vec<_>>();
            let blanked = |best: &Case, some: &[crate::grammar::Cell]| {
                let mut case = best.clone();
                some.iter().for_each(|cell| cell.put_blank(&mut case.rows[row]));
                Some(case)
            };
            let all = blanked(&best.0, &cells);
            if cells.is_empty() || self.try_case(all, best)? {
                continue;
            }
            for cell in cells {
                let one = blanked(&best.0, &[cell]);
                self.try_case(one, best)?;
            }
        }
        Ok(())
    }

    /// Takes a smaller case if it must end the same way and fails the same way.
    fn try_case(
        &mut self,
        smaller: Option<Case>,
        best: &mut (Case, Expectation, Verdict),
    ) -> std::io::Result<bool> {
        let Some(case) = smaller.filter(|case| case.rows.len() > 4 && self.patience > 0) else {
            return Ok(false);
        };
        let expected = self.laboratory.expect(&case);
        let (_, before, verdict) = &*best;
        let same = (expected.accepted, &expected.any_of, &expected.none_of)
            == (before.accepted, &before.any_of, &before.none_of);
        // What must be accepted must stay valid, which only whole transactions surely do.
        if !same || expected.accepted == Some(true) && expected.transactions == before.transactions {
            return Ok(false);
        }
        self.patience -= 1;
        let message = case.message();
        let reply = self.target.send(&message)?;
        match self.judge.judge(&message, &expected, &reply) {
            Some(found) if found.fault == verdict.fault => {
                *best = (case, expected, found);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
