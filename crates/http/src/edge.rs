//! The outermost layer: what holds for every request and every answer, also for those that no
//! handler sees.

mod connection;
mod refusal;
mod request_line;

use std::convert::Infallible;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

use actix_http::{Request, RequestHead, Response};
use actix_service::{Service, always_ready};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::{HttpMessage, web};
use futures_util::future::LocalBoxFuture;
use keystile_api::problem::ErrorCode;
use keystile_domain::{RequestId, RequestIdError};
use tracing::Instrument;

use crate::asked::{Asked, Marks};
use crate::authenticate::is_https;
use crate::direct::Direct;
use crate::error::ApiError;
use crate::forward_auth::is_path_of_gateway;
use crate::limits::tell;
use crate::metrics::{self, Watch};
use crate::state::{Limits, State};

pub(crate) use connection::Connection;
use connection::Requests;

/// What stands before the application: names each request, bounds it, and finishes its answer, all
/// of it watched.
pub(crate) struct Edge<S>(Rc<Behind<S>>);

/// What is behind the edge, and what it needs to know.
struct Behind<S> {
    app: S,
    state: web::Data<State>,
    watched: metrics::Requests,
    over_tls: bool,
}

impl<S> Edge<S> {
    pub(crate) fn new(
        app: S,
        state: web::Data<State>,
        watched: metrics::Requests,
        over_tls: bool,
    ) -> Self {
        Self(Rc::new(Behind { app, state, watched, over_tls }))
    }
}

impl<S, B> Service<Request> for Edge<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = Response<BoxBody>;
    type Error = Infallible;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Infallible>>;

    always_ready!();

    fn call(&self, request: Request) -> Self::Future {
        let behind = Rc::clone(&self.0);
        Box::pin(async move {
            let _running = request.conn_data::<Requests>().cloned().map(Requests::begin);
            let watch = Watch::begin(&behind.watched, &behind.state, request.head());
            // A future that is wrapped is moved, and this one is large: only for whoever traces.
            let response = match watch.span() {
                span if span.is_disabled() => behind.answer(request).await,
                span => Box::pin(behind.answer(request)).instrument(span.clone()).await,
            };
            watch.end(&response);
            Ok(response)
        })
    }
}

impl<S, B> Behind<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody + 'static,
{
    async fn answer(&self, mut request: Request) -> Response<BoxBody> {
        let (id, named) = match name(&self.state, request.headers()) {
            Ok(id) => (id, Ok(())),
            Err(error) => (new_name(), Err(error)),
        };
        let method = request.method().clone();
        let marks = Rc::new(Marks { id, method, over_tls: self.over_tls });
        if let Err(error) = named.and_then(|()| bounded(request.head(), &self.state.limits)) {
            let asked = Asked { head: request.head(), marks };
            return finish(&self.state, &asked, error.into_response().into());
        }
        // A HEAD request is a GET whose answer ends before the body (RFC 9110, section 9.3.2): the
        // connection leaves the body out, whatever the handlers believe.
        if *request.method() == Method::HEAD {
            request.head_mut().method = Method::GET;
        }
        if let Some(direct) = Direct::find(request.head()) {
            let payload = request.take_payload();
            let asked = Asked { head: request.head(), marks };
            let response = direct.answer(&self.state, &asked, payload).await;
            return finish(&self.state, &asked, response.into());
        }
        request.extensions_mut().insert(Rc::clone(&marks));
        match self.app.call(request).await {
            Ok(response) => {
                let (request, response) = response.into_parts();
                let asked = Asked { head: request.head(), marks };
                finish(&self.state, &asked, response.map_into_boxed_body().into())
            }
            // `edge::connection` gives it its document.
            Err(error) => error.error_response().into(),
        }
    }
}

/// The name that the client gave. A secret, which the log would keep, is refused as one.
fn name(state: &State, headers: &HeaderMap) -> Result<RequestId, ApiError> {
    let Some(value) = headers.get(&REQUEST_ID) else { return Ok(new_name()) };
    let is_secret = |id: &RequestId| state.keystile.redact(id.as_str()) != id.as_str();
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    id.filter(|id| !is_secret(id))
        .ok_or_else(|| ApiError::field(ErrorCode::BadRequest, "X-Request-Id", RequestIdError))
}

/// A name for a request whose client gave none.
pub(crate) fn new_name() -> RequestId {
    let now = keystile_auth::Clock::now(&keystile_auth::SystemClock);
    keystile_domain::EventId::new(now, random()).into()
}

/// Random enough for a name, without a question to the system for each: the standard library draws
/// the keys of its hashers once for a thread, and gives no two the same.
fn random() -> [u8; 10] {
    let draw = |half: u8| RandomState::new().hash_one(half).to_le_bytes();
    let (draws, mut random) = ([draw(0), draw(1)], [0; 10]);
    for (byte, drawn) in random.iter_mut().zip(draws.as_flattened()) {
        *byte = *drawn;
    }
    random
}

fn bounded(head: &RequestHead, limits: &Limits) -> Result<(), ApiError> {
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > MAX_TARGET_BYTES {
        return Err(ApiError::new(ErrorCode::UriTooLong));
    }
    let size = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
    if head.headers.iter().map(size).sum::<usize>() > limits.max_header_bytes {
        return Err(ApiError::new(ErrorCode::HeadersTooLarge));
    }
    let mut options = head.headers.get_all(header::CONNECTION).flat_map(options);
    if options.any(|option| !CONNECTION_OPTIONS.iter().any(|it| option.eq_ignore_ascii_case(it))) {
        return Err(ApiError::field(
            ErrorCode::BadRequest,
            "Connection",
            "must not name the headers of the request",
        ));
    }
    Ok(())
}

