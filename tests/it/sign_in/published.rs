//! What everybody may know: the ways to sign in, the keys, and where everything is.

use acceptance::{Answer, Caller, Database, Options, Server, on_each_database};
use reqwest::Method;
use serde_json::{Value, json};

use super::{PROVIDERS, Session, started};

on_each_database! {
    async fn a_sign_in_page_learns_what_it_may_offer_and_no_secret(database: Database) {
        let (_server, admin) = started(&database).await;
        let anybody = admin.with(Caller::Anonymous);
        let offered = anybody.get("/api/v1/auth/providers").await.expect(200);
        let local = json!({ "identifier": "local", "name": "Name and password", "kind": "password" });
        assert_eq!(offered.body, json!({ "data": [local] }));
    }

    async fn a_sign_in_page_offers_the_ways_in_by_priority(database: Database) {
        let (_server, admin) = started(&database).await;
        let company = async |name: &str, priority: i64| {
            let identifier = name.to_lowercase();
            let new = json!({
                "name": name,
                "kind": "oidc",
                "authority": format!("https://{identifier}.example"),
                "audience": "api://keystile",
                "client_id": "console",
                "required_scope": "keys.read",
                "priority": priority,
            });
            let made = admin.post(PROVIDERS, new).await.expect(201);
            format!("{PROVIDERS}/{}", made.text_of("id"))
        };
        let late = company("Late", 20).await;
        company("Early", -1).await;
        company("Between", 10).await;
        let anybody = admin.with(Caller::Anonymous);
        let offered = async || {
            let offered = anybody.get("/api/v1/auth/providers").await.expect(200);
            offered.body["data"].as_array().unwrap().clone()
        };
        let order = async || {
            let offered = offered().await;
            offered.iter().map(|it| it["identifier"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };

        assert_eq!(order().await, ["early", "local", "between", "late"]);
        let early = json!({
            "identifier": "early",
            "name": "Early",
            "kind": "oidc",
            "authority": "https://early.example",
            "client_id": "console",
            "audience": "api://keystile",
            "scope": "keys.read",
        });
        assert_eq!(offered().await[0], early);
        admin.patch(&late, json!({ "priority": -2 })).await.expect(200);
        assert_eq!(order().await, ["late", "early", "local", "between"]);
        admin.patch(&late, json!({ "enabled": false })).await.expect(200);
        assert_eq!(order().await, ["early", "local", "between"]);
    }

    async fn tokens_are_signed_with_a_published_key(database: Database) {
        for algorithm in ["EdDSA", "ES256", "RS256"] {
            if algorithm != "EdDSA" && !matches!(database, Database::Sqlite) {
                continue;
            }
            let options = Options::on(&database).env("KEYSTILE_JWT_ALGORITHM", algorithm);
            let server = Server::start(&options).await;
            let api = server.admin();
            let Caller::Bearer(token) = api.sign_in("admin", &server.admin_password()).await else {
                panic!("no bearer")
            };

            let keys = api.with(Caller::Anonymous).get("/.well-known/jwks.json").await.expect(200);

            assert_eq!(keys.header("cache-control"), "public, max-age=300");
            let [key] = &keys.body["keys"].as_array().unwrap()[..] else { panic!("{keys}") };
            assert_eq!((&key["alg"], &key["use"]), (&algorithm.into(), &"sig".into()));
            for secret in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(key.get(secret).is_none(), "{secret} in {key}");
            }
            let claims = verified(&token, key, &server.url());
            assert_eq!(claims["scope"], "**", "{claims}");
            assert_eq!(claims["roles"], json!(["administrator"]), "{claims}");
            assert_eq!(claims["client_id"], "keystile", "{claims}");
            assert!(claims["jti"].is_string() && claims["sub"].is_string(), "{claims}");
            let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
            assert_eq!(exp - iat, 900, "{claims}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_name_every_endpoint_under_the_issuer() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let anybody = server.api(Caller::Anonymous);
    let told = anybody.get("/.well-known/oauth-authorization-server").await.expect(200);
    assert_eq!(told.text_of("issuer"), server.url());
    for endpoint in ["jwks_uri", "token_endpoint", "introspection_endpoint", "revocation_endpoint"]
    {
        let path = told.text_of(endpoint).strip_prefix(&server.url()).unwrap();
        let asked = Answer::to(anybody.request(Method::GET, path)).await.unwrap();
        assert_ne!(asked.status, 404, "{endpoint}: {asked}");
    }
    assert_eq!(told.body["response_types_supported"], json!([]));
    anybody.get("/.well-known/oauth-authorization-server/keys").await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_with_a_path_has_its_metadata_where_rfc_8414_looks_for_them() {
    let options =
        Options::on(&Database::Sqlite).env("KEYSTILE_PUBLIC_URL", "https://example.com/auth/keys/");
    let server = Server::start(&options).await;
    let anybody = server.api(Caller::Anonymous);
    let at = |path: &str| format!("/.well-known/oauth-authorization-server{path}");
    for path in ["", "/auth/keys"] {
        let told = anybody.get(&at(path)).await.expect(200);
        assert_eq!(told.text_of("issuer"), "https://example.com/auth/keys");
        assert_eq!(told.text_of("jwks_uri"), "https://example.com/auth/keys/.well-known/jwks.json");
    }
    for path in ["/", "/auth", "/auth/keys/", "/auth/keys/more", "/AUTH/KEYS"] {
        anybody.get(&at(path)).await.expect(404).problem("not_found");
    }
    let admin = server.admin();
    let caller = admin.sign_in("admin", &server.admin_password()).await;
    admin.with(caller).get("/api/v1/me").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_server_is_nobody() {
    let (_server, admin) = started(&Database::Sqlite).await;
    let (_other, elsewhere) = started(&Database::Sqlite).await;
    let session = Session::of_ann(&elsewhere).await;
    let stranger = admin.with(session.api.caller().clone());
    stranger.get("/api/v1/me").await.expect(401).problem("invalid_credential");
}

/// The claims of a token, checked by a library that is not ours.
fn verified(token: &str, key: &Value, issuer: &str) -> Value {
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.clone()).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(header.kid.as_deref(), key["kid"].as_str());
    let mut validation = jsonwebtoken::Validation::new(header.alg);
    validation.set_audience(&[issuer]);
    validation.set_issuer(&[issuer]);
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims
}
