//! What a ticket is for, what is wrong with one, and what one is not.

use acceptance::{Answer, Api, Caller, Database, Options, Server, on_each_database, started};
use reqwest::Method;
use serde_json::{Value, json};

use super::{AUDITOR, KEYS, ME, TICKETS, USERS, key, open, ticket};

on_each_database! {
    async fn a_ticket_is_for_one_method_and_path_and_waits_for_them(database: Database) {
        let (_server, admin) = started(&database).await;
        let url = ticket(&admin, "GET", KEYS).await;
        let secret = url.split_once("ticket=").unwrap().1;
        for (method, path) in [
            (Method::POST, KEYS),
            (Method::DELETE, KEYS),
            (Method::OPTIONS, KEYS),
            (Method::GET, ME),
            (Method::GET, USERS),
            (Method::GET, "/api/v1/api-keys/"),
            (Method::GET, "/api/v1/API-KEYS"),
        ] {
            let shown = admin.send(method, &format!("{path}?ticket={secret}"), &[]).await;
            assert_ne!(shown.status, 200, "{path}");
        }
        let list = open(&admin, &format!("{KEYS}?limit=1&%74icket={secret}&sort=name")).await;
        assert_eq!(list.expect(200).body["limit"], 1);
        open(&admin, &url).await.refused();

        let url = ticket(&admin, "GET", ME).await;
        admin.send(Method::HEAD, &url, &[]).await.expect(200);
        open(&admin, &url).await.refused();
        let head = ticket(&admin, "HEAD", ME).await;
        open(&admin, &head).await.refused();
        admin.send(Method::HEAD, &head, &[]).await.expect(200);
    }

    async fn a_ticket_may_ask_and_read_but_change_nothing(database: Database) {
        let (server, admin) = started(&database).await;
        let (path, holder) = key(&admin, &[AUDITOR]).await;
        let Caller::Header(secret) = holder.caller().clone() else { panic!("it has a header") };
        let login = json!({ "username": "admin", "password": server.admin_password() });
        let login = admin.post("/api/v1/auth/login", login).await.expect(200);
        let person = admin.with(Caller::Bearer(login.text_of("access_token").to_owned()));
        let password = json!({ "current_password": "x", "new_password": "correct horse battery" });
        let before = head(&admin).await;
        let rotate = format!("{path}/rotate");
        for (who, method, path, body) in [
            (&admin, Method::POST, KEYS, json!({ "name": "by ticket" })),
            (&admin, Method::PATCH, &path, json!({ "enabled": false })),
            (&admin, Method::POST, &rotate, json!({})),
            (&admin, Method::DELETE, &path, json!({})),
            (&admin, Method::POST, "/api/v1/roles", json!({ "name": "by ticket" })),
            (&admin, Method::POST, USERS, json!({ "username": "by-ticket" })),
            (&person, Method::POST, "/api/v1/me/tokens", json!({ "name": "by ticket" })),
            (&person, Method::PUT, "/api/v1/me/password", password),
            (&holder, Method::POST, KEYS, json!({ "name": "by ticket" })),
        ] {
            for query in ["", "&dry_run=true"] {
                if path.ends_with("password") && !query.is_empty() {
                    continue;
                }
                let url = ticket(who, method.as_str(), path).await;
                let request = admin.with(Caller::Anonymous);
                let request = request.request(method.clone(), &format!("{url}{query}"));
                let answer = Answer::to(request.json(&body)).await.unwrap();
                assert_eq!(answer.status, 403, "{method} {path}: {answer}");
            }
        }
        let url = ticket(&holder, "POST", "/oauth2/revoke").await;
        let request = admin.with(Caller::Anonymous).request(Method::POST, &url);
        let answer = Answer::to(request.form(&[("token", &secret)])).await.unwrap();
        assert_eq!(answer.status, 403, "{answer}");
        assert_eq!(head(&admin).await, before);

        let url = ticket(&admin, "POST", "/api/v1/verify").await;
        let question = json!({ "credential": secret });
        let answer = admin.with(Caller::Anonymous).post(&url, question).await.expect(200);
        assert_eq!(answer.text_of("code"), "valid");
    }

    async fn a_ticket_makes_no_ticket_and_no_event(database: Database) {
        let (_server, admin) = started(&database).await;
        let before = head(&admin).await;
        let url = ticket(&admin, "POST", TICKETS).await;
        let new = json!({ "method": "GET", "path": ME });
        let request = admin.with(Caller::Anonymous).request(Method::POST, &url);
        let again = Answer::to(request.json(&new.clone())).await.unwrap();
        again.expect(403).problem("ceiling_exceeded");
        open(&admin, &ticket(&admin, "GET", ME).await).await.expect(200);
        let tried = admin.post(&format!("{TICKETS}?dry_run=true"), new).await.expect(200);
        assert!(!tried.text.contains("ks_tk_"), "{tried}");
        assert!(tried.body["expires_at"].is_string(), "{tried}");
        assert_eq!(head(&admin).await, before);
    }
}

