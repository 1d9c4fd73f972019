//! The formats of keys: remembered as long as a key that lives has them.

use acceptance::{Database, on_each_database};
use actix_web::http::Method;
use serde_json::{Value, json};

use crate::stage::Stage;

on_each_database! {
    async fn a_format_is_forgotten_with_the_last_key_of_it(database: Database) {
        let stage = Stage::new(database).await;
        let provider = provider(&stage, "one_").await;
        let (path, first) = new_key(&stage).await;
        let (last_path, last) = new_key(&stage).await;
        change_prefix(&stage, &provider, "two_").await;
        let (_, new) = new_key(&stage).await;

        delete(&stage, &path).await;
        forget(&stage).await;
        assert_eq!(code(&stage, &first).await, "deleted");
        assert_eq!(code(&stage, &last).await, "valid");

        delete(&stage, &last_path).await;
        assert_eq!(code(&stage, &last).await, "deleted");
        forget(&stage).await;
        assert_eq!(code(&stage, &first).await, "malformed");
        assert_eq!(code(&stage, &last).await, "malformed");
        assert_eq!(code(&stage, &new).await, "valid");
        assert_eq!(forgotten(&stage).await, ["base62/32/one_"]);
    }

    async fn the_format_of_a_provider_is_never_forgotten(database: Database) {
        let stage = Stage::new(database).await;
        provider(&stage, "one_").await;
        let (path, key) = new_key(&stage).await;
        delete(&stage, &path).await;
        forget(&stage).await;
        assert_eq!(code(&stage, &key).await, "deleted");
        assert_eq!(forgotten(&stage).await, [""; 0]);
    }

    async fn an_old_secret_keeps_its_format_until_it_ends(database: Database) {
        let stage = Stage::new(database).await;
        let provider = provider(&stage, "one_").await;
        let (path, old) = new_key(&stage).await;
        change_prefix(&stage, &provider, "two_").await;
        let new = stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;

        stage.set_clock(59_999);
        forget(&stage).await;
        assert_eq!(code(&stage, &old).await, "valid");

        stage.set_clock(60_000);
        forget(&stage).await;
        assert_eq!(code(&stage, &old).await, "malformed");
        assert_eq!(code(&stage, &new).await, "valid");
    }

    async fn an_expired_or_disabled_key_keeps_its_format(database: Database) {
        let stage = Stage::new(database).await;
        let provider = provider(&stage, "one_").await;
        let (path, key) = new_key(&stage).await;
        change_prefix(&stage, &provider, "two_").await;
        stage.admin().patch(&path, json!({"enabled": false})).await.expect(200);
        forget(&stage).await;
        assert_eq!(code(&stage, &key).await, "disabled");
        stage.admin().patch(&path, json!({"enabled": true})).await.expect(200);
        assert_eq!(code(&stage, &key).await, "valid");
    }

    async fn a_key_that_was_brought_along_keeps_the_format_that_it_fits(database: Database) {
        let stage = Stage::new(database).await;
        let elsewhere = Stage::new(Database::Sqlite).await;
        provider(&elsewhere, "one_").await;
        let (_, key) = new_key(&elsewhere).await;
        let provider = provider(&stage, "one_").await;
        let brought = json!({"name": "k", "provider": "moving", "key": key});
        let brought = stage.admin().post("/api/v1/api-keys", brought).await.expect(201);
        let path = format!("/api/v1/api-keys/{}", brought.text("id"));
        change_prefix(&stage, &provider, "two_").await;
        forget(&stage).await;
        assert_eq!(code(&stage, &key).await, "valid");
        delete(&stage, &path).await;
        forget(&stage).await;
        assert_eq!(code(&stage, &key).await, "malformed");
    }
}

async fn provider(stage: &Stage, prefix: &str) -> String {
    let new = json!({"name": "moving", "kind": "api_key", "prefix": prefix});
    let made = stage.admin().post("/api/v1/providers", new).await.expect(201);
    format!("/api/v1/providers/{}", made.text("id"))
}

async fn change_prefix(stage: &Stage, provider: &str, prefix: &str) {
    stage.admin().patch(provider, json!({"prefix": prefix})).await.expect(200);
}

async fn new_key(stage: &Stage) -> (String, String) {
    stage.admin().new_key(json!({"name": "k", "provider": "moving"})).await
}

async fn delete(stage: &Stage, path: &str) {
    stage.admin().send(stage.admin().request(Method::DELETE, path)).await.expect(204);
}

/// What the server does every hour.
async fn forget(stage: &Stage) {
    stage.state.keystile.forget_unused_formats().await.unwrap();
}

/// What `/verify` says of a text.
async fn code(stage: &Stage, text: &str) -> String {
    let verdict = stage.admin().post("/api/v1/verify", json!({"credential": text})).await;
    verdict.expect(200).text("code").to_owned()
}

/// The formats that the audit log says were forgotten.
async fn forgotten(stage: &Stage) -> Vec<String> {
    let told = stage.admin().get("/api/v1/audit-events?action=format.forgotten").await.expect(200);
    let names = told.body["data"].as_array().unwrap().iter().map(|event| &event["target"]["id"]);
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}
