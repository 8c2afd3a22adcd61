//! `abigate fuzz`: an honest decoder passes, and every planted fault is found.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod planted;

use std::ops::ControlFlow;
use std::process::{Command, Output};
use std::time::Duration;

use abigate::fuzz::{
    Builtin, Campaign, CommandTarget, Fault, JudgeOfReplies, Laboratory, Report, SocketTarget, Target, run,
};
use abigate::generate::{Generator, Specification};
use abigate::grammar::Grammar;
use abigate::host::World;

use planted::Planted;

fn generator(application: &str, world: &'static World, variety: usize) -> Generator<'static> {
    let wanted = Specification {
        application: application.to_owned(),
        seed: 1,
        date: None,
        separator: b"\n".to_vec(),
        variety,
        password: "PASSWD".to_owned(),
    };
    Generator::new(Grammar::builtin(), world, &wanted).unwrap()
}

fn world() -> &'static World {
    Box::leak(Box::new(World::demo(Grammar::builtin()).unwrap()))
}

fn campaign(
    application: &str,
    generator: &mut Generator<'_>,
    target: &mut dyn Target,
    campaign: Campaign,
) -> Report {
    let grammar = Grammar::builtin();
    let mut laboratory = Laboratory::new(grammar, application).unwrap();
    let judge = JudgeOfReplies::new(grammar, application).unwrap();
    run(&mut laboratory, &judge, generator, target, &campaign, |_, _| ControlFlow::Continue(())).unwrap()
}

fn short(runs: u64) -> Campaign {
    Campaign { seed: 1, runs, most_failures: 1, ..Campaign::default() }
}

/// What a planted fault may be called when it is found.
fn names(planted: Planted) -> &'static [Fault] {
    match planted {
        Planted::Honest => &[],
        Planted::PanicsOnShortLine | Planted::PanicsOnLargeNumber => &[Fault::Crash],
        Planted::HangsWithoutTrailer => &[Fault::Hang],
        Planted::MiscountsItsAnswer | Planted::CutsItsAnswer => &[Fault::MalformedAnswer],
        Planted::LosesUserData => &[Fault::LostUserData],
        Planted::ForgetsTransaction => &[Fault::LostTransaction],
        Planted::WrongCondition => &[Fault::ConditionMissing],
        Planted::KnowsOneSeparator => &[Fault::RefusedThoughValid, Fault::MalformedAnswer],
        Planted::IgnoresTrailers
        | Planted::AcceptsLettersInNumbers
        | Planted::AcceptsUnknownCode
        | Planted::IgnoresCheckDigit
        | Planted::IgnoresFillers
        | Planted::OffByOne => &[Fault::AcceptedThoughInvalid, Fault::ConditionMissing],
    }
}

/// Only one who is sure to hang is not waited for.
fn search(generator: &mut Generator<'_>, planted: Planted, runs: u64, minimise: bool) -> Report {
    let patience = if planted == Planted::HangsWithoutTrailer { 500 } else { 60_000 };
    let mut target = SocketTarget::new(planted.serve(), Duration::from_millis(patience));
    let wanted = Campaign { minimise, ..short(runs) };
    campaign("AE", generator, &mut target, wanted)
}

#[test]
fn every_planted_fault_is_found() {
    let mut generator = generator("AE", world(), 32);
    let honest = search(&mut generator, Planted::Honest, 800, false);
    assert_eq!(honest.failures.len(), 0, "{:?}", honest.failures);
    for planted in Planted::FAULTS {
        let report = search(&mut generator, planted, 4000, false);
        let failure = report.failures.first().unwrap_or_else(|| panic!("{planted:?} was not found"));
        assert!(names(planted).contains(&failure.verdict.fault), "{planted:?}: {failure:?}");
        println!("{planted:?}: run {}, {} records, {}", failure.run, failure.records, failure.mutation);
    }
}

#[test]
fn failures_become_as_small_as_they_can() {
    let mut generator = generator("AE", world(), 8);
    for planted in [Planted::PanicsOnLargeNumber, Planted::WrongCondition, Planted::LosesUserData] {
        let report = search(&mut generator, planted, 4000, true);
        let failure = &report.failures[0];
        assert!(names(planted).contains(&failure.verdict.fault), "{planted:?}: {failure:?}");
        match failure.expected.accepted {
            // What must be accepted stays whole: no more than the one transaction that shows it is left.
            Some(true) => {
                assert_eq!(failure.expected.transactions, Some(1), "{planted:?}: {}", failure.mutation)
            }
            // Control records apart there is only the record that was broken.
            _ => assert_eq!(failure.records, 5, "{planted:?}: {}", failure.mutation),
        }
    }
}

