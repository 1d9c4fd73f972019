//! How credentials are used.

use actix_web::{HttpResponse, get, web};
use keystile_api::usage::{Usage as View, UsagePeriod as PeriodView};
use keystile_domain::{ApiKeyId, TokenId};
use keystile_service::tokens::TokenOwner;
use keystile_service::usage::{Step, Usage, UsageWindow};
use keystile_service::{Caller, Keystile};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::authorized::{Account, ApiKeysRead, Authorized, TokensOfUsersRead};
use crate::error::ApiError;
use crate::fields::{broken_parameter, moment};
use crate::params::Params;
use crate::path::{Id, TokenOf};
use crate::routing::Routing;
use crate::state::State;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing
        .service(show_api_key_usage)
        .service(show_own_token_usage)
        .service(show_user_token_usage);
}

/// Which time to show, and how finely.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UsageParams {
    /// `day` (the default) or `hour`, both in UTC.
    #[param(example = "day")]
    by: Option<String>,
    /// Show what was checked from this time on (RFC 3339), from the beginning of its hour or day: at
    /// most 31 days before `until` by hour, 366 by day. Left out: seven days, the last among them.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Show what was checked in the hours that began before this time (RFC 3339). Left out: now.
    #[param(format = DateTime)]
    until: Option<String>,
}

/// How a key is used
///
/// Every check is counted, at Keystile itself and by `/verify`, of the key and of the JWTs that were
/// traded for it. It takes a few seconds until a check is seen here.
#[utoipa::path(
    tag = "api-keys",
    params(("id" = uuid::Uuid, Path, description = "The key's id."), UsageParams),
    responses((status = 200, description = "Its checks by hour or day, and its last use.", body = View)),
)]
#[get("/api-keys/{id}/usage")]
async fn show_api_key_usage(
    authorized: Authorized<ApiKeysRead>,
    Id(id): Id<ApiKeyId>,
    Params(params): Params<UsageParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let window = window(&state.keystile, params)?;
    let usage = state.keystile.find_api_key_usage(authorized.caller(), id, &window).await?;
    Ok(HttpResponse::Ok().json(view(usage)))
}

/// How a token of one's own is used
///
/// Counted as for API keys.
#[utoipa::path(
    tag = "tokens",
    params(("id" = uuid::Uuid, Path, description = "The token's id."), UsageParams),
    responses((status = 200, description = "Its checks by hour or day, and its last use.", body = View)),
)]
#[get("/me/tokens/{id}/usage")]
async fn show_own_token_usage(
    authorized: Authorized<Account>,
    Id(id): Id<TokenId>,
    Params(params): Params<UsageParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    token_usage(&state.keystile, authorized.caller(), (TokenOwner::Caller, id), params).await
}

/// How a token of a user is used
///
/// Counted as for API keys. Needs what listing the user's tokens needs.
#[utoipa::path(
    tag = "tokens",
    params(
        ("id" = uuid::Uuid, Path, description = "The owner's id."),
        ("token_id" = uuid::Uuid, Path, description = "The token's id."),
        UsageParams,
    ),
    responses((status = 200, description = "Its checks by hour or day, and its last use.", body = View)),
)]
#[get("/users/{id}/tokens/{token_id}/usage")]
async fn show_user_token_usage(
    authorized: Authorized<TokensOfUsersRead>,
    TokenOf { owner, token }: TokenOf,
    Params(params): Params<UsageParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    token_usage(&state.keystile, authorized.caller(), (TokenOwner::User(owner), token), params)
        .await
}

async fn token_usage(
    keystile: &Keystile,
    caller: &Caller,
    (owner, id): (TokenOwner, TokenId),
    params: UsageParams,
) -> Result<HttpResponse, ApiError> {
    let window = window(keystile, params)?;
    let usage = keystile.find_token_usage(caller, owner, id, &window).await?;
    Ok(HttpResponse::Ok().json(view(usage)))
}

fn window(keystile: &Keystile, params: UsageParams) -> Result<UsageWindow, ApiError> {
    let step = match params.by.as_deref() {
        None | Some("day") => Step::Day,
        Some("hour") => Step::Hour,
        Some(_) => return Err(broken_parameter("by", "must be day or hour")),
    };
    let since = moment("since", params.since.as_deref())?;
    let until = moment("until", params.until.as_deref())?;
    keystile.usage_window(step, since, until).map_err(|rule| broken_parameter("since", rule))
}

fn view(usage: Usage) -> View {
    let last = usage.last.as_ref();
    View {
        credential_id: usage.credential,
        last_used_at: last.map(|last| last.at.to_string()),
        last_address: last.and_then(|last| last.address).map(|address| address.to_string()),
        last_user_agent: last.and_then(|last| last.user_agent.clone()),
        data: usage
            .periods
            .into_iter()
            .map(|period| PeriodView {
                at: period.at.to_string(),
                allowed: period.allowed,
                refused: period.refused,
            })
            .collect(),
    }
}
