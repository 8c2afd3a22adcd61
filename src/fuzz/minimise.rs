//! The smallest message that still shows a fault.

use super::case::Case;
use super::cause::crash_place;
use super::laboratory::Laboratory;
use super::mutation::Mutation;
use super::target::{Reply, Target};
use super::verdict::{Expectation, Fault, JudgeOfReplies, Verdict};

/// So many messages are sent to make one smaller, at most.
const PATIENCE: usize = 300;
/// The same where each of them waits for an answer that does not come.
const PATIENCE_WITH_HANGS: usize = 10;

/// A case that fails, and how.
pub(super) struct Found {
    pub(super) case: Case,
    pub(super) expected: Expectation,
    pub(super) verdict: Verdict,
    pub(super) standard_error: Vec<u8>,
}

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

    /// The case with as few records and fields as show the same fault for the same reason. A target that
    /// cannot be reached any more ends the search.
    pub(super) fn minimise(mut self, mut best: Found) -> Found {
        if best.verdict.fault == Fault::Hang {
            self.patience = PATIENCE_WITH_HANGS;
        }
        self.fewer_records(&mut best);
        self.fewer_fields(&mut best);
        best
    }

    /// Takes out runs of records, long ones first.
    fn fewer_records(&mut self, best: &mut Found) {
        let mut length = best.case.rows.len() / 2;
        while length > 0 {
            let mut first = 2;
            while first < best.case.rows.len().saturating_sub(2) {
                let end = (first + length).min(best.case.rows.len() - 2);
                let smaller = best.case.without(first, end);
                if !self.try_case(smaller, best) {
                    first = end;
                }
            }
            length /= 2;
        }
    }

    /// Blanks fields that may be, all of a record at once or else one by one.
    fn fewer_fields(&mut self, best: &mut Found) {
        for row in 2..best.case.rows.len().saturating_sub(2) {
            let Some(layout) = self.laboratory.layout(&best.case.rows, row) else { continue };
            let is_touched = |column: usize| matches!(&best.case.mutation, Mutation::Field { row: at, column: own, .. } if *at == row && *own == column);
            let cells = layout.fields.iter().map(|field| (field, field.cell));
            let cells = cells.filter(|(field, cell)| {
                let free = cell.first_column() > layout.record.len() && !field.decides;
                free && !is_touched(cell.first_column() - 1) && !cell.is_blank(&best.case.rows[row])
            });
            let cells = cells.map(|(_, cell)| cell).collect::<Vec<_>>();
            let blanked = |best: &Case, some: &[crate::grammar::Cell]| {
                let mut case = best.clone();
                some.iter().for_each(|cell| cell.put_blank(&mut case.rows[row]));
                Some(case)
            };
            let all = blanked(&best.case, &cells);
            if cells.is_empty() || self.try_case(all, best) {
                continue;
            }
            for cell in cells {
                let one = blanked(&best.case, &[cell]);
                self.try_case(one, best);
            }
        }
    }

    /// Takes a smaller case if it must end the same way and fails the same way.
    fn try_case(&mut self, smaller: Option<Case>, best: &mut Found) -> bool {
        let Some(case) = smaller.filter(|case| case.rows.len() > 4 && self.patience > 0) else {
            return false;
        };
        let expected = self.laboratory.expect(&case);
        let before = &best.expected;
        let same = (expected.accepted, &expected.any_of, &expected.none_of)
            == (before.accepted, &before.any_of, &before.none_of);
        // What must be accepted must stay valid, which only whole transactions surely do.
        if !same || expected.accepted == Some(true) && expected.transactions == before.transactions {
            return false;
        }
        self.patience -= 1;
        let message = case.message();
        let Ok(reply) = self.target.send(&message) else {
            self.patience = 0;
            return false;
        };
        match self.judge.judge(&message, &expected, &reply) {
            Some(verdict) if is_same(best, &verdict, &reply) => {
                *best = Found { case, expected, verdict, standard_error: reply.standard_error };
                true
            }
            _ => false,
        }
    }
}

/// Whether it is the same fault, and in the same place if a program tells where it fell over.
fn is_same(best: &Found, verdict: &Verdict, reply: &Reply) -> bool {
    let is_crash = verdict.fault == Fault::Crash;
    best.verdict.fault == verdict.fault
        && (!is_crash || crash_place(&best.standard_error) == crash_place(&reply.standard_error))
}
