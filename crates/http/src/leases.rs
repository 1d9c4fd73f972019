//! Leases of embedded verifiers, and what those must know to read a credential.

use std::time::Duration;

use actix_web::{HttpResponse, get, post, web};
use keystile_api::leases::{KeyFormat, Lease, LeaseRequest, VerifierSettings};
use keystile_auth::Place;
use keystile_domain::{IdError, SecretFormat, Seq};
use keystile_service::ServiceError;
use keystile_service::followers::{Applied, LeaseAsk, LeaseGiven, LeaseId};
use keystile_service::lookups::KeyShapes;

use crate::authorized::{Authorized, KeysVerify};
use crate::body::Body;
use crate::changes::change;
use crate::error::ApiError;
use crate::fields::Fields;
use crate::params::{NoParams, Params};
use crate::routing::Routing;
use crate::state::State;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing.service(extend_lease).service(show_verifier_settings);
}

/// Ask for a lease
///
/// For a verifier that remembers what it looked up: how long it may believe that, and what was
/// changed since it asked last. A waiting revocation counts every verifier with a lease.
#[utoipa::path(tag = "verify", request_body = LeaseRequest, responses(
    (status = 200, description = "How long it may believe what it remembers.", body = Lease),
))]
#[post("/verifiers/lease")]
async fn extend_lease(
    authorized: Authorized<KeysVerify>,
    _: Params<NoParams>,
    body: Body<LeaseRequest>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let ask = ask(body.value)?;
    let given = state.keystile.extend_lease(authorized.caller(), ask).await?;
    Ok(HttpResponse::Ok().json(lease(given)))
}

/// Tell how keys look and where they stand
///
/// For a verifier that reads requests by itself. It changes only with a provider, and with an
/// import of keys.
#[utoipa::path(tag = "verify", responses(
    (status = 200, description = "How keys look, and where they stand.", body = VerifierSettings),
))]
#[get("/verifiers/settings")]
async fn show_verifier_settings(
    authorized: Authorized<KeysVerify>,
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let shapes = state.keystile.find_key_shapes(authorized.caller()).await?;
    Ok(HttpResponse::Ok().json(settings(&shapes)))
}

fn ask(asked: LeaseRequest) -> Result<LeaseAsk, ServiceError> {
    let mut fields = Fields::default();
    let rule = |_: IdError| "must be a lease that was given";
    let lease =
        fields.optional("/lease", asked.lease, |text| text.parse::<LeaseId>().map_err(rule));
    if asked.counter < 0 {
        fields.refuse("/counter", "must not be negative");
    }
    let settled = asked.settled.or(asked.position);
    let applied = match (asked.position, asked.mark, asked.generation) {
        (Some(position), Some(mark), Some(generation)) if position > 0 => {
            let settled = Seq(settled.unwrap_or_default());
            Some(Applied { seq: Seq(position), mark, generation, settled })
        }
        (None, None, None) => None,
        _ => {
            fields.refuse("/position", "must be the place of a change");
            fields.refuse("/mark", "must come with the place of a change that it marks");
            fields.refuse("/generation", "must come with the place of a change");
            None
        }
    };
    if settled.is_some_and(|settled| !(0..=asked.position.unwrap_or_default()).contains(&settled)) {
        fields.refuse("/settled", "must be from 0 to the position");
    }
    let staleness = fields.optional("/staleness_millis", asked.staleness_millis, |millis| {
        let millis = u64::try_from(millis).ok().filter(|millis| *millis <= MAX_STALENESS_MILLIS);
        millis.map(Duration::from_millis).ok_or("must be from 0 to 604800000")
    });
    let (counter, staleness) = (asked.counter, staleness.unwrap_or_default());
    fields.finish(Some(LeaseAsk { lease, counter, applied, staleness }))
}

fn lease(given: LeaseGiven) -> Lease {
    Lease {
        lease: given.lease.to_string(),
        // Rounded down: it ends no later than it was noted.
        lease_millis: given.left.map(|left| i64::try_from(left.as_millis()).unwrap_or_default()),
        position: given.head.place.seq.0,
        mark: given.head.place.hash.to_string(),
        generation: given.head.generation.to_string(),
        forgets: given.forgets,
        changes: given.changes.iter().map(change).collect(),
    }
}

fn settings(shapes: &KeyShapes) -> VerifierSettings {
    let mut settings = VerifierSettings {
        headers: Vec::new(),
        query_parameters: Vec::new(),
        formats: shapes.formats.known().iter().map(format).collect(),
        any_format: shapes.formats.has_any(),
    };
    for place in shapes.chain.places() {
        match place {
            Place::Header(header) => settings.headers.push(header.name().as_str().to_owned()),
            Place::Query(query) => settings.query_parameters.push(query.name().as_str().to_owned()),
            // A bearer token may be anywhere; a ticket is worth something to us alone.
            _ => {}
        }
    }
    settings
}

fn format(format: &SecretFormat) -> KeyFormat {
    KeyFormat {
        prefix: format.prefix.to_string(),
        encoding: format.encoding.to_string(),
        key_length: format.key_length.bytes().into(),
    }
}

/// A week.
const MAX_STALENESS_MILLIS: u64 = 7 * 24 * 60 * 60 * 1_000;
