//! The order of records: what may follow what, how often, and the condition of each fault.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::collections::BTreeSet;

use abigate::grammar::{Automaton, Cursor, Direction, Fault, Grammar};
use abigate::message::{Assembler, Identifier};

/// Records in a row, written `22 23*5` for one 22 and five 23, `(22 23)*3` for the pair three times.
fn rows(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (group, after) = match rest.strip_prefix('(') {
            Some(inner) => {
                let mut depth = 1;
                let end = inner.find(|sign| {
                    depth += i32::from(sign == '(') - i32::from(sign == ')');
                    depth == 0
                });
                let (inner, after) = inner.split_at(end.unwrap());
                (rows(inner), &after[1..])
            }
            None => {
                let (record, after) = rest.split_at(rest.find([' ', '*']).unwrap_or(rest.len()));
                (vec![record.to_owned()], after)
            }
        };
        let (times, after) = match after.strip_prefix('*') {
            Some(count) => count.split_at(count.find(' ').unwrap_or(count.len())),
            None => ("1", after),
        };
        all.extend(std::iter::repeat_n(group, times.parse().unwrap()).flatten());
        rest = after.trim_start();
    }
    all
}

/// Walks records, `PG00S` being a PG00 marked S; gives the first fault and how many stood before it.
fn walk(automaton: &Automaton, text: &str) -> (usize, Result<(), Fault>) {
    let mut cursor = Cursor::default();
    let rows = rows(text);
    for (index, row) in rows.iter().enumerate() {
        let (record, mark) = match row.strip_prefix("PG00") {
            Some(mark) => ("PG00", Some(mark)),
            None => (row.as_str(), None),
        };
        let symbol = automaton
            .symbols_of(record)
            .find(|(_, place)| mark.is_none_or(|mark| place.is_some_and(|place| place.admits(mark))))
            .map(|(symbol, _)| symbol);
        let step = match symbol {
            Some(symbol) => cursor.step(automaton, symbol).map(|_| ()),
            None => Err(cursor.unknown(automaton, record.to_owned())),
        };
        if step.is_err() {
            return (index, step);
        }
    }
    (rows.len(), cursor.finish(automaton))
}

fn entry_summary() -> &'static Automaton {
    Grammar::builtin().structure("AE", Direction::Input).unwrap().1
}

#[test]
fn what_the_chapter_allows_is_taken() {
    for text in [
        "10",
        "10 10 10 11 40 50 90 10 11 40 50 90",
        "10 11 20 SE13 21 (22 23*4 SE16*99 SE17)*3 30 31*2 32*999 33 34 35 36*99 40 50 90",
        "10 11 SE20*4 (SE30 SE31*4 SE32*9 SE35*3 SE36)*12 40 50 90",
        "10 11 (40 41 42*2 43 44*3 47*4 (SE50 SE51 SE55*3 SE56)*11 50*32 51 52 53*2 54*9 60 61 62*5 (SE62 SE63*3)*99 63 CW02)*1 90",
        "10 11 (40 (42 43 44)*5 50)*998 88 89*9 90",
        "10 11 40 43 44*3 50 90",
        "10 11 40 50 OI PG01 PG02 PG06 PG10 PG19 PG20 PG21 PG60 PG23 PG25 PG26*6 PG01 PG02 PG19 90",
        "10 11 40 50 OI PG01 PG02 PG50 PG19 PG29 PG51 PG50 PG19 PG51 PG24 60 62 89 90",
        "10 11 PG00S PG02 PG19 PG00E 40 PG00S PG06 PG00E 50 90",
        "10 11 40 50 OI PG01 PG02 PG04 PG06 PG07 PG08 PG13 PG14*3 PG22 PG30 PG21 PG34 40 50 90",
    ] {
        let (at, result) = walk(entry_summary(), text);
        assert_eq!(result.map_err(|fault| format!("{fault}")), Ok(()), "{text}: record {}", at + 1);
    }
}

/// What breaks the structure, the place of the fault, and its condition.
const FAULTS: [(&str, usize, &str); 23] = [
    ("11", 0, "A00"),
    ("10 11 40 50 90 11", 5, "A00"),
    ("Q9", 0, "A00"),
    ("10 Q9", 1, "A02"),
    ("10 11 20 11", 3, "A04"),
    ("10 20 11", 2, "A04"),
    ("10 11 40 50 90 88", 5, "A00"),
    ("10 (22 23)*1000", 1999, "A05"),
    ("10 22 23*5", 6, "A06"),
    ("10 32*1000", 1000, "A07"),
    ("10 (40 50)*999", 1997, "A08"),
    ("10 40 42*1000", 1001, "A09"),
    ("10 40 42 44*1000", 1002, "A10"),
    ("10 40 50*33", 34, "A11"),
    ("10 40 50 52*2", 4, "A17"),
    ("10 40 50 53*3", 5, "A18"),
    ("10 40 50 62*6", 8, "A19"),
    ("10 40 50 89*10", 12, "A20"),
    ("10 40 47*7", 8, "A23"),
    ("10 31*3", 3, "A24"),
    ("10 40 50 54*10", 12, "A25"),
    ("10 22 30", 2, "185"),
    ("10 40 90", 2, "431"),
];

#[test]
fn faults_raise_their_condition_where_they_are() {
    let mut provoked = BTreeSet::new();
    for (text, at, code) in FAULTS {
        let (found, result) = walk(entry_summary(), text);
        let fault = result.expect_err(text);
        assert_eq!((found, fault.condition().as_str()), (at, code), "{text}: {fault}");
        provoked.insert(code.to_owned());
    }
    let register = Grammar::builtin().list("condition_register").unwrap();
    // A rule may raise one of these as well, and then is what the register names.
    let is_listed = |row: &&Vec<String>| {
        row[3] == "tests/structure" || row[0] == "AE" && row[2] == "tested" && provoked.contains(&row[1])
    };
    let listed = register.rows().iter().filter(is_listed).map(|row| row[1].clone());
    assert_eq!(listed.collect::<BTreeSet<_>>(), provoked, "grammars/codes/condition_register.tsv");
}

#[test]
fn a_transaction_may_not_grow_without_end() {
    let grammar = Grammar::builtin();
    let identifier = Identifier::new(grammar, "AE", Direction::Input, entry_summary());
    let mut assembler = Assembler::new(identifier, entry_summary()).with_limit(Some(3));
    let mut push = |record: &str| {
        let mut columns = [b' '; 80];
        columns[..record.len()].copy_from_slice(record.as_bytes());
        let mut finished = None;
        assembler.push(&columns, 1, &mut finished).map_err(|fault| fault.condition().to_string())
    };
    for record in ["10", "11", "20", "10", "11", "40"] {
        assert_eq!(push(record), Ok(()), "{record}");
    }
    assert_eq!(push("50"), Err("A24".to_owned()));
}
