//! What moved between two revisions of a chapter, field by field, in words.

mod field;
mod list;
mod structure;

use serde::Serialize;

use super::{Direction, Field, Grammar, Layout};

/// What has changed about a field, a record, a structure or a code list.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not there.
    Appeared,
    /// It is not there any more.
    Vanished,
    /// It has another name, in the program or in the chapter.
    Renamed,
    /// It has as many columns in another place, or another place in the order of the records.
    Moved,
    /// It has more columns.
    Grew,
    /// It has fewer columns.
    Shrank,
    /// Its data class.
    Class,
    /// Whether it must be reported.
    Designation,
    /// Its implied decimal places.
    Decimals,
    /// The order of its date's digits.
    DateFormat,
    /// The values it may hold.
    Values,
    /// Whether it tells the layouts of its record apart.
    Decides,
    /// A condition it raises.
    Condition,
    /// How often it may stand.
    Repeats,
    /// Whether the records of a group come in any order.
    Order,
    /// What a code stands for.
    Meaning,
}

/// One difference between two revisions.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Change {
    /// The application identifier; empty for a code list, which any may use.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub application: String,
    /// `in` or `out`; empty for a code list.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub direction: &'static str,
    /// The structure's groups from the outermost one in, if it is about order and repeats.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub structure: Vec<String>,
    /// The code list, if it is about its codes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub list: String,
    /// The record's control identifier.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub record: String,
    /// Which of the record's layouts.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// The field's name; the one it had, if it vanished.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// The field's first and last column; those it had, if it vanished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<(usize, usize)>,
    /// What has changed.
    pub kind: ChangeKind,
    /// What it was.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// What it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub to: String,
    /// The change in words.
    pub text: String,
}

impl Change {
    fn new(
        kind: ChangeKind,
        from: impl Into<String>,
        to: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            application: String::new(),
            direction: "",
            structure: Vec::new(),
            list: String::new(),
            record: String::new(),
            variant: String::new(),
            field: String::new(),
            columns: None,
            kind,
            from: from.into(),
            to: to.into(),
            text: text.into(),
        }
    }

    /// A change whose words are the usual ones: what it is about, was and is.
    fn of(kind: ChangeKind, about: &str, from: impl Into<String>, to: impl Into<String>) -> Self {
        let (from, to) = (from.into(), to.into());
        let text = format!("{about} was {from}, is {to}");
        Self::new(kind, from, to, text)
    }

    fn at_layout(self, layout: &Layout) -> Self {
        Self {
            application: layout.application.clone(),
            direction: layout.direction.name(),
            record: layout.record.clone(),
            variant: layout.variant.clone(),
            ..self
        }
    }

    fn at_field(self, layout: &Layout, field: &Field) -> Self {
        let columns = Some((field.cell.first_column(), field.cell.last_column()));
        Self { field: field.name.clone(), columns, ..self.at_layout(layout) }
    }
}

/// Compares two revisions, as far as their applications are wanted: records and fields, then
/// structures, then the code lists that fields of both name. Notes are not compared.
#[must_use]
pub fn diff(old: &Grammar, new: &Grammar, wanted: &dyn Fn(&str, Direction) -> bool) -> Vec<Change> {
    let mut changes = Vec::new();
    let of = |grammar| layouts(grammar, wanted);
    for (old, new) in paired(&of(old), &of(new), is_same_layout, is_renamed_layout) {
        match (old, new) {
            (Some(old), Some(new)) => field::compare_layouts(old, new, &mut changes),
            (Some(old), None) => changes.push(field::vanished_layout(old)),
            (None, Some(new)) => changes.push(field::appeared_layout(new)),
            (None, None) => {}
        }
    }
    structure::compare(old, new, wanted, &mut changes);
    list::compare(old, new, &of(old), &of(new), &mut changes);
    changes
}

fn layouts<'g>(grammar: &'g Grammar, wanted: &dyn Fn(&str, Direction) -> bool) -> Vec<&'g Layout> {
    let all = grammar.layouts().iter();
    all.filter(|layout| wanted(&layout.application, layout.direction)).collect()
}

fn is_same_layout(old: &Layout, new: &Layout) -> bool {
    is_renamed_layout(old, new) && old.variant == new.variant
}

/// Another variant of the record takes the place of one that is gone.
fn is_renamed_layout(old: &Layout, new: &Layout) -> bool {
    (&old.application, old.direction, &old.record) == (&new.application, new.direction, &new.record)
}

/// Pairs what is the same, and of the rest what may be, in the new order; what has vanished stands
/// behind what it stood behind.
fn paired<'a, T>(
    old: &[&'a T],
    new: &[&'a T],
    is_same: impl Fn(&T, &T) -> bool,
    may_be: impl Fn(&T, &T) -> bool,
) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    let mut partners = vec![None; new.len()];
    let mut is_free = vec![true; old.len()];
    for judge in [&is_same as &dyn Fn(&T, &T) -> bool, &may_be] {
        for (partner, new) in partners.iter_mut().zip(new).filter(|(partner, _)| partner.is_none()) {
            if let Some(at) = (0..old.len()).find(|&at| is_free[at] && judge(old[at], new)) {
                is_free[at] = false;
                *partner = Some(at);
            }
        }
    }
    let vanished_behind = |at: usize| {
        let gone = (at..old.len()).take_while(|&at| is_free[at]);
        gone.map(|at| (Some(old[at]), None)).collect::<Vec<_>>()
    };
    let mut pairs = vanished_behind(0);
    for (partner, new) in partners.into_iter().zip(new) {
        pairs.push((partner.map(|at| old[at]), Some(*new)));
        if let Some(at) = partner {
            pairs.extend(vanished_behind(at + 1));
        }
    }
    pairs
}
