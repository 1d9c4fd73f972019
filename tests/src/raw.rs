//! Bytes on a socket, for what no well-behaved client would send.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A TCP connection to a server under test.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.expect("the server listens") }
    }

    /// Sends the bytes as they are. That the server hangs up meanwhile is no failure: its answer
    /// says why.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
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

    /// Reads all that comes before the server hangs up; `None` if it has not within `deadline`.
    pub async fn read_to_end(&mut self, deadline: Duration) -> Option<String> {
        let mut bytes = Vec::new();
        // A reset is an end too.
        let _ = timeout(deadline, self.stream.read_to_end(&mut bytes)).await.ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}
