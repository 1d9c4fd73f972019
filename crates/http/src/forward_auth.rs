//! Forward authentication: a gateway asks whether a request that it has stopped may pass.
//!
//! It stands outside the layer that authenticates callers: the gateway itself shows nothing, and the
//! answer concerns the credential of its client alone, who may as well ask here directly.

mod gateway;

use std::fmt::{self, Write};
use std::net::IpAddr;

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::header::{HeaderName, HeaderValue, InvalidHeaderValue};
use actix_web::http::uri::PathAndQuery;
use actix_web::{HttpRequest, HttpResponse, web};
use keystile_api::problem::ErrorCode;
use keystile_auth::{Chain, RequestView};
use keystile_domain::{Credential, Rule};
use keystile_service::Refused;
use keystile_service::forward_auth::Passage;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use self::gateway::{Gateway, Stopped};
use crate::asked::Asked;
use crate::authenticate::origin;
use crate::error::ApiError;
use crate::limits::{Attempt, tell};
use crate::routing::Routing;
use crate::state::State;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing.mention(&__path_ask_by_endpoint).mention(&__path_ask_by_permission);
    routing.unmentioned(ForwardAuth);
}

/// Whether gateways ask at a path.
pub(crate) fn is_path_of_gateway(path: &str) -> bool {
    path.starts_with(BASE)
}

/// The endpoint, for every method and whatever path a gateway appends.
struct ForwardAuth;

impl HttpServiceFactory for ForwardAuth {
    fn register(self, config: &mut AppService) {
        web::scope(BASE).default_service(web::to(forward_auth)).register(config);
    }
}

async fn forward_auth(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    answer(&state, &Asked::of(&request)).await
}

/// Whether the request that a gateway has stopped may pass.
pub(crate) async fn answer(state: &State, asked: &Asked<'_>) -> HttpResponse {
    let target = asked.head.uri.path_and_query().map_or("", PathAndQuery::as_str);
    let Some((gateway, rest)) = Gateway::find(target) else {
        return ApiError::new(ErrorCode::NotFound).into_response();
    };
    let answered = match gateway.read(asked, rest) {
        Ok(stopped) => judge(state, asked, &stopped).await,
        Err(error) => Err(error),
    };
    answered.unwrap_or_else(|error| gateway.refuse(error))
}

async fn judge(
    state: &State,
    asked: &Asked<'_>,
    stopped: &Stopped,
) -> Result<HttpResponse, ApiError> {
    let origin = origin(state, asked)?;
    let chain = state.keystile.chain();
    let (_, query) = stopped.uri.split_once('?').unwrap_or_default();
    let presented = chain.extract(&Original { asked, query }).transpose();
    let presented = presented.ok_or_else(|| ApiError::new(ErrorCode::MissingCredential))?;
    let passage = &stopped.passage;
    let attempt = Attempt::begin(state, origin.address)?;
    let passed = match presented {
        Ok(presented) => {
            let passed = state.keystile.let_pass(passage, presented, &origin).await;
            passed.map_err(|refused| refusal(refused, passage))
        }
        Err(refusal) => Err(refusal.into()),
    };
    let passed = attempt.end(passed)?;
    let mut response = allowed(&passed.credential, &without_credentials(&chain, &stopped.uri))
        .map_err(|error| ApiError::new(ErrorCode::Internal).because(error))?;
    tell(response.headers_mut(), &passed.limits);
    Ok(response)
}

/// The request that was stopped: its headers came along, its query is told.
struct Original<'r> {
    asked: &'r Asked<'r>,
    query: &'r str,
}

impl RequestView for Original<'_> {
    fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        RequestView::headers(self.asked, name)
    }

    fn query(&self) -> &str {
        self.query
    }

    fn peer(&self) -> IpAddr {
        self.asked.peer()
    }

    fn is_tls(&self) -> bool {
        self.asked.is_tls()
    }
}

/// The holder may know which permission it takes.
fn refusal(refused: Refused, passage: &Passage) -> ApiError {
    let lacks =
        matches!(&refused, Refused::Denied(denial) if denial.rule() == Rule::PermissionsHeld);
    let error = ApiError::from(refused);
    match &passage.permission {
        Some(permission) if lacks => {
            error.detail(format!("The credential lacks the permission {permission}."))
        }
        _ => error,
    }
}

fn without_credentials(chain: &Chain, uri: &str) -> String {
    let Some((path, query)) = uri.split_once('?') else { return uri.to_owned() };
    let rest = chain.without_credentials(query);
    // A query that was empty from the beginning stays.
    if rest.is_empty() && !query.is_empty() { path.to_owned() } else { format!("{path}?{rest}") }
}

