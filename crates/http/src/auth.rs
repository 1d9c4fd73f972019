//! Signing in and out.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use keystile_api::auth::{Login, RefreshToken, SessionTokens, SignInProvider, SignInProviders};
use keystile_domain::{Provider, ProviderSettings};
use keystile_service::sign_in::{SignIn, SignedIn};
use secrecy::ExposeSecret;

use crate::asked::Asked;
use crate::authenticate::origin;
use crate::body::Body;
use crate::error::ApiError;
use crate::params::{NoParams, Params};
use crate::routing::Routing;
use crate::state::State;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing
        .service(list_sign_in_providers)
        .service(start_session)
        .service(refresh_session)
        .service(end_session);
}

/// List the ways to sign in
///
/// In order of priority, those that are switched on. Anybody may ask.
#[utoipa::path(tag = "auth", responses(
    (status = 200, description = "What a sign-in page offers.", body = SignInProviders),
))]
#[get("/auth/providers")]
async fn list_sign_in_providers(
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let providers = state.keystile.list_sign_in_providers().await?;
    let data = providers.iter().map(provider_view).collect();
    Ok(HttpResponse::Ok().json(SignInProviders { data }))
}

/// Sign in
///
/// With a name and a password. Whoever may not sign in gets one and the same 401, whatever the
/// reason. After some failures in a row, with one name or from one address, further attempts have
/// to wait, longer and longer: 429 says how long.
#[utoipa::path(tag = "auth", request_body = Login, responses(
    (status = 200, description = "They are signed in.", body = SessionTokens),
))]
#[post("/auth/login")]
async fn start_session(
    _: Params<NoParams>,
    body: Body<Login>,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let Login { username, password } = body.value;
    let typed = SignIn { username, password: password.into() };
    let origin = origin(&state, &Asked::of(&request))?;
    Ok(tokens(&state.keystile.sign_in(typed, origin).await?))
}

/// Refresh a session
///
/// Trades the refresh token for the next one and a new access token. Each works once: shown a
/// second time, it ends its session, because somebody else must have it. So a client refreshes
/// from one place at a time, keeps the new token before it uses it, and signs in again when it does
/// not know whether a refresh went through.
#[utoipa::path(tag = "auth", request_body = RefreshToken, responses(
    (status = 200, description = "The next tokens of the session.", body = SessionTokens),
))]
#[post("/auth/refresh")]
async fn refresh_session(
    _: Params<NoParams>,
    body: Body<RefreshToken>,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let token = secrecy::SecretString::from(body.value.refresh_token);
    let origin = origin(&state, &Asked::of(&request))?;
    Ok(tokens(&state.keystile.refresh(token.expose_secret(), origin).await?))
}

/// Sign out
///
/// Ends the session of the refresh token: neither it nor any access token of the session works from
/// then on. A token that is unknown, or whose session has ended, gets the same answer.
#[utoipa::path(tag = "auth", request_body = RefreshToken, responses(
    (status = 204, description = "There is no such session any more."),
))]
#[post("/auth/logout")]
async fn end_session(
    _: Params<NoParams>,
    body: Body<RefreshToken>,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let token = secrecy::SecretString::from(body.value.refresh_token);
    let origin = origin(&state, &Asked::of(&request))?;
    state.keystile.sign_out(token.expose_secret(), origin).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn tokens(signed_in: &SignedIn) -> HttpResponse {
    HttpResponse::Ok().json(SessionTokens {
        access_token: signed_in.access_token.text.expose_secret().to_owned(),
        token_type: "Bearer".to_owned(),
        expires_in: signed_in.access_token.expires_in.as_secs(),
        refresh_token: signed_in.refresh_token.expose().to_owned(),
    })
}

fn provider_view(provider: &Provider) -> SignInProvider {
    let oidc = match &provider.settings {
        ProviderSettings::Oidc(settings) => Some(settings),
        _ => None,
    };
    SignInProvider {
        identifier: provider.identifier.to_string(),
        name: provider.name.to_string(),
        kind: provider.kind.to_string(),
        authority: oidc.map(|settings| settings.authority.to_string()),
        client_id: oidc.and_then(|settings| settings.client_id.as_ref()).map(ToString::to_string),
        audience: oidc.map(|settings| settings.audience.to_string()),
        scope: oidc.and_then(|settings| settings.required_scope.as_ref()).map(ToString::to_string),
    }
}
