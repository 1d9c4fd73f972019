//! The routes, and the document that is made from them.

use std::convert::Infallible;

use actix_http::{Request, Response};
use actix_service::{Service, ServiceFactory, map_config};
use actix_web::body::BoxBody;
use actix_web::dev::AppConfig;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpResponse, ResponseError, Scope, web};
use keystile_api::problem::ErrorCode;
use utoipa::openapi::OpenApi;

use crate::authenticate::authenticate;
use crate::edge::Edge;
use crate::error::ApiError;
use crate::routing::{KnownPaths, Routing};
use crate::state::State;
use crate::{
    api_keys, audit_events, auth, changes, explorer, forward_auth, health, insights, leases,
    lookups, me, metrics, oauth, openapi, providers, roles, tickets, tokens, usage, users,
    verifiers, verify, well_known,
};

/// The application, for one worker of a server; `over_tls` if TLS ends here. Nothing if it cannot be
/// put together.
pub async fn service(
    state: web::Data<State>,
    over_tls: bool,
) -> Option<impl Service<Request, Response = Response<BoxBody>, Error = Infallible>> {
    let mut known = KnownPaths::default();
    let app = App::new().configure(|router| routes(&mut Routing::new(router, &mut known)));
    let requests = state.metrics.begin(known.paths());
    let app = app
        .configure(explorer::routes)
        .configure(well_known::below_issuer)
        .app_data(state.clone())
        .app_data(known)
        .default_service(web::to(unmatched));
    let app = map_config(app, |()| AppConfig::default()).new_service(()).await.ok()?;
    Some(Edge::new(app, state, requests, over_tls))
}

/// The OpenAPI document of all routes.
#[must_use]
pub fn document() -> OpenApi {
    let (mut known, mut document) = (KnownPaths::default(), OpenApi::default());
    App::new().configure(|router| {
        routes(&mut Routing::new(router, &mut known).documented(&mut document));
    });
    openapi::complete(&mut document);
    document
}

/// The order is one of cost alone: paths are compared from the first on, and each with parameters
/// takes a microsecond. So what is asked all the time stands first.
fn routes(routing: &mut Routing<'_>) {
    let guard = |scope: Scope| scope.wrap(from_fn(authenticate));
    routing
        .configure(forward_auth::routes)
        .scope("/api/v1", guard, api)
        .configure(health::routes)
        .configure(metrics::routes)
        .configure(well_known::routes)
        .configure(oauth::routes);
}

fn api(routing: &mut Routing<'_>) {
    routing
        .configure(verify::routes)
        .configure(me::routes)
        .configure(lookups::routes)
        .configure(leases::routes)
        .configure(api_keys::routes)
        .configure(roles::routes)
        .configure(providers::routes)
        .configure(auth::routes)
        .configure(verifiers::routes)
        .configure(changes::routes)
        .configure(audit_events::routes)
        .configure(usage::routes)
        .configure(insights::routes)
        .configure(users::routes)
        .configure(tokens::routes)
        .configure(tickets::routes);
}

/// What answers where no handler does: the path is unknown, or known to other methods.
async fn unmatched(request: HttpRequest) -> HttpResponse {
    let known = request.app_data::<KnownPaths>();
    let Some(allow) = known.and_then(|known| known.allow(request.path())) else {
        return ApiError::new(ErrorCode::NotFound).error_response();
    };
    let mut response = ApiError::new(ErrorCode::MethodNotAllowed)
        .detail(format!("This path knows {allow}."))
        .error_response();
    if let Ok(allow) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
