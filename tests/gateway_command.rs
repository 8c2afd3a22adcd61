//! `abigate serve`, `send` and `demo` as programs of their own.

#![allow(missing_docs, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

#[path = "gateway_command/own_sender.rs"]
mod own_sender;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

const ABIGATE: &str = env!("CARGO_BIN_EXE_abigate");

/// `abigate serve --dev` in a folder.
struct Serving {
    process: Child,
    address: String,
}

impl Serving {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(ABIGATE)
            .args(["serve", "--dev", "--listen", "127.0.0.1:0"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").expect("does not listen").to_owned();
        Self { process, address }
    }

    /// As `kill -9`: nothing is finished, nothing is flushed.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn terminate(mut self) -> Option<i32> {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // fails where the test has ended it already
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/entry_summary").join(name)
}

fn send(folder: &Path, to: &Serving, bytes: &[u8], more: &[&str]) -> Output {
    let mut process = Command::new(ABIGATE)
        .args(["send", "-", "--to", &to.address])
        .args(more)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(bytes).unwrap();
    process.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The final dispositions of an answer.
fn dispositions(output: &Output) -> Vec<String> {
    let finals = ["E1A", "E1R", "X1R"];
    let text = text(output);
    let lines = text.lines().filter(|line| finals.iter().any(|begin| line.starts_with(begin)));
    lines.map(|line| line[4..7].to_owned()).collect()
}

#[test]
fn what_was_answered_outlives_kill_9() {
    let folder = TempDir::new().unwrap();
    let batch = std::fs::read(sample("good/01-air-one-line.abi")).unwrap();

    let gateway = Serving::start(folder.path());
    let added = send(folder.path(), &gateway, &batch, &[]);
    assert_eq!((added.status.code(), dispositions(&added)), (Some(0), vec!["995".to_owned()]), "{added:?}");
    gateway.kill();

    let gateway = Serving::start(folder.path());
    let replaced = send(folder.path(), &gateway, &batch, &[]);
    assert_eq!(
        (replaced.status.code(), dispositions(&replaced)),
        (Some(0), vec!["996".to_owned()]),
        "{replaced:?}"
    );
    assert_eq!(gateway.terminate(), Some(0));
}

#[test]
fn a_peer_with_odd_records_gets_its_answer_as_it_sends() {
    let folder = TempDir::new().unwrap();
    let batch = std::fs::read_to_string(sample("good/01-air-one-line.abi")).unwrap();
    let gateway = Serving::start(folder.path());
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let mut ebcdic = batch.replace('\n', "").into_bytes();
    abigate::wire::Encoding::Ebcdic037.encode(&mut ebcdic);
    let padded = format!("{batch}\0\0\0\x1a\n   \n\u{feff}{batch}");
    for (form, bytes, answers) in [
        ("byte order mark", format!("\u{feff}{batch}").into_bytes(), 1),
        ("CR alone", batch.replace('\n', "\r").into_bytes(), 1),
        ("frames", format!("\x02{batch}\x03").into_bytes(), 1),
        ("UTF-16", wide(&batch), 1),
        ("EBCDIC", ebcdic, 1),
        ("padding between batches", padded.into_bytes(), 2),
    ] {
        let answered = send(folder.path(), &gateway, &bytes, &[]);
        assert_eq!(answered.status.code(), Some(0), "{form}: {answered:?}");
        let found = dispositions(&answered);
        assert!(found.iter().all(|code| code == "995" || code == "996"), "{form}: {found:?}");
        assert_eq!(found.len(), answers, "{form}: {found:?}");
    }
}

#[test]
fn a_batch_that_was_not_answered_has_not_happened() {
    let folder = TempDir::new().unwrap();
    let batch = std::fs::read(sample("good/01-air-one-line.abi")).unwrap();
    let half = &batch[..batch.len() - 81];

    let gateway = Serving::start(folder.path());
    let refused = send(folder.path(), &gateway, half, &[]);
    assert_eq!((refused.status.code(), dispositions(&refused)), (Some(1), vec!["999".to_owned()]));
    assert!(text(&refused).contains("X06"));
    gateway.kill();

    let gateway = Serving::start(folder.path());
    assert_eq!(dispositions(&send(folder.path(), &gateway, &batch, &[])), ["995"]);
}

#[test]
fn certificate_and_password_must_be_the_senders() {
    let folder = TempDir::new().unwrap();
    let gateway = Serving::start(folder.path());
    let batch = std::fs::read_to_string(sample("good/01-air-one-line.abi")).unwrap();
    let wrong_password = batch.replace("PASSWD", "WRONG ");
    for (bytes, sender) in [(&wrong_password, "demo-broker"), (&batch, "demo-bureau")] {
        let refused = send(folder.path(), &gateway, bytes.as_bytes(), &["--as", sender]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused).contains("X09"), "{refused:?}");
    }
    let accepted = send(folder.path(), &gateway, batch.as_bytes(), &["--wait", "1"]);
    assert_eq!(dispositions(&accepted), ["995"], "{accepted:?}");
}

/// `abigate admin …` on the store of the gateway of a folder.
fn admin(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(ABIGATE).arg("admin").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    text(&output)
}

/// The states of the notifications, oldest first.
fn mail_states(folder: &Path) -> Vec<String> {
    let list = admin(folder, &["mailbox", "list"]);
    list.lines().map(|line| line.split_whitespace().nth(6).unwrap_or_default().to_owned()).collect()
}

/// A connection of the demo broker.
async fn connect(folder: &Path, to: &str) -> tokio_rustls::client::TlsStream<tokio::net::TcpStream> {
    let development = folder.join("abigate-dev");
    let credentials = abigate::gateway::Credentials {
        authority: development.join("ca.pem"),
        identity: Some((development.join("demo-broker.pem"), development.join("demo-broker-key.pem"))),
    };
    let tls = abigate::gateway::client_tls(&credentials).unwrap();
    abigate::gateway::Client::connect(to, tls).await.unwrap().into_inner()
}

/// Sends a batch and reads until so many batches have come back.
async fn receive<S>(stream: &mut S, batch: &[u8], batches: usize) -> Vec<String>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    stream.write_all(batch).await.unwrap();
    stream.flush().await.unwrap();
    let mut lines = Vec::new();
    while lines.iter().filter(|line: &&String| line.starts_with('Z')).count() < batches {
        let mut row = [0; 81];
        let read = stream.read_exact(&mut row);
        tokio::time::timeout(std::time::Duration::from_secs(60), read).await.expect("no mail").unwrap();
        lines.push(String::from_utf8_lossy(&row).trim_end().to_owned());
    }
    lines
}

