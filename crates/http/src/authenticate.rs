//! Finds the credential of a request and judges it, before anything else of it is read.
//!
//! This is a layer and not an extractor because actix polls the other extractors while one waits
//! for the database: a bad key with a broken body would be answered for its body.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};
use keystile_api::problem::ErrorCode;
use keystile_auth::{Networks, OriginError, RequestView};
use keystile_domain::{Endpoint, Transport};
use keystile_service::usage::UserAgent;
use keystile_service::{Caller, Origin};

use crate::edge::{method, request_id};
use crate::error::ApiError;
use crate::limits::{guarded, tell};
use crate::server::OverTls;
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
        Some(state) => judge(state, request.request()).await,
        None => Ok(Authentication::Nobody),
    };
    let authentication = authentication.unwrap_or_else(Authentication::Refused);
    let waits = state.filter(|_| waits(request.request())).cloned();
    let caller = match &authentication {
        Authentication::Known(caller) => Some(Arc::clone(caller)),
        Authentication::Nobody | Authentication::Refused(_) => None,
    };
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

/// Judges the credential of a request, if it shows one.
pub(crate) async fn judge(
    state: &State,
    request: &HttpRequest,
) -> Result<Authentication, ApiError> {
    let origin = origin(state, request)?;
    let presented = state.keystile.chain().extract(&View(request)).transpose();
    let Some(presented) = presented else { return Ok(Authentication::Nobody) };
    let asked = || Endpoint::new(method(request).as_str(), request.path()).ok();
    guarded(state, origin.address, async {
        let caller = state.keystile.authenticate(presented?, asked, origin).await?;
        Ok(Authentication::Known(Arc::new(caller)))
    })
    .await
}

/// Where a request comes from.
pub(crate) fn origin(state: &State, request: &HttpRequest) -> Result<Origin, ApiError> {
    let untold = |error: OriginError| {
        ApiError::new(ErrorCode::BadRequest)
            .detail("The request does not tell where it comes from.")
            .because(error)
    };
    let view = View(request);
    let origin = state.trusted_proxies.origin(&view, &state.insecure_http_from).map_err(untold)?;
    Ok(Origin {
        address: origin.address,
        transport: origin.transport,
        request_id: request_id(request),
        user_agent: user_agent(request),
    })
}

/// Whether the client speaks HTTPS, to this server or to a proxy that is believed. Plain HTTP that
/// counts as secure is still none.
pub(crate) fn is_https(state: &State, request: &HttpRequest) -> bool {
    let origin = state.trusted_proxies.origin(&View(request), &Networks::default());
    origin.is_ok_and(|origin| origin.transport == Transport::Secure)
}

/// What the client calls itself.
pub(crate) fn user_agent(request: &HttpRequest) -> Option<UserAgent> {
    request.headers().get(header::USER_AGENT).map(|value| UserAgent::new(value.as_bytes()))
}

/// A request of actix, as the extractors see it.
pub(crate) struct View<'r>(pub(crate) &'r HttpRequest);

impl RequestView for View<'_> {
    fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0.headers().get_all(name).map(|value| value.as_bytes())
    }

    fn query(&self) -> &str {
        self.0.query_string()
    }

    fn peer(&self) -> IpAddr {
        // Every connection has a peer; only requests made by hand in tests have none.
        self.0.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip())
    }

    fn is_tls(&self) -> bool {
        self.0.app_data::<OverTls>().is_some()
    }
}
