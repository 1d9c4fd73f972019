//! Rotating a key: how long the old secret works beside the new one.

use acceptance::{Answer, Database, Key, on_each_database, started};
use reqwest::Method;
use serde_json::{Value, json};

use super::rotated;
use crate::lifecycle::{KEY_MANAGER, ME, code, head, pointers, until_expired};

on_each_database! {
    async fn without_overlap_the_old_secret_ends_at_once(database: Database) {
        let (_server, admin) = started(&database).await;
        let old = Key::holding(&admin, "CI", &[]).await;

        // The body may be left out.
        let rotate = admin.request(Method::POST, &old.at("/rotate"));
        let rotated = Answer::to(rotate).await.unwrap().expect(200);
        let new = Key::of(&rotated);

        assert_eq!(new.id, old.id);
        assert_ne!(new.secret, old.secret);
        assert_eq!(rotated.text_of("key_prefix"), &new.secret[..9]);
        assert_eq!(rotated.header("cache-control"), "no-store");
        old.api(&admin).get(ME).await.expect(401);
        assert_eq!(code(&admin, &old.secret).await, "expired");
        new.api(&admin).get(ME).await.expect(200);
    }

    async fn within_the_overlap_both_secrets_work(database: Database) {
        let (_server, admin) = started(&database).await;
        let old = Key::holding(&admin, "CI", &[]).await;

        let new = rotated(&admin, &old, 600).await;

        for key in [&old, &new] {
            key.api(&admin).get(ME).await.expect(200);
            assert_eq!(code(&admin, &key.secret).await, "valid");
        }
        admin.patch(&old.at(""), json!({ "enabled": false })).await.expect(200);
        for key in [&old, &new] {
            key.api(&admin).get(ME).await.expect(401);
        }
    }

    async fn the_old_secret_ends_by_itself(database: Database) {
        let (_server, admin) = started(&database).await;
        let old = Key::holding(&admin, "CI", &[]).await;

        let new = rotated(&admin, &old, 1).await;

        until_expired(&admin, &old.secret).await;
        old.api(&admin).get(ME).await.expect(401);
        new.api(&admin).get(ME).await.expect(200);
    }

    async fn an_old_secret_neither_rotates_its_key_nor_lives_longer(database: Database) {
        let (_server, admin) = started(&database).await;
        let old = Key::holding(&admin, "keys", &[KEY_MANAGER]).await;
        let new = rotated(&admin, &old, 600).await;
        let extend = json!({ "overlap_seconds": 6000 });
        let before = head(&admin).await;

        for at in ["/rotate", "/rotation/extend"] {
            let refused = old.api(&admin).post(&old.at(at), extend.clone()).await;
            refused.expect(403).problem("ceiling_exceeded");
        }

        assert_eq!(head(&admin).await, before);
        new.api(&admin).post(&new.at("/rotation/extend"), extend).await.expect(200);
        old.api(&admin).post(&old.at("/rotation/finish"), json!({})).await.expect(200);
        old.api(&admin).get(ME).await.expect(401);
    }

    async fn rotating_again_ends_the_older_secret(database: Database) {
        let (_server, admin) = started(&database).await;
        let first = Key::holding(&admin, "CI", &[]).await;

        let second = rotated(&admin, &first, 600).await;
        let third = rotated(&admin, &second, 600).await;

        first.api(&admin).get(ME).await.expect(401);
        second.api(&admin).get(ME).await.expect(200);
        third.api(&admin).get(ME).await.expect(200);
    }

    async fn a_rotation_is_seen_extended_and_finished(database: Database) {
        let (_server, admin) = started(&database).await;
        let old = Key::holding(&admin, "CI", &[]).await;
        let ends = async || {
            let rotation = admin.get(&old.at("/rotation")).await.expect(200);
            rotation.body["old_secret_expires_at"].clone()
        };
        assert_eq!(ends().await, Value::Null);

        let new = rotated(&admin, &old, 60).await;
        let first = ends().await;
        let extend = json!({ "overlap_seconds": 100_000 });
        let extended = admin.post(&old.at("/rotation/extend"), extend).await.expect(200);
        assert_eq!(ends().await, extended.body["old_secret_expires_at"]);
        assert_ne!(ends().await, first);
        old.api(&admin).get(ME).await.expect(200);

        admin.post(&old.at("/rotation/finish"), json!({})).await.expect(200);
        old.api(&admin).get(ME).await.expect(401);
        new.api(&admin).get(ME).await.expect(200);
    }

    async fn without_a_rotation_there_is_nothing_to_finish_or_extend(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[]).await;
        let before = head(&admin).await;
        let nothing = async || {
            let extend = json!({ "overlap_seconds": 60 });
            admin.post(&key.at("/rotation/extend"), extend).await.expect(409).problem("conflict");
            let finish = admin.post(&key.at("/rotation/finish"), json!({})).await;
            finish.expect(409).problem("conflict");
        };

        nothing().await;
        assert_eq!(head(&admin).await, before);

        // What has ended stays ended.
        rotated(&admin, &key, 0).await;
        nothing().await;
        key.api(&admin).get(ME).await.expect(401);
    }

    async fn an_overlap_has_bounds(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[]).await;

        for seconds in [json!(-1), json!(2_592_001), json!(i64::MAX), json!("60"), json!(1.5)] {
            for path in ["/rotate", "/rotation/extend"] {
                let answer = admin.post(&key.at(path), json!({ "overlap_seconds": seconds })).await;
                assert_eq!(pointers(&answer.expect(422)), ["/overlap_seconds"]);
            }
        }
        admin.post(&key.at("/rotation/extend"), json!({ "overlap_seconds": 0 })).await.expect(422);
        key.api(&admin).get(ME).await.expect(200);
        rotated(&admin, &key, 2_592_000).await;
    }
}
