//! Structures compared: which records stand in which order, how deep and how often.

use super::field::raised;
use super::{Change, ChangeKind};
use crate::grammar::{
    ConditionCode, Designation, Direction, Grammar, GroupMember, Member, Order, RecordMember, Structure,
    StructureConditions,
};

pub(super) fn compare(
    old: &Grammar,
    new: &Grammar,
    wanted: &dyn Fn(&str, Direction) -> bool,
    changes: &mut Vec<Change>,
) {
    let of = |grammar| structures(grammar, wanted);
    for (old, new) in super::paired(&of(old), &of(new), is_same, is_renamed) {
        let Some(structure) = new.or(old) else { continue };
        let from = changes.len();
        match (old, new) {
            (Some(old), Some(new)) => {
                if old.root.name != new.root.name {
                    let names = (&old.root.name, &new.root.name);
                    changes.push(Change::of(ChangeKind::Renamed, "the structure's name", names.0, names.1));
                }
                compare_groups(&old.root, &new.root, &mut Vec::new(), changes);
            }
            (None, Some(new)) => changes.push(appeared(&Member::Group(new.root.clone()), "")),
            _ => changes.push(vanished(&Member::Group(structure.root.clone()))),
        }
        for change in &mut changes[from..] {
            change.application.clone_from(&structure.application);
            change.direction = structure.direction.name();
            if change.structure.is_empty() {
                change.structure.push(structure.root.name.clone());
            }
        }
    }
}

fn structures<'g>(grammar: &'g Grammar, wanted: &dyn Fn(&str, Direction) -> bool) -> Vec<&'g Structure> {
    let all = grammar.structures().map(|(structure, _)| structure);
    all.filter(|structure| wanted(&structure.application, structure.direction)).collect()
}

fn is_same(old: &Structure, new: &Structure) -> bool {
    is_renamed(old, new) && old.root.name == new.root.name
}

fn is_renamed(old: &Structure, new: &Structure) -> bool {
    (&old.application, old.direction) == (&new.application, new.direction)
}

fn compare_groups(old: &GroupMember, new: &GroupMember, path: &mut Vec<String>, changes: &mut Vec<Change>) {
    path.push(new.name.clone());
    let from = changes.len();
    let about = format!("group {}", new.name);
    compare_repeats(&about, (old.designation, old.maximum), (new.designation, new.maximum), changes);
    if old.order != new.order {
        let about = format!("group {}: its members", new.name);
        changes.push(Change::of(ChangeKind::Order, &about, order(old.order), order(new.order)));
    }
    compare_conditions(&about, &old.conditions, &new.conditions, changes);
    for change in &mut changes[from..] {
        change.structure.clone_from(path);
    }
    compare_members(&keyed(&old.members), &keyed(&new.members), path, changes);
    path.pop();
}

fn order(order: Order) -> &'static str {
    match order {
        Order::Sequence => "in the order as written",
        Order::Unordered => "in any order",
        Order::Choice => "one or another",
    }
}

/// A member and by what it is known in its group.
type Keyed<'a> = (String, &'a Member);

/// Members of the same name are told apart by their count.
fn keyed(members: &[Member]) -> Vec<Keyed<'_>> {
    let mut keyed = Vec::<Keyed<'_>>::new();
    for member in members {
        let name = name(member);
        let count = keyed.iter().filter(|(_, known)| self::name(known) == name).count();
        let key = if count == 0 { name } else { format!("{name} ({})", count + 1) };
        keyed.push((key, member));
    }
    keyed
}

fn name(member: &Member) -> String {
    match member {
        Member::Group(group) => format!("group {}", group.name),
        Member::Record(record) => match &record.discriminator {
            Some(only) => {
                let values = only.values.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>();
                format!("record {} where {} is {}", record.record, only.field, values.join(" or "))
            }
            None => format!("record {}", record.record),
        },
    }
}