#[test]
fn the_builtin_decoder_passes_for_every_application() {
    let grammar = Grammar::builtin();
    let structures = grammar.structures().map(|(structure, _)| structure.application.clone());
    let applications = structures.filter(|code| Laboratory::new(grammar, code).is_some());
    for application in applications.filter(|code| grammar.application(code).is_some()) {
        let world = world();
        let mut generator = generator(&application, world, 6);
        let mut target = Builtin::new(grammar, world, &application).unwrap();
        let report = campaign(&application, &mut generator, &mut target, short(80));
        assert_eq!(report.failures.len(), 0, "{application}: {:#?}", report.failures);
        assert!(report.coverage.mutations.len() > 8, "{:?}", report.coverage.mutations);
    }
}

#[test]
fn the_same_seed_sends_the_same_messages() {
    struct Listening(Vec<Vec<u8>>, Builtin<'static>);
    impl Target for Listening {
        fn send(&mut self, message: &[u8]) -> std::io::Result<abigate::fuzz::Reply> {
            self.0.push(message.to_vec());
            self.1.send(message)
        }
    }
    let sent = [(); 2].map(|()| {
        let world = world();
        let honest = Builtin::new(Grammar::builtin(), world, "AE").unwrap();
        let mut target = Listening(Vec::new(), honest);
        campaign("AE", &mut generator("AE", world, 4), &mut target, short(60));
        target.0
    });
    assert_eq!(sent[0].len(), 60);
    assert_eq!(sent[0], sent[1]);
}

#[test]
fn programs_are_watched() {
    let mut generator = generator("AE", world(), 2);
    let mut found = |line: &str| {
        let patience = if line.starts_with("sleep") { 300 } else { 60_000 };
        let mut target = CommandTarget::new(line, Duration::from_millis(patience)).unwrap();
        campaign("AE", &mut generator, &mut target, short(3))
            .failures
            .first()
            .map(|failure| failure.verdict.fault)
    };
    assert_eq!(found("true"), Some(Fault::MalformedAnswer));
    assert_eq!(found("false"), Some(Fault::Crash));
    assert_eq!(found("sleep 60"), Some(Fault::Hang));
    assert_eq!(found("cat"), Some(Fault::MalformedAnswer));
}

fn abigate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_abigate")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

#[test]
fn a_failure_is_kept_and_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().to_str().unwrap();
    let broken = Planted::CutsItsAnswer.serve().to_string();
    let fuzz = ["fuzz", "--app", "AE", "--runs", "5", "--failures", "1", "--plain", "--format", "json"];
    let found = abigate(&[&fuzz[..], &["--target", &broken, "--keep", keep]].concat());
    assert_eq!(found.status.code(), Some(1), "{}", text(&found.stderr));
    let report: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(report["failures"][0]["verdict"]["fault"], "malformed-answer");
    assert!(report["coverage"]["records"].as_object().unwrap().contains_key("10"));
    let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
    let kept = files.filter(|file| file.extension().unwrap() == "abi").collect::<Vec<_>>();
    assert_eq!(kept.len(), 1);
    let described = std::fs::read_to_string(kept[0].with_extension("json")).unwrap();
    let described: serde_json::Value = serde_json::from_str(&described).unwrap();
    let command = described["replay"].as_str().unwrap();
    assert!(command.starts_with("abigate fuzz --replay ") && command.contains(&broken), "{command}");
    for (planted, code) in [(Planted::CutsItsAnswer, 1), (Planted::Honest, 0)] {
        let target = planted.serve().to_string();
        let again = ["fuzz", "--replay", kept[0].to_str().unwrap(), "--plain", "--target", &target];
        let again = abigate(&again);
        assert_eq!(again.status.code(), Some(code), "{}{}", text(&again.stdout), text(&again.stderr));
    }
}

#[test]
fn other_machines_are_left_alone() {
    let refused = abigate(&["fuzz", "--app", "AE", "--runs", "1", "--plain", "--target", "192.0.2.1:7443"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("--anywhere"), "{}", text(&refused.stderr));
}

#[test]
fn only_the_kinds_that_are_looked_for_are_failures() {
    let mut generator = generator("AE", world(), 8);
    let crashes = |runs| Campaign { only: vec![Fault::Crash, Fault::Hang], ..short(runs) };
    let mut look = |planted: Planted, runs| {
        let mut target = SocketTarget::new(planted.serve(), Duration::from_millis(60_000));
        campaign("AE", &mut generator, &mut target, crashes(runs)).failures
    };
    assert_eq!(look(Planted::CutsItsAnswer, 30).len(), 0);
    assert_eq!(look(Planted::PanicsOnLargeNumber, 4000)[0].verdict.fault, Fault::Crash);
    let refused = abigate(&["fuzz", "--app", "AE", "--only", "crash,slow"]);
    assert!(text(&refused.stderr).contains("there are crash, hang, malformed-answer"), "{refused:?}");
}

/// A program in a file, for `exec:`.
fn program(folder: &std::path::Path, name: &str, lines: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, lines).unwrap();
    format!("exec:sh {}", path.display())
}

