//! Records, groups and transactions as JSON text. Each ends with a comma that the bracket around it takes
//! back.

use std::io;

use super::plan::Plans;
use super::text::Text;
use super::value::canonical;
use super::{Form, Translation};
use crate::grammar::{Automaton, Grammar};
use crate::message::outline::{Body, Item};
use crate::message::transaction::Transaction;

/// What transactions are written with.
pub(super) struct Pen<'g> {
    plans: Plans<'g>,
    form: Form,
    translation: Option<Translation<'g>>,
    /// The filing that stands in the place of the transaction in hand.
    filing: Text,
}

impl<'g> Pen<'g> {
    pub(super) fn new(grammar: &Grammar, form: Form) -> Self {
        Self { plans: Plans::new(grammar), form, translation: None, filing: Text::default() }
    }

    pub(super) fn translate(&mut self, translation: Translation<'g>) {
        self.translation = Some(translation);
    }

    pub(super) fn translates(&self) -> bool {
        self.translation.is_some()
    }

    pub(super) fn item(&mut self, item: &Item<'g>, text: &mut Text) -> io::Result<()> {
        let masks = self.form.mask_passwords;
        if self.form.canonical {
            return self.plans.record(item, &canonical(item.layout, &item.row), masks, text);
        }
        self.plans.record(item, &item.row, masks, text)
    }

    /// Looks whether a transaction is to be written; if it is translated, this does the work.
    pub(super) fn admits(&mut self, body: &Body<'g>) -> bool {
        self.filing.clear();
        self.translation.as_mut().is_none_or(|translate| translate(body, &mut self.filing))
    }

    /// The filing of the transaction that was admitted.
    pub(super) fn filing(&self, text: &mut Text) {
        text.push_bytes(self.filing.as_bytes());
        text.push(",");
    }

    /// The keys and values of a transaction.
    pub(super) fn entries(&mut self, body: &Body<'g>, text: &mut Text) -> io::Result<()> {
        if let Some((transaction, automaton)) = &body.tree {
            return self.tree(&body.items, transaction, automaton, text);
        }
        text.push("\"unstructured\":[");
        body.items.iter().try_for_each(|item| self.item(item, text))?;
        text.close("],");
        if let Some(fault) = &body.fault {
            text.push("\"fault\":");
            text.value(&fault.to_string())?;
            text.push(",");
        }
        Ok(())
    }

    fn tree(
        &mut self,
        items: &[Item<'g>],
        transaction: &Transaction,
        automaton: &Automaton,
        text: &mut Text,
    ) -> io::Result<()> {
        let begin = |index: u32, text: &mut Text| {
            let group = transaction.groups()[index as usize].index;
            text.push("\"group\":\"");
            text.push(&automaton.group(group).name);
            text.push("\",\"members\":[");
        };
        begin(0, text);
        // Groups are listed in the order they begin, and each record tells its own.
        let groups = transaction.groups();
        let mut current = 0;
        let mut next = 1;
        for (position, (item, node)) in items.iter().zip(transaction.nodes()).enumerate() {
            while groups[current as usize].end as usize <= position {
                text.close("]},");
                current = groups[current as usize].parent;
            }
            while groups.get(next as usize).is_some_and(|group| group.first as usize == position) {
                text.push("{");
                begin(next, text);
                current = next;
                next += 1;
            }
            debug_assert_eq!(node.group, current, "a record stands in the group that is open");
            self.item(item, text)?;
        }
        while current != 0 {
            text.close("]},");
            current = groups[current as usize].parent;
        }
        text.close("],");
        Ok(())
    }
}
