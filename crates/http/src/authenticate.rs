//! Finds the credential of a request and judges it, before anything else of it is read.
//!
//! This is a layer and not an extractor because actix polls the other extractors while one waits
//! for the database: a bad key with a broken body would be answered for its body.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};
use keystile_api::problem::ErrorCode;
use keystile_auth::{Networks, OriginError};
use keystile_domain::{Endpoint, Transport};
use keystile_service::usage::UserAgent;
use keystile_service::{Caller, Origin};

use crate::asked::Asked;
use crate::error::ApiError;
use crate::limits::{Attempt, tell};
use crate::state::State;
use crate::wait::{until_in_force, waits};

/// Who a request comes from, as far as its credential tells.
pub(crate) enum Authentication {
    /// Somebody with a valid credential.
    Known(Arc<Caller>),
    /// Nobody: it shows none.
    Nobody,
    /// Somebody whose credential is not taken.
    Refused(ApiError),
}

pub(crate) async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let state = request.app_data::<web::Data<State>>();
    let authentication = match state {
        Some(state) => judge(state, &Asked::of(request.request())).await,
        None => Ok(Authentication::Nobody),
    };
    let authentication = authentication.unwrap_or_else(Authentication::Refused);
    let waits = state.filter(|_| waits(request.request())).cloned();
    let caller = authentication.caller().cloned();
    request.extensions_mut().insert(authentication);
    let response = next.call(request).await?;
    let mut response = match waits {
        Some(state) => until_in_force(&state, response).await?.map_into_right_body(),
        None => response.map_into_left_body(),
    };
    if let Some(caller) = caller {
        tell(response.headers_mut(), caller.limits());
    }
    Ok(response)
}

impl Authentication {
    /// Somebody with a valid credential.
    pub(crate) fn caller(&self) -> Option<&Arc<Caller>> {
        match self {
            Self::Known(caller) => Some(caller),
            Self::Nobody | Self::Refused(_) => None,
        }
    }
}

/// Judges the credential of a request, if it shows one.
pub(crate) async fn judge(state: &State, asked: &Asked<'_>) -> Result<Authentication, ApiError> {
    let origin = origin(state, asked)?;
    let presented = state.keystile.chain().extract(asked).transpose();
    let Some(presented) = presented else { return Ok(Authentication::Nobody) };
    let endpoint = || Endpoint::new(asked.method().as_str(), asked.path()).ok();
    let attempt = Attempt::begin(state, origin.address)?;
    let judged = match presented {
        Ok(presented) => {
            let judged = state.keystile.authenticate(presented, endpoint, origin).await;
            judged.map_err(ApiError::from)
        }
        Err(refusal) => Err(refusal.into()),
    };
    Ok(Authentication::Known(Arc::new(attempt.end(judged)?)))
}

/// Where a request comes from.
pub(crate) fn origin(state: &State, asked: &Asked<'_>) -> Result<Origin, ApiError> {
    let untold = |error: OriginError| {
        ApiError::new(ErrorCode::BadRequest)
            .detail("The request does not tell where it comes from.")
            .because(error)
    };
    let origin = state.trusted_proxies.origin(asked, &state.insecure_http_from).map_err(untold)?;
    Ok(Origin {
        address: origin.address,
        transport: origin.transport,
        request_id: asked.id().clone(),
        user_agent: user_agent(asked.headers()),
    })
}

/// Whether the client speaks HTTPS, to this server or to a proxy that is believed. Plain HTTP that
/// counts as secure is still none.
pub(crate) fn is_https(state: &State, asked: &Asked<'_>) -> bool {
    let origin = state.trusted_proxies.origin(asked, &Networks::default());
    origin.is_ok_and(|origin| origin.transport == Transport::Secure)
}

/// What the client calls itself.
fn user_agent(headers: &HeaderMap) -> Option<UserAgent> {
    headers.get(header::USER_AGENT).map(|value| UserAgent::new(value.as_bytes()))
}
