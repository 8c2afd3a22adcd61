//! No password and no taxpayer number in a log, an error or a `Debug`: what the gateway says about
//! batches that hold them is captured, down to the last trace of every library, and searched.
//!
//! The capture is for the whole process, so this test has one of its own.

#![allow(missing_docs, dead_code, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

#[path = "gateway/support.rs"]
mod support;

use std::io;
use std::sync::{Arc, Mutex};

use abigate::gateway::{Intake, Peer, hash_password};
use abigate::wire::Limits;
use bytes::BytesMut;
use support::{Gateway, TestHost, batch};

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

fn assert_silent(what: &str, text: &str) {
    for secret in [SECRET, NUMBERS[0], NUMBERS[1]] {
        for part in [secret, &secret[..5]] {
            let found = text.lines().find(|line| line.contains(part));
            assert!(found.is_none(), "{what} shows {part}: {}", found.unwrap_or_default());
        }
    }
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

    let log = String::from_utf8(capture.0.lock().unwrap().clone()).unwrap();
    for said in ["batch answered", "3901/XYZ", "test broker", "1 accepted, 0 rejected", "rustls"] {
        assert!(log.contains(said), "the log does not say {said}");
    }
    assert_silent("the log", &log);
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
        assert_silent("a debug", &said);
    }
    let peer = Peer::new(None).unwrap();
    assert!(peer.knows_password(&hash_password(SECRET.as_bytes()).unwrap(), SECRET.as_bytes()));
    assert_silent("a debug", &format!("{peer:?}"));
}
