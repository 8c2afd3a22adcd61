//! Every structure takes its smallest and its largest transactions; choices, marks, limits and borrowing.
use abigate::grammar::{
    Automaton, Cursor, Designation, Direction, Fault, Grammar, GroupMember, Member, Order, Source, Symbol,
};

/// The most repeats of one thing in a large transaction.
pub const REPEATS: u32 = 2;

/// How large a transaction is to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Size {
    /// What is mandatory.
    Smallest,
    /// Everything, each thing at most so often in a row.
    Largest(u32),
}

/// A record to come: its identifier, and the kind if that is known.
pub type Step = (String, Option<Symbol>);

pub fn repeat(steps: &[Step], times: u32) -> Vec<Step> {
    (0..times).flat_map(|_| steps.iter().cloned()).collect()
}

/// Takes the records; where a kind is not known any one of its identifier may do.
pub fn walk(automaton: &Automaton, steps: &[Step]) -> Result<(), (usize, Fault)> {
    let mut cursors = vec![Cursor::default()];
    for (at, (record, kind)) in steps.iter().enumerate() {
        let kinds = automaton.symbols_of(record).map(|(symbol, _)| symbol).collect::<Vec<_>>();
        let kinds = kinds.into_iter().filter(|symbol| kind.is_none_or(|kind| kind == *symbol));
        let mut ahead = Vec::new();
        let mut fault = None;
        for symbol in kinds {
            for cursor in &cursors {
                let mut next = cursor.clone();
                match next.step(automaton, symbol) {
                    Ok(_) => ahead.push(next),
                    Err(found) => fault = Some(found),
                }
            }
        }
        if ahead.is_empty() {
            let unknown = || Cursor::default().unknown(automaton, record.clone());
            return Err((at, fault.unwrap_or_else(unknown)));
        }
        cursors = ahead;
    }
    let mut ends = cursors.iter().map(|cursor| cursor.finish(automaton));
    let first = ends.next().unwrap();
    if first.is_ok() || ends.any(|end| end.is_ok()) {
        Ok(())
    } else {
        first.map_err(|fault| (steps.len(), fault))
    }
}

/// The smallest or largest transactions of a group: several, if somewhere it is a choice.
pub fn transactions(automaton: &Automaton, group: &GroupMember, size: Size) -> Vec<Vec<Step>> {
    let wanted = |designation| size != Size::Smallest || designation == Designation::Mandatory;
    let times = |maximum: Option<u32>| match size {
        Size::Smallest => 1,
        Size::Largest(most) => maximum.unwrap_or(most).min(most),
    };
    let mut all = vec![Vec::new()];
    let mut alternatives = Vec::new();
    for member in &group.members {
        let (parts, designation, maximum) = match member {
            Member::Record(record) => {
                let mut kinds = automaton.symbols_of(&record.record);
                let kind = kinds.find(|(_, mark)| *mark == record.discriminator.as_ref());
                let step = (record.record.clone(), kind.map(|(symbol, _)| symbol));
                (vec![vec![step]], record.designation, record.maximum)
            }
            Member::Group(inner) => (transactions(automaton, inner, size), inner.designation, inner.maximum),
        };
        let repeated = |part: &Vec<Step>| repeat(part, times(maximum));
        let parts = parts.iter().map(repeated).collect::<Vec<_>>();
        if group.order == Order::Choice {
            alternatives.extend(parts);
        } else if wanted(designation) {
            // Each part once: all with the first of the others.
            let rest =
                parts.iter().skip(1).map(|part| [all[0].as_slice(), part].concat()).collect::<Vec<_>>();
            all.iter_mut().for_each(|one| one.extend(parts[0].iter().cloned()));
            all.extend(rest);
        }
    }
    if group.order == Order::Choice { alternatives } else { all }
}

#[test]
fn the_smallest_and_the_largest_transactions_are_taken() {
    let mut count = 0;
    for (structure, automaton) in Grammar::builtin().structures() {
        for size in [Size::Smallest, Size::Largest(REPEATS)] {
            for steps in transactions(automaton, &structure.root, size) {
                // What may be left out altogether is no transaction.
                if steps.is_empty() {
                    continue;
                }
                let twice = repeat(&steps, 2);
                for steps in [&steps, &twice] {
                    let taken = walk(automaton, steps);
                    let records =
                        steps.iter().map(|(record, _)| record.as_str()).collect::<Vec<_>>().join(" ");
                    assert_eq!(taken, Ok(()), "{} {}: {records}", structure.application, structure.root.name);
                }
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count} transactions");
}

/// A small application with everything that structures can say.
const SMALL: &str = r#"
record ZZ in 10 head
  1-2 control_identifier N M = "10"
  3 action A M in {A D R}
  4-80 filler S M
record ZZ in 20 body
  1-2 control_identifier N M = "20"
  3-80 filler S M
record ZZ out 90 outcome
  1-2 control_identifier N M = "90"
  3-80 filler S M
structure ZZ in either at_most 2 exceeded E01 choice
  group full M 1 {
    10 M 1 when action {A R}
    20 M 2 exceeded E02
  }
  group short M 1 { 10 M 1 when action "D" }
end
borrow ZZ out from ZZ in
structure ZZ out answer
  10 M 1
  20 C *
  90 M 1
end
"#;

fn small() -> Grammar {
    let mut grammar = Grammar::default();
    grammar.add(&[Source { name: "small.grammar".to_owned(), text: SMALL.to_owned() }]).unwrap();
    grammar
}

#[test]
fn a_choice_is_made_by_the_mark() {
    let grammar = small();
    let (_, automaton) = grammar.structure("ZZ", Direction::Input).unwrap();
    let condition = |text: &str| {
        let mut cursor = Cursor::default();
        for word in text.split(' ') {
            let (record, mark) = word.split_at(2);
            let mut kinds = automaton.symbols_of(record);
            let kind = kinds.find(|(_, known)| known.is_none_or(|known| known.admits(mark)));
            if let Err(fault) = cursor.step(automaton, kind.unwrap().0) {
                return fault.condition().to_string();
            }
        }
        cursor.finish(automaton).err().map(|fault| fault.condition().to_string()).unwrap_or_default()
    };
    for (text, expected) in [
        ("10A 20", ""),
        ("10R 20 20", ""),
        ("10D", ""),
        ("10D 10A 20", ""),
        ("10A 20 10D", ""),
        // Behind the last record of all only a header may come.
        ("10D 20", "X33"),
        ("10A", "X37"),
        ("10A 10D", "X37"),
        ("20", "X33"),
        ("10A 20 20 20", "E02"),
        ("10D 10D 10D", "E01"),
        ("10D 10A 20 10A", "E01"),
    ] {
        assert_eq!(condition(text), expected, "{text}");
    }
}

#[test]
fn a_borrowed_record_has_the_lenders_layout() {
    let grammar = small();
    let names = |record: &str| {
        let layouts = grammar.layouts_of("ZZ", Direction::Output, record).into_iter();
        layouts.map(|id| grammar.layout(id).direction.name()).collect::<Vec<_>>()
    };
    assert_eq!((names("10"), names("90"), names("30")), (vec!["in"], vec!["out"], vec![]));
}
