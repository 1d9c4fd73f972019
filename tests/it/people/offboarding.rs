//! Whoever leaves is out at once, and leaves nothing behind that works.

use acceptance::{Caller, Database, on_each_database, started};
use serde_json::{Value, json};

use super::{
    Account, EVENTS, ME, TOKENS, Token, USERS, VERIFIER, actions, code, each, head, signed_in,
};

on_each_database! {
    async fn switching_a_user_off_stops_everything_at_once(database: Database) {
        let (_server, admin) = started(&database).await;
        let user = Account::person(&admin, "ann", &[VERIFIER]).await;
        let session = signed_in(&admin, "ann").await;
        let token = Token::own(&session, json!({})).await;
        let narrowed = Token::own(&session, json!({ "scopes": [] })).await;
        for api in [&session, &token.api(&admin), &narrowed.api(&admin)] {
            api.get(ME).await.expect(200);
        }

        admin.patch(&user.at(""), json!({ "enabled": false })).await.expect(200);

        for api in [&session, &token.api(&admin), &narrowed.api(&admin)] {
            api.get(ME).await.expect(401).problem("invalid_credential");
            api.post(TOKENS, json!({})).await.expect(401).problem("invalid_credential");
        }
        for token in [&token, &narrowed] {
            assert_eq!(code(&admin, &token.secret).await, "owner_disabled");
        }
        assert_eq!(actions(&admin, &format!("target_id={}", user.id)).await[0], "user.disabled");

        // What was not deleted works again.
        admin.patch(&user.at(""), json!({ "enabled": true })).await.expect(200);
        token.api(&admin).get(ME).await.expect(200);
        assert_eq!(actions(&admin, &format!("target_id={}", user.id)).await[0], "user.enabled");
    }

    async fn nothing_is_made_for_somebody_who_is_switched_off(database: Database) {
        let (_server, admin) = started(&database).await;
        let bot = Account::service(&admin, "bot", &[]).await;
        let token = bot.token(&admin, json!({})).await;
        admin.patch(&bot.at(""), json!({ "enabled": false })).await.expect(200);
        let before = head(&admin).await;

        admin.post(&bot.at("/tokens"), json!({})).await.expect(409).problem("conflict");
        let rotate = bot.at(&format!("/tokens/{}/rotate", token.id));
        admin.post(&rotate, json!({})).await.expect(409).problem("conflict");

        assert_eq!(head(&admin).await, before);
        admin.delete(&bot.at(&format!("/tokens/{}", token.id))).await.expect(204);
    }

    async fn tokens_that_work_stand_in_the_way_and_are_listed(database: Database) {
        let (_server, admin) = started(&database).await;
        let bot = Account::service(&admin, "bot", &[]).await;
        let first = bot.token(&admin, json!({ "name": "first" })).await;
        let second = bot.token(&admin, json!({ "name": "second" })).await;
        let before = head(&admin).await;

        for path in [bot.at(""), bot.at("?dry_run=true")] {
            let refused = admin.delete(&path).await.expect(409).problem("conflict");
            let listed = refused.body["tokens"].as_array().unwrap();
            assert_eq!(listed.len(), 2);
            for (listed, token) in listed.iter().zip([&first, &second]) {
                assert_eq!(listed["id"], token.id);
                assert_eq!(listed["key_prefix"], token.secret[..13]);
                assert!(listed["name"].is_string() && listed["expires_at"].is_string());
                assert_eq!(listed.as_object().unwrap().len(), 4);
            }
            assert!(!refused.text.contains(&first.secret));
        }
        admin.delete(&bot.at("?tokens=keep")).await.expect(422);

        assert_eq!(head(&admin).await, before);
        for token in [&first, &second] {
            token.api(&admin).get(ME).await.expect(200);
        }
    }

    async fn with_their_tokens_revoked_a_user_goes_for_ever(database: Database) {
        let (_server, admin) = started(&database).await;
        let user = Account::person(&admin, "ann", &[]).await;
        let session = signed_in(&admin, "ann").await;
        let token = Token::own(&session, json!({ "name": "CI" })).await;
        let rotated = session.post(&token.at("/rotate"), json!({ "overlap_seconds": 600 })).await;
        let new = Token::of(&rotated.expect(200));

        admin.delete(&user.at("?tokens=revoke&reason=left")).await.expect(204);

        session.get(ME).await.expect(401);
        admin.get(&user.at("")).await.expect(404);
        admin.get(&user.at("/tokens")).await.expect(404);
        for secret in [&token.secret, &new.secret] {
            admin.with(Caller::Bearer(secret.clone())).get(ME).await.expect(401);
            let verdict = admin.post("/api/v1/verify", json!({ "credential": secret })).await;
            let verdict = verdict.expect(200);
            assert_eq!(verdict.body["code"], "deleted");
            assert_eq!(verdict.body["deleted"]["name"], "CI");
            assert_eq!(verdict.body["deleted"]["reason"], "left");
        }
        let log = admin.get(&format!("{EVENTS}?limit=3")).await.expect(200);
        assert_eq!(each(&log, "action"), ["user.deleted", "session.ended", "token.deleted"]);
        assert_eq!(each(&log, "reason")[0], "left");
        assert_eq!(each(&log, "after"), [Value::Null, Value::Null, Value::Null]);

        // The name is free again, for somebody else.
        let other = Account::person(&admin, "ann", &[]).await;
        assert_ne!(other.id, user.id);
        let list = admin.get(&other.at("/tokens")).await.expect(200);
        assert_eq!(list.body["total"], 0);
    }

    async fn without_tokens_nothing_stands_in_the_way(database: Database) {
        let (_server, admin) = started(&database).await;
        let user = Account::person(&admin, "ann", &[]).await;
        let session = signed_in(&admin, "ann").await;

        admin.delete(&user.at("")).await.expect(204);

        session.get(ME).await.expect(401);
        admin.get(USERS).await.expect(200);
        admin.delete(&user.at("")).await.expect(404).problem("not_found");
    }

    async fn a_key_survives_whoever_made_it(database: Database) {
        let (_server, admin) = started(&database).await;
        let (bot, api) = super::program(&admin, "bot", &[super::KEY_MANAGER]).await;
        let key = super::key(&api, &[VERIFIER]).await;

        admin.delete(&bot.at("?tokens=revoke")).await.expect(204);

        api.get(ME).await.expect(401);
        key.get(ME).await.expect(200);
    }
}
