//! Every good sample declares what the program computes: by the command, and by the tables as they are.

use std::path::Path;
use std::process::{Command, Output};

use abigate::grammar::{CodeList, Grammar};
use abigate::model::Code;
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
    let files =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path().to_str().unwrap().to_owned());
    let files = files.filter(|file| !file.ends_with(".answer.abi")).collect::<Vec<_>>();
    let arguments = ["tariff", "explain"].into_iter().chain(files.iter().map(String::as_str));
    let output = abigate(&arguments.collect::<Vec<_>>());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let summaries = text.lines().filter(|line| line.starts_with("entry summary ")).count();
    let agree = text.lines().filter(|line| line.ends_with("declared agree")).count();
    assert!(summaries >= files.len() && files.len() >= 30, "{summaries} summaries");
    assert_eq!(summaries, agree);
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
            let (value, _) = Tariff::builtin()
                .unwrap()
                .levies()
                .fee(Code::new(&cell(row, "code")).unwrap(), kind, date)
                .unwrap();
            assert_eq!(value, printed.parse::<Decimal>().unwrap(), "{row:?}");
            compared += 1;
        }
    }
    assert!(compared > 60, "{compared}");
}
