//! Reads the ids in the path of a request.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use keystile_api::problem::ErrorCode;
use keystile_domain::{TokenId, UserId};

use crate::error::ApiError;

/// The id in the path. A text that is no id names nothing, so it is not found.
pub(crate) struct Id<T>(pub(crate) T);

impl<T: FromStr + 'static> FromRequest for Id<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request, "id").map(Self))
    }
}

/// The two ids of a token of somebody: theirs, and its own.
pub(crate) struct TokenOf {
    pub(crate) owner: UserId,
    pub(crate) token: TokenId,
}

impl FromRequest for TokenOf {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = read(request, "token_id");
        ready(token.and_then(|token| Ok(Self { owner: read(request, "id")?, token })))
    }
}

fn read<T: FromStr>(request: &HttpRequest, name: &str) -> Result<T, ApiError> {
    let id = request.match_info().get(name).and_then(|text| text.parse().ok());
    id.ok_or_else(|| ApiError::new(ErrorCode::NotFound))
}
