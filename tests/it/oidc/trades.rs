//! Jobs that trade the ID token of their own system for a short access token.

use acceptance::{Answer, Api, Caller, Database, oidc::OpenIdProvider, on_each_database, started};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{AUDIENCE, EVENTS, KEYS, ME, Provider, bearing, idp, is_taken, now};

on_each_database! {
    async fn a_job_gets_the_roles_of_the_first_rule_that_it_meets(database: Database) {
        let Some(idp) = idp().await else { return };
        let (_server, admin) = started(&database).await;
        let (main, any) = (role(&admin, "main.deploy").await, role(&admin, "any.build").await);
        let provider = trusting(&admin, &idp, json!([
            rule(json!({ "repository": "acme/app", "ref": "refs/heads/main" }), &main, 10),
            rule(json!({ "repository": "acme/*" }), &any, 5),
        ]))
        .await;

        for (repository, at, permissions, longest) in [
            ("acme/app", "refs/heads/main", json!(["main.deploy"]), 600),
            ("acme/app", "refs/heads/other", json!(["any.build"]), 300),
            ("acme/lib", "refs/heads/main", json!(["any.build"]), 300),
        ] {
            let job = job(&idp, json!({ "repository": repository, "ref": at, "exp": now() + 900 }));
            let traded = trade(&admin, &job.await, &[]).await.expect(200);
            let lives = traded.body["expires_in"].as_i64().unwrap();
            assert!(lives <= longest && lives > longest - 60, "{traded}");
            assert_eq!(traded.header("cache-control"), "no-store");
            let me = bearing(&admin, traded.text_of("access_token")).get(ME).await.expect(200);
            assert_eq!(me.body["permissions"], permissions);
            assert_eq!(me.body["principal"]["kind"], "workload");
            assert_eq!(me.body["principal"]["name"], "repo:acme");
        }
        for (repository, at) in [("acme2/app", "refs/heads/main"), ("ACME/app", "x")] {
            let job = job(&idp, json!({ "repository": repository, "ref": at })).await;
            refused(&trade(&admin, &job, &[]).await, "invalid_request");
        }

        let log = admin.get(&format!("{EVENTS}?action=session.started&sort=seq")).await.expect(200);
        let first = &log.body["data"][0];
        assert_eq!(first["actor"]["kind"], "workload", "{first}");
        assert_eq!(first["after"]["subject"], "repo:acme", "{first}");
        assert_eq!(first["after"]["role_ids"], json!([main]), "{first}");
        let in_use = admin.delete(&provider.path()).await.expect(409).problem("conflict");
        assert!(in_use.text_of("detail").contains("that have not ended: 3"), "{in_use}");
    }

    async fn each_token_is_traded_once(database: Database) {
        let Some(idp) = idp().await else { return };
        let (_server, admin) = started(&database).await;
        let build = role(&admin, "build").await;
        trusting(&admin, &idp, json!([rule(json!({ "repository": "acme/app" }), &build, 5)])).await;
        let named = job(&idp, json!({ "jti": "a-job" })).await;
        let nameless = job(&idp, json!({ "jti": null, "run": 1 })).await;
        for token in [&named, &nameless] {
            let mut trying = JoinSet::new();
            for _ in 0..20 {
                let (api, token) = (admin.clone(), token.clone());
                trying.spawn(async move { trade(&api, &token, &[]).await.status.as_u16() });
            }
            let outcomes = trying.join_all().await;
            let traded = outcomes.iter().filter(|status| **status == 200).count();
            assert_eq!(traded, 1, "{outcomes:?}");
            refused(&trade(&admin, token, &[]).await, "invalid_request");
        }
        let again = job(&idp, json!({ "jti": "a-job", "run": 2 })).await;
        refused(&trade(&admin, &again, &[]).await, "invalid_request");
        trade(&admin, &job(&idp, json!({ "jti": "another" })).await, &[]).await.expect(200);
    }

    async fn what_was_traded_falls_with_its_provider_and_its_roles(database: Database) {
        let Some(idp) = idp().await else { return };
        let (_server, admin) = started(&database).await;
        let keys = role(&admin, "keystile.api_keys.read").await;
        let provider =
            trusting(&admin, &idp, json!([rule(json!({ "repository": "*/app" }), &keys, 5)])).await;
        let traded = trade(&admin, &job(&idp, json!({})).await, &[]).await.expect(200);
        let machine = bearing(&admin, traded.text_of("access_token"));
        machine.get(KEYS).await.expect(200);

        let less = json!({ "permissions": ["other"] });
        admin.patch(&format!("/api/v1/roles/{keys}"), less).await.expect(200);
        machine.get(KEYS).await.expect(403);
        provider.change(&admin, json!({ "enabled": false })).await;
        machine.get(ME).await.expect(401);
        refused(&trade(&admin, &job(&idp, json!({})).await, &[]).await, "invalid_request");
    }
}