#[test]
fn a_crash_is_told_once_and_in_the_programs_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().join("kept");
    let crashes = "head -c 100 >/dev/null\necho started >&2\n\
                   echo \"thread 'main' panicked at src/decoder.rs:12:34:\" >&2\necho \"record $$ is odd\" >&2\nexit 101\n";
    let target = program(folder.path(), "crashes.sh", crashes);
    let fuzz = [
        "fuzz",
        "--app",
        "AE",
        "--runs",
        "6",
        "--no-minimise",
        "--timeout",
        "60000",
        "--target",
        &target,
        "--keep",
    ];
    let keep_text = keep.to_str().unwrap();
    let found = abigate(&[&fuzz[..], &[keep_text, "--format", "json"]].concat());
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    let report: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    let failures = report["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(failures[0]["cause"], "crash src/decoder.rs:12:34");
    assert_eq!(failures[0]["repeats"], 5);
    let files = std::fs::read_dir(&keep).unwrap().map(|file| file.unwrap().path());
    let said = files.filter(|file| file.extension().unwrap() == "stderr").collect::<Vec<_>>();
    assert!(std::fs::read_to_string(&said[0]).unwrap().starts_with("started\nthread 'main' panicked"));
    let human = abigate(&[&fuzz[..], &[keep_text]].concat());
    assert!(text(&human.stdout).contains("  | thread 'main' panicked at src/decoder.rs:12:34:"), "{human:?}");
}

#[test]
fn failures_of_a_baseline_are_counted_and_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let target = program(folder.path(), "crashes.sh", "echo 'a.c:7: out of range' >&2\nexit 3\n");
    let (known, keep) = (path("known.json"), path("kept"));
    let fuzz = [
        "fuzz",
        "--app",
        "AE",
        "--runs",
        "4",
        "--no-minimise",
        "--timeout",
        "60000",
        "--target",
        &target,
        "--keep",
        &keep,
    ];
    let written = abigate(&[&fuzz[..], &["--write-baseline", &known]].concat());
    assert_eq!(written.status.code(), Some(0), "{written:?}");
    let again = abigate(&[&fuzz[..], &["--baseline", &known]].concat());
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert!(text(&again.stdout).starts_with("4 messages: 0 failures, 4 known\n"), "{again:?}");
    program(folder.path(), "crashes.sh", "echo 'a.c:9: out of range' >&2\nexit 3\n");
    let new = abigate(&[&fuzz[..], &["--baseline", &known, "--write-baseline", &known]].concat());
    assert_eq!(new.status.code(), Some(0), "{new:?}");
    let both = std::fs::read_to_string(&known).unwrap();
    assert!(both.contains("crash a.c:7") && both.contains("crash a.c:9"), "{both}");
    std::fs::write(&known, "{}").unwrap();
    let refused = abigate(&[&fuzz[..], &["--baseline", &known]].concat());
    assert!(text(&refused.stderr).contains("is no baseline"), "{refused:?}");
}

#[test]
fn answers_are_sent_to_those_who_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().join("kept").to_str().unwrap().to_owned();
    let reads = "grep -q '^A' || exit 9\n";
    let refuses = "cat >/dev/null\necho 'I know no such answer'\nexit 1\n";
    for (name, lines, fault) in
        [("reads.sh", reads, None), ("refuses.sh", refuses, Some("refused-though-valid"))]
    {
        let target = program(folder.path(), name, lines);
        let fuzz = [
            "fuzz",
            "--app",
            "AX",
            "--runs",
            "25",
            "--failures",
            "1",
            "--timeout",
            "60000",
            "--keep",
            &keep,
            "--format",
            "json",
        ];
        let found = abigate(&[&fuzz[..], &["--target", &target]].concat());
        let report: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
        let failure = &report["failures"][0]["verdict"]["fault"];
        // a message without its A-record is none that this reader takes, and it may say so
        let is_right = fault.is_none_or(|fault| failure == fault);
        assert!(is_right && report["coverage"]["records"]["E0:summry"].is_u64(), "{name}: {report:#}");
    }
}

#[test]
fn a_service_that_is_gone_ends_the_run_and_keeps_the_message_before() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(3) {
            let mut message = Vec::new();
            std::io::Read::read_to_end(&mut stream.unwrap(), &mut message).unwrap();
        }
    });
    let mut target = SocketTarget::new(address, Duration::from_millis(60_000)).one_way();
    let report = campaign("AX", &mut generator("AX", world(), 2), &mut target, short(50));
    assert_eq!((report.runs, report.failures.len()), (3, 1), "{report:?}");
    assert!(report.lost.is_some() && report.failures[0].verdict.fault == Fault::Crash, "{report:?}");
}

#[test]
fn the_host_is_tested_with_every_application_that_it_answers() {
    for application in ["CW", "CJ"] {
        let world = world();
        let mut generator = generator(application, world, 4);
        let mut target = Builtin::new(Grammar::builtin(), world, application).unwrap();
        let report = campaign(application, &mut generator, &mut target, short(150));
        assert_eq!(report.failures.len(), 0, "{application}: {:#?}", report.failures);
        let conditions = &report.coverage.conditions;
        assert!(conditions.keys().any(|code| code.starts_with(['C', 'X'])), "{application}: {conditions:?}");
    }
}
