//! API keys, and the roles that they hold. Their secrets are in `secrets.rs`.

mod row;

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{
    ApiKey, ApiKeyFilter, ApiKeyId, ApiKeySort, ExternalId, Listing, PageRequest, RoleId, Start,
    Timestamp,
};

pub(crate) use self::row::ApiKeyRow;
use crate::columns::NEVER;
use crate::conn::{insert_all, insert_many, on_conn};
use crate::listing::{cut, named, number, part, text, text_id, unused};
use crate::schema::{api_key_roles, api_keys, exercises, imports, last_uses};
use crate::{Conn, NewSecret, StoreError, TombstoneDraft, Tx};

impl Conn {
    /// Finds a key.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_api_key(&mut self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let query = api_keys::table.find(id.to_string());
        let row = on_conn!(self, |link| query
            .select(ApiKeyRow::as_select())
            .get_result(link)
            .await
            .optional()?);
        let keys = self.with_roles(&row.into_iter().collect::<Vec<_>>()).await?;
        Ok(keys.into_iter().next())
    }

    /// Lists every key that another system calls so, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_api_keys_by_external_id(
        &mut self,
        external_id: &ExternalId,
    ) -> Result<Vec<ApiKey>, StoreError> {
        let query = api_keys::table
            .filter(api_keys::external_id.eq(external_id.as_str()))
            .order((api_keys::created_at, api_keys::id));
        let rows = on_conn!(self, |link| query.select(ApiKeyRow::as_select()).load(link).await?);
        self.with_roles(&rows).await
    }

    /// Lists keys; `now` tells which have ended.
    ///
    /// # Errors
    ///
    /// [`StoreError::ForeignMark`] if the page begins behind a mark of a list in another order.
    pub async fn list_api_keys(
        &mut self,
        filter: &ApiKeyFilter,
        page: &PageRequest<ApiKeySort>,
        now: Timestamp,
    ) -> Result<Listing<ApiKey>, StoreError> {
        let now = now.as_millis();
        let (mut rows, total) = on_conn!(self, |link| {
            let matching = || {
                let mut query = api_keys::table.into_boxed();
                if let Some(pattern) = &filter.name {
                    query = named!(query, api_keys::name_folded, pattern);
                }
                query = match filter.enabled {
                    Some(true) => query.filter(api_keys::enabled),
                    // So that the index of these few serves it.
                    Some(false) => query.filter(not(api_keys::enabled)),
                    None => query,
                };
                query = match filter.expired {
                    Some(true) => query.filter(api_keys::expires_at.le(now)),
                    Some(false) => query.filter(api_keys::expires_at.gt(now)),
                    None => query,
                };
                if let Some(end) = filter.expires_before {
                    query = query.filter(api_keys::expires_at.lt(end.as_millis()));
                }
                query = match filter.ends {
                    Some(true) => query.filter(api_keys::expires_at.ne(NEVER)),
                    Some(false) => query.filter(api_keys::expires_at.eq(NEVER)),
                    None => query,
                };
                if let Some(moment) = filter.created_before {
                    query = query.filter(api_keys::created_at.lt(moment.as_millis()));
                }
                if let Some(used) = filter.used {
                    let any = last_uses::table.filter(last_uses::credential_id.eq(api_keys::id));
                    query = if used {
                        query.filter(exists(any))
                    } else {
                        query.filter(not(exists(any)))
                    };
                }
                if let Some(moment) = filter.unused_since {
                    query = unused!(query, moment.as_millis(), api_keys);
                }
                if let Some(exercised) = filter.exercised {
                    let any =
                        exists(exercises::table.filter(exercises::credential_id.eq(api_keys::id)));
                    query = if exercised { query.filter(any) } else { query.filter(not(any)) };
                }
                if let Some(role) = filter.role {
                    let holders = api_key_roles::table
                        .filter(api_key_roles::role_id.eq(role.0))
                        .select(api_key_roles::key_id);
                    query = query.filter(api_keys::id.eq_any(holders));
                }
                if let Some(provider) = filter.provider {
                    query = query.filter(api_keys::provider_id.eq(provider.to_string()));
                }
                if let Some(external_id) = &filter.external_id {
                    query = query.filter(api_keys::external_id.eq(external_id.as_str()));
                }
                if let Some(unseen) = filter.unseen_import {
                    let import = exists(imports::table.filter(imports::key_id.eq(api_keys::id)));
                    query = if unseen { query.filter(import) } else { query.filter(not(import)) };
                }
                query
            };
            let total = match &page.start {
                Start::Page(_) => Some(matching().count().get_result(link).await?),
                Start::After(_) => None,
            };
            let query = matching().select(ApiKeyRow::as_select());
            let query = match page.sort {
                ApiKeySort::ExpiresAt => {
                    part!(query, page, api_keys::expires_at, number, api_keys::id, text_id)
                }
                ApiKeySort::Name => {
                    part!(query, page, api_keys::name_folded, text, api_keys::id, text_id)
                }
                _ => part!(query, page, api_keys::created_at, number, api_keys::id, text_id),
            };
            (query.load(link).await?, total)
        });
        let next = cut(&mut rows, page.limit, |row: &ApiKeyRow| row.mark(page.sort));
        Ok(Listing { items: self.with_roles(&rows).await?, total, next })
    }

    async fn with_roles(&mut self, rows: &[ApiKeyRow]) -> Result<Vec<ApiKey>, StoreError> {
        let ids: Vec<&str> = rows.iter().map(ApiKeyRow::id).collect();
        let query = api_key_roles::table.filter(api_key_roles::key_id.eq_any(ids));
        let roles: Vec<(String, i64)> = on_conn!(self, |link| query.load(link).await?);
        rows.iter().map(|row| row.read(&roles)).collect()
    }
}

