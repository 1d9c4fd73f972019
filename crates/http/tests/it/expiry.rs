//! Keys end at their moment, to the millisecond.

use acceptance::{Database, on_each_database};
use serde_json::json;

use crate::stage::{Stage, text_at};

on_each_database! {
    async fn a_key_works_until_the_last_millisecond_before_its_end(database: Database) {
        let stage = Stage::new(database).await;
        let (_, key) = stage.admin().new_key(json!({"name": "k", "expires_at": text_at(500)})).await;

        stage.set_clock(499);
        stage.client(&key).get("/api/v1/me").await.expect(200);
        assert_eq!(verdict(&stage, &key).await, "valid");

        stage.set_clock(500);
        stage.client(&key).get("/api/v1/me").await.expect(401);
        assert_eq!(verdict(&stage, &key).await, "expired");
    }

    async fn an_end_that_has_come_is_refused(database: Database) {
        let stage = Stage::new(database).await;
        let ending = |offset| json!({"name": "k", "expires_at": text_at(offset)});

        let refused = stage.admin().post("/api/v1/api-keys", ending(0)).await;
        refused.refuses("/expires_at", "must be in the future");
        stage.admin().new_key(ending(1)).await;
    }

    async fn an_expired_key_works_again_once_its_end_is_moved_or_taken_away(database: Database) {
        let stage = Stage::new(database).await;
        let admin = stage.admin();
        let (path, key) = admin.new_key(json!({"name": "k", "expires_at": text_at(500)})).await;
        stage.set_clock(600);

        admin.patch(&path, json!({"expires_at": text_at(700)})).await.expect(200);
        stage.client(&key).get("/api/v1/me").await.expect(200);

        stage.set_clock(700);
        stage.client(&key).get("/api/v1/me").await.expect(401);
        admin.patch(&path, json!({"expires_at": null})).await.expect(200);
        stage.client(&key).get("/api/v1/me").await.expect(200);
    }

    async fn a_key_never_makes_one_that_outlives_it(database: Database) {
        let stage = Stage::new(database).await;
        let maker = json!({"name": "maker", "role_ids": [2], "expires_at": text_at(500)});
        let (_, maker) = stage.admin().new_key(maker).await;
        let maker = stage.client(&maker);
        let rule = "must not be later than the end of the credential that asks";

        let made = maker.post("/api/v1/api-keys", json!({"name": "child"})).await.expect(201);
        assert_eq!(made.text("expires_at"), text_at(500));
        for end in [json!(text_at(501)), json!(null)] {
            let child = json!({"name": "child", "expires_at": end});
            maker.post("/api/v1/api-keys", child).await.refuses("/expires_at", rule);
        }
    }

    async fn the_audit_log_has_the_time_of_each_change(database: Database) {
        let stage = Stage::new(database).await;
        stage.set_clock(1_234);
        let (path, _) = stage.admin().new_key(json!({"name": "k"})).await;
        stage.set_clock(5_678);
        stage.admin().patch(&path, json!({"enabled": false})).await.expect(200);

        let events = stage.admin().get("/api/v1/audit-events?limit=2").await.expect(200);

        let times = [0, 1].map(|event| events.body["data"][event]["at"].clone());
        assert_eq!(times, [text_at(5_678), text_at(1_234)]);
    }
}

/// The code that `/verify` gives to a key.
async fn verdict(stage: &Stage, key: &str) -> String {
    let question = json!({"credential": key});
    stage.admin().post("/api/v1/verify", question).await.expect(200).text("code").to_owned()
}