/// What a header lists (RFC 9110, section 5.6.1).
fn options(value: &HeaderValue) -> impl Iterator<Item = &str> {
    let options = value.to_str().unwrap_or("?").split(',').map(str::trim);
    options.filter(|option| !option.is_empty())
}

fn finish(state: &State, asked: &Asked<'_>, response: Response<BoxBody>) -> Response<BoxBody> {
    let mut response = if is_error(response.status()) {
        refuse(state, asked, response)
    } else {
        let status = response.status().as_u16();
        tracing::debug!(request.id = asked.id().as_str(), status, "{}", Told { state, asked });
        response
    };
    if state.health.is_draining() {
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    // What a gateway is told, it tells as its own: whether its host is for HTTPS alone is not ours.
    let https = is_https(state, asked) && !is_path_of_gateway(asked.path());
    let headers = response.headers_mut();
    for (name, value) in ALWAYS.into_iter().chain(https.then_some(HSTS)) {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    }
    if let Ok(value) = HeaderValue::from_str(asked.id().as_str()) {
        headers.insert(REQUEST_ID, value);
    }
    response
}

/// Writes an error out as a problem document, and to the log with its cause.
fn refuse(state: &State, asked: &Asked<'_>, mut response: Response<BoxBody>) -> Response<BoxBody> {
    let status = response.status();
    let stated = response.extensions_mut().remove::<ApiError>();
    let error = stated.unwrap_or_else(|| by_status(status));
    let error = error.redacted(|text| state.keystile.redact(text));
    log(&error, asked.id(), &Told { state, asked });
    let (code, oauth) = (error.code, error.oauth);
    let retry_after = error.retry_after.or((code == ErrorCode::Unavailable).then_some(1));
    let head = response.head_mut();
    head.status = error.status();
    let headers = head.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    tell(headers, &error.limits);
    let challenge = match oauth {
        true => (code == ErrorCode::InvalidCredential).then_some(r#"Basic realm="keystile""#),
        false => challenge(code),
    };
    if let Some(challenge) = challenge {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    let (kind, body) = error.body(asked.id().as_str());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if code == ErrorCode::RequestTimeout || code == ErrorCode::BodyTooLarge {
        head.set_connection_type(ConnectionType::Close);
    }
    // For whoever counts.
    response.extensions_mut().insert(code);
    response.map_body(|_, _| BoxBody::new(body))
}

fn log(error: &ApiError, id: &RequestId, told: &Told<'_>) {
    let (code, status) = (error.code.as_str(), error.code.status());
    let cause = error.cause.as_deref().unwrap_or_default();
    let id = id.as_str();
    if status >= 500 {
        tracing::error!(request.id = id, status, code, cause, "{told} failed");
    } else {
        tracing::info!(request.id = id, status, code, cause, "{told} refused");
    }
}

/// What the log tells of a request; never its query, which may hold a credential.
struct Told<'r> {
    state: &'r State,
    asked: &'r Asked<'r>,
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redact = |text| self.state.keystile.redact(text);
        write!(f, "{} {}", redact(self.asked.method().as_str()), redact(self.asked.path()))
    }
}

/// What to show, and in which scheme (RFC 6750, section 3). Without a credential there is nothing
/// wrong with one, so there is no error code.
fn challenge(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::InvalidLogin | ErrorCode::MissingCredential => {
            Some(r#"Bearer realm="keystile""#)
        }
        ErrorCode::AmbiguousCredentials => {
            Some(r#"Bearer realm="keystile", error="invalid_request""#)
        }
        ErrorCode::CredentialRefused
        | ErrorCode::InvalidCredential
        | ErrorCode::InvalidRefreshToken
        | ErrorCode::InsecureTransport => Some(r#"Bearer realm="keystile", error="invalid_token""#),
        ErrorCode::InsufficientPermissions | ErrorCode::CeilingExceeded => {
            Some(r#"Bearer realm="keystile", error="insufficient_scope""#)
        }
        _ => None,
    }
}

/// What the framework itself refuses.
pub(crate) fn by_status(status: StatusCode) -> ApiError {
    let exact = ErrorCode::ALL.iter().find(|code| code.status() == status.as_u16());
    ApiError::new(match exact {
        Some(code) if status != StatusCode::BAD_REQUEST => *code,
        _ if status.is_client_error() => ErrorCode::BadRequest,
        _ => ErrorCode::Internal,
    })
}

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const PROBLEM: &str = "application/problem+json";
/// What concerns the connection itself (RFC 9110, section 7.6.1). A header that is named beside it
/// would be taken away by a proxy on the way, and be there for others.
const CONNECTION_OPTIONS: [&str; 5] = ["close", "http2-settings", "keep-alive", "te", "upgrade"];
const MAX_TARGET_BYTES: usize = 8 * 1024;

/// What every answer has that does not say otherwise.
pub(crate) const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// What an answer over HTTPS has beside: browsers come back in no other way (RFC 6797).
pub(crate) const HSTS: (HeaderName, HeaderValue) = (
    header::STRICT_TRANSPORT_SECURITY,
    HeaderValue::from_static("max-age=31536000; includeSubDomains"),
);
