//! Frames of HTTP/2 (RFC 9113, section 4.1) as bytes, for what no well-behaved client would send.

use acceptance::{Server, tls};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, WriteHalf, split},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_rustls::client::TlsStream;

/// A connection that has said hello.
pub struct Frames {
    writing: WriteHalf<TlsStream<TcpStream>>,
    reading: JoinHandle<()>,
}

impl Frames {
    pub async fn open(server: &Server) -> Self {
        let (mut reading, mut writing) = split(tls::connect(server, "h2").await);
        writing.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        writing.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
        // What is answered is read, or the server would stop for that alone.
        let reading = tokio::spawn(async move {
            let mut bytes = [0; 16 * 1024];
            while reading.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
        });
        Self { writing, reading }
    }

    /// Sends these bytes; whether the server still takes them.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        let sent = self.writing.write_all(bytes).await.is_ok();
        sent && self.writing.flush().await.is_ok()
    }

    /// Waits until the server hangs up.
    pub async fn ended(self) {
        self.reading.await.unwrap();
    }
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The fields of a request (RFC 7541, section 6): `POST` to `/api/v1/verify`, with this key.
pub fn post(key: &str) -> Vec<u8> {
    let literal = |name: &str, value: &str| {
        let text =
            |text: &str| [&[u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat();
        [vec![0], text(name), text(value)].concat()
    };
    [
        // From the static table: the method and the scheme.
        vec![0x83, 0x87],
        literal(":path", "/api/v1/verify"),
        literal(":authority", "localhost"),
        literal("content-type", "application/json"),
        literal("x-api-key", key),
    ]
    .concat()
}

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
