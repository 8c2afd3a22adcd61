//! A gateway on a free port, certificates for its peers, and a host that is easy to foresee.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use abigate::envelope::RawBatch;
use abigate::gateway::{
    Answer, AnswerError, Client, Config, Credentials, DevelopmentCertificates, Peer, Reloader, Report,
    Server, ServerError, client_tls, hash_password,
};
use abigate::wire::Columns;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

/// Longer than anything takes; what is still not there then never comes.
pub const LONG: Duration = Duration::from_secs(60);

pub const CERTIFICATE: &str = "test broker";
pub const PASSWORD: &str = "PASSWD";
/// Stands where a taxpayer number would.
pub const IMPORTER: &str = "12-3456789XY";

/// A batch of so many records between its A- and Z-record.
pub fn batch(number: u32, password: &str, inside: usize) -> Vec<u8> {
    let mut lines = vec![format!("A3901XYZ{password:6}112226     AE{:32}BATCH {number:<15}", "")];
    lines.extend((0..inside).map(|index| format!("10A{index:05}{IMPORTER}")));
    lines.push("Z3901XYZ      112226".to_owned());
    lines.iter().flat_map(|line| format!("{line:80}\n").into_bytes()).collect()
}

/// Answers a batch with its header, what it thinks of it, and its trailer.
pub struct TestHost {
    hash: String,
    /// Waits for one message a batch, where there is one.
    gate: Option<mpsc::Receiver<()>>,
    /// Told when a batch has come.
    came: Option<mpsc::Sender<()>>,
}

impl TestHost {
    pub fn new() -> Self {
        Self::with_password(PASSWORD)
    }

    pub fn with_password(password: &str) -> Self {
        Self { hash: hash_password(password.as_bytes()).unwrap(), gate: None, came: None }
    }

    /// Tells when a batch has come, and answers it when told so.
    pub fn gated() -> (Self, mpsc::Receiver<()>, mpsc::Sender<()>) {
        let (came, arrivals) = mpsc::channel();
        let (release, gate) = mpsc::channel();
        (Self { gate: Some(gate), came: Some(came), ..Self::new() }, arrivals, release)
    }
}

impl Answer for TestHost {
    fn answer(&mut self, batch: &RawBatch, peer: &Peer) -> Result<Vec<Columns>, AnswerError> {
        if let (Some(came), Some(gate)) = (&self.came, &self.gate) {
            came.send(()).unwrap();
            gate.recv_timeout(LONG).unwrap();
        }
        let header = batch.rows.first().copied().unwrap_or([b' '; 80]);
        let password = header[8..14].trim_ascii();
        if password == b"BROKEN" {
            return Err("the test wants it so".into());
        }
        let right = peer.certificate().is_none_or(|name| name == CERTIFICATE)
            && peer.knows_password(&self.hash, password);
        let verdict = match (right, batch.ended) {
            (false, _) => "X1RFX09".to_owned(),
            (true, false) => "X1RFX06".to_owned(),
            (true, true) => format!("E1A 995   {}", batch.rows.len()),
        };
        let mut first = header;
        first[8..14].fill(b' ');
        let rows = if right && header.starts_with(b"A3901BIG") { 400_000 } else { 1 };
        let mut answer = vec![first];
        answer.extend((0..rows).map(|_| columns(&verdict)));
        answer.push(columns("Z3901XYZ"));
        Ok(answer)
    }
}

pub fn columns(text: &str) -> Columns {
    let mut columns = [b' '; 80];
    columns[..text.len()].copy_from_slice(text.as_bytes());
    columns
}

/// The certificates of a test, in files.
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    pub fn new(client_name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = DevelopmentCertificates::issue(&[client_name]).unwrap();
        let files = [
            ("ca.pem", &made.authority),
            ("server.pem", &made.server.certificate),
            ("server-key.pem", &made.server.key),
            ("client.pem", &made.clients[0].certificate),
            ("client-key.pem", &made.clients[0].key),
        ];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self { folder }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn config(&self) -> Config {
        Config {
            listen: "127.0.0.1:0".to_owned(),
            certificate: Some(self.file("server.pem")),
            key: Some(self.file("server-key.pem")),
            client_authority: Some(self.file("ca.pem")),
            ..Config::default()
        }
    }

    pub fn client(&self) -> Credentials {
        Credentials {
            authority: self.file("ca.pem"),
            identity: Some((self.file("client.pem"), self.file("client-key.pem"))),
        }
    }
}

/// A gateway that runs.
pub struct Gateway {
    pub certificates: Certificates,
    pub address: SocketAddr,
    pub stop: CancellationToken,
    pub reloader: Reloader,
    running: JoinHandle<Result<Report, ServerError>>,
}

impl Gateway {
    pub async fn start(host: impl Answer, change: impl FnOnce(&mut Config)) -> Self {
        let certificates = Certificates::new(CERTIFICATE);
        let mut config = certificates.config();
        change(&mut config);
        let server = Server::bind(&config, host).await.unwrap();
        let address = server.local_addr().unwrap();
        let (stop, reloader) = (CancellationToken::new(), server.reloader());
        let running = tokio::spawn(server.run(stop.clone().cancelled_owned()));
        Self { certificates, address, stop, reloader, running }
    }

    pub async fn stop(self) -> Report {
        self.stop.cancel();
        tokio::time::timeout(LONG, self.running).await.expect("does not stop").unwrap().unwrap()
    }

    pub async fn client(&self) -> Client {
        self.client_with(&self.certificates.client()).await
    }

    pub async fn client_with(&self, credentials: &Credentials) -> Client {
        let tls = client_tls(credentials).unwrap();
        Client::connect(&self.address.to_string(), tls).await.unwrap()
    }

    /// Sends bytes, closes the sending side, and gives what came back.
    pub async fn ask(&self, bytes: &[u8]) -> Vec<String> {
        ask(self.client().await, bytes).await
    }

    pub async fn connect(&self) -> Connection {
        Connection { stream: self.client().await.into_inner() }
    }
}

pub async fn ask(client: Client, bytes: &[u8]) -> Vec<String> {
    let mut records = Vec::new();
    let conversation = client.converse(bytes, Duration::ZERO, |columns| records.push(text(columns)));
    tokio::time::timeout(LONG, conversation).await.expect("no answer").unwrap();
    records
}

pub fn text(columns: &Columns) -> String {
    String::from_utf8_lossy(columns).trim_end().to_owned()
}

/// A connection of which each step is told.
pub struct Connection {
    pub stream: TlsStream<TcpStream>,
}

impl Connection {
    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next bytes, so many.
    pub async fn read(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        tokio::time::timeout(LONG, self.stream.read_exact(&mut bytes)).await.expect("no answer").unwrap();
        bytes
    }

    /// The next three records, the answer of a [`TestHost`]; its second one.
    pub async fn verdict(&mut self) -> String {
        let bytes = self.read(3 * 81).await;
        String::from_utf8_lossy(&bytes[81..161]).trim_end().to_owned()
    }

    /// What comes until the gateway hangs up, with or without a farewell.
    pub async fn until_hung_up(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let read = self.stream.read_to_end(&mut bytes);
        let _ = tokio::time::timeout(LONG, read).await.expect("does not hang up");
        bytes
    }

    /// What comes until the gateway closes in good order.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let read = self.stream.read_to_end(&mut bytes);
        tokio::time::timeout(LONG, read).await.expect("does not close").unwrap();
        bytes
    }
}
