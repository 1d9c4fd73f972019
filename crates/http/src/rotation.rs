//! How rotations are asked for and shown: the same for API keys and for tokens.

use actix_web::HttpResponse;
use keystile_api::rotation::{OldSecretUse as OldSecretUseView, Rotation as View};
use keystile_domain::RotationOverlap;
use keystile_service::ServiceError;
use keystile_service::change::Changed;
use keystile_service::rotation::SecretRotation;
use keystile_service::usage::OldSecretUse;

use crate::answer::{Answer, respond};
use crate::error::ApiError;

/// The answer to whoever asks how a rotation stands.
pub(crate) fn show(rotation: Option<&SecretRotation>) -> HttpResponse {
    HttpResponse::Ok().json(view(rotation))
}

/// The answer to whoever moved the end of an old secret.
pub(crate) fn moved(changed: Changed<SecretRotation>) -> Result<HttpResponse, ApiError> {
    let stands = |rotation: &SecretRotation| Answer::ok(&view(Some(rotation)));
    respond(changed, stands, stands)
}

/// For how long an old secret shall work beside the new one.
pub(crate) fn overlap(seconds: i64) -> Result<RotationOverlap, ServiceError> {
    overlap_from(0, seconds)
}

/// For how long an old secret shall work from now on: what ends it at once is no extension.
pub(crate) fn extension(seconds: i64) -> Result<RotationOverlap, ServiceError> {
    overlap_from(1, seconds)
}

fn overlap_from(least: i64, seconds: i64) -> Result<RotationOverlap, ServiceError> {
    let overlap = RotationOverlap::from_seconds(seconds).filter(|_| seconds >= least);
    overlap.ok_or_else(|| {
        let most = RotationOverlap::MAX_SECONDS;
        ServiceError::broken("/overlap_seconds", format_args!("must be from {least} to {most}"))
    })
}

fn view(rotation: Option<&SecretRotation>) -> View {
    let uses = rotation.into_iter().flat_map(|rotation| &rotation.uses);
    View {
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
