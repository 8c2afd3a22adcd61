//! Every good sample declares what the program computes: by the command, and by the tables as they are.

use std::path::Path;
use std::process::{Command, Output};

use abigate::grammar::{CodeList, Grammar};
use abigate::tariff::{FeeKind, Tariff};
use jiff::civil::Date;
use rust_decimal::Decimal;

pub fn abigate(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_abigate"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

#[test]
fn good_samples_declare_what_is_owed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary/good");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.to_str().unwrap();
        if name.ends_with(".answer.abi") {
            continue;
        }
        let output = abigate(&["tariff", "explain", name]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{name}:\n{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("declared agree"), "{name}:\n{text}");
        count += 1;
    }
    assert!(count >= 30, "{count} samples");
}

#[test]
fn a_duty_that_is_wrong_is_told() {
    let output = abigate(&["tariff", "explain", "samples/entry_summary/bad/601-harbor-fee.abi"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("differs: line 1: 501: declared 15.61, owed 15.60"), "{text}");
}

/// The chapter's own table of rates, which rules use, and the one computations use, say the same.
#[test]
fn fees_are_those_of_the_chapter() {
    let grammar = Grammar::builtin();
    let list = grammar.lists().find(|list| list.name() == "ae_fee_rate").unwrap();
    let cell = |row: &[String], column| CodeList::cell(list, row, column).unwrap_or_default().to_owned();
    let columns = [
        ("rate", FeeKind::Rate),
        ("amount", FeeKind::Amount),
        ("minimum", FeeKind::Minimum),
        ("maximum", FeeKind::Maximum),
    ];
    let mut compared = 0;
    for row in list.rows() {
        let from = cell(row, "from");
        // The chapter of July 2026 does not know the rates of October yet.
        let date = if from.is_empty() { cell(row, "to") } else { from };
        for (column, kind) in columns {
            let printed = cell(row, column);
            if printed.is_empty() {
                continue;
            }
            let date = date.parse::<Date>().unwrap();
            let (value, _) = Tariff::builtin().levies().fee(&cell(row, "code"), kind, date).unwrap();
            assert_eq!(value, printed.parse::<Decimal>().unwrap(), "{row:?}");
            compared += 1;
        }
    }
    assert!(compared > 60, "{compared}");
}