#[test]
fn a_notification_outlives_kill_9_until_it_is_delivered() {
    use tokio::io::AsyncWriteExt;
    let folder = TempDir::new().unwrap();
    let batch = std::fs::read(sample("good/01-air-one-line.abi")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let gateway = Serving::start(folder.path());
    let reject = ["summary", "reject", "EEE 00002674", "--reason", "003", "--remarks", "see line 1"];
    let done = admin(folder.path(), &reject);
    assert!(done.contains("paid -> rejected"), "{done}");
    assert_eq!(mail_states(folder.path()), ["waiting"]);
    // between the act and the delivery
    gateway.kill();

    let gateway = Serving::start(folder.path());
    let mut stream = runtime.block_on(connect(folder.path(), &gateway.address));
    let first = runtime.block_on(receive(&mut stream, &batch, 2));
    let mail = first.iter().skip_while(|line| !line.starts_with('Z')).skip(1).cloned().collect::<Vec<_>>();
    assert!(mail[0].contains("UC") && mail[2].starts_with("E142   003"), "{mail:?}");
    assert!(mail.iter().any(|line| line == "E3SEE LINE 1"), "{mail:?}");
    // it has arrived, but nothing shows that
    gateway.kill();
    assert_eq!(mail_states(folder.path()), ["waiting"]);

    let gateway = Serving::start(folder.path());
    let mut stream = runtime.block_on(connect(folder.path(), &gateway.address));
    let second = runtime.block_on(receive(&mut stream, &batch, 2));
    assert!(second.ends_with(&mail), "{second:?}");
    // while the gateway runs, another program acts
    admin(folder.path(), &["summary", "accept", "EEE 00002674"]);
    admin(folder.path(), &["summary", "detain", "EEE 00002674"]);
    let third = runtime.block_on(receive(&mut stream, &[], 1));
    assert!(third[2].starts_with("E1D2"), "{third:?}");
    runtime.block_on(stream.shutdown()).unwrap();
    let mut rest = Vec::new();
    runtime.block_on(tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest)).unwrap();
    assert!(rest.is_empty());
    assert_eq!(mail_states(folder.path()), ["delivered", "delivered"]);
    gateway.kill();
    let gateway = Serving::start(folder.path());
    let nothing = send(folder.path(), &gateway, &batch, &["--wait", "1"]);
    assert_eq!(dispositions(&nothing), ["996"], "{nothing:?}");
    assert!(!text(&nothing).lines().any(|line| line.starts_with('B') && line.contains("UC")));
}

