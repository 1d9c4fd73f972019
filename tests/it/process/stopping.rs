//! SIGTERM lets every request finish that has begun; a second one waits for nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use acceptance::{
    Answer, Api, Caller, Connection, Database, Options, Server, on_each_database, until,
};
use reqwest::Method;
use serde_json::json;
use tokio::{net::TcpStream, time::timeout};

on_each_database! {
    async fn a_request_that_has_begun_is_answered_after_sigterm(database: Database) {
        let server = Server::start(&Options::on(&database)).await;
        let body = json!({ "credential": server.admin_key() }).to_string();
        let mut begun = Vec::new();
        for _ in 0..16 {
            begun.push(begin(&server, &body).await);
        }

        server.term();
        until_it_stops_listening(&server).await;

        for connection in &mut begun {
            connection.send(&body).await;
            let answer = connection.read_until("\"valid\":true", DEADLINE).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            assert!(answer.contains("\"valid\":true"), "{answer}");
        }
        let ended = server.wait().await;
        assert!(ended.status.success(), "{ended:#?}");
    }

    async fn under_load_no_answer_is_cut_by_sigterm(database: Database) {
        let server = Server::start(&Options::on(&database)).await;
        let stopping = Arc::new(AtomicBool::new(false));
        let callers: Vec<_> = (0..16)
            .map(|_| tokio::spawn(call_until_refused(server.admin(), stopping.clone())))
            .collect();
        until_answered(&server, 100).await;

        stopping.store(true, Ordering::SeqCst);
        server.term();

        for caller in callers {
            assert!(caller.await.unwrap() > 0, "a caller was never answered");
        }
        let ended = server.wait().await;
        assert!(ended.status.success(), "{ended:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_drain_is_delayed_it_answers_but_is_not_ready_and_a_second_sigterm_ends_it() {
    let options = Options::on(&Database::Sqlite).env("KEYSTILE_DRAIN_DELAY", "60s");
    let server = Server::start(&options).await;
    let admin = server.admin();
    admin.get("/readyz").await.expect(200);

    server.term();
    until("it says that it stops", async || admin.get("/readyz").await.status == 503).await;
    admin.get("/api/v1/me").await.expect(200);
    admin.get("/healthz").await.expect(200);

    server.term();
    let ended = timeout(DEADLINE, server.wait()).await.expect("a second SIGTERM ends it at once");
    assert!(ended.stderr.contains("stopping at once"), "its last line is written: {ended:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_any_more_costs_no_answer_and_no_signal() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let admin = server.admin();
    server.stderr.hang_up();

    for _ in 0..3 {
        server.api(Caller::Anonymous).get("/api/v1/me").await.expect(401);
        admin.post("/api/v1/api-keys", json!({ "name": "CI" })).await.expect(201);
    }

    server.term();
    let ended = timeout(DEADLINE, server.wait()).await.expect("SIGTERM ends it");
    assert!(ended.status.success(), "{ended:#?}");
}

/// Sends the head of a request, and no more once the server has said that it wants the body.
async fn begin(server: &Server, body: &str) -> Connection {
    let mut connection = Connection::open(server.address()).await;
    let head = format!(
        "POST /api/v1/verify HTTP/1.1\r\nHost: keystile.test\r\nX-API-Key: {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        server.admin_key(),
        body.len(),
    );
    connection.send(head).await;
    let answer = connection.read_until("\r\n\r\n", DEADLINE).await;
    assert!(answer.starts_with("HTTP/1.1 100 "), "{answer}");
    connection
}

async fn until_it_stops_listening(server: &Server) {
    let is_refused = async || TcpStream::connect(server.address()).await.is_err();
    until("it stops listening", is_refused).await;
}

async fn until_answered(server: &Server, requests: u32) {
    let admin = server.admin();
    for _ in 0..requests {
        admin.get("/healthz").await.expect(200);
    }
}

/// Calls without pause, and counts the answers until there is no connection any more. An answer
/// that has begun must end; a connection may close before one begins, as HTTP allows.
async fn call_until_refused(api: Api, stopping: Arc<AtomicBool>) -> u32 {
    let mut answers = 0;
    loop {
        match Answer::to(api.request(Method::GET, "/api/v1/me")).await {
            Ok(answer) => {
                answer.expect(200);
                answers += 1;
            }
            Err(error) => {
                assert!(stopping.load(Ordering::SeqCst), "refused before SIGTERM: {error:?}");
                assert!(!error.is_body() && !error.is_decode(), "cut: {error:?}");
                if error.is_connect() {
                    return answers;
                }
            }
        }
    }
}

const DEADLINE: Duration = Duration::from_secs(20);
