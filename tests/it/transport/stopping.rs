//! SIGTERM ends a server over TLS as it ends one without: what has begun is answered, and nothing
//! that only waits holds it up.

use std::time::Duration;

use acceptance::{Connection, Server, tls, until};
use h2::client;
use http::Request;
use serde_json::json;
use tokio::{net::TcpStream, time::timeout};

use super::{DEADLINE, over_tls};

#[tokio::test(flavor = "multi_thread")]
async fn what_only_waits_does_not_hold_up_the_end() {
    let (options, _) = over_tls();
    let server = Server::start(&options).await;
    let mut shaking = Connection::open(server.address()).await;
    shaking.send([22, 3, 1]).await;
    let mut idle = Connection::to(&server).await;
    idle.send("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await;
    idle.read_until("}", DEADLINE).await;
    let (_requests, connection) =
        client::handshake(tls::connect(&server, "h2").await).await.unwrap();
    tokio::spawn(connection);

    server.term();

    let ended = timeout(QUICKLY, server.wait()).await.expect("it ends");
    assert!(ended.status.success(), "{ended:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_have_begun_are_answered_over_both_versions_of_http() {
    let (options, _) = over_tls();
    let server = Server::start(&options).await;
    let body = json!({ "credential": server.admin_key() }).to_string();
    let mut first = Connection::to(&server).await;
    let head = format!(
        "POST /api/v1/verify HTTP/1.1\r\nhost: a\r\nx-api-key: {}\r\nexpect: 100-continue\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        server.admin_key(),
        body.len(),
    );
    first.send(head).await;
    assert!(first.read_until("\r\n\r\n", DEADLINE).await.starts_with("HTTP/1.1 100 "));
    let (requests, connection) =
        client::handshake(tls::connect(&server, "h2").await).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post("https://localhost/api/v1/verify")
        .header("x-api-key", server.admin_key())
        .header("content-type", "application/json");
    let mut requests = requests.ready().await.unwrap();
    let (second, mut sending) = requests.send_request(request.body(()).unwrap(), false).unwrap();
    // An answer on the same connection tells that the request before it has come.
    let ping = Request::get("https://localhost/healthz").body(()).unwrap();
    requests.send_request(ping, true).unwrap().0.await.unwrap();

    server.term();
    let is_refused = async || TcpStream::connect(server.address()).await.is_err();
    until("it stops listening", is_refused).await;

    first.send(&body).await;
    let answer = first.read_until("\"valid\":true", DEADLINE).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    sending.send_data(body.into(), true).unwrap();
    let mut second = second.await.unwrap();
    assert_eq!(second.status(), 200);
    let answer: Vec<u8> = second.body_mut().data().await.unwrap().unwrap().into();
    assert!(String::from_utf8(answer).unwrap().contains("\"valid\":true"));
    assert!(server.wait().await.status.success());
}

const QUICKLY: Duration = Duration::from_secs(5);
