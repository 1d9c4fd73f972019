//! Users and service accounts: list, create, get, change, delete. Their tokens are in `tokens`.

mod list;
mod parse;

use actix_web::{HttpResponse, delete, get, patch, post, web};
use keystile_api::users::{NewUser, User as View, UserPatch};
use keystile_domain::{Reason, User, UserId};
use keystile_service::users::UserRemoval;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::answer::{Answer, respond};
use crate::authorized::{Authorized, UsersRead, UsersWrite};
use crate::body::Body;
use crate::conditional::{IfMatch, IfMatchParams};
use crate::error::ApiError;
use crate::fields::broken_parameter;
use crate::limits::rate_limit_views;
use crate::params::{ChangeParams, NoParams, Params};
use crate::path::Id;
use crate::replays::{Idempotency, IdempotencyParams, plain};
use crate::routing::Routing;
use crate::state::State;
use crate::wait::WaitFor;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing
        .service(list::list_users)
        .service(create_user)
        .service(show_user)
        .service(update_user)
        .service(delete_user);
}

/// How a user is to be deleted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DeleteParams {
    /// `revoke`: tokens that still work are deleted too. Without it they stand in the way: 409
    /// lists them.
    #[param(example = "revoke")]
    tokens: Option<String>,
    /// `forget`: what OpenID providers call them is forgotten too. Without it the same subject is
    /// not made a user again.
    #[param(example = "forget")]
    identities: Option<String>,
    /// Why: kept in the audit log, and shown to whoever checks one of the tokens later.
    reason: Option<String>,
    /// `true`: check everything, change nothing, and answer 200 with what would be.
    dry_run: Option<bool>,
    /// `cluster`: answer when it is in force everywhere, and say so in `revocation`.
    #[param(value_type = Option<WaitFor>, inline)]
    wait: Option<WaitFor>,
}

/// Create a user
///
/// A person, or with `is_service_account` a program, which never signs in and uses tokens alone.
#[utoipa::path(
    tag = "users",
    params(
        ChangeParams,
        IdempotencyParams,
    ),
    request_body = NewUser,
    responses(
        (status = 200, description = "What would be made, in a dry run.", body = View),
        (status = 201, description = "It was made.", body = View, headers(
            ("Location" = String, description = "Where it is."),
            ("ETag" = String, description = "Its version."),
        )),
    ),
)]
#[post("/users")]
async fn create_user(
    authorized: Authorized<UsersWrite>,
    Params(params): Params<ChangeParams>,
    idempotency: Idempotency,
    body: Body<NewUser>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let options = idempotency.options(&params, body.digest, |user| created(user).to_bytes());
    let draft = parse::draft(body.value)?;
    respond(state.keystile.create_user(authorized.caller(), draft, options).await?, created, shown)
}

/// Get a user
///
/// Never with what they sign in with.
#[utoipa::path(
    tag = "users",
    params(("id" = uuid::Uuid, Path, description = "Their id.")),
    responses((status = 200, description = "The user.", body = View, headers(
        ("ETag" = String, description = "Its version."),
    ))),
)]
#[get("/users/{id}")]
async fn show_user(
    authorized: Authorized<UsersRead>,
    Id(id): Id<UserId>,
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    Ok(shown(&state.keystile.find_user(authorized.caller(), id).await?).respond())
}

/// Change a user
///
/// A merge patch (RFC 7396): what is left out stays, `null` clears; `metadata` merges, every other
/// member is replaced. Switching a user off, or taking a role, is in force at once for all their
/// tokens and sessions; a new password ends their sessions.
#[utoipa::path(
    tag = "users",
    params(
        ("id" = uuid::Uuid, Path, description = "Their id."),
        ChangeParams,
        IfMatchParams,
    ),
    request_body(content((UserPatch = "application/json"), (UserPatch = "application/merge-patch+json"))),
    responses((status = 200, description = "The user as they are now.", body = View, headers(
        ("ETag" = String, description = "Its version."),
    ))),
)]
#[patch("/users/{id}")]
async fn update_user(
    authorized: Authorized<UsersWrite>,
    Id(id): Id<UserId>,
    Params(params): Params<ChangeParams>,
    IfMatch(expected): IfMatch,
    body: Body<UserPatch>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let change = parse::change(body.value)?;
    let keystile = &state.keystile;
    let changed =
        keystile.update_user(authorized.caller(), id, expected, change, plain(&params)).await?;
    respond(changed, shown, shown)
}

/// Delete a user
///
/// For ever, with their sessions. While they own tokens that still work: 409, which lists them,
/// unless `tokens=revoke` deletes these too. API keys that they made stay.
#[utoipa::path(
    tag = "users",
    params(
        ("id" = uuid::Uuid, Path, description = "Their id."),
        DeleteParams,
        IfMatchParams,
    ),
    responses(
        (status = 200, description = "Who would be deleted, in a dry run.", body = View),
        (status = 204, description = "They are gone."),
    ),
)]
#[delete("/users/{id}")]
async fn delete_user(
    authorized: Authorized<UsersWrite>,
    Id(id): Id<UserId>,
    Params(params): Params<DeleteParams>,
    IfMatch(expected): IfMatch,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let options = plain(&ChangeParams { dry_run: params.dry_run, wait: params.wait });
    let removal = removal(params)?;
    let keystile = &state.keystile;
    let changed = keystile.remove_user(authorized.caller(), id, expected, removal, options).await?;
    respond(changed, |_| Answer::empty(), shown)
}

fn removal(params: DeleteParams) -> Result<UserRemoval, ApiError> {
    let revoke_tokens = match params.tokens.as_deref() {
        None => false,
        Some("revoke") => true,
        Some(_) => return Err(broken_parameter("tokens", "must be revoke")),
    };
    let forget_identities = match params.identities.as_deref() {
        None => false,
        Some("forget") => true,
        Some(_) => return Err(broken_parameter("identities", "must be forget")),
    };
    let reason = params.reason.map(Reason::try_from).transpose();
    let reason = reason.map_err(|rule| broken_parameter("reason", rule))?;
    Ok(UserRemoval { revoke_tokens, forget_identities, reason })
}

fn created(user: &User) -> Answer {
    Answer::created(format!("/api/v1/users/{}", user.id), &view(user)).version(user.version)
}

fn shown(user: &User) -> Answer {
    Answer::ok(&view(user)).version(user.version)
}

fn view(user: &User) -> View {
    View {
        id: user.id.as_uuid(),
        username: user.username.to_string(),
        display_name: user.display_name.as_ref().map(ToString::to_string),
        email: user.email.as_ref().map(ToString::to_string),
        enabled: user.enabled,
        is_service_account: user.is_service_account,
        role_ids: user.roles.iter().map(|id| id.0).collect(),
        rate_limits: rate_limit_views(&user.rate_limits),
        external_id: user.external_id.as_ref().map(ToString::to_string),
        metadata: user.metadata.as_map().clone(),
        created_at: user.created_at.to_string(),
        updated_at: user.updated_at.to_string(),
    }
}
