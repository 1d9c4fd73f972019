//! Clients that show an id and a secret, and the form of requests.

use acceptance::{Database, on_each_database, started};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};

use super::{EXCHANGE, ME, OPAQUE, as_bearer, basic, claims, form, permitted, refusal, sent};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

on_each_database! {
    async fn a_client_gets_a_token_by_its_header_or_by_the_form(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = permitted(&admin, &["invoices.read"]).await;
        let in_header = basic(&key.id, &key.secret);
        let in_header = form(&admin, "token", &[GRANT]).header(AUTHORIZATION, in_header);
        let fields = [GRANT, ("client_id", key.id.as_str()), ("client_secret", &key.secret)];
        for request in [in_header, form(&admin, "token", &fields)] {
            let answer = sent(request).await.expect(200);
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.body["token_type"], "Bearer");
            assert_eq!(answer.body["scope"], "invoices.read");
            assert!(answer.body.get("issued_token_type").is_none(), "{answer}");
            let told = claims(answer.text_of("access_token"));
            assert_eq!((&told["sub"], &told["client_id"]), (&key.id.clone().into(), &key.id.clone().into()));
            let me = as_bearer(&admin, answer.text_of("access_token")).get(ME).await.expect(200);
            assert_eq!(me.body["principal"]["id"], key.id.as_str());
        }
    }

    async fn a_client_that_is_not_known_is_refused_alike(database: Database) {
        let (_server, admin) = started(&database).await;
        let (key, other) =
            (permitted(&admin, &["a"]).await, permitted(&admin, &["b"]).await);
        let off = permitted(&admin, &["c"]).await;
        admin.patch(&off.at(""), serde_json::json!({ "enabled": false })).await.expect(200);
        let mut bodies = Vec::new();
        for header in [
            basic(&other.id, &key.secret),
            basic(&key.id, "ks_x"),
            basic(&key.id, ""),
            basic("0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10", &key.secret),
            basic("admin", &key.secret),
            basic(&off.id, &off.secret),
            "Basic !".to_owned(),
            "Basic ".to_owned(),
        ] {
            let answer = sent(form(&admin, "token", &[GRANT]).header(AUTHORIZATION, &header)).await;
            refusal(&answer, 401, "invalid_client");
            assert_eq!(answer.header("www-authenticate"), r#"Basic realm="keystile""#);
            bodies.push(answer.text);
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "{bodies:?}");
        refusal(&sent(form(&admin, "token", &[GRANT])).await, 401, "invalid_client");
    }

    async fn a_request_that_cannot_be_understood_is_refused_as_the_rfcs_say(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = permitted(&admin, &["a"]).await;
        let twice = [GRANT, ("client_id", key.id.as_str()), ("client_secret", &key.secret)];
        let both = form(&admin, "token", &twice).header(AUTHORIZATION, basic(&key.id, &key.secret));
        refusal(&sent(both).await, 400, "invalid_request");
        for (fields, word) in [
            (&[][..], "invalid_request"),
            (&[("grant_type", "")], "invalid_request"),
            (&[GRANT, GRANT], "invalid_request"),
            (&[("grant_type", "password")], "unsupported_grant_type"),
            (&[("grant_type", "authorization_code")], "unsupported_grant_type"),
            (&[EXCHANGE], "invalid_request"),
            (&[EXCHANGE, OPAQUE], "invalid_request"),
            (&[EXCHANGE, ("subject_token", &key.secret)], "invalid_request"),
            (&[EXCHANGE, OPAQUE, ("subject_token", &key.secret), ("actor_token", "x")], "invalid_request"),
            (&[EXCHANGE, OPAQUE, ("subject_token", &key.secret), ("scope", "a"), ("scope", "a")], "invalid_request"),
        ] {
            refusal(&sent(form(&admin, "token", fields)).await, 400, word);
        }
        let json = admin.request(Method::POST, "/oauth2/token").json(&serde_json::json!({}));
        sent(json).await.expect(415).problem("unsupported_media_type");
        let broken = admin.request(Method::POST, "/oauth2/token").body("grant_type=%");
        let broken = broken.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        refusal(&sent(broken).await, 400, "unsupported_grant_type");
        admin.get("/oauth2/token").await.expect(405);
    }

    async fn what_nobody_knows_is_ignored(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = permitted(&admin, &["a"]).await;
        let fields = [GRANT, ("client_id", key.id.as_str()), ("client_secret", &key.secret), ("prompt", "login"), ("scope", "")];
        sent(form(&admin, "token", &fields)).await.expect(200);
    }
}
