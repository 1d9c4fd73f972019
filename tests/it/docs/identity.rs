//! The OpenID provider that a page supposes its reader to have.

use acceptance::oidc::{OpenIdProvider, User};
use serde_json::json;

/// A provider, and what the lines of a page know of it.
pub struct Identity {
    /// Variables of the shell: `ISSUER`, `TOKEN` of a person, and `JOB`, the token of a CI job.
    pub variables: [(&'static str, String); 3],
    _provider: OpenIdProvider,
}

impl Identity {
    pub async fn start() -> Self {
        let provider = OpenIdProvider::start().await;
        let jane = User::new("0017").claim("preferred_username", "jane");
        let jane = jane.claim("groups", json!(["operators"]));
        let token = provider.access_token(&jane, "api://keystile", "keystile.use").await;
        let claims = json!({
            "iss": provider.issuer(),
            "sub": "repo:acme/billing:ref:refs/heads/main",
            "aud": "https://keys.example.com",
            "iat": 1_700_000_000,
            "exp": 32_000_000_000_i64,
            "jti": "a-job",
            "repository": "acme/billing",
            "ref": "refs/heads/main",
        });
        let job = provider.sign(json!({"typ": "JWT"}), claims).await;
        let issuer = provider.issuer().to_owned();
        let variables = [("ISSUER", issuer), ("TOKEN", token), ("JOB", job)];
        Self { variables, _provider: provider }
    }
}
