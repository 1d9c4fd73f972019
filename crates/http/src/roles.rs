//! Roles.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use keystile_api::lists::Page;
use keystile_api::roles::{EndpointRule as RuleView, NewRole, Role as View, RolePatch};
use keystile_domain::{
    Description, Direction, EndpointError, EndpointRule, Name, NamePattern, Permission, Role,
    RoleFilter, RoleId, RoleSort,
};
use keystile_service::ServiceError;
use keystile_service::roles::{RoleChange, RoleDraft};

use crate::answer::{Answer, respond};
use crate::authorized::{Authorized, RolesRead, RolesWrite};
use crate::body::Body;
use crate::conditional::{IfMatch, IfMatchParams};
use crate::error::ApiError;
use crate::fields::{Fields, broken_parameter};
use crate::paging::{List, list_params};
use crate::params::{ChangeParams, NoParams, Params};
use crate::path::Id;
use crate::replays::{Idempotency, IdempotencyParams, plain};
use crate::routing::Routing;
use crate::state::State;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing
        .service(list_roles)
        .service(create_role)
        .service(show_role)
        .service(update_role)
        .service(delete_role);
}

list_params! {
    /// Which roles to list.
    struct RoleParams {
        /// Names with `*` and `?` as wildcards, whatever the case.
        #[param(example = "billing*")]
        name: Option<String>,
        /// `id` (default), `name` or `created_at`, with `-` in front for descending.
        sort: Option<String>,
    }
}

/// List roles
///
/// The built-in ones too.
#[utoipa::path(tag = "roles", params(RoleParams), responses(
    (status = 200, description = "A page of roles.", body = Page<View>),
))]
#[get("/roles")]
async fn list_roles(
    authorized: Authorized<RolesRead>,
    Params(params): Params<RoleParams>,
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let pattern = params.name.as_deref().map(NamePattern::parse).transpose();
    let name = pattern.map_err(|rule| broken_parameter("name", rule))?;
    let list = List::of(&request);
    let default = (RoleSort::Id, Direction::Ascending);
    let page = list.request(&state.keystile, &params.paging(), &SORTS, default)?;
    let filter = RoleFilter { name };
    let roles = state.keystile.list_roles(authorized.caller(), &filter, &page).await?;
    Ok(HttpResponse::Ok().json(list.page(&state.keystile, &page, roles, |role| view(&role))))
}

/// Create a role
///
/// The caller must hold every permission over Keystile that the role has.
#[utoipa::path(
    tag = "roles",
    params(
        ChangeParams,
        IdempotencyParams,
    ),
    request_body = NewRole,
    responses(
        (status = 200, description = "What would be made, in a dry run.", body = View),
        (status = 201, description = "It was made.", body = View, headers(
            ("Location" = String, description = "Where it is."),
            ("ETag" = String, description = "Its version."),
        )),
    ),
)]
#[post("/roles")]
async fn create_role(
    authorized: Authorized<RolesWrite>,
    Params(params): Params<ChangeParams>,
    idempotency: Idempotency,
    body: Body<NewRole>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let options = idempotency.options(&params, body.digest, |role| created(role).to_bytes());
    let draft = draft(body.value)?;
    respond(state.keystile.create_role(authorized.caller(), draft, options).await?, created, shown)
}

/// Get a role
///
/// With everything that it allows.
#[utoipa::path(tag = "roles", params(("id" = i64, Path, description = "Its id.")), responses(
    (status = 200, description = "The role.", body = View, headers(("ETag" = String, description = "Its version."))),
))]
#[get("/roles/{id}")]
async fn show_role(
    authorized: Authorized<RolesRead>,
    Id(id): Id<RoleId>,
    _: Params<NoParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    Ok(shown(&state.keystile.find_role(authorized.caller(), id).await?).respond())
}

