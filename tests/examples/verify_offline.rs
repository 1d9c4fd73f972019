//! Verifies an access token, given on standard input: `verify_offline ISSUER AUDIENCE SCOPE`.

use std::env;
use std::error::Error;
use std::io::{self, Write};

use keystile_auth::jwt::{self, Audiences, Expectations, KeySet, Leeway, TokenUse};
use keystile_auth::{Clock, SystemClock};
use keystile_domain::{Jwt, JwtAlgorithm};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().collect();
    let [_, issuer, audience, scope] = arguments.as_slice() else {
        return Err("arguments: ISSUER AUDIENCE SCOPE".into());
    };
    let token = Jwt::parse(io::read_to_string(io::stdin())?.trim())?;

    let keys = reqwest::get(format!("{issuer}/.well-known/jwks.json")).await?;
    let keys = KeySet::parse(&keys.error_for_status()?.bytes().await?)?;

    let expectations = Expectations {
        issuer,
        audiences: Audiences::OneOf(&[audience]),
        authorized_party: None,
        algorithms: &[JwtAlgorithm::EdDsa],
        types: &["at+jwt"],
        token_use: TokenUse::Access,
        leeway: Leeway::NONE,
    };
    let claims = jwt::verify(&token, &keys, &expectations, SystemClock.now())?;
    if !claims.scopes().any(|held| held == scope) {
        return Err(format!("the token lacks the scope {scope}").into());
    }

    writeln!(io::stdout(), "{}", claims.subject())?;
    Ok(())
}
