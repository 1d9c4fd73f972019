//! Tickets: a URL in place of a header.

use actix_web::{HttpResponse, post, web};
use keystile_api::tickets::{NewTicket, Ticket as View};
use keystile_domain::{Secret, TICKET_PARAMETER, TicketLifetime, TicketTarget};
use keystile_service::ServiceError;
use keystile_service::tickets::TicketDraft;

use crate::authorized::{Anybody, Authorized};
use crate::body::Body;
use crate::error::ApiError;
use crate::fields::Fields;
use crate::params::{ChangeParams, Params};
use crate::routing::Routing;
use crate::state::State;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing.service(create_ticket);
}

/// Create a ticket
///
/// For a client that cannot set a header: a link, a picture, a WebSocket of a browser. The ticket
/// lets one request with this method and path in as whoever asks, here or through a gateway, with
/// what they may at that moment. It ends with its first use, after 5 minutes at the latest, and
/// with the credential that asks. Here a ticket only reads: it changes nothing and makes no other
/// ticket. Asked twice, there are two.
#[utoipa::path(
    tag = "tickets",
    params(ChangeParams),
    request_body = NewTicket,
    responses(
        (status = 200, description = "What would be made, in a dry run.", body = View),
        (status = 201, description = "It was made.", body = View),
    ),
)]
#[post("/tickets")]
async fn create_ticket(
    authorized: Authorized<Anybody>,
    Params(params): Params<ChangeParams>,
    body: Body<NewTicket>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let (draft, dry_run) = (draft(body.value)?, params.dry_run.unwrap_or(false));
    let issued = state.keystile.issue_ticket(authorized.caller(), draft, dry_run).await?;
    let ticket = issued.secret.as_ref().map(Secret::expose);
    let view = View {
        url: ticket.map(|ticket| format!("{}?{TICKET_PARAMETER}={ticket}", issued.path.as_str())),
        ticket: ticket.map(str::to_owned),
        expires_at: issued.ends_at.to_string(),
    };
    let mut answer = if dry_run { HttpResponse::Ok() } else { HttpResponse::Created() };
    Ok(answer.json(view))
}

fn draft(new: NewTicket) -> Result<TicketDraft, ServiceError> {
    let mut fields = Fields::default();
    let method = fields.read("/method", new.method.parse());
    let path = fields.read("/path", new.path.parse());
    let seconds = new.expires_in_seconds;
    let lifetime = fields.optional("/expires_in_seconds", seconds, TicketLifetime::from_seconds);
    let target = method.zip(path).map(|(method, path)| TicketTarget { method, path });
    let lifetime = lifetime.unwrap_or_default();
    fields.finish(target.map(|target| TicketDraft { target, lifetime }))
}
