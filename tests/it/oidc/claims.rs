//! What a token must say, and what its claims are worth.

use acceptance::{Database, oidc::User, on_each_database, started};
use serde_json::json;

use super::{
    AUDIENCE, AUDITOR, KEYS, ME, Provider, SCOPE, bearing, idp, is_taken, jane, refusal,
    token_of_jane,
};

on_each_database! {
    async fn roles_come_with_each_token_and_go_with_it(database: Database) {
        let Some(idp) = idp().await else { return };
        let (_server, admin) = started(&database).await;
        let mapping = json!({ "role_claim": "groups", "role_mapping": { "audit": [AUDITOR] } });
        let provider = Provider::of(&admin, &idp, mapping).await;
        let with = jane().claim("groups", json!(["people", "audit"]));
        let with = bearing(&admin, &idp.access_token(&with, AUDIENCE, SCOPE).await);
        let without = jane().claim("groups", json!(["people", "AUDIT", "audit "]));
        let without = bearing(&admin, &idp.access_token(&without, AUDIENCE, SCOPE).await);

        with.get(KEYS).await.expect(200);
        without.get(KEYS).await.expect(403);
        let me = with.get(ME).await.expect(200);
        assert_eq!(me.body["roles"], json!([{ "id": AUDITOR, "name": "auditor" }]), "{me}");
        assert_eq!(without.get(ME).await.expect(200).body["principal"], me.body["principal"]);

        provider.change(&admin, json!({ "role_mapping": null })).await;
        with.get(KEYS).await.expect(403);
    }

    async fn a_token_for_somebody_else_is_refused(database: Database) {
        let Some(idp) = idp().await else { return };
        let (_server, admin) = started(&database).await;
        Provider::of(&admin, &idp, json!({})).await;
        assert!(is_taken(&admin, &token_of_jane(&idp).await).await);

        for audience in ["api://other", "api://keystile/", "api://keystile2", "API://keystile"] {
            let token = idp.access_token(&jane(), audience, SCOPE).await;
            assert!(!is_taken(&admin, &token).await, "{audience}");
        }
    }

    async fn a_token_without_the_required_scope_is_refused_like_any_other(database: Database) {
        let Some(idp) = idp().await else { return };
        let (_server, admin) = started(&database).await;
        Provider::of(&admin, &idp, json!({ "required_scope": "keys.write" })).await;
        let refused = idp.access_token(&jane(), AUDIENCE, "keys.read").await;
        let refused = refusal(&bearing(&admin, &refused).get(ME).await);
        assert_eq!(refused, refusal(&bearing(&admin, "e30.e30.e30").get(ME).await));

        let token = idp.access_token(&jane(), AUDIENCE, "keys.read keys.write").await;
        assert!(is_taken(&admin, &token).await);
    }
}

#[tokio::test]
async fn an_id_token_is_no_access_token() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    // Addressed to whom it is addressed to: what it is, is what stands in the way.
    Provider::of(&admin, &idp, json!({ "audience": idp.client_id() })).await;
    assert!(!is_taken(&admin, &idp.id_token(&jane()).await).await);
}

#[tokio::test]
async fn a_provider_may_ask_for_the_type_of_access_tokens() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    let provider = Provider::of(&admin, &idp, json!({ "require_typ": true })).await;
    assert!(is_taken(&admin, &token_of_jane(&idp).await).await);
    let claims = fresh(&idp);
    let plain = idp.sign(json!({ "typ": "JWT" }), claims).await;
    assert!(!is_taken(&admin, &plain).await);

    provider.change(&admin, json!({ "require_typ": false })).await;
    assert!(is_taken(&admin, &plain).await);
}

#[tokio::test]
async fn an_algorithm_that_is_not_allowed_is_refused() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    let provider = Provider::of(&admin, &idp, json!({ "algorithms": ["ES256"] })).await;
    let token = token_of_jane(&idp).await;
    assert!(!is_taken(&admin, &token).await);
    provider.change(&admin, json!({ "algorithms": ["ES256", "RS256"] })).await;
    assert!(is_taken(&admin, &token).await);
}

#[tokio::test]
async fn a_token_that_names_another_client_is_refused_where_the_client_is_known() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    let provider = Provider::of(&admin, &idp, json!({ "client_id": "console" })).await;
    for (party, taken) in [("console", true), ("other", false), ("Console", false)] {
        let mut claims = fresh(&idp);
        claims["azp"] = json!(party);
        let token = idp.sign(json!({ "typ": "at+jwt" }), claims).await;
        assert_eq!(is_taken(&admin, &token).await, taken, "{party}");
    }
    provider.change(&admin, json!({ "client_id": null })).await;
    let mut claims = fresh(&idp);
    claims["azp"] = json!("other");
    assert!(is_taken(&admin, &idp.sign(json!({ "typ": "at+jwt" }), claims).await).await);
}

#[tokio::test]
async fn scopes_are_read_from_scp_too() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    Provider::of(&admin, &idp, json!({ "required_scope": "b" })).await;
    for (claim, value, taken) in [
        ("scp", json!(["a", "b"]), true),
        ("scp", json!("a b"), true),
        ("scope", json!("a b"), true),
        ("scope", json!("ab"), false),
        ("scope", json!("B"), false),
        ("scope", json!(["b"]), false),
        ("scp", json!(["a b"]), false),
    ] {
        let mut claims = fresh(&idp);
        claims.as_object_mut().unwrap().remove("scope");
        claims[claim] = value.clone();
        let token = idp.sign(json!({ "typ": "at+jwt" }), claims).await;
        assert_eq!(is_taken(&admin, &token).await, taken, "{claim} {value}");
    }
}

#[tokio::test]
async fn a_subject_without_a_usable_name_still_gets_one() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    Provider::of(&admin, &idp, json!({})).await;
    let long = "x".repeat(101);
    for (subject, name) in [
        ("s-1", json!(" padded ")),
        ("s-2", json!(7)),
        ("s-3", json!("a\u{200b}b")),
        ("s-4", json!("")),
        ("s-5", json!(long)),
    ] {
        let user = User::new(subject).claim("preferred_username", name);
        let token = idp.access_token(&user, AUDIENCE, SCOPE).await;
        let me = bearing(&admin, &token).get(ME).await.expect(200);
        assert!(!me.body["principal"]["name"].as_str().unwrap().is_empty(), "{me}");
    }
}

/// The claims of a token that is taken.
pub(crate) fn fresh(idp: &acceptance::oidc::OpenIdProvider) -> serde_json::Value {
    let now = super::now();
    json!({
        "iss": idp.issuer(),
        "sub": "jane-1",
        "aud": AUDIENCE,
        "scope": SCOPE,
        "iat": now,
        "exp": now + 300,
        "jti": "a-token",
    })
}
