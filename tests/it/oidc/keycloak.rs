//! Keycloak as it is delivered: its tokens call themselves `JWT`, and its issuer has a path.

use acceptance::{Database, Options, Part, Server, oidc::Keycloak, started};
use serde_json::json;

use super::{AUDITOR, KEYS, ME, PROVIDERS, bearing, is_taken, refusal};

#[tokio::test]
async fn people_and_programs_of_keycloak_come_in_with_their_groups() {
    if !Part::Keycloak.or_skip() {
        return;
    }
    let keycloak = Keycloak::start().await;
    let (_server, admin) = started(&Database::Sqlite).await;
    let new = json!({
        "name": "Keycloak",
        "kind": "oidc",
        "authority": keycloak.issuer(),
        "audience": Keycloak::AUDIENCE,
        "required_scope": Keycloak::SCOPE,
        "create_users": true,
        "role_claim": "groups",
        "role_mapping": { "/operators": [AUDITOR] },
    });
    admin.post(PROVIDERS, new).await.expect(201);
    let scope = format!("openid profile email {}", Keycloak::SCOPE);

    let token = keycloak.access_token(&scope).await;
    let jane = bearing(&admin, &token);
    let me = jane.get(ME).await.expect(200);
    assert_eq!(me.body["principal"]["name"], Keycloak::USER);
    jane.get(KEYS).await.expect(200);

    let program = keycloak.client_token(Keycloak::SCOPE).await;
    let me = bearing(&admin, &program).get(ME).await.expect(200);
    assert_eq!(me.body["roles"], json!([]), "{me}");
    let expected = refusal(&bearing(&admin, "e30.e30.e30").get(ME).await);
    for wrong in [keycloak.id_token().await, keycloak.access_token("openid").await] {
        assert_eq!(refusal(&bearing(&admin, &wrong).get(ME).await), expected);
    }

    let unknown = format!("{}x", Keycloak::AUDIENCE);
    let path = admin.get(&format!("{PROVIDERS}?kind=oidc")).await.expect(200);
    let path = format!("{PROVIDERS}/{}", path.body["data"][0]["id"].as_str().unwrap());
    admin.patch(&path, json!({ "audience": unknown })).await.expect(200);
    assert!(!is_taken(&admin, &token).await);
}

#[tokio::test]
async fn a_server_that_starts_after_keycloak_changed_its_keys_takes_both() {
    if !Part::Keycloak.or_skip() {
        return;
    }
    let keycloak = Keycloak::start().await;
    let scope = format!("openid profile email {}", Keycloak::SCOPE);
    let before = keycloak.access_token(&scope).await;
    keycloak.rotate_keys().await;
    let after = keycloak.access_token(&scope).await;
    let options = Options::on(&Database::Sqlite)
        .env("KEYSTILE_SSO_AUTHORITY", keycloak.issuer())
        .env("KEYSTILE_SSO_AUDIENCE", Keycloak::AUDIENCE)
        .env("KEYSTILE_SSO_API_SCOPE", Keycloak::SCOPE);
    let server = Server::start(&options).await;
    let api = server.admin();
    for token in [before, after] {
        assert!(is_taken(&api, &token).await);
    }
}
