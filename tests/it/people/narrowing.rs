//! What a token may: its scopes within what its owner holds at that moment, and never more than
//! the token that made it.

use acceptance::{Api, Database, on_each_database, started};
use serde_json::{Value, json};

use super::{
    Account, KEY_MANAGER, KEYS, ME, TOKENS, Token, USERS, VERIFIER, head, program, role, signed_in,
    too_high,
};

on_each_database! {
    async fn a_token_loses_what_its_owner_loses_at_once(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.*", "keystile.users.read"]).await;
        let account = Account::service(&admin, "bot", &[billing, VERIFIER]).await;
        let whole = account.token(&admin, json!({})).await.api(&admin);
        let scopes = json!(["invoices.read", "keystile.keys.verify"]);
        let narrow = account.token(&admin, json!({ "scopes": scopes })).await.api(&admin);
        let none = account.token(&admin, json!({ "scopes": [] })).await.api(&admin);
        let all = json!(["invoices.*", "keystile.keys.verify", "keystile.users.read"]);
        assert_eq!(permissions(&whole).await, all);
        assert_eq!(permissions(&narrow).await, scopes);
        assert_eq!(permissions(&none).await, json!([]));
        whole.get(USERS).await.expect(200);
        narrow.get(USERS).await.expect(403).problem("insufficient_permissions");

        admin.patch(&account.at(""), json!({ "role_ids": [billing] })).await.expect(200);
        assert_eq!(permissions(&whole).await, json!(["invoices.*", "keystile.users.read"]));
        assert_eq!(permissions(&narrow).await, json!(["invoices.read"]));

        // The role itself counts as it is now, too.
        let write = json!({ "permissions": ["invoices.write"] });
        admin.patch(&format!("/api/v1/roles/{billing}"), write).await.expect(200);
        assert_eq!(permissions(&whole).await, json!(["invoices.write"]));
        assert_eq!(permissions(&narrow).await, json!([]));
        whole.get(USERS).await.expect(403);

        admin.patch(&account.at(""), json!({ "role_ids": [] })).await.expect(200);
        for api in [&whole, &narrow, &none] {
            assert_eq!(permissions(api).await, json!([]));
        }
    }

    async fn verify_says_what_is_left_of_a_narrowed_token(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.*"]).await;
        let account = Account::service(&admin, "bot", &[billing]).await;
        let token = account.token(&admin, json!({ "scopes": ["invoices.read"] })).await;
        let ask = async |permission: &str| {
            let question = json!({ "credential": token.secret, "permissions": [permission] });
            admin.post("/api/v1/verify", question).await.expect(200).body
        };

        let valid = ask("invoices.read").await;
        assert_eq!(valid["code"], "valid");
        assert_eq!(valid["principal"]["id"], account.id);
        assert_eq!(valid["permissions"], json!(["invoices.read"]));
        assert_eq!(valid["roles"], json!([]));
        assert_eq!(ask("invoices.write").await["code"], "insufficient_permissions");
    }

    async fn a_narrowed_token_makes_nothing_wider(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.*", "orders.*"]).await;
        let (_, whole) = program(&admin, "bot", &[billing]).await;
        let narrow = Token::own(&whole, json!({ "scopes": ["invoices.*"] })).await;
        let wide = Token::own(&whole, json!({})).await;
        let other = Token::own(&whole, json!({ "scopes": ["orders.read"] })).await;
        let by = narrow.api(&admin);
        let before = head(&admin).await;

        for scopes in [json!(null), json!(["orders.read"]), json!(["invoices.read", "orders.read"])] {
            too_high(by.post(TOKENS, json!({ "scopes": scopes })).await);
            too_high(by.patch(&narrow.at(""), json!({ "scopes": scopes })).await);
        }
        too_high(by.post(TOKENS, json!({})).await);
        for beyond in [&wide, &other] {
            too_high(by.post(&beyond.at("/rotate"), json!({})).await);
            too_high(by.patch(&beyond.at(""), json!({ "name": "mine" })).await);
            too_high(by.patch(&beyond.at(""), json!({ "scopes": ["invoices.read"] })).await);
        }
        assert_eq!(head(&admin).await, before);

        let child = Token::own(&by, json!({ "scopes": ["invoices.read"] })).await;
        assert_eq!(permissions(&child.api(&admin)).await, json!(["invoices.read"]));
        by.patch(&child.at(""), json!({ "scopes": ["invoices.*"] })).await.expect(200);
        by.patch(&narrow.at(""), json!({ "scopes": [] })).await.expect(200);
        too_high(by.patch(&narrow.at(""), json!({ "scopes": ["invoices.*"] })).await);
    }

    async fn what_the_owner_gains_later_a_child_of_a_narrowed_token_never_has(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.read"]).await;
        let (account, whole) = program(&admin, "bot", &[billing]).await;
        let narrow = Token::own(&whole, json!({ "scopes": ["invoices.read"] })).await;
        let child = Token::own(&narrow.api(&admin), json!({ "scopes": ["invoices.read"] })).await;

        let more = json!({ "role_ids": [billing, KEY_MANAGER] });
        admin.patch(&account.at(""), more).await.expect(200);

        for token in [&narrow, &child] {
            assert_eq!(permissions(&token.api(&admin)).await, json!(["invoices.read"]));
            token.api(&admin).get(KEYS).await.expect(403);
        }
        whole.get(KEYS).await.expect(200);
    }

    async fn children_of_children_never_outrank_or_outlive_their_parents(database: Database) {
        let (_server, admin) = started(&database).await;
        let scopes = ["a.read", "b.read", "c.read", "d.read", "e.read"];
        let owned = role(&admin, "owned", &scopes).await;
        let (_, mut parent) = program(&admin, "bot", &[owned]).await;
        let mut end = None;
        for kept in (1..=scopes.len()).rev() {
            let days = 10 + kept;
            let new = json!({ "scopes": scopes[..kept], "expires_in_days": days });
            let made = parent.post(TOKENS, new).await.expect(201);
            let (token, ends) = (Token::of(&made), made.text_of("expires_at").to_owned());
            assert!(end.is_none_or(|end| ends < end));
            parent = token.api(&admin);
            assert_eq!(permissions(&parent).await, json!(scopes[..kept]));

            // Beyond what is left, upwards and for ever.
            for beyond in &scopes[kept..] {
                too_high(parent.post(TOKENS, json!({ "scopes": [beyond] })).await);
            }
            too_high(parent.post(TOKENS, json!({})).await);
            let later = json!({ "scopes": [], "expires_in_days": days + 1 });
            parent.post(TOKENS, later).await.expect(422);
            let as_long = parent.post(TOKENS, json!({ "scopes": [] })).await.expect(201);
            assert_eq!(as_long.text_of("expires_at"), ends, "the default ends with its parent");
            end = Some(ends);
        }
    }

    async fn a_narrowed_token_hands_out_no_role_that_it_lacks(database: Database) {
        let (_server, admin) = started(&database).await;
        let (_, bot) = program(&admin, "bot", &[super::ADMINISTRATOR]).await;
        let scopes = ["keystile.users.*", "keystile.api_keys.*", "keystile.service_accounts.tokens"];
        let narrow = Token::own(&bot, json!({ "scopes": scopes })).await.api(&admin);
        let high = Account::service(&admin, "high", &[VERIFIER]).await;
        let before = head(&admin).await;

        too_high(narrow.post(KEYS, json!({ "name": "k", "role_ids": [VERIFIER] })).await);
        let new = json!({ "username": "u", "role_ids": [VERIFIER] });
        too_high(narrow.post(USERS, new).await);
        too_high(narrow.patch(&high.at(""), json!({ "enabled": false })).await);
        too_high(narrow.post(&high.at("/tokens"), json!({})).await);
        assert_eq!(head(&admin).await, before);

        Account::service(&narrow, "low", &[]).await.token(&narrow, json!({})).await;
    }

    async fn whoever_signed_in_makes_tokens_as_wide_and_long_as_they_like(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.*"]).await;
        Account::person(&admin, "ann", &[billing]).await;
        let ann = signed_in(&admin, "ann").await;

        let token = Token::own(&ann, json!({ "expires_in_days": 365 })).await;

        assert_eq!(permissions(&token.api(&admin)).await, json!(["invoices.*"]));
        let narrow = Token::own(&ann, json!({ "scopes": ["invoices.read"] })).await;
        ann.patch(&narrow.at(""), json!({ "scopes": null })).await.expect(200);
        assert_eq!(permissions(&narrow.api(&admin)).await, json!(["invoices.*"]));
    }
}

async fn permissions(api: &Api) -> Value {
    api.get(ME).await.expect(200).body["permissions"].clone()
}
