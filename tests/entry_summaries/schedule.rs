//! Schedules of the tariff in a folder of reference data.

use std::fs;

use abigate::grammar::{Direction, Grammar};
use abigate::host::World;
use abigate::store::SqliteStore;

use super::support::{answer, batch, host_in, summary_of, world};

const COLUMNS: &str = "number\tfrom\tto\tgeneral\tspecial\tcolumn_2\tunits\tad\tcv\tagencies\tdescription";

/// A number that neither the demo world nor the schedule of the program has.
const NUMBER: &str = "9031808097";

/// The answer to the sample by air with that number, in a world with a schedule that says its rate.
fn answered(rate: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    if let Some(rate) = rate {
        let row = format!("{NUMBER}\t2020-01-01\t\t{rate}\t\t40%\tNO\t\t\t\tgauges");
        let text = format!("version\ttests\tmade for this test\n{COLUMNS}\n{row}\n");
        fs::write(folder.path().join("tests.schedule"), text).unwrap();
    }
    let mut world = world("");
    world.add_reference(folder.path()).unwrap();
    // a second folder with a schedule adds to the first
    let second = tempfile::tempdir().unwrap();
    let row = "9031808096\t2020-01-01\t\tFree\t\t40%\tNO\t\t\t\tothers";
    fs::write(second.path().join("more.schedule"), format!("version\tmore\tmore\n{COLUMNS}\n{row}\n"))
        .unwrap();
    world.add_reference(second.path()).unwrap();
    let mut rows = summary_of("good/01-air-one-line");
    let number = Grammar::builtin().find("AE", Direction::Input, "50", "").unwrap();
    for row in rows.iter_mut().filter(|row| row.starts_with(b"50")) {
        number.cell("hts_number").unwrap().put_text(row, NUMBER).unwrap();
    }
    let mut host = host_in(world, SqliteStore::in_memory().unwrap());
    answer(&mut host, &batch(&[rows])).join("\n")
}

#[test]
fn numbers_of_an_imported_schedule_are_known_and_computed() {
    let unknown = answered(None);
    assert!(unknown.contains("433"), "{unknown}");
    let known = answered(Some("1.7%"));
    assert!(known.contains("SUMMARY HAS BEEN ADDED"), "{known}");
    let dearer = answered(Some("1.8%"));
    assert!(!dearer.contains("SUMMARY HAS BEEN ADDED") && !dearer.contains("433"), "{dearer}");
}

#[test]
fn a_schedule_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("broken.schedule"), format!("version\tx\ty\n{COLUMNS}\nnonsense\n"))
        .unwrap();
    let mut world = World::demo(Grammar::builtin()).unwrap();
    let error = world.add_reference(folder.path()).unwrap_err().to_string();
    assert!(error.contains("broken.schedule"), "{error}");
}
