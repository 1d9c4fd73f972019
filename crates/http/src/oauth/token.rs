//! The token endpoint: an access token for a credential.

use actix_web::{HttpRequest, HttpResponse, post, web};
use keystile_api::oauth::{OAuthError, TokenAnswer, TokenRequest};
use keystile_domain::{CredentialText, Permission};
use keystile_service::AccessToken;
use keystile_service::oauth::{SubjectToken, Wish};
use secrecy::ExposeSecret;
use url::Url;

use super::client::{basic, client, invalid};
use crate::asked::Asked;
use crate::authenticate::origin;
use crate::body::Form;
use crate::error::ApiError;
use crate::limits::Attempt;
use crate::params::{NoParams, Params};
use crate::state::State;

/// Trade a credential for an access token
///
/// `client_credentials` (RFC 6749, section 4.4): the id of a key and the key itself, in
/// `Authorization: Basic` or in the form. `urn:ietf:params:oauth:grant-type:token-exchange`
/// (RFC 8693): a key or personal access token, which is its own proof, or a machine's token of an
/// issuer that a provider trusts. The token lives at most 15 minutes, never longer than the
/// credential, and never allows more.
#[utoipa::path(
    tag = "oauth",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token.", body = TokenAnswer),
        (status = 400, description = "The request is refused.", body = OAuthError),
        (status = 401, description = "The client could not be authenticated.", body = OAuthError),
    ),
)]
#[post("/token")]
pub(super) async fn issue_token(
    request: HttpRequest,
    _: Params<NoParams>,
    mut form: Form,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let origin = origin(&state, &Asked::of(&request))?;
    let grant = form.require("grant_type")?;
    match grant.as_str() {
        CLIENT_CREDENTIALS => {
            let (id, secret) = (form.take("client_id")?, form.take("client_secret")?);
            let posted = id.zip(secret).map(|(id, secret)| client(&id, &secret));
            let client = match (basic(&request)?, posted) {
                (Some(client), None) | (None, Some(Some(client))) => client,
                (Some(_), Some(_)) => {
                    let twice = "The client authenticates in two ways.";
                    return Err(ApiError::oauth("invalid_request", twice));
                }
                (None, _) => return Err(invalid()),
            };
            let wish = wish(&mut form)?;
            let keystile = &state.keystile;
            let attempt = Attempt::begin(&state, origin.address)?;
            let (id, secret) = (client.id, client.secret);
            let token = keystile.trade_client_credentials(id, secret, wish, origin).await;
            Ok(answer(&attempt.end(token.map_err(ApiError::from))?, None))
        }
        TOKEN_EXCHANGE => {
            let subject = subject(&mut form)?;
            let wish = wish(&mut form)?;
            let attempt = Attempt::begin(&state, origin.address)?;
            let token = state.keystile.trade_token(subject, wish, origin).await;
            Ok(answer(&attempt.end(token.map_err(ApiError::from))?, Some(ACCESS_TOKEN)))
        }
        _ => Err(ApiError::oauth(
            "unsupported_grant_type",
            "The grants are client_credentials and token exchange.",
        )),
    }
}

/// What is to be traded.
fn subject(form: &mut Form) -> Result<SubjectToken, ApiError> {
    let refused = |why: &str| ApiError::oauth("invalid_request", why);
    if form.take("actor_token")?.is_some() || form.take("actor_token_type")?.is_some() {
        return Err(refused("Nobody can act on behalf of the subject."));
    }
    if let Some(requested) = form.take("requested_token_type")?
        && ![ACCESS_TOKEN, JWT].contains(&requested.as_str())
    {
        return Err(refused("Only access tokens are issued."));
    }
    let token = form.require("subject_token")?;
    let kind = form.require("subject_token_type")?;
    match (CredentialText::parse(&token), kind.as_str()) {
        (Some(CredentialText::Secret(secret)), ACCESS_TOKEN) => {
            Ok(SubjectToken::Credential(secret))
        }
        (Some(CredentialText::Jwt(jwt)), ID_TOKEN | JWT) => Ok(SubjectToken::Identity(jwt)),
        // A traded token is not traded again: each trade would begin its time anew.
        _ => Err(refused("The subject token is not accepted.")),
    }
}

fn wish(form: &mut Form) -> Result<Wish, ApiError> {
    let refused = |why: &str| ApiError::oauth("invalid_target", why);
    let audiences: Vec<String> =
        form.take_all("audience").iter().map(|audience| audience.to_string()).collect();
    let resources: Vec<String> =
        form.take_all("resource").iter().map(|resource| resource.to_string()).collect();
    if audiences.len() + resources.len() > MOST_AUDIENCES {
        return Err(refused("At most 8 audiences are possible."));
    }
    let is_name = |text: &String| text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic());
    let is_resource =
        |text: &String| Url::parse(text).is_ok_and(|url| url.has_host() && !text.contains('#'));
    if !audiences.iter().chain(&resources).all(is_name) || !resources.iter().all(is_resource) {
        return Err(refused("An audience is a name or URL, a resource a URL without fragment."));
    }
    let scope = form.take("scope")?.map(|scope| scope.to_string());
    Ok(Wish { scope, audiences: audiences.into_iter().chain(resources).collect() })
}

fn answer(token: &AccessToken, issued: Option<&str>) -> HttpResponse {
    let scope: Vec<_> = token.scopes.iter().map(Permission::as_str).collect();
    HttpResponse::Ok().json(TokenAnswer {
        access_token: token.text.expose_secret().to_owned(),
        issued_token_type: issued.map(str::to_owned),
        token_type: "Bearer".to_owned(),
        expires_in: token.expires_in.as_secs(),
        scope: scope.join(" "),
    })
}

const CLIENT_CREDENTIALS: &str = "client_credentials";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const MOST_AUDIENCES: usize = 8;
