//! Rotating a token: a new secret, and no new life.

use acceptance::{Answer, Database, on_each_database, started};
use reqwest::Method;
use serde_json::json;

use super::{
    Account, ME, TOKENS, Token, VERIFIER, code, head, pointers, program, signed_in, too_high,
};

on_each_database! {
    async fn without_overlap_the_old_secret_ends_at_once(database: Database) {
        let (_server, admin) = started(&database).await;
        let (_, bot) = program(&admin, "bot", &[]).await;
        let old = Token::own(&bot, json!({ "name": "CI", "expires_in_days": 7 })).await;
        let before = bot.get(&old.at("")).await.expect(200).body;

        // The body may be left out.
        let rotate = bot.request(Method::POST, &old.at("/rotate"));
        let rotated = Answer::to(rotate).await.unwrap().expect(200);
        let new = Token::of(&rotated);

        assert_eq!(new.id, old.id);
        assert_ne!(new.secret, old.secret);
        assert_eq!(rotated.header("cache-control"), "no-store");
        assert_eq!(rotated.header("etag"), "\"2\"");
        assert_eq!(rotated.body["key_prefix"], new.secret[..13]);
        assert_eq!(rotated.body["expires_at"], before["expires_at"], "no new life");
        old.api(&admin).get(ME).await.expect(401);
        assert_eq!(code(&admin, &old.secret).await, "expired");
        new.api(&admin).get(ME).await.expect(200);
    }

    async fn within_the_overlap_both_secrets_work(database: Database) {
        let (_server, admin) = started(&database).await;
        let (account, bot) = program(&admin, "bot", &[]).await;
        let first = Token::own(&bot, json!({})).await;
        let overlap = json!({ "overlap_seconds": 600 });

        let rotated = bot.post(&first.at("/rotate"), overlap.clone()).await.expect(200);
        let second = Token::of(&rotated);
        for token in [&first, &second] {
            token.api(&admin).get(ME).await.expect(200);
        }

        // The other path leads to the same token.
        let path = account.at(&format!("/tokens/{}/rotate", first.id));
        let third = Token::of(&admin.post(&path, overlap).await.expect(200));
        first.api(&admin).get(ME).await.expect(401);
        for token in [&second, &third] {
            token.api(&admin).get(ME).await.expect(200);
        }
        for seconds in [json!(-1), json!(2_592_001), json!("60")] {
            let refused = bot.post(&first.at("/rotate"), json!({ "overlap_seconds": seconds })).await;
            assert_eq!(pointers(&refused.expect(422)), ["/overlap_seconds"]);
        }
    }

    async fn an_old_secret_takes_nothing_from_the_new_one(database: Database) {
        let (_server, admin) = started(&database).await;
        let account = Account::service(&admin, "bot", &[VERIFIER]).await;
        let old = account.token(&admin, json!({ "expires_in_days": 7 })).await;
        let sibling = account.token(&admin, json!({ "expires_in_days": 7 })).await;
        let path = account.at(&format!("/tokens/{}/rotate", old.id));
        let overlap = json!({ "overlap_seconds": 600 });
        let new = Token::of(&admin.post(&path, overlap.clone()).await.expect(200));
        let by_old = old.api(&admin);
        let before = head(&admin).await;

        too_high(by_old.post(&old.at("/rotate"), overlap.clone()).await);
        too_high(by_old.patch(&old.at(""), json!({ "name": "mine" })).await);
        // Nor does it live on in another token.
        too_high(by_old.post(&sibling.at("/rotate"), overlap).await);
        let longer = by_old.post(TOKENS, json!({ "expires_in_days": 1 })).await.expect(422);
        assert_eq!(pointers(&longer), ["/expires_in_days"]);
        assert_eq!(head(&admin).await, before);

        // What it makes ends with it.
        let child = by_old.post(TOKENS, json!({})).await.expect(201);
        let parent = new.api(&admin).get(&new.at("")).await.expect(200);
        assert!(child.text_of("expires_at") < parent.text_of("expires_at"));
        new.api(&admin).post(&new.at("/rotate"), json!({})).await.expect(200);
    }

    async fn a_token_never_rotates_one_that_outlives_it(database: Database) {
        let (_server, admin) = started(&database).await;
        Account::person(&admin, "ann", &[]).await;
        let ann = signed_in(&admin, "ann").await;
        let short = Token::own(&ann, json!({ "expires_in_days": 7 })).await;
        let long = Token::own(&ann, json!({ "expires_in_days": 8 })).await;
        let before = head(&admin).await;

        too_high(short.api(&admin).post(&long.at("/rotate"), json!({})).await);
        assert_eq!(head(&admin).await, before);

        long.api(&admin).post(&short.at("/rotate"), json!({})).await.expect(200);
        // Whoever signed in is no credential that something could outlive.
        ann.post(&long.at("/rotate"), json!({})).await.expect(200);
    }

    async fn a_repeated_rotation_is_made_once(database: Database) {
        let (_server, admin) = started(&database).await;
        let (_, bot) = program(&admin, "bot", &[]).await;
        let token = Token::own(&bot, json!({})).await;
        let send = async || {
            let request = bot.request(Method::POST, &token.at("/rotate"));
            Answer::to(request.header("Idempotency-Key", "once")).await.unwrap().expect(200)
        };

        let (first, again) = (send().await, send().await);

        assert_eq!(first.text, again.text);
        Token::of(&first).api(&admin).get(ME).await.expect(200);
    }

    async fn another_version_is_not_rotated(database: Database) {
        let (_server, admin) = started(&database).await;
        let (_, bot) = program(&admin, "bot", &[]).await;
        let token = Token::own(&bot, json!({})).await;
        let send = async |path: &str, tag: &str| {
            let request = bot.request(Method::POST, &token.at(path)).header("If-Match", tag);
            Answer::to(request).await.unwrap()
        };

        send("/rotate", "\"2\"").await.expect(412).problem("precondition_failed");
        send("/rotate", "\"1\"").await.expect(200);
    }
}
