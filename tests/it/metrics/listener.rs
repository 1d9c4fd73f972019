//! The metrics on a listener of their own.

use acceptance::{Api, Caller, Database, Options, Server};
use reqwest::Method;

use super::METRICS;

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_of_their_own_needs_no_credential_and_is_the_only_one() {
    let options = Options::on(&Database::Sqlite).env("KEYSTILE_METRICS_LISTEN", "127.0.0.1:0");
    let server = Server::start(&options).await;
    for api in [server.admin(), server.api(Caller::Anonymous)] {
        assert_eq!(api.get(METRICS).await.expect(404).text_of("code"), "not_found");
    }
    let scraper = Api::new(&url(&server).await, Caller::Anonymous);
    let shown = scraper.get(METRICS).await.expect(200);
    assert!(shown.text.contains(r#"route="/metrics",method="GET",status="4xx""#), "{}", shown.text);
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/api/v1/me"),
        (Method::GET, "/healthz"),
        (Method::POST, METRICS),
    ] {
        let missing = scraper.request(method, path).send().await.unwrap();
        assert_eq!(missing.status(), 404, "{path}");
        assert_eq!(missing.headers()["content-type"], "application/problem+json");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_stops_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let options = Options::on(&Database::Sqlite).env("KEYSTILE_METRICS_LISTEN", &address);
    let ended = Server::try_start(&options).await.unwrap_err();
    assert!(ended.stderr.contains(&format!("cannot listen on {address}")), "{ended:?}");
}

/// Where it says that they are.
pub async fn url(server: &Server) -> String {
    let find = |text: &str| {
        let (_, url) = text.split_once("metrics are at ")?;
        let (url, _) = url.split_once("/metrics")?;
        Some(url.to_owned())
    };
    server.stderr.find(find).await.unwrap()
}
