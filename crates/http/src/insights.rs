//! Insights: which keys deserve somebody's attention.

use actix_web::{HttpRequest, HttpResponse, get, web};
use form_urlencoded::Serializer;
use keystile_api::insights::{
    GrantInsight, Insights as View, KeyInsight, OverGrantedKey as OverGrantedView,
};
use keystile_api::lists::Page;
use keystile_domain::{ApiKeyFilter, ApiKeySort, PermissionSet};
use keystile_service::insights::{Days, FoundKeys, InsightDays, Insights, OverGrantedKey};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api_keys::api_key;
use crate::authorized::{ApiKeysRead, Authorized};
use crate::error::ApiError;
use crate::fields::broken_parameter;
use crate::paging::{List, limit};
use crate::params::Params;
use crate::roles::endpoint_rule;
use crate::routing::Routing;
use crate::state::State;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing.service(show_insights).service(list_over_granted_keys);
}

/// How many days make which difference.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct InsightParams {
    /// A key that was not let in for so many days is unused: 0 to 3,650.
    #[param(minimum = 0, maximum = 3_650, default = 90)]
    unused_days: Option<i64>,
    /// A key that ends within so many days is expiring: 0 to 3,650.
    #[param(minimum = 0, maximum = 3_650, default = 30)]
    expiring_days: Option<i64>,
    /// Only a key that was made so many days ago is one that was never used, or that was granted too
    /// much: 0 to 3,650.
    #[param(minimum = 0, maximum = 3_650, default = 7)]
    older_than_days: Option<i64>,
}

/// Which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OverGrantedParams {
    /// Only keys that were made so many days ago: 0 to 3,650.
    #[param(minimum = 0, maximum = 3_650, default = 7)]
    older_than_days: Option<i64>,
    /// How many at most: 1 to 100, 20 unless given.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
}

/// Which keys deserve attention
///
/// Keys that were never used, unused for long, expiring, without an end, or that may do more than
/// they were ever needed for: how many of each, the first ten, and where to list them all. Only of
/// keys that are switched on and have not ended. A use is seen here after a few seconds, and
/// forgotten with the rest of the usage.
#[utoipa::path(tag = "api-keys", params(InsightParams), responses(
    (status = 200, description = "The keys.", body = View),
))]
#[get("/insights")]
async fn show_insights(
    authorized: Authorized<ApiKeysRead>,
    Params(params): Params<InsightParams>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let default = InsightDays::default();
    let insight_days = InsightDays {
        unused: days("unused_days", params.unused_days, default.unused)?,
        expiring: days("expiring_days", params.expiring_days, default.expiring)?,
        older_than: days("older_than_days", params.older_than_days, default.older_than)?,
    };
    let insights = state.keystile.find_insights(authorized.caller(), insight_days).await?;
    Ok(HttpResponse::Ok().json(view(insights, params.older_than_days)))
}

/// List the keys that may do more than they were needed for
///
/// The oldest first. Compared is what a key was asked for when it was let in, by `/verify`, at
/// gateways and by Keystile itself, with what its roles allow now. A key of which nothing is known
/// is not listed. Each answer compares a bounded number of keys, so it may have fewer than `limit`,
/// and none at all, although others follow: go on as long as there is a `next_cursor`. `total` is
/// there if the answer compared all keys.
#[utoipa::path(tag = "api-keys", params(OverGrantedParams), responses(
    (status = 200, description = "A part of the list.", body = Page<OverGrantedView>),
))]
#[get("/insights/over-granted")]
async fn list_over_granted_keys(
    authorized: Authorized<ApiKeysRead>,
    Params(params): Params<OverGrantedParams>,
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let keystile = &state.keystile;
    let older_than = InsightDays::default().older_than;
    let older_than = days("older_than_days", params.older_than_days, older_than)?;
    let limit = limit(params.limit)?;
    let list = List::of(&request);
    let after = params.cursor.map(|cursor| list.mark(keystile, &cursor)).transpose()?;
    let keys =
        keystile.list_over_granted_keys(authorized.caller(), older_than, limit, after).await?;
    Ok(HttpResponse::Ok().json(Page {
        data: keys.items.iter().map(over_granted_key).collect(),
        total: keys.total,
        page: None,
        limit: limit.rows(),
        next_cursor: keys.next.map(|mark| list.cursor(keystile, &mark)),
    }))
}

fn days(name: &str, days: Option<i64>, default: Days) -> Result<Days, ApiError> {
    let Some(days) = days else { return Ok(default) };
    Days::new(days).ok_or_else(|| broken_parameter(name, "must be from 0 to 3650"))
}

fn view(insights: Insights, older_than_days: Option<i64>) -> View {
    let over_granted = insights.over_granted;
    let days = older_than_days.map(|days| format!("?older_than_days={days}"));
    View {
        never_used: found(&insights.never_used),
        unused: found(&insights.unused),
        expiring: found(&insights.expiring),
        without_expiry: found(&insights.without_expiry),
        over_granted: GrantInsight {
            total: over_granted.total,
            data: over_granted.items.iter().map(over_granted_key).collect(),
            list: format!("/api/v1/insights/over-granted{}", days.unwrap_or_default()),
        },
    }
}

fn found(found: &FoundKeys) -> KeyInsight {
    KeyInsight {
        total: found.keys.total.unwrap_or_default(),
        data: found.keys.items.iter().map(api_key).collect(),
        list: list(found),
    }
}

/// Where all of the keys are listed, in the same order.
fn list(found: &FoundKeys) -> String {
    let ApiKeyFilter { enabled, expired, ends, used, .. } = found.filter;
    let flags = [("enabled", enabled), ("expired", expired), ("expires", ends), ("used", used)];
    let moments = [
        ("expires_before", found.filter.expires_before),
        ("created_before", found.filter.created_before),
        ("unused_since", found.filter.unused_since),
    ];
    let sort = match found.sort {
        ApiKeySort::ExpiresAt => "expires_at",
        _ => "created_at",
    };
    let flags = flags.into_iter().filter_map(|(name, flag)| Some((name, flag?.to_string())));
    let moments = moments.into_iter().filter_map(|(name, at)| Some((name, at?.to_string())));
    let query = flags.chain(moments).chain([("sort", sort.to_owned())]);
    let query = Serializer::new(String::new()).extend_pairs(query).finish();
    format!("/api/v1/api-keys?{query}")
}

fn over_granted_key(key: &OverGrantedKey) -> OverGrantedView {
    let excess = &key.excess;
    OverGrantedView {
        api_key: api_key(&key.shown),
        unexercised_permissions: texts(&excess.unexercised_permissions),
        unexercised_endpoints: excess.unexercised_endpoints.iter().map(endpoint_rule).collect(),
        sufficient_permissions: texts(&excess.sufficient_permissions),
        sufficient_endpoints: excess.sufficient_endpoints.iter().map(endpoint_rule).collect(),
        spare_role_ids: excess.spare_roles.iter().map(|id| id.0).collect(),
        may_need_more: excess.may_need_more,
    }
}

fn texts(permissions: &PermissionSet) -> Vec<String> {
    permissions.iter().map(ToString::to_string).collect()
}
