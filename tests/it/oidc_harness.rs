//! The identity providers are what the tests take them for.

use acceptance::{
    Answer, Api, Caller, Part,
    oidc::{Keycloak, OpenIdProvider, SigningAlgorithm, Unverified, User},
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_provider_describes_itself() {
    let Some(provider) = provider().await else { return };
    let document = discovery(provider.issuer()).await;
    assert_eq!(document["issuer"], provider.issuer());
    assert_eq!(document["jwks_uri"], format!("{}/jwks", provider.issuer()));
    assert_eq!(provider.discoveries().await, 1);
    assert_eq!(provider.key_fetches().await, 0);
}

#[tokio::test]
async fn an_access_token_has_audience_scope_and_claims() {
    let Some(provider) = provider().await else { return };
    let user = User::new("jane").claim("email", "jane@example.org").claim("groups", json!(["a"]));
    let token = provider.access_token(&user, AUDIENCE, "keys.read keys.write").await;
    let Unverified { header, claims } = Unverified::read(&token);
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(header["alg"], "RS256");
    assert_eq!(claims["iss"], provider.issuer());
    assert_eq!(claims["aud"], AUDIENCE);
    assert_eq!(claims["sub"], "jane");
    assert_eq!(claims["client_id"], provider.client_id());
    assert_eq!(claims["scope"], "keys.read keys.write");
    assert_eq!(claims["email"], "jane@example.org");
    assert_eq!(claims["groups"], json!(["a"]));
}

#[tokio::test]
async fn an_id_token_is_for_the_client() {
    let Some(provider) = provider().await else { return };
    let user = User::new("jane").claim("preferred_username", "jane.doe");
    let Unverified { header, claims } = Unverified::read(&provider.id_token(&user).await);
    assert_ne!(header["typ"], "at+jwt");
    assert_eq!(claims["aud"], provider.client_id());
    assert_eq!(claims["sub"], "jane");
    assert_eq!(claims["preferred_username"], "jane.doe");
    assert!(claims["nonce"].is_string(), "{claims}");
}

#[tokio::test]
async fn a_client_has_tokens_of_its_own() {
    let Some(provider) = provider().await else { return };
    let claims = Unverified::read(&provider.client_token(AUDIENCE, "keys.read").await).claims;
    assert_eq!(claims["sub"], provider.client_id());
    assert_eq!(claims["aud"], AUDIENCE);
    assert_eq!(claims["scope"], "keys.read");
}

#[tokio::test]
async fn a_test_may_have_anything_signed() {
    let Some(provider) = provider().await else { return };
    let claims = json!({"iss": "https://other.example", "exp": 1, "repository": "acme/app"});
    let token = provider.sign(json!({"typ": "JWT"}), claims.clone()).await;
    let read = Unverified::read(&token);
    assert_eq!(read.claims, claims);
    assert_eq!(read.header["typ"], "JWT");
    assert_eq!(json!([read.header["kid"]]), kids(provider.issuer()).await);
}

#[tokio::test]
async fn each_algorithm_signs() {
    if !Part::OpenId.or_skip() {
        return;
    }
    for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256, SigningAlgorithm::Rs256] {
        let provider = OpenIdProvider::start_with(algorithm).await;
        let user = User::new("jane");
        let access = provider.access_token(&user, AUDIENCE, "keys.read").await;
        for token in [access, provider.id_token(&user).await] {
            assert_eq!(Unverified::read(&token).header["alg"], algorithm.as_str());
        }
    }
}

#[tokio::test]
async fn rotated_keys_stand_beside_the_old_ones_and_replaced_keys_do_not() {
    let Some(provider) = provider().await else { return };
    let signed_with = async || {
        let token = provider.access_token(&User::new("jane"), AUDIENCE, "keys.read").await;
        Unverified::read(&token).header["kid"].clone()
    };
    let first = signed_with().await;
    let second = provider.rotate_keys(SigningAlgorithm::Es256).await;
    assert_eq!(signed_with().await, second);
    assert_eq!(kids(provider.issuer()).await, json!([second, first]));
    let third = provider.replace_keys(SigningAlgorithm::EdDsa).await;
    assert_eq!(signed_with().await, third);
    assert_eq!(kids(provider.issuer()).await, json!([third]));
    assert_eq!(provider.key_fetches().await, 2);
}

#[tokio::test]
async fn a_failing_provider_gives_no_answer_and_comes_back_as_it_was() {
    let Some(provider) = provider().await else { return };
    let before = kids(provider.issuer()).await;
    provider.fail().await;
    let api = Api::new(provider.issuer(), Caller::Anonymous);
    let asked = Answer::to(api.request(reqwest::Method::GET, "/jwks")).await;
    assert!(asked.is_err(), "{asked:?}");
    assert!(provider.key_fetches().await > 1);
    provider.recover().await;
    assert_eq!(kids(provider.issuer()).await, before);
}

#[tokio::test]
async fn keycloak_gives_tokens_and_rotates_its_keys() {
    if !Part::Keycloak.or_skip() {
        return;
    }
    let keycloak = Keycloak::start().await;
    let scope = format!("openid profile email {}", Keycloak::SCOPE);
    let before = Unverified::read(&keycloak.access_token(&scope).await);
    assert_eq!(before.header["alg"], "RS256");
    assert_eq!(before.claims["iss"], keycloak.issuer());
    assert!(has(&before.claims["aud"], Keycloak::AUDIENCE), "{before:?}");
    assert_eq!(before.claims["preferred_username"], Keycloak::USER);
    assert_eq!(before.claims["groups"], json!(["/operators"]));
    assert!(has(&before.claims["realm_access"]["roles"], "operator"), "{before:?}");
    let scopes = before.claims["scope"].as_str().unwrap();
    assert!(scopes.split(' ').any(|scope| scope == Keycloak::SCOPE), "{before:?}");

    keycloak.rotate_keys().await;
    let own = Unverified::read(&keycloak.client_token(Keycloak::SCOPE).await);
    assert_ne!(own.header["kid"], before.header["kid"]);
    let published = kids(&keycloak.issuer()).await;
    for token in [&before, &own] {
        assert!(has(&published, token.header["kid"].as_str().unwrap()), "{published}");
    }
    let id_token = Unverified::read(&keycloak.id_token().await);
    assert_ne!(id_token.claims["aud"], before.claims["aud"]);
}

async fn provider() -> Option<OpenIdProvider> {
    if Part::OpenId.or_skip() { Some(OpenIdProvider::start().await) } else { None }
}

async fn discovery(issuer: &str) -> Value {
    let api = Api::new(issuer, Caller::Anonymous);
    api.get("/.well-known/openid-configuration").await.expect(200).body
}

/// The ids of all keys that sign, as the provider publishes them.
async fn kids(issuer: &str) -> Value {
    let document = discovery(issuer).await;
    let path = document["jwks_uri"].as_str().unwrap().strip_prefix(issuer).unwrap();
    let keys = Api::new(issuer, Caller::Anonymous).get(path).await.expect(200).body;
    let keys = keys["keys"].as_array().unwrap();
    keys.iter().filter(|key| key["use"] == "sig").map(|key| key["kid"].clone()).collect()
}

/// Whether a claim is this text, or a list with it.
fn has(claim: &Value, text: &str) -> bool {
    claim == text || claim.as_array().is_some_and(|list| list.iter().any(|item| item == text))
}

const AUDIENCE: &str = "api://keystile";
