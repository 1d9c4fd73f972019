//! Traces: what a collector is sent, and what it is not.

use std::collections::BTreeSet;

use acceptance::{Api, Caller, Collector, Database, Options, Server, free_address, until};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value},
    trace::v1::{ResourceSpans, Span, span::SpanKind, status::StatusCode},
};
use prost::Message;
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_a_span_below_the_one_of_its_caller() {
    let collector = Collector::start().await;
    let options = traced(&collector).env("OTEL_BSP_SCHEDULE_DELAY", "50");
    let server = Server::start(&options).await;
    let admin_key = server.admin_key();
    let headers =
        [("x-api-key", &*admin_key), ("traceparent", CALLER), ("x-request-id", "request-7")];
    let role = admin(&server).get("/api/v1/roles/1").await.expect(200);
    assert_eq!(role.text_of("name"), "administrator");
    server
        .api(Caller::Anonymous)
        .send(Method::GET, "/api/v1/roles/4711", &headers)
        .await
        .expect(404);

    let id = hex(TRACE);
    let span = shown(&collector, |span| span.trace_id == id && span.kind() == SpanKind::Server);
    let span = span.await;
    assert_eq!(span.name, "GET /api/v1/roles/{id}");
    assert_eq!(span.parent_span_id, hex(PARENT));
    for (name, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/api/v1/roles/{id}"),
        ("url.path", "/api/v1/roles/4711"),
        ("http.response.status_code", "404"),
        ("error.type", "not_found"),
        ("keystile.request_id", "request-7"),
    ] {
        assert_eq!(attribute(&span.attributes, name).as_deref(), Some(value), "{span:?}");
    }
    let path = |span: &Span| attribute(&span.attributes, "url.path");
    let alone = shown(&collector, |span| path(span).as_deref() == Some("/api/v1/roles/1")).await;
    assert!(alone.parent_span_id.is_empty(), "{alone:?}");
    assert_ne!(alone.trace_id, id);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_sent_when_the_server_stops() {
    let collector = Collector::start().await;
    // Without an end, nothing would be sent for an hour.
    let options = traced(&collector)
        .env("OTEL_BSP_SCHEDULE_DELAY", "3600000")
        .env("OTEL_SERVICE_NAME", "keys-of-acme");
    let server = Server::start(&options).await;
    let admin = admin(&server);
    let new = json!({ "name": "k" });
    let key = admin.post("/api/v1/api-keys", new).await.expect(201).text_of("key").to_owned();
    let check = json!({ "credential": key });
    admin.post("/api/v1/verify", check).await.expect(200);
    assert_eq!(collector.taken().len(), 0);
    server.stop().await;

    let sent = sent(&collector);
    let names: BTreeSet<_> = sent.iter().filter_map(service).collect();
    assert_eq!(names, ["keys-of-acme".to_owned()].into());
    let spans = spans(&collector);
    let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let below = |name: &str, parent: &str| {
        let parent = find(parent);
        let is_below = |span: &&Span| {
            span.parent_span_id == parent.span_id && span.trace_id == parent.trace_id
        };
        let mut children = spans.iter().filter(is_below);
        assert!(children.any(|span| span.name == name), "no {name} below {parent:?}");
    };
    below("make a change", "POST /api/v1/api-keys");
    below("verify", "POST /api/v1/verify");
    below("look up a credential", "verify");
    let verify = find("verify");
    let outcome = attribute(&verify.attributes, "keystile.outcome");
    assert_eq!(outcome.as_deref(), Some("valid"));
    let failed =
        |span: &&Span| span.status.as_ref().is_some_and(|it| it.code() == StatusCode::Error);
    assert_eq!(spans.iter().find(failed), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_credential_is_in_any_byte_that_is_sent() {
    let collector = Collector::start().await;
    let options = traced(&collector).env("KEYSTILE_LOG", "trace");
    let server = Server::start(&options).await;
    let admin = admin(&server);
    let provider = admin.get("/api/v1/providers?kind=api_key").await.expect(200);
    let provider = provider.body["data"][0]["id"].as_str().unwrap().to_owned();
    let open = json!({ "allow_query_string": true });
    admin.patch(&format!("/api/v1/providers/{provider}"), open).await.expect(200);
    let new = json!({ "name": "k", "role_ids": [1] });
    let key = admin.post("/api/v1/api-keys", new).await.expect(201).text_of("key").to_owned();
    let mistyped = format!("{}0{}", &key[..20], &key[21..]);
    let anybody = server.api(Caller::Anonymous);
    for secret in [&key, &mistyped] {
        let every: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for text in [secret, &every] {
            anybody.get(&format!("/api/v1/me?apiKey={text}")).await;
            anybody.get(&format!("/api/v1/{text}/x")).await;
            let behind = format!("/reports?apiKey={text}");
            anybody.ask_at_gateway(Method::GET, &behind, &[]).await;
            let headers = [("traceparent", CALLER), ("tracestate", "a=b"), ("x-api-key", &**text)];
            anybody.send(Method::GET, "/api/v1/me", &headers).await;
        }
        admin.post("/api/v1/verify", json!({ "credential": secret })).await.expect(200);
    }
    let secrets = [key, mistyped, server.admin_key(), server.admin_password()];
    let ended = server.stop().await;
    assert!(spans(&collector).len() > 20);
    for (head, body) in collector.taken() {
        assert!(head.starts_with("POST /v1/traces "), "{head}");
        let sent = [head.as_bytes(), &body].concat();
        for secret in &secrets {
            let part = &secret[secret.len() - 14..secret.len() - 2];
            let every: String = part.bytes().map(|byte| format!("%{byte:02X}")).collect();
            for form in [part, &every] {
                let found = sent.windows(form.len()).any(|bytes| bytes == form.as_bytes());
                assert!(!found, "{secret} in {}", String::from_utf8_lossy(&sent));
            }
        }
    }
    ended.assert_silent(secrets.iter().map(String::as_str));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_holds_nobody_up() {
    let closed = free_address();
    let options = Options::on(&Database::Sqlite)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{closed}"))
        .env("OTEL_BSP_SCHEDULE_DELAY", "50");
    let server = Server::start(&options).await;
    for _ in 0..20 {
        admin(&server).get("/api/v1/me").await.expect(200);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_variables_of_opentelemetry_are_known_and_without_them_nothing_is_sent() {
    let collector = Collector::start().await;
    let options = traced(&collector).env("OTEL_SDK_DISABLED", "true");
    let server = Server::start(&options).await;
    admin(&server).get("/api/v1/me").await.expect(200);
    let ended = server.stop().await;
    assert!(!ended.stderr.contains("OTEL_"), "{ended:?}");
    assert_eq!(collector.taken().len(), 0);
}

fn traced(collector: &Collector) -> Options {
    Options::on(&Database::Sqlite).env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
}

fn admin(server: &Server) -> Api {
    server.admin()
}

/// The first span of this kind, once it has come.
async fn shown(collector: &Collector, is_it: impl Fn(&Span) -> bool) -> Span {
    let find = || spans(collector).into_iter().find(&is_it);
    until("the span", async || find().is_some()).await;
    find().unwrap()
}

fn sent(collector: &Collector) -> Vec<ResourceSpans> {
    let taken = collector.taken().into_iter();
    let requests = taken.map(|(_, body)| ExportTraceServiceRequest::decode(&*body).unwrap());
    requests.flat_map(|request| request.resource_spans).collect()
}

fn spans(collector: &Collector) -> Vec<Span> {
    let scopes = sent(collector).into_iter().flat_map(|sent| sent.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn service(sent: &ResourceSpans) -> Option<String> {
    attribute(&sent.resource.as_ref()?.attributes, "service.name")
}

fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match &found.value {
        Some(AnyValue { value: Some(any_value::Value::StringValue(text)) }) => Some(text.clone()),
        Some(AnyValue { value: Some(any_value::Value::IntValue(number)) }) => {
            Some(number.to_string())
        }
        other => panic!("{other:?}"),
    }
}

fn hex(text: &str) -> Vec<u8> {
    let bytes = (0..text.len()).step_by(2);
    bytes.map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
