//! `Idempotency-Key`: a request that is sent twice is done once.

use std::fs;

use acceptance::{Answer, Api, Database, Key, Server, on_each_database, started};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_postgres::{NoTls, SimpleQueryMessage};

use super::{KEY_MANAGER, KEYS, ME, ROLES, each, everything, head};

on_each_database! {
    async fn the_same_request_gets_the_same_answer_and_makes_one_key(database: Database) {
        let (_server, admin) = started(&database).await;

        let first = send(&admin, KEYS, "order-1", json!({ "name": "CI" })).await.expect(201);
        let before = everything(&admin).await;
        let again = send(&admin, KEYS, "order-1", json!({ "name": "CI" })).await.expect(201);

        assert_eq!(again.text, first.text);
        for name in ["location", "etag", "content-type", "cache-control"] {
            assert_eq!(again.header(name), first.header(name), "{name}");
        }
        assert_eq!((first.header(REPLAYED), again.header(REPLAYED)), ("", "true"));
        Key::of(&again).api(&admin).get(ME).await.expect(200);
        assert_eq!(everything(&admin).await, before);
    }

    async fn rotations_batches_and_roles_are_repeated_too(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[]).await;
        let batch = json!({ "api_keys": [{ "name": "one" }, { "name": "" }] });

        for (path, body) in [
            (key.at("/rotate"), json!({ "overlap_seconds": 60 })),
            (format!("{KEYS}/batch"), batch),
            (ROLES.to_owned(), json!({ "name": "billing" })),
        ] {
            let first = send(&admin, &path, &path, body.clone()).await;
            assert!(first.status.is_success(), "{first}");
            let before = everything(&admin).await;
            let again = send(&admin, &path, &path, body).await;
            assert_eq!((again.status, &again.text), (first.status, &first.text), "{path}");
            assert_eq!(again.header(REPLAYED), "true");
            assert_eq!(everything(&admin).await, before);
        }
    }

    async fn another_request_under_the_same_key_is_refused(database: Database) {
        let (_server, admin) = started(&database).await;
        let [one, two] =
            [Key::holding(&admin, "one", &[]).await, Key::holding(&admin, "two", &[]).await];
        send(&admin, KEYS, "create", json!({ "name": "CI" })).await.expect(201);
        send(&admin, &one.at("/rotate"), "rotate", json!({})).await.expect(200);
        let before = everything(&admin).await;

        for (path, key, body) in [
            (KEYS.to_owned(), "create", json!({ "name": "other" })),
            (ROLES.to_owned(), "create", json!({ "name": "CI" })),
            (format!("{KEYS}/batch"), "create", json!({ "api_keys": [{ "name": "CI" }] })),
            (two.at("/rotate"), "rotate", json!({})),
            (one.at("/rotate"), "rotate", json!({ "overlap_seconds": 60 })),
        ] {
            let answer = send(&admin, &path, key, body).await.expect(422);
            answer.problem("idempotency_key_reused");
        }
        assert_eq!(everything(&admin).await, before);
    }

    async fn each_caller_has_keys_of_its_own(database: Database) {
        let (_server, admin) = started(&database).await;
        let other = Key::holding(&admin, "other", &[KEY_MANAGER]).await.api(&admin);

        let mine = send(&admin, KEYS, "order-1", json!({ "name": "CI" })).await.expect(201);
        let theirs = send(&other, KEYS, "order-1", json!({ "name": "CI" })).await.expect(201);

        assert_eq!(theirs.header(REPLAYED), "");
        assert_ne!(Key::of(&mine).secret, Key::of(&theirs).secret);
    }

    async fn a_refused_request_may_be_mended(database: Database) {
        let (_server, admin) = started(&database).await;

        send(&admin, KEYS, "order-1", json!({ "name": "" })).await.expect(422);
        let path = format!("{KEYS}?dry_run=true");
        send(&admin, &path, "order-1", json!({ "name": "CI" })).await.expect(200);

        let made = send(&admin, KEYS, "order-1", json!({ "name": "CI" })).await.expect(201);
        assert_eq!(made.header(REPLAYED), "");
        // A dry run is no repetition, whatever its key is.
        let dry = send(&admin, &path, "order-1", json!({ "name": "CI" })).await.expect(200);
        assert_eq!(dry.body["key"], Value::Null);
    }

    async fn forty_at_once_make_one_key(database: Database) {
        let (_server, admin) = started(&database).await;

        let repeats: Vec<_> = (0..40)
            .map(|_| {
                let admin = admin.clone();
                tokio::spawn(
                    async move { send(&admin, KEYS, "once", json!({ "name": "CI" })).await },
                )
            })
            .collect();
        let mut answers = Vec::new();
        for repeat in repeats {
            answers.push(repeat.await.unwrap().expect(201));
        }

        assert!(answers.iter().all(|answer| answer.text == answers[0].text));
        let first = answers.iter().filter(|answer| answer.header(REPLAYED).is_empty());
        assert_eq!(first.count(), 1);
        let list = admin.get(&format!("{KEYS}?name=CI")).await.expect(200);
        assert_eq!(each(&list, "id"), [answers[0].text_of("id")]);
    }

    async fn a_repetition_is_known_after_a_restart(database: Database) {
        let (server, admin) = started(&database).await;
        let first = send(&admin, KEYS, "order-1", json!({ "name": "CI" })).await.expect(201);

        let server = server.restart().await;

        let again = send(&server.admin(), KEYS, "order-1", json!({ "name": "CI" })).await;
        assert_eq!(again.expect(201).text, first.text);
    }

    async fn the_database_holds_neither_the_secret_nor_the_idempotency_key(database: Database) {
        let (server, admin) = started(&database).await;
        let made = send(&admin, KEYS, "order-of-the-canary", json!({ "name": "canary" })).await;
        let key = Key::of(&made.expect(201));
        let rotated = send(&admin, &key.at("/rotate"), "turn-of-the-canary", json!({})).await;
        let rotated = Key::of(&rotated.expect(200));
        let admin_key = server.admin_key();

        let stored = stored(&database, &server).await;

        assert!(contains(&stored, &key.id), "the look would find what is there");
        for secret in [&key.secret, &rotated.secret, &admin_key] {
            assert!(!contains(&stored, &secret[9..]), "a secret is in the database");
            assert!(contains(&stored, &secret[..9]), "its beginning is");
        }
        for name in ["order-of-the-canary", "turn-of-the-canary"] {
            assert!(!contains(&stored, name), "{name} is in the database");
        }
    }

    async fn whoever_may_no_longer_ask_gets_no_kept_answer(database: Database) {
        let (_server, admin) = started(&database).await;
        let asker = Key::holding(&admin, "asker", &[KEY_MANAGER]).await;
        let body = json!({ "name": "CI" });
        send(&asker.api(&admin), KEYS, "order-1", body.clone()).await.expect(201);

        let rotated = admin.post(&asker.at("/rotate"), json!({})).await.expect(200);
        send(&asker.api(&admin), KEYS, "order-1", body.clone()).await.expect(401);
        let asker = Key::of(&rotated);
        let before = head(&admin).await;
        // The answer is kept under the secret of that time, which nobody has here any more.
        let again = send(&asker.api(&admin), KEYS, "order-1", body.clone()).await.expect(409);
        assert!(!again.problem("conflict").text.contains("ks_"));
        assert_eq!(head(&admin).await, before);

        admin.patch(&asker.at(""), json!({ "role_ids": [] })).await.expect(200);
        send(&asker.api(&admin), KEYS, "order-1", body).await.expect(403);
    }

    async fn a_header_that_is_no_key_is_refused(database: Database) {
        let (_server, admin) = started(&database).await;
        let before = everything(&admin).await;

        for text in ["", "a b", "\u{e4}", &"x".repeat(256)] {
            send(&admin, KEYS, text, json!({ "name": "CI" })).await.expect(400);
        }
        let twice = admin.request(Method::POST, KEYS).json(&json!({ "name": "CI" }));
        let twice = twice.header(IDEMPOTENCY_KEY, "a").header(IDEMPOTENCY_KEY, "a");
        Answer::to(twice).await.unwrap().expect(400).problem("bad_request");

        assert_eq!(everything(&admin).await, before);
        send(&admin, KEYS, &"x".repeat(255), json!({ "name": "CI" })).await.expect(201);
    }
}

