//! What the documentation of JIM lets its customers do, line by line, with a real identity provider.

use acceptance::{Answer, Caller, Database, Options, Server};
use reqwest::Method;
use serde_json::{Value, json};

use super::{AUDIENCE, KEYS, ME, SCOPE, idp, jane};

#[tokio::test]
async fn the_two_ways_in_of_jim() {
    let Some(idp) = idp().await else { return };

    // "OIDC/SSO must be configured …", "… the required API scope".
    let options = Options::on(&Database::Sqlite)
        .env("KEYSTILE_SSO_AUTHORITY", idp.issuer())
        .env("KEYSTILE_SSO_AUDIENCE", AUDIENCE)
        .env("KEYSTILE_SSO_API_SCOPE", SCOPE);
    let server = Server::start(&options).await;
    let admin = server.admin();
    let anonymous = admin.with(Caller::Anonymous);

    // "All API requests must be authenticated."
    anonymous.get(ME).await.expect(401).problem("missing_credential");

    // "Obtain a token via your identity provider's OIDC token endpoint, then include it in the
    // Authorization header".
    let token = idp.access_token(&jane(), AUDIENCE, SCOPE).await;
    let with = async |name: &str, value: &str| -> Answer {
        let request = anonymous.request(Method::GET, ME).header(name, value);
        Answer::to(request).await.unwrap()
    };
    let me = with("Authorization", &format!("Bearer {token}")).await.expect(200);
    assert_eq!(me.body["principal"]["name"], "jane");

    // "Standard JWT claims (expiry, audience, issuer) are enforced."
    for (claim, value) in [
        ("exp", json!(super::now() - 120)),
        ("aud", json!("api://other")),
        ("iss", json!("https://other.example")),
    ] {
        let mut claims = super::claims::fresh(&idp);
        claims[claim] = value;
        let token = idp.sign(json!({ "typ": "at+jwt" }), claims).await;
        with("Authorization", &format!("Bearer {token}")).await.expect(401);
    }

    // "Creating an API Key"; "All API keys are prefixed with jim_ for easy identification."
    let new = json!({ "name": "JIM", "kind": "api_key", "prefix": "jim_", "default": true });
    admin.post(super::PROVIDERS, new).await.expect(201);
    let key = admin.post(KEYS, json!({ "name": "script" })).await.expect(201);
    let secret = key.text_of("key");
    assert!(secret.starts_with("jim_"), "{key}");

    // "Include the API key in the X-Api-Key header".
    let me = with("X-Api-Key", secret).await.expect(200);
    assert_eq!(me.body["principal"]["kind"], "api_key");

    // "Create separate API keys for different integrations so that keys can be revoked
    // independently"; "if a key is compromised, revoke it immediately".
    let other = admin.post(KEYS, json!({ "name": "other" })).await.expect(201);
    admin.delete(&format!("{KEYS}/{}", key.text_of("id"))).await.expect(204);
    with("X-Api-Key", secret).await.expect(401).problem("invalid_credential");
    with("X-Api-Key", other.text_of("key")).await.expect(200);

    // "Rotate API keys regularly."
    let rotate = format!("{KEYS}/{}/rotate", other.text_of("id"));
    let rotated = admin.post(&rotate, Value::Object(Default::default())).await.expect(200);
    with("X-Api-Key", other.text_of("key")).await.expect(401);
    with("X-Api-Key", rotated.text_of("key")).await.expect(200);
}
