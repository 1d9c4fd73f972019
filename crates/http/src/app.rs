//! The routes, and the document that is made from them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use actix_http::{Request, Response};
use actix_service::{Service, ServiceFactory, map_config};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{AppConfig, ResourceDef, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, HttpRequest, HttpResponse, ResponseError, web};
use keystile_api::problem::ErrorCode;
use utoipa::openapi::OpenApi;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_actix_web::{AppExt, scope};

use crate::authenticate::authenticate;
use crate::edge::Edge;
use crate::error::ApiError;
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
    document: Arc<OpenApi>,
    over_tls: bool,
) -> Option<impl Service<Request, Response = Response<BoxBody>, Error = Infallible>> {
    let requests = state.metrics.begin(&document);
    let app = app(state.clone(), document);
    let app = map_config(app, |()| AppConfig::default()).new_service(()).await.ok()?;
    Some(Edge::new(app, state, requests, over_tls))
}

fn app(
    state: web::Data<State>,
    document: Arc<OpenApi>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let known = web::Data::new(KnownPaths::of(&document));
    let (app, _) = App::new().into_utoipa_app().configure(routes).split_for_parts();
    app.configure(|config| explorer::routes(config, document))
        .configure(well_known::below_issuer)
        .app_data(state)
        .app_data(known)
        .default_service(web::to(unmatched))
}

/// The OpenAPI document of all routes.
#[must_use]
pub fn document() -> OpenApi {
    let (_, mut document) = App::new().into_utoipa_app().configure(routes).split_for_parts();
    openapi::complete(&mut document);
    document
}

/// The order is one of cost alone: paths are compared from the first on, and each with parameters
/// takes a microsecond. So what is asked all the time stands first.
fn routes(config: &mut ServiceConfig<'_>) {
    let api = scope::scope("/api/v1")
        .wrap(from_fn(authenticate))
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
    config
        .configure(forward_auth::routes)
        .service(api)
        .configure(health::routes)
        .configure(metrics::routes)
        .configure(well_known::routes)
        .configure(oauth::routes);
}

/// What answers where no handler does: the path is unknown, or known to other methods.
async fn unmatched(request: HttpRequest) -> HttpResponse {
    let known = request.app_data::<web::Data<KnownPaths>>();
    let Some(allow) = known.and_then(|known| known.allow(request.path())) else {
        return ApiError::new(ErrorCode::NotFound).error_response();
    };
    let mut response = ApiError::new(ErrorCode::MethodNotAllowed)
        .detail(format!("This path knows {allow}."))
        .error_response();
    if let Ok(allow) = HeaderValue::from_str(&allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// Which methods each path knows.
struct KnownPaths(Vec<(ResourceDef, String)>);

impl KnownPaths {
    fn of(document: &OpenApi) -> Self {
        let mut known = BTreeMap::new();
        for (path, item) in &document.paths.paths {
            let methods: Vec<_> = openapi::operations(item)
                .flat_map(|(method, _)| [Some(method), (method == "GET").then_some("HEAD")])
                .flatten()
                .collect();
            known.insert(path.clone(), methods.join(", "));
        }
        Self(known.into_iter().map(|(path, methods)| (ResourceDef::new(path), methods)).collect())
    }

    fn allow(&self, path: &str) -> Option<String> {
        let found = self.0.iter().find(|(pattern, _)| pattern.is_match(path));
        found.map(|(_, methods)| methods.clone())
    }
}
