//! Insights: which keys deserve somebody's attention.
//!
//! All but one are ordinary filters of the list of keys, each with a name. What a key was needed for
//! no database can compare with its roles; that is done here, a bounded number of keys at a time.
//!
//! They are about API keys alone. A token ends by itself, and is its owner's to tidy up.

mod over_granted;

use std::time::Duration;

use keystile_domain::{
    ApiKeyFilter, ApiKeySort, Direction, Excess, Listing, PageLimit, PageNumber, PageRequest,
    Power, Start, Timestamp,
};
use keystile_storage::Conn;

use crate::api_keys::{ShownApiKey, show_all};
use crate::{Caller, Keystile, ServiceError};

/// How many days make a difference, 0 to 3,650.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(u16);

/// How many days make which difference.
#[derive(Clone, Copy, Debug)]
pub struct InsightDays {
    /// A key that was not let in for so long is unused.
    pub unused: Days,
    /// A key that has no more than this left is expiring.
    pub expiring: Days,
    /// A key that is younger need not have been used yet, nor for all that it is for.
    pub older_than: Days,
}

/// Which keys deserve somebody's attention.
#[derive(Clone, Debug)]
pub struct Insights {
    /// Keys that were never let in.
    pub never_used: FoundKeys,
    /// Keys that were let in once, and not for a long time.
    pub unused: FoundKeys,
    /// Keys that end soon.
    pub expiring: FoundKeys,
    /// Keys that have no end.
    pub without_expiry: FoundKeys,
    /// Keys that may do more than they were ever needed for.
    pub over_granted: Listing<OverGrantedKey>,
}

/// The first of the keys that a filter finds, and how many there are.
#[derive(Clone, Debug)]
pub struct FoundKeys {
    /// What finds them all.
    pub filter: ApiKeyFilter,
    /// What they are sorted by.
    pub sort: ApiKeySort,
    /// The first of them, and how many there are.
    pub keys: Listing<ShownApiKey>,
}

/// A key that may do more than it was ever needed for.
#[derive(Clone, Debug)]
pub struct OverGrantedKey {
    /// The key.
    pub shown: ShownApiKey,
    /// What it did not need.
    pub excess: Excess,
}

impl Days {
    /// The days, or nothing when there are too many or fewer than none.
    #[must_use]
    pub fn new(days: i64) -> Option<Self> {
        u16::try_from(days).ok().filter(|days| *days <= MOST_DAYS).map(Self)
    }

    fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.0) * 24 * 60 * 60)
    }
}

impl Default for InsightDays {
    fn default() -> Self {
        Self { unused: Days(90), expiring: Days(30), older_than: Days(7) }
    }
}

impl Keystile {
    /// Which keys deserve somebody's attention, the first few of each sort.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] without `keystile.api_keys.read`.
    pub async fn find_insights(
        &self,
        caller: &Caller,
        days: InsightDays,
    ) -> Result<Insights, ServiceError> {
        caller.require(Power::ApiKeysRead)?;
        let now = self.clock.now();
        let mut conn = self.store.read().await?;
        let never_used = ApiKeyFilter {
            used: Some(false),
            created_before: Some(now.before(days.older_than.duration())),
            ..live()
        };
        let unused = ApiKeyFilter {
            used: Some(true),
            unused_since: Some(now.before(days.unused.duration())),
            ..live()
        };
        let end = now.after(days.expiring.duration());
        let expiring = ApiKeyFilter { expires_before: Some(end), ..live() };
        let without_expiry = ApiKeyFilter { ends: Some(false), ..live() };
        Ok(Insights {
            never_used: self.find(&mut conn, never_used, ApiKeySort::CreatedAt, now).await?,
            unused: self.find(&mut conn, unused, ApiKeySort::CreatedAt, now).await?,
            expiring: self.find(&mut conn, expiring, ApiKeySort::ExpiresAt, now).await?,
            without_expiry: self
                .find(&mut conn, without_expiry, ApiKeySort::CreatedAt, now)
                .await?,
            over_granted: self
                .compare_grants(&mut conn, days.older_than, first_few(), None)
                .await?,
        })
    }

    async fn find(
        &self,
        conn: &mut Conn,
        filter: ApiKeyFilter,
        sort: ApiKeySort,
        now: Timestamp,
    ) -> Result<FoundKeys, ServiceError> {
        let page = PageRequest {
            sort,
            direction: Direction::Ascending,
            limit: first_few(),
            start: Start::Page(PageNumber::default()),
        };
        let Listing { items, total, next } = conn.list_api_keys(&filter, &page, now).await?;
        let items = show_all(conn, &self.quotas, items, now).await?;
        Ok(FoundKeys { filter, sort, keys: Listing { items, total, next } })
    }
}

/// Keys that somebody can use: the others do no harm.
fn live() -> ApiKeyFilter {
    ApiKeyFilter { enabled: Some(true), expired: Some(false), ..ApiKeyFilter::default() }
}

/// How many keys of each sort an overview shows.
fn first_few() -> PageLimit {
    PageLimit::new(10).unwrap_or_default()
}

/// Ten years.
const MOST_DAYS: u16 = 3_650;
