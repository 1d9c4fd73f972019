//! A small identity provider on a port of its own, which answers what a test tells it to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use keystile_domain::Authority;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

pub const DISCOVERY: &str = "/.well-known/openid-configuration";
pub const KEYS: &str = "/keys";

/// Gone when it is dropped.
pub struct Idp {
    address: SocketAddr,
    site: Arc<Site>,
    server: JoinHandle<()>,
}

struct Site {
    pages: Mutex<HashMap<String, Page>>,
    /// The heads of all requests so far.
    requests: watch::Sender<Vec<String>>,
    /// One permit for each answer that may be given.
    gate: Semaphore,
}

/// What is answered to a request.
#[derive(Clone)]
pub struct Page {
    status: u16,
    header: String,
    body: Vec<u8>,
    is_cut_short: bool,
}

impl Page {
    pub fn json(body: impl Into<String>) -> Self {
        let body = body.into().into_bytes();
        Self { status: 200, header: String::new(), body, is_cut_short: false }
    }

    pub fn keys(ids: &[&str]) -> Self {
        let key = |id: &&str| {
            format!(
                r#"{{"kid":"{id}","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}"#
            )
        };
        Self::json(format!(r#"{{"keys":[{}]}}"#, ids.iter().map(key).collect::<Vec<_>>().join(",")))
    }

    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub fn header(self, name: &str, value: &str) -> Self {
        Self { header: format!("{}{name}: {value}\r\n", self.header), ..self }
    }

    /// Promises more than it sends, and keeps the connection.
    pub fn cut_short(self) -> Self {
        Self { is_cut_short: true, ..self }
    }
}

impl Idp {
    /// One with a discovery document in order and one key, "a".
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let site = Arc::new(Site {
            pages: Mutex::default(),
            requests: watch::Sender::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        });
        let server = tokio::spawn(serve(listener, site.clone()));
        let idp = Self { address, site, server };
        let base = idp.base();
        idp.discover(&base, &format!("{base}{KEYS}"));
        idp.show(KEYS, Page::keys(&["a"]));
        idp
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn authority(&self) -> Authority {
        self.base().parse().unwrap()
    }

    pub fn discover(&self, issuer: &str, keys: &str) {
        let document = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{keys}","more":[1]}}"#);
        self.show(DISCOVERY, Page::json(document));
    }

    pub fn show(&self, path: &str, page: Page) {
        self.site.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    /// Every page is an error from now on.
    pub fn break_down(&self) {
        self.site.pages.lock().unwrap().clear();
    }

    /// Answers nothing until it is opened.
    pub fn close(&self) {
        self.site.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub fn open(&self) {
        self.site.gate.add_permits(1_000);
    }

    pub fn requests(&self) -> Vec<String> {
        self.site.requests.borrow().clone()
    }

    /// How often a path was asked for.
    pub fn count(&self, path: &str) -> usize {
        let line = format!("GET {path} HTTP/1.1\r\n");
        self.requests().iter().filter(|head| head.starts_with(&line)).count()
    }

    /// Waits until so many requests have come.
    pub async fn reached(&self, count: usize) {
        let mut requests = self.site.requests.subscribe();
        requests.wait_for(|heads| heads.len() >= count).await.unwrap();
    }
}

impl Drop for Idp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, site: Arc<Site>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, site.clone()));
    }
}

async fn answer(mut stream: TcpStream, site: Arc<Site>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    site.requests.send_modify(|heads| heads.push(head));
    site.gate.acquire().await.unwrap().forget();

    let page = site.pages.lock().unwrap().get(&path).cloned();
    let page = page.unwrap_or_else(|| Page::json("{}").status(500));
    let length = page.body.len() + usize::from(page.is_cut_short);
    let head = format!(
        "HTTP/1.1 {} x\r\ncontent-length: {length}\r\nconnection: close\r\n{}\r\n",
        page.status, page.header
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&page.body).await;
    if page.is_cut_short {
        // Until the other side gives up.
        let _ = stream.read_u8().await;
    }
}
