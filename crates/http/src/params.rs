//! Reads the query of a request: its members, but for those that may hold a credential, which
//! `authenticate` alone reads.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use keystile_api::problem::ErrorCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use crate::body::unknown_fields;
use crate::error::ApiError;
use crate::state::State;
use crate::wait::WaitFor;

/// The parameters of a request. A handler without any takes [`NoParams`], so that an unknown one
/// is refused everywhere.
pub(crate) struct Params<T>(pub(crate) T);

/// No parameters at all.
#[derive(Deserialize)]
pub(crate) struct NoParams {}

/// How a change is to be made.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangeParams {
    /// `true`: check everything, change nothing, and answer 200 with what would be.
    #[param(value_type = Option<bool>)]
    pub(crate) dry_run: Option<bool>,
    /// `cluster`: answer when it is in force everywhere, and say so in `revocation`.
    #[param(value_type = Option<WaitFor>, inline)]
    #[expect(dead_code, reason = "the layer around the handlers waits; here it is only known")]
    pub(crate) wait: Option<WaitFor>,
}

impl<T: DeserializeOwned + 'static> FromRequest for Params<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(&query(request)).map(Self))
    }
}

/// The query of a request without its credentials: all that may be parsed, compared or kept of it.
pub(crate) fn query(request: &HttpRequest) -> String {
    let (query, state) = (request.query_string(), request.app_data::<web::Data<State>>());
    if query.is_empty() {
        return String::new();
    }
    state.map_or_else(String::new, |state| state.keystile.chain().without_credentials(query))
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    let mut unknown = Vec::new();
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(pairs, &mut track);
    let read = serde_ignored::deserialize(tracked, |path| unknown.push(path.to_string()));
    match read {
        Ok(value) if unknown.is_empty() => Ok(value),
        Ok(_) => Err(unknown_fields(unknown)),
        Err(error) => {
            let text = error.to_string();
            if let Some(rest) = text.strip_prefix("duplicate field `") {
                let name = rest.split('`').next().unwrap_or_default();
                return Err(ApiError::field(ErrorCode::BadRequest, name, "is given twice"));
            }
            if let Some(rest) = text.strip_prefix("missing field `") {
                let name = rest.split('`').next().unwrap_or_default();
                return Err(ApiError::field(ErrorCode::InvalidRequest, name, "is required"));
            }
            let name = track.path().to_string();
            Err(ApiError::field(ErrorCode::InvalidRequest, &name, rule(&text)))
        }
    }
}

/// serde tells what went wrong while reading, not what the rule is.
fn rule(text: &str) -> &'static str {
    if text.contains("`true` or `false`") {
        "must be true or false"
    } else if text.contains("`cluster`") {
        "must be cluster"
    } else if text.contains("UUID") {
        "must be a UUID"
    } else {
        "must be a whole number"
    }
}
