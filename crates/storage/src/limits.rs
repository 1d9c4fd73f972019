//! Limits as columns, and how much of a quota is used.
//!
//! A node takes several uses of a quota at once, and so writes once for many checks. While it does,
//! it alone has the row, so that all nodes together never take more than there is.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{
    ApiKeyId, LimitCount, LimitWindow, Quota, QuotaLimit, QuotaUse, RateLimit, RateLimits,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::columns::{from_json, parse, to_json};
use crate::conn::{KEYS_AT_ONCE, insert_all, on_conn};
use crate::schema::quota_uses;
use crate::{Books, Conn, StoreError, Tx};

impl Conn {
    /// How much is used of the quotas of some keys; keys without one are left out.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_quota_uses(
        &mut self,
        keys: &[ApiKeyId],
    ) -> Result<BTreeMap<ApiKeyId, QuotaUse>, StoreError> {
        let ids: Vec<_> = keys.iter().map(ToString::to_string).collect();
        let query = quota_uses::table.filter(quota_uses::key_id.eq_any(ids));
        let rows: Vec<(String, i64, i64)> = on_conn!(self, |link| query.load(link).await?);
        rows.iter()
            .map(|(id, period, used)| Ok((parse(id, "quota_uses.key_id")?, read(*period, *used))))
            .collect()
    }
}

impl Books {
    /// How much of a key's quota is used. Nobody else takes of it until these books end. `None`:
    /// the key has no quota any more.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn lock_quota_use(&mut self, key: ApiKeyId) -> Result<Option<QuotaUse>, StoreError> {
        // A write that changes nothing: the one way to a row lock that both databases know.
        let lock = diesel::update(quota_uses::table.find(key.to_string()))
            .set(quota_uses::used.eq(quota_uses::used))
            .returning((quota_uses::period, quota_uses::used));
        let row: Option<(i64, i64)> =
            on_conn!(self, |link| lock.get_result(link).await.optional()?);
        Ok(row.map(|(period, used)| read(period, used)))
    }

    /// Writes how much of a key's quota is used, after [locking](Self::lock_quota_use) it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn update_quota_use(
        &mut self,
        key: ApiKeyId,
        usage: QuotaUse,
    ) -> Result<(), StoreError> {
        let put = diesel::update(quota_uses::table.find(key.to_string())).set((
            quota_uses::period.eq(usage.period.as_millis()),
            quota_uses::used.eq(usage.used),
        ));
        on_conn!(self, |link| put.execute(link).await?);
        Ok(())
    }
}

impl Tx {
    /// Begins the counting of quotas, or begins it anew.
    ///
    /// # Errors
    ///
    /// [`Conflict::Reference`](crate::Conflict::Reference) if there is no such key.
    pub async fn put_quota_uses(
        &mut self,
        uses: &[(ApiKeyId, QuotaUse)],
    ) -> Result<(), StoreError> {
        let ids: Vec<_> = uses.iter().map(|(key, _)| key.to_string()).collect();
        for ids in ids.chunks(KEYS_AT_ONCE) {
            let clear = diesel::delete(quota_uses::table.filter(quota_uses::key_id.eq_any(ids)));
            on_conn!(self, |link| clear.execute(link).await?);
        }
        let rows = uses.iter().map(|(key, usage)| {
            (
                quota_uses::key_id.eq(key.to_string()),
                quota_uses::period.eq(usage.period.as_millis()),
                quota_uses::used.eq(usage.used),
            )
        });
        insert_all!(self, quota_uses::table, rows.collect());
        Ok(())
    }
}

/// A limit in time, in a column.
#[derive(Serialize, Deserialize)]
struct RateLimitColumn {
    name: String,
    limit: u32,
    window_seconds: u32,
}

/// A quota, in a column.
#[derive(Serialize, Deserialize)]
struct QuotaColumn {
    limit: i64,
    refill: String,
    since: i64,
}

pub(crate) fn from_rate_limits(
    limits: &RateLimits,
    place: &'static str,
) -> Result<String, StoreError> {
    let column = limits.iter().map(|limit| RateLimitColumn {
        name: limit.name.to_string(),
        limit: limit.limit.value(),
        window_seconds: limit.window.seconds(),
    });
    to_json(&column.collect::<Vec<_>>(), place)
}

pub(crate) fn to_rate_limits(text: &str, place: &'static str) -> Result<RateLimits, StoreError> {
    let corrupt = || StoreError::Corrupt(place);
    let column: Vec<RateLimitColumn> = from_json(text, place)?;
    let limits = column.iter().map(|limit| {
        Ok(RateLimit {
            name: parse(&limit.name, place)?,
            limit: LimitCount::try_from(i64::from(limit.limit)).ok().ok_or_else(corrupt)?,
            window: LimitWindow::try_from(i64::from(limit.window_seconds))
                .ok()
                .ok_or_else(corrupt)?,
        })
    });
    RateLimits::try_from(limits.collect::<Result<Vec<_>, StoreError>>()?).ok().ok_or_else(corrupt)
}

pub(crate) fn from_quota(quota: Quota, place: &'static str) -> Result<String, StoreError> {
    let column = QuotaColumn {
        limit: quota.limit.value(),
        refill: quota.refill.as_str().to_owned(),
        since: quota.since.as_millis(),
    };
    to_json(&column, place)
}

pub(crate) fn to_quota(text: &str, place: &'static str) -> Result<Quota, StoreError> {
    let column: QuotaColumn = from_json(text, place)?;
    Ok(Quota {
        limit: QuotaLimit::try_from(column.limit).ok().ok_or(StoreError::Corrupt(place))?,
        refill: parse(&column.refill, place)?,
        since: Timestamp::from_millis(column.since),
    })
}

fn read(period: i64, used: i64) -> QuotaUse {
    QuotaUse { period: Timestamp::from_millis(period), used }
}
