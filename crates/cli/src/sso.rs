//! `login --sso`: signing in with the browser at the company's own identity provider.
//!
//! The authorization code flow for programs on a machine of their user's (RFC 8252): a loopback
//! redirect, and a proof key in place of a client secret (RFC 7636). The provider's access token
//! lives minutes, so it is traded at once for a personal access token, which is what is kept.

mod callback;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use keystile_api::auth::SignInProvider;
use keystile_api::tokens::NewToken;
use keystile_client::{Change, Client};
use reqwest::Certificate;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::Url;
use uuid::Uuid;

use self::callback::Callback;
use crate::environment;
use crate::failure::Failure;
use crate::files;
use crate::output::{plain, say};
use crate::session::is_safe;

/// Signs in with the browser; an access token of the provider.
///
/// # Errors
/// What went wrong: there is no such sign-in, or the provider or the server refused.
pub async fn sign_in(
    anonymous: &Client,
    identifier: Option<&str>,
    ca_file: Option<&Path>,
) -> Result<SecretString, Failure> {
    let offered = anonymous.auth().providers().await?.data;
    let provider = choose(&offered, identifier)?;
    authorize(&http(ca_file)?, &provider).await
}

/// Makes a token for this machine; the token and its id.
///
/// # Errors
/// The server refused.
pub async fn make_token(
    anonymous: &Client,
    access_token: &SecretString,
) -> Result<(SecretString, Uuid), Failure> {
    let client = anonymous.with_credential(access_token);
    let client = client.map_err(|error| Failure::System(error.to_string()))?;
    let name = format!("Command line on {}", environment::machine());
    let new = NewToken { name: Some(name), ..NewToken::default() };
    let made = client.own_tokens().create(&new, &Change::new()).await?.value;
    let id = made.shown.id;
    let token = made.secret.ok_or_else(|| Failure::System("the server made no token".into()))?;
    Ok((token, id))
}

/// What a sign-in with a browser takes.
struct Provider {
    authority: String,
    client_id: String,
    audience: Option<String>,
    scope: Option<String>,
}

/// The metadata of a provider (OpenID Connect Discovery 1.0, section 3).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
}

/// The answer of the token endpoint, good or bad (RFC 6749, sections 5.1 and 5.2).
#[derive(Deserialize)]
struct Tokens {
    access_token: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

fn choose(offered: &[SignInProvider], identifier: Option<&str>) -> Result<Provider, Failure> {
    let fits = |one: &&SignInProvider| identifier.is_none_or(|wanted| one.identifier == wanted);
    let usable = offered
        .iter()
        .filter_map(|one| Some((one, Some(one.authority.clone()?), Some(one.client_id.clone()?))));
    let fitting: Vec<_> = usable.filter(|(one, ..)| fits(one)).collect();
    match &fitting[..] {
        [(one, Some(authority), Some(client_id))] => Ok(Provider {
            authority: authority.clone(),
            client_id: client_id.clone(),
            audience: one.audience.clone(),
            scope: one.scope.clone(),
        }),
        [_, _, ..] => {
            let names: Vec<_> = fitting.iter().map(|(one, ..)| one.identifier.as_str()).collect();
            let names = names.join(", ");
            Err(Failure::Usage(format!("say which sign-in with --provider: {names}")))
        }
        _ => Err(Failure::NotFound(
            "this server has no such sign-in with a browser; leave --sso out".into(),
        )),
    }
}

/// Sends the user to the provider, and takes the access token that comes of it.
async fn authorize(http: &reqwest::Client, provider: &Provider) -> Result<SecretString, Failure> {
    let metadata = metadata(http, &provider.authority).await?;
    let (verifier, state) = (random()?, random()?);
    let callback = Callback::listen().await?;
    let redirect_uri = callback.redirect_uri();
    let scope =
        ["openid"].into_iter().chain(provider.scope.as_deref()).collect::<Vec<_>>().join(" ");
    let challenge = Base64UrlUnpadded::encode_string(&Sha256::digest(verifier.as_bytes()));
    let mut url = metadata.authorization_endpoint;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.client_id)
        .append_pair("redirect_uri", &redirect_uri)
        .append_pair("scope", &scope)
        .append_pair("state", &state)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    for (name, audience) in audience(provider) {
        url.query_pairs_mut().append_pair(name, audience);
    }
    say(format_args!("Sign in with the browser. If none opens, go to:\n{url}"));
    // Whoever has no browser here goes by the address.
    let _ = open::that_detached(url.as_str());
    let code = callback.code(&state).await?;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code.expose_secret()),
        ("redirect_uri", &redirect_uri),
        ("client_id", &provider.client_id),
        ("code_verifier", &verifier),
    ];
    form.extend(audience(provider));
    let answer =
        http.post(metadata.token_endpoint).form(&form).send().await.map_err(unreachable)?;
    let tokens: Tokens = answer.json().await.map_err(unreachable)?;
    match tokens {
        Tokens { access_token: Some(token), .. } => Ok(SecretString::from(token)),
        Tokens { error, error_description, .. } => {
            let why = error_description.or(error).unwrap_or_else(|| "no reason given".into());
            Err(Failure::NotAllowed(format!("the identity provider refused: {}", plain(&why))))
        }
    }
}

/// An HTTP client for the provider, whom the same authorities vouch for as for the server.
fn http(ca_file: Option<&Path>) -> Result<reqwest::Client, Failure> {
    let mut http = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none());
    if let Some(file) = ca_file {
        let authorities = Certificate::from_pem_bundle(&files::read(file)?);
        let told = |error| Failure::Usage(format!("{}: {error}", file.display()));
        http = http.tls_certs_merge(authorities.map_err(told)?);
    }
    http.build().map_err(unreachable)
}

async fn metadata(http: &reqwest::Client, authority: &str) -> Result<Metadata, Failure> {
    let url = format!("{}/.well-known/openid-configuration", authority.trim_end_matches('/'));
    let url = Url::parse(&url)
        .map_err(|_no_address| Failure::System(format!("{} is no address", plain(authority))))?;
    demand_safe(&url)?;
    let answer = http.get(url).send().await.and_then(reqwest::Response::error_for_status);
    let metadata: Metadata = answer.map_err(unreachable)?.json().await.map_err(unreachable)?;
    if metadata.issuer != authority {
        return Err(Failure::System("the identity provider calls itself something else".into()));
    }
    demand_safe(&metadata.authorization_endpoint)?;
    demand_safe(&metadata.token_endpoint)?;
    Ok(metadata)
}

/// What goes there is worth a sign-in, and nobody on the way may read it.
fn demand_safe(url: &Url) -> Result<(), Failure> {
    if is_safe(url) {
        return Ok(());
    }
    let url = plain(url.as_str());
    Err(Failure::System(format!("the identity provider: {url} must begin with https")))
}

/// Whom the token is for, by RFC 8707 and by what other providers call it. The former takes only
/// an absolute URI.
fn audience(provider: &Provider) -> impl Iterator<Item = (&'static str, &str)> {
    let audience = provider.audience.as_deref();
    let resource = audience.filter(|audience| Url::parse(audience).is_ok());
    resource.map(|uri| ("resource", uri)).into_iter().chain(audience.map(|text| ("audience", text)))
}

fn random() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Failure::System(error.to_string()))?;
    Ok(Base64UrlUnpadded::encode_string(&bytes))
}

fn unreachable(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let causes = std::iter::successors(error.source(), |&error| error.source());
    let cause = causes.last().map(|cause| format!(": {cause}")).unwrap_or_default();
    Failure::System(format!("the identity provider: {error}{cause}"))
}

/// A provider that is there answers sooner.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(30);