/// Where the audit log ends.
async fn head(admin: &Api) -> Value {
    let report = admin.get("/api/v1/audit-events/verify").await.expect(200);
    report.body["head"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_member_of_a_new_ticket_has_its_rule() {
    let (_server, admin) = started(&Database::Sqlite).await;
    let long = format!("/{}", "a".repeat(2_048));
    for (member, bad) in [
        ("/method", json!({ "method": "get", "path": ME })),
        ("/method", json!({ "method": "*", "path": ME })),
        ("/method", json!({ "method": "", "path": ME })),
        ("/path", json!({ "method": "GET", "path": "api" })),
        ("/path", json!({ "method": "GET", "path": "/a?b=c" })),
        ("/path", json!({ "method": "GET", "path": "/a#b" })),
        ("/path", json!({ "method": "GET", "path": "/a/../b" })),
        ("/path", json!({ "method": "GET", "path": "//a" })),
        ("/path", json!({ "method": "GET", "path": "https://example.org/" })),
        ("/path", json!({ "method": "GET", "path": long })),
        ("/expires_in_seconds", json!({ "method": "GET", "path": ME, "expires_in_seconds": 0 })),
        ("/expires_in_seconds", json!({ "method": "GET", "path": ME, "expires_in_seconds": 301 })),
        ("/expires_in_seconds", json!({ "method": "GET", "path": ME, "expires_in_seconds": "1" })),
        ("/path", json!({ "method": "GET" })),
    ] {
        let wrong = admin.post(TICKETS, bad.clone()).await.expect(422).problem("invalid_request");
        assert_eq!(wrong.body["errors"][0]["pointer"], member, "{bad}: {wrong}");
    }
    let unknown = json!({ "method": "GET", "path": ME, "paths": [] });
    admin.post(TICKETS, unknown).await.expect(400).problem("unknown_fields");
    let both = json!({ "method": "get", "path": "x" });
    let wrong = admin.post(TICKETS, both).await.expect(422);
    assert_eq!(wrong.body["errors"].as_array().unwrap().len(), 2, "{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_ticket_opens_nothing() {
    let (_server, admin) = started(&Database::Sqlite).await;
    let url = ticket(&admin, "GET", ME).await;
    let secret = url.split_once("ticket=").unwrap().1.to_owned();
    let mistyped = format!("{}{}", &secret[..54], if secret.ends_with('0') { '1' } else { '0' });
    let Caller::Header(key) = admin.caller() else { panic!("it has a header") };
    for value in [mistyped.as_str(), key, "x", "", "a%20b", "a%", &secret.to_uppercase()] {
        open(&admin, &format!("{ME}?ticket={value}")).await.refused();
    }
    for twice in [format!("{url}&ticket={secret}"), format!("{url}&ticket")] {
        open(&admin, &twice).await.expect(400).problem("ambiguous_credentials");
    }
    for (name, value) in [("x-api-key", key.clone()), ("authorization", format!("Bearer {key}"))] {
        let both = admin.send(Method::GET, &url, &[(name, &value)]).await;
        both.expect(400).problem("ambiguous_credentials");
    }
    // A ticket is a ticket in its own place alone.
    for (name, value) in
        [("x-api-key", secret.clone()), ("authorization", format!("Bearer {secret}"))]
    {
        admin.send(Method::GET, ME, &[(name, &value)]).await.refused();
    }
    let question = json!({ "credential": secret });
    let verdict = admin.post("/api/v1/verify", question).await.expect(200);
    assert_eq!(verdict.text_of("code"), "not_found");
    let source = json!({ "credential": key, "source": "ticket" });
    admin.post("/api/v1/verify", source).await.expect(422).problem("invalid_request");
    // And none of all that has used it up.
    open(&admin, &url).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_travels_as_safely_as_its_credential_must() {
    let options = Options::on(&Database::Sqlite).env("KEYSTILE_TRUSTED_PROXIES", "127.0.0.1");
    let server = Server::start(&options).await;
    let (admin, proxied) = (server.admin(), ("x-forwarded-for", "203.0.113.7"));
    let new = json!({ "name": "k", "allowed_ips": ["203.0.113.0/24", "127.0.0.0/8"] });
    let made = admin.post(KEYS, new).await.expect(201);
    let holder = admin.with(Caller::Header(made.text_of("key").to_owned()));
    let open = async |how: &str, from: &str| {
        let url = ticket(&holder, "GET", ME).await;
        let headers = [("x-forwarded-proto", how), ("x-forwarded-for", from)];
        admin.send(Method::GET, &url, &headers).await
    };
    open("https", proxied.1).await.expect(200);
    open("http", proxied.1).await.expect(401).problem("insecure_transport");
    open("https", "198.51.100.1").await.expect(403).problem("ip_not_allowed");
    // Where its provider takes keys from does not matter to a ticket.
    let provider = admin.get("/api/v1/providers?kind=api_key").await.expect(200);
    let provider =
        format!("/api/v1/providers/{}", provider.body["data"][0]["id"].as_str().unwrap());
    admin.patch(&provider, json!({ "accept_bearer": false })).await.expect(200);
    open("https", proxied.1).await.expect(200);
}
