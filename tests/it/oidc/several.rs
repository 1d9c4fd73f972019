//! Several providers at once: each token is for one of them, by its issuer and its audience.

use acceptance::{
    Database,
    oidc::{OpenIdProvider, SigningAlgorithm},
    started,
};
use serde_json::{Value, json};

use super::{
    AUDIENCE, ME, Provider, SCOPE, bearing, claims::fresh, idp, is_taken, jane, refusal,
    token_of_jane,
};

#[tokio::test]
async fn nothing_is_asked_of_an_issuer_that_is_not_configured() {
    let Some(idp) = idp().await else { return };
    let other = OpenIdProvider::start().await;
    let (_server, admin) = started(&Database::Sqlite).await;
    Provider::of(&admin, &idp, json!({})).await;

    assert!(!is_taken(&admin, &token_of_jane(&other).await).await);
    assert_eq!((other.discoveries().await, other.key_fetches().await), (0, 0));
    assert_eq!((idp.discoveries().await, idp.key_fetches().await), (0, 0));
}

#[tokio::test]
async fn one_subject_of_two_issuers_is_two_users() {
    let Some(idp) = idp().await else { return };
    let other = OpenIdProvider::start_with(SigningAlgorithm::EdDsa).await;
    let (_server, admin) = started(&Database::Sqlite).await;
    Provider::of(&admin, &idp, json!({ "name": "One" })).await;
    Provider::of(&admin, &other, json!({ "name": "Two" })).await;

    let one = bearing(&admin, &token_of_jane(&idp).await).get(ME).await.expect(200).body;
    let two = bearing(&admin, &token_of_jane(&other).await).get(ME).await.expect(200).body;
    assert_eq!(one["principal"]["name"], "jane");
    assert_eq!(two["principal"]["name"], "jane@two");
    assert_ne!(one["principal"]["id"], two["principal"]["id"]);
}

#[tokio::test]
async fn no_issuer_speaks_for_another() {
    let Some(idp) = idp().await else { return };
    let other = OpenIdProvider::start().await;
    let (_server, admin) = started(&Database::Sqlite).await;
    Provider::of(&admin, &idp, json!({ "name": "One" })).await;
    Provider::of(&admin, &other, json!({ "name": "Two" })).await;
    assert!(is_taken(&admin, &token_of_jane(&idp).await).await);
    assert!(is_taken(&admin, &token_of_jane(&other).await).await);

    let stolen = other.sign(json!({ "typ": "at+jwt" }), fresh(&idp)).await;
    assert!(!is_taken(&admin, &stolen).await);
    let kid = acceptance::oidc::Unverified::read(&token_of_jane(&idp).await).header["kid"].clone();
    let stolen = other.sign(json!({ "typ": "at+jwt", "kid": kid }), fresh(&idp)).await;
    assert!(!is_taken(&admin, &stolen).await);
}

#[tokio::test]
async fn of_several_providers_of_one_issuer_the_first_that_a_token_is_for_takes_it() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    let role = async |name: &str| -> Value {
        let new = json!({ "name": name, "permissions": [format!("{name}.read")] });
        admin.post("/api/v1/roles", new).await.expect(201).body["id"].clone()
    };
    let (one, two) = (role("one").await, role("two").await);
    let mapped = |id: &Value| json!({ "everybody": [id] });
    let settings = |name: &str, audience: &str, priority: i64, id: &Value| {
        json!({
            "name": name,
            "audience": audience,
            "priority": priority,
            "role_claim": "group",
            "role_mapping": mapped(id),
        })
    };
    Provider::of(&admin, &idp, settings("Late", AUDIENCE, 10, &two)).await;
    Provider::of(&admin, &idp, settings("Elsewhere", "api://other", 1, &two)).await;
    let first = Provider::of(&admin, &idp, settings("First", AUDIENCE, 5, &one)).await;
    let token = jane().claim("group", "everybody");
    let token = idp.access_token(&token, AUDIENCE, SCOPE).await;
    let permissions =
        async || bearing(&admin, &token).get(ME).await.expect(200).body["permissions"].clone();

    assert_eq!(permissions().await, json!(["one.read"]));
    first.change(&admin, json!({ "priority": 20 })).await;
    assert_eq!(permissions().await, json!(["two.read"]));
    first.change(&admin, json!({ "priority": 5, "enabled": false })).await;
    assert_eq!(permissions().await, json!(["two.read"]));
}

#[tokio::test]
async fn another_authority_is_another_issuer() {
    let Some(idp) = idp().await else { return };
    let other = OpenIdProvider::start().await;
    let (_server, admin) = started(&Database::Sqlite).await;
    let provider = Provider::of(&admin, &idp, json!({})).await;
    let (before, after) = (token_of_jane(&idp).await, token_of_jane(&other).await);
    assert!(is_taken(&admin, &before).await && !is_taken(&admin, &after).await);

    provider.change(&admin, json!({ "authority": other.issuer() })).await;
    assert!(!is_taken(&admin, &before).await && is_taken(&admin, &after).await);
}

#[tokio::test]
async fn an_authority_that_describes_another_issuer_is_believed_in_nothing() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    let slash = format!("{}/", idp.issuer());
    Provider::of(&admin, &idp, json!({ "authority": slash })).await;
    let refused = bearing(&admin, &token_of_jane(&idp).await).get(ME).await;
    assert_eq!(refusal(&refused), refusal(&bearing(&admin, "e30.e30.e30").get(ME).await));

    let mut claims = fresh(&idp);
    claims["iss"] = json!(slash);
    let token = idp.sign(json!({ "typ": "at+jwt" }), claims).await;
    let down = bearing(&admin, &token).get(ME).await.expect(503).problem("unavailable");
    assert!(!down.header("retry-after").is_empty(), "{down}");
}
