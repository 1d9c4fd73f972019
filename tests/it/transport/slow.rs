//! A client that takes its time takes none of the server's, however the two speak.

use std::time::{Duration, Instant};

use acceptance::{Connection, Database, Options, Server, tls};
use h2::client;
use http::Request;
use tokio::time::timeout;

use super::{DEADLINE, over_tls};

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_does_not_go_on_is_given_up() {
    let server = slow_server(true).await;
    // Nothing; a record that does not end; the first byte of one.
    for begun in [&[][..], &[22, 3, 1, 2, 0, 1], &[22]] {
        let mut connection = Connection::open(server.address()).await;
        connection.send(begun).await;
        assert_eq!(connection.read_to_end(DEADLINE).await.as_deref(), Some(""), "{begun:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_or_a_body_that_drips_over_tls_is_cut_off_with_408() {
    let server = slow_server(true).await;
    let body = format!(
        "POST /api/v1/api-keys HTTP/1.1\r\nhost: a\r\nx-api-key: {}\r\n\
         content-type: application/json\r\ncontent-length: 1000\r\n\r\n",
        server.admin_key()
    );
    for begun in ["G", "GET /healthz HTTP/1.1\r\nhost: a\r\nx-drip: ", &body] {
        let mut connection = Connection::to(&server).await;
        connection.send(begun).await;
        let answered = drip(&mut connection).await;
        assert!(answered.starts_with("HTTP/1.1 408 "), "{begun}: {answered:?}");
        assert!(answered.contains(r#""code":"request_timeout""#), "{begun}: {answered:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_on_which_nothing_is_asked_is_closed() {
    let server = slow_server(true).await;
    let mut connection = Connection::to(&server).await;
    assert!(connection.read_to_end(DEADLINE).await.is_some(), "it stays open");

    let (requests, connection) =
        client::handshake(tls::connect(&server, "h2").await).await.unwrap();
    let _ = timeout(DEADLINE, connection).await.expect("it hangs up");
    drop(requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_takes_is_given_up() {
    for over_tls in [false, true] {
        let server = slow_server(over_tls).await;
        let mut connection = Connection::to(&server).await;
        // More than the systems on both ends keep for a client that does not read.
        connection.send(format!("GET {LARGE} HTTP/1.1\r\nhost: a\r\n\r\n").repeat(40)).await;
        let began = Instant::now();
        while connection.try_send(b"\r\n").await.is_ok() {
            assert!(began.elapsed() < DEADLINE, "it waits for ever");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_takes_over_http2_is_given_up_alone() {
    let server = slow_server(true).await;
    let (requests, connection) =
        client::handshake(tls::connect(&server, "h2").await).await.unwrap();
    tokio::spawn(connection);
    let ask = |path: &str| Request::get(format!("https://localhost{path}")).body(()).unwrap();
    let mut requests = requests.ready().await.unwrap();
    let (answer, _) = requests.send_request(ask(LARGE), true).unwrap();
    let mut body = answer.await.unwrap().into_body();

    // Its window is never opened again.
    let read = async { while let Some(Ok(_)) = body.data().await {} };
    timeout(DEADLINE, read).await.expect("it is given up");

    let mut requests = requests.ready().await.unwrap();
    let (answer, _) = requests.send_request(ask("/healthz"), true).unwrap();
    assert_eq!(answer.await.unwrap().status(), 200);
}

/// Sends one drop after the other until the server hangs up; all that it said.
async fn drip(connection: &mut Connection) -> String {
    let began = Instant::now();
    let mut answered = String::new();
    while began.elapsed() < DEADLINE {
        connection.send("a").await;
        let paused = Instant::now();
        answered += &connection.read_until("\0", PAUSE).await;
        // Only its end makes a connection stop reading earlier.
        if paused.elapsed() < PAUSE {
            return answered;
        }
    }
    panic!("still open after {DEADLINE:?}, having said {answered:?}");
}

async fn slow_server(tls: bool) -> Server {
    let options = if tls { over_tls().0 } else { Options::on(&Database::Sqlite) };
    Server::start(&options.env("KEYSTILE_REQUEST_TIMEOUT", "1s")).await
}

const LARGE: &str = "/swagger-ui/swagger-ui-bundle.js";
const PAUSE: Duration = Duration::from_millis(200);
