//! `abigate admin sender add` and `abigate listen`: a sender of one's own, and its notifications.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::{ABIGATE, Serving, admin, dispositions, mail_states, sample, send, text};

fn add(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(ABIGATE);
    command.args(["admin", "sender", "add"]).args(arguments).current_dir(folder);
    command.output().unwrap()
}

/// A sender that is added; what the command says of it.
fn added(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = add(folder, &[arguments, &["--format", "json"]].concat());
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = add(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_sender_of_ones_own_is_added_in_one_command_and_transmits() {
    let folder = TempDir::new().unwrap();
    let own = added(folder.path(), &["--site", "2704", "--id", "9xy", "--filer", "9XY"]);
    let password = own["password"].as_str().unwrap();
    assert_eq!((password.len(), &own["filers_added"][0]), (6, &"9XY".into()));
    let world = own["world"].as_str().unwrap();
    let generate = [
        "generate",
        "--app",
        "AE",
        "--count",
        "2",
        "--variety",
        "2",
        "--world",
        world,
        "--password",
        password,
    ];
    let batch = Command::new(ABIGATE).args(generate).current_dir(folder.path()).output().unwrap();
    assert!(batch.stdout.starts_with(b"A27049XY"), "{batch:?}");
    let gateway = Serving::start(folder.path());
    let sent = send(folder.path(), &gateway, &batch.stdout, &["--as", "2704-9XY"]);
    assert_eq!(dispositions(&sent), ["995", "995"], "{sent:?}");
    let other = send(folder.path(), &gateway, &batch.stdout, &["--as", "demo-broker"]);
    assert!(text(&other).contains("X09"), "{other:?}");
}

#[test]
fn a_world_file_keeps_its_comments_and_rows_when_a_sender_is_added() {
    let folder = TempDir::new().unwrap();
    added(
        folder.path(),
        &["--site", "3901", "--id", "ABC", "--office", "07", "--filer", "NEW", "--filer", "EEE"],
    );
    let before = include_str!("../../samples/world.toml");
    let after = fs::read_to_string(folder.path().join("abigate-dev/world.toml")).unwrap();
    let mut lines = after.lines();
    for line in before.lines() {
        assert!(lines.any(|found| found == line), "{line:?} is gone or stands elsewhere");
    }
    assert!(after.contains("offices = [\"\", \"07\"]") && !after.contains("code = \"EEE\"\nname = \"EEE\""));
    let parsed = abigate::host::World::parse(&after, abigate::grammar::Grammar::builtin()).unwrap();
    assert_eq!(parsed.senders().last().unwrap().filers(), ["NEW", "EEE"]);
    assert_eq!(parsed.filer("NEW").unwrap().ports().len(), 12);
}

#[cfg(unix)]
#[test]
fn secrets_are_for_their_owner_only_and_are_not_repeated() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("pw"), "secret\r\n").unwrap();
    let named =
        ["--site", "2704", "--id", "9XY", "--filer", "EEE", "--password-file", "pw", "--name", "my own"];
    let output = add(folder.path(), &named);
    assert!(output.status.success() && !text(&output).to_lowercase().contains("secret"), "{output:?}");
    for name in ["ca-key.pem", "my own-key.pem", "my own.p12", "demo-broker-key.pem"] {
        let mode = fs::metadata(folder.path().join("abigate-dev").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let gateway = Serving::start(folder.path());
    let batch = fs::read_to_string(sample("good/01-air-one-line.abi")).unwrap();
    // passwords are compared in upper case
    let batch = batch.replace("2704EEEPASSWD", "27049XYSECRET").replace("Z2704EEE", "Z27049XY");
    let sent = send(folder.path(), &gateway, batch.as_bytes(), &["--as", "my own"]);
    assert_eq!(dispositions(&sent), ["995"], "{sent:?}");
}

#[test]
fn what_cannot_be_a_sender_is_refused_in_plain_words_and_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    added(folder.path(), &["--site", "2704", "--id", "9XY", "--filer", "9XY"]);
    let development = folder.path().join("abigate-dev");
    let files = || {
        let names = fs::read_dir(&development).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names = names.collect::<Vec<_>>();
        names.sort();
        (names, fs::read_to_string(development.join("world.toml")).unwrap())
    };
    let before = files();
    let cases: [(&[&str], &str); 9] = [
        (&["--site", "2704", "--id", "9XY", "--filer", "9XY"], "has a sender 2704 9XY already"),
        (&["--site", "27", "--id", "ABC", "--filer", "9XY"], "--site \"27\": write 4 letters or digits"),
        (&["--site", "2704", "--id", "A-C", "--filer", "9XY"], "--id \"A-C\": write 3 letters or digits"),
        (&["--site", "2704", "--id", "ABC", "--filer", "LONG"], "--filer \"LONG\": write 3"),
        (
            &["--site", "2704", "--id", "ABC", "--filer", "NEW", "--port", "9999"],
            "ports \"9999\" is not in port",
        ),
        (
            &["--site", "2704", "--id", "ABC", "--filer", "NEW", "--application", "ZZ"],
            "\"ZZ\" is not in the applic",
        ),
        (
            &["--site", "2704", "--id", "ABC", "--filer", "9XY", "--name", "demo-broker"],
            "demo-broker already",
        ),
        (&["--site", "2704", "--id", "ABC", "--filer", "9XY", "--name", "../up"], "--name \"../up\""),
        (
            &["--site", "2704", "--id", "ABC", "--filer", "9XY", "--password-file", "long"],
            "1 to 6 letters and digits",
        ),
    ];
    fs::write(folder.path().join("long"), "TOOLONG").unwrap();
    for (arguments, said) in cases {
        let error = refused(folder.path(), arguments);
        assert!(error.contains(said), "{arguments:?}: {error}");
        assert!(before == files(), "{arguments:?} has changed something");
    }
}

#[test]
fn a_gateway_of_ones_own_signs_with_its_authority_or_takes_a_certificate_that_is_there() {
    let folder = TempDir::new().unwrap();
    added(folder.path(), &["--site", "2704", "--id", "9XY", "--filer", "9XY"]);
    let development = folder.path().join("abigate-dev");
    fs::rename(&development, folder.path().join("own")).unwrap();
    fs::rename(folder.path().join("own/ca-key.pem"), folder.path().join("signing.pem")).unwrap();
    let config = ["--config", "own/abigate.toml", "--site", "3901", "--filer", "9XY"];
    let error = refused(folder.path(), &[&config[..], &["--id", "AB1"]].concat());
    assert!(error.contains("--certificate-authority") && error.contains("--certificate the"), "{error}");
    let key = ["--certificate-authority", "own/server-key.pem"];
    let error = refused(folder.path(), &[&config[..], &["--id", "AB1"], &key].concat());
    assert!(error.contains("belongs to no certificate in own/ca.pem"), "{error}");
    let key = ["--certificate-authority", "signing.pem", "--output", "for-ab1"];
    let made = added(folder.path(), &[&config[..], &["--id", "AB1"], &key].concat());
    assert_eq!(made["certificate"], "for-ab1/3901-AB1.pem");
    let taken =
        added(folder.path(), &[&config[..], &["--id", "AB2", "--certificate", "broker.example"]].concat());
    assert_eq!((&taken["certificate"], &taken["certificate_name"]), (&().into(), &"broker.example".into()));
    let world = fs::read_to_string(folder.path().join("own/world.toml")).unwrap();
    assert!(
        world.contains("certificate = \"3901-AB1\"") && world.contains("certificate = \"broker.example\"")
    );
}

/// Only where there is an OpenSSL to ask.
#[test]
fn openssl_reads_the_p12_file_and_believes_the_certificate() {
    let folder = TempDir::new().unwrap();
    let own = added(folder.path(), &["--site", "2704", "--id", "9XY", "--filer", "9XY"]);
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(folder.path()).output();
        output.ok().map(|output| (output.status.success(), text(&output)))
    };
    let file = own["pkcs12"].as_str().unwrap();
    let passphrase = format!("pass:{}", own["passphrase"].as_str().unwrap());
    let Some((is_read, shown)) = openssl(&["pkcs12", "-in", file, "-nodes", "-passin", &passphrase]) else {
        return;
    };
    assert!(is_read && shown.contains("friendlyName: 2704-9XY"), "{shown}");
    assert!(shown.contains("PRIVATE KEY") && shown.matches("BEGIN CERTIFICATE").count() == 2, "{shown}");
    let certificate = own["certificate"].as_str().unwrap();
    let verified =
        openssl(&["verify", "-purpose", "sslclient", "-CAfile", "abigate-dev/ca.pem", certificate]);
    assert!(verified.is_some_and(|(is_good, _)| is_good));
    let wrong = openssl(&["pkcs12", "-in", file, "-nodes", "-passin", "pass:WRONG"]);
    assert!(wrong.is_some_and(|(is_read, _)| !is_read));
}

