//! A client that takes its time takes none of the server's.

use std::time::{Duration, Instant};

use acceptance::{Connection, Database, Options, Server};

use super::wire::{DEADLINE, Reply};

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_drips_is_cut_off_with_408() {
    let server = server().await;
    let key = server.admin_key();
    for framing in ["content-length: 1000", "transfer-encoding: chunked"] {
        let head = format!(
            "POST /api/v1/api-keys HTTP/1.1\r\nhost: a\r\nx-api-key: {key}\r\n\
             content-type: application/json\r\n{framing}\r\n\r\n"
        );
        let dripped = drip(&server, &head, "1\r\n \r\n").await;
        Reply::read(&dripped).unwrap_or_else(|| panic!("no answer: {dripped:?}")).expect(408);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_drips_is_cut_off_with_408() {
    let server = server().await;
    for begun in ["G", "GET /healthz HTTP/1.1\r\nhost: a\r\nx-drip: "] {
        let dripped = drip(&server, begun, "a").await;
        Reply::read(&dripped).unwrap_or_else(|| panic!("no answer: {dripped:?}")).expect(408);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_on_which_nothing_is_asked_is_closed() {
    let server = server().await;
    let mut connection = Connection::open(server.address()).await;
    assert!(connection.read_to_end(DEADLINE).await.is_some(), "it stays open");
    let mut connection = Connection::open(server.address()).await;
    connection.send("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(connection.read_to_end(DEADLINE).await.is_some(), "it stays open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_head_that_drips_is_cut_off_too() {
    let server = server().await;
    let first = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\nGET /healthz HTTP/1.1\r\nx-drip: ";
    let answered = drip(&server, first, "a").await;
    Reply::read(&answered).unwrap().expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_nobody_reads_holds_no_connection() {
    let server = server().await;
    for framing in ["content-length: 100000", "transfer-encoding: chunked"] {
        for close in ["close", "keep-alive"] {
            let head = format!(
                "POST /api/v1/api-keys HTTP/1.1\r\nhost: a\r\nconnection: {close}\r\n{framing}\r\n\r\n"
            );
            let answered = drip(&server, &head, "1\r\n \r\n").await;
            Reply::read(&answered).unwrap().expect(401);
        }
    }
}

/// Sends `begun` and then one drop after the other until the server hangs up; all that it said.
async fn drip(server: &Server, begun: &str, drop: &str) -> String {
    let began = Instant::now();
    let mut connection = Connection::open(server.address()).await;
    connection.send(begun).await;
    let mut answered = String::new();
    while began.elapsed() < DEADLINE {
        connection.send(drop).await;
        let paused = Instant::now();
        answered += &connection.read_until("\0", PAUSE).await;
        // Only its end makes a connection stop reading earlier.
        if paused.elapsed() < PAUSE {
            return answered;
        }
    }
    panic!("still open after {DEADLINE:?}, having said {answered:?}");
}

async fn server() -> Server {
    let options = Options::on(&Database::Sqlite).env("KEYSTILE_REQUEST_TIMEOUT", "1s");
    Server::start(&options).await
}

const PAUSE: Duration = Duration::from_millis(200);