fn compare_members(old: &[Keyed<'_>], new: &[Keyed<'_>], path: &mut Vec<String>, changes: &mut Vec<Change>) {
    let find = |of: &[Keyed<'_>], key: &str| of.iter().position(|(known, _)| known == key);
    let kept = old.iter().filter(|(key, _)| find(new, key).is_some()).map(|(key, _)| key.as_str());
    let in_place = longest_common(&kept.collect::<Vec<_>>(), new);
    for (at, (key, member)) in new.iter().enumerate() {
        let from = changes.len();
        let behind = at.checked_sub(1).map_or("first", |before| &new[before].0);
        let Some(before) = find(old, key) else {
            changes.push(appeared(member, behind));
            changes[from].structure.clone_from(path);
            continue;
        };
        if !in_place.contains(&key.as_str()) {
            let was = before.checked_sub(1).map_or("first", |before| &old[before].0);
            let text = format!("{key} moved: stood {}, stands {}", place(was), place(behind));
            changes.push(Change::new(ChangeKind::Moved, was, behind, text));
        }
        if let (Member::Record(old), Member::Record(new)) = (old[before].1, member) {
            compare_records(key, old, new, changes);
        }
        for change in &mut changes[from..] {
            change.structure.clone_from(path);
            change.record = record_of(member).to_owned();
        }
        if let (Member::Group(old), Member::Group(new)) = (old[before].1, member) {
            compare_groups(old, new, path, changes);
        }
    }
    for (_, member) in old.iter().filter(|(key, _)| find(new, key).is_none()) {
        let change = vanished(member);
        changes.push(Change { structure: path.clone(), ..change });
    }
}

fn place(behind: &str) -> String {
    if behind == "first" { behind.to_owned() } else { format!("behind {behind}") }
}

fn record_of(member: &Member) -> &str {
    match member {
        Member::Record(record) => &record.record,
        Member::Group(_) => "",
    }
}

fn compare_records(key: &str, old: &RecordMember, new: &RecordMember, changes: &mut Vec<Change>) {
    compare_repeats(key, (old.designation, old.maximum), (new.designation, new.maximum), changes);
    compare_conditions(key, &old.conditions, &new.conditions, changes);
}

fn compare_repeats(
    about: &str,
    old: (Designation, Option<u32>),
    new: (Designation, Option<u32>),
    changes: &mut Vec<Change>,
) {
    if old.0 != new.0 {
        changes.push(Change::of(ChangeKind::Designation, about, old.0.word(), new.0.word()));
    }
    if old.1 != new.1 {
        let (from, to) = (times(old.1), times(new.1));
        let text = format!("{about} could stand {from}, may stand {to}");
        changes.push(Change::new(ChangeKind::Repeats, from, to, text));
    }
}

fn times(maximum: Option<u32>) -> String {
    match maximum {
        None => "any number of times".to_owned(),
        Some(1) => "once".to_owned(),
        Some(maximum) => format!("{maximum} times"),
    }
}

fn appeared(member: &Member, behind: &str) -> Change {
    let (designation, maximum) = match member {
        Member::Group(group) => (group.designation, group.maximum),
        Member::Record(record) => (record.designation, record.maximum),
    };
    let place = if behind.is_empty() { String::new() } else { format!(", {}", place(behind)) };
    let text = format!(
        "{} appeared{place}: {}, may stand {}{}",
        name(member),
        designation.word(),
        times(maximum),
        contents(member)
    );
    let change = Change::new(ChangeKind::Appeared, "", name(member), text);
    Change { record: record_of(member).to_owned(), ..change }
}

fn vanished(member: &Member) -> Change {
    let text = format!("{} vanished{}", name(member), contents(member));
    let change = Change::new(ChangeKind::Vanished, name(member), "", text);
    Change { record: record_of(member).to_owned(), ..change }
}

/// The records of a group, however deep.
fn contents(member: &Member) -> String {
    fn collect<'a>(group: &'a GroupMember, records: &mut Vec<&'a str>) {
        for member in &group.members {
            match member {
                Member::Record(record) => records.push(&record.record),
                Member::Group(inner) => collect(inner, records),
            }
        }
    }
    let Member::Group(group) = member else { return String::new() };
    let mut records = Vec::new();
    collect(group, &mut records);
    format!("; it holds {}", records.join(" "))
}

fn compare_conditions(
    about: &str,
    old: &StructureConditions,
    new: &StructureConditions,
    changes: &mut Vec<Change>,
) {
    type Code = fn(&StructureConditions) -> Option<ConditionCode>;
    let faults: [(&str, Code); 6] = [
        ("without its header", |own| own.header_missing),
        ("an unknown record", |own| own.unknown),
        ("out of sequence", |own| own.sequence),
        ("repeated too often", |own| own.exceeded),
        ("missing", |own| own.missing),
        ("with a gap", |own| own.gap),
    ];
    for (fault, code) in faults {
        if code(old) != code(new) {
            changes.push(raised(&format!("{about}: what it raises if {fault}"), code(old), code(new)));
        }
    }
}

/// The keys that stand in the same order in both, as many as there can be.
fn longest_common<'a>(old: &[&'a str], new: &[Keyed<'_>]) -> Vec<&'a str> {
    let mut lengths = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let is_same = old[i] == new[j].0;
            lengths[i][j] =
                if is_same { lengths[i + 1][j + 1] + 1 } else { lengths[i + 1][j].max(lengths[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut common = Vec::new();
    while i < old.len() && j < new.len() {
        if old[i] == new[j].0 {
            common.push(old[i]);
            (i, j) = (i + 1, j + 1);
        } else if lengths[i + 1][j] >= lengths[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    common
}
