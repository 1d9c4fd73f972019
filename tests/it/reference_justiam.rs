//! What the page "Personal Access Tokens" of JustIAM promises, sentence by sentence.
//!
//! Still to come: with the console "Profile → Personal Access Tokens → New Token"; with the Terraform
//! provider the section of that name (its token is any token of this suite).

use acceptance::{Api, Database, on_each_database, started};
use keystile_domain::Timestamp;
use serde_json::{Value, json};

use crate::people::{
    Account, KEY_MANAGER, ME, NO_ID, PASSWORD, TOKENS, Token, USERS, VERIFIER, each, key, pointers,
    role, sign_in, signed_in,
};

on_each_database! {
    async fn a_user_creates_lists_and_revokes_tokens(database: Database) {
        let (_server, admin) = started(&database).await;
        set_up(&admin).await;
        let reader = role(&admin, "reader", &["keystile.users.read"]).await;
        Account::person(&admin, "ann", &[reader]).await;
        // "Any authenticated user can create PATs for themselves."
        let ann = signed_in(&admin, "ann").await;

        // POST /api/v1/me/tokens {"name": "CI pipeline", "expires_in_days": 90}
        let new = json!({ "name": "CI pipeline", "expires_in_days": 90 });
        let made = ann.post(TOKENS, new).await.expect(201);
        assert_eq!(made.body["name"], "CI pipeline");
        for member in ["id", "token"] {
            assert!(made.body[member].is_string(), "{member}");
        }
        let end: Timestamp = made.text_of("expires_at").parse().unwrap();
        let made_at: Timestamp = made.text_of("created_at").parse().unwrap();
        assert_eq!(end.as_millis() - made_at.as_millis(), 90 * 24 * 60 * 60 * 1000);
        // "token": "justiam_pat_xxxxxxxxxxxxxxxx"
        assert!(made.text_of("token").starts_with("justiam_pat_"));
        assert_eq!(made.header("cache-control"), "no-store");
        let token = Token::of(&made);

        // "expires_in_days must be between 1 and 365."
        for (days, status) in [(0, 422), (1, 201), (365, 201), (366, 422), (-1, 422)] {
            let answer = ann.post(TOKENS, json!({ "expires_in_days": days })).await;
            assert_eq!(answer.status, status, "{days}: {answer}");
            if status == 422 {
                assert_eq!(pointers(&answer), ["/expires_in_days"]);
            }
        }

        // GET /api/v1/me/tokens?page=1&limit=25
        let list = ann.get(&format!("{TOKENS}?page=1&limit=25")).await.expect(200);
        assert_eq!(
            (&list.body["total"], &list.body["page"], &list.body["limit"]),
            (&json!(3), &json!(1), &json!(25))
        );
        for item in list.body["data"].as_array().unwrap() {
            for member in ["name", "created_at", "expires_at", "last_used_at"] {
                assert!(item.get(member).is_some(), "no {member} in {item}");
            }
            // "The token value itself is never returned after creation."
            assert_eq!(item.get("token"), None);
        }
        assert!(!list.text.contains(&token.secret));
        // "page 1, limit 20 (max 100)"
        let list = ann.get(TOKENS).await.expect(200);
        assert_eq!((&list.body["page"], &list.body["limit"]), (&json!(1), &json!(20)));
        ann.get(&format!("{TOKENS}?limit=100")).await.expect(200);
        ann.get(&format!("{TOKENS}?limit=101")).await.expect(422);

        // "Pass the token as a Bearer token in the Authorization header": GET /api/v1/users,
        // "with the same privileges as the owning user".
        token.api(&admin).get(USERS).await.expect(200);
        token.api(&admin).get("/api/v1/roles").await.expect(403);

        // DELETE /api/v1/me/tokens/{id}
        ann.delete(&token.at("")).await.expect(204);
        token.api(&admin).get(USERS).await.expect(401).problem("invalid_credential");
        ann.delete(&token.at("")).await.expect(404);
    }

    async fn a_service_account_authenticates_with_tokens_alone(database: Database) {
        let (_server, admin) = started(&database).await;
        set_up(&admin).await;
        // "A user with service_accounts.tokens permission can manage their tokens."
        let manager = key(&admin, &[KEY_MANAGER]).await;
        let account = Account::service(&admin, "terraform", &[VERIFIER]).await;
        let tokens = account.at("/tokens");

        // "cannot log in interactively"
        sign_in(&admin, "terraform", PASSWORD).await.expect(401);
        let password = json!({ "password": PASSWORD });
        admin.patch(&account.at(""), password).await.expect(422);

        // POST /api/v1/users/{serviceAccountId}/tokens
        let new = json!({ "name": "Terraform runner", "expires_in_days": 365 });
        let made = manager.post(&tokens, new.clone()).await.expect(201);
        assert_eq!(made.body["name"], "Terraform runner");
        let token = Token::of(&made);
        assert_eq!(made.header("location"), format!("{tokens}/{}", token.id));

        // "with the same privileges as the owning user"
        let me = token.api(&admin).get(ME).await.expect(200);
        assert_eq!(
            me.body["principal"],
            json!({ "kind": "service_account", "id": account.id, "name": "terraform" })
        );
        assert_eq!(me.body["credential"]["kind"], "personal_access_token");
        assert_eq!(me.body["credential"]["name"], "Terraform runner");
        assert_eq!(me.body["roles"], json!([{ "id": VERIFIER, "name": "verifier" }]));
        assert_eq!(me.body["credential"].get("scopes"), None::<&Value>);

        // GET and DELETE /api/v1/users/{id}/tokens/{tokenId}
        let list = manager.get(&tokens).await.expect(200);
        assert_eq!(each(&list, "id"), [token.id.as_str()]);
        assert!(!list.text.contains(&token.secret));
        manager.delete(&format!("{tokens}/{}", token.id)).await.expect(204);
        token.api(&admin).get(ME).await.expect(401);

        // Without the permission: nothing of it.
        let verifier = key(&admin, &[VERIFIER]).await;
        for path in [tokens.clone(), format!("{USERS}/{NO_ID}/tokens")] {
            verifier.get(&path).await.expect(403).problem("insufficient_permissions");
            verifier.post(&path, new.clone()).await.expect(403).problem("insufficient_permissions");
        }
    }
}

/// As JustIAM: its prefix, and tokens of at most a year, which is the default.
async fn set_up(admin: &Api) {
    let found = admin.get("/api/v1/providers?kind=personal_access_token").await.expect(200);
    let provider = format!("/api/v1/providers/{}", found.body["data"][0]["id"].as_str().unwrap());
    admin.patch(&provider, json!({ "prefix": "justiam_pat_" })).await.expect(200);
}
