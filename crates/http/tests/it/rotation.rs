//! The old secret of a rotated key ends when it was said, or when somebody says otherwise.

use acceptance::{Database, on_each_database};
use serde_json::json;

use crate::stage::{Stage, text_at};

on_each_database! {
    async fn without_an_overlap_the_old_secret_ends_at_once(database: Database) {
        let stage = Stage::new(database).await;
        let (path, old) = stage.admin().new_key(json!({"name": "k"})).await;

        let new = stage.admin().rotate(&path, json!({})).await;

        works(&stage, &new).await;
        ended(&stage, &old).await;
    }

    async fn the_old_secret_works_until_the_overlap_is_over(database: Database) {
        let stage = Stage::new(database).await;
        let (path, old) = stage.admin().new_key(json!({"name": "k"})).await;
        let new = stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;
        assert_eq!(old_end(&stage, &path).await, text_at(60_000));

        stage.set_clock(59_999);
        works(&stage, &old).await;
        works(&stage, &new).await;

        stage.set_clock(60_000);
        ended(&stage, &old).await;
        works(&stage, &new).await;
        assert_eq!(old_end(&stage, &path).await, text_at(60_000));
    }

    async fn rotating_again_ends_the_older_secret(database: Database) {
        let stage = Stage::new(database).await;
        let (path, first) = stage.admin().new_key(json!({"name": "k"})).await;
        let second = stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;

        let third = stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;

        ended(&stage, &first).await;
        works(&stage, &second).await;
        works(&stage, &third).await;
    }

    async fn a_rotation_that_is_finished_cannot_be_extended(database: Database) {
        let stage = Stage::new(database).await;
        let (path, old) = stage.admin().new_key(json!({"name": "k"})).await;
        stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;
        stage.set_clock(1_000);

        let finished = stage.admin().post(&format!("{path}/rotation/finish"), json!({})).await;

        assert_eq!(finished.expect(200).text("old_secret_expires_at"), text_at(1_000));
        ended(&stage, &old).await;
        extend(&stage, &path, 60, 409).await;
    }

    async fn an_extension_counts_from_now(database: Database) {
        let stage = Stage::new(database).await;
        let (path, old) = stage.admin().new_key(json!({"name": "k"})).await;
        stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;
        stage.set_clock(50_000);

        extend(&stage, &path, 30, 200).await;

        stage.set_clock(79_999);
        works(&stage, &old).await;
        stage.set_clock(80_000);
        ended(&stage, &old).await;
    }

    async fn a_secret_that_has_ended_stays_ended(database: Database) {
        let stage = Stage::new(database).await;
        let (path, old) = stage.admin().new_key(json!({"name": "k"})).await;
        stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;
        stage.set_clock(60_000);

        extend(&stage, &path, 60, 409).await;

        ended(&stage, &old).await;
    }
}

async fn extend(stage: &Stage, path: &str, seconds: u32, status: u16) {
    let body = json!({"overlap_seconds": seconds});
    stage.admin().post(&format!("{path}/rotation/extend"), body).await.expect(status);
}

async fn old_end(stage: &Stage, path: &str) -> String {
    let rotation = stage.admin().get(&format!("{path}/rotation")).await.expect(200);
    rotation.text("old_secret_expires_at").to_owned()
}

async fn works(stage: &Stage, secret: &str) {
    stage.client(secret).get("/api/v1/me").await.expect(200);
}

async fn ended(stage: &Stage, secret: &str) {
    stage.client(secret).get("/api/v1/me").await.expect(401);
}
