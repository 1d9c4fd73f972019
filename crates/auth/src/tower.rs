//! The adapter for tower: a [`GuardLayer`] for axum, tonic, and whatever else is made of services
//! for `http::Request`. The [`Grant`](keystile_domain::Grant) is among the extensions of a request
//! that was let in.
//!
//! A gRPC call is refused as gRPC refuses, with a status in the headers; everything else with a
//! problem document.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Extensions, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tower_layer::Layer;
use tower_service::Service;

use crate::{Guard, Problem, Refused, RequestView, Verify};

/// A [`Guard`] as a layer.
///
/// ```
/// use std::net::SocketAddr;
///
/// use keystile_auth::tower::GuardLayer;
/// # use keystile_auth::{Guard, Verify};
/// # struct ConnectInfo<T>(T);
///
/// # fn layer<V: Verify>(guard: Guard<V>) -> Result<GuardLayer<V>, Box<dyn std::error::Error>> {
/// // With axum: `Router::new().route(..).layer(layer)`; with tonic: `Server::builder().layer(layer)`.
/// let layer = GuardLayer::new(guard.requiring("invoices.read")?)
///     .with_peer(|it| it.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip()));
/// # Ok(layer)
/// # }
/// ```
#[derive(Debug)]
pub struct GuardLayer<V> {
    guard: Guard<V>,
    connection: Connection,
}

/// What a layer knows of connections, which `http::Request` does not tell.
#[derive(Clone, Copy)]
struct Connection {
    peer: fn(&Extensions) -> Option<IpAddr>,
    is_tls: bool,
}

impl<V: Verify> GuardLayer<V> {
    /// The guard as a layer.
    #[must_use]
    pub fn new(guard: Guard<V>) -> Self {
        Self { guard, connection: Connection { peer: |_| None, is_tls: false } }
    }

    /// Says where a framework keeps the address of the peer. Without it nobody's address is known:
    /// credentials that are bound to addresses are refused, no proxy is believed, and plain HTTP
    /// counts as secure from nowhere.
    #[must_use]
    pub fn with_peer(mut self, peer: fn(&Extensions) -> Option<IpAddr>) -> Self {
        self.connection.peer = peer;
        self
    }

    /// Says that TLS ends at this very server, for every connection.
    #[must_use]
    pub fn over_tls(mut self) -> Self {
        self.connection.is_tls = true;
        self
    }
}

impl<V> Clone for GuardLayer<V> {
    fn clone(&self) -> Self {
        Self { guard: self.guard.clone(), connection: self.connection }
    }
}

impl<S, V> Layer<S> for GuardLayer<V> {
    type Service = Guarded<S, V>;

    fn layer(&self, inner: S) -> Self::Service {
        Guarded { inner, layer: self.clone() }
    }
}

/// A service behind a guard.
#[derive(Debug)]
pub struct Guarded<S, V> {
    inner: S,
    layer: GuardLayer<V>,
}

impl<S: Clone, V> Clone for Guarded<S, V> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, A, B, V> Service<Request<A>> for Guarded<S, V>
where
    S: Service<Request<A>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    A: Send + 'static,
    V: Verify,
{
    type Response = Response<Either<B, Full<Bytes>>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        // The service that said it is ready is the one to call.
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let view = View { parts: &parts, connection: layer.connection };
            let asked = layer.guard.check(&view, parts.method.as_str(), parts.uri.path());
            let judged = asked.await;
            match judged {
                Ok(grant) => {
                    parts.extensions.insert(grant);
                    let response = inner.call(Request::from_parts(parts, body)).await?;
                    Ok(response.map(Either::Left))
                }
                Err(refused) => Ok(refusal(refused, &parts.headers).map(Either::Right)),
            }
        })
    }
}

/// A request of the `http` crate, as the extractors see it.
struct View<'r> {
    parts: &'r http::request::Parts,
    connection: Connection,
}

impl RequestView for View<'_> {
    fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.parts.headers.get_all(name).iter().map(HeaderValue::as_bytes)
    }

    fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    fn peer(&self) -> IpAddr {
        let peer = (self.connection.peer)(&self.parts.extensions);
        peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    fn is_tls(&self) -> bool {
        self.connection.is_tls
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("is_tls", &self.is_tls).finish_non_exhaustive()
    }
}

/// The answer to a refused request, with the [`Refused`] in its extensions for a logger.
fn refusal(refused: Refused, asked: &HeaderMap) -> Response<Full<Bytes>> {
    let problem = refused.problem();
    let kind = asked.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let mut response = if kind.starts_with(GRPC.as_bytes()) {
        grpc_refusal(&problem)
    } else {
        http_refusal(&problem)
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(Arc::new(refused));
    response
}

fn http_refusal(problem: &Problem) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(problem.to_json()));
    *response.status_mut() =
        StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(Problem::CONTENT_TYPE));
    if let Some(challenge) = problem.challenge() {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(seconds) = problem.retry_after_seconds() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// An answer that is all headers ("Trailers-Only" of gRPC over HTTP/2).
fn grpc_refusal(problem: &Problem) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(GRPC));
    headers.insert(GRPC_STATUS, HeaderValue::from(grpc_status(problem.status())));
    let message = utf8_percent_encode(problem.text(), IN_MESSAGES).to_string();
    if let Ok(message) = HeaderValue::try_from(message) {
        headers.insert(GRPC_MESSAGE, message);
    }
    response
}

/// The status code of gRPC that says the same.
fn grpc_status(status: u16) -> u16 {
    const INVALID_ARGUMENT: u16 = 3;
    const PERMISSION_DENIED: u16 = 7;
    const RESOURCE_EXHAUSTED: u16 = 8;
    const UNAVAILABLE: u16 = 14;
    const UNAUTHENTICATED: u16 = 16;
    match status {
        400 => INVALID_ARGUMENT,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        429 => RESOURCE_EXHAUSTED,
        _ => UNAVAILABLE,
    }
}

/// What gRPC encodes in a message.
const IN_MESSAGES: &AsciiSet = &CONTROLS.add(b'%');
const GRPC: &str = "application/grpc";
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

#[cfg(test)]
mod tests;
