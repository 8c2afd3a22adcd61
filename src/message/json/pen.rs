//! Records, groups and transactions as JSON text. Each ends with a comma that the bracket around it takes
//! back.

use std::io;
use std::ops::Range;

use super::plan::Plans;
use super::text::Text;
use super::value::canonical;
use super::{Form, Translation};
use crate::grammar::{Automaton, Cell, Fault, Grammar, GroupIndex, Layout};
use crate::message::outline::{Bodies, Item, Keeper, Part, Place, Record};
use crate::wire::Columns;

/// Writes transactions as their records come. Its text is the keys and values of a transaction, or a
/// translated one, with a comma behind it; none if a transaction cannot be translated.
pub(super) struct Pen<'g> {
    plans: Plans<'g>,
    form: Form,
    /// What translates whole transactions, and where these are kept.
    translation: Option<(Translation<'g>, Bodies<'g>)>,
    /// How many records of the transaction in hand have been written.
    records: usize,
    text: Text,
    /// The groups that are open, outermost first.
    open: Vec<GroupIndex>,
    /// What does not belong to records: it goes if they turn out to be no transaction.
    brackets: Vec<Range<usize>>,
    failed: Option<io::Error>,
    /// The memory of a text that is no longer needed.
    spare: Text,
}

/// A part of a stream whose transactions are written.
pub(super) type WrittenPart<'g> = Part<'g, <Pen<'g> as Keeper<'g>>::Body>;

/// What a transaction begins with that is none.
const UNSTRUCTURED: &str = "\"unstructured\":[";

impl<'g> Pen<'g> {
    pub(super) fn new(grammar: &Grammar, form: Form) -> Self {
        Self {
            plans: Plans::new(grammar),
            form,
            translation: None,
            records: 0,
            text: Text::default(),
            open: Vec::new(),
            brackets: Vec::new(),
            failed: None,
            spare: Text::default(),
        }
    }

    pub(super) fn translate(&mut self, translation: Translation<'g>) {
        self.translation = Some((translation, Bodies::default()));
    }

    pub(super) fn translates(&self) -> bool {
        self.translation.is_some()
    }

    /// Writes a control record.
    pub(super) fn item(&mut self, item: &Item<'g>, text: &mut Text) -> io::Result<()> {
        let password = item.password.filter(|_| self.form.mask_passwords);
        record(&mut self.plans, self.form, item.layout, &item.row, password, text)
    }

    fn open(&mut self, group: GroupIndex, automaton: &Automaton) {
        let begin = self.text.len();
        self.text.push(if self.open.is_empty() { "\"group\":\"" } else { "{\"group\":\"" });
        self.text.push(&automaton.group(group).name);
        self.text.push("\",\"members\":[");
        self.brackets.push(begin..self.text.len());
        self.open.push(group);
    }

    fn close(&mut self) -> Option<GroupIndex> {
        self.text.close("]},");
        // The comma stays that of the record before.
        let end = self.text.len() - 1;
        self.brackets.push(end - 2..end);
        self.open.pop()
    }

    fn place(&mut self, place: Place<'g>) {
        let Place { transition, automaton, .. } = place;
        if self.open.is_empty() {
            self.open(0, automaton);
        } else {
            for _ in 0..transition.leave {
                self.close();
            }
            if transition.again
                && let Some(group) = self.close()
            {
                self.open(group, automaton);
            }
        }
        for &group in &transition.enter {
            self.open(group, automaton);
        }
    }

    fn hand_over(&mut self) -> io::Result<Option<Text>> {
        self.records = 0;
        self.open.clear();
        self.brackets.clear();
        let written = std::mem::replace(&mut self.text, std::mem::take(&mut self.spare));
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(Some(written)),
        }
    }

    /// Writes what a translation makes of the transaction in hand.
    fn translated(
        &mut self,
        complete: impl FnOnce(&mut Bodies<'g>) -> <Bodies<'g> as Keeper<'g>>::Body,
    ) -> Option<io::Result<Option<Text>>> {
        let (translate, bodies) = self.translation.as_mut()?;
        let body = complete(bodies);
        let is_translated = translate(&body, &mut self.text);
        bodies.recycle(body);
        if is_translated {
            self.text.push(",");
            return Some(self.hand_over());
        }
        self.text.clear();
        Some(Ok(None))
    }

    /// Writes the records of the text without what made them a transaction.
    fn unstructured(&mut self, fault: Option<Fault>) -> io::Result<()> {
        let mut loose = std::mem::take(&mut self.spare);
        loose.push(UNSTRUCTURED);
        let written = self.text.as_bytes();
        let mut done = 0;
        for bracket in self.brackets.drain(..) {
            loose.push_bytes(&written[done..bracket.start]);
            done = bracket.end;
        }
        loose.push_bytes(&written[done..]);
        loose.close("],");
        if let Some(fault) = fault {
            loose.push("\"fault\":");
            loose.value(&fault.to_string())?;
            loose.push(",");
        }
        self.spare = std::mem::replace(&mut self.text, loose);
        self.spare.clear();
        Ok(())
    }
}

impl<'g> Keeper<'g> for Pen<'g> {
    type Body = io::Result<Option<Text>>;

    fn len(&self) -> usize {
        self.translation.as_ref().map_or(self.records, |(_, bodies)| bodies.len())
    }

    fn take(&mut self, taken: Record<'_, 'g>, at: Option<Place<'g>>) {
        if let Some((_, bodies)) = &mut self.translation {
            return bodies.take(taken, at);
        }
        self.records += 1;
        if let Some(at) = at {
            self.place(at);
        }
        let written = record(&mut self.plans, self.form, taken.layout, taken.row, None, &mut self.text);
        if let Err(error) = written {
            self.failed = Some(error);
        }
    }

    fn complete(&mut self, automaton: &'g Automaton) -> Self::Body {
        if let Some(translated) = self.translated(|bodies| bodies.complete(automaton)) {
            return translated;
        }
        for _ in 1..self.open.len() {
            self.text.close("]},");
        }
        self.text.close("],");
        self.hand_over()
    }

    fn give_up(&mut self, fault: Option<Fault>) -> Self::Body {
        let mut fault = Some(fault);
        if let Some(translated) = self.translated(|bodies| bodies.give_up(fault.take().flatten())) {
            return translated;
        }
        if let Err(error) = self.unstructured(fault.flatten()) {
            self.failed = Some(error);
        }
        self.hand_over()
    }

    fn recycle(&mut self, used: Self::Body) {
        if let Ok(Some(mut text)) = used {
            text.clear();
            self.spare = text;
        }
    }
}

/// Writes a record; what stands in the password is not told.
fn record<'g>(
    plans: &mut Plans<'g>,
    form: Form,
    layout: Option<&'g Layout>,
    row: &Columns,
    password: Option<Cell>,
    text: &mut Text,
) -> io::Result<()> {
    if form.canonical {
        return plans.record(layout, &canonical(layout, row), password, text);
    }
    plans.record(layout, row, password, text)
}
