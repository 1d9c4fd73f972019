//! Reads the body of a request: its type, its size, its time, its depth, its members.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;
use keystile_api::problem::{ErrorCode, FieldError};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::errors::ApiError;
use crate::state::State;

/// A JSON body of ordinary size.
pub(crate) struct Body<T> {
    pub(crate) value: T,
    /// What an idempotency key is bound to.
    pub(crate) digest: [u8; 32],
}

/// A JSON body that may be left out.
pub(crate) struct OptionalBody<T>(pub(crate) Body<T>);

/// A JSON body with many things in it.
pub(crate) struct BatchBody<T>(pub(crate) Body<T>);

type Reading<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = read(request, payload, Size::Ordinary);
        let json = is_json(request);
        Box::pin(async move {
            let bytes = bytes.await?;
            json?;
            parse(&bytes)
        })
    }
}

impl<T: DeserializeOwned + Default + 'static> FromRequest for OptionalBody<T> {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = read(request, payload, Size::Ordinary);
        let json = is_json(request);
        Box::pin(async move {
            let bytes = bytes.await?;
            if bytes.is_empty() {
                return Ok(Self(Body { value: T::default(), digest: digest(&bytes) }));
            }
            json?;
            Ok(Self(parse(&bytes)?))
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for BatchBody<T> {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = read(request, payload, Size::Batch);
        let json = is_json(request);
        Box::pin(async move {
            let bytes = bytes.await?;
            json?;
            Ok(Self(parse(&bytes)?))
        })
    }
}

#[derive(Clone, Copy)]
enum Size {
    Ordinary,
    Batch,
}

fn is_json(request: &HttpRequest) -> Result<(), ApiError> {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    let merge = request.method() == Method::PATCH && essence.eq_ignore_ascii_case(MERGE_PATCH);
    if essence.eq_ignore_ascii_case("application/json") || merge {
        Ok(())
    } else {
        Err(ApiError::new(ErrorCode::UnsupportedMediaType))
    }
}

/// The whole body, if it is small enough and arrives in time. One that is announced too large is
/// refused before it is read.
fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    size: Size,
) -> impl Future<Output = Result<web::BytesMut, ApiError>> + use<> {
    let mut payload = payload.take();
    let limits = request.app_data::<web::Data<State>>().map(|state| state.limits);
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    async move {
        let limits = limits.ok_or_else(|| ApiError::new(ErrorCode::Internal))?;
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

/// The value of the body: 400 if it is no JSON or has members that nobody knows, 422 if a known
/// member has a value of a wrong kind.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<Body<T>, ApiError> {
    if depth(bytes) > MAX_DEPTH {
        return Err(ApiError::new(ErrorCode::MalformedBody)
            .detail(format!("The body may have at most {MAX_DEPTH} levels.")));
    }
    let mut unknown = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let read = serde_ignored::deserialize(tracked, |path| unknown.push(ignored_pointer(&path)));
    let value = match read {
        Ok(value) => value,
        Err(error) if error.is_data() => return Err(wrong_member(&track.path(), &error)),
        Err(error) => {
            return Err(ApiError::new(ErrorCode::MalformedBody).detail(format!(
                "The body is not valid JSON: line {}, column {}.",
                error.line(),
                error.column()
            )));
        }
    };
    if json.end().is_err() {
        return Err(ApiError::new(ErrorCode::MalformedBody)
            .detail("The body has something behind its JSON value."));
    }
    if unknown.is_empty() {
        Ok(Body { value, digest: digest(bytes) })
    } else {
        Err(unknown_fields(unknown))
    }
}

pub(crate) fn unknown_fields(pointers: Vec<String>) -> ApiError {
    let error = |pointer| FieldError { pointer, detail: "is not known here".to_owned() };
    let names = pointers.join(", ");
    ApiError::new(ErrorCode::UnknownFields)
        .detail(format!("Not known here: {names}."))
        .errors(pointers.into_iter().map(error).collect())
}

/// A member of the wrong kind, missing, or given twice. serde tells these apart in words alone, and
/// its words for a wrong value repeat the value: only the kinds in them may be passed on.
fn wrong_member(path: &serde_path_to_error::Path, error: &serde_json::Error) -> ApiError {
    let text = error.to_string();
    let named = |prefix: &str| {
        let rest = text.strip_prefix(prefix)?;
        Some(rest.split('`').next().unwrap_or_default().to_owned())
    };
    let parent = pointer(path);
    if let Some(name) = named("duplicate field `") {
        return ApiError::field(
            ErrorCode::MalformedBody,
            &format!("{parent}/{name}"),
            "is given twice",
        );
    }
    if let Some(name) = named("missing field `") {
        return ApiError::field(
            ErrorCode::InvalidRequest,
            &format!("{parent}/{name}"),
            "is required",
        );
    }
    let expected = text.split(", expected ").nth(1).and_then(|rest| rest.split(" at line ").next());
    let rule = expected.map_or_else(
        || "has a value of a wrong kind".to_owned(),
        |expected| format!("must be {expected}"),
    );
    ApiError::field(ErrorCode::InvalidRequest, &parent, rule)
}

/// A JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape(key)),
            Segment::Enum { variant } => format!("/{}", escape(variant)),
            Segment::Unknown => String::new(),
        })
        .collect()
}

fn ignored_pointer(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}/{index}", ignored_pointer(parent)),
        Path::Map { parent, key } => {
            let key: String = key.chars().filter(|c| !c.is_control()).take(64).collect();
            format!("{}/{}", ignored_pointer(parent), escape(&key))
        }
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => ignored_pointer(parent),
    }
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// How deep the brackets of a text nest, strings aside; a look at the bytes, before anything is
/// built of them.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

const MERGE_PATCH: &str = "application/merge-patch+json";
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;
const MAX_DEPTH: usize = 32;
