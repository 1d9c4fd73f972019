//! Who may believe what they remember, and how far each has followed the log of changes.

use std::time::Duration;

use actix_web::{HttpResponse, get, web};
use keystile_api::verifiers::{VerifierNode, Verifiers as View};
use keystile_service::cluster::Node;

use crate::authorized::{Authorized, ClusterRead};
use crate::error::ApiError;
use crate::params::{NoParams, Params};
use crate::routing::Routing;
use crate::state::State;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing.service(list_verifiers);
}

/// List the verifiers
///
/// The nodes of the cluster, how far each has followed the log of changes, and how many embedded
/// verifiers follow it.
#[utoipa::path(tag = "verify", responses((status = 200, description = "All of them.", body = View)))]
#[get("/verifiers")]
async fn list_verifiers(
    authorized: Authorized<ClusterRead>,
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let verifiers = state.keystile.list_verifiers(authorized.caller()).await?;
    let node = |(node, left): &(Node, Duration)| VerifierNode {
        id: node.incarnation,
        address: node.address.clone(),
        version: node.version.clone(),
        started_at: node.started_at.to_string(),
        position: node.position.0,
        settled: node.settled.0,
        followers: node.followers,
        unproven: node.unproven,
        lease_left_millis: millis(*left),
    };
    Ok(HttpResponse::Ok().json(View {
        data: verifiers.nodes.iter().map(node).collect(),
        head: verifiers.head.0,
        lease_millis: millis(verifiers.lease.duration()),
    }))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
