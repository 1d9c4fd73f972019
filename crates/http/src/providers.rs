//! Providers: list, create, get, change, delete.

mod list;
mod parse;
mod view;

use actix_web::{HttpResponse, delete, get, patch, post, web};
use keystile_api::providers::{NewProvider, Provider as View, ProviderPatch};
use keystile_domain::ProviderId;

use crate::answer::{Answer, respond};
use crate::authorized::{Authorized, ProvidersRead, ProvidersWrite};
use crate::body::Body;
use crate::conditional::{IfMatch, IfMatchParams};
use crate::error::ApiError;
use crate::params::{ChangeParams, NoParams, Params};
use crate::path::Id;
use crate::replays::{Idempotency, IdempotencyParams, plain};
use crate::routing::Routing;
use crate::state::State;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing
        .service(list::list_providers)
        .service(create_provider)
        .service(show_provider)
        .service(update_provider)
        .service(delete_provider);
}

/// Create a provider
///
/// The settings of its kind stand beside the members that every provider has; a setting of another
/// kind is unknown. Its identifier is made from its name, with a number if it is taken.
#[utoipa::path(
    tag = "providers",
    params(
        ChangeParams,
        IdempotencyParams,
    ),
    request_body = NewProvider,
    responses(
        (status = 200, description = "What would be made, in a dry run.", body = View),
        (status = 201, description = "It was made.", body = View, headers(
            ("Location" = String, description = "Where it is."),
            ("ETag" = String, description = "Its version."),
        )),
    ),
)]
#[post("/providers")]
async fn create_provider(
    authorized: Authorized<ProvidersWrite>,
    Params(params): Params<ChangeParams>,
    idempotency: Idempotency,
    body: Body<NewProvider>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let options = idempotency.options(&params, body.digest, |made| view::created(made).to_bytes());
    let (name, kind, change) = parse::draft(body.value)?;
    let keystile = &state.keystile;
    let changed =
        keystile.create_provider(authorized.caller(), name, kind, change, options).await?;
    respond(changed, view::created, view::shown)
}

/// Get a provider
///
/// Never with its client secret.
#[utoipa::path(
    tag = "providers",
    params(("id" = uuid::Uuid, Path, description = "Its id.")),
    responses((status = 200, description = "The provider.", body = View, headers(
        ("ETag" = String, description = "Its version."),
    ))),
)]
#[get("/providers/{id}")]
async fn show_provider(
    authorized: Authorized<ProvidersRead>,
    Id(id): Id<ProviderId>,
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    Ok(view::shown(&state.keystile.find_provider(authorized.caller(), id).await?).respond())
}

/// Change a provider
///
/// A merge patch (RFC 7396). Keys and tokens that exist stay as they are; everything else is in
/// force at once. Switched off, a provider refuses all its credentials; switched on, they work
/// again.
#[utoipa::path(
    tag = "providers",
    params(
        ("id" = uuid::Uuid, Path, description = "Its id."),
        ChangeParams,
        IfMatchParams,
    ),
    request_body(content((ProviderPatch = "application/json"), (ProviderPatch = "application/merge-patch+json"))),
    responses((status = 200, description = "The provider as it is now.", body = View, headers(
        ("ETag" = String, description = "Its version."),
    ))),
)]
#[patch("/providers/{id}")]
async fn update_provider(
    authorized: Authorized<ProvidersWrite>,
    Id(id): Id<ProviderId>,
    Params(params): Params<ChangeParams>,
    IfMatch(expected): IfMatch,
    body: Body<ProviderPatch>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let keystile = &state.keystile;
    let kind = keystile.find_provider_kind(authorized.caller(), id).await?;
    let change = parse::change(kind, body.value)?;
    let changed =
        keystile.update_provider(authorized.caller(), id, expected, change, plain(&params)).await?;
    respond(changed, view::shown, view::shown)
}

/// Delete a provider
///
/// Only one that no credential is of and that is not the default of its kind: 409 says what stands
/// in the way. Users who came by it stay.
#[utoipa::path(
    tag = "providers",
    params(
        ("id" = uuid::Uuid, Path, description = "Its id."),
        ChangeParams,
        IfMatchParams,
    ),
    responses(
        (status = 200, description = "What would be deleted, in a dry run.", body = View),
        (status = 204, description = "It is gone."),
    ),
)]
#[delete("/providers/{id}")]
async fn delete_provider(
    authorized: Authorized<ProvidersWrite>,
    Id(id): Id<ProviderId>,
    Params(params): Params<ChangeParams>,
    IfMatch(expected): IfMatch,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let keystile = &state.keystile;
    let changed =
        keystile.remove_provider(authorized.caller(), id, expected, plain(&params)).await?;
    respond(changed, |_| Answer::empty(), view::shown)
}
