//! Answers: to questions, and to changes, which were made, only tried, or made before.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use keystile_api::problem::ErrorCode;
use keystile_service::change::Changed;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::conditional::entity_tag;
use crate::error::ApiError;

/// The answer to a change. It can be kept, so that a repeated request gets the same.
#[derive(Serialize, Deserialize)]
pub(crate) struct Answer {
    status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
}

impl Answer {
    pub(crate) fn created(location: String, body: &impl Serialize) -> Self {
        Self { status: 201, location: Some(location), etag: None, body: raw(body) }
    }

    pub(crate) fn ok(body: &impl Serialize) -> Self {
        Self { status: 200, location: None, etag: None, body: raw(body) }
    }

    pub(crate) fn empty() -> Self {
        Self { status: 204, location: None, etag: None, body: None }
    }

    pub(crate) fn version(self, version: keystile_domain::Version) -> Self {
        Self { etag: Some(entity_tag(version)), ..self }
    }

    /// The answer in the form in which it is kept.
    pub(crate) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    pub(crate) fn respond(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = HttpResponse::build(status);
        if let Some(location) = self.location {
            response.insert_header((header::LOCATION, location));
        }
        if let Some(etag) = self.etag {
            response.insert_header((header::ETAG, etag));
        }
        match self.body {
            Some(body) => response.json(body),
            None => response.finish(),
        }
    }
}

/// Shows what became of a change: `done` if it was made, `tried` if it was a dry run.
pub(crate) fn respond<T>(
    changed: Changed<T>,
    done: impl FnOnce(&T) -> Answer,
    tried: impl FnOnce(&T) -> Answer,
) -> Result<HttpResponse, ApiError> {
    match changed {
        Changed::Done(value) => Ok(done(&value).respond()),
        // What was not made has no version that a request could expect.
        Changed::DryRun(value) => Ok(Answer { etag: None, ..tried(&value) }.respond()),
        Changed::Replayed(kept) => {
            let answer: Answer = serde_json::from_slice(&kept)
                .map_err(|error| ApiError::new(ErrorCode::Internal).because(error))?;
            let mut response = answer.respond();
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            Ok(response)
        }
    }
}

/// An answer that nobody keeps.
pub(crate) fn json(body: &impl Serialize) -> HttpResponse {
    let mut written = Vec::with_capacity(USUAL_BYTES);
    match serde_json::to_writer(&mut written, body) {
        Ok(()) => {
            let mut response = HttpResponse::with_body(StatusCode::OK, BoxBody::new(written));
            response.headers_mut().insert(header::CONTENT_TYPE, JSON);
            response
        }
        Err(error) => ApiError::new(ErrorCode::Internal).because(error).into_response(),
    }
}

fn raw(body: &impl Serialize) -> Option<Box<RawValue>> {
    to_raw_value(body).ok()
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// What an answer about one credential takes, as a rule.
const USUAL_BYTES: usize = 768;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
