//! Entity tags: the version of a thing, and requests that expect one (RFC 9110, section 13.1.1).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use keystile_api::problem::ErrorCode;
use keystile_domain::Version;
use utoipa::IntoParams;

use crate::error::ApiError;

/// The header, as the document describes it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes what `IfMatch` reads")]
pub(crate) struct IfMatchParams {
    /// The entity tag of the version that is meant; 412 if the thing has another by now.
    #[param(rename = "If-Match", example = "\"1\"")]
    if_match: Option<String>,
}

/// The version that a request expects; `None`: any.
pub(crate) struct IfMatch(pub(crate) Option<Version>);

/// The entity tag of a version.
pub(crate) fn entity_tag(version: Version) -> String {
    format!("\"{version}\"")
}

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut values = request.headers().get_all(header::IF_MATCH);
        ready(match (values.next(), values.next()) {
            (None, _) => Ok(Self(None)),
            (Some(value), None) => value.to_str().map_or_else(|_| Err(wrong()), parse),
            (Some(_), Some(_)) => Err(wrong()),
        })
    }
}

fn parse(text: &str) -> Result<IfMatch, ApiError> {
    let text = text.trim();
    if text == "*" {
        return Ok(IfMatch(None));
    }
    let weak = text.strip_prefix("W/");
    let tag = weak.unwrap_or(text).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let version = tag.ok_or_else(wrong)?.parse().ok().filter(|_| weak.is_none());
    // A tag that was never ours, or is weak, matches no version.
    Ok(IfMatch(Some(version.map_or(NO_VERSION, Version))))
}

fn wrong() -> ApiError {
    ApiError::field(
        ErrorCode::BadRequest,
        "If-Match",
        "must be * or one entity tag in double quotes",
    )
}

const NO_VERSION: Version = Version(0);
