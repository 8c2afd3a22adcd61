//! What people see of findings and explanations: drawings, SARIF and pages.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use abigate::grammar::Grammar;
use abigate::message::{Explainer, HtmlPage};
use abigate::wire::records;
use serde_json::Value;

/// Runs abigate in the folder of the samples.
fn abigate(arguments: &[&str]) -> (Option<i32>, String) {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary");
    let mut command = Command::new(env!("CARGO_BIN_EXE_abigate"));
    let output = command.args(arguments).current_dir(samples).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn bad_samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary/bad");
    let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "abi"));
    files.sort();
    files
}

/// What `check` tells of all bad samples at once, drawn, as JSON and as SARIF.
fn told_of_bad() -> &'static [String; 3] {
    static TOLD: OnceLock<[String; 3]> = OnceLock::new();
    TOLD.get_or_init(|| {
        let files = bad_samples().iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
        ["human", "json", "sarif"].map(|format| {
            let mut arguments = vec!["check", "--format", format];
            arguments.extend(files.iter().map(String::as_str));
            let (code, told) = abigate(&arguments);
            assert_eq!(code, Some(1));
            told
        })
    })
}

#[test]
fn a_drawing_marks_the_columns_and_tells_what_is_known() {
    let (_, told) = abigate(&["check", "bad/B18-entry-type-unknown.abi"]);
    let lines = told.lines().collect::<Vec<_>>();
    assert_eq!(lines[0], "error[B18]: ENTRY TYPE CODE UNKNOWN");
    assert!(
        lines[1].ends_with("--> bad/B18-entry-type-unknown.abi:3:34, batch 1, block 1, transaction 1"),
        "{told}"
    );
    let row = lines.iter().position(|line| line.starts_with("3 |")).unwrap();
    let marked = lines[row + 1].find("^^ Entry Type Code").unwrap();
    assert_eq!(&lines[row][marked..marked + 2], "05", "{told}");
    assert_eq!(&lines[row - 1][marked - 4..=marked - 4], "3", "a digit stands above column 30: {told}");
    for fact in [
        "field     entry_type_code, columns 34-35, mandatory",
        "meaning ",
        "found     \"05\"",
        "expected  a code of ae_entry_type: 01 02",
        "condition B18 of AE",
        "help      nearest is \"01\"",
    ] {
        assert!(told.contains(&format!("= {fact}")), "{fact}: {told}");
    }
}

#[test]
fn colours_come_when_they_are_wanted() {
    let bad = "bad/B18-entry-type-unknown.abi";
    let (_, plain) = abigate(&["check", bad]);
    let (_, colored) = abigate(&["check", "--color", "always", bad]);
    assert!(!plain.contains('\x1b') && colored.contains("\x1b[1;31merror"), "{plain}{colored}");
    let stripped = colored.split('\x1b').enumerate().map(|(index, text)| match index {
        0 => text,
        _ => &text[text.find('m').unwrap() + 1..],
    });
    assert_eq!(stripped.collect::<String>(), plain);
    assert!(abigate(&["explain", "--color", "always", bad]).1.contains('\x1b'));
    assert!(!abigate(&["explain", bad]).1.contains('\x1b'));
}

#[test]
fn every_line_of_a_drawing_fits() {
    for line in told_of_bad()[0].lines().filter(|line| !line.contains("-->")) {
        assert!(line.chars().count() <= 106, "{line}");
    }
}

