//! The attacks that a verifier of tokens must withstand, against the whole path of one.

mod claims;
mod keys;
mod properties;
mod published;
mod signatures;
mod signer;

use keystile_domain::{Jwt, JwtAlgorithm, Timestamp};
use serde_json::{Value, json};

use self::signer::Signer;
use super::*;

const ISSUER: &str = "https://login.example/tenant";
const AUDIENCE: &str = "https://invoices.example";
const NOW: i64 = 1_800_000_000;

const EXPECTED: Expectations<'_> = Expectations {
    issuer: ISSUER,
    audiences: Audiences::OneOf(&["https://other.example", AUDIENCE]),
    authorized_party: None,
    algorithms: JwtAlgorithm::ALL,
    types: &["at+jwt"],
    token_use: TokenUse::Access,
    leeway: Leeway::NONE,
};

fn now() -> Timestamp {
    at(NOW)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_000 * seconds)
}

/// Claims that pass, as an access token has them.
fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "u-1",
        "aud": AUDIENCE,
        "client_id": "c-1",
        "exp": NOW + 300,
        "nbf": NOW - 10,
        "iat": NOW - 10,
        "jti": "j-1",
        "scope": "invoices.read invoices.write",
    })
}

/// The claims that pass, with one of them set.
fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

/// The claims that pass, without one of them.
fn claims_without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

/// Verifies a text by all steps, the first included.
fn verify_text(text: &str, signer: &Signer, expected: &Expectations<'_>) -> Option<TokenError> {
    let jwt = Jwt::parse(text).expect("a text in the shape of a JWT");
    verify(&jwt, &signer.key_set(), expected, now()).err()
}

/// Verifies claims in a token that is otherwise in order.
fn verify_claims(claims: &Value) -> Result<Claims, TokenError> {
    verify_claims_with(claims, &EXPECTED)
}

fn verify_claims_with(claims: &Value, expected: &Expectations<'_>) -> Result<Claims, TokenError> {
    let signer = Signer::ed25519();
    let jwt = Jwt::parse(&signer.token(claims)).unwrap();
    verify(&jwt, &signer.key_set(), expected, now())
}
