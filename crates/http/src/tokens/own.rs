//! One's own tokens. Only users and service accounts have any.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use keystile_api::lists::Page;
use keystile_api::tokens::{IssuedToken as IssuedView, NewToken, Token as View, TokenPatch};
use keystile_domain::TokenId;
use keystile_service::tokens::TokenOwner::Caller;

use super::{DeleteParams, TokenParams, delete, list, parse, view};
use crate::answer::respond;
use crate::authorized::{Account, Authorized};
use crate::body::Body;
use crate::conditional::{IfMatch, IfMatchParams};
use crate::error::ApiError;
use crate::params::{ChangeParams, NoParams, Params};
use crate::path::Id;
use crate::replays::{Idempotency, IdempotencyParams, plain};
use crate::routing::Routing;
use crate::state::State;

pub(super) fn routes(routing: &mut Routing<'_>) {
    routing
        .service(list_own_tokens)
        .service(create_own_token)
        .service(show_own_token)
        .service(update_own_token)
        .service(delete_own_token);
}

/// List one's own tokens
///
/// Never with their secrets.
#[utoipa::path(tag = "tokens", params(TokenParams), responses(
    (status = 200, description = "A page of tokens.", body = Page<View>),
))]
#[get("/me/tokens")]
async fn list_own_tokens(
    authorized: Authorized<Account>,
    Params(params): Params<TokenParams>,
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    list(&state, authorized.caller(), Caller, &params, &request).await
}

/// Create a token of one's own
///
/// It acts as its owner, never with more than the owner may at that moment. The answer is the only
/// one that has the secret: store it now. A token that makes another never makes one that may more
/// or lives longer than itself.
#[utoipa::path(
    tag = "tokens",
    params(
        ChangeParams,
        IdempotencyParams,
    ),
    request_body = NewToken,
    responses(
        (status = 200, description = "What would be made, in a dry run.", body = View),
        (status = 201, description = "It was made.", body = IssuedView, headers(
            ("Location" = String, description = "Where it is."),
            ("ETag" = String, description = "Its version."),
        )),
    ),
)]
#[post("/me/tokens")]
async fn create_own_token(
    authorized: Authorized<Account>,
    Params(params): Params<ChangeParams>,
    idempotency: Idempotency,
    body: Body<NewToken>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let options =
        idempotency.options(&params, body.digest, |issued| view::created_own(issued).to_bytes());
    let draft = parse::draft(body.value)?;
    let keystile = &state.keystile;
    let changed = keystile.create_token(authorized.caller(), Caller, draft, options).await?;
    respond(changed, view::created_own, |issued| view::shown(&issued.shown))
}

/// Get a token of one's own
///
/// Never with its secret.
#[utoipa::path(
    tag = "tokens",
    params(("id" = uuid::Uuid, Path, description = "Its id.")),
    responses((status = 200, description = "The token.", body = View, headers(
        ("ETag" = String, description = "Its version."),
    ))),
)]
#[get("/me/tokens/{id}")]
async fn show_own_token(
    authorized: Authorized<Account>,
    Id(id): Id<TokenId>,
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let token = state.keystile.find_token(authorized.caller(), Caller, id).await?;
    Ok(view::shown(&token).respond())
}

/// Change a token of one's own
///
/// A merge patch (RFC 7396): what is left out stays, `null` clears. The secret cannot be changed:
/// rotate the token.
#[utoipa::path(
    tag = "tokens",
    params(
        ("id" = uuid::Uuid, Path, description = "Its id."),
        ChangeParams,
        IfMatchParams,
    ),
    request_body(content((TokenPatch = "application/json"), (TokenPatch = "application/merge-patch+json"))),
    responses((status = 200, description = "The token as it is now.", body = View, headers(
        ("ETag" = String, description = "Its version."),
    ))),
)]
#[patch("/me/tokens/{id}")]
async fn update_own_token(
    authorized: Authorized<Account>,
    Id(id): Id<TokenId>,
    Params(params): Params<ChangeParams>,
    IfMatch(expected): IfMatch,
    body: Body<TokenPatch>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let change = parse::change(body.value)?;
    let (keystile, caller) = (&state.keystile, authorized.caller());
    let changed =
        keystile.update_token(caller, Caller, id, expected, change, plain(&params)).await?;
    respond(changed, view::shown, view::shown)
}

/// Delete a token of one's own
///
/// For ever. Whoever checks the token afterwards is told that it was deleted, by whom and why.
#[utoipa::path(
    tag = "tokens",
    params(
        ("id" = uuid::Uuid, Path, description = "Its id."),
        DeleteParams,
        IfMatchParams,
    ),
    responses(
        (status = 200, description = "What would be deleted, in a dry run.", body = View),
        (status = 204, description = "It is gone."),
    ),
)]
#[delete("/me/tokens/{id}")]
async fn delete_own_token(
    authorized: Authorized<Account>,
    Id(id): Id<TokenId>,
    Params(params): Params<DeleteParams>,
    IfMatch(expected): IfMatch,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    delete(&state, authorized.caller(), (Caller, id), expected, params).await
}
