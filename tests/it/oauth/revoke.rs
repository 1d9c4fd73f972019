//! Ending tokens.

use acceptance::{Answer, Api, Database, Key, on_each_database, started};
use reqwest::Method;
use serde_json::json;

use super::{KEYS, ME, VERIFY, as_bearer, permitted, refusal, sent, token_of};

on_each_database! {
    async fn whoever_has_a_key_may_end_it(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = permitted(&admin, &["a"]).await;
        let own = as_bearer(&admin, &key.secret);
        revoked(&own, &key.secret).await.expect(200);
        own.get(ME).await.expect(401);
        let verdict = admin.post(VERIFY, json!({ "credential": key.secret })).await.expect(200);
        assert_eq!(verdict.body["code"], "deleted");
        assert_eq!(verdict.body["deleted"]["reason"], "Revoked at the OAuth endpoint");
    }

    async fn an_access_token_ends_alone(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = permitted(&admin, &["a"]).await;
        let (one, two) =
            (token_of(&admin, &key.secret).await, token_of(&admin, &key.secret).await);
        revoked(&as_bearer(&admin, &key.secret), &one).await.expect(200);
        as_bearer(&admin, &one).get(ME).await.expect(401);
        as_bearer(&admin, &two).get(ME).await.expect(200);
        // By itself, and again: what was asked is the case.
        revoked(&as_bearer(&admin, &two), &two).await.expect(200);
        revoked(&as_bearer(&admin, &key.secret), &two).await.expect(200);
        as_bearer(&admin, &key.secret).get(ME).await.expect(200);
    }

    async fn what_belongs_to_another_is_theirs_unless_one_may_delete_it(database: Database) {
        let (_server, admin) = started(&database).await;
        let (key, other) = (permitted(&admin, &["a"]).await, permitted(&admin, &["b"]).await);
        let thief = as_bearer(&admin, &other.secret);
        refusal(&revoked(&thief, &key.secret).await, 400, "unauthorized_client");
        let token = token_of(&admin, &key.secret).await;
        refusal(&revoked(&thief, &token).await, 400, "unauthorized_client");
        as_bearer(&admin, &token).get(ME).await.expect(200);
        let manager = Key::made(&admin, json!({ "name": "manager", "role_ids": [2] })).await;
        let manager = as_bearer(&admin, &manager.secret);
        let administrator = Key::made(&admin, json!({ "name": "root", "role_ids": [1] })).await;
        refusal(&revoked(&manager, &administrator.secret).await, 400, "unauthorized_client");
        revoked(&manager, &key.secret).await.expect(200);
        as_bearer(&admin, &token).get(ME).await.expect(401);
    }

    async fn a_token_that_nobody_knows_is_no_error(database: Database) {
        let (_server, admin) = started(&database).await;
        for token in ["x", "ks_x", " ", "a.b.c"] {
            revoked(&admin, token).await.expect(200);
        }
        let foreign = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIn0.c2ln";
        refusal(&revoked(&admin, foreign).await, 400, "unsupported_token_type");
        let missing = sent(admin.request(Method::POST, "/oauth2/revoke").form(&[("x", "y")])).await;
        refusal(&missing, 400, "invalid_request");
    }

    async fn a_narrowed_token_does_not_end_its_own_key(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::made(&admin, json!({ "name": "manager", "role_ids": [2] })).await;
        let wish = [("scope", "keystile.keys.verify")];
        let token = super::traded(&admin, &key.secret, &wish).await.expect(200);
        let narrowed = as_bearer(&admin, token.text_of("access_token"));
        refusal(&revoked(&narrowed, &key.secret).await, 400, "unauthorized_client");
        as_bearer(&admin, &key.secret).get(KEYS).await.expect(200);
    }
}

async fn revoked(api: &Api, token: &str) -> Answer {
    sent(api.request(Method::POST, "/oauth2/revoke").form(&[("token", token)])).await
}
