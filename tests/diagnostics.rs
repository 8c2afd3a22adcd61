//! What people see of findings and explanations: drawings, SARIF and pages.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::collections::BTreeMap;
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
            None if ["!doctype", "meta", "input"].contains(&name) => {}
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
    assert!(page.contains(" – &lt;b&gt;.abi</title>"), "{page}");
    for outside in ["<SCRIPT", "http:", "https:", " src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    // one script of the page's own, and links within the page
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("href=").count(), page.matches("href=\"#").count());
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

/// The bad inputs, without their answers, and the condition that each is named after.
fn bad_inputs() -> Vec<(String, String)> {
    let is_input = |path: &PathBuf| !path.display().to_string().ends_with(".answer.abi");
    let named = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let code = name.split('-').next().unwrap().to_owned();
        (path.display().to_string(), code)
    };
    bad_samples().into_iter().filter(is_input).map(named).collect()
}

/// Which conditions a command tells of each bad input, by file.
fn conditions_of_bad(command: &[&str]) -> BTreeMap<String, Vec<String>> {
    let files = bad_inputs();
    let mut arguments = command.to_vec();
    arguments.extend(files.iter().map(|(file, _)| file.as_str()));
    let (_, told) = abigate(&arguments);
    let mut conditions = BTreeMap::<String, Vec<String>>::new();
    for line in told.lines() {
        let finding: Value = serde_json::from_str(line).unwrap();
        let of_file = conditions.entry(finding["source"].as_str().unwrap().to_owned()).or_default();
        of_file.extend(finding["condition"].as_str().map(str::to_owned));
    }
    conditions
}

#[test]
fn check_finds_what_is_wrong_with_every_bad_sample() {
    let inputs = bad_inputs();
    assert_eq!(inputs.len(), 102);
    let count = |arguments: &[&str]| {
        let told = conditions_of_bad(&[&["check", "--format", "json"], arguments].concat());
        inputs
            .iter()
            .filter(|(file, code)| told.get(file).is_some_and(|of_file| of_file.contains(code)))
            .count()
    };
    assert_eq!(count(&["--demo"]), 102);
    let (without_rules, without_world) = (count(&["--no-rules"]), count(&[]));
    assert_eq!((without_rules, without_world), (27, 81), "with their own conditions");
}

#[test]
fn check_finds_nothing_in_good_samples() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary/good");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path().display().to_string());
    let files = files.filter(|file| file.ends_with(".abi")).collect::<Vec<_>>();
    assert!(files.len() > 40);
    for world in [None, Some("--demo")] {
        let mut arguments = vec!["check", "--format", "json"];
        arguments.extend(world);
        arguments.extend(files.iter().map(String::as_str));
        assert_eq!(abigate(&arguments), (Some(0), String::new()), "{world:?}");
    }
}

#[test]
fn answer_tells_findings_as_check_draws_them() {
    let bad = "bad/722-duty-total.abi";
    let (code, told) = abigate(&["answer", "--findings", "human", bad]);
    assert_eq!(code, Some(1));
    assert!(told.starts_with("error[722]: GRAND TOTAL DUTY NOT = SUM OF EST DUTY\n"), "{told}");
    for fact in [
        "--> bad/722-duty-total.abi:32:3, batch 1, block 1, transaction 1",
        "32 | 90000003305",
        "^^^^^^^^^^^ Grand Total Duty Amount",
        "= field     grand_total_duty_amount, columns 3-13",
        "= expected  \"00000330518\" (3305.18)",
        "= condition 722 of AE",
        "= rule      722 on 90 of grand_total_duty_amount when",
    ] {
        assert!(told.contains(fact), "{fact}: {told}");
    }
    assert_eq!(told, abigate(&["check", bad]).1, "drawn alike");
    let (_, sarif) = abigate(&["answer", "--findings", "sarif", bad]);
    let report: Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(report["runs"][0]["results"][0]["ruleId"], "AE/722");
    assert_eq!(abigate(&["answer", "--findings", "json", "good/11-informal.abi"]), (Some(0), String::new()));
}

#[test]
fn answer_tells_why_whatever_is_wrong() {
    let wanted = ["X09", "X14", "X19", "X32", "X39", "A04", "B16", "B24", "101", "294", "442", "P07"];
    for (file, code) in bad_inputs().into_iter().filter(|(_, code)| wanted.contains(&code.as_str())) {
        let (_, told) = abigate(&["answer", "--findings", "json", &file]);
        let findings = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let found = findings.into_iter().find(|finding| finding["condition"] == *code);
        let found = found.unwrap_or_else(|| panic!("{file}: {told}"));
        assert!(found["record"].as_u64() > Some(0) && found["batch"] == 1, "{file}: {told}");
    }
}