#[tokio::test]
async fn a_job_may_ask_for_less_and_keeps_its_token_if_it_asks_for_more() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    let build = role(&admin, "builds.*").await;
    trusting(&admin, &idp, json!([rule(json!({ "repository": "acme/app" }), &build, 15)])).await;
    let job = job(&idp, json!({})).await;
    refused(&trade(&admin, &job, &[("scope", "**")]).await, "invalid_scope");
    let traded = trade(&admin, &job, &[("scope", "builds.start")]).await.expect(200);
    assert_eq!(traded.body["scope"], "builds.start");
    let me = bearing(&admin, traded.text_of("access_token")).get(ME).await.expect(200);
    assert_eq!(me.body["permissions"], json!(["builds.start"]));
}

#[tokio::test]
async fn what_a_job_gets_never_outlives_what_it_showed() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    let build = role(&admin, "build").await;
    trusting(&admin, &idp, json!([rule(json!({ "repository": "acme/app" }), &build, 15)])).await;
    let short = job(&idp, json!({ "exp": now() + 90 })).await;
    let traded = trade(&admin, &short, &[]).await.expect(200);
    assert!(traded.body["expires_in"].as_i64().unwrap() <= 90, "{traded}");
    let over = job(&idp, json!({ "exp": now() - 10 })).await;
    refused(&trade(&admin, &over, &[]).await, "invalid_request");
    let chained = traded.text_of("access_token");
    refused(&trade(&admin, chained, &[]).await, "invalid_request");
}

#[tokio::test]
async fn a_machine_is_no_user_and_a_user_is_no_machine() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    let build = role(&admin, "build").await;
    let rules = json!([rule(json!({ "repository": "acme/app" }), &build, 5)]);
    let provider = trusting(&admin, &idp, rules).await;
    let job = job(&idp, json!({})).await;
    assert!(!is_taken(&admin, &job).await);
    assert!(!is_taken(&admin, &super::token_of_jane(&idp).await).await);

    provider.change(&admin, json!({ "trust_rules": [], "create_users": true })).await;
    let token = super::token_of_jane(&idp).await;
    assert!(is_taken(&admin, &token).await);
    refused(&trade(&admin, &token, &[]).await, "invalid_request");
    refused(&trade(&admin, &job, &[]).await, "invalid_request");
}

#[tokio::test]
async fn a_token_that_is_not_believed_is_not_traded() {
    let Some(idp) = idp().await else { return };
    let other = OpenIdProvider::start().await;
    let (_server, admin) = started(&Database::Sqlite).await;
    let build = role(&admin, "build").await;
    trusting(&admin, &idp, json!([rule(json!({ "repository": "acme/app" }), &build, 5)])).await;
    for wrong in [
        job(&idp, json!({ "aud": "api://other" })).await,
        job(&idp, json!({ "exp": now() - 600 })).await,
        job(&idp, json!({ "nbf": now() + 600 })).await,
        job(&idp, json!({ "repository": { "acme/app": 1 } })).await,
        job(&idp, json!({ "repository": null })).await,
        other.sign(json!({}), claims_of_a_job(&idp)).await,
        job(&other, json!({})).await,
        "e30.e30.e30".to_owned(),
        "junk".to_owned(),
    ] {
        let answer = trade(&admin, &wrong, &[]).await;
        refused(&answer, "invalid_request");
        assert!(answer.body.get("access_token").is_none(), "{answer}");
    }
    assert_eq!(other.key_fetches().await, 0);
}

/// A provider of machines' tokens with these rules.
async fn trusting(admin: &Api, idp: &OpenIdProvider, rules: Value) -> Provider {
    let more = json!({ "name": "CI", "create_users": false, "trust_rules": rules });
    Provider::of(admin, idp, more).await
}

fn rule(claims: Value, role: &Value, max_minutes: i64) -> Value {
    json!({ "claims": claims, "role_ids": [role], "max_minutes": max_minutes })
}

async fn role(admin: &Api, permission: &str) -> Value {
    let new = json!({ "name": permission, "permissions": [permission] });
    admin.post("/api/v1/roles", new).await.expect(201).body["id"].clone()
}

/// The ID token of a job of `acme/app`, with other claims in their places; `null` leaves one out.
async fn job(idp: &OpenIdProvider, other: Value) -> String {
    let mut claims = claims_of_a_job(idp);
    for (name, value) in other.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    idp.sign(json!({ "typ": "JWT" }), claims).await
}

fn claims_of_a_job(idp: &OpenIdProvider) -> Value {
    let random: u64 = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
    json!({
        "iss": idp.issuer(),
        "sub": "repo:acme",
        "aud": AUDIENCE,
        "iat": now(),
        "nbf": now(),
        "exp": now() + 300,
        "jti": random.to_string(),
        "repository": "acme/app",
        "ref": "refs/heads/main",
    })
}

async fn trade(api: &Api, token: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", token),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
    ];
    form.extend(more);
    let request = api.with(Caller::Anonymous).request(Method::POST, "/oauth2/token").form(&form);
    Answer::to(request).await.expect("the server answers")
}

#[track_caller]
fn refused(answer: &Answer, error: &str) {
    assert_eq!(answer.status, 400, "{answer}");
    assert_eq!(answer.body["error"], error, "{answer}");
}
