//! The tokens of others: of service accounts, and of people. Which power is needed depends on whose
//! they are; the policy here refuses whoever holds none of them, the use case judges the rest.

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use keystile_api::lists::Page;
use keystile_api::tokens::{IssuedToken as IssuedView, NewToken, Token as View};
use keystile_domain::UserId;
use keystile_service::tokens::TokenOwner::User;

use super::{DeleteParams, TokenParams, delete, list, parse, view};
use crate::answer::respond;
use crate::authorized::{Authorized, TokensOfUsersRead, TokensOfUsersWrite};
use crate::body::Body;
use crate::conditional::{IfMatch, IfMatchParams};
use crate::error::ApiError;
use crate::params::{ChangeParams, NoParams, Params};
use crate::path::{Id, TokenOf};
use crate::replays::{Idempotency, IdempotencyParams};
use crate::routing::Routing;
use crate::state::State;

pub(super) fn routes(routing: &mut Routing<'_>) {
    routing
        .service(list_user_tokens)
        .service(create_user_token)
        .service(show_user_token)
        .service(delete_user_token);
}

/// List the tokens of a user
///
/// Never with their secrets. Needs `keystile.tokens.read`; `keystile.service_accounts.tokens` does
/// as well for a service account, `keystile.users.write` for a person.
#[utoipa::path(
    tag = "tokens",
    params(("id" = uuid::Uuid, Path, description = "The owner's id."), TokenParams),
    responses((status = 200, description = "A page of tokens.", body = Page<View>)),
)]
#[get("/users/{id}/tokens")]
async fn list_user_tokens(
    authorized: Authorized<TokensOfUsersRead>,
    Id(owner): Id<UserId>,
    Params(params): Params<TokenParams>,
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    list(&state, authorized.caller(), User(owner), &params, &request).await
}

/// Create a token for a user
///
/// The answer is the only one that has the secret: hand it over now. Needs
/// `keystile.service_accounts.tokens` for a service account; for a person `keystile.users.write`,
/// and only if the provider has `admin_may_create`. The caller must be able to hand out every role
/// of the owner.
#[utoipa::path(
    tag = "tokens",
    params(
        ("id" = uuid::Uuid, Path, description = "The owner's id."),
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
#[post("/users/{id}/tokens")]
async fn create_user_token(
    authorized: Authorized<TokensOfUsersWrite>,
    Id(owner): Id<UserId>,
    Params(params): Params<ChangeParams>,
    idempotency: Idempotency,
    body: Body<NewToken>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let options =
        idempotency.options(&params, body.digest, |issued| view::created(issued).to_bytes());
    let draft = parse::draft(body.value)?;
    let keystile = &state.keystile;
    let changed = keystile.create_token(authorized.caller(), User(owner), draft, options).await?;
    respond(changed, view::created, |issued| view::shown(&issued.shown))
}

/// Get a token of a user
///
/// Never with its secret. Needs what listing them needs.
#[utoipa::path(
    tag = "tokens",
    params(
        ("id" = uuid::Uuid, Path, description = "The owner's id."),
        ("token_id" = uuid::Uuid, Path, description = "The token's id."),
    ),
    responses((status = 200, description = "The token.", body = View, headers(
        ("ETag" = String, description = "Its version."),
    ))),
)]
#[get("/users/{id}/tokens/{token_id}")]
async fn show_user_token(
    authorized: Authorized<TokensOfUsersRead>,
    TokenOf { owner, token }: TokenOf,
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let token = state.keystile.find_token(authorized.caller(), User(owner), token).await?;
    Ok(view::shown(&token).respond())
}

/// Delete a token of a user
///
/// For ever. Needs `keystile.service_accounts.tokens` for a service account, `keystile.users.write`
/// for a person.
#[utoipa::path(
    tag = "tokens",
    params(
        ("id" = uuid::Uuid, Path, description = "The owner's id."),
        ("token_id" = uuid::Uuid, Path, description = "The token's id."),
        DeleteParams,
        IfMatchParams,
    ),
    responses(
        (status = 200, description = "What would be deleted, in a dry run.", body = View),
        (status = 204, description = "It is gone."),
    ),
)]
#[delete("/users/{id}/tokens/{token_id}")]
async fn delete_user_token(
    authorized: Authorized<TokensOfUsersWrite>,
    TokenOf { owner, token }: TokenOf,
    Params(params): Params<DeleteParams>,
    IfMatch(expected): IfMatch,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    delete(&state, authorized.caller(), (User(owner), token), expected, params).await
}