/// Tells the gateway who it is. Every header is there, so that none that a client sends itself is
/// left standing where a gateway overwrites them.
fn allowed(credential: &Credential, uri: &str) -> Result<HttpResponse, InvalidHeaderValue> {
    let roles = credential.whole_roles().iter().map(|role| encoded(role.name.as_str()));
    let permissions = credential.rights.permissions.iter();
    let principal = &credential.principal;
    let told = [
        (PRINCIPAL, principal.id.to_string()),
        (PRINCIPAL_NAME, encoded(principal.name.as_str()).to_string()),
        (CREDENTIAL_ID, credential.id.to_string()),
        (ROLES, joined(roles)),
        (PERMISSIONS, joined(permissions)),
        (URI, uri.to_owned()),
    ];
    let mut response = HttpResponse::Ok().finish();
    for (name, value) in told {
        response.headers_mut().insert(name, HeaderValue::try_from(value)?);
    }
    Ok(response)
}

/// Names are for people, and may have any character.
fn encoded(name: &str) -> PercentEncode<'_> {
    utf8_percent_encode(name, NAME)
}

/// All of them, divided by commas.
fn joined(items: impl Iterator<Item = impl fmt::Display>) -> String {
    items.fold(String::new(), |mut joined, item| {
        if !joined.is_empty() {
            joined.push(',');
        }
        // Nothing refuses to be written into a text.
        let _ = write!(joined, "{item}");
        joined
    })
}

/// Ask whether a request may pass a gateway
///
/// With any method, of whoever asks: the answer concerns only the credential of the request that the
/// gateway has stopped. That stands in the headers, or in the query of the original URI where a
/// provider allows it. It must open the original endpoint by the rules of its roles. Method and URI
/// come from the gateway's own headers: `X-Original-Method` and `X-Original-URI` of nginx,
/// `X-Forwarded-Method` and `X-Forwarded-Uri` of Caddy, `haproxy` and Traefik. Envoy passes the
/// method on as its own and appends path and query to this path, with `X-Keystile-Ask: endpoint`
/// from its configuration. nginx, which knows no other refusals than 401 and 403, is told 401 for
/// 400 and 403 for 429, with the real one in `X-Keystile-Status`.
#[utoipa::path(
    get,
    path = "/api/v1/forward-auth/{gateway}",
    tag = "verify",
    params(("gateway" = String, Path, description = "`caddy`, `envoy`, `haproxy`, `nginx` or `traefik`.", example = "caddy")),
    responses((
        status = 200,
        description = "It may.",
        headers(
            ("X-Keystile-Principal" = uuid::Uuid, description = "Who the request acts as."),
            ("X-Keystile-Principal-Name" = String, description = "Their name, percent-encoded."),
            ("X-Keystile-Credential-Id" = uuid::Uuid, description = "The credential it came with."),
            ("X-Keystile-Roles" = String, description = "The names of the roles, percent-encoded, divided by commas."),
            ("X-Keystile-Permissions" = String, description = "The permissions, divided by commas."),
            ("X-Keystile-Uri" = String, description = "The original path and query, without credentials."),
        ),
    )),
)]
#[expect(dead_code, reason = "it carries the documentation")]
fn ask_by_endpoint() {}

/// Ask whether a request with a permission may pass a gateway
///
/// As without `permission`, but the credential must hold this permission, whatever the endpoint.
/// Envoy appends path and query behind it.
#[utoipa::path(
    get,
    path = "/api/v1/forward-auth/{gateway}/permission/{permission}",
    tag = "verify",
    params(
        ("gateway" = String, Path, description = "As without `permission`.", example = "caddy"),
        ("permission" = String, Path, description = "What the credential must hold.", example = "invoices.read"),
    ),
    responses((status = 200, description = "It may, as without `permission`.")),
)]
#[expect(dead_code, reason = "it carries the documentation")]
fn ask_by_permission() {}

const BASE: &str = "/api/v1/forward-auth";

/// RFC 3986, section 2.3.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const PRINCIPAL: HeaderName = HeaderName::from_static("x-keystile-principal");
const PRINCIPAL_NAME: HeaderName = HeaderName::from_static("x-keystile-principal-name");
const CREDENTIAL_ID: HeaderName = HeaderName::from_static("x-keystile-credential-id");
const ROLES: HeaderName = HeaderName::from_static("x-keystile-roles");
const PERMISSIONS: HeaderName = HeaderName::from_static("x-keystile-permissions");
const URI: HeaderName = HeaderName::from_static("x-keystile-uri");
