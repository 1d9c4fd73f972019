//! A service that knows nothing of credentials, and answers with what it was asked.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// It answers every request with the request itself, until it is dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Upstream {
    /// Starts it on a port of its own choice.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(AtomicUsize::new(0));
        let (counted, mut serving) = (Arc::clone(&requests), JoinSet::new());
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(serve(client, Arc::clone(&counted)));
            }
        });
        Self { address, requests, _serving: serving }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests have come through to it.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn serve(mut client: TcpStream, requests: Arc<AtomicUsize>) {
    let mut bytes = Vec::new();
    loop {
        let Some(length) = request_length(&bytes) else {
            match client.read_buf(&mut bytes).await {
                Ok(read) if read > 0 => continue,
                _ => return,
            }
        };
        requests.fetch_add(1, Ordering::SeqCst);
        let request: Vec<_> = bytes.drain(..length).collect();
        let answer = match request.starts_with(b"HEAD ") {
            true => [HEAD, b"content-length: 0\r\n\r\n"].concat(),
            false => {
                let length = format!("content-length: {}\r\n\r\n", request.len());
                [HEAD, length.as_bytes(), &request].concat()
            }
        };
        if client.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// How long the first request is, once all of it has come.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(bytes);
    let (head, _) = text.split_once("\r\n\r\n")?;
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = headers.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let body = lengths.next().map_or(0, |(_, length)| length.parse().expect("a length"));
    let length = head.len() + 4 + body;
    (bytes.len() >= length).then_some(length)
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n";
