//! `Idempotency-Key`: a request that may be repeated.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use keystile_api::problem::ErrorCode;
use keystile_service::change::Options;
use keystile_service::{IdempotencyKey, IdempotencyKeyError, Replay};
use sha2::{Digest, Sha256};
use utoipa::IntoParams;

use crate::error::ApiError;
use crate::params::{ChangeParams, query};

/// The header, as the document describes it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes what `Idempotency` reads")]
pub(crate) struct IdempotencyParams {
    /// A name for this request: repeated within 24 hours, it gets the same answer.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255)]
    idempotency_key: Option<String>,
}

/// The name of a request that may be repeated, and what the request is apart from its body.
pub(crate) struct Idempotency {
    key: Option<IdempotencyKey>,
    target: String,
}

impl FromRequest for Idempotency {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut values = request.headers().get_all("idempotency-key");
        let key = match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value
                .to_str()
                .ok()
                .and_then(|text| text.parse().ok())
                .map_or_else(|| Err(wrong()), |key| Ok(Some(key))),
            (Some(_), Some(_)) => Err(wrong()),
        };
        let target = format!("{} {}?{}", request.method(), request.path(), query(request));
        ready(key.map(|key| Self { key, target }))
    }
}

impl Idempotency {
    /// How to make the change that this request asks for.
    pub(crate) fn options<T>(
        self,
        params: &ChangeParams,
        body: [u8; 32],
        render: fn(&T) -> serde_json::Result<Vec<u8>>,
    ) -> Options<T> {
        let replay = self.key.map(|key| Replay {
            key,
            request: Sha256::new().chain_update(body).chain_update(self.target).finalize().into(),
            render,
        });
        Options { replay, ..plain(params) }
    }
}

/// How to make a change that is the same however often it is made.
pub(crate) fn plain<T>(params: &ChangeParams) -> Options<T> {
    Options { dry_run: params.dry_run.unwrap_or(false), replay: None }
}

fn wrong() -> ApiError {
    ApiError::field(ErrorCode::BadRequest, "Idempotency-Key", IdempotencyKeyError)
}