/// Change a role
///
/// A merge patch (RFC 7396). It takes effect at once for everybody who holds the role. Built-in
/// roles cannot be changed.
#[utoipa::path(
    tag = "roles",
    params(
        ("id" = i64, Path, description = "Its id."),
        ChangeParams,
        IfMatchParams,
    ),
    request_body(content((RolePatch = "application/json"), (RolePatch = "application/merge-patch+json"))),
    responses((status = 200, description = "The role as it is now.", body = View, headers(
        ("ETag" = String, description = "Its version."),
    ))),
)]
#[patch("/roles/{id}")]
async fn update_role(
    authorized: Authorized<RolesWrite>,
    Id(id): Id<RoleId>,
    Params(params): Params<ChangeParams>,
    IfMatch(expected): IfMatch,
    body: Body<RolePatch>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let change = change(body.value)?;
    let keystile = &state.keystile;
    let changed =
        keystile.update_role(authorized.caller(), id, expected, change, plain(&params)).await?;
    respond(changed, shown, shown)
}

/// Delete a role
///
/// Only one that nothing names any more: 409 says what still does.
#[utoipa::path(
    tag = "roles",
    params(
        ("id" = i64, Path, description = "Its id."),
        ChangeParams,
        IfMatchParams,
    ),
    responses(
        (status = 200, description = "What would be deleted, in a dry run.", body = View),
        (status = 204, description = "It is gone."),
    ),
)]
#[delete("/roles/{id}")]
async fn delete_role(
    authorized: Authorized<RolesWrite>,
    Id(id): Id<RoleId>,
    Params(params): Params<ChangeParams>,
    IfMatch(expected): IfMatch,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let keystile = &state.keystile;
    let changed = keystile.remove_role(authorized.caller(), id, expected, plain(&params)).await?;
    respond(changed, |_| Answer::empty(), shown)
}

fn created(role: &Role) -> Answer {
    Answer::created(format!("/api/v1/roles/{}", role.id), &view(role)).version(role.version)
}

fn shown(role: &Role) -> Answer {
    Answer::ok(&view(role)).version(role.version)
}

fn view(role: &Role) -> View {
    View {
        id: role.id.0,
        name: role.name.to_string(),
        description: role.description.as_ref().map(ToString::to_string),
        permissions: role.permissions.iter().map(ToString::to_string).collect(),
        endpoints: role.endpoints.iter().map(endpoint_rule).collect(),
        may_grant: role.may_grant.iter().map(|id| id.0).collect(),
        built_in: role.built_in,
        created_at: role.created_at.to_string(),
        updated_at: role.updated_at.to_string(),
    }
}

pub(crate) fn endpoint_rule(rule: &EndpointRule) -> RuleView {
    RuleView { methods: rule.methods(), path: rule.path().to_owned() }
}

fn draft(new: NewRole) -> Result<RoleDraft, ServiceError> {
    let mut fields = Fields::default();
    let name = fields.read("/name", Name::try_from(new.name));
    let description = fields.optional("/description", new.description, Description::try_from);
    let permissions = fields.list("/permissions", new.permissions, permission);
    let endpoints = fields.list("/endpoints", new.endpoints, endpoint);
    let may_grant = fields.list("/may_grant", new.may_grant, RoleId::try_from);
    fields.finish(name.map(|name| RoleDraft {
        name,
        description,
        permissions: permissions.into_iter().collect(),
        endpoints,
        may_grant: may_grant.into_iter().collect(),
    }))
}

fn change(patch: RolePatch) -> Result<RoleChange, ServiceError> {
    let mut fields = Fields::default();
    let name = fields.replaceable("/name", patch.name, Name::try_from);
    let description = fields.clearable("/description", patch.description, Description::try_from);
    let permissions = fields.replaced_list("/permissions", patch.permissions, permission);
    let endpoints = fields.replaced_list("/endpoints", patch.endpoints, endpoint);
    let may_grant = fields.replaced_list("/may_grant", patch.may_grant, RoleId::try_from);
    fields.finish(Some(RoleChange {
        name,
        description,
        permissions: permissions.map(|list| list.into_iter().collect()),
        endpoints,
        may_grant: may_grant.map(|list| list.into_iter().collect()),
    }))
}

fn permission(text: String) -> Result<Permission, keystile_domain::PermissionError> {
    text.parse()
}

fn endpoint(rule: RuleView) -> Result<EndpointRule, EndpointError> {
    EndpointRule::new(&rule.methods, &rule.path)
}

const SORTS: [(&str, RoleSort); 3] =
    [("id", RoleSort::Id), ("name", RoleSort::Name), ("created_at", RoleSort::CreatedAt)];
