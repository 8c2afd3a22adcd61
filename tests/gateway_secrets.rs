//! No password and no taxpayer number in a log, an error or a `Debug`: what the gateway says about
//! batches that hold them is captured, down to the last trace of every library, and searched.
//!
//! The capture is for the whole process, so this test has one of its own.

#![allow(missing_docs, dead_code, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

#[path = "gateway/support.rs"]
mod support;

use std::io;
use std::sync::{Arc, Mutex};

use abigate::gateway::{ClientCertificates, Credentials, HostWithClock, Intake, Peer, hash_password};
use abigate::grammar::Grammar;
use abigate::host::World;
use abigate::store::SqliteStore;
use abigate::wire::Limits;
use bytes::BytesMut;
use support::{Gateway, TestHost, ask, batch};

const SECRET: &str = "QZ7XKW";
const NUMBERS: [&str; 2] = [support::IMPORTER, "078-05-1120"];

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<u8>>>);

impl io::Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Batches in which the secrets stand where they should, and where they should not.
fn batches() -> Vec<Vec<u8>> {
    let whole = batch(1, SECRET, 4);
    let text = String::from_utf8(whole.clone()).unwrap();
    vec![
        whole.clone(),
        batch(2, "WRONG", 1),
        // out of step: the password stands where the sender, then where the application is looked for
        text.replacen("3901XYZ", "", 1).into_bytes(),
        text.replacen("3901XYZ", "3901XYZ               ", 1).into_bytes(),
        // no header; a header alone; half a record
        whole[81..].to_vec(),
        whole[..81].to_vec(),
        whole[..12].to_vec(),
        text.replace('\n', "").into_bytes(),
        text.replace(support::IMPORTER, NUMBERS[1]).into_bytes(),
        // longer than any line may be
        text.replace('\n', &" ".repeat(3000)).into_bytes(),
        batch(3, "BROKEN", 1),
    ]
}

fn secrets() -> Vec<String> {
    // parts of them are secrets as well: a record may be out of step
    let whole = [SECRET, NUMBERS[0], NUMBERS[1]];
    whole.iter().flat_map(|secret| [(*secret).to_owned(), secret[..5].to_owned()]).collect()
}

fn assert_silent(what: &str, text: &str, secrets: &[String]) {
    for secret in secrets {
        let found = text.lines().find(|line| line.contains(secret));
        assert!(found.is_none(), "{what} shows {secret}: {}", found.unwrap_or_default());
    }
}

/// The numbers of the demo world's importers, and its senders' passwords.
fn secrets_of_the_demo() -> Vec<String> {
    let world: toml::Table = World::DEMO.parse().unwrap();
    let importers = world["importer"].as_array().unwrap().iter();
    let numbers = importers.map(|importer| importer["number"].as_str().unwrap().to_owned());
    numbers.chain(["PASSWD", "BUREAU", "SELFIM"].map(str::to_owned)).collect()
}

/// The demo host behind a gateway, asked with good and bad samples.
async fn serve_samples() {
    let grammar = Grammar::builtin();
    let host = HostWithClock::new(World::demo(grammar).unwrap(), SqliteStore::in_memory().unwrap()).unwrap();
    assert_silent("a debug", &format!("{host:?}"), &secrets_of_the_demo());
    let gateway = Gateway::start(host, |config| {
        config.client_certificates = ClientCertificates::Optional;
    })
    .await;
    let anybody = Credentials { identity: None, ..gateway.certificates.client() };
    let names =
        ["good/11-informal", "good/01-air-one-line", "bad/101-importer-unknown", "bad/102-importer-format"];
    for name in names {
        let path = format!("{}/samples/entry_summary/{name}.abi", env!("CARGO_MANIFEST_DIR"));
        let answer = ask(gateway.client_with(&anybody).await, &std::fs::read(path).unwrap()).await;
        assert!(answer.len() > 4, "{name}");
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_secret_is_logged() {
    let capture = Capture::default();
    let writer = capture.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let gateway = Gateway::start(TestHost::with_password(SECRET), |_| ()).await;
    for bytes in batches() {
        let mut connection = gateway.connect().await;
        connection.send(&bytes).await;
        tokio::io::AsyncWriteExt::shutdown(&mut connection.stream).await.unwrap();
        connection.until_hung_up().await;
    }
    gateway.stop().await;

    serve_samples().await;

    let log = String::from_utf8(capture.0.lock().unwrap().clone()).unwrap();
    for said in ["batch answered", "3901/XYZ", "test broker", "1 accepted, 0 rejected", "rustls"] {
        assert!(log.contains(said), "the log does not say {said}");
    }
    assert_silent("the log", &log, &secrets());
    assert_silent("the log", &log, &secrets_of_the_demo());
}

#[test]
fn nothing_secret_is_in_a_debug() {
    for bytes in batches() {
        let mut intake = Intake::new(Limits::default());
        let mut said = String::new();
        match intake.next_batch(&mut BytesMut::from(&bytes[..])) {
            Ok(found) => said.push_str(&format!("{found:?}")),
            Err(error) => said.push_str(&format!("{error} {error:?}")),
        }
        said.push_str(&format!("{intake:?}"));
        assert_silent("a debug", &said, &secrets());
    }
    let peer = Peer::new(None).unwrap();
    assert!(peer.knows_password(&hash_password(SECRET.as_bytes()).unwrap(), SECRET.as_bytes()));
    assert_silent("a debug", &format!("{peer:?}"), &secrets());
}
