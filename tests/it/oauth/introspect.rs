//! Telling about tokens.

use acceptance::{Answer, Api, Caller, Database, Key, on_each_database, started};
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::json;

use super::{basic, form, permitted, sent, token_of, traded};

on_each_database! {
    async fn a_key_and_its_token_are_told_alike(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = permitted(&admin, &["a.read", "a.write"]).await;
        let told = introspected(&admin, &key.secret).await.body;
        for (member, value) in [
            ("active", json!(true)),
            ("scope", json!("a.read a.write")),
            ("client_id", json!(key.id)),
            ("sub", json!(key.id)),
            ("username", json!("a key")),
            ("token_type", json!("Bearer")),
        ] {
            assert_eq!(told[member], value, "{member}");
        }
        assert!(told.get("exp").is_none(), "a key without an end has none: {told}");
        let token = traded(&admin, &key.secret, &[("scope", "a.read")]).await.expect(200);
        let of_token = introspected(&admin, token.text_of("access_token")).await.body;
        assert_eq!(of_token["scope"], "a.read");
        assert_eq!((&of_token["sub"], &of_token["iss"]), (&told["sub"], &told["iss"]));
        for member in ["exp", "iat", "jti", "aud"] {
            assert!(!of_token[member].is_null(), "{member}: {of_token}");
        }
        assert!(!of_token.to_string().contains(&key.secret));
    }

    async fn what_is_worth_nothing_is_inactive_and_nothing_else(database: Database) {
        let (_server, admin) = started(&database).await;
        let off = Key::made(&admin, json!({ "name": "off", "enabled": false })).await;
        let bound = json!({ "name": "bound", "allowed_ips": ["192.0.2.0/24"] });
        let bound = Key::made(&admin, bound).await;
        let gone = permitted(&admin, &["b"]).await;
        let of_gone = token_of(&admin, &gone.secret).await;
        admin.delete(&gone.at("")).await.expect(204);
        let foreign = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIn0.c2ln";
        for token in [
            off.secret.as_str(), &bound.secret, &gone.secret, &of_gone, "x", " ", "a.b.c", foreign,
        ] {
            let answer = introspected(&admin, token).await;
            assert_eq!(answer.body, json!({ "active": false }), "{token}");
        }
    }

    async fn a_token_for_another_audience_is_told_with_its_audience(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = permitted(&admin, &["a"]).await;
        let token = traded(&admin, &key.secret, &[("audience", "billing")]).await.expect(200);
        let told = introspected(&admin, token.text_of("access_token")).await;
        assert_eq!((&told.body["active"], &told.body["aud"]), (&json!(true), &json!(["billing"])));
    }

    async fn only_whoever_may_verify_is_told(database: Database) {
        let (_server, admin) = started(&database).await;
        let verifier = Key::made(&admin, json!({ "name": "verifier", "role_ids": [4] })).await;
        let nobody = permitted(&admin, &["a"]).await;
        let ask = || form(&admin, "introspect", &[("token", nobody.secret.as_str())]);
        sent(ask()).await.expect(401).problem("missing_credential");
        let by = |key: &Key| ask().header(AUTHORIZATION, basic(&key.id, &key.secret));
        sent(by(&nobody)).await.expect(403).problem("insufficient_permissions");
        sent(by(&verifier)).await.expect(200);
        sent(ask().bearer_auth(&verifier.secret)).await.expect(200);
        sent(ask().header("X-API-Key", &verifier.secret)).await.expect(200);
        sent(by(&verifier).header("X-API-Key", &verifier.secret)).await.expect(400).problem("ambiguous_credentials");
        let wrong = basic(&nobody.id, &verifier.secret);
        sent(ask().header(AUTHORIZATION, wrong)).await.expect(401);
    }

    async fn the_caller_is_judged_before_the_body(database: Database) {
        let (_server, admin) = started(&database).await;
        for endpoint in ["introspect", "revoke"] {
            for caller in [Caller::Anonymous, Caller::Bearer("ks_x".to_owned())] {
                let path = format!("/oauth2/{endpoint}");
                let request = admin.with(caller).request(Method::POST, &path).body("{");
                sent(request).await.expect(401);
            }
        }
    }
}

async fn introspected(admin: &Api, token: &str) -> Answer {
    let asked = admin.request(Method::POST, "/oauth2/introspect").form(&[("token", token)]);
    let answer = sent(asked).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    answer
}