#[test]
fn rules_tell_the_digit_the_unit_the_sum_and_the_record_that_they_expect() {
    for (bad, field, expected) in [
        ("B16-check-digit", "entry_number", "\"00001015\" with the check digit 5"),
        ("442-unit-mismatch", "unit_of_measure_code_1", "\"NO\""),
        ("719-harbor-fee-total", "total_fee_amount_2", "\"00000006442\" (64.42)"),
        (
            "206-statement-date-too-far",
            "preliminary_statement_print_date",
            "not after \"110126\" (2026-11-01)",
        ),
        ("145-surety-of-another-bond", "surety_company_code", "\"457\""),
        ("104-importer-void", "importer_of_record_number", "one with status other than \"void\""),
        ("181-vessel-name-missing", "conveyance_name", "a value"),
        ("483-manufacturer-missing", "", "a record 47 with article_party_type_code \"M\""),
        ("183-manifest-missing", "", "a record 22"),
    ] {
        let (_, told) = abigate(&["check", "--demo", "--format", "json", &format!("bad/{bad}.abi")]);
        let code = &bad[..3];
        let findings =
            told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
        let found = findings.iter().find(|finding| finding["condition"] == *code).unwrap();
        assert_eq!(found["field"].as_str().unwrap_or_default(), field, "{told}");
        assert!(found["expected"].as_str().unwrap().contains(expected), "{told}");
    }
}

#[test]
fn a_summary_counts_each_kind_once() {
    let bad = std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary/bad/722-duty-total.abi"),
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.abi");
    std::fs::write(&path, bad.unwrap().repeat(50)).unwrap();
    let path = path.display().to_string();
    let (code, told) = abigate(&["check", "--summary", &path]);
    assert_eq!((code, told.lines().count()), (Some(1), 3), "{told}");
    assert!(told.contains("   50  error[722]: GRAND TOTAL DUTY NOT = SUM OF EST DUTY, 90"), "{told}");
    assert!(told.contains("many.abi:32:3 found \"00000330519\", expected \"00000330518\""), "{told}");
    let (_, told) = abigate(&["check", "--summary", "--format", "json", &path]);
    let counted: Value = serde_json::from_str(told.trim_end()).unwrap();
    assert_eq!((&counted["count"], &counted["first"]["condition"]), (&50.into(), &"722".into()), "{told}");
    assert_eq!(abigate(&["check", "--summary", "--format", "sarif", &path]).0, Some(2));
}

