//! Personal access tokens: one's own, and those of others.
//!
//! Both paths lead to the same use cases, which judge whose tokens they are; what the handlers have
//! in common is here.

mod of_users;
mod own;
mod parse;
mod rotation;
mod view;

use actix_web::{HttpRequest, HttpResponse};
use keystile_domain::{Direction, NamePattern, Reason, TokenFilter, TokenId, TokenSort, Version};
use keystile_service::Caller;
use keystile_service::change::Options;
use keystile_service::tokens::{ShownToken, TokenOwner};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::answer::{Answer, respond};
use crate::error::ApiError;
use crate::fields::{broken_parameter, moment};
use crate::paging::{List, list_params};
use crate::params::ChangeParams;
use crate::replays::plain;
use crate::routing::Routing;
use crate::state::State;
use crate::wait::WaitFor;

pub(crate) use view::live_token;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing.configure(own::routes).configure(of_users::routes).configure(rotation::routes);
}

list_params! {
    /// Which tokens to list.
    struct TokenParams {
        /// Names with `*` and `?` as wildcards, whatever the case.
        #[param(example = "CI*")]
        name: Option<String>,
        /// Only tokens that have ended, or have not.
        expired: Option<bool>,
        /// Only tokens that were let in at no time from this one on (RFC 3339), and were made
        /// before.
        #[param(format = DateTime, example = "2026-10-01T00:00:00Z")]
        unused_since: Option<String>,
        /// `created_at` (default: `-created_at`), `name` or `expires_at`, with `-` in front for
        /// descending.
        sort: Option<String>,
    }
}

/// How a token is to be deleted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DeleteParams {
    /// Why: kept in the audit log, and shown to whoever checks the token later.
    reason: Option<String>,
    /// `true`: check everything, change nothing, and answer 200 with what would be.
    dry_run: Option<bool>,
    /// `cluster`: answer when it is in force everywhere, and say so in `revocation`.
    #[param(value_type = Option<WaitFor>, inline)]
    wait: Option<WaitFor>,
}

async fn list(
    state: &State,
    caller: &Caller,
    owner: TokenOwner,
    params: &TokenParams,
    request: &HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let keystile = &state.keystile;
    let list = List::of(request);
    let default = (TokenSort::CreatedAt, Direction::Descending);
    let page = list.request(keystile, &params.paging(), &SORTS, default)?;
    let name = params.name.as_deref().map(NamePattern::parse).transpose();
    let name = name.map_err(|rule| broken_parameter("name", rule))?;
    let unused_since = moment("unused_since", params.unused_since.as_deref())?;
    let filter = TokenFilter { owner: None, name, expired: params.expired, unused_since };
    let tokens = keystile.list_tokens(caller, owner, filter, &page).await?;
    Ok(HttpResponse::Ok().json(list.page(keystile, &page, tokens, |token| view::token(&token))))
}

async fn delete(
    state: &State,
    caller: &Caller,
    (owner, id): (TokenOwner, TokenId),
    expected: Option<Version>,
    params: DeleteParams,
) -> Result<HttpResponse, ApiError> {
    let reason = params.reason.map(Reason::try_from).transpose();
    let reason = reason.map_err(|rule| broken_parameter("reason", rule))?;
    let options: Options<ShownToken> =
        plain(&ChangeParams { dry_run: params.dry_run, wait: params.wait });
    let keystile = &state.keystile;
    let changed = keystile.remove_token(caller, owner, id, expected, reason, options).await?;
    respond(changed, |_| Answer::empty(), view::shown)
}

const SORTS: [(&str, TokenSort); 3] = [
    ("name", TokenSort::Name),
    ("created_at", TokenSort::CreatedAt),
    ("expires_at", TokenSort::ExpiresAt),
];
