//! How the server does, for Prometheus: `/metrics`.
//!
//! - `requests` counts requests while they are answered, without a lock and without a text
//! - `routes` finds the template of a path: raw paths, which have no end, are never a label
//! - `families` is what is shown, under which name
//! - `exposition` writes it in the format that the scraper reads
//! - `process` is what the system knows of the process
//! - `listener` shows it on an address of its own

mod exposition;
mod families;
mod listener;
mod process;
mod requests;
mod routes;

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Scope, get, web};
use keystile_api::problem::ErrorCode;
use keystile_auth::{Clock, SystemClock};
use keystile_domain::Timestamp;

use crate::authenticate::authenticate;
use crate::authorized::{Authorized, MetricsRead};
use crate::error::ApiError;
use crate::params::{NoParams, Params};
use crate::routing::Routing;
use crate::state::State;

use exposition::Format;
use requests::Shard;
use routes::Routes;

pub use listener::serve_metrics;
pub(crate) use requests::{Requests, Watch};

/// What is counted of requests, by every worker.
#[derive(Debug)]
pub struct Metrics {
    /// Whether they are shown on a listener of their own, and nowhere else.
    apart: bool,
    started_at: Timestamp,
    routes: OnceLock<Arc<Routes>>,
    shards: Mutex<Vec<Arc<Shard>>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            apart: false,
            started_at: SystemClock.now(),
            routes: OnceLock::new(),
            shards: Mutex::default(),
        }
    }
}

impl Metrics {
    /// Those that a listener of their own shows, and nobody on the main one.
    #[must_use]
    pub fn apart() -> Self {
        Self { apart: true, ..Self::default() }
    }

    /// Where one more worker counts the requests for these paths.
    pub(crate) fn begin<'p>(&self, paths: impl Iterator<Item = &'p str>) -> Requests {
        let routes = Arc::clone(self.routes.get_or_init(|| Arc::new(Routes::of(paths))));
        let shard = Arc::new(Shard::of(&routes));
        self.shards().push(Arc::clone(&shard));
        Requests::new(routes, shard)
    }

    /// Counts what was refused beneath the application: no worker has seen a request.
    pub(crate) fn count_refusal(&self, code: ErrorCode) {
        if let Some(shard) = self.shards().first() {
            shard.count_error(code);
        }
    }

    fn shards(&self) -> MutexGuard<'_, Vec<Arc<Shard>>> {
        // A list that is only pushed to is never half-way.
        self.shards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn routes(routing: &mut Routing<'_>) {
    let guard = |scope: Scope| scope.wrap(from_fn(authenticate));
    routing.scope("/metrics", guard, |routing| {
        routing.service(show_metrics);
    });
}

/// Show how the server does
///
/// In the text format of Prometheus, or in that of OpenMetrics if `Accept` names it. With a listener
/// of its own (`metrics_listen`) it is 404 here. `docs/metrics.md` has every family.
#[utoipa::path(tag = "health", responses((
    status = 200,
    description = "What every family of metrics comes to at this moment.",
    content((String = "text/plain", example = json!("keystile_feed_position 4711\n"))),
)))]
#[get("")]
async fn show_metrics(
    _: ShownHere,
    _: Authorized<MetricsRead>,
    _: Params<NoParams>,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    show(&request, &state)
}

/// The answer, to whoever may see it.
fn show(request: &HttpRequest, state: &State) -> Result<HttpResponse, ApiError> {
    let format = Format::accepted(request.headers().get(header::ACCEPT));
    let text = exposition::text(families::gather(state), format);
    let text = text.map_err(|error| ApiError::new(ErrorCode::Internal).because(error))?;
    Ok(HttpResponse::Ok().content_type(format.content_type()).body(text))
}

/// That the metrics are shown on the main listener: elsewhere, there is nothing at their path.
struct ShownHere;

impl FromRequest for ShownHere {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = request.app_data::<web::Data<State>>();
        let here = state.is_some_and(|state| !state.metrics.apart);
        ready(if here { Ok(Self) } else { Err(ApiError::new(ErrorCode::NotFound)) })
    }
}