#[test]
fn explain_tells_what_a_condition_and_a_record_are() {
    let (code, told) = abigate(&["explain", "722"]);
    assert_eq!(code, Some(0));
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for fact in [
        "722: GRAND TOTAL DUTY NOT = SUM OF EST DUTY",
        " of AE, ",
        " severity fatal",
        "722 on 90 of grand_total_duty_amount when grand_total_duty_amount != sum 50.duty_amount",
        "samples/entry_summary/bad/722-duty-total.abi: grand total duty one cent too high",
    ] {
        assert!(told.contains(fact), "{fact}: {told}");
    }
    let (code, told) = abigate(&["explain", "AE", "10"]);
    assert_eq!(code, Some(0));
    assert!(told.contains("mandatory, once") && told.contains("entry_type_code"), "{told}");
    assert!(abigate(&["explain", "AE", "100"]).1.starts_with("100: IMPORTER NBR MISSING"));
    assert_eq!(abigate(&["explain", "AE", "ZZ"]).0, Some(2));
    let folder = tempfile::tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary/good/11-informal.abi");
    std::fs::copy(sample, folder.path().join("722")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_abigate"));
    let output = command.args(["explain", "722"]).current_dir(folder.path()).output().unwrap();
    assert!(
        String::from_utf8(output.stdout).unwrap().starts_with("Batch 1: AE"),
        "a file of that name comes first"
    );
}

#[test]
fn code_lists_can_be_asked_for() {
    let (code, told) = abigate(&["grammar", "codes", "ae_entry_type"]);
    assert_eq!(code, Some(0));
    assert!(
        told.contains("Consumption, free and dutiable") && told.contains("AE in 10 entry_type_code"),
        "{told}"
    );
    assert!(abigate(&["grammar", "codes"]).1.lines().any(|line| line.starts_with("ae_entry_type ")));
    let (_, told) = abigate(&["grammar", "codes", "ae_entry_type", "01", "--format", "json"]);
    let row: Value = serde_json::from_str(told.trim_end()).unwrap();
    assert_eq!(row["code"], "01", "{told}");
    assert_eq!(abigate(&["grammar", "codes", "no_such_list"]).0, Some(2));
}

/// Runs abigate in the folder of the samples with an environment.
fn abigate_with(environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary");
    let mut command = Command::new(env!("CARGO_BIN_EXE_abigate"));
    command.args(arguments).current_dir(samples).envs(environment.iter().copied());
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn drawings_fit_a_narrow_terminal() {
    let narrow = [("COLUMNS", "60")];
    for arguments in [
        &["check", "--demo", "bad/442-unit-mismatch.abi", "bad/B18-entry-type-unknown.abi"][..],
        &[
            "check",
            "bad/151-document-code-unknown.abi",
            "bad/722-duty-total.abi",
            "bad/A02-unknown-record.abi",
        ],
        &["check", "--demo", "--summary", "bad/119-bond-missing.abi", "bad/722-duty-total.abi"],
        &["explain", "--notes", "good/11-informal.abi"],
        &["explain", "722"],
    ] {
        let told = abigate_with(&narrow, arguments);
        assert!(!told.is_empty());
        for line in told.lines() {
            assert!(line.chars().count() <= 60, "{line}");
        }
    }
    let told = abigate_with(&narrow, &["check", "--demo", "bad/442-unit-mismatch.abi"]);
    let lines = told.lines().collect::<Vec<_>>();
    let marks = lines.iter().position(|line| line.contains("^^^")).unwrap();
    let first = lines[marks].find('^').unwrap();
    assert_eq!(&lines[marks - 1][first..first + 2], "KG", "{told}");
    assert_eq!(&lines[marks - 2][first + 2..=first + 2], "5", "column 50 under its digit: {told}");
}

#[test]
fn the_environment_decides_on_colours() {
    let bad = ["check", "bad/B18-entry-type-unknown.abi"];
    for (environment, is_colored) in [
        (&[("CLICOLOR_FORCE", "1")][..], true),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (&[("CLICOLOR", "1")], false),
        (&[], false),
    ] {
        assert_eq!(abigate_with(environment, &bad).contains('\x1b'), is_colored, "{environment:?}");
    }
}

#[test]
fn a_page_tells_entry_importer_total_and_findings() {
    let (_, page) = abigate(&["explain", "--html", "--demo", "bad/442-unit-mismatch.abi"]);
    assert!(
        page.contains("<h1>Entry EEE-0000119-7, importer 49-8800217, total $376.54<"),
        "{}",
        &page[..6000]
    );
    let top = page.split("<h2>Records</h2>").next().unwrap();
    assert!(top.contains("442: ") && top.contains("href=\"#r"), "{top}");
    assert!(top.contains("type=\"search\""));
    assert!(page.contains("<span class=\"f1\">"), "fields are marked in the record");
    assert_eq!(unbalanced(&page), Vec::<String>::new());
}

#[test]
fn a_page_of_many_entries_stays_small_and_says_what_is_left_out() {
    let good = std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary/good/01-vessel-three-lines.abi"),
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.abi");
    std::fs::write(&path, good.unwrap().repeat(600)).unwrap();
    let path = path.display().to_string();
    let (code, page) = abigate(&["explain", "--html", &path]);
    assert_eq!(code, Some(0));
    assert!(page.len() < 6 << 20, "{} bytes", page.len());
    assert!(page.contains("<h1>600 transactions, total $"), "counted");
    assert!(page.contains("--entry NUMBER"), "how to see the others");
    assert_eq!(unbalanced(&page), Vec::<String>::new());
    let (code, page) =
        abigate(&["explain", "--html", "--entry", "eee00001015", "good/01-vessel-three-lines.abi"]);
    assert_eq!(code, Some(0));
    assert!(page.contains("<h1>Entry EEE-0000101-5,"));
    assert_eq!(
        abigate(&["explain", "--entry", "EEE-9999999-9", "good/01-vessel-three-lines.abi"]).0,
        Some(2)
    );
}
