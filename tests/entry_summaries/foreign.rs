//! Entries of another filer (docs/whose-entry.md): whoever names one is answered as if it were not there.
//! Filer IM7 has entries on file, filer EEE names them.

use abigate::envelope::RawBatch;
use abigate::host::Host;
use abigate::rules::check_digit;
use abigate::store::{
    CensusWarning, ControlState, EntryKey, EntrySummary, Mark, SqliteStore, StatementKey, Store, Unit,
};
use abigate::wire::Columns;
use jiff::civil::date;

use crate::support::*;

const VICTIM: &str = "IM7";
/// The importer of the victim's entries, for whom no message here is filed.
const IMPORTER: &str = "89-7301156";

/// Numbers of the victim's: of a summary, of a warehouse entry and of a release.
struct Numbers {
    summary: String,
    warehouse: String,
    release: String,
}

/// A valid entry number of the victim's.
fn number(sequence: u32) -> String {
    let digits = format!("{sequence:07}");
    format!("{digits}{}", check_digit(VICTIM, &digits).unwrap())
}

fn numbers(sequence: u32) -> Numbers {
    Numbers { summary: number(sequence), warehouse: number(sequence + 1), release: number(sequence + 2) }
}

fn on_file() -> Numbers {
    numbers(900)
}

fn of_nobody() -> Numbers {
    numbers(700)
}

fn victims(number: &str) -> EntryKey {
    EntryKey { filer: VICTIM.to_owned(), number: number.to_owned() }
}

/// A host with the victim's entries on file in a state, and all there can be beside them: releases, bonds, a
/// printed statement of each day, warnings.
fn host_with(state: ControlState, marks: &[Mark]) -> Host<'static, SqliteStore> {
    let Numbers { summary, warehouse, release } = on_file();
    let marks = marks.iter().map(|mark| format!("{:?}", mark.name())).collect::<Vec<_>>().join(", ");
    let entry = |number: &str, entry_type: &str| {
        format!(
            "[[entry_summary]]\nfiler = \"{VICTIM}\"\nentry_number = \"{number}\"\nport = \"4601\"\n\
             entry_type = \"{entry_type}\"\nimporter = \"{IMPORTER}\"\nbroker_reference = \"SECRETREF\"\n\
             state = \"{}\"\nmarks = [{marks}]\nentry_date = \"2026-01-20\"\nimport_date = \"2020-01-19\"\n\
             liquidation_date = \"2026-08-10\"\n",
            state.name()
        )
    };
    let mut more = entry(&summary, "03") + &entry(&warehouse, "21");
    for number in [&summary, &release] {
        more += &format!(
            "[[release]]\nfiler = \"{VICTIM}\"\nentry_number = \"{number}\"\nport = \"2704\"\n\
             mot = \"11\"\nreleased = \"2026-07-29\"\nline_release = true\nimmediate_delivery = true\n"
        );
    }
    more += &format!(
        "[[single_transaction_bond]]\nfiler = \"{VICTIM}\"\nentry_number = \"{summary}\"\n\
         importer = \"{IMPORTER}\"\ndesignation = \"A\"\nsurety = \"329\"\namount = 56000\nentry_type = \"03\"\n"
    );
    let mut store = SqliteStore::in_memory().unwrap();
    {
        let mut unit = store.begin().unwrap();
        for (day, kind) in (3..=31).flat_map(|day| (2..=8).map(move |kind| (day, kind))) {
            let statement = StatementKey {
                filer: VICTIM.to_owned(),
                print_date: date(2026, 8, day),
                payment_type: kind.to_string(),
                importer: String::new(),
            };
            unit.ledger().unwrap().put_statement(&statement, noon().timestamp()).unwrap();
        }
        unit.commit().unwrap();
    }
    let mut host = host_in(world(&more), store);
    let warning = CensusWarning {
        entry: victims(&summary),
        port: "4601".to_owned(),
        accepted: date(2026, 8, 3),
        line: "001".to_owned(),
        hts: String::new(),
        code: "27H".to_owned(),
    };
    let mut unit = host.store().begin().unwrap();
    unit.put_census_warnings(&victims(&summary), &[warning]).unwrap();
    unit.commit().unwrap();
    host
}