fn listen(folder: &Path, to: &Serving, arguments: &[&str]) -> Command {
    let mut command = Command::new(ABIGATE);
    command.args(["listen", "--to", &to.address]).args(arguments).current_dir(folder);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn a_sender_that_is_connected_and_silent_gets_its_notifications() {
    let folder = TempDir::new().unwrap();
    let gateway = Serving::start(folder.path());
    // the demo broker has two offices, and so two mailboxes
    admin(folder.path(), &["summary", "reject", "EEE 00002674", "--reason", "003"]);
    let heard = listen(folder.path(), &gateway, &["--once", "--timeout", "60"]).output().unwrap();
    assert_eq!(heard.status.code(), Some(0), "{heard:?}");
    assert_eq!(text(&heard), admin(folder.path(), &["mailbox", "show", "1"]));
    assert_eq!(mail_states(folder.path()), ["delivered"]);

    admin(folder.path(), &["summary", "accept", "EEE 00002674"]);
    admin(folder.path(), &["summary", "detain", "EEE 00002674"]);
    let json = ["--once", "--timeout", "60", "--format", "json"];
    let heard = listen(folder.path(), &gateway, &json).output().unwrap();
    let value: serde_json::Value = serde_json::from_str(text(&heard).trim()).unwrap();
    assert_eq!((&value["application"], &value["direction"]), (&"UC".into(), &"out".into()));

    let none = listen(folder.path(), &gateway, &["--count", "2", "--timeout", "2"]).output().unwrap();
    assert_eq!((none.status.code(), text(&none).as_str()), (Some(1), ""));
    assert!(String::from_utf8_lossy(&none.stderr).contains("0 of 2 notifications came"), "{none:?}");
    let stranger =
        listen(folder.path(), &gateway, &["--as", "demo-importer", "--timeout", "3"]).output().unwrap();
    assert_eq!((stranger.status.code(), text(&stranger).as_str()), (Some(0), ""), "{stranger:?}");
}

#[cfg(unix)]
#[test]
fn listening_ends_quietly_at_ctrl_c_and_what_was_printed_counts_as_delivered() {
    let folder = TempDir::new().unwrap();
    let gateway = Serving::start(folder.path());
    let mut listening = listen(folder.path(), &gateway, &["--format", "explained"]).spawn().unwrap();
    admin(folder.path(), &["summary", "reject", "EEE 00002674", "--reason", "003"]);
    let mut first = [0; 40];
    listening.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    let pid = listening.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let ended = listening.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]), "{ended:?}");
    assert!(text(&ended).contains("00002674"), "{ended:?}");
    assert_eq!(mail_states(folder.path()), ["delivered"]);
}

#[test]
fn one_who_sends_at_once_gets_his_answer_before_his_notifications() {
    let folder = TempDir::new().unwrap();
    let gateway = Serving::start(folder.path());
    admin(folder.path(), &["summary", "reject", "EEE 00002674", "--reason", "003"]);
    let batch = fs::read(sample("good/01-air-one-line.abi")).unwrap();
    for _ in 0..3 {
        let sent = send(folder.path(), &gateway, &batch, &[]);
        assert!(text(&sent).lines().next().unwrap().contains("AX"), "{sent:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_notification_that_could_not_be_printed_is_not_delivered() {
    let folder = TempDir::new().unwrap();
    let gateway = Serving::start(folder.path());
    admin(folder.path(), &["summary", "reject", "EEE 00002674", "--reason", "003"]);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut listening = listen(folder.path(), &gateway, &["--once", "--timeout", "60"]);
    let ended = listening.stdout(full).output().unwrap();
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert_eq!(mail_states(folder.path()), ["waiting"]);
}
