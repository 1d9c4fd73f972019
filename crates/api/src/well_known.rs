//! What everybody may know of the server, at places that standards name.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The public halves of the keys that access tokens are signed with (RFC 7517, section 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"keys": [{
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    "use": "sig",
    "alg": "EdDSA",
    "key_ops": ["verify"]
}]})))]
pub struct JwkSet {
    /// The keys, those that are yet to sign among them.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub keys: Vec<Map<String, Value>>,
}

/// How the server issues tokens (RFC 8414, section 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "issuer": "https://keys.example.com",
    "jwks_uri": "https://keys.example.com/.well-known/jwks.json",
    "token_endpoint": "https://keys.example.com/oauth2/token",
    "introspection_endpoint": "https://keys.example.com/oauth2/introspect",
    "revocation_endpoint": "https://keys.example.com/oauth2/revoke",
    "response_types_supported": [],
    "grant_types_supported": [
        "client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"
    ],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"]
})))]
pub struct ServerMetadata {
    /// What `iss` says in every token.
    pub issuer: String,
    /// Where the keys are.
    pub jwks_uri: String,
    /// Where tokens are traded.
    pub token_endpoint: String,
    /// Where tokens are asked about.
    pub introspection_endpoint: String,
    /// Where tokens are ended.
    pub revocation_endpoint: String,
    /// Always empty: nobody is sent elsewhere to sign in.
    pub response_types_supported: Vec<String>,
    /// What can be traded for a token.
    pub grant_types_supported: Vec<String>,
    /// How clients show who they are; `none`: the token that is traded is its own proof.
    pub token_endpoint_auth_methods_supported: Vec<String>,
}
