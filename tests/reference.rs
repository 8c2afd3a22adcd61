//! Reference data: what files are taken, which is in force, and what the host makes of them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use abigate::grammar::Grammar;
use abigate::host::World;
use jiff::civil::date;

fn abigate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_abigate")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Imports a text into the data folder, in force from a day on; what is printed, and how it ended.
fn import(data: &Path, kind: &str, rows: &str, as_of: &str, more: &[&str]) -> (String, Option<i32>) {
    let file = data.join("rows.csv");
    std::fs::write(&file, rows).unwrap();
    let (data, file) = (data.to_str().unwrap(), file.to_str().unwrap());
    let mut arguments = vec!["admin", "reference", "import", kind, file, "--as-of", as_of, "--data", data];
    arguments.extend(more);
    let output = abigate(&arguments);
    let printed = text(&output.stdout) + &text(&output.stderr);
    (printed.replace(file, "rows.csv").replace(data, "DATA"), output.status.code())
}

fn show(data: &Path, day: &str, kind: &str, key: &[&str]) -> String {
    let data = data.to_str().unwrap();
    let mut arguments = vec!["admin", "reference", "show", kind, "--data", data, "--day", day];
    arguments.extend(key);
    let output = abigate(&arguments);
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn the_newest_file_that_is_not_after_the_day_is_in_force() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let november = "code,name\n457,Name of November\n";
    let (printed, code) = import(data, "surety", november, "2026-11-01", &[]);
    assert_eq!(printed, "DATA/reference/surety.2026-11-01.csv: 1 rows, in force from 2026-11-01\n");
    assert_eq!(code, Some(0));
    let august = "status,code,name\nrevoked,457,\"Name, of August\"\n,329,Other\n";
    import(data, "surety", august, "2026-08-01", &[]);
    let shown = |day| show(data, day, "surety", &["457"]);
    assert!(shown("2026-07-31").contains("Liberty Mutual"), "{}", shown("2026-07-31"));
    let revoked = "code \"457\"  name \"Name, of August\"  status \"revoked\"\n";
    assert_eq!(shown("2026-08-01"), revoked);
    assert_eq!(shown("2026-10-31"), revoked);
    assert_eq!(shown("2026-11-01"), "code \"457\"  name \"Name of November\"  status \"active\"\n");
    let all = show(data, "2026-08-03", "surety", &[]);
    assert_eq!(all, format!("code \"329\"  name \"Other\"  status \"active\"\n{revoked}"));
    // What is not in the file in force is not known, whatever the world file says.
    assert_eq!(show(data, "2026-11-01", "surety", &["032"]), "abigate: surety has no row 032\n");
    let listed = abigate(&[
        "admin",
        "reference",
        "list",
        "--data",
        data.to_str().unwrap(),
        "--day",
        "2026-08-03",
        "--format",
        "json",
    ]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let sureties = listed.as_array().unwrap().iter().find(|row| row["kind"] == "surety").unwrap();
    assert_eq!(
        sureties,
        &serde_json::json!({ "kind": "surety", "rows": 2, "since": "2026-08-01", "coming": ["2026-11-01"] })
    );
}

#[test]
fn a_wrong_file_is_refused_as_a_whole_and_each_fault_is_named() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let header = "importer,number,surety,activity,effective,sufficient\n";
    let good = "28-3140001RT,1,457,1,2026-01-01,\n";
    let rows = format!(
        "{header}{good}96-2205130,2,457,1,01/02/2026,maybe\n28-3140001RT,3,457,1,2026-01-01,true\n07-4417702,4\n\
         07-4417702,,457,1,2026-02-30,false\n"
    );
    let (printed, code) = import(data, "bond", &rows, "2026-08-01", &[]);
    assert_eq!(code, Some(1));
    assert_eq!(
        printed,
        "rows.csv: line 3, column effective: expected date, such as 2026-11-01\n\
         rows.csv: line 3, column sufficient: expected true or false\n\
         rows.csv: line 4: *********1RT stands in line 2 as well\n\
         rows.csv: line 5: 2 cells, not as many as the header has\n\
         rows.csv: line 6, column number: expected a value\n\
         rows.csv: line 6, column effective: expected date, such as 2026-11-01\n\
         6 problems; nothing was imported\n"
    );
    assert!(!data.join("reference").exists());
    let (printed, _) = import(data, "bond", "importer,nummer,number\n", "2026-08-01", &[]);
    assert_eq!(
        printed,
        "rows.csv: line 1, column nummer: bond has no such column\n\
         rows.csv: line 1, column surety: is missing\n\
         rows.csv: line 1, column activity: is missing\n\
         rows.csv: line 1, column effective: is missing\n\
         4 problems; nothing was imported\n"
    );
    let (printed, code) = import(data, "bonds", good, "2026-08-01", &[]);
    assert!(printed.starts_with("abigate: no reference data bonds; there are port, "), "{printed}");
    assert_eq!(code, Some(2));
    // The folder holds the file or nothing, and keeps what it has.
    import(data, "bond", &format!("{header}{good}"), "2026-08-01", &[]);
    let again = format!("{header}{}", good.replace("457", "329"));
    let (printed, code) = import(data, "bond", &again, "2026-08-01", &[]);
    assert_eq!(
        (printed.as_str(), code),
        ("abigate: DATA/reference/bond.2026-08-01.csv is there already\n", Some(2))
    );
    assert!(show(data, "2026-08-01", "bond", &["28-3140001RT"]).contains("surety \"457\""));
    import(data, "bond", &again, "2026-08-01", &["--replace"]);
    assert!(show(data, "2026-08-01", "bond", &["28-3140001RT"]).contains("surety \"329\""));
    let files = std::fs::read_dir(data.join("reference")).unwrap().count();
    assert_eq!(files, 1);
}

