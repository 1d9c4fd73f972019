//! HTTP/2 carries the same API, many requests at once.

use std::io::Cursor;

use acceptance::{Server, tls};
use h2::{
    Reason, RecvStream,
    client::{self, SendRequest},
};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::timeout};

use super::{DEADLINE, over_tls};

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_answers_are_those_of_http_1() {
    let (server, mut client) = started().await;
    let key = server.admin_key();
    let key = [("x-api-key", key.as_str())];

    let me = client.ask(Method::GET, "/api/v1/me", &key, None).await.expect(200);
    assert_eq!(me.json()["principal"]["kind"], "api_key");
    assert!(me.headers.contains_key("date") && me.headers.contains_key("x-request-id"));
    let new = json!({ "name": "CI" }).to_string();
    let made = client.ask(Method::POST, KEYS, &key, Some(&new)).await.expect(201);
    let at = made.header("location").to_owned();
    client.ask(Method::DELETE, &at, &key, None).await.expect(204);
    client.ask(Method::GET, &at, &key, None).await.expect(404);
    client.ask(Method::PUT, KEYS, &key, None).await.expect(405);
    client.ask(Method::POST, KEYS, &key, Some("{")).await.expect(400);

    let get = client.ask(Method::GET, "/openapi.json", &[], None).await.expect(200);
    let head = client.ask(Method::HEAD, "/openapi.json", &[], None).await.expect(200);
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    assert!(head.body.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_refused_as_over_http_1() {
    let (server, mut client) = started().await;
    let key = server.admin_key();
    let long = "x".repeat(20_000);
    let path = format!("/api/v1/me?{}", "x".repeat(9_000));
    for (path, headers, status) in [
        ("/api/v1/me", &[][..], 401),
        ("/api/v1/me", &[("x-api-key", "nonsense")], 401),
        ("/api/v1/me", &[("x-api-key", key.as_str()), ("x-api-key", key.as_str())], 400),
        ("/api/v1/me", &[("x-long", long.as_str())], 431),
        (path.as_str(), &[], 414),
        ("/nowhere", &[], 404),
    ] {
        let refused = client.ask(Method::GET, path, headers, None).await.expect(status);
        assert_eq!(refused.header("content-type"), "application/problem+json", "{path}");
        assert_eq!(refused.json()["status"], status, "{path}");
    }
    let endless = "x".repeat(100_000);
    client.ask(Method::GET, "/healthz", &[("x-long", &endless)], None).await.expect(431);
    client.ask(Method::GET, "/healthz", &[], None).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_pass_in_both_directions() {
    let (server, mut client) = started().await;
    let key = server.admin_key();
    let key = [("x-api-key", key.as_str())];
    let name = "x".repeat(200);
    let keys: Vec<_> = (0..5_000).map(|n| json!({ "name": format!("{n} {name}") })).collect();
    let batch = json!({ "api_keys": keys }).to_string();
    assert!(batch.len() > 1024 * 1024, "no larger than a window");
    let path = "/api/v1/api-keys/batch?dry_run=true";
    let made = client.ask(Method::POST, path, &key, Some(&batch)).await.expect(200);
    assert_eq!(made.json()["data"].as_array().map(Vec::len), Some(5_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_refused_harms_no_other_request() {
    let (server, mut client) = started().await;
    let key = server.admin_key();
    let endless = " ".repeat(300_000);
    for (key, status) in [("nonsense", 401), (key.as_str(), 413)] {
        let key = [("x-api-key", key)];
        client.ask(Method::POST, KEYS, &key, Some(&endless)).await.expect(status);
    }
    client.ask(Method::GET, "/healthz", &[], None).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_requests_run_at_once_and_no_more() {
    let (server, mut client) = started().await;
    let key = server.admin_key();
    // Before its first answer the server has not said how many it takes.
    client.ask(Method::GET, "/healthz", &[], None).await.expect(200);
    let mut asking = JoinSet::new();
    for _ in 0..300 {
        let (mut client, key) = (client.clone(), key.clone());
        asking.spawn(async move {
            client.ask(Method::GET, "/api/v1/me", &[("x-api-key", &key)], None).await
        });
    }
    for answer in asking.join_all().await {
        answer.expect(200);
    }
    assert_eq!(client.requests.current_max_send_streams(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_given_up_leaves_the_others_alone() {
    let (server, mut client) = started().await;
    let key = server.admin_key();
    // More at once end the connection: they look like a flood.
    for _ in 0..10 {
        let request = Request::get("https://localhost/api/v1/me").header("x-api-key", &key);
        let mut requests = client.requests.clone().ready().await.unwrap();
        let (_, mut body) = requests.send_request(request.body(()).unwrap(), false).unwrap();
        body.send_reset(Reason::CANCEL);
    }
    client.ask(Method::GET, "/api/v1/me", &[("x-api-key", &key)], None).await.expect(200);
}

/// A client with one connection.
#[derive(Clone)]
struct Client {
    requests: SendRequest<Cursor<Vec<u8>>>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

async fn started() -> (Server, Client) {
    let (options, _) = over_tls();
    let server = Server::start(&options).await;
    let stream = tls::connect(&server, "h2").await;
    let (requests, connection) = client::Builder::new().handshake(stream).await.unwrap();
    tokio::spawn(connection);
    (server, Client { requests })
}

impl Client {
    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Answer {
        let request = Request::builder().method(method).uri(format!("https://localhost{path}"));
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.header("content-type", "application/json").body(()).unwrap();
        let mut requests = self.requests.clone().ready().await.unwrap();
        let (response, mut sending) = requests.send_request(request, body.is_none()).unwrap();
        if let Some(body) = body {
            // What does not fit into the window waits until it opens.
            sending.send_data(Cursor::new(body.into()), true).unwrap();
        }
        let response = timeout(DEADLINE, response).await.expect("an answer").unwrap();
        let (head, incoming) = response.into_parts();
        let body = timeout(DEADLINE, read(incoming)).await.expect("its end");
        Answer { status: head.status, headers: head.headers, body }
    }
}

impl Answer {
    #[track_caller]
    fn expect(self, status: u16) -> Self {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{:?} {body}", self.headers);
        self
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

async fn read(mut body: RecvStream) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.unwrap();
        body.flow_control().release_capacity(chunk.len()).unwrap();
        whole.extend_from_slice(&chunk);
    }
    whole
}

const KEYS: &str = "/api/v1/api-keys";