impl Tx {
    /// Stores a new key with its secret.
    ///
    /// # Errors
    ///
    /// [`Conflict::Reference`](crate::Conflict::Reference) if the provider or a role does not
    /// exist, [`Conflict::SecretDigest`](crate::Conflict::SecretDigest) if the secret is taken.
    pub async fn insert_api_key(
        &mut self,
        key: &ApiKey,
        secret: impl Into<NewSecret>,
    ) -> Result<(), StoreError> {
        self.insert_api_keys(&[(key.clone(), secret.into())]).await
    }

    /// Stores many new keys with their secrets, at a fraction of what each alone would cost.
    ///
    /// # Errors
    ///
    /// As for [`insert_api_key`](Self::insert_api_key), without saying which key it was.
    pub async fn insert_api_keys(
        &mut self,
        keys: &[(ApiKey, NewSecret)],
    ) -> Result<(), StoreError> {
        let rows = keys.iter().map(|(key, _)| ApiKeyRow::new(key)).collect::<Result<_, _>>()?;
        insert_many!(self, api_keys::table, rows);
        self.insert_holders(keys.iter().map(|(key, _)| key)).await?;
        let secrets = keys.iter();
        let secrets = secrets.map(|(key, secret)| (key.into(), secret.clone(), key.created_at));
        self.insert_secrets(secrets).await
    }

    /// Stores what a key has become: everything but its provider, who made it, and when.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such key,
    /// [`Conflict::Reference`](crate::Conflict::Reference) if a role does not exist.
    pub async fn update_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        let id = key.id.to_string();
        let put = diesel::update(api_keys::table.find(&id)).set(ApiKeyRow::new(key)?.changes());
        if on_conn!(self, |link| put.execute(link).await?) == 0 {
            return Err(StoreError::NotFound);
        }
        let release = diesel::delete(api_key_roles::table.filter(api_key_roles::key_id.eq(id)));
        on_conn!(self, |link| release.execute(link).await?);
        self.insert_holders([key]).await
    }

    /// Removes a key for ever; its secrets become tombstones.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such key.
    pub async fn remove_api_key(
        &mut self,
        key: &ApiKey,
        draft: &TombstoneDraft,
    ) -> Result<(), StoreError> {
        self.bury_secrets(key, (&key.name, &key.key_prefix), draft).await?;
        let remove = diesel::delete(api_keys::table.find(key.id.to_string()));
        match on_conn!(self, |link| remove.execute(link).await?) {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    async fn insert_holders<'a>(
        &mut self,
        keys: impl IntoIterator<Item = &'a ApiKey>,
    ) -> Result<(), StoreError> {
        let hold = |key: &ApiKey, role: &RoleId| {
            (api_key_roles::key_id.eq(key.id.to_string()), api_key_roles::role_id.eq(role.0))
        };
        let holders = keys.into_iter().flat_map(|key| key.roles.iter().map(|r| hold(key, r)));
        insert_all!(self, api_key_roles::table, holders.collect());
        Ok(())
    }
}
