//! A small server that answers what it is told to, in order, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keystile_client::{Client, ClientBuilder};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// What the server does with one request.
#[derive(Clone)]
pub enum Deed {
    /// It answers these bytes and closes.
    Answer(String),
    /// It closes without a word.
    Close,
    /// It says nothing, and keeps the connection open.
    Stall,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub head: String,
    pub body: String,
}

/// The server. It lives as long as this.
pub struct Stub {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Stub {
    /// Begins to listen. The last deed is done for every request after it.
    pub async fn new(deeds: impl Into<Vec<Deed>>) -> Self {
        let deeds = deeds.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let seen = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (deeds, seen) = (deeds.clone(), Arc::clone(&seen));
                tokio::spawn(serve(stream, move |request| {
                    let mut seen = seen.lock().unwrap();
                    let deed = deeds.get(seen.len()).or(deeds.last()).unwrap().clone();
                    seen.push(request);
                    deed
                }));
            }
        });
        Self { address, asked, task }
    }

    /// A client of it, which waits for nothing long.
    pub fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub fn builder(&self) -> ClientBuilder {
        Client::builder(&format!("http://{}", self.address))
            .credential("ks_secret".into())
            .no_proxy()
            .timeout(Duration::from_secs(20))
            .patience(Duration::from_secs(20))
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything that it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Asked {
    /// The method and the target.
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap().trim_end_matches(" HTTP/1.1")
    }

    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Reads requests on a connection, and does with each what it is told.
pub async fn serve<S>(stream: S, mut told: impl FnMut(Asked) -> Deed)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while stream.read_line(&mut head).await.is_ok_and(|read| read > 2) {}
    let length = Asked { head: head.clone(), body: String::new() };
    let length = length.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    if head.is_empty() || stream.read_exact(&mut body).await.is_err() {
        return;
    }
    let body = String::from_utf8(body).unwrap();
    match told(Asked { head, body }) {
        Deed::Answer(answer) => {
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Deed::Close => {}
        Deed::Stall => std::future::pending().await,
    }
}

/// An answer in JSON.
pub fn json(status: &str, body: &serde_json::Value) -> Deed {
    answer(status, "application/json", &[], &body.to_string())
}

/// A refusal (RFC 9457).
pub fn problem(status: u16, code: &str, headers: &[&str]) -> Deed {
    let body = serde_json::json!({
        "type": "about:blank",
        "title": "No",
        "status": status,
        "code": code,
        "detail": "It is refused.",
        "request_id": "request-1",
    });
    let status = format!("{status} No");
    answer(&status, "application/problem+json", headers, &body.to_string())
}

/// Any answer.
pub fn answer(status: &str, kind: &str, headers: &[&str], body: &str) -> Deed {
    let mut head = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close\r\n");
    head.extend(headers.iter().map(|header| format!("{header}\r\n")));
    Deed::Answer(format!("{head}content-length: {}\r\n\r\n{body}", body.len()))
}

/// Who the caller is, as the server tells it.
pub fn me() -> Deed {
    json(
        "200 OK",
        &serde_json::json!({
            "principal": {"kind": "api_key", "id": ID, "name": "CI"},
            "credential": {
                "id": ID, "kind": "api_key", "name": "CI", "key_prefix": "ks_0aB3xY",
                "expires_at": null, "external_id": null, "metadata": {}
            },
            "roles": [],
            "permissions": []
        }),
    )
}

/// A role, as the server tells it.
pub fn role(id: i64) -> serde_json::Value {
    serde_json::json!({
        "id": id, "name": format!("role {id}"), "description": null, "permissions": [],
        "endpoints": [], "may_grant": [], "built_in": false,
        "created_at": "2026-11-22T09:00:00Z", "updated_at": "2026-11-22T09:00:00Z"
    })
}

const ID: &str = "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10";
