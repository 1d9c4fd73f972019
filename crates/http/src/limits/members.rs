//! Limits as members of bodies.

use keystile_api::limits::{NewQuota, Quota as QuotaView, RateLimit as View, RateLimitState};
use keystile_api::patch::Patch;
use keystile_domain::{LimitCount, LimitWindow, Quota, QuotaLimit, RateLimit, RateLimits, Refill};
use keystile_service::limits::{QuotaDraft, Standing};

use super::seconds;
use crate::fields::{Fields, word};

/// Reads the member `rate_limits`.
pub(crate) fn rate_limits(fields: &mut Fields, limits: Vec<View>) -> Option<RateLimits> {
    let limits = limits.into_iter().enumerate().map(|(at, limit)| {
        let at = format!("/rate_limits/{at}");
        let name = fields.read(&format!("{at}/name"), limit.name.parse());
        let count = fields.read(&format!("{at}/limit"), LimitCount::try_from(limit.limit));
        let window = LimitWindow::try_from(limit.window_seconds);
        let window = fields.read(&format!("{at}/window_seconds"), window);
        let ((name, limit), window) = name.zip(count).zip(window)?;
        Some(RateLimit { name, limit, window })
    });
    let limits = limits.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()?;
    fields.read("/rate_limits", RateLimits::try_from(limits))
}

/// Reads the member `rate_limits` of a merge patch: replaced as a whole, emptied by `null`.
pub(crate) fn replaced_rate_limits(
    fields: &mut Fields,
    patch: Patch<Vec<View>>,
) -> Option<RateLimits> {
    match patch {
        Patch::Absent => None,
        Patch::Null => Some(RateLimits::default()),
        Patch::Value(limits) => rate_limits(fields, limits),
    }
}

/// Reads the member `quota`.
pub(crate) fn new_quota(fields: &mut Fields, new: NewQuota) -> Option<QuotaDraft> {
    let limit = fields.read("/quota/limit", QuotaLimit::try_from(new.limit));
    let refill = fields.read("/quota/refill", word(&new.refill, Refill::ALL));
    let remaining = fields.optional("/quota/remaining", new.remaining, QuotaLimit::try_from);
    let (limit, refill) = limit.zip(refill)?;
    fields.read("/quota/remaining", QuotaDraft::new(limit, refill, remaining))
}

/// Limits in time, as they are shown.
pub(crate) fn rate_limit_views(limits: &RateLimits) -> Vec<View> {
    let view = |limit: &RateLimit| View {
        name: limit.name.to_string(),
        limit: limit.limit.value().into(),
        window_seconds: limit.window.seconds().into(),
    };
    limits.iter().map(view).collect()
}

/// A quota, as it is shown.
pub(crate) fn quota(quota: Quota, remaining: i64) -> QuotaView {
    QuotaView { limit: quota.limit.value(), refill: quota.refill.to_string(), remaining }
}

/// How limits in time stand after a check.
pub(crate) fn states(standings: &[Standing]) -> Vec<RateLimitState> {
    let whole = |duration| i64::try_from(seconds(duration)).unwrap_or(i64::MAX);
    let state = |standing: &Standing| {
        // A quota has no window.
        Some(RateLimitState {
            name: standing.name.clone(),
            limit: standing.limit,
            window_seconds: whole(standing.window?),
            remaining: standing.remaining,
            reset_seconds: whole(standing.reset.unwrap_or_default()),
        })
    };
    standings.iter().filter_map(state).collect()
}
