//! Lists of users: what they can be filtered and sorted by.

use actix_web::{HttpRequest, HttpResponse, get, web};
use keystile_api::lists::Page;
use keystile_api::users::User as View;
use keystile_domain::{Direction, ExternalId, NamePattern, RoleId, UserFilter, UserSort};

use super::view;
use crate::authorized::{Authorized, UsersRead};
use crate::error::ApiError;
use crate::fields::broken_parameter;
use crate::paging::{List, list_params};
use crate::params::Params;
use crate::state::State;

list_params! {
    /// Which users to list.
    struct UserParams {
        /// User names with `*` and `?` as wildcards, whatever the case.
        #[param(example = "deploy-*")]
        username: Option<String>,
        /// Only users that are switched on, or off.
        enabled: Option<bool>,
        /// Only service accounts, or only people.
        is_service_account: Option<bool>,
        /// Only users that hold this role.
        role_id: Option<i64>,
        /// Only users that another system calls this, exactly.
        external_id: Option<String>,
        /// `created_at` (default: `-created_at`) or `username`, with `-` in front for descending.
        sort: Option<String>,
    }
}

/// List users
///
/// People and service accounts alike.
#[utoipa::path(tag = "users", params(UserParams), responses(
    (status = 200, description = "A page of users.", body = Page<View>),
))]
#[get("/users")]
pub(super) async fn list_users(
    authorized: Authorized<UsersRead>,
    Params(params): Params<UserParams>,
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let keystile = &state.keystile;
    let list = List::of(&request);
    let default = (UserSort::CreatedAt, Direction::Descending);
    let page = list.request(keystile, &params.paging(), &SORTS, default)?;
    let users = keystile.list_users(authorized.caller(), &filter(params)?, &page).await?;
    Ok(HttpResponse::Ok().json(list.page(keystile, &page, users, |user| view(&user))))
}

fn filter(params: UserParams) -> Result<UserFilter, ApiError> {
    let username = params.username.as_deref().map(NamePattern::parse).transpose();
    let role = params.role_id.map(RoleId::try_from).transpose();
    let external_id = params.external_id.map(ExternalId::try_from).transpose();
    Ok(UserFilter {
        username: username.map_err(|rule| broken_parameter("username", rule))?,
        enabled: params.enabled,
        is_service_account: params.is_service_account,
        role: role.map_err(|rule| broken_parameter("role_id", rule))?,
        external_id: external_id.map_err(|rule| broken_parameter("external_id", rule))?,
    })
}

const SORTS: [(&str, UserSort); 2] =
    [("created_at", UserSort::CreatedAt), ("username", UserSort::Username)];