#[test]
fn codes_that_cannot_be_are_refused_with_line_and_column() {
    let data = tempfile::tempdir().unwrap();
    for (kind, rows, said) in [
        ("port", "code,name\n2704,LOS ANGELES\n101,PORTLAND\n", "line 3, column code"),
        ("tariff", "number,description\n3924104000,JARS\n3924.10.40.00,JARS\n", "line 3, column number"),
        ("tariff", "number\n1.01E+09\n", "expected 8 or 10 digits"),
        ("surety", "code,name\n457,ONE\n36,OTHER\n", "expected 3 digits"),
        ("country", "code\nUS\nUSA\n", "expected 2 capital letters"),
    ] {
        let (printed, code) = import(data.path(), kind, rows, "2026-11-01", &[]);
        assert_eq!(code, Some(1), "{kind}: {printed}");
        assert!(printed.contains(said), "{kind}: {printed}");
    }
}

#[test]
fn a_folder_with_what_is_no_reference_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::demo(Grammar::builtin()).unwrap();
    std::fs::write(folder.path().join("README"), "not looked at").unwrap();
    world.add_reference(folder.path()).unwrap();
    for (name, content, message) in [
        ("ports.2026-08-01.csv", "code,name\n", "not the name of a file of reference data"),
        ("port.2026-13-01.csv", "code,name\n", "not the name of a file of reference data"),
        ("port.2026-08-01.csv", "code,name\n2704,A\n2704,B\n", "line 3: 2704 stands in line 2 as well"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let error = world.add_reference(folder.path()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_world_file_names_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.toml");
    std::fs::create_dir(folder.path().join("tables")).unwrap();
    std::fs::write(folder.path().join("tables/surety.2026-01-01.csv"), "code,name\n001,One\n").unwrap();
    std::fs::write(&path, "reference = \"tables\"\n[[surety]]\ncode = \"002\"\nname = \"Two\"\n").unwrap();
    let mut world = World::open(&path, Grammar::builtin()).unwrap();
    assert_eq!(world.codes("surety"), ["001"], "the newest, as long as there is no day");
    world.turn_to(date(2025, 12, 31));
    assert_eq!(world.codes("surety"), ["002"]);
    world.turn_to(date(2026, 1, 1));
    assert_eq!(world.codes("surety"), ["001"]);
    std::fs::write(&path, "reference = \"elsewhere\"\n").unwrap();
    assert!(World::open(&path, Grammar::builtin()).is_err(), "a folder that is named must be there");
}

/// The answers follow the files: a surety that is not on file any more, a country that is new.
#[test]
fn answers_follow_the_files_in_force() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let sample = "samples/entry_summary/good/01-vessel-three-lines.abi";
    let answered = || {
        let output = abigate(&["answer", sample, "--data", data.to_str().unwrap()]);
        let answer = text(&output.stdout);
        let codes = answer.lines().filter(|line| line.starts_with("E1"));
        codes.map(|line| line[3..7].trim().to_owned()).collect::<Vec<_>>()
    };
    // The demo world stands on 2026-08-03.
    import(data, "surety", "code,name\n999,Unused\n", "2026-08-04", &[]);
    assert_eq!(answered(), ["995"]);
    import(data, "surety", "code,name\n999,Unused\n", "2026-08-03", &[]);
    assert!(answered().iter().any(|code| code.ends_with("138")), "{:?}", answered());
    std::fs::remove_dir_all(data.join("reference")).unwrap();
    import(data, "country", "code,name\nUS,United States\n", "2026-08-03", &[]);
    assert!(answered().iter().any(|code| code.ends_with("408")), "{:?}", answered());
}

/// Real files have tens of thousands of rows.
#[test]
fn a_large_file_is_read_and_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = "number,name\n".to_owned();
    for number in 0..50_000 {
        writeln!(rows, "10-{number:07},Importer {number}").unwrap();
    }
    std::fs::write(folder.path().join("importer.2026-08-01.csv"), rows).unwrap();
    let mut world = World::demo(Grammar::builtin()).unwrap();
    world.add_reference(folder.path()).unwrap();
    assert_eq!(world.codes("importer").len(), 50_000);
    for number in (0..50_000).step_by(7) {
        let key = format!("10-{number:07}");
        assert_eq!(world.column("importer", &key, "name"), Some(&*format!("Importer {number}")));
    }
    assert_eq!(world.lists("importer", "28-3140001RT"), Some(false));
}

