//! A collector of traces, as far as a server sees one: it takes what is sent, and says nothing.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// It takes every request until it is dropped.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    taken: Taken,
    _serving: JoinSet<()>,
}

/// A request: its head, and its body.
pub type Sent = (String, Vec<u8>);

type Taken = Arc<Mutex<Vec<Sent>>>;

impl Collector {
    /// Starts it on a port of its own choice.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let taken = Taken::default();
        let (kept, mut serving) = (Arc::clone(&taken), JoinSet::new());
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(serve(client, Arc::clone(&kept)));
            }
        });
        Self { address, taken, _serving: serving }
    }

    /// Its address, as the beginning of a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that was sent so far.
    pub fn taken(&self) -> Vec<Sent> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(mut client: TcpStream, taken: Taken) {
    let mut bytes = Vec::new();
    loop {
        let Some((sent, length)) = request(&bytes) else {
            match client.read_buf(&mut bytes).await {
                Ok(read) if read > 0 => continue,
                _ => return,
            }
        };
        bytes.drain(..length);
        taken.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
        if client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.is_err() {
            return;
        }
    }
}

/// The first request and how long it is, once all of it has come.
fn request(bytes: &[u8]) -> Option<(Sent, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = headers.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let body = lengths.next().map_or(0, |(_, length)| length.parse().expect("a length"));
    let body = bytes.get(end..end + body)?.to_vec();
    let length = end + body.len();
    Some(((head, body), length))
}
