//! Listing keys.

use actix_web::{HttpRequest, HttpResponse, get, web};
use keystile_api::api_keys::ApiKey as View;
use keystile_api::lists::Page;
use keystile_domain::{
    ApiKeyFilter, ApiKeySort, Direction, ExternalId, NamePattern, ProviderId, RoleId,
};
use keystile_service::Keystile;

use super::parse::provider_name;
use super::view;
use crate::authorized::{ApiKeysRead, Authorized};
use crate::error::ApiError;
use crate::fields::{broken_parameter, moment};
use crate::paging::{List, list_params};
use crate::params::Params;
use crate::state::State;

list_params! {
    /// Which keys to list.
    pub(super) struct ApiKeyParams {
        /// Names with `*` and `?` as wildcards, whatever the case.
        #[param(example = "CI*")]
        name: Option<String>,
        /// Only keys that are switched on, or off.
        enabled: Option<bool>,
        /// Only keys that have ended, or have not.
        expired: Option<bool>,
        /// Only keys that have an end, or have none.
        expires: Option<bool>,
        /// Only keys that end before this time (RFC 3339).
        #[param(format = DateTime, example = "2027-01-31T12:00:00Z")]
        expires_before: Option<String>,
        /// Only keys that were made before this time (RFC 3339).
        #[param(format = DateTime, example = "2026-10-01T00:00:00Z")]
        created_before: Option<String>,
        /// Only keys that were ever let in, or never.
        used: Option<bool>,
        /// Only keys that were let in at no time from this one on (RFC 3339), and were made before.
        #[param(format = DateTime, example = "2026-10-01T00:00:00Z")]
        unused_since: Option<String>,
        /// Only keys that hold this role.
        role_id: Option<i64>,
        /// Only keys of this provider: its identifier or id.
        provider: Option<String>,
        /// Only keys that another system calls this, exactly.
        external_id: Option<String>,
        /// Only keys that were imported by their hash and were not shown since, or all others.
        unseen_import: Option<bool>,
        /// `created_at` (default: `-created_at`), `name` or `expires_at`, with `-` in front for
        /// descending.
        sort: Option<String>,
    }
}

/// List keys
///
/// Never with their secrets.
#[utoipa::path(tag = "api-keys", params(ApiKeyParams), responses(
    (status = 200, description = "A page of keys.", body = Page<View>),
))]
#[get("/api-keys")]
pub(super) async fn list_api_keys(
    authorized: Authorized<ApiKeysRead>,
    Params(params): Params<ApiKeyParams>,
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let keystile = &state.keystile;
    let list = List::of(&request);
    let default = (ApiKeySort::CreatedAt, Direction::Descending);
    let page = list.request(keystile, &params.paging(), &SORTS, default)?;
    let filter = filter(keystile, params).await?;
    let keys = keystile.list_api_keys(authorized.caller(), &filter, &page).await?;
    Ok(HttpResponse::Ok().json(list.page(keystile, &page, keys, |key| view::api_key(&key))))
}

async fn filter(keystile: &Keystile, params: ApiKeyParams) -> Result<ApiKeyFilter, ApiError> {
    let name = params.name.as_deref().map(NamePattern::parse).transpose();
    let role = params.role_id.map(RoleId::try_from).transpose();
    let external_id = params.external_id.map(ExternalId::try_from).transpose();
    Ok(ApiKeyFilter {
        name: name.map_err(|rule| broken_parameter("name", rule))?,
        enabled: params.enabled,
        expired: params.expired,
        expires_before: moment("expires_before", params.expires_before.as_deref())?,
        ends: params.expires,
        created_before: moment("created_before", params.created_before.as_deref())?,
        used: params.used,
        unused_since: moment("unused_since", params.unused_since.as_deref())?,
        exercised: None,
        role: role.map_err(|rule| broken_parameter("role_id", rule))?,
        provider: match params.provider {
            None => None,
            Some(text) => Some(provider(keystile, text).await?),
        },
        external_id: external_id.map_err(|rule| broken_parameter("external_id", rule))?,
        unseen_import: params.unseen_import,
    })
}

async fn provider(keystile: &Keystile, text: String) -> Result<ProviderId, ApiError> {
    let unknown = || broken_parameter("provider", "there is no such provider");
    let Ok(name) = provider_name(text) else { return Err(unknown()) };
    keystile.find_provider_id(&name).await?.ok_or_else(unknown)
}

const SORTS: [(&str, ApiKeySort); 3] = [
    ("name", ApiKeySort::Name),
    ("created_at", ApiKeySort::CreatedAt),
    ("expires_at", ApiKeySort::ExpiresAt),
];
