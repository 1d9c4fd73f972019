//! The audit log.

use actix_web::{HttpRequest, HttpResponse, get, web};
use keystile_api::audit_events::{AuditEvent, AuditTarget, ChainBreak, ChainHead, ChainReport};
use keystile_api::lists::Page;
use keystile_domain::{Actor, Direction, EventFilter, EventSort, IdError, SealedEvent};
use keystile_service::audit_events as service;

use crate::authorized::{AuditRead, Authorized};
use crate::error::ApiError;
use crate::fields::broken_parameter;
use crate::me::principal_view;
use crate::paging::{List, list_params};
use crate::params::{NoParams, Params};
use crate::routing::Routing;
use crate::state::State;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing.service(verify_audit_events).service(list_audit_events);
}

list_params! {
    /// Which events to list.
    struct EventParams {
        /// Only events that say this was done.
        #[param(example = "api_key.created")]
        action: Option<String>,
        /// Only events of this principal.
        actor: Option<uuid::Uuid>,
        /// Only events made with this credential.
        credential: Option<uuid::Uuid>,
        /// Only events about this kind of thing.
        #[param(example = "api_key")]
        target_kind: Option<String>,
        /// Only events about the thing with this id.
        target_id: Option<String>,
        /// Only events of this request.
        request_id: Option<String>,
        /// Only events at or after this time (RFC 3339).
        #[param(format = DateTime)]
        since: Option<String>,
        /// Only events before this time (RFC 3339).
        #[param(format = DateTime)]
        until: Option<String>,
        /// `seq` (default: `-seq`), with `-` in front for descending.
        sort: Option<String>,
    }
}

/// List events
///
/// Who changed what: the newest first, unless asked otherwise.
#[utoipa::path(tag = "audit-events", params(EventParams), responses(
    (status = 200, description = "A page of events.", body = Page<AuditEvent>),
))]
#[get("/audit-events")]
async fn list_audit_events(
    authorized: Authorized<AuditRead>,
    Params(params): Params<EventParams>,
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let keystile = &state.keystile;
    let list = List::of(&request);
    let default = (EventSort::Seq, Direction::Descending);
    let page = list.request(keystile, &params.paging(), &[("seq", EventSort::Seq)], default)?;
    let filter = filter(params)?;
    let events = keystile.list_audit_events(authorized.caller(), &filter, &page).await?;
    Ok(HttpResponse::Ok().json(list.page(keystile, &page, events, view)))
}

/// Check the seals of the whole log
///
/// Each event is sealed over its contents and the event before it, under a key that the database
/// never sees. Keep `head` elsewhere: a log that was cut short is still whole in itself.
#[utoipa::path(tag = "audit-events", responses(
    (status = 200, description = "What the walk found.", body = ChainReport),
))]
#[get("/audit-events/verify")]
async fn verify_audit_events(
    authorized: Authorized<AuditRead>,
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let report = state.keystile.verify_audit_events(authorized.caller()).await?;
    Ok(HttpResponse::Ok().json(report_view(&report)))
}

fn filter(params: EventParams) -> Result<EventFilter, ApiError> {
    let unknown = |_: IdError| "is not known here";
    Ok(EventFilter {
        action: parsed("action", params.action, |text| text.parse().map_err(unknown))?,
        actor: params.actor,
        credential: params.credential,
        target_kind: parsed("target_kind", params.target_kind, |text| {
            text.parse().map_err(unknown)
        })?,
        target_id: params.target_id,
        request_id: parsed("request_id", params.request_id, str::parse)?,
        since: parsed("since", params.since, str::parse)?,
        until: parsed("until", params.until, str::parse)?,
    })
}

fn parsed<T, E: std::fmt::Display>(
    name: &str,
    text: Option<String>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, ApiError> {
    text.as_deref().map(parse).transpose().map_err(|rule| broken_parameter(name, rule))
}

fn view(sealed: SealedEvent) -> AuditEvent {
    let event = sealed.event;
    let draft = event.draft;
    let (actor, credential) = match draft.actor {
        Actor::System => (None, None),
        Actor::Principal { principal, credential } => {
            (Some(principal_view(&principal).into_owned()), Some(credential))
        }
    };
    AuditEvent {
        seq: event.seq.0,
        id: event.id.as_uuid(),
        at: event.at.to_string(),
        actor,
        credential,
        action: draft.action.to_string(),
        target: AuditTarget {
            kind: draft.target.kind.to_string(),
            id: draft.target.id,
            name: draft.target.name,
        },
        before: draft.before,
        after: draft.after,
        reason: draft.reason.map(|reason| reason.to_string()),
        address: draft.address.map(|address| address.to_string()),
        request_id: draft.request_id.map(|id| id.to_string()),
    }
}

fn report_view(report: &service::ChainReport) -> ChainReport {
    let (seq, hash) = report.head;
    ChainReport {
        valid: report.broken.is_none(),
        checked: report.checked,
        head: ChainHead { seq: seq.0, hash: hash.to_string() },
        broken: report
            .broken
            .map(|(seq, broken)| ChainBreak { seq: seq.0, detail: broken.to_string() }),
    }
}
