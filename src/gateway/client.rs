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
    /// The gateway hung up before it had answered every batch.
    #[error("the gateway closed the connection before its answer was whole")]
    Cut,
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
        self.exchange(batches, wait, true, record).await
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
        self.exchange(batches, Duration::ZERO, false, record).await
    }

    async fn exchange(
        self,
        batches: &[u8],
        wait: Duration,
        awaits_answers: bool,
        mut record: impl FnMut(&Columns),
    ) -> Result<(), ClientError> {
        let (reader, writer) = split(self.stream);
        let sent = ended_batches(batches);
        let (answered, enough) = oneshot::channel();
        let (mut left, mut answered) = (sent, Some(answered));
        let mut count = |columns: &Columns| {
            record(columns);
            left = left.saturating_sub(usize::from(ends_batch(columns)));
            if left == 0 {
                // a sending side that has ended no longer waits for this
                answered.take().map(|answered| answered.send(()));
            }
        };
        let receiving = receive(reader, wait + PATIENCE, sent, &mut count);
        let sending = send(writer, batches, wait, async {
            if awaits_answers && sent > 0 {
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

    /// Sends nothing and hands over each record that the gateway sends of its own accord, until `stop`
    /// completes or the gateway says farewell. Then the client says farewell too, and hands over what has
    /// come in the meantime: what the gateway counts as delivered has been handed over.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn listen(
        self,
        stop: impl Future<Output = ()>,
        mut record: impl FnMut(&Columns),
    ) -> Result<(), ClientError> {
        let (reader, mut writer) = split(self.stream);
        // how much comes nobody knows: only a farewell shows that it was all
        let receiving = receive(reader, Duration::MAX, usize::MAX, &mut record);
        tokio::pin!(receiving);
        let received = tokio::select! {
            received = &mut receiving => Some(received),
            () = stop => None,
        };
        match received {
            Some(received) => {
                received?;
                // the gateway has said farewell; hearing it back, it counts its mail as delivered
                Ok(writer.shutdown().await?)
            }
            None => {
                writer.shutdown().await?;
                timeout(PATIENCE, receiving).await.map_err(|_| ClientError::Silence)?
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

/// Whether a record is the trailer of a batch.
fn ends_batch(columns: &Columns) -> bool {
    columns.first() == Some(&b'Z')
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

/// Hands over what comes until the peer is done. Many peers close without the farewell that TLS asks for:
/// that is no matter if as many batches have been answered as were `sent`.
async fn receive(
    mut reader: impl AsyncRead + Unpin,
    patience: Duration,
    sent: usize,
    record: &mut impl FnMut(&Columns),
) -> Result<(), ClientError> {
    let mut answered = 0;
    let mut record = |columns: &Columns| {
        answered += usize::from(ends_batch(columns));
        record(columns);
    };
    let mut door = Door::new(Content::Connection);
    let mut codec = RecordCodec::new(Limits::default());
    let mut chunk = BytesMut::new();
    loop {
        chunk.reserve(16 * 1024);
        let read = timeout(patience, reader.read_buf(&mut chunk)).await.map_err(|_| ClientError::Silence)?;
        let (read, has_farewell) = match read {
            Ok(read) => (read, true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => (0, false),
            Err(error) => return Err(error.into()),
        };
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
        if read > 0 {
            continue;
        }
        while let Some(found) = codec.decode_eof(&mut chunk)? {
            record(&found.columns);
        }
        return if has_farewell || answered >= sent { Ok(()) } else { Err(ClientError::Cut) };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A connection that ends without a farewell.
    struct Silent<'a>(&'a [u8]);

    impl AsyncRead for Silent<'_> {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            if self.0.is_empty() {
                return std::task::Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            let length = buffer.remaining().min(self.0.len());
            buffer.put_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            std::task::Poll::Ready(Ok(()))
        }
    }

    async fn receive_all(answer: &[u8], sent: usize) -> (usize, Result<(), ClientError>) {
        let mut count = 0;
        let received = receive(Silent(answer), PATIENCE, sent, &mut |_| count += 1).await;
        (count, received)
    }

    #[tokio::test]
    async fn a_whole_answer_counts_although_the_peer_says_no_farewell() {
        let line = |text: &str| format!("{text:<80}\n").into_bytes();
        let answer =
            [line("A2704EEE"), line("B  2704EEEAX"), line("Y  2704EEEAX"), line("Z2704EEE")].concat();
        let (count, received) = receive_all(&answer, 1).await;
        assert_eq!(count, 4);
        received.unwrap();
        let (count, received) = receive_all(&answer.repeat(2), 3).await;
        assert!(matches!(received, Err(ClientError::Cut)), "{count}: {received:?}");
        let (_, received) = receive_all(&answer[..170], 1).await;
        assert!(matches!(received, Err(ClientError::Cut)), "{received:?}");
    }
}
