//! No secret is ever seen but in the one answer that issues it: not in another answer, not in any
//! log at its most talkative, not in the database, not in a file.

use std::{fs, path::Path};

use acceptance::{Answer, Caller, Database, Options, on_each_database};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio_postgres::NoTls;

use super::world::{World, answer};

on_each_database! {
    async fn a_secret_is_in_the_one_answer_that_issues_it_and_nowhere_else(database: Database) {
        let options = Options::on(&database).env("KEYSTILE_LOG", "trace");
        let world = World::with(&options).await;
        let secrets = issue(&world).await;
        assert!(secrets.len() >= 8, "only {}", secrets.len());

        for (number, secret) in secrets.iter().enumerate() {
            use_everywhere(&world, secret, number == 0, &secrets).await;
            misplace(&world, secret).await;
        }

        if let Database::Postgres(url) = &database {
            assert_silent(&dump(url).await, &secrets, "a table");
        }
        let ended = world.server.stop().await;
        assert!(ended.stderr.contains("DEBUG") && ended.stderr.contains("refused"), "{ended:?}");
        assert_silent(ended.stdout.as_bytes(), &secrets, "standard output");
        assert_silent(ended.stderr.as_bytes(), &secrets, "standard error");
        let mut files = 0;
        for file in fs::read_dir(options.data()).unwrap().map(|entry| entry.unwrap().path()) {
            if !is_for_secrets(&file) {
                assert_silent(&fs::read(&file).unwrap(), &secrets, &file.display().to_string());
                files += 1;
            }
        }
        assert!(files > 0 || matches!(database, Database::Postgres(_)), "no file was looked at");
    }
}

/// Secrets made in every way there is, the first of them that of an administrator.
async fn issue(world: &World) -> Vec<String> {
    let mut secrets = vec![world.server.admin_key()];
    let mut keep = |answer: &Answer| secrets.push(answer.text_of("key").to_owned());
    let new = json!({ "name": "made", "role_ids": [4], "external_id": "made" });
    let made = world.admin.post("/api/v1/api-keys", new.clone()).await.expect(201);
    keep(&made);
    let repeated = || {
        let create = world.admin.request(Method::POST, "/api/v1/api-keys").json(&new);
        answer(create.header("idempotency-key", "once"))
    };
    keep(&repeated().await.expect(201));
    assert_eq!(repeated().await.expect(201).header("idempotency-replayed"), "true");
    let path = format!("/api/v1/api-keys/{}", made.text_of("id"));
    for overlap in [3_600, 3_600, 0] {
        let overlap = json!({ "overlap_seconds": overlap });
        keep(&world.admin.post(&format!("{path}/rotate"), overlap).await.expect(200));
    }
    let many = json!({ "api_keys": [{ "name": "one" }, { "name": "" }, { "name": "two" }] });
    let many = world.admin.post("/api/v1/api-keys/batch", many).await.expect(200);
    let made = many.body["data"].as_array().unwrap().iter();
    secrets.extend(made.filter_map(|key| Some(key["key"].as_str()?.to_owned())));
    secrets
}

/// Every operation with this key, where it belongs; and every one about it.
async fn use_everywhere(world: &World, secret: &str, is_admin: bool, secrets: &[String]) {
    for caller in [Caller::Header(secret.to_owned()), Caller::Bearer(secret.to_owned())] {
        let api = world.admin.with(caller);
        for operation in &world.operations {
            search(world.request(&api, operation), secrets).await;
        }
        if is_admin {
            search(api.request(Method::GET, "/api/v1/api-keys?limit=100"), secrets).await;
            search(api.request(Method::GET, "/api/v1/audit-events?limit=100"), secrets).await;
        }
    }
    for strict in [false, true] {
        let question = json!({ "credential": secret, "explain": true, "strict": strict });
        let ask = world.admin.request(Method::POST, "/api/v1/verify").json(&question);
        search(ask, secrets).await;
    }
    let many = json!({ "checks": [{ "credential": secret }] });
    search(world.admin.request(Method::POST, "/api/v1/verify/batch").json(&many), secrets).await;
}

