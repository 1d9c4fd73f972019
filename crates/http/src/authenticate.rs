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
use keystile_auth::{OriginError, RequestView};
use keystile_service::usage::UserAgent;
use keystile_service::{Caller, Origin};

use crate::edge::request_id;
use crate::error::ApiError;
use crate::state::State;

/// Who a request comes from, as far as its credential tells.
#[derive(Clone)]
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
    if let Some(state) = request.app_data::<web::Data<State>>().cloned() {
        let authentication = judge(&state, request.request()).await;
        request.extensions_mut().insert(authentication.unwrap_or_else(Authentication::Refused));
    }
    next.call(request).await
}

/// Judges the credential of a request, if it shows one.
pub(crate) async fn judge(
    state: &State,
    request: &HttpRequest,
) -> Result<Authentication, ApiError> {
    let origin = origin(state, request)?;
    let presented = state.chain.extract(&View(request))?;
    let Some(presented) = presented else { return Ok(Authentication::Nobody) };
    let caller = state.keystile.authenticate(presented, origin).await?;
    Ok(Authentication::Known(Arc::new(caller)))
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

/// What the client calls itself.
pub(crate) fn user_agent(request: &HttpRequest) -> Option<UserAgent> {
    request.headers().get(header::USER_AGENT).map(|value| UserAgent::new(value.as_bytes()))
}

/// A request of actix, as the extractors see it.
struct View<'r>(&'r HttpRequest);

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
        false
    }
}
