//! The other side: a broker's program that sends batches and reads answers.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::codec::Decoder;

use crate::wire::{Columns, Content, Door, Limits, RecordCodec, WireError};

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

    /// Sends batches and hands over each record of what comes back. The sending side stays open for
    /// `wait` after the last byte, for what else may come; then the gateway finishes and closes.
    ///
    /// # Errors
    /// The connection broke, or nothing came for two minutes.
    pub async fn converse(
        self,
        batches: &[u8],
        wait: Duration,
        mut record: impl FnMut(&Columns),
    ) -> Result<(), ClientError> {
        let (reader, writer) = split(self.stream);
        let receiving = receive(reader, wait + PATIENCE, &mut record);
        let sending = send(writer, batches, wait);
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

async fn send(mut writer: impl AsyncWrite + Unpin, batches: &[u8], wait: Duration) -> io::Result<()> {
    writer.write_all(batches).await?;
    writer.flush().await?;
    sleep(wait).await;
    writer.shutdown().await
}

async fn receive(
    mut reader: impl AsyncRead + Unpin,
    patience: Duration,
    record: &mut impl FnMut(&Columns),
) -> Result<(), ClientError> {
    let mut door = Door::new(Content::Connection);
    let mut codec = RecordCodec::new(Limits::default());
    let mut chunk = BytesMut::new();
    loop {
        chunk.reserve(16 * 1024);
        let read =
            timeout(patience, reader.read_buf(&mut chunk)).await.map_err(|_| ClientError::Silence)??;
        let mut let_in = Vec::new();
        if read == 0 {
            door.finish(&mut let_in).map_err(WireError::from)?;
        } else if !door.is_open() {
            door.push(&chunk.split(), &mut let_in).map_err(WireError::from)?;
        }
        chunk.extend_from_slice(&let_in);
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
