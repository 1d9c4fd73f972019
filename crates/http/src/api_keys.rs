//! API keys: list, create, get, change, delete. Rotating and batches are beside it.

mod batch;
mod import;
mod list;
mod parse;
mod rotation;
mod view;

pub(crate) use parse::provider_name;
pub(crate) use view::api_key;

use actix_web::{HttpResponse, delete, get, patch, post, web};
use keystile_api::api_keys::{
    ApiKey as View, ApiKeyPatch, DeletedApiKeys, IssuedApiKey as IssuedView, NewApiKey,
};
use keystile_domain::{ApiKeyId, ExternalId, Reason};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::answer::{Answer, respond};
use crate::authorized::{ApiKeysRead, ApiKeysWrite, Authorized};
use crate::body::Body;
use crate::conditional::{IfMatch, IfMatchParams};
use crate::error::ApiError;
use crate::fields::broken_parameter;
use crate::params::{ChangeParams, NoParams, Params};
use crate::path::Id;
use crate::replays::{Idempotency, IdempotencyParams, plain};
use crate::routing::Routing;
use crate::state::State;
use crate::wait::WaitFor;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing
        .service(list::list_api_keys)
        .service(create_api_key)
        .service(delete_api_keys)
        .service(batch::create_api_keys)
        .service(show_api_key)
        .service(update_api_key)
        .service(delete_api_key)
        .configure(rotation::routes);
}

/// How a key is to be deleted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DeleteParams {
    /// Why: kept in the audit log, and shown to whoever checks the key later.
    reason: Option<String>,
    /// `true`: check everything, change nothing, and answer 200 with what would be.
    dry_run: Option<bool>,
    /// `cluster`: answer when it is in force everywhere, and say so in `revocation`.
    #[param(value_type = Option<WaitFor>, inline)]
    wait: Option<WaitFor>,
}

/// Which keys are to be deleted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DeleteManyParams {
    /// What another system calls them, exactly.
    external_id: String,
    /// Why: kept in the audit log, and shown to whoever checks a key later.
    reason: Option<String>,
    /// `true`: check everything, change nothing, and answer 200 with what would be.
    dry_run: Option<bool>,
    /// `cluster`: answer when it is in force everywhere, and say so in `revocation`.
    #[param(value_type = Option<WaitFor>, inline)]
    wait: Option<WaitFor>,
}

/// Create a key
///
/// The answer is the only one that has the secret: store it now.
#[utoipa::path(
    tag = "api-keys",
    params(
        ChangeParams,
        IdempotencyParams,
    ),
    request_body = NewApiKey,
    responses(
        (status = 200, description = "What would be made, in a dry run.", body = View),
        (status = 201, description = "It was made.", body = IssuedView, headers(
            ("Location" = String, description = "Where it is."),
            ("ETag" = String, description = "Its version."),
        )),
    ),
)]
#[post("/api-keys")]
async fn create_api_key(
    authorized: Authorized<ApiKeysWrite>,
    Params(params): Params<ChangeParams>,
    idempotency: Idempotency,
    body: Body<NewApiKey>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let options =
        idempotency.options(&params, body.digest, |issued| view::created(issued).to_bytes());
    let draft = parse::draft(body.value)?;
    let changed = state.keystile.create_api_key(authorized.caller(), draft, options).await?;
    respond(changed, view::created, |issued| view::shown(&issued.shown))
}

/// Get a key
///
/// Never with its secret.
#[utoipa::path(
    tag = "api-keys",
    params(("id" = uuid::Uuid, Path, description = "Its id.")),
    responses((status = 200, description = "The key.", body = View, headers(
        ("ETag" = String, description = "Its version."),
    ))),
)]
#[get("/api-keys/{id}")]
async fn show_api_key(
    authorized: Authorized<ApiKeysRead>,
    Id(id): Id<ApiKeyId>,
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let key = state.keystile.find_api_key(authorized.caller(), id).await?;
    Ok(view::shown(&key).respond())
}

/// Change a key
///
/// A merge patch (RFC 7396): what is left out stays, `null` clears; `metadata` merges, every other
/// member is replaced. The secret cannot be changed: rotate the key.
#[utoipa::path(
    tag = "api-keys",
    params(
        ("id" = uuid::Uuid, Path, description = "Its id."),
        ChangeParams,
        IfMatchParams,
    ),
    request_body(content((ApiKeyPatch = "application/json"), (ApiKeyPatch = "application/merge-patch+json"))),
    responses((status = 200, description = "The key as it is now.", body = View, headers(
        ("ETag" = String, description = "Its version."),
    ))),
)]
#[patch("/api-keys/{id}")]
async fn update_api_key(
    authorized: Authorized<ApiKeysWrite>,
    Id(id): Id<ApiKeyId>,
    Params(params): Params<ChangeParams>,
    IfMatch(expected): IfMatch,
    body: Body<ApiKeyPatch>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let change = parse::change(body.value)?;
    let keystile = &state.keystile;
    let changed =
        keystile.update_api_key(authorized.caller(), id, expected, change, plain(&params)).await?;
    respond(changed, view::shown, view::shown)
}

/// Delete a key
///
/// For ever. Whoever checks the key afterwards is told that it was deleted, by whom and why.
#[utoipa::path(
    tag = "api-keys",
    params(
        ("id" = uuid::Uuid, Path, description = "Its id."),
        DeleteParams,
        IfMatchParams,
    ),
    responses(
        (status = 200, description = "What would be deleted, in a dry run.", body = View),
        (status = 204, description = "It is gone."),
    ),
)]
#[delete("/api-keys/{id}")]
async fn delete_api_key(
    authorized: Authorized<ApiKeysWrite>,
    Id(id): Id<ApiKeyId>,
    Params(params): Params<DeleteParams>,
    IfMatch(expected): IfMatch,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let reason = reason(params.reason)?;
    let options = plain(&ChangeParams { dry_run: params.dry_run, wait: params.wait });
    let keystile = &state.keystile;
    let changed =
        keystile.remove_api_key(authorized.caller(), id, expected, reason, options).await?;
    respond(changed, |_| Answer::empty(), view::shown)
}

/// Delete all keys with an external id
///
/// All of them or none. The answer lists what was deleted.
#[utoipa::path(tag = "api-keys", params(DeleteManyParams), responses(
    (status = 200, description = "The keys that are gone.", body = DeletedApiKeys),
))]
#[delete("/api-keys")]
async fn delete_api_keys(
    authorized: Authorized<ApiKeysWrite>,
    Params(params): Params<DeleteManyParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let external_id = ExternalId::try_from(params.external_id)
        .map_err(|rule| broken_parameter("external_id", rule))?;
    let reason = reason(params.reason)?;
    let options = plain(&ChangeParams { dry_run: params.dry_run, wait: params.wait });
    let keystile = &state.keystile;
    let changed = keystile
        .remove_api_keys_by_external_id(authorized.caller(), external_id, reason, options)
        .await?;
    respond(changed, |keys| view::deleted(keys), |keys| view::deleted(keys))
}

fn reason(text: Option<String>) -> Result<Option<Reason>, ApiError> {
    text.map(Reason::try_from).transpose().map_err(|rule| broken_parameter("reason", rule))
}
