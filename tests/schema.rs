//! The published schemas are those of the program, and what it writes is valid by them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use abigate::grammar::Grammar;
use abigate::message::{Form, RecordsWriter, Translation, records_schema};
use abigate::model::{
    CaseNumber, Code, Coded, CountryCode, EntityIdentifier, EntryNumber, FilerCode, ForeignPortCode,
    HtsNumber, ManufacturerCode, PartyNumber, PortCode, Text,
};
use abigate::translate::{EntrySummaryCodec, model_schema};
use abigate::wire::records;
use jsonschema::Validator;
use proptest::prelude::*;
use schemars::JsonSchema;
use serde_json::{Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The files of a folder and below.
fn paths(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// The schemas of a folder, by their path in it.
fn schemas(folder: &Path) -> BTreeMap<PathBuf, String> {
    let files = paths(folder).into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.strip_prefix(folder).unwrap().to_owned(), text)
    };
    files.map(read).collect()
}

#[test]
fn published_schemas_are_those_of_the_program() {
    let made = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_abigate"));
    let status = command.args(["grammar", "schema", "--all"]).arg(made.path()).status().unwrap();
    assert!(status.success());
    let (made, published) = (schemas(made.path()), schemas(&Path::new(ROOT).join("docs/schema")));
    let names = |files: &BTreeMap<PathBuf, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&made), names(&published));
    for (path, text) in &made {
        let advice = "write them anew: abigate grammar schema --all docs/schema";
        assert!(published[path] == *text, "{} differs; {advice}", path.display());
    }
}

fn samples() -> Vec<PathBuf> {
    let all = paths(&Path::new(ROOT).join("samples/entry_summary")).into_iter();
    all.filter(|path| path.extension().is_some_and(|kind| kind == "abi")).collect()
}

fn written(path: &Path, lines: bool, translation: Option<Translation<'static>>) -> String {
    let form = Form { lines, ..Form::default() };
    let mut writer = RecordsWriter::new(Grammar::builtin(), form, Vec::new());
    if let Some(translation) = translation {
        writer = writer.translated(translation);
    }
    for record in records(&std::fs::read(path).unwrap()) {
        writer.push(&record.columns).unwrap();
    }
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

fn faults(validator: &Validator, instance: &Value) -> Vec<String> {
    validator.iter_errors(instance).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

/// The schemas of applications, each made once.
#[derive(Default)]
struct Shelf(HashMap<String, Validator>);

impl Shelf {
    /// The schema of what a batch or line names; `None` for an application that has none.
    fn of(&mut self, part: &Value) -> Option<&Validator> {
        let code = part["application"].as_str().unwrap();
        let direction = Grammar::builtin().application(code)?.direction;
        assert_eq!(part["direction"], direction.name());
        let make =
            || jsonschema::validator_for(&records_schema(Grammar::builtin(), code, direction)).unwrap();
        Some(self.0.entry(code.to_owned()).or_insert_with(make))
    }
}

#[test]
fn records_of_every_sample_are_valid() {
    let mut shelf = Shelf::default();
    let mut judged = 0;
    for path in samples() {
        let document: Value = serde_json::from_str(&written(&path, false, None)).unwrap();
        let lines = written(&path, true, None);
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let batches = document["batches"].as_array().unwrap().iter();
        let batches = batches.map(|batch| (batch.clone(), json!({"batches": [batch]})));
        for (part, instance) in batches.chain(lines.map(|line| (line.clone(), line))) {
            if let Some(validator) = shelf.of(&part) {
                assert_eq!(faults(validator, &instance), Vec::<String>::new(), "{}", path.display());
                judged += 1;
            }
        }
    }
    assert!(judged > 400, "{judged}");
}

#[test]
fn filings_of_every_sample_are_valid() {
    let grammar = Grammar::builtin();
    let validator =
        jsonschema::options().should_validate_formats(true).build(&model_schema(grammar)).unwrap();
    let mut filings = 0;
    for path in samples().iter().filter(|path| !path.to_string_lossy().ends_with(".answer.abi")) {
        for lines in [false, true] {
            let codec = EntrySummaryCodec::new(grammar).unwrap();
            let translation: Translation<'static> =
                Box::new(move |body, out| codec.write_json(body, out).is_ok());
            let written = written(path, lines, Some(translation));
            let parts = if lines { written.lines().collect() } else { vec![written.as_str()] };
            for part in parts {
                let mut part: Value = serde_json::from_str(part).unwrap();
                let batches = part.get_mut("batches").and_then(Value::as_array_mut);
                batches.into_iter().for_each(|batches| batches.retain(|batch| batch["application"] == "AE"));
                if lines && part["application"] != "AE" {
                    continue;
                }
                assert_eq!(faults(&validator, &part), Vec::<String>::new(), "{}", path.display());
                filings += part.to_string().matches("\"action\":").count();
            }
        }
    }
    assert!(filings > 150, "{filings}");
}

#[test]
fn what_the_program_would_not_write_is_not_valid() {
    let path = Path::new(ROOT).join("samples/entry_summary/good/11-informal.abi");
    let good: Value = serde_json::from_str(&written(&path, false, None)).unwrap();
    let validator = Shelf::default().of(&json!({"application": "AE", "direction": "in"})).unwrap().clone();
    assert!(validator.is_valid(&good));
    let fields = "/batches/0/header/fields";
    for (pointer, key, value) in [
        (fields, "no_such_field", json!("1")),
        (fields, "transmission_date", json!("soon")),
        (fields, "sender_receiver_site_code", json!("27044")),
        (fields, "sender_receiver_site_code", json!("lower")),
        ("/batches/0", "direction", json!("out")),
        ("/batches/0/header", "record", json!("Q")),
        ("/batches/0/blocks/0/transactions/0", "group", json!("no_such_group")),
        ("/batches/0/blocks/0/transactions/0/members/0/members/0/fields", "entry_number", json!("123456789")),
    ] {
        let mut bad = good.clone();
        bad.pointer_mut(pointer).unwrap()[key] = value;
        assert!(!validator.is_valid(&bad), "{pointer} {key}");
    }
}

/// Whether the schema of a type admits just the texts that the type does.
fn agrees<T: Coded + JsonSchema>(texts: &[String]) {
    let schema = schemars::schema_for!(T).to_value();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for text in texts {
        assert_eq!(
            validator.is_valid(&json!(text)),
            T::from_bytes(text.as_bytes()).is_some(),
            "{text:?} {schema}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn schemas_of_texts_agree_with_their_types(
        texts in proptest::collection::vec(
            prop_oneof![
                "[0-9]{0,16}", "[A-Z0-9]{0,18}", "[A-Z]{0,3}", "[A-Z]{1,2}[0-9A-Z]{5,14}", "0{1,16}", "\\*{1,3}",
                "[0-9]{2,6}-[0-9]{2,7}(-[0-9]{4}|[A-Z]{2})?", "[ -~]{0,12}", "[a-zé]{1,3}",
            ],
            1..64,
        )
    ) {
        agrees::<FilerCode>(&texts);
        agrees::<EntryNumber>(&texts);
        agrees::<PartyNumber>(&texts);
        agrees::<EntityIdentifier>(&texts);
        agrees::<HtsNumber>(&texts);
        agrees::<PortCode>(&texts);
        agrees::<ForeignPortCode>(&texts);
        agrees::<CountryCode>(&texts);
        agrees::<ManufacturerCode>(&texts);
        agrees::<CaseNumber>(&texts);
        agrees::<Code<5>>(&texts);
        agrees::<Text<9>>(&texts);
    }
}
