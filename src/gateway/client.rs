//! The other side: a broker's program that sends batches and reads answers.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::codec::Decoder;

use super::Intake;
use crate::wire::{Columns, Limits, RecordCodec, WireError};

/// How long a client waits for the next bytes before it gives up.
const PATIENCE: Duration = Duration::from_secs(120);

/// A connection to a gateway.
#[derive(Debug)]
pub struct Client {
    stream: TlsStream<TcpStream>,
}

/// Why a conversation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is not `host:port`.
    #[error("`{0}` is not an address; write host:port")]
    Address(String),
    /// There is no connection.
    #[error("cannot connect to {address}")]
    Connect {
        /// Where to.
        address: String,
        /// What the system or TLS says.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the connection broke")]
    Io(#[from] io::Error),
    /// What came back are not records.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Nothing came for too long.
    #[error("no answer within {} seconds", PATIENCE.as_secs())]
    Silence,
}

impl Client {
    /// Connects to `host:port`; the host must be named in the gateway's certificate.
    ///
    /// # Errors
    /// The address is none, nothing listens there, or one side does not believe the other.
    pub async fn connect(address: &str, tls: ClientConfig) -> Result<Self, ClientError> {
        let host = address.rsplit_once(':').map(|(host, _)| host.trim_matches(['[', ']']));
        let name = host
            .and_then(|host| ServerName::try_from(host.to_owned()).ok())
            .ok_or_else(|| ClientError::Address(address.to_owned()))?;
        let connect = |source| ClientError::Connect { address: address.to_owned(), source };
        let stream = TcpStream::connect(address).await.map_err(connect)?;
        stream.set_nodelay(true).map_err(connect)?;
        let connector = TlsConnector::from(Arc::new(tls));
        let stream = timeout(PATIENCE, connector.connect(name, stream))
            .await
            .map_err(|_| ClientError::Silence)?
            .map_err(connect)?;
        Ok(Self { stream })
    }

    /// Sends batches and hands over each record of what comes back. The sending side stays open until as
    /// many answers have come as batches were sent, so that its end shows that they have arrived, and for
    /// `wait` after the last byte, for what else may come; then the gateway finishes and closes.
    ///
    /// # Errors
    /// The connection broke, or nothing came for two minutes.
    pub async fn converse(
        self,
        batches: &[u8],
        wait: Duration,
        record: impl FnMut(&Columns),
    ) -> Result<(), ClientError> {
        self.exchange(batches, wait, ended_batches(batches), record).await
    }

    /// As [`Self::converse`], but the sending side is closed at once, as for a peer of which nobody knows what
    /// it answers.
    ///
    /// # Errors
    /// As there.
    pub async fn converse_one_way(
        self,
        batches: &[u8],
        record: impl FnMut(&Columns),
    ) -> Result<(), ClientError> {
        self.exchange(batches, Duration::ZERO, 0, record).await
    }

    async fn exchange(
        self,
        batches: &[u8],
        wait: Duration,
        answers: usize,
        mut record: impl FnMut(&Columns),
    ) -> Result<(), ClientError> {
        let (reader, writer) = split(self.stream);
        let (answered, enough) = oneshot::channel();
        let (mut left, mut answered) = (answers, Some(answered));
        let mut count = |columns: &Columns| {
            record(columns);
            left = left.saturating_sub(usize::from(columns[0] == b'Z'));
            if left == 0 {
                // who has stopped sending does not want to know
                answered.take().map(|answered| answered.send(()));
            }
        };
        let receiving = receive(reader, wait + PATIENCE, &mut count);
        let sending = send(writer, batches, wait, async {
            if answers > 0 {
                let _ = enough.await;
            }
        });
        tokio::pin!(receiving);
        tokio::select! {
            received = &mut receiving => received,
            sent = sending => {
                // why a gateway hangs up stands in what it sent before
                receiving.await?;
                Ok(sent?)
            }
        }
    }

    /// The connection itself, for who wants to say something else.
    #[must_use]
    pub fn into_inner(self) -> TlsStream<TcpStream> {
        self.stream
    }
}

async fn send(
    mut writer: impl AsyncWrite + Unpin,
    batches: &[u8],
    wait: Duration,
    answered: impl Future<Output = ()>,
) -> io::Result<()> {
    writer.write_all(batches).await?;
    writer.flush().await?;
    sleep(wait).await;
    answered.await;
    writer.shutdown().await
}

/// How many batches bytes hold, if the last of them ends; 0 otherwise: only the end of all bytes ends that.
fn ended_batches(bytes: &[u8]) -> usize {
    let mut intake = Intake::new(Limits::default());
    let mut chunk = BytesMut::from(bytes);
    let mut count = 0;
    while let Ok(Some(_)) = intake.next_batch(&mut chunk) {
        count += 1;
    }
    loop {
        match intake.finish() {
            Ok(None) => return count,
            Ok(Some(batch)) if batch.ended => count += 1,
            Ok(Some(_)) | Err(_) => return 0,
        }
    }
}

async fn receive(
    mut reader: impl AsyncRead + Unpin,
    patience: Duration,
    record: &mut impl FnMut(&Columns),
) -> Result<(), ClientError> {
    let mut codec = RecordCodec::new(Limits::default());
    let mut chunk = BytesMut::new();
    loop {
        chunk.reserve(16 * 1024);
        let read =
            timeout(patience, reader.read_buf(&mut chunk)).await.map_err(|_| ClientError::Silence)??;
        while let Some(found) = codec.decode(&mut chunk)? {
            record(&found.columns);
        }
        if read == 0 {
            break;
        }
    }
    while let Some(found) = codec.decode_eof(&mut chunk)? {
        record(&found.columns);
    }
    Ok(())
}