/// The pages list what the grammar folder describes.
#[test]
fn the_documented_kinds_are_those_of_the_program() {
    let grammar = Grammar::builtin();
    let (columns, lists) =
        (grammar.list("reference_column").unwrap(), grammar.list("reference_list").unwrap());
    let mut expected = String::new();
    let mut kinds = Vec::new();
    for row in columns.rows() {
        if !kinds.contains(&row[0]) {
            kinds.push(row[0].clone());
        }
    }
    for kind in kinds {
        let lists = lists.rows().iter().filter(|row| row[1] == kind).collect::<Vec<_>>();
        writeln!(expected, "\n### {kind}\n").unwrap();
        for list in &lists {
            let only = if list[3].is_empty() { String::new() } else { format!(" where {}", list[3]) };
            writeln!(expected, "`@{}` by {}{only}: {}  ", list[0], list[2], list[4]).unwrap();
        }
        expected += "\n| column | form | blank | meaning |\n|---|---|---|---|\n";
        for row in columns.rows().iter().filter(|row| row[0] == kind) {
            let is_key = lists[0][2].split(' ').any(|part| part == row[1]);
            let name = if is_key { format!("**{}**", row[1]) } else { row[1].clone() };
            let blank = if row[3] == "required" { "" } else { &row[3] };
            let meaning = match &*row[4] {
                "" => row[5].clone(),
                target => format!("{} (a {target})", row[5]).trim_start().to_owned(),
            };
            writeln!(expected, "| {name} | {} | {blank} | {meaning} |", row[2]).unwrap();
        }
    }
    let page = std::fs::read_to_string("docs/reference-data.md").unwrap();
    let documented = page.split_once("## The kinds\n").unwrap().1;
    assert!(documented == expected, "docs/reference-data.md should end in\n{expected}");
}
