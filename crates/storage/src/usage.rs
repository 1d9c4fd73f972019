//! How often credentials were checked, and when last: added up in memory, and written in batches.

use std::collections::BTreeMap;
use std::net::IpAddr;

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::columns::{id_text, parameter, parse, parse_optional};
use crate::conn::on_conn;
use crate::schema::{api_keys, last_uses, tokens, usage_hours};
use crate::upsert::Upsert;
use crate::{Books, Conn, StoreError};

/// How often a credential was checked within one hour, with one outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageHour {
    /// The credential.
    pub credential: Uuid,
    /// When the hour began.
    pub hour: Timestamp,
    /// How the checks went, in the word that answers have for it.
    pub outcome: String,
    /// How many there were.
    pub checks: i64,
}

/// The latest use of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// The credential.
    pub credential: Uuid,
    /// When.
    pub at: Timestamp,
    /// From where.
    pub address: Option<IpAddr>,
    /// What the client called itself.
    pub user_agent: Option<String>,
}

impl Conn {
    /// Lists how often a credential was checked in the hours that began from `since` on and before
    /// `until`, in their order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn list_usage(
        &mut self,
        credential: Uuid,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<UsageHour>, StoreError> {
        let query = usage_hours::table
            .filter(usage_hours::credential_id.eq(id_text(credential)))
            .filter(usage_hours::hour.ge(since.as_millis()))
            .filter(usage_hours::hour.lt(until.as_millis()))
            .order((usage_hours::hour, usage_hours::outcome))
            .select((usage_hours::hour, usage_hours::outcome, usage_hours::checks));
        let rows: Vec<(i64, String, i64)> = on_conn!(self, |link| query.load(link).await?);
        let read = |(hour, outcome, checks)| UsageHour {
            credential,
            hour: Timestamp::from_millis(hour),
            outcome,
            checks,
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// Finds the last uses of some credentials; one that was never used is left out.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_last_uses(
        &mut self,
        credentials: &[Uuid],
    ) -> Result<Vec<LastUse>, StoreError> {
        let ids: Vec<String> = credentials.iter().copied().map(id_text).collect();
        let query = last_uses::table
            .filter(last_uses::credential_id.eq_any(ids))
            .order(last_uses::credential_id);
        let rows = on_conn!(self, |link| query.select(LastUseRow::as_select()).load(link).await?);
        rows.into_iter().map(LastUseRow::read).collect()
    }
}

impl Books {
    /// Adds checks to those of the same hour, credential and outcome, and puts later uses in the
    /// place of earlier ones; never the other way round, however late a node reports.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn add_usage(
        &mut self,
        hours: &[UsageHour],
        last: &[LastUse],
    ) -> Result<(), StoreError> {
        self.upsert(&hour_rows(hours)).await?;
        self.upsert(&last_use_rows(last)).await
    }

    /// Forgets the hours that began before a moment. The last use of a key or token stays as long
    /// as that does.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remove_usage_before(&mut self, moment: Timestamp) -> Result<(), StoreError> {
        let old =
            diesel::delete(usage_hours::table).filter(usage_hours::hour.lt(moment.as_millis()));
        on_conn!(self, |link| old.execute(link).await?);
        let key = api_keys::table.filter(api_keys::id.eq(last_uses::credential_id));
        let token = tokens::table.filter(tokens::id.eq(last_uses::credential_id));
        let orphaned = diesel::delete(last_uses::table)
            .filter(last_uses::at.lt(moment.as_millis()))
            .filter(not(exists(key)))
            .filter(not(exists(token)));
        on_conn!(self, |link| orphaned.execute(link).await?);
        Ok(())
    }
}

/// One row for each place, in order.
fn hour_rows(hours: &[UsageHour]) -> Vec<NewUsageHour<'_>> {
    let mut sums = BTreeMap::new();
    for UsageHour { credential, hour, outcome, checks } in hours {
        let sum: &mut i64 = sums.entry((*credential, *hour, outcome.as_str())).or_default();
        *sum = sum.saturating_add(*checks);
    }
    let row = |((credential, hour, outcome), checks): ((_, Timestamp, _), _)| {
        NewUsageHour(credential, hour.as_millis(), outcome, checks)
    };
    sums.into_iter().map(row).collect()
}

/// The latest for each credential, in order.
fn last_use_rows(uses: &[LastUse]) -> Vec<NewLastUse> {
    let mut latest: BTreeMap<Uuid, &LastUse> = BTreeMap::new();
    for used in uses {
        let known = latest.entry(used.credential).or_insert(used);
        if known.at < used.at {
            *known = used;
        }
    }
    let row = |used: &LastUse| {
        let user_agent = used.user_agent.as_deref().map(parameter);
        NewLastUse(used.credential, used.at.as_millis(), used.address, user_agent)
    };
    latest.into_values().map(row).collect()
}

/// `credential_id`, `hour`, `outcome`, `checks`.
#[derive(Serialize)]
struct NewUsageHour<'u>(Uuid, i64, &'u str, i64);

impl Upsert for NewUsageHour<'_> {
    const INSERT: &'static str = "INSERT INTO usage_hours (credential_id, hour, outcome, checks)
        SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), value ->> 2, CAST(value ->> 3 AS BIGINT)";
    const CONFLICT: &'static str = "(credential_id, hour, outcome)
        DO UPDATE SET checks = usage_hours.checks + excluded.checks";
}

/// `credential_id`, `at`, `address`, `user_agent`.
#[derive(Serialize)]
struct NewLastUse(Uuid, i64, Option<IpAddr>, Option<String>);

impl Upsert for NewLastUse {
    const INSERT: &'static str = "INSERT INTO last_uses (credential_id, at, address, user_agent)
        SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3";
    const CONFLICT: &'static str = "(credential_id) DO UPDATE SET
        at = excluded.at, address = excluded.address, user_agent = excluded.user_agent
        WHERE last_uses.at < excluded.at";
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = last_uses)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct LastUseRow {
    credential_id: String,
    at: i64,
    address: Option<String>,
    user_agent: Option<String>,
}

impl LastUseRow {
    fn read(self) -> Result<LastUse, StoreError> {
        Ok(LastUse {
            credential: parse(&self.credential_id, "last_uses.credential_id")?,
            at: Timestamp::from_millis(self.at),
            address: parse_optional(self.address.as_deref(), "last_uses.address")?,
            user_agent: self.user_agent,
        })
    }
}
