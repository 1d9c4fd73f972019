//! What becomes of the old secret of a rotated token: it is seen, extended and ended, by its owner
//! and by whoever keeps the tokens of others.

use acceptance::{Answer, Api, Database, on_each_database, started};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Account, KEY_MANAGER, ME, Token, VERIFIER, actions, code, each, head, key, pointers, program,
    role, signed_in, too_high,
};

on_each_database! {
    async fn a_rotation_is_seen_extended_and_finished_on_both_paths(database: Database) {
        let (_server, admin) = started(&database).await;
        let (account, bot) = program(&admin, "bot", &[]).await;
        for (api, others) in [(&bot, false), (&admin, true)] {
            let old = Token::own(&bot, json!({})).await;
            let path = match others {
                false => old.at(""),
                true => account.at(&format!("/tokens/{}", old.id)),
            };
            let ends = async || {
                let rotation = api.get(&format!("{path}/rotation")).await.expect(200);
                rotation.body["old_secret_expires_at"].clone()
            };
            assert_eq!(ends().await, Value::Null);

            let new = rotated(api, &path).await;
            let first = ends().await;
            let day = extend(api, &path, json!(86_400)).await.expect(200);
            assert!(day.text_of("old_secret_expires_at") > first.as_str().unwrap());
            assert_eq!(ends().await, day.body["old_secret_expires_at"]);
            old.api(&admin).get(ME).await.expect(200);

            finish(api, &path).await.expect(200);
            old.api(&admin).get(ME).await.expect(401);
            assert_eq!(code(&admin, &old.secret).await, "expired");
            new.api(&admin).get(ME).await.expect(200);
            // What has ended stays ended.
            finish(api, &path).await.expect(409).problem("conflict");
            extend(api, &path, json!(60)).await.expect(409).problem("conflict");
        }
    }

    async fn each_step_is_in_the_log_and_a_try_is_not(database: Database) {
        let (_server, admin) = started(&database).await;
        let (account, bot) = program(&admin, "bot", &[]).await;
        let old = Token::own(&bot, json!({})).await;
        let path = old.at("");
        rotated(&bot, &path).await;
        let before = (head(&admin).await, bot.get(&old.at("/rotation")).await.body);

        let tried = json!({ "overlap_seconds": 7_200 });
        let tried = bot.post(&old.at("/rotation/extend?dry_run=true"), tried).await.expect(200);
        assert_ne!(tried.body, before.1);
        let tried = bot.request(Method::POST, &old.at("/rotation/finish?dry_run=true"));
        Answer::to(tried).await.unwrap().expect(200);
        for seconds in [json!(-1), json!(0), json!(2_592_001), json!("60")] {
            let refused = extend(&bot, &path, seconds).await;
            assert_eq!(pointers(&refused.expect(422)), ["/overlap_seconds"]);
        }
        assert_eq!((head(&admin).await, bot.get(&old.at("/rotation")).await.body), before);

        extend(&bot, &path, json!(7_200)).await.expect(200);
        let finish = old.at("/rotation/finish?wait=cluster");
        let finished = bot.post(&finish, json!({})).await.expect(200);
        assert!(finished.body["revocation"]["effective_at"].is_string(), "{finished}");

        let filter = format!("target_id={}", old.id);
        let steps = ["rotation_finished", "rotation_extended", "rotated", "created"];
        assert_eq!(actions(&admin, &filter).await, steps.map(|step| format!("token.{step}")));
        let log = admin.get(&format!("/api/v1/audit-events?{filter}")).await.expect(200);
        let (before, after) = (each(&log, "before"), each(&log, "after"));
        let end = "old_secret_expires_at";
        assert_eq!(before[0][end], after[1][end], "each begins where the one before it ended");
        assert_eq!(before[1][end], after[2][end]);
        assert_ne!(after[0][end], after[1][end]);
        assert_eq!(before[0]["owner"]["id"], account.id);
    }

    async fn an_old_secret_ends_itself_and_does_not_live_longer(database: Database) {
        let (_server, admin) = started(&database).await;
        let (_, bot) = program(&admin, "bot", &[]).await;
        let old = Token::own(&bot, json!({})).await;
        let new = rotated(&bot, &old.at("")).await;

        too_high(extend(&old.api(&admin), &old.at(""), json!(6_000)).await);

        extend(&new.api(&admin), &new.at(""), json!(6_000)).await.expect(200);
        finish(&old.api(&admin), &old.at("")).await.expect(200);
        old.api(&admin).get(ME).await.expect(401);
    }

    async fn an_old_secret_is_shown_to_end_no_later_than_its_token(database: Database) {
        let (_server, admin) = started(&database).await;
        let (_, bot) = program(&admin, "bot", &[]).await;
        let old = Token::own(&bot, json!({ "expires_in_minutes": 60 })).await;
        let end = bot.get(&old.at("")).await.expect(200).body["expires_at"].clone();
        rotated(&bot, &old.at("")).await;

        let extended = extend(&bot, &old.at(""), json!(86_400)).await.expect(200);

        assert_eq!(extended.body["old_secret_expires_at"], end);
        assert_eq!(bot.get(&old.at("/rotation")).await.expect(200).body, extended.body);
    }

    async fn whoever_could_not_make_a_token_lets_no_secret_of_it_live_longer(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.*"]).await;
        let (account, bot) = program(&admin, "bot", &[billing]).await;
        let narrow = Token::own(&bot, json!({ "scopes": ["invoices.read"] })).await.api(&admin);
        let short = Token::own(&bot, json!({ "expires_in_days": 1 })).await.api(&admin);
        let bare = role(&admin, "bare", &["keystile.service_accounts.tokens"]).await;
        let bare = key(&admin, &[bare]).await;
        for (api, others) in [(&narrow, false), (&short, false), (&bare, true)] {
            let old = Token::own(&bot, json!({})).await;
            rotated(&bot, &old.at("")).await;
            let path = match others {
                false => old.at(""),
                true => account.at(&format!("/tokens/{}", old.id)),
            };
            too_high(extend(api, &path, json!(7_200)).await);
            // To end it takes no such thing.
            finish(api, &path).await.expect(200);
        }
    }

    async fn old_secrets_of_people_are_ended_by_others_and_not_extended(database: Database) {
        let (_server, admin) = started(&database).await;
        let account = Account::person(&admin, "ann", &[]).await;
        let ann = signed_in(&admin, "ann").await;
        let old = Token::own(&ann, json!({})).await;
        rotated(&ann, &old.at("")).await;
        let path = account.at(&format!("/tokens/{}", old.id));

        extend(&admin, &path, json!(7_200)).await.expect(403);
        finish(&key(&admin, &[KEY_MANAGER]).await, &path).await.expect(403);
        finish(&admin, &path).await.expect(200);

        old.api(&admin).get(ME).await.expect(401);
    }

    async fn to_look_takes_no_more_than_to_look_at_the_token(database: Database) {
        let (_server, admin) = started(&database).await;
        let account = Account::service(&admin, "bot", &[VERIFIER]).await;
        let old = account.token(&admin, json!({})).await;
        let path = account.at(&format!("/tokens/{}", old.id));
        rotated(&admin, &path).await;
        let reader = role(&admin, "reader", &["keystile.tokens.read"]).await;
        let (reader, nobody) = (key(&admin, &[reader]).await, key(&admin, &[VERIFIER]).await);

        reader.get(&format!("{path}/rotation")).await.expect(200);
        let refused = nobody.get(&format!("{path}/rotation")).await;
        refused.expect(403).problem("insufficient_permissions");
        for api in [&reader, &nobody] {
            finish(api, &path).await.expect(403).problem("insufficient_permissions");
            extend(api, &path, json!(60)).await.expect(403).problem("insufficient_permissions");
        }
    }
}

/// The token at a path with a new secret, beside which the old one works for an hour.
async fn rotated(api: &Api, path: &str) -> Token {
    let overlap = json!({ "overlap_seconds": 3_600 });
    Token::of(&api.post(&format!("{path}/rotate"), overlap).await.expect(200))
}

async fn extend(api: &Api, path: &str, seconds: Value) -> Answer {
    let overlap = json!({ "overlap_seconds": seconds });
    api.post(&format!("{path}/rotation/extend"), overlap).await
}

async fn finish(api: &Api, path: &str) -> Answer {
    Answer::to(api.request(Method::POST, &format!("{path}/rotation/finish"))).await.unwrap()
}
