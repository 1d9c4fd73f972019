//! Reads the id in the path of a request.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use keystile_api::problem::ErrorCode;

use crate::error::ApiError;

/// The id in the path. A text that is no id names nothing, so it is not found.
pub(crate) struct Id<T>(pub(crate) T);

impl<T: FromStr + 'static> FromRequest for Id<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").and_then(|text| text.parse().ok());
        ready(id.map(Self).ok_or_else(|| ApiError::new(ErrorCode::NotFound)))
    }
}
