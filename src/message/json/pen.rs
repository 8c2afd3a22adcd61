//! Records, groups and transactions as JSON text. Each ends with a comma that the bracket around it takes
//! back.

use std::io;
use std::ops::Range;

use super::plan::Plans;
use super::text::Text;
use super::value::canonical;
use super::{Form, Translation};
use crate::grammar::{Automaton, Fault, Grammar, GroupIndex, Layout};
use crate::message::outline::{Bodies, Item, Keeper, Part, Place, Record};
use crate::message::secrets::Secrets;
use crate::wire::Columns;

/// Writes transactions as their records come. Its text is the keys and values of a transaction, or a
/// translated one, with a comma behind it; none if a transaction cannot be translated.
pub(super) struct Pen<'g> {
    plans: Plans<'g>,
    form: Form,
    /// What tells where passwords may stand, if they are not to be told.
    secrets: Option<Secrets>,
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
            secrets: form.mask_passwords.then(|| Secrets::new(grammar)),
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
        let hidden = if self.form.mask_passwords { item.hidden } else { 0 };
        record(&mut self.plans, self.form, item.layout, &item.row, hidden, text)
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
        let hidden = self.secrets.as_ref().map_or(0, |secrets| taken.hidden(secrets));
        let written = record(&mut self.plans, self.form, taken.layout, taken.row, hidden, &mut self.text);
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

/// Writes a record; what stands in the hidden columns is not told.
fn record<'g>(
    plans: &mut Plans<'g>,
    form: Form,
    layout: Option<&'g Layout>,
    row: &Columns,
    hidden: u128,
    text: &mut Text,
) -> io::Result<()> {
    if form.canonical {
        return plans.record(layout, &canonical(layout, row), hidden, text);
    }
    plans.record(layout, row, hidden, text)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::generate::{Generator, Specification};
    use crate::host::World;
    use crate::message::outline::{Body, Child, Outline, children};
    use crate::message::transaction::{GroupRef, Transaction};
    use crate::message::{RecordsWriter, field_value};
    use crate::wire::records;

    /// Batches of a few applications, deeply nested and flat ones.
    static STREAM: LazyLock<Vec<Columns>> = LazyLock::new(|| {
        let grammar = Grammar::builtin();
        let world = World::demo(grammar).expect("the demo world");
        let mut stream = Vec::new();
        for application in ["AE", "SX", "ER", "QP"] {
            let wanted = Specification {
                application: application.to_owned(),
                seed: 7,
                date: None,
                separator: b"\n".to_vec(),
                variety: 12,
                password: "PASSWD".to_owned(),
            };
            let mut generator = Generator::new(grammar, &world, &wanted).expect("a known application");
            generator.batch(2, &mut stream);
        }
        records(&stream).map(|record| record.columns).collect()
    });

    fn record_plainly(item: &Item<'_>) -> Value {
        let Some(layout) = item.layout else {
            return json!({"raw": String::from_utf8_lossy(&item.row)});
        };
        let mut fields = Map::new();
        for field in &layout.fields {
            let key = match field.is_filler() {
                true => format!("filler_{}", field.cell.first_column()),
                false => field.name.clone(),
            };
            fields.extend(field_value(layout, field, &item.row).map(|value| (key, value)));
        }
        let mut record = json!({"record": layout.record, "name": layout.name, "fields": fields});
        if !layout.variant.is_empty() {
            record["variant"] = json!(layout.variant);
        }
        record
    }

    fn group_plainly(
        items: &[Item<'_>],
        transaction: &Transaction,
        automaton: &Automaton,
        group: GroupRef<'_>,
    ) -> Value {
        let members = children(transaction, group).map(|child| match child {
            Child::Record(position) => record_plainly(&items[position]),
            Child::Group(inner) => group_plainly(items, transaction, automaton, inner),
        });
        json!({
            "group": automaton.group(group.group().index).name,
            "members": members.collect::<Vec<_>>(),
        })
    }

    fn body_plainly(body: &Body<'_>) -> Value {
        if let Some((transaction, automaton)) = &body.tree {
            return group_plainly(&body.items, transaction, automaton, transaction.root());
        }
        let mut plain = json!({"unstructured": body.items.iter().map(record_plainly).collect::<Vec<_>>()});
        if let Some(fault) = &body.fault {
            plain["fault"] = json!(fault.to_string());
        }
        plain
    }

    /// The transactions of a stream as its tree tells them.
    fn plainly(rows: &[Columns]) -> Vec<Value> {
        let mut outline = Outline::new(Grammar::builtin());
        let mut parts = Vec::new();
        rows.iter().for_each(|row| outline.push(row, &mut parts));
        outline.finish(&mut parts);
        let bodies = parts.iter().filter_map(|part| match part {
            Part::Body(body) => Some(body_plainly(body)),
            _ => None,
        });
        bodies.collect()
    }

    /// The same as they are written while the stream comes.
    fn written(rows: &[Columns]) -> Vec<Value> {
        let form = Form { lines: true, ..Form::default() };
        let mut writer = RecordsWriter::new(Grammar::builtin(), form, Vec::new());
        for row in rows {
            writer.push(row).expect("memory takes everything");
        }
        let text = writer.finish().expect("memory takes everything");
        let lines = serde_json::Deserializer::from_slice(&text).into_iter::<Map<String, Value>>();
        let transactions = lines.filter_map(|line| {
            let mut line = line.expect("each line is an object");
            line.retain(|key, _| ["group", "members", "unstructured", "fault"].contains(&key.as_str()));
            (!line.is_empty()).then_some(Value::Object(line))
        });
        transactions.collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn transactions_are_written_as_their_trees_are(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..4_u8), 0..12),
        ) {
            let mut rows = STREAM.clone();
            for (index, change) in changes {
                let at = index.index(rows.len());
                match change {
                    0 => drop(rows.remove(at)),
                    1 => rows.insert(at, rows[at]),
                    2 => {
                        let next = (at + 1) % rows.len();
                        rows.swap(at, next);
                    }
                    _ => rows[at][..4].copy_from_slice(b"?? ?"),
                }
            }
            prop_assert_eq!(written(&rows), plainly(&rows));
        }
    }
}
