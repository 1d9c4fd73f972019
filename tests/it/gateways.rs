//! A service behind each gateway, with the files that the project ships and the real programs.

mod client;
mod lies;
mod stage;
mod tickets;

use acceptance::{Addresses, Answer, Caller, Gateway, GatewayKind};
use reqwest::{Method, Version};
use serde_json::{Value, json};

use client::{Client, Reply};
use stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn caddy_guards_a_service() {
    guards_a_service(GatewayKind::Caddy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_guards_a_service() {
    guards_a_service(GatewayKind::Envoy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn haproxy_guards_a_service() {
    guards_a_service(GatewayKind::Haproxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_guards_a_service() {
    guards_a_service(GatewayKind::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn traefik_guards_a_service() {
    guards_a_service(GatewayKind::Traefik).await;
}

/// One server and one gateway for all: what takes time is starting them.
async fn guards_a_service(kind: GatewayKind) {
    if !kind.part().or_skip() {
        return;
    }
    let stage = Stage::start(kind).await;
    stage.what_is_allowed_comes_through_with_the_identity_of_its_caller().await;
    stage.a_refusal_is_the_clients_answer_and_nothing_comes_through().await;
    stage.no_credential_comes_through().await;
    stage.a_ticket_lets_one_request_through_and_stays_outside().await;
    stage.what_a_client_says_of_itself_does_not_come_through().await;
    stage.no_header_is_taken_away_by_its_name().await;
    stage.a_client_cannot_lie_about_where_it_is().await;
    stage.no_trick_in_a_path_slips_past().await;
    stage.method_and_body_come_through().await;
    stage.each_request_on_a_connection_is_judged_by_itself().await;
    stage.many_headers_do_no_harm().await;
    stage.http_2_is_judged_alike().await;
    stage.a_permission_can_be_asked_instead().await;
    stage.without_keystile_nothing_comes_through().await;
}

impl Stage {
    async fn what_is_allowed_comes_through_with_the_identity_of_its_caller(&self) {
        let key = [("X-API-Key", self.reader.secret.as_str())];
        let target = "/open/a%20b?x=%2F&y";
        let reply = self.client().await.get(target, &key).await.expect(200);
        assert_eq!(reply.seen_line(), format!("GET {target} HTTP/1.1"), "{reply}");
        assert_eq!(reply.seen("X-Keystile-Principal"), self.reader.id, "{reply}");
        assert_eq!(reply.seen("X-Keystile-Principal-Name"), "a%20r%C3%A9ader", "{reply}");
        assert_eq!(reply.seen("X-Keystile-Credential-Id"), self.reader.id, "{reply}");
        assert_eq!(reply.seen("X-Keystile-Roles"), "reader%2C%20of%20the%20open", "{reply}");
        assert_eq!(reply.seen("X-Keystile-Permissions"), "invoices.read", "{reply}");
        assert_eq!(reply.seen("Host"), "localhost", "{reply}");
    }

    async fn a_refusal_is_the_clients_answer_and_nothing_comes_through(&self) {
        let problem = |reply: &Reply| {
            assert_eq!(reply.header("Content-Type"), "application/problem+json", "{reply}");
            let body: Value = serde_json::from_str(&reply.body).unwrap();
            assert_eq!(body["status"], reply.status(), "{reply}");
            // That is for the host of the gateway to say.
            assert_eq!(reply.header("Strict-Transport-Security"), "", "{reply}");
        };
        for headers in
            [&[][..], &[("X-API-Key", "ks_nonsense")], &[("Authorization", "Basic eA==")]]
        {
            let reply = self.refused("/open", headers, 401).await;
            problem(&reply);
            assert!(reply.header("WWW-Authenticate").starts_with("Bearer"), "{reply}");
        }
        problem(&self.refused("/secret", &[("X-API-Key", &self.reader.secret)], 403).await);

        let limited = [("X-API-Key", self.limited.secret.as_str())];
        self.client().await.get("/", &limited).await.expect(200);
        let reply = self.refused("/", &limited, 429).await;
        problem(&reply);
        assert_ne!(reply.header("Retry-After"), "", "{reply}");
        assert_ne!(reply.header("RateLimit"), "", "{reply}");
        assert_ne!(reply.header("RateLimit-Policy"), "", "{reply}");

        let key = self.all.secret.as_str();
        let twice = [("X-API-Key", key), ("Authorization", &format!("Bearer {key}"))];
        self.refused("/open", &twice, 400).await;
    }

    async fn no_credential_comes_through(&self) {
        let key = self.all.secret.as_str();
        let mut client = self.client().await;
        for headers in [
            [("x-api-KEY", key.to_owned())],
            [("Authorization", format!("Bearer {key}"))],
            [("authorization", format!("bearer   {key}"))],
        ] {
            let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
            let reply = client.get("/open", &headers).await.expect(200);
            assert!(!reply.body.contains(key), "{reply}");
            assert!(!reply.body.to_lowercase().contains("bearer"), "{reply}");
            assert_eq!(reply.seen("X-Keystile-Uri"), "", "{reply}");
        }

        let providers = self.keystile.admin();
        let listed = providers.get("/api/v1/providers?kind=api_key").await.expect(200);
        let provider = listed.body["data"][0]["id"].as_str().unwrap();
        let allow = json!({ "allow_query_string": true });
        providers.patch(&format!("/api/v1/providers/{provider}"), allow).await.expect(200);
        for target in
            [format!("/open?a=%20&apiKey={key}&b=%2F"), format!("/open?a=%20&api%4bey={key}&b=%2F")]
        {
            // Caddy and Traefik cannot take a parameter away.
            match self.kind {
                GatewayKind::Caddy => drop(self.refused(&target, &[], 400).await),
                GatewayKind::Traefik => drop(self.refused(&target, &[], 404).await),
                GatewayKind::Envoy | GatewayKind::Haproxy | GatewayKind::Nginx => {
                    let reply = client.get(&target, &[]).await.expect(200);
                    assert_eq!(reply.seen_line(), "GET /open?a=%20&b=%2F HTTP/1.1", "{reply}");
                    assert!(!reply.body.contains(key), "{reply}");
                }
            }
        }
    }

    async fn many_headers_do_no_harm(&self) {
        let key = ("X-API-Key", self.reader.secret.as_str());
        for count in 90..=102 {
            let names: Vec<_> = (0..count).map(|at| format!("X-Header-{at}")).collect();
            let mut headers = vec![key];
            headers.extend(names.iter().map(|name| (name.as_str(), "x")));
            let reply = self.client().await.get("/secret", &headers).await;
            assert!([400, 403, 431, 503].contains(&reply.status()), "{count}: {reply}");
        }
        self.client().await.get("/open", &[key]).await.expect(200);
    }

    async fn method_and_body_come_through(&self) {
        let (all, reader) = (self.all.secret.as_str(), self.reader.secret.as_str());
        let mut client = self.client().await;
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let body = "a body, ".repeat(2_000);
            let reply =
                client.send(method, "/open", &[("X-API-Key", all)], &body).await.expect(200);
            assert!(reply.seen_line().starts_with(method), "{reply}");
            assert!(reply.body.ends_with(&body), "{reply}");
            let before = self.service.requests();
            let mut client = self.client().await;
            client.send(method, "/open", &[("X-API-Key", reader)], &body).await.expect(403);
            assert_eq!(self.service.requests(), before, "{method}");
        }
        client.send("HEAD", "/open", &[("X-API-Key", reader)], "").await.expect(200);
        client.send("OPTIONS", "/open", &[("X-API-Key", all)], "").await.expect(200);
        client.send("OPTIONS", "/open", &[], "").await.expect(401);
    }

    async fn each_request_on_a_connection_is_judged_by_itself(&self) {
        let mut client = self.client().await;
        for _ in 0..3 {
            for (key, path, status) in [
                (Some(&self.reader), "/open", 200),
                (None, "/open", 401),
                (Some(&self.all), "/secret", 200),
                (Some(&self.reader), "/secret", 403),
            ] {
                let headers = key.map(|key| ("X-API-Key", key.secret.as_str()));
                let reply = client.get(path, headers.as_slice()).await.expect(status);
                let id = key.filter(|_| status == 200).map_or("", |key| &key.id);
                assert_eq!(reply.seen("X-Keystile-Principal"), id, "{reply}");
            }
        }
    }

    async fn http_2_is_judged_alike(&self) {
        let reader = self.gateway.api(Caller::Header(self.reader.secret.clone()));
        let request = reader.request(Method::GET, "/open?a=b").version(Version::HTTP_2);
        let reply = Answer::to(request).await.unwrap().expect(200);
        assert!(reply.text.starts_with("GET /open?a=b HTTP/1.1\r\n"), "{reply}");
        assert!(!reply.text.contains(&self.reader.secret), "{reply}");
        assert!(reply.text.contains(&self.reader.id), "{reply}");
        reader.get("/secret").await.expect(403);
        reader.with(Caller::Anonymous).get("/open").await.expect(401);
    }

    async fn a_permission_can_be_asked_instead(&self) {
        let addresses = Addresses::new(self.keystile.address(), self.service.address());
        let asked = format!("forward-auth/{0}/permission/invoices.read", self.kind.name());
        let endpoint = format!("forward-auth/{}", self.kind.name());
        let gateway = Gateway::start(self.kind, addresses, |text| {
            // As the comments in the files say.
            let lines = text.lines().filter(|line| !line.contains("key: x-keystile-ask"));
            let lines: Vec<_> = lines.map(|line| line.replace(&endpoint, &asked)).collect();
            (lines.join("\n") + "\n").replace("headers_to_add:\n", "headers_to_add: []\n")
        });
        let gateway = gateway.await;
        let mut client = Client::to(&gateway).await;
        let key = ("X-API-Key", self.reader.secret.as_str());
        let reply = client.send("POST", "/secret?a=b", &[key], "").await.expect(200);
        assert_eq!(reply.seen_line(), "POST /secret?a=b HTTP/1.1", "{reply}");
        client.get("/open", &[]).await.expect(401);
        let admin = self.keystile.admin();
        let bare = admin.post("/api/v1/api-keys", json!({ "name": "bare" })).await.expect(201);
        client.get("/open", &[("X-API-Key", bare.text_of("key"))]).await.expect(403);
    }

    async fn without_keystile_nothing_comes_through(self) {
        self.keystile.kill();
        self.keystile.wait().await;
        let before = self.service.requests();
        let status = if self.kind == GatewayKind::Traefik { 500 } else { 503 };
        let key = self.all.secret.as_str();
        let target = format!("/open?apiKey={key}");
        for headers in [&[("X-API-Key", key)][..], &[], &[("X-API-Key", "ks_nonsense")]] {
            let mut client = Client::to(&self.gateway).await;
            client.get("/open", headers).await.expect(status);
        }
        let answered = Client::to(&self.gateway).await.get(&target, &[]).await.status();
        assert!([status, 404].contains(&answered), "{answered}");
        assert_eq!(self.service.requests(), before);

        let said = self.gateway.stop().await;
        for key in [&self.reader, &self.all, &self.limited, &self.elsewhere] {
            assert!(!said.contains(&key.secret), "{:?} says {said}", self.kind);
        }
        assert!(!said.contains("ks_tk_"), "{:?} says {said}", self.kind);
    }
}
