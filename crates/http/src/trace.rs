//! The span of a request, for traces. There is one only where traces are collected; else it costs a
//! look at one flag.
//!
//! It says nothing of the query, which may hold a credential that nobody here can tell from another
//! text.

use actix_web::body::BoxBody;
use actix_web::dev::{RequestHead, Response};
use actix_web::http::header::HeaderMap;
use keystile_api::problem::ErrorCode;
use keystile_service::SPANS;
use opentelemetry::global::get_text_map_propagator;
use opentelemetry::propagation::Extractor;
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::edge::REQUEST_ID;
use crate::state::State;

/// The span of a request, below that of the caller if it names one (W3C Trace Context). The names
/// are those of OpenTelemetry's conventions for HTTP.
pub(crate) fn begin(state: &State, head: &RequestHead, method: &'static str, route: &str) -> Span {
    let span = tracing::info_span!(
        target: SPANS,
        "request",
        "otel.name" = Empty,
        "otel.kind" = "server",
        "otel.status_code" = Empty,
        "http.request.method" = method,
        "http.route" = Empty,
        "http.response.status_code" = Empty,
        "url.path" = Empty,
        "error.type" = Empty,
        "keystile.request_id" = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    let caller = get_text_map_propagator(|it| it.extract(&Carrier(&head.headers)));
    // It fails where spans go to somebody else than OpenTelemetry: then there is no caller's.
    let _ = span.set_parent(caller);
    span.record("otel.name", format!("{method} {route}"));
    span.record("http.route", route);
    span.record("url.path", &*state.keystile.redact(head.uri.path()));
    span
}

/// How the request went.
pub(crate) fn end(span: &Span, response: &Response<BoxBody>) {
    if span.is_disabled() {
        return;
    }
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if let Some(code) = response.extensions().get::<ErrorCode>() {
        span.record("error.type", code.as_str());
    }
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    let id = response.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    if let Some(id) = id {
        span.record("keystile.request_id", id);
    }
}

/// What a caller says of its own span.
struct Carrier<'h>(&'h HeaderMap);

impl Extractor for Carrier<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}