/// Every operation with the key where it does not belong. Only the logs are searched afterwards:
/// what somebody names a member is told to them.
async fn misplace(world: &World, secret: &str) {
    let bearer = format!("Bearer {secret} {secret}");
    for operation in &world.operations {
        let target = world.target(operation);
        let query = if target.contains('?') { "&" } else { "?" };
        let method = || operation.method.clone();
        let mut asked = vec![
            world.admin.request(method(), &format!("{target}{query}apiKey={secret}")),
            world.admin.request(method(), &format!("{target}{query}{secret}={secret}")),
            world.admin.request(method(), &operation.dry_target(secret)),
            world.admin.request(method(), &format!("/{secret}{target}")),
            world.admin.request(method(), &format!("/api/v1/{secret}/x?{secret}")),
            world.admin.request(secret.parse().unwrap(), &target),
        ];
        for name in HEADERS {
            asked.push(world.request(&world.admin, operation).header(name, secret));
        }
        asked.push(world.request(&world.anonymous(), operation).header("authorization", &bearer));
        asked.push(world.request(&world.anonymous(), operation).header("authorization", secret));
        for body in [
            format!("{{\"name\": \"{secret}\""),
            format!("{{\"{secret}\": \"{secret}\"}}"),
            format!("{{\"name\": [\"{secret}\"], \"role_ids\": \"{secret}\"}}"),
            format!("{{\"name\": 1, \"credential\": {secret}}}"),
            format!("{{\"checks\": [{{\"credential\": \"{secret}\", \"ip\": \"{secret}\"}}]}}"),
            secret.to_owned(),
            format!("\"{secret}\""),
        ] {
            let json = [("content-type", "application/json"), ("accept", "*/*")];
            let request = world.admin.request(method(), &target).body(body);
            asked.push(json.iter().fold(request, |it, (name, value)| it.header(*name, *value)));
        }
        for request in asked {
            answer(request).await;
        }
    }
    let named = world.admin.request(Method::GET, "/api/v1/me").header("x-request-id", secret);
    answer(named).await.expect(400);
}

/// Asks, and looks through every byte of the answer.
async fn search(request: RequestBuilder, secrets: &[String]) {
    let mut answer = answer(request).await;
    // A rotation in earnest is the one operation here that issues.
    if answer.body["key"].is_string() {
        answer.body["key"] = Value::Null;
        answer.text = answer.body.to_string();
    }
    assert_silent(answer.to_string().as_bytes(), secrets, "an answer");
}

/// Panics if the bytes contain a good part of a secret, as it is or in hexadecimal. What people
/// recognise a key by, its first nine characters, is no good part.
#[track_caller]
fn assert_silent(bytes: &[u8], secrets: &[String], place: &str) {
    let contains = |needle: &str| bytes.windows(needle.len()).any(|it| it == needle.as_bytes());
    for secret in secrets {
        let part = &secret[9..21];
        let hex: String = part.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!contains(part) && !contains(&hex), "{secret} in {place}");
    }
}

/// Every row of every table, as text.
async fn dump(url: &str) -> Vec<u8> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let tables = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'";
    let mut dump = String::new();
    for table in client.query(tables, &[]).await.unwrap() {
        let table: String = table.get(0);
        let rows = format!("SELECT row::text FROM {table} AS row");
        for row in client.query(&rows, &[]).await.unwrap() {
            dump += row.get(0);
        }
    }
    assert!(dump.contains("ks_"), "the dump is empty");
    dump.into_bytes()
}

/// Whether a file is there to hold secrets.
fn is_for_secrets(file: &Path) -> bool {
    ["first-admin", "master.key"].iter().any(|name| file.ends_with(name))
}

const HEADERS: [&str; 12] = [
    "accept",
    "content-type",
    "cookie",
    "forwarded",
    "idempotency-key",
    "if-match",
    "referer",
    "user-agent",
    "x-api-token",
    "x-forwarded-for",
    "x-forwarded-proto",
    "proxy-authorization",
];
