//! Rotating a token, one's own or somebody else's, and what becomes of its old secret.

use actix_web::{HttpResponse, get, post, web};
use keystile_api::rotation::{ExtendRotation, Rotation};
use keystile_api::tokens::{IssuedToken as IssuedView, RotateToken};
use keystile_domain::{TokenId, Version};
use keystile_service::Caller as Asking;
use keystile_service::change::Options;
use keystile_service::tokens::IssuedToken;
use keystile_service::tokens::TokenOwner::{self, Caller, User};

use super::view;
use crate::answer::respond;
use crate::authorized::{Account, Authorized, TokensOfUsersRead, TokensOfUsersWrite};
use crate::body::{Body, OptionalBody};
use crate::conditional::{IfMatch, IfMatchParams};
use crate::error::ApiError;
use crate::params::{ChangeParams, NoParams, Params};
use crate::path::{Id, TokenOf};
use crate::replays::{Idempotency, IdempotencyParams, plain};
use crate::rotation::{extension, moved, overlap, show};
use crate::routing::Routing;
use crate::state::State;

pub(super) fn routes(routing: &mut Routing<'_>) {
    routing
        .service(rotate_own_token)
        .service(show_own_token_rotation)
        .service(finish_own_token_rotation)
        .service(extend_own_token_rotation)
        .service(rotate_user_token)
        .service(show_user_token_rotation)
        .service(finish_user_token_rotation)
        .service(extend_user_token_rotation);
}

/// Rotate a token of one's own
///
/// A new secret under the same id: the answer is the only one that has it. The old secret works for
/// `overlap_seconds` more; rotating again ends the older one. The end of the token stays where it
/// is.
#[utoipa::path(
    tag = "tokens",
    params(
        ("id" = uuid::Uuid, Path, description = "Its id."),
        ChangeParams,
        IfMatchParams,
        IdempotencyParams,
    ),
    request_body = Option<RotateToken>,
    responses((status = 200, description = "The token with its new secret; without it in a dry run.", body = IssuedView, headers(
        ("ETag" = String, description = "Its version."),
    ))),
)]
#[post("/me/tokens/{id}/rotate")]
async fn rotate_own_token(
    authorized: Authorized<Account>,
    Id(id): Id<TokenId>,
    Params(params): Params<ChangeParams>,
    IfMatch(expected): IfMatch,
    idempotency: Idempotency,
    OptionalBody(body): OptionalBody<RotateToken>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let options =
        idempotency.options(&params, body.digest, |issued| view::rotated(issued).to_bytes());
    rotate(&state, authorized.caller(), (Caller, id), expected, body.value, options).await
}

/// How the rotation of one's own token stands
///
/// When the old secret ends, or ended, and who still shows it.
#[utoipa::path(
    tag = "tokens",
    params(("id" = uuid::Uuid, Path, description = "The token's id.")),
    responses((status = 200, description = "When the old secret ends, and who shows it.", body = Rotation)),
)]
#[get("/me/tokens/{id}/rotation")]
async fn show_own_token_rotation(
    authorized: Authorized<Account>,
    Id(id): Id<TokenId>,
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let found = state.keystile.find_token_rotation(authorized.caller(), Caller, id).await?;
    Ok(show(found.as_ref()))
}

/// End the old secret of one's own token now
///
/// 409 if no old secret works.
#[utoipa::path(
    tag = "tokens",
    params(("id" = uuid::Uuid, Path, description = "The token's id."), ChangeParams),
    responses((status = 200, description = "The old secret has ended.", body = Rotation)),
)]
#[post("/me/tokens/{id}/rotation/finish")]
async fn finish_own_token_rotation(
    authorized: Authorized<Account>,
    Id(id): Id<TokenId>,
    Params(params): Params<ChangeParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let (keystile, caller) = (&state.keystile, authorized.caller());
    moved(keystile.finish_token_rotation(caller, Caller, id, plain(&params)).await?)
}

/// Let the old secret of one's own token work longer
///
/// Counted from now. A secret that has ended stays ended: 409.
#[utoipa::path(
    tag = "tokens",
    params(("id" = uuid::Uuid, Path, description = "The token's id."), ChangeParams),
    request_body = ExtendRotation,
    responses((status = 200, description = "When the old secret ends now.", body = Rotation)),
)]
#[post("/me/tokens/{id}/rotation/extend")]
async fn extend_own_token_rotation(
    authorized: Authorized<Account>,
    Id(id): Id<TokenId>,
    Params(params): Params<ChangeParams>,
    body: Body<ExtendRotation>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    extend(&state, authorized.caller(), (Caller, id), &params, body.value).await
}

