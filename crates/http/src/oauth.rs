//! The OAuth endpoints: forms in, JSON out, in the words of the RFCs.

mod client;
mod token;

use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, Scope, post, web};
use keystile_api::oauth::{Introspection, OAuthError, TokenForm};
use keystile_domain::Permission;
use keystile_service::ServiceError;
use keystile_service::oauth::{ActiveToken, Refusal};

use crate::authorized::{Anybody, Authorized, KeysVerify};
use crate::body::Form;
use crate::error::ApiError;
use crate::params::{NoParams, Params};
use crate::routing::Routing;
use crate::state::State;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    let guard = |scope: Scope| scope.wrap(from_fn(client::authenticate_client));
    routing.scope("/oauth2", guard, |routing| {
        routing.service(token::issue_token).service(introspect_token).service(revoke_token);
    });
}

/// Tell about a token
///
/// By RFC 7662, for every kind of credential: keys, personal access tokens and access tokens, and
/// refresh tokens if the hint says so: nobody shall take one for an access token. One that is unknown, has ended, or is bound to addresses is `{"active": false}`
/// and nothing else. The caller shows a credential as everywhere, or its id and itself as
/// `Authorization: Basic`.
#[utoipa::path(
    tag = "oauth",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What the token is worth.", body = Introspection),
        (status = 400, description = "The request is refused.", body = OAuthError),
    ),
)]
#[post("/introspect")]
async fn introspect_token(
    authorized: Authorized<KeysVerify>,
    _: Params<NoParams>,
    mut form: Form,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let token = form.require("token")?;
    let hint = form.take("token_type_hint")?;
    let is_refresh_token = hint.is_some_and(|hint| *hint == "refresh_token");
    let keystile = &state.keystile;
    let active = keystile.introspect(authorized.caller(), &token, is_refresh_token).await?;
    let answer = active.map_or_else(Introspection::default, introspection);
    Ok(HttpResponse::Ok().json(answer))
}

/// End a token
///
/// By RFC 7009: 200 also for a token that is unknown or has ended. Whoever has a token may end that
/// token and those that act as the same user or key. The key or personal access token of another is
/// ended by who may delete it; their access and refresh tokens end with what they stand on. A key or
/// personal access token is deleted for ever, a refresh token ends its session, an access token is
/// worth nothing more at Keystile.
#[utoipa::path(
    tag = "oauth",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token is worth nothing any more."),
        (status = 400, description = "It is not the caller's to end, or of another issuer.", body = OAuthError),
    ),
)]
#[post("/revoke")]
async fn revoke_token(
    authorized: Authorized<Anybody>,
    _: Params<NoParams>,
    mut form: Form,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let token = form.require("token")?;
    state.keystile.revoke(authorized.caller(), &token).await?;
    Ok(HttpResponse::Ok().finish())
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let reason = refusal.to_string();
        match refusal {
            Refusal::Client(_) => {
                Self::oauth("invalid_client", "The client could not be authenticated.")
            }
            Refusal::Scope => Self::oauth("invalid_scope", "A scope is no permission."),
            Refusal::ScopeBeyond(permission) => {
                let description = format!("The credential does not hold {permission}.");
                Self::oauth("invalid_scope", description)
            }
            Refusal::Subject(_) => {
                Self::oauth("invalid_request", "The subject token is not accepted.")
            }
            Refusal::TokenType => Self::oauth(
                "unsupported_token_type",
                "Tokens of other issuers are not ours to end.",
            ),
            Refusal::Unauthorized => {
                Self::oauth("unauthorized_client", "The token is not the caller's to end.")
            }
            Refusal::Service(ServiceError::TokenTooLong) => {
                Self::oauth("invalid_scope", "A token with that many permissions is too long.")
            }
            Refusal::Service(error) => return error.into(),
            _ => Self::oauth("invalid_request", "The request is refused."),
        }
        .because(reason)
    }
}

fn introspection(token: ActiveToken) -> Introspection {
    let seconds = |at: keystile_domain::Timestamp| at.as_millis().div_euclid(1_000);
    let scope: Vec<_> = token.scopes.iter().map(Permission::as_str).collect();
    let is_access_token = !token.is_refresh_token;
    Introspection {
        active: true,
        scope: is_access_token.then(|| scope.join(" ")),
        client_id: Some(token.credential),
        username: Some(token.username),
        token_type: is_access_token.then(|| "Bearer".to_owned()),
        exp: token.ends_at.map(seconds),
        iat: token.issued_at.map(seconds),
        sub: Some(token.subject),
        aud: token.audiences,
        iss: Some(token.issuer),
        jti: token.id,
    }
}
