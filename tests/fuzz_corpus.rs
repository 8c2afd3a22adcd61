//! The fuzz targets' corpus, replayed: what fuzzing found stays found.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use abigate::fuzzing;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        println!("{}", file.display());
        run(&fs::read(&file).unwrap());
    }
}

#[test]
fn wire() {
    replay("wire", fuzzing::wire);
}

#[test]
fn grammar_language() {
    replay("grammar_language", fuzzing::grammar_language);
}

#[test]
fn batch_parse() {
    replay("batch_parse", fuzzing::batch_parse);
}

#[test]
fn records_json() {
    replay("records_json", fuzzing::records_json);
}

#[test]
fn records_stream() {
    replay("records_stream", fuzzing::records_stream);
}

#[test]
fn answer() {
    replay("answer", fuzzing::answer);
}

#[test]
fn flat_files() {
    replay("flat_files", fuzzing::flat_files);
}
