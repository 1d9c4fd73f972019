//! The examples, as a reader would copy them.

use std::fs;

use acceptance::{Answer, Api, Caller, Database, Example, Key, Server, on_each_database, until};
use reqwest::{Client, Method};
use serde_json::json;

use crate::tree::root;

use super::{reader_role, started, verifier_key};

#[test]
fn an_example_is_read_in_a_minute() {
    for name in ["actix", "axum", "tonic"] {
        let text = fs::read_to_string(root().join(format!("examples/{name}.rs"))).unwrap();
        assert!(text.lines().count() < 60, "{name}");
    }
}

on_each_database! {
    async fn every_example_lets_in_whoever_may_and_nobody_else(database: Database) {
        let (server, admin) = started(&database).await;
        let role = reader_role(&admin).await;
        let reader = Key::holding(&admin, "reader", &[role]).await;
        let other = Key::holding(&admin, "other", &[role]).await;
        let nobody = Key::holding(&admin, "nobody", &[]).await;
        let services = services(&server, &admin).await;

        for service in &services {
            let name = service.name;
            assert_eq!(service.answer(Some(&reader.secret)).await, 200, "{name}");
            assert_eq!(service.answer(Some(&other.secret)).await, 200, "{name}");
            assert_eq!(service.answer(Some(&nobody.secret)).await, 403, "{name}");
            assert_eq!(service.answer(Some("ks_made_up")).await, 401, "{name}");
            assert_eq!(service.answer(None).await, 401, "{name}");
        }

        // When the answer has come, it is in force in every service.
        admin.delete(&format!("{}?wait=cluster", reader.at(""))).await.expect(200);
        for service in &services {
            assert_eq!(service.answer(Some(&reader.secret)).await, 401, "{}", service.name);
            assert_eq!(service.answer(Some(&other.secret)).await, 200, "{}", service.name);
        }

        // Without waiting for it, a moment later.
        let disabled = json!({ "enabled": false });
        admin.patch(&other.at(""), disabled).await.expect(200);
        for service in &services {
            let refuses = async || service.answer(Some(&other.secret)).await == 401;
            until("a key that was switched off is refused", refuses).await;
        }

        let last = Key::holding(&admin, "last", &[role]).await;
        for service in &services {
            assert_eq!(service.answer(Some(&last.secret)).await, 200, "{}", service.name);
        }
        server.kill();
        server.wait().await;
        for service in &services {
            let refuses = async || service.answer(Some(&last.secret)).await == 503;
            until("without a server nobody is let in", refuses).await;
        }
    }

    async fn an_example_refuses_in_the_words_of_the_server(database: Database) {
        let (server, admin) = started(&database).await;
        let key = Key::made(&admin, json!({ "name": "k", "allowed_ips": ["192.0.2.1"] })).await;
        let verifier = verifier_key(&admin).await;
        for name in ["actix", "axum"] {
            let example = Example::start(name, &server, &verifier.secret).await;
            for caller in [Caller::Anonymous, Caller::Header("ks_made_up".to_owned()), key.caller()] {
                let theirs = Api::new(&example.url(), caller.clone()).get("/invoices").await;
                let ours = server.api(caller.clone()).get("/api/v1/me").await;
                assert_eq!(theirs.status, ours.status, "{name} {caller:?}");
                assert_eq!(theirs.header("www-authenticate"), ours.header("www-authenticate"));
                assert_eq!(theirs.header("content-type"), ours.header("content-type"));
                for member in ["type", "title", "status", "code", "detail"] {
                    assert_eq!(theirs.body[member], ours.body[member], "{name} {caller:?}");
                }
            }
        }
    }
}

/// One example that runs, and how it is asked.
struct Service {
    name: &'static str,
    example: Example,
}

async fn services(server: &Server, admin: &Api) -> Vec<Service> {
    let key = verifier_key(admin).await;
    let mut services = Vec::new();
    for name in ["actix", "axum", "tonic"] {
        services.push(Service { name, example: Example::start(name, server, &key.secret).await });
    }
    services
}

impl Service {
    /// The status of the answer to whoever shows this key; that of gRPC as HTTP says it.
    async fn answer(&self, key: Option<&str>) -> u16 {
        if self.name == "tonic" {
            return self.answer_to_call(key).await;
        }
        let caller = key.map_or(Caller::Anonymous, |key| Caller::Bearer(key.to_owned()));
        let answer = Api::new(&self.example.url(), caller).get("/invoices").await;
        answer.status.as_u16()
    }

    async fn answer_to_call(&self, key: Option<&str>) -> u16 {
        let client = Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
        let url = format!("{}/grpc.health.v1.Health/Check", self.example.url());
        // An empty message, without compression.
        let call = client.request(Method::POST, url).body(vec![0; 5]);
        let call = call.header("Content-Type", "application/grpc").header("TE", "trailers");
        let call = match key {
            Some(key) => call.header("X-API-Key", key),
            None => call,
        };
        let answer = Answer::to(call).await.unwrap().expect(200);
        match answer.header("grpc-status") {
            // The status of a call that was carried out comes behind its message.
            "" if !answer.text.is_empty() => 200,
            "16" => 401,
            "7" => 403,
            "14" => 503,
            other => panic!("status {other} in {answer}"),
        }
    }
}
