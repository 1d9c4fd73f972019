//! Whether the server lives, and whether it can answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::{HttpResponse, get, web};
use keystile_api::health::Health as View;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::error::ApiError;
use crate::params::{NoParams, Params};
use crate::state::State;

/// Whether the server takes requests; shared with whoever stops it.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<AtomicBool>);

impl Health {
    /// From now on the server only finishes what it began.
    pub fn drain(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether the server only finishes what it began.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(check_liveness).service(check_readiness);
}

/// Whether the process lives
///
/// It answers as long as the process can answer anything; the database is not asked.
#[utoipa::path(tag = "health", responses((status = 200, description = "It lives.", body = View)))]
#[get("/healthz")]
async fn check_liveness(_: Params<NoParams>) -> HttpResponse {
    HttpResponse::Ok().json(View { status: "alive".to_owned(), degraded: Vec::new() })
}

/// Whether the server can answer
///
/// 503 while it drains, and while the database does not answer. Without Redis it can, and says in
/// `degraded` that it does.
#[utoipa::path(tag = "health", responses(
    (status = 200, description = "It can answer.", body = View),
))]
#[get("/readyz")]
async fn check_readiness(
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    if state.health.is_draining() {
        return Err(ApiError::new(keystile_api::problem::ErrorCode::Unavailable)
            .detail("The server is draining."));
    }
    state.keystile.ready().await?;
    let degraded = state.keystile.limits_are_degraded().then(|| "redis".to_owned());
    let degraded = degraded.into_iter().collect();
    Ok(HttpResponse::Ok().json(View { status: "ready".to_owned(), degraded }))
}
