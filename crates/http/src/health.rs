//! Whether the server lives, and whether it can answer.

use actix_web::{HttpResponse, get, web};
use keystile_api::health::Health as View;
use tokio::sync::watch;

use crate::error::ApiError;
use crate::params::{NoParams, Params};
use crate::routing::Routing;
use crate::state::State;

/// Whether the server takes requests; shared with whoever stops it.
#[derive(Clone, Debug, Default)]
pub struct Health(watch::Sender<bool>);

impl Health {
    /// From now on the server only finishes what it began.
    pub fn drain(&self) {
        self.0.send_replace(true);
    }

    /// Whether the server only finishes what it began.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the server only finishes what it began.
    pub async fn drained(&self) {
        // It cannot fail: the sender is here.
        let _ = self.0.subscribe().wait_for(|drained| *drained).await;
    }
}

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing.service(check_liveness).service(check_readiness);
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
/// `degraded` that it does; and so it says if the database may lose what it has answered.
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
    let durability = state.keystile.durability().await?;
    let degraded = [
        (state.keystile.limits_are_degraded(), "redis"),
        (durability.standby_may_lag, "asynchronous_standby"),
        (durability.disk_may_lose, "durability"),
    ];
    let degraded = degraded.into_iter().filter(|(is_so, _)| *is_so);
    let degraded = degraded.map(|(_, word)| word.to_owned()).collect();
    Ok(HttpResponse::Ok().json(View { status: "ready".to_owned(), degraded }))
}
