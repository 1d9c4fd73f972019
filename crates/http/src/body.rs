//! Reads the body of a request: its type, its size, its time; what is in it is for `json`.

mod form;
mod json;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::{Payload, RequestHead};
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;
use keystile_api::problem::ErrorCode;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use crate::error::ApiError;
use crate::state::{Limits, State};

pub(crate) use form::Form;
pub(crate) use json::unknown_fields;

/// A JSON body of ordinary size.
pub(crate) struct Body<T> {
    pub(crate) value: T,
    /// What an idempotency key is bound to.
    pub(crate) digest: [u8; 32],
}

/// A JSON body that may be left out.
pub(crate) struct OptionalBody<T>(pub(crate) Body<T>);

/// A JSON body with many things in it. While it lives, few others do.
pub(crate) struct BatchBody<T> {
    pub(crate) body: Body<T>,
    _place: OwnedSemaphorePermit,
}

type Reading<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let arriving = receive(request.head(), limits(request), payload.take(), Size::Ordinary);
        Box::pin(async move { arriving.await?.parse() })
    }
}

impl<T: DeserializeOwned + Default + 'static> FromRequest for OptionalBody<T> {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let arriving = receive(request.head(), limits(request), payload.take(), Size::Ordinary);
        Box::pin(async move {
            let arrived = arriving.await?;
            if arrived.bytes.is_empty() {
                return Ok(Self(Body { value: T::default(), digest: digest(&[]) }));
            }
            arrived.parse().map(Self)
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for BatchBody<T> {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let place = place(request);
        let arriving = receive(request.head(), limits(request), payload.take(), Size::Batch);
        Box::pin(async move {
            let place = place.await?;
            Ok(Self { body: arriving.await?.parse()?, _place: place })
        })
    }
}

/// Reads a JSON body of ordinary size, which no idempotency key is bound to.
pub(crate) async fn read<T: DeserializeOwned>(
    head: &RequestHead,
    limits: Limits,
    payload: Payload,
) -> Result<T, ApiError> {
    receive(head, Ok(limits), payload, Size::Ordinary).await?.value()
}

/// A body that has arrived, and whether it says that it is JSON.
struct Arrived {
    bytes: web::BytesMut,
    json: Result<(), ApiError>,
}

impl Arrived {
    fn parse<T: DeserializeOwned>(self) -> Result<Body<T>, ApiError> {
        let digest = digest(&self.bytes);
        Ok(Body { value: self.value()?, digest })
    }

    fn value<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        self.json?;
        json::parse(&self.bytes)
    }
}

fn receive(
    head: &RequestHead,
    limits: Result<Limits, ApiError>,
    payload: Payload,
    size: Size,
) -> impl Future<Output = Result<Arrived, ApiError>> + use<> {
    let (bytes, json) = (read_bytes(head, limits, payload, size), is_json(head));
    async move { Ok(Arrived { bytes: bytes.await?, json }) }
}

#[derive(Clone, Copy)]
enum Size {
    Ordinary,
    Batch,
}

fn limits(request: &HttpRequest) -> Result<Limits, ApiError> {
    let state = request.app_data::<web::Data<State>>();
    state.map(|state| state.limits).ok_or_else(|| ApiError::new(ErrorCode::Internal))
}

fn is_json(head: &RequestHead) -> Result<(), ApiError> {
    let value = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    let merge = head.method == Method::PATCH && essence.eq_ignore_ascii_case(MERGE_PATCH);
    if essence.eq_ignore_ascii_case("application/json") || merge {
        Ok(())
    } else {
        Err(ApiError::new(ErrorCode::UnsupportedMediaType))
    }
}

/// A place for a batch, as soon as there is one.
fn place(
    request: &HttpRequest,
) -> impl Future<Output = Result<OwnedSemaphorePermit, ApiError>> + use<> {
    let state = request.app_data::<web::Data<State>>().cloned();
    async move {
        let state = state.ok_or_else(|| ApiError::new(ErrorCode::Internal))?;
        let waiting = Arc::clone(&state.batches.0).acquire_owned();
        match tokio::time::timeout(state.limits.request_timeout, waiting).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(ApiError::new(ErrorCode::Unavailable)),
        }
    }
}

/// The whole body, if it is small enough and arrives in time. One that is announced too large is
/// refused before it is read.
fn read_bytes(
    head: &RequestHead,
    limits: Result<Limits, ApiError>,
    mut payload: Payload,
    size: Size,
) -> impl Future<Output = Result<web::BytesMut, ApiError>> + use<> {
    let announced = head
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    async move {
        let limits = limits?;
        let most = match size {
            Size::Ordinary => limits.max_body_bytes,
            Size::Batch => MAX_BATCH_BYTES.max(limits.max_body_bytes),
        };
        let too_large = || {
            ApiError::new(ErrorCode::BodyTooLarge)
                .detail(format!("The body may have at most {most} bytes."))
        };
        if announced.is_some_and(|length| usize::try_from(length).is_ok_and(|n| n > most)) {
            return Err(too_large());
        }
        let reading = async {
            let mut bytes = web::BytesMut::new();
            while let Some(chunk) = payload.next().await {
                let chunk =
                    chunk.map_err(|error| ApiError::new(ErrorCode::BadRequest).because(error))?;
                if bytes.len() + chunk.len() > most {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(bytes)
        };
        match tokio::time::timeout(limits.request_timeout, reading).await {
            Ok(bytes) => bytes,
            Err(_) => Err(ApiError::new(ErrorCode::RequestTimeout)),
        }
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

const MERGE_PATCH: &str = "application/merge-patch+json";
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;
