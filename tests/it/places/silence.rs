//! A credential in a URL is read and never written: wherever somebody puts one, no answer repeats
//! it, and no log and no file has it.

use std::{fs, time::Duration};

use acceptance::{
    Answer, Api, Caller, Certificates, Connection, Database, Ended, Options, Server, scratch,
};
use reqwest::{Method, Version};
use serde_json::json;

use super::{KEYS, ME, Provider, built_in};

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_in_a_url_is_seen_nowhere_afterwards() {
    show_everywhere(Options::on(&Database::Sqlite)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_in_a_url_of_http2_is_seen_nowhere_either() {
    let certificates = Certificates::make(&scratch::directory("certificates"));
    show_everywhere(Options::on(&Database::Sqlite).tls(&certificates)).await;
}

async fn show_everywhere(options: Options) {
    let options = options
        .env("KEYSTILE_LOG", "trace")
        .env("KEYSTILE_BOOTSTRAP_ADMIN_KEY", FREE)
        .env("KEYSTILE_BOOTSTRAP_ADMIN_PASSWORD", "velvet-harbour-teaspoon-nineteen");
    let server = Server::start(&options).await;
    let admin = server.api(Caller::Header(FREE.to_owned()));
    let version = admin.request(Method::GET, ME).send().await.unwrap().version();
    assert_eq!(version == Version::HTTP_2, options.authority().is_some());
    let open = json!({ "allow_query_string": true });
    admin.patch(&built_in(&admin, "api_key").await, open).await.expect(200);
    let bare = json!({
        "prefix": "",
        "encoding": "base64url",
        "key_length": 16,
        "allow_query_string": true,
    });
    let bare = Provider::with(&admin, "bare", bare).await.key(&admin).await;
    let (_, ours) = super::key(&admin, "api-keys").await;
    let ticket = json!({ "method": "GET", "path": ME });
    let ticket = admin.post("/api/v1/tickets", ticket).await.expect(201);
    let ticket = ticket.text_of("ticket").to_owned();

    // What has no form of its own cannot be known where nobody looks for a credential.
    let mut secrets = vec![FREE.to_owned(), bare];
    for secret in &secrets {
        show_in_query(&server, "apiKey", secret).await;
    }
    for (name, secret) in [("apiKey", ours), ("ticket", ticket)] {
        let mistyped = format!("{}0{}", &secret[..20], &secret[21..]);
        for secret in [secret, mistyped] {
            misplace(&server, &secret).await;
            show_in_query(&server, name, &secret).await;
            secrets.push(secret);
        }
    }
    let metrics = admin.get("/metrics").await.expect(200);
    secrets.iter().for_each(|secret| assert_unsaid(&metrics, secret));
    let ended = server.stop().await;
    for said in ["DEBUG", "refused", "[redacted]"] {
        assert!(ended.stderr.contains(said), "no {said} in {ended:?}");
    }
    assert_silent(&ended, &options, &secrets);
}

/// Shows it in the query of every kind of request, and of what is none.
async fn show_in_query(server: &Server, name: &str, secret: &str) {
    let api = server.api(Caller::Anonymous);
    for value in [encoded(secret), every_byte(secret), every_byte(&every_byte(secret))] {
        let query = format!("{name}={value}");
        let long = format!("{query}&x={}", "a".repeat(9 * 1024));
        for (method, target, status) in [
            (Method::OPTIONS, format!("{ME}?{query}"), None),
            (Method::GET, format!("{ME}?{query}&{query}"), Some(400)),
            (Method::GET, format!("{ME}?{query}&ticket={value}"), Some(400)),
            (Method::GET, format!("{ME}?{query}%"), Some(401)),
            (Method::GET, format!("{ME}?{query}+"), Some(401)),
            (Method::GET, format!("/nowhere?{query}"), Some(404)),
            (Method::GET, format!("/api/v1/nowhere?{query}"), Some(404)),
            (Method::DELETE, format!("/healthz?{query}"), Some(405)),
            (Method::PUT, format!("{ME}?{query}"), Some(405)),
            (Method::GET, format!("{ME}?{long}"), Some(414)),
            (Method::POST, format!("{KEYS}?{query}"), None),
            (Method::GET, format!("{KEYS}?limit=0&{query}"), None),
            (Method::GET, format!("{KEYS}?limit=1&{query}"), None),
            (Method::GET, format!("{KEYS}?nothing={value}&{query}"), None),
            (Method::POST, format!("/oauth2/introspect?{query}"), None),
            (Method::GET, format!("{ME}?{query}"), None),
        ] {
            let request = api.request(method.clone(), &target);
            let request = match method {
                Method::POST => {
                    request.header("content-type", "application/json").body("{\"name\": 1")
                }
                _ => request,
            };
            let answer = Answer::to(request).await.unwrap();
            assert!(status.is_none_or(|status| answer.status == status), "{target}: {answer}");
            assert_unsaid(&answer, secret);
        }
        let behind = format!("/reports?{query}");
        assert_unsaid(&api.ask_at_gateway(Method::GET, &behind, &[]).await, secret);
        if server.options().authority().is_none() {
            broken(server, &query).await;
        }
    }
}

/// Requests that no handler sees, with this query.
async fn broken(server: &Server, query: &str) {
    for bytes in [
        format!("GET {ME}?{query}#{query} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"),
        format!("GET {ME}#{query} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"),
        format!("GET {ME}?{query} HTTP/9.9\r\nhost: a\r\n\r\n"),
        format!("GET {ME}?{query} x HTTP/1.1\r\nhost: a\r\n\r\n"),
        format!("GET {ME}?{query}\0 HTTP/1.1\r\nhost: a\r\n\r\n"),
        format!("GET {ME}?{query} HTTP/1.1\r\nno header\r\n\r\n"),
        format!("GET {ME}?{query} HTTP/1.1\r\n\r\n"),
        format!("GET {ME}?{query}"),
    ] {
        let mut connection = Connection::open(server.address()).await;
        connection.send(&bytes).await;
        if !bytes.contains("HTTP/") {
            continue;
        }
        let answer = connection.read_until("\r\n\r\n", DEADLINE).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{bytes:?}: {answer}");
        assert!(!answer.contains(query), "{answer}");
    }
}

/// Shows it where no credential belongs.
async fn misplace(server: &Server, secret: &str) {
    let api = server.api(Caller::Anonymous);
    for value in [secret.to_owned(), every_byte(secret), every_byte(&every_byte(secret))] {
        for target in [format!("/{value}"), format!("/api/v1/{value}/x"), format!("{KEYS}/{value}")]
        {
            let missing = api.get(&target).await;
            assert!([401, 404].contains(&missing.status.as_u16()), "{missing}");
            assert_unsaid(&missing, secret);
        }
        let referer = format!("https://example.org/?apiKey={value}");
        let origin = format!("agent {value}");
        let answer = send(&api, &[("referer", &referer), ("user-agent", &origin)]).await;
        assert_unsaid(&answer, secret);
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
    let named = send(&api, &[("x-request-id", secret)]).await.expect(400);
    assert_unsaid(&named, secret);
}

async fn send(api: &Api, headers: &[(&str, &str)]) -> Answer {
    api.send(Method::GET, ME, headers).await
}

#[track_caller]
fn assert_unsaid(answer: &Answer, secret: &str) {
    let said = format!("{:?} {}", answer.headers, answer.text);
    for form in forms(secret) {
        assert!(!said.contains(&form), "{secret} in {answer}");
    }
}

#[track_caller]
fn assert_silent(ended: &Ended, options: &Options, secrets: &[String]) {
    let mut written = vec![
        ("standard output".to_owned(), ended.stdout.clone()),
        ("standard error".to_owned(), ended.stderr.clone()),
    ];
    for file in fs::read_dir(options.data()).unwrap().map(|entry| entry.unwrap().path()) {
        if !file.ends_with("master.key") && !file.ends_with("first-admin") {
            let bytes = fs::read(&file).unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            written.push((file.display().to_string(), text));
        }
    }
    assert!(written.len() > 2, "no file was looked at");
    for (place, text) in &written {
        for secret in secrets {
            for form in forms(secret) {
                let line = text.lines().find(|line| line.contains(&form));
                assert_eq!(line, None, "{secret} in {place}");
            }
        }
    }
}

/// A good part of a secret, near its end, in each form in which somebody could read it.
fn forms(secret: &str) -> [String; 5] {
    let part = &secret[secret.len() - 14..secret.len() - 2];
    let hex: String = part.bytes().map(|byte| format!("{byte:02x}")).collect();
    let every = every_byte(part);
    [part.to_owned(), encoded(part), every.to_lowercase(), every, hex]
}

/// As a URI has to write it.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let write =
        |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(write).collect()
}

fn every_byte(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A key that some other system made, of no form that is known here.
const FREE: &str = "Old/System+Key=7f$3kQ~with#odd&chars%in!it";
const DEADLINE: Duration = Duration::from_secs(30);
