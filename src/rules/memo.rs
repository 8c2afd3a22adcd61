//! What rules have found out about a transaction and will ask for again: which row of a list a record's
//! fields name, and which record is the nearest of a kind. Hundreds of rules share a few dozen such
//! questions.

use std::cell::{Cell, RefCell};

use super::expression::{Expression, RecordRef};

/// A question that is remembered, of any record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Slot(u16);

/// The questions of a book.
#[derive(Debug, Default)]
pub(super) struct Questions(RefCell<Vec<Question>>);

#[derive(Debug, PartialEq)]
enum Question {
    /// The row of a list that a key names.
    Row(Box<str>, Expression),
    /// The nearest record of a kind.
    Nearest(RecordRef),
}

impl Questions {
    /// The place of what is found for a key in a list, if that depends on nothing but the record where
    /// the question is asked.
    pub(super) fn row(&self, list: &str, key: &Expression) -> Option<Slot> {
        key.depends_on_record_alone().then(|| self.slot(Question::Row(list.into(), key.clone())))?
    }

    /// The place of the nearest record of a kind.
    pub(super) fn nearest(&self, record: &RecordRef) -> Option<Slot> {
        self.slot(Question::Nearest(record.clone()))
    }

    fn slot(&self, question: Question) -> Option<Slot> {
        let mut known = self.0.borrow_mut();
        let place = known.iter().position(|one| *one == question).unwrap_or_else(|| {
            known.push(question);
            known.len() - 1
        });
        // a book with more questions than that asks the last of them each time
        u16::try_from(place).ok().map(Slot)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.borrow().len()
    }
}

/// The answers for one transaction.
#[derive(Debug)]
pub(super) struct Memo {
    records: usize,
    /// By slot and record: the answer below, above it in which generation it was found.
    answers: Vec<Cell<u64>>,
    generation: Cell<u32>,
    scratch: RefCell<String>,
}

impl Memo {
    /// Nothing is known yet of so many questions about so many records.
    pub(super) fn new(questions: usize, records: usize) -> Self {
        let answers = vec![Cell::new(0); questions * records];
        Self { records, answers, generation: Cell::new(1), scratch: RefCell::default() }
    }

    /// An empty text, with the room of one that was kept.
    pub(super) fn scratch(&self) -> String {
        self.scratch.take()
    }

    /// Keeps the room of a text that is no longer wanted.
    pub(super) fn keep(&self, mut text: String) {
        text.clear();
        self.scratch.replace(text);
    }

    /// Forgets all answers: a field has failed, and what depends on it is no longer decided.
    pub(super) fn forget(&self) {
        self.generation.set(self.generation.get() + 1);
    }

    /// The answer for a record; found out if it is not known yet.
    #[inline]
    pub(super) fn answer(&self, slot: Option<Slot>, record: u32, find: impl FnOnce() -> u32) -> u32 {
        let Some(answer) =
            slot.and_then(|slot| self.answers.get(usize::from(slot.0) * self.records + record as usize))
        else {
            return find();
        };
        let known = answer.get();
        if known >> 32 == u64::from(self.generation.get()) {
            return known as u32;
        }
        let found = find();
        answer.set(u64::from(self.generation.get()) << 32 | u64::from(found));
        found
    }
}
