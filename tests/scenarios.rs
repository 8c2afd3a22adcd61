//! Every story of the scenario book is played as it is told.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use abigate::host::{LocalPeer, Peer};
use abigate::scenario::{Rehearsal, StepKind, Story, play};

/// With this in the environment, what came is written into the stories in the place of what was expected:
/// for authors, who then read every change against the chapter.
const REWRITE: &str = "ABIGATE_REWRITE_SCENARIOS";

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

fn stories() -> Vec<(PathBuf, Story)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/scenarios");
    let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "toml"));
    files.sort();
    let story = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let story = Story::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, story)
    };
    files.into_iter().map(story).collect()
}

#[test]
fn every_story_is_played_as_it_is_told() {
    let peer = Remembering::default();
    let mut wrong = Vec::new();
    for (path, story) in stories() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let stage = Rehearsal::new(&story).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut stage = (stage, &peer as &dyn Peer);
        let differences =
            play(&story, &mut stage, |_, _, _| ()).unwrap_or_else(|error| panic!("{name}: {error}"));
        if std::env::var_os(REWRITE).is_some() {
            let pieces = differences.iter().filter_map(|difference| difference.mend.clone()).collect();
            std::fs::write(&path, story.rewritten(pieces)).unwrap();
        }
        let told = differences.iter().map(|one| {
            format!("{name}, step {}\n--- told\n{}\n--- found\n{}", one.step, one.expected, one.found)
        });
        wrong.extend(told);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_book_has_its_stories() {
    let stories = stories();
    assert!(stories.len() >= 40, "{} stories", stories.len());
    for (path, story) in &stories {
        let sends = story.steps.iter().any(|step| matches!(step.kind, StepKind::Send(..)));
        let is_told = !story.title.is_empty() && !story.about.is_empty() && !story.pages.is_empty();
        assert!(sends && is_told, "{}", path.display());
    }
    let mut titles = stories.iter().map(|(_, story)| story.title.as_str()).collect::<Vec<_>>();
    titles.sort_unstable();
    assert!(titles.windows(2).all(|pair| pair[0] != pair[1]), "two stories have one title");
}

#[test]
fn a_story_that_says_something_else_is_found_out() {
    let text = "title = \"t\"\nabout = \"a\"\npages = []\n[[step]]\nholds = \"EEE 00001197\"\n\
                facts = { state = \"paid\" }\n[[step]]\nact = { cancel = { entry = \"EEE 00001197\" } }\n";
    let story = Story::parse(text).unwrap();
    let peer = Remembering::default();
    let mut stage = (Rehearsal::new(&story).unwrap(), &peer as &dyn Peer);
    let differences = play(&story, &mut stage, |_, _, _| ()).unwrap();
    assert_eq!(differences.iter().map(|one| one.step).collect::<Vec<_>>(), [1, 2]);
    let mended = story.rewritten(differences.into_iter().filter_map(|one| one.mend).collect());
    assert_eq!(mended, text.replace("paid", "none"));
}

#[test]
fn a_step_is_one_thing() {
    for step in [
        "note = \"n\"",
        "send = \"A\"",
        "clock = \"x\"",
        "mail = \"A\"\narrives = \"\"",
        "holds = \"EEE 00001197\"\nfacts = { weather = \"\" }",
        "clock = \"2026-08-03T12:00\"\nmail = \"A B\"",
    ] {
        let text = format!("title = \"t\"\nabout = \"a\"\npages = []\n[[step]]\n{step}\n");
        assert!(Story::parse(&text).is_err(), "{step}");
    }
}

#[test]
fn stories_are_told_over_a_socket() {
    for name in ["01-consumption", "mail-on-the-next-connection", "two-filers", "998-lines", "wrong-password"]
    {
        let told = std::process::Command::new(env!("CARGO_BIN_EXE_abigate"))
            .args(["demo", "--scenario", name])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&told.stdout);
        assert!(told.status.success(), "{name}\n{text}\n{}", String::from_utf8_lossy(&told.stderr));
    }
    let listed = std::process::Command::new(env!("CARGO_BIN_EXE_abigate")).args(["demo", "--list"]).output();
    assert_eq!(String::from_utf8_lossy(&listed.unwrap().stdout).lines().count(), stories().len());
}
