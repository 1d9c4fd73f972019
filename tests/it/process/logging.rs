//! What the log says of a request, and how it is found there.

use acceptance::{Api, Caller, Database, Options, Server};
use reqwest::Method;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_the_log_has_the_id_of_the_answer() {
    let server = Server::start(&Options::on(&Database::Sqlite).env("KEYSTILE_LOG", "debug")).await;
    let anybody = server.api(Caller::Anonymous);
    for (path, status) in [("/api/v1/me", 401), ("/healthz", 200)] {
        for id in [None, Some("deploy-7")] {
            let id = ask(&anybody, path, status, id).await;
            let line = line(&server, &id).await;
            assert_eq!(line["status"], status, "{line}");
            assert!(line["message"].as_str().unwrap().contains(path), "{line}");
        }
    }
}

/// Asks under this id or one that the server draws; which one the answer has.
async fn ask(anybody: &Api, path: &str, status: u16, id: Option<&str>) -> String {
    let id = id.map(|id| format!("{id}{path}").replace('/', "-"));
    let headers: Vec<_> = id.iter().map(|id| ("x-request-id", id.as_str())).collect();
    let answer = anybody.send(Method::GET, path, &headers).await.expect(status);
    let told = answer.header("x-request-id").to_owned();
    assert!(id.is_none_or(|id| id == told));
    told
}

/// The line about the request, which is one of JSON.
async fn line(server: &Server, id: &str) -> Value {
    let find = |log: &str| {
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.into_iter().find(|line| line["request.id"] == id)
    };
    server.stderr.find(find).await.unwrap()
}
