//! The old secret of a rotated key or token ends when it was said, or when somebody says otherwise.

use acceptance::{Database, on_each_database};
use actix_web::http::Method;
use serde_json::{Value, json};

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

    async fn a_key_keeps_the_old_secret_alive_of_none_that_outlives_it(database: Database) {
        let stage = Stage::new(database).await;
        let (path, _) = stage.admin().new_key(json!({"name": "k"})).await;
        stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;
        let short = json!({"name": "short", "role_ids": [2], "expires_at": text_at(500_000)});
        let (_, short) = stage.admin().new_key(short).await;
        let short = stage.client(&short);

        let body = json!({"overlap_seconds": 60});
        short.post(&format!("{path}/rotate"), body.clone()).await.expect(403);
        short.post(&format!("{path}/rotation/extend"), body).await.expect(403);
        short.post(&format!("{path}/rotation/finish"), json!({})).await.expect(200);
    }

    async fn who_still_shows_the_old_secret_is_told_until_another_takes_its_place(
        database: Database
    ) {
        let stage = Stage::new(database).await;
        let (path, old) = stage.admin().new_key(json!({"name": "k"})).await;
        stage.client(&old).get("/api/v1/me").await.expect(200);
        assert_eq!(uses(&stage, &path).await, json!([]));
        let new = stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;
        works(&stage, &new).await;
        for moment in [1_000, 2_000] {
            stage.set_clock(moment);
            let request = stage.client(&old).request(Method::GET, "/api/v1/me");
            let request = request.insert_header(("User-Agent", format!("agent {old}")));
            stage.answer(request).await.expect(200);
        }
        let question = json!({"credential": old, "ip": "2001:db8::1"});
        stage.admin().post("/api/v1/verify", question).await.expect(200);

        let agent = json!({
            "address": "127.0.0.1",
            "user_agent": "agent [redacted]",
            "count": 2,
            "last_at": text_at(2_000),
        });
        let asked = json!({
            "address": "2001:db8::1",
            "user_agent": null,
            "count": 1,
            "last_at": text_at(2_000),
        });
        let told = uses(&stage, &path).await;
        assert_eq!(told.as_array().unwrap().len(), 2);
        assert!([&agent, &asked].iter().all(|it| told.as_array().unwrap().contains(it)), "{told}");

        let finished = stage.admin().post(&format!("{path}/rotation/finish"), json!({})).await;
        assert_eq!(finished.expect(200).body["uses"], told);
        stage.set_clock(3_000);
        ended(&stage, &old).await;
        let late = json!({
            "address": "127.0.0.1", "user_agent": null, "count": 1, "last_at": text_at(3_000),
        });
        assert_eq!(uses(&stage, &path).await[0], late, "who shows it in vain is told of too");

        stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;
        assert_eq!(uses(&stage, &path).await, json!([]));
        works(&stage, &new).await;
        assert_eq!(uses(&stage, &path).await[0]["count"], 1);
    }

    async fn whoever_shows_the_old_secret_is_told_when_that_one_ends(database: Database) {
        let stage = Stage::new(database).await;
        let (path, old) = stage.admin().new_key(json!({"name": "k"})).await;
        let new = stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;
        for (secret, end) in [(&old, json!(text_at(60_000))), (&new, json!(null))] {
            let me = stage.client(secret).get("/api/v1/me").await.expect(200);
            assert_eq!(me.body["credential"]["expires_at"], end);
            let question = json!({"credential": secret});
            let verdict = stage.admin().post("/api/v1/verify", question).await.expect(200);
            assert_eq!(verdict.body["credential"]["expires_at"], end);
        }
    }

    async fn who_shows_the_old_secret_is_told_before_it_is_written_and_once(database: Database) {
        let stage = Stage::new(database).await;
        let (path, old) = stage.admin().new_key(json!({"name": "k"})).await;
        stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;
        for seen in [1, 2] {
            works(&stage, &old).await;
            assert_eq!(told(&stage, &path).await[0]["count"], seen);
            assert_eq!(uses(&stage, &path).await[0]["count"], seen);
        }
    }

    async fn who_showed_an_older_secret_is_not_told_of_the_one_after_it(database: Database) {
        let stage = Stage::new(database).await;
        let (path, older) = stage.admin().new_key(json!({"name": "k"})).await;
        let old = stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;
        works(&stage, &older).await;
        stage.set_clock(1_000);

        stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;

        assert_eq!(told(&stage, &path).await, json!([]));
        assert_eq!(uses(&stage, &path).await, json!([]), "also once it is written");
        works(&stage, &old).await;
        assert_eq!(told(&stage, &path).await[0]["last_at"], text_at(1_000));
    }

    async fn a_secret_that_has_ended_stays_ended(database: Database) {
        let stage = Stage::new(database).await;
        let (path, old) = stage.admin().new_key(json!({"name": "k"})).await;
        stage.admin().rotate(&path, json!({"overlap_seconds": 60})).await;
        stage.set_clock(60_000);

        extend(&stage, &path, 60, 409).await;

        ended(&stage, &old).await;
    }

    async fn who_still_shows_the_old_secret_of_a_token_is_told_too(database: Database) {
        let stage = Stage::new(database).await;
        let bot = json!({"username": "bot", "is_service_account": true});
        let bot = stage.admin().post("/api/v1/users", bot).await.expect(201);
        let tokens = format!("/api/v1/users/{}/tokens", bot.text("id"));
        let made = stage.admin().post(&tokens, json!({})).await.expect(201);
        let (path, old) = (format!("{tokens}/{}", made.text("id")), made.text("token"));
        let overlap = json!({"overlap_seconds": 60});
        stage.admin().post(&format!("{path}/rotate"), overlap).await.expect(200);
        let question = json!({"credential": old, "ip": "2001:db8::1"});

        stage.set_clock(59_999);
        let verdict = stage.admin().post("/api/v1/verify", question.clone()).await;
        assert_eq!(verdict.expect(200).text("code"), "valid");
        stage.set_clock(60_000);
        let verdict = stage.admin().post("/api/v1/verify", question).await;
        assert_eq!(verdict.expect(200).text("code"), "expired");

        let told = json!([{
            "address": "2001:db8::1", "user_agent": null, "count": 2, "last_at": text_at(60_000),
        }]);
        assert_eq!(uses(&stage, &path).await, told);
        assert_eq!(old_end(&stage, &path).await, text_at(60_000));
        extend(&stage, &path, 60, 409).await;
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

/// Who has shown the old secret, once that is written.
async fn uses(stage: &Stage, path: &str) -> Value {
    stage.flush_usage().await;
    told(stage, path).await
}

async fn told(stage: &Stage, path: &str) -> Value {
    let rotation = stage.admin().get(&format!("{path}/rotation")).await.expect(200);
    rotation.body["uses"].clone()
}

async fn works(stage: &Stage, secret: &str) {
    stage.client(secret).get("/api/v1/me").await.expect(200);
}

async fn ended(stage: &Stage, secret: &str) {
    stage.client(secret).get("/api/v1/me").await.expect(401);
}
