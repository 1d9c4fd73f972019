//! Rotating a key, and what becomes of its old secret.

use actix_web::{HttpResponse, get, post, web};
use keystile_api::api_keys::{
    ExtendRotation, IssuedApiKey as IssuedView, OldSecretUse as OldSecretUseView, RotateApiKey,
    Rotation,
};
use keystile_domain::{ApiKeyId, RotationOverlap};
use keystile_service::ServiceError;
use keystile_service::api_keys::KeyRotation;
use keystile_service::usage::OldSecretUse;

use super::view;
use crate::answer::{Answer, respond};
use crate::authorized::{ApiKeysRead, ApiKeysWrite, Authorized};
use crate::body::{Body, OptionalBody};
use crate::conditional::{IfMatch, IfMatchParams};
use crate::error::ApiError;
use crate::params::{ChangeParams, NoParams, Params};
use crate::path::Id;
use crate::replays::{Idempotency, IdempotencyParams, plain};
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
    let overlap = overlap(body.value.overlap_seconds, 0)?;
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
    Ok(HttpResponse::Ok().json(rotation(found.as_ref())))
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
    respond(changed, stands, stands)
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
    let overlap = overlap(body.value.overlap_seconds, 1)?;
    let keystile = &state.keystile;
    let changed =
        keystile.extend_rotation(authorized.caller(), id, overlap, plain(&params)).await?;
    respond(changed, stands, stands)
}

fn stands(rotation: &KeyRotation) -> Answer {
    Answer::ok(&self::rotation(Some(rotation)))
}

fn rotation(rotation: Option<&KeyRotation>) -> Rotation {
    let uses = rotation.into_iter().flat_map(|rotation| &rotation.uses);
    Rotation {
        old_secret_expires_at: rotation.map(|rotation| rotation.old.ends_at.to_string()),
        uses: uses.map(old_secret_use).collect(),
    }
}

fn old_secret_use(used: &OldSecretUse) -> OldSecretUseView {
    OldSecretUseView {
        address: used.address.map(|address| address.to_string()),
        user_agent: used.user_agent.clone(),
        count: used.checks,
        last_at: used.last_at.to_string(),
    }
}

fn overlap(seconds: i64, least: i64) -> Result<RotationOverlap, ServiceError> {
    let overlap = RotationOverlap::from_seconds(seconds).filter(|_| seconds >= least);
    overlap.ok_or_else(|| {
        let most = RotationOverlap::MAX_SECONDS;
        ServiceError::broken("/overlap_seconds", format_args!("must be from {least} to {most}"))
    })
}
