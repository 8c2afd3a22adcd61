//! What the chapters' maps say is taken.

use std::path::Path;

use abigate::grammar::{Direction, Grammar};

use crate::structures::{REPEATS, Step, repeat, walk};

/// A line of a map: `ID DESIGNATION MAX` or `loop NAME DESIGNATION MAX` with what is indented below it.
struct Part {
    record: Option<String>,
    mandatory: bool,
    maximum: u32,
    parts: Vec<Part>,
}

fn parts(lines: &[&str], depth: usize) -> Vec<Part> {
    let mut all = Vec::new();
    let mut index = 0;
    let indent = |line: &str| (line.len() - line.trim_start().len()) / 2;
    while index < lines.len() {
        let inner = lines[index + 1..].iter().take_while(|line| indent(line) > depth).count();
        let words = lines[index].split_whitespace().collect::<Vec<_>>();
        let (record, words) = match words[0] {
            "loop" => (None, &words[2..]),
            record => (Some(record.to_owned()), &words[1..]),
        };
        all.push(Part {
            record,
            mandatory: words[0] == "M",
            maximum: words[1].parse().unwrap_or(REPEATS),
            parts: parts(&lines[index + 1..index + 1 + inner], depth + 1),
        });
        index += 1 + inner;
    }
    all
}

fn steps(parts: &[Part], large: bool) -> Vec<Step> {
    let mut all = Vec::new();
    for part in parts.iter().filter(|part| large || part.mandatory) {
        let once = match &part.record {
            Some(record) => vec![(record.clone(), None)],
            None => steps(&part.parts, large),
        };
        all.extend(repeat(&once, if large { part.maximum.min(REPEATS) } else { 1 }));
    }
    all
}

/// Transactions of the maps in which one of several things stands, not all of them.
const EITHER: [&str; 6] = [
    "adcvd_case_query",
    "query_error",
    "entry_summary_query",
    "ebond_add",
    "in_bond_envelope_reject",
    "quota_query_response",
];

/// Their maps show two headers as conditional; the text says that one of them begins the transaction.
const BEGIN_WITH_EITHER: [&str; 2] = ["status_notification", "broker_status_notification"];

/// Where the project's table of facts is at hand: what the maps say is taken.
#[test]
fn the_maps_are_taken() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/catair/maps");
    let Ok(files) = std::fs::read_dir(&folder) else {
        return;
    };
    let mut refused = Vec::new();
    for path in files.map(|file| file.unwrap().path()) {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines =
            text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
        let lines = lines.collect::<Vec<_>>();
        for block in lines.chunk_by(|_, next| next.starts_with(' ')) {
            let words = block[0].split_whitespace().collect::<Vec<_>>();
            let (application, direction, name) = (words[1], words[2], words[3]);
            if application == "*" || BEGIN_WITH_EITHER.contains(&name) {
                continue;
            }
            let direction = if direction == "in" { Direction::Input } else { Direction::Output };
            let parts = parts(&block[1..], 1);
            let Some((_, automaton)) = Grammar::builtin().structure(application, direction) else {
                refused.push(format!("{application} {name}: no structure"));
                continue;
            };
            for large in [false, true] {
                let steps = steps(&parts, large);
                if steps.is_empty() || large && EITHER.contains(&name) {
                    continue;
                }
                if let Err((at, fault)) = walk(automaton, &steps) {
                    let records = steps.iter().map(|(record, _)| record.as_str()).collect::<Vec<_>>();
                    refused
                        .push(format!("{application} {name}: record {at} of {}: {fault}", records.join(" ")));
                }
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