async fn send(api: &Api, path: &str, key: &str, body: Value) -> Answer {
    let request = api.request(Method::POST, path).header(IDEMPOTENCY_KEY, key);
    Answer::to(request.json(&body)).await.unwrap()
}

/// All that the database keeps, as bytes.
async fn stored(database: &Database, server: &Server) -> Vec<u8> {
    match database {
        Database::Postgres(url) => dump(url).await,
        Database::Sqlite => ["keystile.db", "keystile.db-wal"]
            .map(|name| fs::read(server.options().data().join(name)).unwrap())
            .concat(),
    }
}

/// Every row of every table as text, with what stands in binary columns read as text too.
async fn dump(url: &str) -> Vec<u8> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let all = "SELECT query_to_xml(format('SELECT * FROM %I', tablename), true, true, '')::text
        FROM pg_tables WHERE schemaname = 'public'";
    client.batch_execute("SET bytea_output = 'escape'; SET xmlbinary = 'hex'").await.unwrap();
    let mut text = String::new();
    for message in client.simple_query(all).await.unwrap() {
        if let SimpleQueryMessage::Row(row) = message {
            text.push_str(row.get(0).unwrap_or_default());
        }
    }
    text.into_bytes()
}

/// Whether the bytes contain the text, as it is or in hexadecimal.
fn contains(bytes: &[u8], text: &str) -> bool {
    let hex: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    has(text) || has(&hex) || has(&hex.to_lowercase())
}

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const REPLAYED: &str = "idempotency-replayed";
