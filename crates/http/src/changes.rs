//! The feed of changes, for whoever remembers something of what they change: in pages, or as
//! server-sent events.

mod stream;

use std::sync::Arc;

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, get, web};
use keystile_api::changes::{Change, Changes};
use keystile_domain::Seq;
use keystile_service::followers::FeedEvent;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::asked::Asked;
use crate::authorized::{Authorized, KeysVerify};
use crate::error::ApiError;
use crate::fields::broken_parameter;
use crate::params::Params;
use crate::routing::Routing;
use crate::state::State;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing.service(list_changes);
}

/// Where in the feed to begin.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FeedParams {
    /// Show the changes behind this place. Left out: those that are still to come. The header
    /// `Last-Event-ID` counts more. A place behind the last change is refused: after a restore, or
    /// a failover that lost changes, the log is another one.
    #[param(minimum = 0)]
    after: Option<i64>,
}

/// Follow what is changed
///
/// The audit log without what it tells of people: which thing was changed, in order and without
/// gaps. With `Accept: text/event-stream` the answer goes on for as long as the caller may see it,
/// with each change as an event whose id is its place (the header `Last-Event-ID` resumes behind
/// it); otherwise it is a page.
#[utoipa::path(tag = "verify", params(FeedParams), responses(
    (status = 200, description = "The changes, in order.", body = Changes),
))]
#[get("/changes")]
async fn list_changes(
    authorized: Authorized<KeysVerify>,
    Params(params): Params<FeedParams>,
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let (keystile, caller) = (&state.keystile, authorized.caller());
    // Before the end of the feed is read, so that it is the end of what this stream tells.
    let seat = is_for_ever(&request).then(|| keystile.take_stream(caller)).transpose()?;
    let position = keystile.feed_head().await?;
    let (name, after) = begin(&request, &params)?.unwrap_or(("after", position));
    if after > position {
        return Err(broken_parameter(name, AHEAD));
    }
    if let Some(seat) = seat {
        let caller = Arc::new(caller.clone());
        return Ok(HttpResponse::Ok()
            .content_type("text/event-stream")
            // A proxy that collects answers would hold the events back.
            .insert_header(("X-Accel-Buffering", "no"))
            .streaming(stream::stream(state.clone().into_inner(), caller, seat, after)));
    }
    let data = keystile.list_changes(caller, after).await?;
    let position = data.last().map_or(position, |last| last.place.seq.max(position)).0;
    Ok(HttpResponse::Ok().json(Changes { data: data.iter().map(change).collect(), position }))
}

/// A change, as whoever follows sees it.
pub(crate) fn change(event: &FeedEvent) -> Change {
    Change {
        seq: event.place.seq.0,
        action: event.action.clone(),
        target_kind: event.target_kind.clone(),
        target_id: event.target_id.clone(),
        mark: event.place.hash.to_string(),
    }
}

/// Behind which place to begin, and what says so.
fn begin(
    request: &HttpRequest,
    params: &FeedParams,
) -> Result<Option<(&'static str, Seq)>, ApiError> {
    let rule = "must be the place of a change";
    let header = match request.headers().get(LAST_EVENT_ID) {
        Some(value) => {
            let place = value.to_str().ok().and_then(|text| text.parse().ok());
            Some(("Last-Event-ID", place.ok_or_else(|| broken_parameter("Last-Event-ID", rule))?))
        }
        None => None,
    };
    match header.or(params.after.map(|after| ("after", after))) {
        Some((name, place)) if place < 0 => Err(broken_parameter(name, rule)),
        place => Ok(place.map(|(name, place)| (name, Seq(place)))),
    }
}

/// Whether the client wants a stream. Whoever asks for the head alone would get no end of it.
fn is_for_ever(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(header::ACCEPT);
    let wants = accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case("text/event-stream"));
    wants && *Asked::of(request).method() == Method::GET
}

/// After a failover that lost changes, or a restore.
const AHEAD: &str = "must not be behind the last change: the log that had it is no more, so forget \
                     what was learnt from it and begin without a place";
const LAST_EVENT_ID: &str = "last-event-id";