/// What the victim has on file.
fn kept(host: &mut Host<'static, SqliteStore>) -> (Vec<Option<EntrySummary>>, usize) {
    let Numbers { summary, warehouse, release } = on_file();
    let mut unit = host.store().begin().unwrap();
    let kept = [&summary, &warehouse].map(|number| unit.entry_summary(&victims(number)).unwrap());
    assert_eq!(unit.withdrawals(&victims(&warehouse)).unwrap(), []);
    assert_eq!(unit.consolidated_into(&victims(&release)).unwrap(), None);
    let warnings =
        unit.census_warnings(&abigate::store::WarningQuery { filer: VICTIM, most: 10, ..Default::default() });
    (kept.to_vec(), warnings.unwrap().len())
}

/// The last summary of a sample.
fn last_of(name: &str) -> Vec<Columns> {
    let rows = sample(&format!("good/{name}"));
    let from = rows.iter().rposition(|row| row.starts_with(b"10")).unwrap();
    rows[from..rows.len() - 2].to_vec()
}

/// All that can be asked of a summary: each action, with the whole of it and as a correction.
fn actions(summary: &[Columns], number: &str) -> Vec<Vec<Columns>> {
    let named = |values: &[(&str, &str)]| {
        let own = [("entry_filer_code", VICTIM), ("entry_number", number)];
        with(summary.to_vec(), &[&own, values].concat())
    };
    let mut asked = Vec::new();
    for action in ["A", "R", "D", "X"] {
        for correction in ["", "Y"] {
            asked.push(named(&[
                ("summary_filing_action_request_code", action),
                ("post_summary_correction_indicator", correction),
            ]));
        }
    }
    let mut bare = named(&[("summary_filing_action_request_code", "D")]);
    bare.truncate(1);
    asked.push(bare);
    asked.push(delete(&[("entry_filer_code", VICTIM), ("entry_number", number)]));
    asked
}

/// Every way in which an entry summary names entries: as its own, as a warehouse entry, as a release.
fn summaries_naming(numbers: &Numbers) -> Vec<Vec<Columns>> {
    let mut asked = Vec::new();
    for name in
        ["01-air-one-line", "01-consolidated", "01-post-summary-correction", "31-warehouse-withdrawal"]
    {
        let summary = last_of(name);
        asked.extend(actions(&summary, &numbers.summary));
    }
    let withdrawal = last_of("31-warehouse-withdrawal");
    for is_final in ["", "Y"] {
        let mut rows = withdrawal.clone();
        put(&mut rows, "30", "associated_warehouse_entry_filer_code", VICTIM);
        put(&mut rows, "30", "associated_warehouse_entry_number", &numbers.warehouse);
        put(&mut rows, "30", "final_warehouse_withdrawal_indicator", is_final);
        asked.push(rows);
    }
    let consolidated = last_of("01-consolidated");
    for item in ["1", "2"] {
        let mut rows = consolidated.clone();
        put(&mut rows, "32", &format!("release_entry_filer_code_{item}"), VICTIM);
        put(&mut rows, "32", &format!("release_entry_number_{item}"), &numbers.release);
        asked.push(rows);
    }
    // The number is another filer's under the own code as well.
    asked.push(with(consolidated, &[("entry_number", &numbers.summary)]));
    asked
}

/// The answer to a block, the numbers in it those of nobody's entries.
fn told(host: &mut Host<'static, SqliteStore>, batch: &RawBatch, numbers: &Numbers) -> Vec<String> {
    let nobody = of_nobody();
    let answer = answer(host, batch).join("\n");
    let answer = answer.replace(&numbers.summary, &nobody.summary);
    let answer = answer.replace(&numbers.warehouse, &nobody.warehouse);
    answer.replace(&numbers.release, &nobody.release).lines().map(str::to_owned).collect()
}

#[test]
fn another_filers_entry_is_answered_as_one_that_does_not_exist_in_every_state_and_by_every_action() {
    let (theirs, nobodys) = (on_file(), of_nobody());
    let all: &[Mark] = &Mark::ALL;
    let worlds = ControlState::ALL.map(|state| (state, &[] as &[Mark]));
    for (state, marks) in worlds.into_iter().chain([(ControlState::Paid, all)]) {
        let mut host = host_with(state, marks);
        let before = kept(&mut host);
        assert!(before.0.iter().all(Option::is_some) && before.1 == 1);
        let (named, unknown) = (summaries_naming(&theirs), summaries_naming(&nobodys));
        for (of_theirs, of_nobodys) in named.chunks(6).zip(unknown.chunks(6)) {
            let found = told(&mut host, &batch(of_theirs), &theirs);
            let expected = told(&mut host, &batch(of_nobodys), &nobodys);
            assert_eq!(found, expected, "{state:?}");
            assert!(
                !found.iter().any(|line| line.contains("SECRETREF") || line.contains("995")),
                "{found:#?}"
            );
        }
        assert_eq!(kept(&mut host), before, "{state:?}");
    }
}