#[test]
fn sarif_is_valid_and_names_every_finding() {
    let report: Value = serde_json::from_str(&told_of_bad()[2]).unwrap();
    let schema: Value = serde_json::from_str(include_str!("sarif.schema.json")).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let faults = validator.iter_errors(&report).map(|fault| format!("{} {fault}", fault.instance_path()));
    assert_eq!(faults.collect::<Vec<_>>(), Vec::<String>::new());
    let run = &report["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), told_of_bad()[1].lines().count());
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let is_rule = |id: &Value| rules.iter().any(|rule| rule["id"] == *id);
    assert!(results.iter().all(|result| is_rule(&result["ruleId"])), "{report}");
    let unknown = results.iter().find(|result| result["ruleId"] == "AE/B18").unwrap();
    let place = &unknown["locations"][0]["physicalLocation"];
    assert!(place["artifactLocation"]["uri"].as_str().unwrap().ends_with("bad/B18-entry-type-unknown.abi"));
    let region = &place["region"];
    assert_eq!(
        (&region["startLine"], &region["startColumn"], &region["endColumn"]),
        (&3.into(), &34.into(), &36.into())
    );
}

#[test]
fn sarif_without_findings_is_valid_too() {
    let (code, told) = abigate(&["check", "--format", "sarif", "good/11-informal.abi"]);
    let report: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, report["runs"][0]["results"].as_array().map(Vec::len)), (Some(0), Some(0)));
}

/// The page of a file.
fn page(path: &Path) -> String {
    let mut explainer = Explainer::new(Grammar::builtin(), HtmlPage::new(Vec::new(), "records"));
    for record in records(&std::fs::read(path).unwrap()) {
        explainer.push(&record.columns).unwrap();
    }
    String::from_utf8(explainer.finish().unwrap().into_inner()).unwrap()
}

#[test]
fn passwords_stand_in_no_report_and_on_no_page() {
    assert!(told_of_bad().iter().all(|told| !told.contains("PASSWD")));
    for path in bad_samples() {
        assert!(!page(&path).contains("PASSWD"), "{}", path.display());
    }
}

/// Elements that are open at the end, or closed in the wrong order.
fn unbalanced(page: &str) -> Vec<String> {
    let mut open = Vec::new();
    for tag in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let name = tag.split(' ').next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(name) if open.last().is_some_and(|last| last == name) => drop(open.pop()),
            Some(name) => open.push(format!("/{name}")),
            None if ["!doctype", "meta"].contains(&name) => {}
            None => open.push(name.to_owned()),
        }
    }
    open
}

#[test]
fn a_page_needs_nothing_but_itself_and_escapes_what_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary/good/11-informal.abi");
    let stream = std::fs::read(sample).unwrap();
    let mut rows = records(&stream).map(|record| record.columns).collect::<Vec<_>>();
    let text = rows.iter_mut().find(|row| row.starts_with(b"44")).unwrap();
    text[2..36].copy_from_slice(b"<SCRIPT>ALERT('1' & \"2\")</SCRIPT> ");
    let path = folder.path().join("<b>.abi");
    std::fs::write(&path, rows.join(&b"\n"[..])).unwrap();
    let (code, page) = abigate(&["explain", "--html", &path.display().to_string()]);
    assert_eq!(code, Some(0));
    assert!(page.contains("&lt;SCRIPT&gt;ALERT(&#39;1&#39; &amp; &quot;2&quot;)&lt;/SCRIPT&gt;"), "{page}");
    assert!(page.contains("<title>&lt;b&gt;.abi</title>"), "{page}");
    for outside in ["<script", "<SCRIPT", "http:", "https:", " src=", " href=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(unbalanced(&page), Vec::<String>::new());
    for told in ["Informal, free and dutiable", "July 31, 2026", "$24.14", "$1,420"] {
        assert!(page.contains(told), "{told}");
    }
}

#[test]
fn pages_are_whole_whatever_is_wrong() {
    for path in bad_samples() {
        let page = page(&path);
        assert_eq!(unbalanced(&page), Vec::<String>::new(), "{}", path.display());
        assert!(page.ends_with("</html>\n"));
    }
}

#[test]
fn explanations_line_up() {
    let (_, told) = abigate(&["explain", "good/11-informal.abi"]);
    let column = |text: &str| told.lines().find_map(|line| line.find(text)).unwrap();
    assert_eq!(column("July 31, 2026"), column("$24.14"));
    assert_eq!(column("Informal, free and dutiable"), column("individual payment"));
    assert!(!told.contains("see entry_type_records"), "notes are told when asked for");
    assert!(abigate(&["explain", "--notes", "good/11-informal.abi"]).1.contains("see entry_type_records"));
}
