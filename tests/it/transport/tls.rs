//! What is spoken on the socket: TLS 1.2 and 1.3, and nothing below.

use std::time::Duration;

use acceptance::{Caller, Connection, Database, Options, Server, tls};
use rustls::version::{TLS12, TLS13};
use serde_json::Value;

use super::{DEADLINE, over_tls};

#[tokio::test(flavor = "multi_thread")]
async fn the_start_says_https_and_tokens_are_issued_under_it() {
    let (options, _) = over_tls();
    let server = Server::start(&options).await;
    let url = format!("https://{}", server.address());
    server.says(&format!("Keystile is ready     {url}\n")).await;
    server.says(&format!("{url}/swagger-ui/")).await;
    let known = server.admin().get("/.well-known/oauth-authorization-server").await.expect(200);
    assert_eq!(known.text_of("issuer"), url);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_tls_and_of_http_are_spoken() {
    let (options, _) = over_tls();
    let server = Server::start(&options).await;
    for version in [&TLS12, &TLS13] {
        for (offered, agreed) in [
            (&["h2", "http/1.1"][..], Some("h2")),
            (&["http/1.1", "h2"], Some("h2")),
            (&["http/1.1"], Some("http/1.1")),
            (&[], None),
        ] {
            let stream = tls::connect_as(&server, offered, &[version]).await;
            let session = stream.get_ref().1;
            assert_eq!(session.protocol_version(), Some(version.version), "{offered:?}");
            assert_eq!(session.alpn_protocol(), agreed.map(str::as_bytes), "{offered:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn older_versions_are_refused() {
    let (options, _) = over_tls();
    let server = Server::start(&options).await;
    for version in [[3, 0], [3, 1], [3, 2]] {
        let mut connection = Connection::open(server.address()).await;
        connection.send(client_hello(version)).await;
        let alert = connection.read_bytes_to_end(DEADLINE).await.expect("it hangs up");
        // A fatal alert (RFC 8446, section 6): handshake_failure or protocol_version.
        assert_eq!((alert.len(), alert[0], alert[5]), (7, 21, 2), "{version:?}: {alert:?}");
        assert!([40, 70].contains(&alert[6]), "{version:?}: {alert:?}");
    }
    // The same message for TLS 1.2 is understood.
    let mut connection = Connection::open(server.address()).await;
    connection.send(client_hello([3, 3])).await;
    let answer = connection.read_until("localhost", DEADLINE).await;
    assert!(answer.starts_with("\u{16}\u{3}\u{3}"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_tls_ends_at_once_and_harms_nobody() {
    let (options, _) = over_tls();
    let server = Server::start(&options).await;
    let key = server.admin_key();
    let plain = format!("GET /api/v1/me HTTP/1.1\r\nhost: a\r\nx-api-key: {key}\r\n\r\n");
    for bytes in [plain.as_bytes(), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[0; 4096], &[255; 4096]] {
        let mut connection = Connection::open(server.address()).await;
        connection.send(bytes).await;
        let answered = connection.read_to_end(QUICKLY).await.expect("it hangs up");
        assert!(!answered.contains("HTTP/"), "{answered}");
    }
    server.admin().get("/api/v1/me").await.expect(200);
    server.stop().await.assert_silent([key.as_str()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_answers_over_https_keep_browsers_to_it() {
    const HSTS: &str = "strict-transport-security";
    let (options, _) = over_tls();
    let server = Server::start(&options).await;
    let anybody = server.api(Caller::Anonymous);
    for path in ["/healthz", "/api/v1/me", "/nowhere", "/swagger-ui/", "/openapi.json"] {
        let answer = anybody.get(path).await;
        assert_eq!(answer.header(HSTS), "max-age=31536000; includeSubDomains", "{path}: {answer}");
    }
    let mut connection = Connection::to(&server).await;
    connection.send("nonsense\r\n\r\n").await;
    let refused = connection.read_to_end(DEADLINE).await.unwrap();
    let (head, body) = refused.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 400 ") && head.contains(HSTS), "{refused}");
    assert_eq!(serde_json::from_str::<Value>(body).unwrap()["code"], "bad_request");

    let options = Options::on(&Database::Sqlite).env("KEYSTILE_TRUSTED_PROXIES", "127.0.0.1");
    let server = Server::start(&options).await;
    let anybody = server.api(Caller::Anonymous);
    for (proto, is_kept) in [(None, false), (Some("http"), false), (Some("https"), true)] {
        let mut headers = vec![("x-forwarded-for", "203.0.113.7")];
        headers.extend(proto.map(|proto| ("x-forwarded-proto", proto)));
        let request = headers
            .iter()
            .fold(anybody.request(reqwest::Method::GET, "/healthz"), |request, (name, value)| {
                request.header(*name, *value)
            });
        let answer = acceptance::Answer::to(request).await.unwrap();
        assert_eq!(!answer.header(HSTS).is_empty(), is_kept, "{proto:?}: {answer}");
    }
}

/// A handshake's first message that offers this version, and what is good enough for TLS 1.2.
fn client_hello(version: [u8; 2]) -> Vec<u8> {
    let suites = [0, 4, 0xc0, 0x2f, 0xc0, 0x2b];
    // The groups and signatures of the curve P-256.
    let extensions = [0, 16, 0, 10, 0, 4, 0, 2, 0, 23, 0, 13, 0, 4, 0, 2, 4, 3];
    let hello = [&version[..], &[7; 32], &[0], &suites, &[1, 0], &extensions].concat();
    let length = |bytes: usize| u16::try_from(bytes).unwrap().to_be_bytes();
    let message = [&[1, 0][..], &length(hello.len()), &hello].concat();
    [&[22, 3, 1][..], &length(message.len()), &message].concat()
}

const QUICKLY: Duration = Duration::from_secs(5);
