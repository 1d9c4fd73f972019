//! HTTP that is wrong, ambiguous or too much: refused at once, with a document like any other.

use acceptance::{Connection, Database, Options, Server};

use super::wire::{DEADLINE, Reply, exchange, exchange_all, request};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_two_readers_may_read_differently_is_400() {
    let server = server().await;
    for lines in [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
        "content-length: 4\r\ncontent-length: 4\r\n",
        "content-length: 4\r\ncontent-length: 5\r\n",
        "content-length: 4, 4\r\n",
        "content-length: +4\r\n",
        "content-length: -1\r\n",
        "content-length: 4 \t4\r\n",
        "content-length: 0x4\r\n",
        "content-length: 99999999999999999999\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: \x0bchunked\r\n",
        "transfer-encoding : chunked\r\n",
        "x-api-key : a\r\n",
        "x-api-key: a\r\n b\r\n",
        "x-api-key: a\r\n\tb\r\n",
        " x-api-key: a\r\n",
        "x-api-key: a\0b\r\n",
        "x-api-key: a\rb\r\n",
        "x-api-key\r\n",
        ": a\r\n",
        "x api key: a\r\n",
        "x-api-k\u{e9}y: a\r\n",
        "host: elsewhere\r\n",
        "connection: x-api-key\r\nx-api-key: a\r\n",
        "connection: close, Authorization\r\n",
    ] {
        let bytes = format!("POST /api/v1/verify HTTP/1.1\r\nhost: a\r\n{lines}\r\n0\r\n\r\n");
        let reply = exchange(&server, bytes).await;
        assert_eq!(reply.status, 400, "{lines:?}: {reply}");
        reply.assert_whole();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_refused() {
    let server = server().await;
    for bytes in [
        &b"GET /healthz HTTP/1.1\r\n\r\n"[..],
        b"GET /healthz\r\n\r\n",
        b"GET /healthz HTTP/2.0\r\nhost: a\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\nhost: a\r\n\r\n",
        b"GET  /healthz HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /health z HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET healthz HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: a\r\n\r\n",
        b"G\x00T /healthz HTTP/1.1\r\nhost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client hello\r\n\r\n",
        b"hello\r\n\r\n",
    ] {
        let reply = exchange(&server, bytes).await;
        let seen = String::from_utf8_lossy(bytes);
        // A target of another form is one that nobody knows.
        assert!([400, 404].contains(&reply.status), "{seen}: {reply}");
        reply.assert_whole();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_has_its_own_status() {
    let server = server().await;
    let key = server.admin_key();
    let key = [("x-api-key", key.as_str())];
    let fit = format!("/api/v1/me?{}", "a".repeat(8_000));
    exchange(&server, request("GET", &fit, &key, "")).await.expect(400);
    for length in [8 * 1024 + 1, 60_000] {
        let long = format!("/api/v1/me?{}", "a".repeat(length));
        exchange(&server, request("GET", &long, &key, "")).await.expect(414);
    }
    for length in [16 * 1024 + 1, 60_000, 200_000] {
        let long = "a".repeat(length);
        let headers = [key[0], ("x-long", long.as_str())];
        exchange(&server, request("GET", "/api/v1/me", &headers, "")).await.expect(431);
    }
    for number in [101, 500, 5_000] {
        let headers: Vec<_> = key.into_iter().chain((0..number).map(|_| ("a", "b"))).collect();
        exchange(&server, request("GET", "/api/v1/me", &headers, "")).await.expect(431);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_as_long_as_the_setting_lets_them() {
    let options = Options::on(&Database::Sqlite).env("KEYSTILE_MAX_HEADER_BYTES", "32768");
    let server = Server::start(&options).await;
    let key = server.admin_key();
    for (length, status) in [(32_000, 200), (33_000, 431)] {
        let long = "a".repeat(length);
        let headers = [("x-api-key", key.as_str()), ("x-long", long.as_str())];
        exchange(&server, request("GET", "/api/v1/me", &headers, "")).await.expect(status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let server = server().await;
    let key = server.admin_key();
    let mut chunks = Vec::new();
    for (path, most) in [
        ("/api/v1/api-keys", 64 * 1024),
        ("/api/v1/roles", 64 * 1024),
        ("/api/v1/verify", 64 * 1024),
        ("/api/v1/api-keys/batch", 8 * 1024 * 1024),
        ("/api/v1/verify/batch", 8 * 1024 * 1024),
    ] {
        let length = (most + 1).to_string();
        let json = [("x-api-key", key.as_str()), ("content-type", "application/json")];
        let announced = [json[0], json[1], ("content-length", &length)];
        exchange(&server, request("POST", path, &announced, "")).await.expect(413);
        let huge = [json[0], json[1], ("content-length", "18446744073709551615")];
        exchange(&server, request("POST", path, &huge, "")).await.expect(413);

        let chunked = [json[0], json[1], ("transfer-encoding", "chunked")];
        let head = request("POST", path, &chunked, "");
        let chunk = format!("{:x}\r\n{}\r\n", most + 1, " ".repeat(most + 1));
        chunks.push((path.to_owned(), [head, chunk].concat()));
    }
    for (path, reply) in exchange_all(&server, chunks).await {
        assert_eq!(reply.status, 413, "{path}: {reply}");
        reply.assert_whole();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_are_for_proxies_do_nothing() {
    let server = server().await;
    let key = server.admin_key();
    let key = [("x-api-key", key.as_str())];
    for (method, target) in [
        ("TRACE", "/api/v1/me"),
        ("TRACE", "/healthz"),
        ("CONNECT", "/api/v1/me"),
        ("CONNECT", "localhost:80"),
        ("OPTIONS", "/api/v1/me"),
        ("OPTIONS", "*"),
    ] {
        let reply = exchange(&server, request(method, target, &key, "")).await;
        assert!([400, 404, 405].contains(&reply.status), "{method} {target}: {reply}");
        reply.assert_whole();
        assert!(!reply.body.contains(key[0].1), "{method} {target}: {reply}");
    }
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket"), key[0]];
    exchange(&server, request("GET", "/api/v1/me", &upgrade, "")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_client_and_a_proxy_form_are_understood() {
    let server = server().await;
    let old = exchange(&server, "GET /healthz HTTP/1.0\r\n\r\n").await.expect(200);
    assert_eq!(old.header("transfer-encoding"), "", "{old}");
    let absolute = request("GET", "http://elsewhere.example/api/v1/me", &[], "");
    exchange(&server, absolute).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_answered_in_order_up_to_the_first_wrong_one() {
    let server = server().await;
    let mut connection = Connection::open(server.address()).await;
    let ask =
        |name: &str| format!("GET /healthz HTTP/1.1\r\nhost: a\r\nx-request-id: {name}\r\n\r\n");
    connection.send([&ask("first"), &ask("second"), "wrong\r\n\r\n", &ask("third")].concat()).await;
    let answered = connection.read_to_end(DEADLINE).await.expect("it hangs up");
    let at = |text: &str| answered.find(text).unwrap_or_else(|| panic!("no {text} in {answered}"));
    assert!(at("x-request-id: first") < at("x-request-id: second"), "{answered}");
    assert!(!answered.contains("third"), "{answered}");
    let wrong = answered.find("HTTP/1.1 400").unwrap_or_else(|| panic!("no refusal in {answered}"));
    assert!(at("x-request-id: second") < wrong, "{answered}");
    Reply::read(&answered[wrong..]).unwrap().expect(400);
}

async fn server() -> Server {
    Server::start(&Options::on(&Database::Sqlite)).await
}
