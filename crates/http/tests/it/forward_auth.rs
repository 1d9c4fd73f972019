//! What gateways ask, each in its own way, and what they are told.

mod query;
mod told;

use acceptance::{Database, on_each_database};
use actix_web::{http::Method, test::TestRequest};
use serde_json::{Value, json};

use crate::{client::Answer, stage::Stage};

on_each_database! {
    async fn a_request_passes_if_a_rule_opens_its_endpoint(database: Database) {
        let stage = Stage::new(database).await;
        let (_, key) = reader(&stage).await;
        for gateway in GATEWAYS {
            let ask = async |method, uri| stage.answer(gateway.asks(method, uri, &key)).await;

            ask("GET", "/billing/v1/invoices?page=2").await.expect(200);
            ask("HEAD", "/billing").await.expect(200);
            let answer = ask("GET", "/orders").await.expect(403);
            assert_eq!(answer.text("code"), "endpoint_not_allowed", "{gateway:?}");
            ask("POST", "/billing/v1/invoices").await.expect(403);
        }
    }

    async fn a_path_that_may_be_read_in_another_way_passes_for_nobody(database: Database) {
        let stage = Stage::new(database).await;
        let (_, key) = reader(&stage).await;
        for gateway in GATEWAYS {
            for uri in ["//billing", "/billing/../orders", "/billing/%2e%2e/orders", "/billing/.",
                "/billing/..%2forders", "/billing/%252e%252e/orders", "/billing/..;/orders",
                "/billing\\..\\orders", "/BILLING", "/%62illing%2f..%2forders"]
            {
                let answer = stage.answer(gateway.asks("GET", uri, &key)).await.expect(403);
                assert_eq!(answer.text("code"), "endpoint_not_allowed", "{gateway:?} {uri}");
            }
        }
    }

    async fn a_permission_is_asked_instead_of_the_endpoint(database: Database) {
        let stage = Stage::new(database).await;
        let (_, key) = reader(&stage).await;
        for gateway in GATEWAYS {
            let ask = async |permission| {
                let asked = gateway.asks_for(permission, "DELETE", "/orders/..", &key);
                stage.answer(asked).await
            };

            ask("invoices.read").await.expect(200);
            let answer = ask("invoices.write").await.expect(403);
            assert_eq!(answer.text("code"), "insufficient_permissions", "{gateway:?}");
            assert!(answer.text("detail").contains("invoices.write"), "{gateway:?} {answer}");
            ask("Invoices").await.expect(gateway.status(400));
        }
    }

    async fn a_path_of_envoy_is_not_taken_for_its_configuration(database: Database) {
        let stage = Stage::new(database).await;
        let (_, key) = reader(&stage).await;
        let ask = async |method: &str, path: &str, header: Option<&str>| {
            let request = TestRequest::default().method(method.parse().unwrap());
            let request = request.uri(&format!("/api/v1/forward-auth/envoy{path}"));
            let request = request.insert_header(("X-API-Key", key.as_str()));
            let headers = header.into_iter().map(|value| ("X-Keystile-Ask", value));
            stage.answer(headers.fold(request, TestRequest::append_header)).await
        };

        let disguised = "/permission/invoices.read/orders";
        let told = ask("GET", disguised, None).await.expect(200);
        assert_eq!(header(&told, "X-Keystile-Uri"), "/orders");
        ask("GET", disguised, Some("endpoint")).await.expect(403);
        let told = ask("GET", "/billing?permission=/a", Some("endpoint")).await.expect(200);
        assert_eq!(header(&told, "X-Keystile-Uri"), "/billing?permission=/a");
        ask("GET", "/billing", Some("anything")).await.expect(400);
        for nothing_appended in ["", "?a=1", "/permission/invoices.read"] {
            ask("GET", nothing_appended, None).await.expect(400);
        }
    }

    async fn a_gateway_that_nobody_knows_is_not_found(database: Database) {
        let stage = Stage::new(database).await;
        for path in ["", "/", "/apache", "/Nginx", "/nginx/x", "/caddy/permission", "/nginx%2f"] {
            let request = TestRequest::default().uri(&format!("/api/v1/forward-auth{path}"));
            let request = request.insert_header(("X-Original-URI", "/"));
            stage.answer(request).await.expect(404);
        }
    }
}

/// How one of them asks.
#[derive(Debug)]
struct Gateway {
    name: &'static str,
    /// Where it tells the method and the URI; `None`: as its own.
    method_header: Option<&'static str>,
    uri_header: Option<&'static str>,
}

impl Gateway {
    const fn by_headers(name: &'static str, method: &'static str, uri: &'static str) -> Self {
        Self { name, method_header: Some(method), uri_header: Some(uri) }
    }

    fn path(&self) -> String {
        format!("/api/v1/forward-auth/{}", self.name)
    }

    fn bare(&self, method: &str) -> TestRequest {
        TestRequest::default().method(method.parse().unwrap_or_default()).uri(&self.path())
    }

    fn asks_anonymously(&self, method: &str, uri: &str) -> TestRequest {
        self.tells(&self.path(), method, uri)
    }

    fn asks(&self, method: &str, uri: &str, key: &str) -> TestRequest {
        self.asks_anonymously(method, uri).insert_header(("X-API-Key", key))
    }

    fn asks_for(&self, permission: &str, method: &str, uri: &str, key: &str) -> TestRequest {
        let path = format!("{}/permission/{permission}", self.path());
        self.tells(&path, method, uri).insert_header(("X-API-Key", key))
    }

    fn tells(&self, path: &str, method: &str, uri: &str) -> TestRequest {
        match self.method_header.zip(self.uri_header) {
            // The method of the question itself means nothing.
            Some((method_header, uri_header)) => TestRequest::default()
                .method(Method::PUT)
                .uri(path)
                .insert_header((method_header, method))
                .insert_header((uri_header, uri)),
            None => {
                let request = TestRequest::default().method(method.parse().unwrap());
                request.uri(&format!("{path}{uri}"))
            }
        }
    }

    /// The status that stands for another.
    fn status(&self, status: u16) -> u16 {
        if self.name == "nginx" && status == 400 { 401 } else { status }
    }
}

/// Who reads `/billing`, with the id of the key.
async fn reader(stage: &Stage) -> (String, String) {
    let role = json!({
        "name": "billing, read",
        "permissions": ["invoices.read", "orders.*"],
        "endpoints": [{ "methods": ["GET"], "path": "/billing/**" }],
    });
    key(stage, role).await
}

/// A key with one role, by its id and secret.
async fn key(stage: &Stage, new_role: Value) -> (String, String) {
    let role = role(stage, new_role).await;
    let key = json!({ "name": "a réader", "role_ids": [role] });
    let made = stage.admin().post("/api/v1/api-keys", key).await.expect(201);
    (made.text("id").to_owned(), made.text("key").to_owned())
}

async fn role(stage: &Stage, role: Value) -> Value {
    stage.admin().post("/api/v1/roles", role).await.expect(201).body["id"].clone()
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let value = answer.headers.get(name).unwrap_or_else(|| panic!("no {name} in {answer}"));
    value.to_str().unwrap()
}

const GATEWAYS: [Gateway; 5] = [
    Gateway::by_headers("caddy", "X-Forwarded-Method", "X-Forwarded-Uri"),
    Gateway { name: "envoy", method_header: None, uri_header: None },
    Gateway::by_headers("haproxy", "X-Forwarded-Method", "X-Forwarded-Uri"),
    Gateway::by_headers("nginx", "X-Original-Method", "X-Original-URI"),
    Gateway::by_headers("traefik", "X-Forwarded-Method", "X-Forwarded-Uri"),
];
