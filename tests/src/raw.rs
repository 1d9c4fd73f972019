//! Bytes on a socket, for what no well-behaved client would send.

use std::{io, net::SocketAddr, path::Path, time::Duration};

use rustls::version::TLS13;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{Server, tls};

/// A connection to a server under test.
pub struct Connection {
    stream: Box<dyn Stream>,
}

impl Connection {
    /// Connects, and speaks no TLS.
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        Self { stream: Box::new(stream) }
    }

    /// Connects as the server wants it, with a handshake for HTTP/1.1 if that is TLS.
    pub async fn to(server: &Server) -> Self {
        match server.options().authority() {
            None => Self::open(server.address()).await,
            Some(_) => Self { stream: Box::new(tls::connect(server, "http/1.1").await) },
        }
    }

    /// Connects for HTTP/1.1 to whoever has a certificate of this authority.
    ///
    /// # Errors
    /// As [`tls::try_connect`].
    pub async fn over_tls(address: SocketAddr, authority: &Path) -> io::Result<Self> {
        let stream = tls::try_connect(address, authority, &["http/1.1"], &[&TLS13]).await?;
        Ok(Self { stream: Box::new(stream) })
    }

    /// Sends the bytes as they are. That the server hangs up meanwhile is no failure: its answer
    /// says why.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Sends the bytes as they are, if there is room for them.
    ///
    /// # Errors
    /// The server has hung up.
    pub async fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Reads until what was read contains `end`, the server hangs up, or `deadline` has passed.
    pub async fn read_until(&mut self, end: &str, deadline: Duration) -> String {
        let mut bytes = Vec::new();
        let _ = timeout(deadline, async {
            while !String::from_utf8_lossy(&bytes).contains(end)
                && self.stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0)
            {}
        })
        .await;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads what comes next; nothing once the server hangs up, or `deadline` has passed.
    pub async fn read_some(&mut self, deadline: Duration) -> String {
        let mut bytes = Vec::new();
        let _ = timeout(deadline, self.stream.read_buf(&mut bytes)).await;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads all that comes before the server hangs up; `None` if it has not within `deadline`.
    pub async fn read_to_end(&mut self, deadline: Duration) -> Option<String> {
        let bytes = self.read_bytes_to_end(deadline).await?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The same where it is no text.
    pub async fn read_bytes_to_end(&mut self, deadline: Duration) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        // A reset is an end too.
        let _ = timeout(deadline, self.stream.read_to_end(&mut bytes)).await.ok()?;
        Some(bytes)
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}
