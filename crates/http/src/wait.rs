//! `wait=cluster`: an answer to a change that comes when the change is in force everywhere.
//!
//! It is asked of every change in the same way, whatever was changed, and also if nothing was:
//! whoever asks again wants to know as well. Of what is gone already that is all there is to know.

use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use keystile_api::problem::ErrorCode;
use keystile_api::verifiers::{InForce, Revocation as View};
use keystile_service::cluster::Revocation;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::state::State;

/// Whom to wait for.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WaitFor {
    /// Every verifier.
    Cluster,
}

/// Whether a request asks to be answered when what it changes is in force everywhere. One that
/// changes nothing does not know the parameter, and is refused for it.
pub(crate) fn waits(request: &HttpRequest) -> bool {
    form_urlencoded::parse(request.query_string().as_bytes())
        .any(|(name, value)| name == PARAMETER && value == CLUSTER)
}

/// Holds back the answer to a change until the change is in force everywhere, and adds that it is.
pub(crate) async fn until_in_force(
    state: &State,
    response: ServiceResponse<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let was_gone =
        response.status() == StatusCode::NOT_FOUND && response.request().method() == Method::DELETE;
    if !response.status().is_success() && !was_gone {
        return Ok(response.map_into_boxed_body());
    }
    let revocation = state.keystile.wait_for_verifiers().await.map_err(ApiError::from)?;
    if was_gone {
        return Ok(response.map_into_boxed_body());
    }
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let body = to_bytes(body).await.map_err(|_lost| ApiError::new(ErrorCode::Internal))?;
    let body = with(&body, &revocation)?;
    let mut answer = HttpResponse::build(match head.status() {
        StatusCode::NO_CONTENT => StatusCode::OK,
        status => status,
    });
    for (name, value) in head.headers() {
        if *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE {
            answer.append_header((name, value));
        }
    }
    let answer = answer.content_type(header::ContentType::json()).body(body);
    Ok(ServiceResponse::new(request, answer))
}

/// The body with the member `revocation`.
fn with(body: &[u8], revocation: &Revocation) -> Result<Vec<u8>, ApiError> {
    let failed = |error: serde_json::Error| ApiError::new(ErrorCode::Internal).because(error);
    let in_force = InForce { revocation: view(revocation) };
    if body.is_empty() {
        return serde_json::to_vec(&in_force).map_err(failed);
    }
    // Changes are answered with an object, in which this is one more member.
    let Some(members) = body.strip_suffix(b"}") else {
        return Err(ApiError::new(ErrorCode::Internal));
    };
    let revocation = serde_json::to_vec(&in_force.revocation).map_err(failed)?;
    let comma: &[u8] = if members.ends_with(b"{") { b"" } else { b"," };
    Ok([members, comma, br#""revocation":"#, &revocation, b"}"].concat())
}

fn view(revocation: &Revocation) -> View {
    View {
        effective_at: revocation.effective_at.to_string(),
        acknowledged: revocation.acknowledged,
        lease_expired: revocation.lease_expired,
        unproven: revocation.unproven,
    }
}

const PARAMETER: &str = "wait";
const CLUSTER: &str = "cluster";
