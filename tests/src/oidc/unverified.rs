//! A look into a token without asking whether it is genuine: the tests say what a provider sent,
//! the server whether to believe it.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;

/// What a JWT says.
#[derive(Clone, Debug)]
pub struct Unverified {
    /// The JOSE header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
}

impl Unverified {
    /// Takes a JWT apart.
    ///
    /// # Panics
    /// If it is no JWT in compact form (RFC 7515, section 7.1).
    #[track_caller]
    pub fn read(token: &str) -> Self {
        let parts: Vec<_> = token.split('.').collect();
        let [header, claims, _signature] = parts[..] else { panic!("no JWT: {token}") };
        Self { header: json(header), claims: json(claims) }
    }
}

#[track_caller]
fn json(part: &str) -> Value {
    let bytes = Base64UrlUnpadded::decode_vec(part).expect("base64url without padding");
    serde_json::from_slice(&bytes).expect("JSON")
}
