//! Requests as bytes, and their answers.

use std::{fmt, net::SocketAddr, time::Duration};

use acceptance::{Connection, Server};
use serde_json::Value;
use tokio::task::JoinSet;

use super::problem::assert_shape;

/// An answer as it came over the wire.
pub struct Reply {
    pub status: u16,
    pub body: String,
    head: String,
}

impl Reply {
    /// The first answer in `bytes`, if they begin with one.
    pub fn read(bytes: &str) -> Option<Self> {
        let (head, body) = bytes.split_once("\r\n\r\n")?;
        let status = head.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
        let mut reply = Self { status, head: head.to_owned(), body: body.to_owned() };
        let length = reply.header("content-length").parse().unwrap_or(reply.body.len());
        reply.body.truncate(length);
        Some(reply)
    }

    /// A header's text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(each, _)| each.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim()).unwrap_or_default()
    }

    /// Panics unless it has this status, and is a problem document if it is a refusal.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self.assert_whole();
        self
    }

    /// Panics unless it has the headers of every answer, and is a problem document if it is a
    /// refusal.
    #[track_caller]
    pub fn assert_whole(&self) {
        for (name, value) in ALWAYS {
            assert_eq!(self.header(name), value, "{name} in {self}");
        }
        assert!(!self.header("x-request-id").is_empty(), "{self}");
        assert!(self.header("server").is_empty(), "{self}");
        if self.status >= 400 {
            assert_eq!(self.header("content-type"), "application/problem+json", "{self}");
            let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
            assert_shape(self.status, &body, &self.to_string());
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}\n{}", self.head, self.body)
    }
}

/// Sends bytes on a connection of their own and reads until the server hangs up.
pub async fn exchange(server: &Server, bytes: impl AsRef<[u8]>) -> Reply {
    exchange_at(server.address(), bytes).await
}

/// The same with many at once, each with a name that tells what it is: some take the server until
/// its patience ends.
pub async fn exchange_all(server: &Server, all: Vec<(String, String)>) -> Vec<(String, Reply)> {
    let mut exchanges = JoinSet::new();
    for (name, bytes) in all {
        let address = server.address();
        exchanges.spawn(async move { (name, exchange_at(address, bytes).await) });
    }
    exchanges.join_all().await
}

async fn exchange_at(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Reply {
    let mut connection = Connection::open(address).await;
    connection.send(&bytes).await;
    let answered = connection.read_to_end(DEADLINE).await;
    let shown = || String::from_utf8_lossy(bytes.as_ref()).chars().take(300).collect::<String>();
    let answered = answered.unwrap_or_else(|| panic!("it does not hang up after {}", shown()));
    Reply::read(&answered).unwrap_or_else(|| panic!("{answered:?} is no answer to {}", shown()))
}

/// A whole request, after which the server hangs up.
pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> String {
    let length = body.len().to_string();
    let content = [("content-length", length.as_str()), ("content-type", "application/json")];
    let is_told = headers.iter().any(|(name, _)| *name == "content-type");
    let content = match (body.is_empty(), is_told) {
        (true, _) => &[][..],
        (false, true) => &content[..1],
        (false, false) => &content[..],
    };
    let end = [("host", "localhost"), ("connection", "close")];
    let lines: String = end
        .iter()
        .chain(content)
        .chain(headers)
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("{method} {target} HTTP/1.1\r\n{lines}\r\n{body}")
}

/// What every answer has.
pub const ALWAYS: [(&str, &str); 3] = [
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

/// How long the server may take at most for anything here.
pub const DEADLINE: Duration = Duration::from_secs(30);
