//! What each gateway tells of a request that it has stopped, and where.
//!
//! A gateway passes on most of what its client sent, so each is believed about its own headers
//! alone: behind nginx, an `X-Forwarded-Uri` is the client's invention.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use keystile_api::problem::ErrorCode;
use keystile_domain::{Endpoint, Permission};
use keystile_service::forward_auth::Passage;

use crate::asked::Asked;
use crate::error::ApiError;

/// A program that asks before it lets a request through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gateway {
    Caddy,
    Envoy,
    Haproxy,
    Nginx,
    Traefik,
}

/// A request that a gateway has stopped.
#[derive(Debug)]
pub(super) struct Stopped {
    /// What it takes to let it through.
    pub(super) passage: Passage,
    /// The path and query that its client asked for.
    pub(super) uri: String,
}

impl Gateway {
    /// The gateway that a request target names, and what follows the name.
    pub(super) fn find(target: &str) -> Option<(Self, &str)> {
        let below = target.strip_prefix(super::BASE)?.strip_prefix('/')?;
        let (name, rest) = below.split_at(below.find(['/', '?']).unwrap_or(below.len()));
        let gateway = match name {
            "caddy" => Self::Caddy,
            "envoy" => Self::Envoy,
            "haproxy" => Self::Haproxy,
            "nginx" => Self::Nginx,
            "traefik" => Self::Traefik,
            _ => return None,
        };
        Some((gateway, rest))
    }

    /// Reads what the gateway asks: `rest` follows its name in the request target.
    ///
    /// Its own query is never read: only Envoy has one, and there it is the client's.
    pub(super) fn read(self, asked: &Asked<'_>, rest: &str) -> Result<Stopped, ApiError> {
        let (permission, rest) = match self {
            Self::Envoy if asks_for_endpoint(asked)? => (None, rest),
            _ => split_permission(rest)?,
        };
        let (method, uri) = match self {
            Self::Envoy => (asked.method().as_str().to_owned(), rest.to_owned()),
            _ if !path_of(rest).is_empty() => return Err(ApiError::new(ErrorCode::NotFound)),
            Self::Nginx => originally(asked, "X-Original-Method", "X-Original-URI")?,
            Self::Caddy | Self::Haproxy | Self::Traefik => {
                originally(asked, "X-Forwarded-Method", "X-Forwarded-Uri")?
            }
        };
        if !is_origin_form(&uri) {
            return Err(broken("the original URI", "must be a path, and its query"));
        }
        let passage = Passage { endpoint: Endpoint::new(&method, &uri), permission };
        Ok(Stopped { passage, uri })
    }

    /// Says no, as the gateway understands it.
    pub(super) fn refuse(self, error: ApiError) -> HttpResponse {
        if self != Self::Nginx {
            return error.into_response();
        }
        // nginx takes any status but 2xx, 401 and 403 for an error of its own.
        let status = error.status();
        let shown = match status {
            StatusCode::BAD_REQUEST => StatusCode::UNAUTHORIZED,
            StatusCode::TOO_MANY_REQUESTS => StatusCode::FORBIDDEN,
            status => status,
        };
        let mut response = ApiError { shown_as: Some(shown), ..error }.into_response();
        let headers = response.headers_mut();
        headers.insert(STATUS, HeaderValue::from(status.as_u16()));
        if shown == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, CHALLENGE);
        }
        response
    }
}

/// Whether Envoy says that it asks by the endpoint rules.
///
/// It appends the client's path to the path of its configuration, so that a client could begin its
/// own with `/permission/`, and be asked for a permission that it has. A header of the configuration
/// tells one from the other.
fn asks_for_endpoint(asked: &Asked<'_>) -> Result<bool, ApiError> {
    let mut values = asked.headers().get_all(ASK);
    match (values.next().map(HeaderValue::as_bytes), values.next()) {
        (None, _) => Ok(false),
        (Some(b"endpoint"), None) => Ok(true),
        _ => Err(broken(ASK, "must be endpoint, once")),
    }
}

/// The permission at the beginning, if there is one, and what follows it.
fn split_permission(rest: &str) -> Result<(Option<Permission>, &str), ApiError> {
    let Some(named) = rest.strip_prefix("/permission/") else { return Ok((None, rest)) };
    let (name, rest) = named.split_at(named.find(['/', '?']).unwrap_or(named.len()));
    let permission = name.parse::<Permission>().map_err(|rule| broken("permission", rule))?;
    Ok((Some(permission), rest))
}

/// Method and URI of the original request, from two headers that the gateway writes.
fn originally(
    asked: &Asked<'_>,
    method: &'static str,
    uri: &'static str,
) -> Result<(String, String), ApiError> {
    Ok((only(asked, method)?, only(asked, uri)?))
}

/// The value of a header that must be there once.
fn only(asked: &Asked<'_>, name: &'static str) -> Result<String, ApiError> {
    let mut values = asked.headers().get_all(name);
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(broken(name, "must be there once, from the gateway"));
    };
    let text = value.to_str().ok().filter(|text| !text.is_empty()).map(str::to_owned);
    text.ok_or_else(|| broken(name, "must be visible ASCII"))
}

fn path_of(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}

/// RFC 9112, section 3.2.1. A fragment is no part of it, but gateways disagree about that.
fn is_origin_form(uri: &str) -> bool {
    uri.starts_with('/') && uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

fn broken(name: &str, rule: impl std::fmt::Display) -> ApiError {
    ApiError::field(ErrorCode::BadRequest, name, rule)
}

const ASK: &str = "X-Keystile-Ask";
/// Where nothing is wrong with a credential (RFC 6750, section 3).
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="keystile""#);
const STATUS: HeaderName = HeaderName::from_static("x-keystile-status");
