//! The samples are answered as their names and folders say.

use std::path::PathBuf;

use crate::support::*;

/// Samples whose condition takes a fee that is computed from the tariff.
const NOT_COMPUTED: [&str; 2] = ["633-processing-fee-missing", "639-minimum-processing-fee"];

fn names(folder: &str) -> Vec<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary").join(folder);
    let mut names = std::fs::read_dir(path)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".abi").map(str::to_owned))
        .collect::<Vec<_>>();
    names.sort();
    names
}

#[test]
fn good_samples_are_accepted_without_a_condition() {
    let mut failed = Vec::new();
    let mut host = host();
    for name in names("good") {
        let answer = answer(&mut host, &wire_batch(&format!("good/{name}")));
        let is_clean = codes(&answer).iter().all(|codes| codes.len() == 1)
            && dispositions(&answer).iter().all(|code| ["995", "996", "997"].contains(&code.as_str()));
        if codes(&answer).is_empty() || !is_clean {
            failed.push((name, answer));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn bad_samples_raise_the_condition_they_are_named_after() {
    let mut failed = Vec::new();
    let mut host = host();
    for name in names("bad").into_iter().filter(|name| !NOT_COMPUTED.contains(&name.as_str())) {
        let code = &name[..3];
        let answer = answer(&mut host, &wire_batch(&format!("bad/{name}")));
        let raises = |line: &String| {
            ["E1", "X1"].iter().any(|record| line.starts_with(record)) && line.get(4..7) == Some(code)
        };
        let is_refused = answer.iter().any(|line| line.starts_with("E1R") || line.starts_with("X1R"));
        if !answer.iter().any(raises) || !is_refused {
            failed.push((name, answer));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
