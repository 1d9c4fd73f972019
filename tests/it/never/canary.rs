//! No secret is ever seen but in the one answer that issues it: not in another answer, not in any
//! log at its most talkative, not in the database, not in a file.

mod secrets;

use std::{fs, path::Path};

use acceptance::{Api, Caller, Database, Options, on_each_database};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio_postgres::NoTls;

use self::secrets::issue;
use super::{
    operations::with_query,
    world::{World, answer},
};

on_each_database! {
    async fn a_secret_is_in_the_one_answer_that_issues_it_and_nowhere_else(database: Database) {
        let options = Options::on(&database).env("KEYSTILE_LOG", "trace");
        let world = World::with(&options).await;
        let kinds = issue(&world).await;
        let secrets: Vec<_> = kinds.iter().flatten().cloned().collect();
        assert!(secrets.len() >= 24, "only {}", secrets.len());

        for api in [&world.admin, &world.root] {
            read_everything(&world, api, &secrets).await;
        }
        for secret in &secrets {
            use_everywhere(&world, secret, &secrets).await;
        }
        for kind in &kinds {
            misplace_in_bodies(&world, &kind[0]).await;
        }
        // A password has no shape by which it could be known in a path.
        for kind in kinds.iter().filter(|kind| kind[0].len() > 40) {
            misplace(&world, &kind[0]).await;
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

/// Everything that can be read, with as much on a page as possible.
async fn read_everything(world: &World, api: &Api, secrets: &[String]) {
    for operation in world.operations.iter().filter(|operation| operation.method == Method::GET) {
        let limit = if operation.takes("limit") { "limit=100" } else { "" };
        let target = with_query(&world.target(operation), limit);
        search(api.request(Method::GET, &target), secrets).await;
    }
}

/// Every operation with this secret as a credential, and every question that can be asked about it.
async fn use_everywhere(world: &World, secret: &str, secrets: &[String]) {
    for caller in [Caller::Header(secret.to_owned()), Caller::Bearer(secret.to_owned())] {
        let api = world.admin.with(caller);
        for operation in &world.operations {
            search(world.request(&api, operation), secrets).await;
        }
    }
    let credential = json!({ "credential": secret, "explain": true });
    let strict = json!({ "credential": secret, "explain": true, "strict": true });
    let many = json!({ "checks": [{ "credential": secret }] });
    let typed = json!({ "username": secret, "password": secret });
    let replaced = json!({ "current_password": secret, "new_password": secret });
    for (method, path, body) in [
        (Method::POST, "/api/v1/verify", credential),
        (Method::POST, "/api/v1/verify", strict),
        (Method::POST, "/api/v1/verify/batch", many),
        (Method::POST, "/api/v1/auth/login", typed),
        (Method::PUT, "/api/v1/me/password?dry_run=true", replaced),
    ] {
        search(world.root.request(method, path).json(&body), secrets).await;
    }
    let exchange = ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
    let kind = ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token");
    let client = ("grant_type", "client_credentials");
    let powerless = world.admin.with(Caller::Bearer(world.key_with_roles(json!([])).await));
    for (api, path, form) in [
        (&world.root, "/oauth2/introspect", vec![("token", secret)]),
        (&powerless, "/oauth2/revoke", vec![("token", secret)]),
        (&world.anonymous(), "/oauth2/token", vec![exchange, kind, ("subject_token", secret)]),
        (&world.anonymous(), "/oauth2/token", vec![client, ("client_secret", secret)]),
        (&world.anonymous(), "/oauth2/token", vec![("grant_type", secret), (secret, secret)]),
    ] {
        search(api.request(Method::POST, path).form(&form), secrets).await;
    }
}

/// Every operation with a credential in its target or headers, where it does not belong. Only the
/// logs are searched afterwards: what somebody names a member is told to them.
async fn misplace(world: &World, secret: &str) {
    let bearer = format!("Bearer {secret} {secret}");
    for operation in &world.operations {
        let target = world.target(operation);
        let query = if target.contains('?') { "&" } else { "?" };
        let method = || operation.method.clone();
        let places = vec![secret; operation.places().len()];
        let mut asked = vec![
            world.admin.request(method(), &format!("{target}{query}apiKey={secret}")),
            world.admin.request(method(), &format!("{target}{query}{secret}={secret}")),
            world.admin.request(method(), &operation.dry_target(&places)),
            world.admin.request(method(), &format!("/{secret}{target}")),
            world.admin.request(method(), &format!("/api/v1/{secret}/x?{secret}")),
            world.admin.request(secret.parse().unwrap(), &target),
        ];
        for name in HEADERS {
            asked.push(world.request(&world.admin, operation).header(name, secret));
        }
        asked.push(world.request(&world.anonymous(), operation).header("authorization", &bearer));
        asked.push(world.request(&world.anonymous(), operation).header("authorization", secret));
        for request in asked {
            answer(request).await;
        }
    }
    // A name has no underscore and is not long, so no key and no token is one.
    if secret.contains('_') {
        let named = world.admin.request(Method::GET, "/api/v1/me").header("x-request-id", secret);
        answer(named).await.expect(400);
    }
}

/// Every operation with a secret in its body, where it does not belong.
async fn misplace_in_bodies(world: &World, secret: &str) {
    for operation in &world.operations {
        for body in [
            format!("{{\"name\": \"{secret}\""),
            format!("{{\"{secret}\": \"{secret}\"}}"),
            format!("{{\"name\": [\"{secret}\"], \"role_ids\": \"{secret}\"}}"),
            format!("{{\"name\": 1, \"credential\": {secret}}}"),
            format!("{{\"username\": \"{secret}\", \"password\": [\"{secret}\"]}}"),
            format!("{{\"refresh_token\": {{\"{secret}\": \"{secret}\"}}}}"),
            format!("{{\"checks\": [{{\"credential\": \"{secret}\", \"ip\": \"{secret}\"}}]}}"),
            secret.to_owned(),
            format!("\"{secret}\""),
        ] {
            let kind = operation.content().map_or("application/json", |(kind, _)| kind);
            let request = world.root.request(operation.method.clone(), &world.target(operation));
            answer(request.header("content-type", kind).body(body)).await;
        }
    }
}

/// Asks, and looks through every byte of the answer.
async fn search(request: RequestBuilder, secrets: &[String]) {
    assert_silent(answer(request).await.to_string().as_bytes(), secrets, "an answer");
}

/// Panics if the bytes contain a good part of a secret, as it is or in hexadecimal: one near its end.
/// What people recognise a key by is at its beginning, and all tokens of a server begin alike.
#[track_caller]
fn assert_silent(bytes: &[u8], secrets: &[String], place: &str) {
    let text = String::from_utf8_lossy(bytes);
    for secret in secrets {
        let part = &secret[secret.len() - 16..secret.len() - 4];
        let hex: String = part.bytes().map(|byte| format!("{byte:02x}")).collect();
        for found in [part, &hex] {
            let line = text.lines().find(|line| line.contains(found));
            assert_eq!(line, None, "{secret} in {place}");
        }
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
