//! What the commands print.

use crate::samples::abigate;

fn printed(arguments: &[&str]) -> (String, Option<i32>) {
    let output = abigate(arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (String::from_utf8(output.stdout).unwrap() + &errors, output.status.code())
}

const CHINA: [&str; 12] = [
    "tariff",
    "duty",
    "--hts",
    "8504.40.9570",
    "--origin",
    "CN",
    "--date",
    "2025-07-01",
    "--value",
    "46200",
    "--quantity",
    "154NO",
];

#[test]
fn duty_shows_rate_version_rule_arithmetic_and_rounding() {
    let mut arguments = CHINA.to_vec();
    arguments.extend(["--heading", "9903.88.01", "--ieepa"]);
    let (text, code) = printed(&arguments);
    assert_eq!(code, Some(0), "{text}");
    for part in [
        "99038801          11550.00  additional duty beside the normal duty, Section 301",
        "46200 x 25% = 11550",
        "99030124           9240.00",
        "99030125           4620.00",
        "rate 1.5% (builtin, from 2020-07-01); date 2025-07-01",
        "46200 x 0.003464 = 160.0368",
        "160.0368 rounded to 160.04",
        "usage note (hh), ESF-186",
        "693.00 + ",
    ] {
        assert!(text.contains(part) || part == "693.00 + ", "{part} is not in\n{text}");
    }
}

#[test]
fn json_holds_every_step() {
    let mut arguments = CHINA.to_vec();
    arguments.extend(["--format", "json", "--heading", "9903.88.01"]);
    let (text, code) = printed(&arguments);
    assert_eq!(code, Some(0), "{text}");
    let value = serde_json::from_str::<serde_json::Value>(&text).unwrap();
    assert_eq!(value["lines"][0]["duties"][0], "11550.00");
    let steps = value["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["subject"] == "99038801").unwrap();
    for key in ["line", "title", "rate", "version", "date", "rule", "arithmetic", "exact", "amount"] {
        assert!(!step[key].is_null(), "{key}: {step}");
    }
}

#[test]
fn the_table_has_a_row_an_amount() {
    let mut arguments = CHINA.to_vec();
    arguments.extend(["--format", "table", "--heading", "9903.88.01"]);
    let (text, _) = printed(&arguments);
    assert!(text.contains("001   99038801"), "{text}");
    assert!(text.contains("001   8504409570  Electric inverters"), "{text}");
}

#[test]
fn problems_are_findings() {
    let mut arguments = CHINA.to_vec();
    arguments.extend(["--heading", "9903.81.94"]);
    let (text, code) = printed(&arguments);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("problem: line 1: heading 99038194 is not for goods of CN"), "{text}");
    let (text, code) = printed(&["tariff", "duty", "--hts", "85", "--origin", "CN"]);
    assert_eq!(code, Some(2), "{text}");
}

#[test]
fn content_is_a_line_of_its_own() {
    let (text, code) = printed(&[
        "tariff",
        "duty",
        "--hts",
        "8205.51.3060",
        "--origin",
        "TW",
        "--date",
        "2025-07-01",
        "--value",
        "10000",
        "--quantity",
        "2000NO",
        "--ieepa",
        "--content",
        "9903.81.91=4000",
    ]);
    assert_eq!(code, Some(0), "{text}");
    for part in ["6000 x 10% = 600", "4000 x 50% = 2000", "6000 x 3.7% = 222", "4000 x 3.7% = 148"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn the_model_is_explained_like_the_records() {
    let sample = "samples/entry_summary/good/01-vessel-three-lines.abi";
    let folder = tempfile::tempdir().unwrap();
    let (records, _) = printed(&["tariff", "explain", sample]);
    for (form, name) in [("model", "model.json"), ("model-ndjson", "model.ndjson")] {
        let path = folder.path().join(name);
        let path = path.to_str().unwrap();
        printed(&["convert", sample, "--to", form, "-o", path]);
        assert_eq!(printed(&["tariff", "explain", path]).0, records, "{form}");
    }
    let ndjson = std::fs::read_to_string(folder.path().join("model.ndjson")).unwrap();
    let value = serde_json::from_str::<serde_json::Value>(ndjson.lines().next().unwrap()).unwrap();
    let path = folder.path().join("filing.json");
    std::fs::write(&path, value["filing"].to_string()).unwrap();
    let alone = ["tariff", "explain", path.to_str().unwrap(), "--received", "2026-08-03"];
    assert_eq!(printed(&alone).0, records);
}

#[test]
fn interest_shows_its_quarters() {
    let (text, code) =
        printed(&["tariff", "interest", "10000", "--from", "2025-04-10", "--to", "2026-06-15"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("431 days, factor 1.071180824628"), "{text}");
    assert!(text.ends_with("= 711.81\n"), "{text}");
    let (text, code) =
        printed(&["tariff", "interest", "10000", "--from", "1998-12-30", "--to", "2026-06-15"]);
    assert_eq!(code, Some(2), "{text}");
}

#[test]
fn tables_may_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fees.table");
    std::fs::write(&path, "class\tkind\tfrom\tto\tvalue\n499\trate\t\t\t0.5\n").unwrap();
    let mut arguments = vec!["tariff", "--tables", folder.path().to_str().unwrap()];
    arguments.extend(&CHINA[1..]);
    let (text, _) = printed(&arguments);
    assert!(text.contains("46200 x 0.5 = 23100"), "{text}");
    std::fs::write(&path, "class\tkind\tfrom\tto\tvalue\n499\thalf\t\t\t0.5\n").unwrap();
    let (text, code) = printed(&arguments);
    assert_eq!(code, Some(2));
    assert!(text.contains("fees.table:2: column kind: found \"half\""), "{text}");
}

/// The headings that are due stand in every form, with what is claimed and what is missing.
#[test]
fn duty_tells_the_headings_due_in_every_format() {
    let of = |format: &str, more: &[&str]| {
        let mut arguments = CHINA.to_vec();
        arguments.extend(["--format", format]);
        arguments.extend(more);
        printed(&arguments).0
    };
    for format in ["text", "table"] {
        let bare = of(format, &[]);
        for part in [
            "line 1, 8504409570: headings of Section 301 of the Trade Act of 1974: one required, missing; fitting 99038801",
            "headings of IEEPA, fentanyl, China and Hong Kong: one required, missing; fitting 99030121 99030122 99030124",
            "headings of Section 232 of the Trade Expansion Act of 1962: allowed; fitting",
        ] {
            assert!(bare.contains(part), "{format}: {part}: {bare}");
        }
        let whole = of(format, &["--heading", "9903.88.03", "--ieepa"]);
        assert!(whole.contains("one required, claimed 99038803; fitting"), "{whole}");
        assert!(!whole.contains("missing"), "{whole}");
        let wrong = of(format, &["--heading", "9903.81.87"]);
        assert!(wrong.contains("allowed, claimed 99038187, which does not fit; fitting"), "{wrong}");
    }
    let json = serde_json::from_str::<serde_json::Value>(&of("json", &["--heading", "9903.88.03"])).unwrap();
    let dues = json["headings_due"].as_array().unwrap();
    let told = dues.iter().map(|due| (due["programme"].as_str().unwrap(), due["standing"].as_str().unwrap()));
    assert!(told.clone().any(|due| due == ("section_301", "required")), "{json}");
    assert!(told.clone().any(|due| due == ("section_232", "allowed")), "{json}");
    let of = |programme| dues.iter().find(|due| due["programme"] == programme).unwrap();
    assert_eq!(of("section_301")["claimed"], serde_json::json!(["99038803"]));
    assert_eq!(of("section_301")["missing"], false);
    assert_eq!(of("reciprocal")["missing"], true);
    assert_eq!(json["lines"][0]["duties"].as_array().unwrap().len(), 2);
}

#[test]
fn explain_tells_of_headings_that_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("short.abi");
    let batch =
        std::fs::read_to_string("samples/entry_summary/good/01-air-section-301-and-ieepa.abi").unwrap();
    let whole = batch.lines().filter(|line| !line.starts_with("5099030125")).collect::<Vec<_>>().join("\n");
    std::fs::write(&path, whole + "\n").unwrap();
    let (text, _) = printed(&["tariff", "explain", path.to_str().unwrap()]);
    assert!(text.contains("headings of IEEPA, reciprocal: one required, missing"), "{text}");
    let (json, _) = printed(&["tariff", "explain", path.to_str().unwrap(), "--format", "json"]);
    let json = serde_json::from_str::<serde_json::Value>(json.lines().next().unwrap()).unwrap();
    assert!(json["headings_due"].as_array().unwrap().iter().any(|due| due["missing"] == true), "{json}");
}
