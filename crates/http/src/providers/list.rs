//! The list of providers.

use actix_web::{HttpRequest, HttpResponse, get, web};
use keystile_api::lists::Page;
use keystile_api::providers::Provider as View;
use keystile_domain::{Direction, NamePattern, ProviderKind};
use keystile_service::providers::{ProviderFilter, ProviderSort};

use super::parse::provider_kind;
use super::view;
use crate::authorized::{Authorized, ProvidersRead};
use crate::error::ApiError;
use crate::fields::broken_parameter;
use crate::paging::{List, list_params};
use crate::params::Params;
use crate::state::State;

list_params! {
    /// Which providers to list.
    struct ProviderParams {
        /// Names with `*` and `?` as wildcards, whatever the case.
        #[param(example = "partner*")]
        name: Option<String>,
        /// `api_key`, `personal_access_token`, `oidc` or `password`.
        kind: Option<String>,
        /// Those that are switched on, or off.
        enabled: Option<bool>,
        /// `priority` (default), `name` or `created_at`, with `-` in front for descending.
        sort: Option<String>,
    }
}

/// List providers
///
/// The built-in ones too.
#[utoipa::path(tag = "providers", params(ProviderParams), responses(
    (status = 200, description = "A page of providers.", body = Page<View>),
))]
#[get("/providers")]
pub(super) async fn list_providers(
    authorized: Authorized<ProvidersRead>,
    Params(params): Params<ProviderParams>,
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let list = List::of(&request);
    let default = (ProviderSort::Priority, Direction::Ascending);
    let page = list.request(&state.keystile, &params.paging(), &SORTS, default)?;
    let filter = filter(params)?;
    let found = state.keystile.list_providers(authorized.caller(), &filter, &page).await?;
    Ok(HttpResponse::Ok().json(list.page(&state.keystile, &page, found, |it| view::provider(&it))))
}

fn filter(params: ProviderParams) -> Result<ProviderFilter, ApiError> {
    let pattern = params.name.as_deref().map(NamePattern::parse).transpose();
    let kind: Result<Option<ProviderKind>, _> = params.kind.map(provider_kind).transpose();
    Ok(ProviderFilter {
        name: pattern.map_err(|rule| broken_parameter("name", rule))?,
        kind: kind.map_err(|rule| broken_parameter("kind", rule))?,
        enabled: params.enabled,
    })
}

const SORTS: [(&str, ProviderSort); 3] = [
    ("priority", ProviderSort::Priority),
    ("name", ProviderSort::Name),
    ("created_at", ProviderSort::CreatedAt),
];