#[test]
fn kill_9_in_the_middle_of_many_notifications_loses_none() {
    const COUNT: usize = 40;
    let folder = TempDir::new().unwrap();
    let batch = std::fs::read(sample("good/01-air-one-line.abi")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Serving::start(folder.path()).kill();
    let reasons = (1..=COUNT).map(|line| format!("--reason=003/{line:03}")).collect::<Vec<_>>();
    let mut reject = vec!["summary", "reject", "EEE 00002674"];
    reject.extend(reasons.iter().map(String::as_str));
    admin(folder.path(), &reject);
    let lines_of = |batches: &[String]| {
        let told = batches.iter().filter(|line| line.starts_with("E142"));
        told.map(|line| line[65..68].parse::<usize>().unwrap()).collect::<Vec<_>>()
    };
    // how many notifications are read before the kill, and whether a further batch confirms them
    let mut first_missing = 1;
    for (count, goes_on) in [(3, false), (1, false), (40, false), (2, true)] {
        let gateway = Serving::start(folder.path());
        let mut stream = runtime.block_on(connect(folder.path(), &gateway.address));
        let read = lines_of(&runtime.block_on(receive(&mut stream, &batch, count + 1)));
        assert!(read[0] <= first_missing, "{read:?} without {first_missing}");
        assert_eq!(read, (read[0]..read[0] + count).collect::<Vec<_>>());
        if goes_on {
            // its answer stands behind all notifications that it counts as delivered
            let mut more = runtime.block_on(receive(&mut stream, &batch, 1));
            while !more.iter().rfind(|line| line.starts_with('A')).unwrap().contains("AX") {
                more.extend(runtime.block_on(receive(&mut stream, &[], 1)));
            }
            first_missing = first_missing.max(read[0] + count + lines_of(&more).len());
        }
        gateway.kill();
    }
    let gateway = Serving::start(folder.path());
    let sent = send(folder.path(), &gateway, &batch, &["--wait", "10"]);
    let rest = lines_of(&text(&sent).lines().map(str::to_owned).collect::<Vec<_>>());
    let first = rest.first().copied().unwrap_or(COUNT + 1);
    assert!(first <= first_missing, "{rest:?} without {first_missing}");
    assert_eq!(rest, (first..=COUNT).collect::<Vec<_>>());
    assert!(mail_states(folder.path()).iter().all(|state| state == "delivered"));
}

/// The steps in the history of a summary, as `admin summary show` tells them.
fn events(folder: &Path, entry: &str) -> Vec<String> {
    let shown = admin(folder, &["summary", "show", entry, "--format", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let steps = shown["history"].as_array().unwrap().iter();
    steps.map(|step| step["event"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_batch_whose_connection_broke_before_the_answer_was_read_is_done_once() {
    use tokio::io::AsyncWriteExt;
    let folder = TempDir::new().unwrap();
    let batch = std::fs::read(sample("good/01-air-one-line.abi")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let gateway = Serving::start(folder.path());
    let mut stream = runtime.block_on(connect(folder.path(), &gateway.address));
    runtime.block_on(async {
        stream.write_all(&batch).await.unwrap();
        stream.flush().await.unwrap();
    });
    // it takes effect, and nobody reads the answer
    let is_on_file = || admin(folder.path(), &["summary", "list"]).contains("00001197");
    while !is_on_file() {}
    drop(stream);
    let again = send(folder.path(), &gateway, &batch, &[]);
    assert_eq!(dispositions(&again), ["995"], "{again:?}");
    assert_eq!(events(folder.path(), "EEE 00001197"), ["file"]);
    // it has said farewell behind the answer: now the same bytes are a new batch
    assert_eq!(dispositions(&send(folder.path(), &gateway, &batch, &[])), ["996"]);
    assert_eq!(events(folder.path(), "EEE 00001197"), ["file", "file"]);
}

#[test]
fn an_answer_that_was_lost_with_kill_9_is_given_by_the_next_gateway() {
    let folder = TempDir::new().unwrap();
    let rows = std::fs::read_to_string(sample("good/01-air-one-line.abi")).unwrap();
    let add = rows.clone().into_bytes();
    let delete = rows
        .lines()
        .filter(|row| matches!(row.as_bytes()[0], b'A' | b'B' | b'Y' | b'Z') || row.starts_with("10"))
        .map(
            |row| if row.starts_with("10") { format!("10D{:77}\n", &row[3..35]) } else { format!("{row}\n") },
        )
        .collect::<String>()
        .into_bytes();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut told = Vec::new();
    for batch in [&add, &delete] {
        let gateway = Serving::start(folder.path());
        let mut stream = runtime.block_on(connect(folder.path(), &gateway.address));
        told.push(runtime.block_on(receive(&mut stream, batch, 1)));
        // it was answered, but nothing shows that the answer arrived
        gateway.kill();
        let gateway = Serving::start(folder.path());
        let mut stream = runtime.block_on(connect(folder.path(), &gateway.address));
        let again = runtime.block_on(receive(&mut stream, batch, 1));
        assert_eq!(Some(&again), told.last());
        // a further batch on the same connection shows that it has arrived; it is judged by itself
        let further = runtime.block_on(receive(&mut stream, batch, 1));
        assert_ne!(further, again, "{further:?}");
        gateway.kill();
    }
    let outcome =
        |lines: &[String]| lines.iter().find(|line| line.starts_with("E1A")).unwrap()[4..7].to_owned();
    assert_eq!([outcome(&told[0]), outcome(&told[1])], ["995", "997"]);
}

#[test]
fn a_store_that_is_gone_is_not_begun_anew_in_silence() {
    let folder = TempDir::new().unwrap();
    Serving::start(folder.path()).kill();
    let store = folder.path().join("abigate-dev/abigate.db");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", store.display()));
    }
    let serve = |more: &[&str]| {
        let mut command = Command::new(ABIGATE);
        command.args(["serve", "--config", "abigate-dev/abigate.toml", "--listen", "127.0.0.1:0"]).args(more);
        command.current_dir(folder.path()).output().unwrap()
    };
    let refused = serve(&[]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("there is no store") && said.contains("--new"), "{said}");
    assert!(!store.exists());
    std::fs::write(&store, "a file of another program, which is no store at all").unwrap();
    for more in [&[][..], &["--new"]] {
        let refused = serve(more);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains("no store of abigate"), "{said}");
    }
}

#[test]
fn admin_copies_the_store_and_tells_what_is_damaged() {
    let folder = TempDir::new().unwrap();
    let batch = std::fs::read(sample("good/01-air-one-line.abi")).unwrap();
    let gateway = Serving::start(folder.path());
    assert_eq!(dispositions(&send(folder.path(), &gateway, &batch, &[])), ["995"]);
    admin(folder.path(), &["backup", "copy.db"]);
    assert!(admin(folder.path(), &["check"]).ends_with("all can be read\n"));
    drop(gateway);
    std::fs::create_dir(folder.path().join("copied")).unwrap();
    let copy = folder.path().join("copied/abigate.db");
    std::fs::rename(folder.path().join("copy.db"), &copy).unwrap();
    let damaged = rusqlite::Connection::open(&copy).unwrap();
    damaged.execute("UPDATE entry_summary SET added = 'long ago' WHERE number = '00001197'", []).unwrap();
    drop(damaged);
    let check = Command::new(ABIGATE)
        .args(["admin", "check", "--data", "copied", "--format", "json"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(check.status.code(), Some(1), "{check:?}");
    let report: serde_json::Value = serde_json::from_slice(&check.stdout).unwrap();
    assert_eq!(report["rows"]["batch"], 1);
    assert_eq!(
        report["damaged"][0],
        "entry_summary EEE 00001197: store: entry_summary.added holds \"long ago\""
    );
}

#[test]
fn send_prints_the_notifications_that_arrive_while_it_waits() {
    let folder = TempDir::new().unwrap();
    let batch = std::fs::read(sample("good/01-air-one-line.abi")).unwrap();
    let gateway = Serving::start(folder.path());
    admin(folder.path(), &["summary", "reject", "EEE 00002674", "--reason", "003"]);
    let sent = send(folder.path(), &gateway, &batch, &["--wait", "5"]);
    assert!(text(&sent).contains("E142   003"), "{sent:?}");
    // a notification is no answer: nothing was rejected of what was sent
    assert_eq!(sent.status.code(), Some(0), "{sent:?}");
    let shown = admin(folder.path(), &["mailbox", "show", "1"]);
    assert!(text(&sent).ends_with(&shown), "{shown}");
    let json = admin(folder.path(), &["summary", "show", "EEE 00002674", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["summary"]["state"], &json["history"][0]["event"]),
        (&"rejected".into(), &"reject".into())
    );
    assert!(!json.to_string().contains("07-4417702"), "shows a party's number");
}

#[test]
fn what_cannot_be_done_exits_with_2() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("bad.toml"), "certificate = \"c.pem\"").unwrap();
    let cases: [(&[&str], &str); 4] = [
        (&["send", "missing.abi"], "missing.abi"),
        (&["serve"], "--config"),
        (&["serve", "--config", "missing.toml"], "missing.toml"),
        (&["serve", "--config", "bad.toml"], "`certificate` and `key`"),
    ];
    for (arguments, said) in cases {
        let output = Command::new(ABIGATE).args(arguments).current_dir(folder.path()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn the_demo_goes_as_expected() {
    let output = Command::new(ABIGATE).arg("demo").output().unwrap();
    let shown = text(&output);
    let surprises: Vec<&str> = shown.lines().filter(|line| line.starts_with("unexpected answer")).collect();
    assert_eq!((output.status.code(), surprises), (Some(0), Vec::new()));
    for said in ["good/01-air-one-line.abi, sent by demo-broker", "995", "996", "answered as expected"] {
        assert!(shown.contains(said), "the demo does not show {said}");
    }
    assert!(!shown.contains("PASSWD"), "the demo shows a password");
}

#[test]
fn a_second_gateway_on_one_store_is_refused() {
    let folder = TempDir::new().unwrap();
    let gateway = Serving::start(folder.path());
    let mut second = Command::new(ABIGATE);
    second.args(["serve", "--dev", "--listen", "127.0.0.1:0"]).current_dir(folder.path());
    let second = second.output().unwrap();
    assert_eq!(second.status.code(), Some(2));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("another gateway serves the store"), "{said}");
    gateway.kill();
    assert_eq!(Serving::start(folder.path()).terminate(), Some(0));
}

#[test]
fn a_header_in_lower_case_is_its_senders() {
    let folder = TempDir::new().unwrap();
    let gateway = Serving::start(folder.path());
    let batch = std::fs::read_to_string(sample("good/01-air-one-line.abi")).unwrap();
    let (header, rest) = batch.split_once('\n').unwrap();
    let lower = format!("{}\n{rest}", header.to_ascii_lowercase());
    let wrong = lower.replacen("passwd", "wrong ", 1);
    assert!(text(&send(folder.path(), &gateway, wrong.as_bytes(), &[])).contains("X09"));
    assert_eq!(dispositions(&send(folder.path(), &gateway, lower.as_bytes(), &[])), ["995"]);
}
