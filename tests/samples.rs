//! Every sample is answered as the file beside it says.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use abigate::gateway::{Intake, Outliner};
use abigate::grammar::{ConditionCode, Grammar};
use abigate::host::{Host, LocalPeer, Peer, World};
use abigate::store::SqliteStore;
use abigate::wire::{Columns, Limits};
use bytes::BytesMut;

/// What follows the name of a sample in that of its answer.
const ANSWER: &str = ".answer.abi";

/// A local peer that computes no hash twice: hashing is slow on purpose.
#[derive(Default)]
struct Remembering(RefCell<HashMap<(String, Vec<u8>), bool>>);

impl Peer for Remembering {
    fn certificate(&self) -> Option<&str> {
        LocalPeer.certificate()
    }

    fn knows_password(&self, hash: &str, password: &[u8]) -> bool {
        let mut known = self.0.borrow_mut();
        let key = (hash.to_owned(), password.to_vec());
        *known.entry(key).or_insert_with(|| LocalPeer.knows_password(hash, password))
    }
}

/// The samples of a folder, without their answers.
fn samples(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary").join(folder);
    let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "abi"));
    files.retain(|path| !path.to_str().unwrap().ends_with(ANSWER));
    files.sort();
    files
}

fn name(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

/// The answer of a demo world to which nothing has been sent before.
fn answer(path: &Path, peer: &Remembering) -> Vec<Columns> {
    let world = World::demo(Grammar::builtin()).unwrap();
    let now = world.clock().cloned().unwrap();
    let store = SqliteStore::in_memory().unwrap();
    let mut host = Host::new(Grammar::builtin(), world, store, &now).unwrap();
    let mut intake = Intake::new(Limits::default());
    let mut bytes = BytesMut::from(&std::fs::read(path).unwrap()[..]);
    let mut batches = Vec::new();
    while let Some(batch) = intake.next_batch(&mut bytes).unwrap() {
        batches.push(batch);
    }
    while let Some(batch) = intake.finish().unwrap() {
        batches.push(batch);
    }
    assert_eq!(batches.len(), 1, "{}", path.display());
    host.answer(&batches[0], peer, &now).unwrap()
}

fn text(rows: &[Columns]) -> String {
    rows.iter().map(|row| format!("{}\n", str::from_utf8(row).unwrap())).collect()
}

/// Fails with every line that differs from the stored answer of a sample.
fn compare(path: &Path, rows: &[Columns], differences: &mut Vec<String>) {
    let stored = path.with_file_name(format!("{}{ANSWER}", name(path)));
    let (expected, found) = (std::fs::read_to_string(&stored).unwrap_or_default(), text(rows));
    if expected != found {
        differences.push(format!("{}\n--- stored\n{expected}--- answered\n{found}", path.display()));
    }
}

#[test]
fn good_samples_are_accepted_without_a_condition() {
    let (peer, outliner) = (Remembering::default(), Outliner::new(Grammar::builtin()).unwrap());
    let files = samples("good");
    assert!(files.len() >= 18);
    let mut differences = Vec::new();
    for path in files {
        let rows = answer(&path, &peer);
        compare(&path, &rows, &mut differences);
        let outcome = outliner.outcome(&rows);
        // the codes are those of conditions: an acceptance is none
        assert!(outcome.accepted > 0 && outcome.codes.is_empty(), "{}: {outcome}", path.display());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn bad_samples_are_answered_with_their_condition() {
    let (peer, outliner) = (Remembering::default(), Outliner::new(Grammar::builtin()).unwrap());
    let files = samples("bad");
    assert!(files.len() >= 24);
    let mut differences = Vec::new();
    for path in files {
        let rows = answer(&path, &peer);
        compare(&path, &rows, &mut differences);
        let (code, _) = name(&path).split_once('-').unwrap();
        let code = ConditionCode::new(code).unwrap();
        let outcome = outliner.outcome(&rows);
        assert!(outcome.rejected > 0 && outcome.codes.contains(&code), "{}: {outcome}", path.display());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn each_answer_belongs_to_a_sample() {
    for folder in ["good", "bad"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary").join(folder);
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if let Some(stem) = path.file_name().unwrap().to_str().unwrap().strip_suffix(ANSWER) {
                assert!(path.with_file_name(format!("{stem}.abi")).exists(), "{}", path.display());
            }
        }
    }
}
