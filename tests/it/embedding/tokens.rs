//! JWTs, which only the server can verify.

use acceptance::{Answer, Caller, Database, Key, on_each_database, until};
use keystile_domain::{Context, PermissionQuery};
use reqwest::Method;
use serde_json::json;

use super::reader_role;
use super::stage::{Stage, code, code_of};

on_each_database! {
    async fn a_jwt_is_judged_as_the_key_that_it_was_traded_for(database: Database) {
        let stage = Stage::on(&database).await;
        let verifier = stage.trusting(|builder| builder).await;
        let role = reader_role(&stage.admin).await;
        let key = Key::holding(&stage.admin, "k", &[role]).await;
        let jwt = traded(&stage, &key).await;

        assert_eq!(code(&verifier, &jwt).await, "valid");
        let read: PermissionQuery = "invoices.read".parse().unwrap();
        let write: PermissionQuery = "invoices.write".parse().unwrap();
        let asked = |permission| Context { permission: Some(permission), ..Context::default() };
        assert_eq!(code_of(&verifier, &jwt, &asked(&read)).await, "valid");
        assert_eq!(code_of(&verifier, &jwt, &asked(&write)).await, "permissions_held");
        let gone = stage.admin.delete(&format!("{}?wait=cluster", key.at(""))).await.expect(200);
        assert_eq!(code(&verifier, &jwt).await, "unknown", "after {gone}");
        assert_eq!(code(&verifier, "a.b.c").await, "unknown");
    }

    async fn a_jwt_is_remembered_and_is_shown_to_the_server_once(database: Database) {
        let stage = Stage::leasing(&database, "60s").await;
        let verifier = stage.trusting(|builder| builder).await;
        // One for the trade itself.
        let limits = json!([{ "limit": 4, "window_seconds": 600 }]);
        let free = Key::made(&stage.admin, json!({ "name": "free" })).await;
        let bound = json!({ "name": "bound", "rate_limits": limits });
        let bound = Key::made(&stage.admin, bound).await;
        stage.caught_up().await;
        let (jwt, other) = (traded(&stage, &free).await, traded(&stage, &bound).await);

        stage.remembered(&verifier, &jwt).await;
        assert_eq!(stage.cable.count_carried(&jwt), 1);
        for used in 0..3 {
            assert_eq!(code(&verifier, &other).await, "valid", "{used}");
        }
        assert_eq!(code(&verifier, &other).await, "rate", "its uses are counted at the server");
        assert_eq!(stage.cable.count_carried(&other), 1);

        // What it is worth is asked again after a change, by its fingerprint.
        let second = stage.trusting(|builder| builder).await;
        stage.remembered(&second, &jwt).await;
        assert_eq!(stage.cable.count_carried(&jwt), 1);
    }

    async fn a_jwt_that_is_revoked_by_itself_has_ended(database: Database) {
        let stage = Stage::on(&database).await;
        let verifier = stage.trusting(|builder| builder).await;
        let key = Key::made(&stage.admin, json!({ "name": "k" })).await;
        let (ended, lives) = (traded(&stage, &key).await, traded(&stage, &key).await);
        stage.remembered(&verifier, &ended).await;
        let revoke = stage.server.api(key.caller()).request(Method::POST, "/oauth2/revoke");
        Answer::to(revoke.form(&[("token", &ended)])).await.unwrap().expect(200);
        until("it is unknown", async || code(&verifier, &ended).await == "unknown").await;
        assert_eq!(code(&verifier, &lives).await, "valid");
        assert_eq!(code(&verifier, &key.secret).await, "valid");
    }
}

/// A JWT in place of a key.
async fn traded(stage: &Stage, key: &Key) -> String {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", &key.secret),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
    let traded = stage.server.api(Caller::Anonymous).request(Method::POST, "/oauth2/token");
    let traded = Answer::to(traded.form(&form)).await.unwrap().expect(200);
    traded.text_of("access_token").to_owned()
}
