//! Without a valid credential nothing is read, and nothing is told but that it is not valid.

use acceptance::{Answer, Caller, Database, on_each_database, until};
use serde_json::{Value, json};

use super::{
    problem::assert_problem,
    wire::{exchange_all, request},
    world::{World, answer, without_request_id},
};

on_each_database! {
    async fn a_bare_request_is_401_and_names_the_scheme_alone(database: Database) {
        let world = World::on(&database).await;
        for operation in world.guarded() {
            let bare = answer(world.request(&world.anonymous(), operation)).await;
            assert_eq!(bare.status, 401, "{}: {bare}", operation.name);
            let bare = bare.problem("missing_credential");
            assert_problem(&bare);
            let challenge = bare.header("www-authenticate");
            assert!(challenge.starts_with("Bearer"), "{}: {bare}", operation.name);
            assert!(!challenge.contains("error"), "{}: {bare}", operation.name);
        }
    }

    async fn every_key_that_is_not_valid_gets_one_and_the_same_401(database: Database) {
        let world = World::on(&database).await;
        let refused = refused_keys(&world).await;
        let mut first: Option<(Value, Vec<(String, String)>)> = None;
        for operation in world.guarded() {
            for (why, key) in &refused {
                for caller in [Caller::Header(key.clone()), Caller::Bearer(key.clone())] {
                    let api = world.admin.with(caller);
                    let refusal = answer(world.request(&api, operation)).await;
                    assert_eq!(refusal.status, 401, "{why} on {}: {refusal}", operation.name);
                    assert_problem(&refusal);
                    assert_eq!(refusal.body["code"], "invalid_credential", "{why}: {refusal}");
                    let challenge = refusal.header("www-authenticate");
                    assert!(challenge.contains(r#"error="invalid_token""#), "{why}: {refusal}");
                    let told = told(&refusal);
                    let first = first.get_or_insert_with(|| told.clone());
                    assert_eq!(told, *first, "{why} on {}", operation.name);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_judged_before_the_body_is_read() {
    let world = World::on(&Database::Sqlite).await;
    let huge = "x".repeat(HUGE);
    let announced = HUGE.to_string();
    for operation in world.guarded() {
        let (method, target) = (operation.method.as_str(), world.target(operation));
        let mut all = Vec::new();
        for credential in [None, Some(("x-api-key", UNKNOWN)), Some(("x-api-key", "nonsense"))] {
            let ask = |headers: &[(&str, &str)], body: &str| {
                let headers: Vec<_> = headers.iter().copied().chain(credential).collect();
                request(method, &target, &headers, body)
            };
            let odd = [("content-type", "text/plain"), ("content-length", "1")];
            for (body, bytes) in [
                ("a broken body", ask(&[], r#"{"name": "#)),
                ("another content type", ask(&odd, "") + "x"),
                ("a body announced too large", ask(&[("content-length", &announced)], "")),
                ("a body that is too large", ask(&[], &huge)),
            ] {
                all.push((format!("{} with {body} and {credential:?}", operation.name), bytes));
            }
        }
        for (asked, reply) in exchange_all(&world.server, all).await {
            assert_eq!(reply.status, 401, "{asked}: {reply}");
            reply.assert_whole();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_judged_before_a_body_of_unknown_length_comes() {
    let world = World::on(&Database::Sqlite).await;
    let mut all = Vec::new();
    for operation in world.guarded() {
        for credential in [None, Some(("x-api-key", UNKNOWN)), Some(("x-api-key", "nonsense"))] {
            let chunked = [("transfer-encoding", "chunked")];
            let headers: Vec<_> = chunked.into_iter().chain(credential).collect();
            let target = world.target(operation);
            all.push((
                format!("{} with {credential:?}", operation.name),
                request(operation.method.as_str(), &target, &headers, ""),
            ));
        }
    }
    for (asked, reply) in exchange_all(&world.server, all).await {
        assert_eq!(reply.status, 401, "{asked}: {reply}");
        reply.assert_whole();
    }
}

/// A key in every state in which it must not be taken, by the name of the state.
async fn refused_keys(world: &World) -> Vec<(&'static str, String)> {
    let admin = &world.admin;
    let make = async |body| {
        let made = admin.post("/api/v1/api-keys", body).await.expect(201);
        (made.text_of("key").to_owned(), format!("/api/v1/api-keys/{}", made.text_of("id")))
    };
    let (disabled, path) = make(json!({ "name": "disabled", "role_ids": [1] })).await;
    admin.patch(&path, json!({ "enabled": false })).await.expect(200);
    let (deleted, path) = make(json!({ "name": "deleted", "role_ids": [1] })).await;
    admin.delete(&path).await.expect(204);
    let (rotated, path) = make(json!({ "name": "rotated", "role_ids": [1] })).await;
    admin.post(&format!("{path}/rotate"), json!({})).await.expect(200);
    let (finished, path) = make(json!({ "name": "finished", "role_ids": [1] })).await;
    admin.post(&format!("{path}/rotate"), json!({ "overlap_seconds": 3_600 })).await.expect(200);
    answer(admin.request(reqwest::Method::POST, &format!("{path}/rotation/finish")))
        .await
        .expect(200);
    let born_disabled = json!({ "name": "never enabled", "role_ids": [1], "enabled": false });
    vec![
        ("unknown", UNKNOWN.to_owned()),
        ("malformed", "nonsense".to_owned()),
        ("wrong checksum", format!("{}A", &UNKNOWN[..UNKNOWN.len() - 1])),
        ("a JWT", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.".to_owned()),
        ("too long", format!("ks_{}", "a".repeat(4_000))),
        ("disabled", disabled),
        ("never enabled", make(born_disabled).await.0),
        ("expired", expired_key(world).await),
        ("deleted", deleted),
        ("rotated out", rotated),
        ("rotated out, then finished", finished),
    ]
}

/// A key that has just ended: the end of the present second was its end.
async fn expired_key(world: &World) -> String {
    let key = loop {
        let end = second(world, 0).await;
        let new = json!({ "name": "expired", "role_ids": [1], "expires_at": end });
        let made = world.admin.post("/api/v1/api-keys", new).await;
        if made.status == 201 {
            break made.text_of("key").to_owned();
        }
    };
    until_refused(world, &key).await;
    key
}

/// The end of the present second by the server's clock, or of one so many seconds later, which is in
/// the same minute.
pub async fn second(world: &World, later: u8) -> String {
    loop {
        let tried = json!({ "name": "what time is it" });
        let tried = world.admin.post("/api/v1/api-keys?dry_run=true", tried).await.expect(200);
        let (minute, second) = tried.text_of("created_at").split_at(17);
        let second: u8 = second[..2].parse().unwrap();
        if second + later < 60 {
            return format!("{minute}{:02}.999Z", second + later);
        }
    }
}

/// Asks with a credential until it is refused.
pub async fn until_refused(world: &World, secret: &str) {
    let api = world.admin.with(Caller::Bearer(secret.to_owned()));
    until("it is refused", async || api.get("/api/v1/me").await.status != 200).await;
}

/// What a refusal tells, but for the name of its request.
pub fn told(refusal: &Answer) -> (Value, Vec<(String, String)>) {
    (without_request_id(refusal), head(refusal))
}

/// The headers, but for those that name the request and its time, and for the one that tells whether
/// its body had come when it was answered.
fn head(answer: &Answer) -> Vec<(String, String)> {
    let headers = answer.headers.iter();
    let told = headers
        .filter(|(name, _)| !["connection", "date", "x-request-id"].contains(&name.as_str()));
    let mut told: Vec<_> =
        told.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    told.sort();
    told
}

/// Well-formed, and never issued.
pub const UNKNOWN: &str = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH";
const HUGE: usize = 2 * 1024 * 1024;
