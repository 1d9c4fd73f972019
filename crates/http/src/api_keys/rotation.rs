//! Rotating a key, and what becomes of its old secret.

use actix_web::{HttpResponse, get, post, web};
use keystile_api::api_keys::{IssuedApiKey as IssuedView, RotateApiKey};
use keystile_api::rotation::{ExtendRotation, Rotation};
use keystile_domain::ApiKeyId;

use super::view;
use crate::answer::respond;
use crate::authorized::{ApiKeysRead, ApiKeysWrite, Authorized};
use crate::body::{Body, OptionalBody};
use crate::conditional::{IfMatch, IfMatchParams};
use crate::error::ApiError;
use crate::params::{ChangeParams, NoParams, Params};
use crate::path::Id;
use crate::replays::{Idempotency, IdempotencyParams, plain};
use crate::rotation::{extension, moved, overlap, show};
use crate::routing::Routing;
use crate::state::State;

pub(super) fn routes(routing: &mut Routing<'_>) {
    routing
        .service(rotate_api_key)
        .service(show_rotation)
        .service(finish_rotation)
        .service(extend_rotation);
}

/// Rotate a key
///
/// A new secret under the same id: the answer is the only one that has it. The old secret works for
/// `overlap_seconds` more; rotating again ends the older one. Nothing else about the key changes.
#[utoipa::path(
    tag = "api-keys",
    params(
        ("id" = uuid::Uuid, Path, description = "Its id."),
        ChangeParams,
        IfMatchParams,
        IdempotencyParams,
    ),
    request_body = Option<RotateApiKey>,
    responses((status = 200, description = "The key with its new secret; without it in a dry run.", body = IssuedView, headers(
        ("ETag" = String, description = "Its version."),
    ))),
)]
#[post("/api-keys/{id}/rotate")]
async fn rotate_api_key(
    authorized: Authorized<ApiKeysWrite>,
    Id(id): Id<ApiKeyId>,
    Params(params): Params<ChangeParams>,
    IfMatch(expected): IfMatch,
    idempotency: Idempotency,
    OptionalBody(body): OptionalBody<RotateApiKey>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let options =
        idempotency.options(&params, body.digest, |issued| view::rotated(issued).to_bytes());
    let overlap = overlap(body.value.overlap_seconds)?;
    let keystile = &state.keystile;
    let changed =
        keystile.rotate_api_key(authorized.caller(), id, expected, overlap, options).await?;
    respond(changed, view::rotated, |issued| view::shown(&issued.shown))
}

/// How a rotation stands
///
/// When the old secret ends, or ended, and who still shows it.
#[utoipa::path(
    tag = "api-keys",
    params(("id" = uuid::Uuid, Path, description = "The key's id.")),
    responses((status = 200, description = "When the old secret ends, and who shows it.", body = Rotation)),
)]
#[get("/api-keys/{id}/rotation")]
async fn show_rotation(
    authorized: Authorized<ApiKeysRead>,
    Id(id): Id<ApiKeyId>,
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let found = state.keystile.find_rotation(authorized.caller(), id).await?;
    Ok(show(found.as_ref()))
}

/// End the old secret now
///
/// 409 if no old secret works.
#[utoipa::path(
    tag = "api-keys",
    params(("id" = uuid::Uuid, Path, description = "The key's id."), ChangeParams),
    responses((status = 200, description = "The old secret has ended.", body = Rotation)),
)]
#[post("/api-keys/{id}/rotation/finish")]
async fn finish_rotation(
    authorized: Authorized<ApiKeysWrite>,
    Id(id): Id<ApiKeyId>,
    Params(params): Params<ChangeParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let keystile = &state.keystile;
    let changed = keystile.finish_rotation(authorized.caller(), id, plain(&params)).await?;
    moved(changed)
}

/// Let the old secret work longer
///
/// Counted from now. A secret that has ended stays ended: 409.
#[utoipa::path(
    tag = "api-keys",
    params(("id" = uuid::Uuid, Path, description = "The key's id."), ChangeParams),
    request_body = ExtendRotation,
    responses((status = 200, description = "When the old secret ends now.", body = Rotation)),
)]
#[post("/api-keys/{id}/rotation/extend")]
async fn extend_rotation(
    authorized: Authorized<ApiKeysWrite>,
    Id(id): Id<ApiKeyId>,
    Params(params): Params<ChangeParams>,
    body: Body<ExtendRotation>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let overlap = extension(body.value.overlap_seconds)?;
    let keystile = &state.keystile;
    let changed =
        keystile.extend_rotation(authorized.caller(), id, overlap, plain(&params)).await?;
    moved(changed)
}