/// Rotate a token of a user
///
/// A new secret under the same id: the answer is the only one that has it. Needs what creating one
/// needs.
#[utoipa::path(
    tag = "tokens",
    params(
        ("id" = uuid::Uuid, Path, description = "The owner's id."),
        ("token_id" = uuid::Uuid, Path, description = "The token's id."),
        ChangeParams,
        IfMatchParams,
        IdempotencyParams,
    ),
    request_body = Option<RotateToken>,
    responses((status = 200, description = "The token with its new secret; without it in a dry run.", body = IssuedView, headers(
        ("ETag" = String, description = "Its version."),
    ))),
)]
#[post("/users/{id}/tokens/{token_id}/rotate")]
async fn rotate_user_token(
    authorized: Authorized<TokensOfUsersWrite>,
    TokenOf { owner, token }: TokenOf,
    Params(params): Params<ChangeParams>,
    IfMatch(expected): IfMatch,
    idempotency: Idempotency,
    OptionalBody(body): OptionalBody<RotateToken>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let options =
        idempotency.options(&params, body.digest, |issued| view::rotated(issued).to_bytes());
    rotate(&state, authorized.caller(), (User(owner), token), expected, body.value, options).await
}

/// How the rotation of a user's token stands
///
/// When the old secret ends, or ended, and who still shows it. Needs what listing the user's tokens
/// needs.
#[utoipa::path(
    tag = "tokens",
    params(
        ("id" = uuid::Uuid, Path, description = "The owner's id."),
        ("token_id" = uuid::Uuid, Path, description = "The token's id."),
    ),
    responses((status = 200, description = "When the old secret ends, and who shows it.", body = Rotation)),
)]
#[get("/users/{id}/tokens/{token_id}/rotation")]
async fn show_user_token_rotation(
    authorized: Authorized<TokensOfUsersRead>,
    TokenOf { owner, token }: TokenOf,
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let (keystile, caller) = (&state.keystile, authorized.caller());
    let found = keystile.find_token_rotation(caller, User(owner), token).await?;
    Ok(show(found.as_ref()))
}

/// End the old secret of a user's token now
///
/// 409 if no old secret works. Needs what deleting the token needs.
#[utoipa::path(
    tag = "tokens",
    params(
        ("id" = uuid::Uuid, Path, description = "The owner's id."),
        ("token_id" = uuid::Uuid, Path, description = "The token's id."),
        ChangeParams,
    ),
    responses((status = 200, description = "The old secret has ended.", body = Rotation)),
)]
#[post("/users/{id}/tokens/{token_id}/rotation/finish")]
async fn finish_user_token_rotation(
    authorized: Authorized<TokensOfUsersWrite>,
    TokenOf { owner, token }: TokenOf,
    Params(params): Params<ChangeParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let (keystile, caller) = (&state.keystile, authorized.caller());
    moved(keystile.finish_token_rotation(caller, User(owner), token, plain(&params)).await?)
}

/// Let the old secret of a user's token work longer
///
/// Counted from now. A secret that has ended stays ended: 409. Needs what creating a token needs.
#[utoipa::path(
    tag = "tokens",
    params(
        ("id" = uuid::Uuid, Path, description = "The owner's id."),
        ("token_id" = uuid::Uuid, Path, description = "The token's id."),
        ChangeParams,
    ),
    request_body = ExtendRotation,
    responses((status = 200, description = "When the old secret ends now.", body = Rotation)),
)]
#[post("/users/{id}/tokens/{token_id}/rotation/extend")]
async fn extend_user_token_rotation(
    authorized: Authorized<TokensOfUsersWrite>,
    TokenOf { owner, token }: TokenOf,
    Params(params): Params<ChangeParams>,
    body: Body<ExtendRotation>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    extend(&state, authorized.caller(), (User(owner), token), &params, body.value).await
}

async fn rotate(
    state: &State,
    caller: &Asking,
    (owner, id): (TokenOwner, TokenId),
    expected: Option<Version>,
    body: RotateToken,
    options: Options<IssuedToken>,
) -> Result<HttpResponse, ApiError> {
    let overlap = overlap(body.overlap_seconds)?;
    let keystile = &state.keystile;
    let changed = keystile.rotate_token(caller, owner, id, expected, overlap, options).await?;
    respond(changed, view::rotated, |issued| view::shown(&issued.shown))
}

async fn extend(
    state: &State,
    caller: &Asking,
    (owner, id): (TokenOwner, TokenId),
    params: &ChangeParams,
    body: ExtendRotation,
) -> Result<HttpResponse, ApiError> {
    let overlap = extension(body.overlap_seconds)?;
    let keystile = &state.keystile;
    moved(keystile.extend_token_rotation(caller, owner, id, overlap, plain(params)).await?)
}