/// The records of a block of another application.
fn ask(host: &mut Host<'static, SqliteStore>, application: &str, records: &[String]) -> Vec<String> {
    let rows = records.iter().map(|text| format!("{text:80}").into_bytes().try_into().unwrap());
    let mut asked = batch(&[rows.collect::<Vec<Columns>>()]).rows;
    for row in &mut asked {
        match row[0] {
            b'A' => row[25..27].copy_from_slice(application.as_bytes()),
            b'B' | b'Y' => row[10..12].copy_from_slice(application.as_bytes()),
            _ => {}
        }
    }
    answer(host, &RawBatch::from_rows(asked))
}

#[test]
fn census_warnings_of_another_filer_are_neither_told_nor_overridden_in_any_state() {
    let (theirs, nobodys) = (on_file().summary, of_nobody().summary);
    for state in ControlState::ALL {
        let mut host = host_with(state, &[]);
        let before = kept(&mut host);
        for (application, asked) in [
            ("CW", vec!["CW01IM7  00000000".to_owned(), "CW02  00127H22".to_owned()]),
            ("CW", vec!["CW01IM7  00000000".to_owned(), "CW02  99999Z99".to_owned()]),
            ("CJ", vec!["CJ1                IM7  00000000".to_owned()]),
            ("CJ", vec!["CJ14601080326080326IM7".to_owned()]),
            ("CJ", vec!["CJ14601080326080326IM7  00000000".to_owned()]),
        ] {
            let named =
                |number: &str| asked.iter().map(|line| line.replace("00000000", number)).collect::<Vec<_>>();
            let found = ask(&mut host, application, &named(&theirs)).join("\n").replace(&theirs, &nobodys);
            assert_eq!(found, ask(&mut host, application, &named(&nobodys)).join("\n"), "{state:?}");
            let code = if application == "CW" { "C03" } else { "0" };
            assert!(found.contains(code) && !found.contains("27H\n"), "{found}");
        }
        assert_eq!(kept(&mut host), before, "{state:?}");
    }
}

/// The conditions of the sample's last withdrawal, from a warehouse entry of the victim's and this importer.
fn last_withdrawal(importer: &str, more: &str) -> Vec<String> {
    let warehouse = on_file().warehouse;
    let entry = format!(
        "[[entry_summary]]\nfiler = \"{VICTIM}\"\nentry_number = \"{warehouse}\"\nport = \"2704\"\n\
         entry_type = \"21\"\nimporter = \"{importer}\"\nstate = \"trade_control\"\n\
         entry_date = \"2026-07-01\"\nimport_date = \"2026-06-30\"\n"
    );
    let mut rows = last_of("31-warehouse-withdrawal");
    put(&mut rows, "30", "associated_warehouse_entry_filer_code", VICTIM);
    put(&mut rows, "30", "associated_warehouse_entry_number", &warehouse);
    put(&mut rows, "30", "final_warehouse_withdrawal_indicator", "Y");
    let mut frame = sample("good/31-warehouse-withdrawal");
    let control = frame.split_off(frame.len() - 2);
    frame.truncate(2);
    let batch = RawBatch::from_rows([frame, rows, control].concat());
    let mut host = host_in(world(&(entry + more)), SqliteStore::in_memory().unwrap());
    codes(&answer(&mut host, &batch)).remove(0)
}

#[test]
fn another_filers_warehouse_is_open_to_the_same_importer_and_to_whom_the_right_was_transferred() {
    const OWN_IMPORTER: &str = "96-2205130";
    assert_eq!(last_withdrawal(OWN_IMPORTER, ""), ["995"]);
    assert_eq!(last_withdrawal(IMPORTER, ""), ["298", "998"]);
    let transfer = |importer: &str| {
        let warehouse = on_file().warehouse;
        format!(
            "[[warehouse_transfer]]\nfiler = \"{VICTIM}\"\nentry_number = \"{warehouse}\"\n\
             importer = \"{importer}\"\n"
        )
    };
    assert_eq!(last_withdrawal(IMPORTER, &transfer(OWN_IMPORTER)), ["995"]);
    assert_eq!(last_withdrawal(IMPORTER, &transfer("07-4417702")), ["298", "998"]);
}
