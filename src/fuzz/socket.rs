//! A service as a target, plain or over TLS: one connection for each message.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use super::target::{End, Reply, Target};
use crate::gateway::{Client, ClientError};
use crate::wire::{RECORD_LENGTH, records};

/// How long a service may think of something else once it has answered.
const AFTERTHOUGHT: Duration = Duration::from_millis(200);

/// A service that takes plain connections.
#[derive(Clone, Debug)]
pub struct SocketTarget {
    address: SocketAddr,
    timeout: Duration,
    /// Whether nothing needs to come back: what is sent are answers.
    one_way: bool,
}

/// A service's address.
///
/// # Errors
/// It is no address, or stands for a machine other than this one although only this one is allowed.
pub fn address(text: &str, anywhere: bool) -> io::Result<SocketAddr> {
    let found = text.to_socket_addrs()?.collect::<Vec<_>>();
    let address = found.iter().find(|address| anywhere || address.ip().is_loopback()).copied();
    address.ok_or_else(|| {
        let reason = format!("{text} is not on this machine; --anywhere allows it");
        io::Error::new(ErrorKind::PermissionDenied, reason)
    })
}

impl SocketTarget {
    /// The service at an address.
    #[must_use]
    pub fn new(address: SocketAddr, timeout: Duration) -> Self {
        Self { address, timeout, one_way: false }
    }

    /// The same for messages that are not answered: the service takes them and closes the connection.
    #[must_use]
    pub fn one_way(self) -> Self {
        Self { one_way: true, ..self }
    }
}

impl Target for SocketTarget {
    fn send(&mut self, message: &[u8]) -> io::Result<Reply> {
        let mut stream = TcpStream::connect_timeout(&self.address, self.timeout)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(self.timeout))?;
        let begun = Instant::now();
        // Whoever falls over in the middle of a message is found out by what comes back.
        let _ = stream.write_all(message);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let mut chunk = [0; 8192];
        loop {
            let answered = is_whole(&answer);
            let left = self.timeout.saturating_sub(begun.elapsed());
            if left.is_zero() && !answered {
                return Ok(Reply { end: End::Hang(self.timeout), answer, ..Reply::default() });
            }
            let patience = if answered { AFTERTHOUGHT } else { left };
            stream.set_read_timeout(Some(patience))?;
            match stream.read(&mut chunk) {
                Ok(0) => break,
                Ok(length) => answer.extend_from_slice(&chunk[..length]),
                Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
                    if answered {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        Ok(closed(answer, self.one_way))
    }
}

/// Whether an answer ends with its Z-record. A service may leave the connection open behind it.
fn is_whole(answer: &[u8]) -> bool {
    records(answer).last().is_some_and(|record| record.columns[0] == b'Z' && record.length == RECORD_LENGTH)
}

/// A service that hangs up without a word has fallen over, unless there is nothing to be said.
fn closed(answer: Vec<u8>, one_way: bool) -> Reply {
    if answer.len() < RECORD_LENGTH && !one_way {
        return Reply { answer, ..Reply::crash("it closed the connection without an answer") };
    }
    Reply { answer, ..Reply::default() }
}

/// A service that takes TLS connections.
pub struct TlsTarget {
    address: String,
    tls: ClientConfig,
    timeout: Duration,
    /// Whether nothing needs to come back: what is sent are answers.
    one_way: bool,
    runtime: tokio::runtime::Runtime,
}

impl TlsTarget {
    /// The service at `host:port`.
    ///
    /// # Errors
    /// The machine has nothing to run connections on.
    pub fn new(address: &str, tls: ClientConfig, timeout: Duration) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { address: address.to_owned(), tls, timeout, one_way: false, runtime })
    }

    /// The same for messages that are not answered: the service takes them and closes the connection.
    #[must_use]
    pub fn one_way(self) -> Self {
        Self { one_way: true, ..self }
    }
}

impl Target for TlsTarget {
    fn send(&mut self, message: &[u8]) -> io::Result<Reply> {
        let mut answer = Vec::new();
        let conversation = async {
            let client = Client::connect(&self.address, self.tls.clone()).await?;
            let take = |columns: &crate::wire::Columns| {
                answer.extend_from_slice(columns);
                answer.push(b'\n');
            };
            Ok(client.converse_one_way(message, take).await)
        };
        let ended = self.runtime.block_on(async { tokio::time::timeout(self.timeout, conversation).await });
        match ended {
            Err(_) => Ok(Reply { end: End::Hang(self.timeout), answer, ..Reply::default() }),
            Ok(Err(error @ (ClientError::Connect { .. } | ClientError::Address(_)))) => {
                Err(io::Error::new(ErrorKind::NotConnected, error))
            }
            Ok(Err(error)) => Ok(Reply { answer, ..Reply::crash(error.to_string()) }),
            Ok(Ok(_)) => Ok(closed(answer, self.one_way)),
        }
    }
}
