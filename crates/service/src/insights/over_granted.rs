//! Keys that may do more than they were ever needed for: apart, because it is the one insight that
//! no filter finds.

use std::collections::BTreeSet;

use keystile_domain::{
    ApiKey, ApiKeyFilter, ApiKeySort, Direction, Excess, Exercise, Listing, Mark, MarkKey,
    PageLimit, PageRequest, Power, Start,
};
use keystile_storage::Conn;

use super::{Days, OverGrantedKey, live};
use crate::api_keys::show_all;
use crate::{Caller, Keystile, ServiceError};

impl Keystile {
    /// The keys that may do more than they were ever needed for, the oldest first, from behind a
    /// mark on.
    ///
    /// Each question compares so many keys as one answer can wait for, which may be all and none of
    /// those that it is about: the list goes on as long as there is a mark. How many there are is
    /// told if all could be compared.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] without `keystile.api_keys.read`;
    /// [`StoreError::ForeignMark`](crate::StoreError::ForeignMark) for the mark of another list.
    pub async fn list_over_granted_keys(
        &self,
        caller: &Caller,
        older_than: Days,
        limit: PageLimit,
        after: Option<Mark>,
    ) -> Result<Listing<OverGrantedKey>, ServiceError> {
        caller.require(Power::ApiKeysRead)?;
        let mut conn = self.store.read().await?;
        self.compare_grants(&mut conn, older_than, limit, after).await
    }

    pub(super) async fn compare_grants(
        &self,
        conn: &mut Conn,
        older_than: Days,
        limit: PageLimit,
        after: Option<Mark>,
    ) -> Result<Listing<OverGrantedKey>, ServiceError> {
        let now = self.clock.now();
        let filter = ApiKeyFilter {
            exercised: Some(true),
            created_before: Some(now.before(older_than.duration())),
            ..live()
        };
        let is_whole = after.is_none();
        let mut page = PageRequest {
            sort: ApiKeySort::CreatedAt,
            direction: Direction::Ascending,
            limit: AT_ONCE,
            start: Start::After(after.unwrap_or_else(beginning)),
        };
        let wanted = usize::try_from(limit.rows()).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let mut next = None;
        for _ in 0..ROUNDS {
            let keys = conn.list_api_keys(&filter, &page, now).await?;
            found.extend(excesses(conn, keys.items).await?);
            next = keys.next;
            match &next {
                Some(mark) if is_whole || found.len() < wanted => {
                    page.start = Start::After(mark.clone());
                }
                _ => break,
            }
        }
        let total = (is_whole && next.is_none()).then(|| i64::try_from(found.len()).ok()).flatten();
        if found.len() > wanted {
            found.truncate(wanted);
            next = found.last().map(|(key, _)| mark(key));
        }
        let (keys, excesses): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let shown = show_all(conn, &self.quotas, keys, now).await?;
        let items = shown.into_iter().zip(excesses);
        let items = items.map(|(shown, excess)| OverGrantedKey { shown, excess }).collect();
        Ok(Listing { items, total, next })
    }
}

/// Those of the keys that hold more than they needed.
async fn excesses(
    conn: &mut Conn,
    keys: Vec<ApiKey>,
) -> Result<Vec<(ApiKey, Excess)>, ServiceError> {
    let ids: Vec<_> = keys.iter().map(|key| key.id.as_uuid()).collect();
    let exercises = conn.list_exercises(&ids).await?;
    let roles: BTreeSet<_> = keys.iter().flat_map(|key| key.roles.iter().copied()).collect();
    let roles = conn.list_roles_by_id(&roles).await?;
    let excess = |key: &ApiKey| {
        let held: Vec<_> =
            roles.iter().filter(|role| key.roles.contains(&role.id)).cloned().collect();
        let exercised = exercises.get(&key.id.as_uuid()).into_iter().flatten();
        Excess::of(&held, exercised.map(|text| Exercise::read(text)))
    };
    Ok(keys.into_iter().filter_map(|key| excess(&key).map(|excess| (key, excess))).collect())
}

fn mark(key: &ApiKey) -> Mark {
    Mark { key: MarkKey::Number(key.created_at.as_millis()), id: key.id.to_string() }
}

/// The mark that everything stands behind. Asking behind a mark spares the count of a list.
fn beginning() -> Mark {
    Mark { key: MarkKey::Number(i64::MIN), id: String::new() }
}

/// How many keys are compared in one round, and how many rounds one answer waits for.
const AT_ONCE: PageLimit = PageLimit::MAX;
const ROUNDS: usize = 20;
