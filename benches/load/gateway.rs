//! The gateway under load, as a program of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use abigate::gateway::{Client, Credentials, client_tls};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::Failure;

pub type Connection = TlsStream<TcpStream>;

/// `abigate serve --dev` on a free port, its store in a folder that goes with it.
#[derive(Debug)]
pub struct Gateway {
    process: Child,
    address: String,
    folder: TempDir,
}

impl Gateway {
    pub fn start() -> Result<Self, Failure> {
        let folder = match std::env::var_os("LOAD_FOLDER") {
            Some(parent) => TempDir::new_in(parent)?,
            None => TempDir::new()?,
        };
        let mut process = Command::new(env!("CARGO_BIN_EXE_abigate"))
            .args(["serve", "--dev", "--listen", "127.0.0.1:0"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ").ok_or("it does not listen")?.to_owned();
        Ok(Self { process, address, folder })
    }

    pub async fn connect(&self) -> Result<Connection, Failure> {
        let made = self.folder.path().join("abigate-dev");
        let identity = (made.join("demo-broker.pem"), made.join("demo-broker-key.pem"));
        let credentials = Credentials { authority: made.join("ca.pem"), identity: Some(identity) };
        Ok(Client::connect(&self.address, client_tls(&credentials)?).await?.into_inner())
    }

    /// Its resident memory, in bytes.
    pub fn memory(&self) -> Result<u64, Failure> {
        let pages = std::fs::read_to_string(format!("/proc/{}/statm", self.process.id()))?;
        Ok(pages.split(' ').nth(1).ok_or("statm")?.parse::<u64>()? * 4096)
    }

    /// The processor time it has taken, in seconds.
    pub fn cpu(&self) -> Result<f64, Failure> {
        cpu_of(&self.process.id().to_string())
    }

    pub fn stop(mut self) -> Result<(), Failure> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // where it has been stopped already, there is nothing to end
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The processor time that this program has taken, in seconds.
pub fn own_cpu() -> Result<f64, Failure> {
    cpu_of("self")
}

fn cpu_of(process: &str) -> Result<f64, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // behind the name, which may hold anything, user and system time are the 12th and 13th word
    let words = stat.rsplit_once(')').ok_or("stat")?.1.split_ascii_whitespace().collect::<Vec<_>>();
    let ticks = words.get(11..13).ok_or("stat")?.iter().map(|word| word.parse::<f64>());
    let hundredths = ticks.sum::<Result<f64, _>>()?;
    Ok(hundredths / 100.0)
}
