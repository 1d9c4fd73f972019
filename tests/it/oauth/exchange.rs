//! Trading a key for an access token.

use acceptance::{Api, Database, Key, on_each_database, started};
use serde_json::{Value, json};

use super::{
    EXCHANGE, KEYS, ME, ROLES, VERIFY, as_bearer, claims, form, permitted, refusal, sent, token_of,
    traded,
};

on_each_database! {
    async fn a_token_says_what_rfc_9068_asks(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = permitted(&admin, &["invoices.*", "invoices.drafts.read"]).await;
        let answer = traded(&admin, &key.secret, &[]).await.expect(200);
        assert_eq!(answer.body["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
        assert_eq!(answer.body["expires_in"], 900);
        let token = answer.text_of("access_token");
        let told = claims(token);
        let metadata = admin.get("/.well-known/oauth-authorization-server").await.expect(200);
        assert_eq!(told["iss"], metadata.body["issuer"]);
        assert_eq!(told["aud"], json!([metadata.body["issuer"]]));
        assert_eq!(told["sub"], key.id.as_str());
        assert_eq!(told["client_id"], key.id.as_str());
        assert_eq!(told["scope"], "invoices.* invoices.drafts.read");
        assert_eq!(told["roles"], json!(["invoices.* invoices.drafts.read"]));
        assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 900);
        assert!(told["jti"].is_string());
        let me = as_bearer(&admin, token).get(ME).await.expect(200);
        assert_eq!(me.body["credential"]["kind"], "access_token");
        assert_eq!(me.body["permissions"], json!(["invoices.*", "invoices.drafts.read"]));
    }

    async fn a_token_may_ask_for_less_and_never_for_more(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = permitted(&admin, &["invoices.*", "keystile.api_keys.read"]).await;
        let less = traded(&admin, &key.secret, &[("scope", "invoices.read")]).await.expect(200);
        assert_eq!(less.body["scope"], "invoices.read");
        let less = as_bearer(&admin, less.text_of("access_token"));
        let me = less.get(ME).await.expect(200);
        assert_eq!(me.body["permissions"], json!(["invoices.read"]));
        assert_eq!(me.body["roles"], json!([]), "a narrowed token holds no role in full");
        less.get(KEYS).await.expect(403).problem("insufficient_permissions");
        for scope in ["invoices.**", "**", "payments.read", "invoices.read payments.read"] {
            refusal(&traded(&admin, &key.secret, &[("scope", scope)]).await, 400, "invalid_scope");
        }
        for scope in ["Invoices", "a..b", "a,b", "é"] {
            refusal(&traded(&admin, &key.secret, &[("scope", scope)]).await, 400, "invalid_scope");
        }
    }

    async fn a_token_never_outlives_what_it_was_traded_for(database: Database) {
        let (_server, admin) = started(&database).await;
        let clock = permitted(&admin, &["a"]).await;
        let overlap = json!({ "overlap_seconds": 300 });
        admin.post(&clock.at("/rotate"), overlap).await.expect(200);
        let rotation = admin.get(&clock.at("/rotation")).await.expect(200);
        // The old secret ends in five minutes, and so does what is traded for it.
        let by_old = traded(&admin, &clock.secret, &[]).await.expect(200);
        assert!(by_old.body["expires_in"].as_i64().unwrap() <= 300, "{by_old}");
        let end = rotation.text_of("old_secret_expires_at");
        let brief = Key::made(&admin, json!({ "name": "brief", "expires_at": end })).await;
        let answer = traded(&admin, &brief.secret, &[]).await.expect(200);
        assert!(answer.body["expires_in"].as_i64().unwrap() <= 300, "{answer}");
    }

    async fn a_token_ends_with_the_secret_that_it_was_traded_for(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = permitted(&admin, &["a"]).await;
        let of_leaked = as_bearer(&admin, &token_of(&admin, &key.secret).await);
        let rotate = key.at("/rotate");
        let rotated = admin.post(&rotate, json!({ "overlap_seconds": 3600 })).await.expect(200);
        let of_present = as_bearer(&admin, &token_of(&admin, rotated.text_of("key")).await);
        of_leaked.get(ME).await.expect(200);
        admin.post(&key.at("/rotation/finish"), json!({})).await.expect(200);
        of_leaked.get(ME).await.expect(401).problem("invalid_credential");
        of_present.get(ME).await.expect(200);
        admin.post(&rotate, json!({})).await.expect(200);
        of_present.get(ME).await.expect(401).problem("invalid_credential");
    }

    async fn whatever_happens_to_the_key_happens_to_its_tokens_at_once(database: Database) {
        let (_server, admin) = started(&database).await;
        let off = permitted(&admin, &["a.off"]).await;
        let gone = permitted(&admin, &["a.gone"]).await;
        let stripped = permitted(&admin, &["keystile.roles.read"]).await;
        let (of_off, of_gone, of_stripped) = (
            as_bearer(&admin, &token_of(&admin, &off.secret).await),
            as_bearer(&admin, &token_of(&admin, &gone.secret).await),
            as_bearer(&admin, &token_of(&admin, &stripped.secret).await),
        );
        of_stripped.get(ROLES).await.expect(200);
        admin.patch(&off.at(""), json!({ "enabled": false })).await.expect(200);
        admin.delete(&gone.at("")).await.expect(204);
        admin.patch(&stripped.at(""), json!({ "role_ids": [] })).await.expect(200);
        of_off.get(ME).await.expect(401).problem("invalid_credential");
        of_gone.get(ME).await.expect(401).problem("invalid_credential");
        of_stripped.get(ROLES).await.expect(403);
        of_stripped.get(ME).await.expect(200);
        admin.patch(&off.at(""), json!({ "enabled": true })).await.expect(200);
        of_off.get(ME).await.expect(200);
    }

    async fn a_token_for_somebody_else_opens_nothing_here(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = permitted(&admin, &["a"]).await;
        let wishes = [("audience", "billing"), ("resource", "https://pay.example/api")];
        let answer = traded(&admin, &key.secret, &wishes).await.expect(200);
        let token = answer.text_of("access_token");
        assert_eq!(claims(token)["aud"], json!(["billing", "https://pay.example/api"]));
        as_bearer(&admin, token).get(ME).await.expect(401).problem("invalid_credential");
        for wish in [
            ("audience", "a b"),
            ("resource", "billing"),
            ("resource", "https://pay.example/#x"),
            ("audience", &"x".repeat(256)),
        ] {
            refusal(&traded(&admin, &key.secret, &[wish]).await, 400, "invalid_target");
        }
    }

    async fn a_subject_that_is_not_valid_is_refused_without_a_reason(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = permitted(&admin, &["a"]).await;
        let off = Key::made(&admin, json!({ "name": "off", "enabled": false })).await;
        let gone = permitted(&admin, &["b"]).await;
        admin.delete(&gone.at("")).await.expect(204);
        let traded_once = token_of(&admin, &key.secret).await;
        let mut bodies = Vec::new();
        for subject in [off.secret.as_str(), &gone.secret, "ks_x", "x y", &traded_once] {
            let answer = traded(&admin, subject, &[]).await;
            refusal(&answer, 400, "invalid_request");
            bodies.push(answer.text);
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "{bodies:?}");
        let as_jwt = [EXCHANGE, ("subject_token", traded_once.as_str()), ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt")];
        refusal(&sent(form(&admin, "token", &as_jwt)).await, 400, "invalid_request");
    }

    async fn a_token_makes_nothing_that_outlives_it(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::made(&admin, json!({ "name": "manager", "role_ids": [2] })).await;
        let token = as_bearer(&admin, &token_of(&admin, &key.secret).await);
        let child = token.post(KEYS, json!({ "name": "child" })).await.expect(201);
        assert!(child.body["expires_at"].is_string(), "{child}");
        let later = json!({ "name": "child", "expires_at": "2099-01-01T00:00:00Z" });
        token.post(KEYS, later).await.expect(422).problem("invalid_request");
    }

    async fn a_service_learns_of_a_token_by_asking(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = permitted(&admin, &["a.read"]).await;
        let token = token_of(&admin, &key.secret).await;
        let verdict = verify(&admin, &token).await;
        assert_eq!((&verdict["code"], &verdict["credential"]["kind"]), (&json!("valid"), &json!("access_token")));
        assert_eq!(verdict["permissions"], json!(["a.read"]));
        admin.delete(&key.at("")).await.expect(204);
        assert_eq!(verify(&admin, &token).await["valid"], false);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        // 64 bytes fill 86 letters of base64url but for four bits, so the last letter stays.
        let forged = format!("{signed}.{}{}", "A".repeat(85), &signature[85..]);
        assert_eq!(verify(&admin, &forged).await["code"], "not_found");
        assert_eq!(verify(&admin, "a.b.c").await["code"], "malformed");
    }
}

async fn verify(admin: &Api, token: &str) -> Value {
    admin.post(VERIFY, json!({ "credential": token })).await.expect(200).body
}
