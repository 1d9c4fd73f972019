//! Tokens over the API: made, seen, changed, deleted.

use acceptance::{Answer, Database, on_each_database, started};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Account, EVENTS, ME, NO_ID, TOKENS, Token, VERIFIER, actions, code, each, head, key, pointers,
    program, role, signed_in,
};

on_each_database! {
    async fn a_token_is_shown_as_it_was_made(database: Database) {
        let (_server, admin) = started(&database).await;
        let user = Account::person(&admin, "ann", &[VERIFIER]).await;
        let ann = signed_in(&admin, "ann").await;
        let new = json!({
            "name": "CI",
            "description": "Builds",
            "provider": "personal-access-tokens",
            "expires_in_minutes": 60,
            "scopes": ["keystile.keys.verify"],
        });

        let made = ann.post(TOKENS, new).await.expect(201);

        let token = Token::of(&made);
        assert_eq!(made.header("location"), token.at(""));
        assert_eq!(made.header("etag"), "\"1\"");
        let shown = ann.get(&token.at("")).await.expect(200);
        let mut expected = made.body.clone();
        expected.as_object_mut().unwrap().remove("token");
        assert_eq!(shown.body, expected);
        assert_eq!(shown.body["owner_id"], user.id);
        assert_eq!(shown.body["description"], "Builds");
        assert_eq!(shown.body["provider"], "personal-access-tokens");
        assert_eq!(shown.body["key_prefix"], token.secret[..13]);
        assert_eq!(shown.body["scopes"], json!(["keystile.keys.verify"]));
        assert_eq!(shown.body["created_by"]["id"], user.id);
        let list = ann.get(TOKENS).await.expect(200);
        assert_eq!(list.body["data"], json!([shown.body]));
        let log = admin.get(&format!("{EVENTS}?target_id={}", token.id)).await.expect(200);
        assert_eq!(each(&log, "action"), ["token.created"]);
        assert_eq!(log.body["data"][0]["after"]["owner"]["username"], "ann");
        assert!(!log.text.contains(&token.secret));
    }

    async fn a_token_without_a_name_is_called_by_its_day(database: Database) {
        let (_server, admin) = started(&database).await;
        let (_, bot) = program(&admin, "bot", &[]).await;

        let made = bot.post(TOKENS, json!({})).await.expect(201);

        let day = &made.text_of("created_at")[..10];
        assert_eq!(made.body["name"], format!("Token of {day}"));
        assert_eq!(made.body["scopes"], Value::Null);
    }

    async fn one_member_at_most_says_when_it_ends(database: Database) {
        let (_server, admin) = started(&database).await;
        let bot = Account::service(&admin, "bot", &[]).await;
        let before = head(&admin).await;
        let far = "2099-01-01T00:00:00Z";

        for (new, expected) in [
            (
                json!({ "expires_in_days": 1, "expires_in_minutes": 1 }),
                &["/expires_in_days", "/expires_in_minutes"][..],
            ),
            (
                json!({ "expires_in_days": 1, "expires_at": null }),
                &["/expires_in_days", "/expires_at"],
            ),
            (
                json!({ "expires_in_days": 1, "expires_in_minutes": 1, "expires_at": far }),
                &["/expires_in_days", "/expires_in_minutes", "/expires_at"],
            ),
            (json!({ "expires_in_minutes": 0 }), &["/expires_in_minutes"]),
            (json!({ "expires_in_minutes": 365 * 24 * 60 + 1 }), &["/expires_in_minutes"]),
            (json!({ "expires_in_minutes": i64::MAX }), &["/expires_in_minutes"]),
            (json!({ "expires_at": far }), &["/expires_at"]),
            (json!({ "expires_at": null }), &["/expires_at"]),
            (json!({ "expires_at": "2000-01-01T00:00:00Z" }), &["/expires_at"]),
            (json!({ "expires_at": "tomorrow" }), &["/expires_at"]),
            (json!({ "expires_in_days": "1" }), &["/expires_in_days"]),
        ] {
            let refused = admin.post(&bot.at("/tokens"), new.clone()).await.expect(422);
            assert_eq!(pointers(&refused), expected, "{new}");
        }

        assert_eq!(head(&admin).await, before);
    }

    async fn every_broken_rule_is_named(database: Database) {
        let (_server, admin) = started(&database).await;
        let bot = Account::service(&admin, "bot", &[VERIFIER]).await;
        let before = head(&admin).await;

        for (new, pointer) in [
            (json!({ "name": "" }), "/name"),
            (json!({ "description": "x".repeat(2_001) }), "/description"),
            (json!({ "provider": "nothing" }), "/provider"),
            (json!({ "provider": NO_ID }), "/provider"),
            (json!({ "provider": "api-keys" }), "/provider"),
            (json!({ "scopes": ["keystile.keys.verify", "a b"] }), "/scopes/1"),
            // What its owner does not hold, a token would never have.
            (json!({ "scopes": ["keystile.users.read"] }), "/scopes"),
            (json!({ "scopes": ["keystile.keys.*"] }), "/scopes"),
            (json!({ "scopes": ["**"] }), "/scopes"),
        ] {
            let refused = admin.post(&bot.at("/tokens"), new.clone()).await.expect(422);
            assert_eq!(pointers(&refused), [pointer], "{new}");
        }
        for member in ["owner_id", "user_id", "created_by", "role_ids", "key_prefix", "token"] {
            let refused = admin.post(&bot.at("/tokens"), json!({ member: "x" })).await;
            refused.expect(400).problem("unknown_fields");
        }

        assert_eq!(head(&admin).await, before);
    }

    async fn a_key_has_no_tokens_of_its_own(database: Database) {
        let (_server, admin) = started(&database).await;
        let keys = [admin.clone(), key(&admin, &[]).await];

        for api in keys {
            for path in [TOKENS.to_owned(), format!("{TOKENS}/{NO_ID}"), format!("{TOKENS}/x")] {
                api.get(&path).await.expect(403).problem("account_required");
                api.delete(&format!("{TOKENS}/{NO_ID}")).await.expect(403);
            }
            api.post(TOKENS, json!({ "x": 1 })).await.expect(403).problem("account_required");
        }
    }

    async fn a_patch_changes_what_it_names(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.read", "invoices.write"]).await;
        let (_, bot) = program(&admin, "bot", &[billing]).await;
        let new = json!({ "name": "CI", "description": "Builds", "expires_in_days": 30 });
        let token = Token::own(&bot, new).await;

        let end = bot.get(&token.at("")).await.expect(200).text_of("created_at").to_owned();
        let patch = json!({ "name": "new", "description": null, "scopes": ["invoices.read"] });
        let patched = bot.patch(&token.at(""), patch).await.expect(200);
        assert_eq!(patched.header("etag"), "\"2\"");
        assert_eq!(patched.body["name"], "new");
        assert_eq!(patched.body["description"], Value::Null);
        assert_eq!(patched.body["scopes"], json!(["invoices.read"]));
        let me = token.api(&admin).get(ME).await.expect(200);
        assert_eq!(me.body["permissions"], json!(["invoices.read"]));
        assert_eq!(me.body["credential"]["scopes"], json!(["invoices.read"]));
        assert_eq!(me.body["roles"], json!([]), "a narrowed token is none of its roles");

        bot.patch(&token.at(""), json!({ "scopes": null })).await.expect(200);
        let me = token.api(&admin).get(ME).await.expect(200);
        assert_eq!(me.body["permissions"], json!(["invoices.read", "invoices.write"]));

        let life = actions(&admin, &format!("target_id={}", token.id)).await;
        assert_eq!(life, ["token.updated", "token.updated", "token.created"]);
        let before = head(&admin).await;
        bot.patch(&token.at(""), json!({ "name": "new" })).await.expect(200);
        for (patch, pointer) in [
            (json!({ "name": null }), "/name"),
            (json!({ "expires_at": null }), "/expires_at"),
            (json!({ "expires_at": end }), "/expires_at"),
            (json!({ "scopes": ["keystile.users.read"] }), "/scopes"),
        ] {
            let refused = bot.patch(&token.at(""), patch).await.expect(422);
            assert_eq!(pointers(&refused), [pointer]);
        }
        for member in ["owner_id", "provider", "created_at", "token", "expires_in_days"] {
            let refused = bot.patch(&token.at(""), json!({ member: "x" })).await;
            refused.expect(400).problem("unknown_fields");
        }
        assert_eq!(head(&admin).await, before);
    }

    async fn filters_and_cursors_work_on_both_paths(database: Database) {
        let (_server, admin) = started(&database).await;
        let (account, bot) = program(&admin, "bot", &[]).await;
        for name in ["CI one", "ci two", "nightly", "weekly", "yearly"] {
            Token::own(&bot, json!({ "name": name })).await;
        }
        for path in [TOKENS.to_owned(), account.at("/tokens")] {
            let api = if path == TOKENS { &bot } else { &admin };
            let names = async |filter: &str| {
                let list = api.get(&format!("{path}?sort=name&{filter}")).await.expect(200);
                each(&list, "name")
            };
            assert_eq!(names("name=CI*").await, ["CI one", "ci two"]);
            assert_eq!(names("name=*LY").await, ["nightly", "weekly", "yearly"]);
            assert_eq!(names("expired=true").await, [""; 0]);
            assert_eq!(names("expired=false").await.len(), 6);
            let all = names("limit=100").await;
            let mut seen = Vec::new();
            let mut next = format!("{path}?sort=name&limit=4");
            loop {
                let page = api.get(&next).await.expect(200);
                seen.extend(each(&page, "name"));
                let Some(cursor) = page.body["next_cursor"].as_str() else { break };
                next = format!("{path}?sort=name&limit=4&cursor={cursor}");
            }
            assert_eq!(seen, all);
        }
        let page = bot.get(&format!("{TOKENS}?limit=2")).await.expect(200);
        let cursor = page.text_of("next_cursor");
        let foreign = admin.get(&format!("{}?limit=2&cursor={cursor}", account.at("/tokens"))).await;
        foreign.expect(400).problem("invalid_cursor");
    }

    async fn a_repeated_create_makes_one_token(database: Database) {
        let (_server, admin) = started(&database).await;
        let (account, bot) = program(&admin, "bot", &[]).await;
        for (api, path) in [(&bot, TOKENS.to_owned()), (&admin, account.at("/tokens"))] {
            let send = async |body: Value| {
                let request = api.request(Method::POST, &path).header("Idempotency-Key", "once");
                Answer::to(request.json(&body)).await.unwrap()
            };
            let first = send(json!({ "name": "once" })).await.expect(201);
            let again = send(json!({ "name": "once" })).await.expect(201);
            assert_eq!(first.text, again.text);
            send(json!({ "name": "twice" })).await.expect(422).problem("idempotency_key_reused");
        }
        let list = bot.get(&format!("{TOKENS}?name=once")).await.expect(200);
        assert_eq!(list.body["total"], 2, "one for each path");
    }

    async fn a_dry_run_makes_nothing_and_shows_no_secret(database: Database) {
        let (_server, admin) = started(&database).await;
        let (account, bot) = program(&admin, "bot", &[]).await;
        let token = Token::own(&bot, json!({ "name": "CI" })).await;
        let of_account = account.at(&format!("/tokens/{}", token.id));
        let before = (head(&admin).await, bot.get(TOKENS).await.expect(200).body);

        for (api, method, path, body) in [
            (&bot, Method::POST, TOKENS.to_owned(), json!({})),
            (&bot, Method::PATCH, token.at(""), json!({ "name": "new" })),
            (&bot, Method::POST, token.at("/rotate"), json!({})),
            (&bot, Method::DELETE, token.at(""), Value::Null),
            (&admin, Method::POST, account.at("/tokens"), json!({})),
            (&admin, Method::POST, format!("{of_account}/rotate"), json!({})),
            (&admin, Method::DELETE, of_account, Value::Null),
        ] {
            let request = api.request(method.clone(), &format!("{path}?dry_run=true"));
            let request = if body.is_null() { request } else { request.json(&body) };
            let answer = Answer::to(request).await.unwrap().expect(200);
            assert!(answer.body["name"].is_string(), "{method} {path}: {answer}");
            assert_eq!(answer.body.get("token"), None, "a secret in {answer}");
        }

        assert_eq!((head(&admin).await, bot.get(TOKENS).await.expect(200).body), before);
        token.api(&admin).get(ME).await.expect(200);
    }

    async fn a_deleted_token_is_told_to_whoever_may_ask(database: Database) {
        let (_server, admin) = started(&database).await;
        let (_, bot) = program(&admin, "bot", &[]).await;
        let token = Token::own(&bot, json!({ "name": "CI" })).await;
        assert_eq!(code(&admin, &token.secret).await, "valid");

        bot.delete(&token.at("?reason=leaked")).await.expect(204);

        token.api(&admin).get(ME).await.expect(401);
        let verdict = json!({ "credential": token.secret });
        let verdict = admin.post("/api/v1/verify", verdict).await.expect(200);
        assert_eq!(verdict.body["code"], "deleted");
        assert_eq!(verdict.body["deleted"]["reason"], "leaked");
        assert_eq!(verdict.body["deleted"]["deleted_by"]["name"], "bot");
    }
}
