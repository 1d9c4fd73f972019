//! What everybody may know of the server, at places that standards name.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use keystile_api::problem::ErrorCode;
use keystile_api::well_known::{JwkSet, ServerMetadata};
use keystile_service::KEPT_SECONDS;

use crate::error::ApiError;
use crate::params::{NoParams, Params};
use crate::routing::Routing;
use crate::state::State;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing.service(list_signing_keys).service(show_server_metadata);
}

/// Where the metadata of an issuer with a path are: the path stands behind (RFC 8414, section 3.1).
/// The document knows nothing of it, because it depends on the issuer.
pub(crate) fn below_issuer(config: &mut web::ServiceConfig) {
    let path = format!("{METADATA}/{{path:.*}}");
    config.route(&path, web::get().to(show_metadata_of_path));
}

/// List the public signing keys
///
/// A JWK set (RFC 7517) to verify access tokens with. It may be kept for as long as
/// `Cache-Control` says: a key is published for longer than that before it signs. Whoever meets an
/// unknown `kid` fetches it anew.
#[utoipa::path(tag = "oauth", responses(
    (status = 200, description = "The keys.", body = JwkSet, headers(
        ("Cache-Control" = String, description = "How long they may be kept."),
    )),
))]
#[get("/.well-known/jwks.json")]
async fn list_signing_keys(
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let keys = state.keystile.published_keys().await?;
    Ok(kept().json(keys))
}

/// Tell how tokens are issued
///
/// The metadata of an authorization server (RFC 8414). For an issuer with a path they are also
/// where section 3.1 looks for them, with the path behind.
#[utoipa::path(tag = "oauth", responses(
    (status = 200, description = "The metadata.", body = ServerMetadata, headers(
        ("Cache-Control" = String, description = "How long they may be kept."),
    )),
))]
#[get("/.well-known/oauth-authorization-server")]
async fn show_server_metadata(_: Params<NoParams>, state: web::Data<State>) -> HttpResponse {
    kept().json(metadata(state.keystile.issuer()))
}

async fn show_metadata_of_path(
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let issuer = state.keystile.issuer();
    let path = request.match_info().get("path").unwrap_or_default();
    if !path.is_empty() && path_of(issuer) == path {
        Ok(kept().json(metadata(issuer)))
    } else {
        Err(ApiError::new(ErrorCode::NotFound))
    }
}

/// What follows the host of a URL, without the slash between them.
fn path_of(url: &str) -> &str {
    let (_, behind) = url.split_once("://").unwrap_or_default();
    behind.split_once('/').map_or("", |(_, path)| path)
}

fn kept() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, format!("public, max-age={KEPT_SECONDS}")));
    response
}

fn metadata(issuer: &str) -> ServerMetadata {
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    ServerMetadata {
        issuer: issuer.to_owned(),
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        token_endpoint: format!("{issuer}/oauth2/token"),
        introspection_endpoint: format!("{issuer}/oauth2/introspect"),
        revocation_endpoint: format!("{issuer}/oauth2/revoke"),
        response_types_supported: Vec::new(),
        grant_types_supported: texts(&GRANTS),
        token_endpoint_auth_methods_supported: texts(&[
            "client_secret_basic",
            "client_secret_post",
            "none",
        ]),
    }
}

const METADATA: &str = "/.well-known/oauth-authorization-server";
const GRANTS: [&str; 2] = ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_an_issuer_stands_behind_its_host() {
        for (issuer, path) in [
            ("https://keys.example.com", ""),
            ("https://example.com/keys", "keys"),
            ("https://example.com:8443/a/b", "a/b"),
        ] {
            assert_eq!(path_of(issuer), path, "{issuer}");
        }
    }
}
