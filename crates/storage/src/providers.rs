//! Providers. There are few of them, so lists come whole.

mod column;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{Identifier, Provider, ProviderId, ProviderKind, Timestamp, Version};

use self::column::SettingsColumn;
use crate::columns::{from_json, parse, to_json};
use crate::conn::{insert_all, on_conn};
use crate::schema::{api_keys, providers, sessions, tokens};
use crate::{Conn, StoreError, Tx};

/// Runs a query for one provider.
macro_rules! find_one {
    ($conn:expr, $query:expr) => {{
        let query = $query;
        let row = on_conn!($conn, |link| {
            query.select(ProviderRow::as_select()).get_result(link).await.optional()?
        });
        row.as_ref().map(ProviderRow::read).transpose()
    }};
}

impl Conn {
    /// Finds a provider.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_provider(&mut self, id: ProviderId) -> Result<Option<Provider>, StoreError> {
        let query = providers::table.find(id.to_string());
        find_one!(self, query)
    }

    /// Finds a provider by its name in requests.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_provider_by_identifier(
        &mut self,
        identifier: &Identifier,
    ) -> Result<Option<Provider>, StoreError> {
        let query = providers::table.filter(providers::identifier.eq(identifier.as_str()));
        find_one!(self, query)
    }

    /// Finds the provider that is used where a create names none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_default_provider(
        &mut self,
        kind: ProviderKind,
    ) -> Result<Option<Provider>, StoreError> {
        let query = providers::table
            .filter(providers::kind.eq(kind.as_str()))
            .filter(providers::is_default);
        find_one!(self, query)
    }

    /// Lists every provider, in order of priority.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_providers(&mut self) -> Result<Vec<Provider>, StoreError> {
        let query = providers::table.order((providers::priority, providers::id));
        let rows = on_conn!(self, |link| query.select(ProviderRow::as_select()).load(link).await?);
        rows.iter().map(ProviderRow::read).collect()
    }

    /// Counts the keys, tokens and sessions of a provider that have not ended. Whether they are
    /// switched on does not matter: they can be again.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn count_live_credentials(
        &mut self,
        id: ProviderId,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let (id, now) = (id.to_string(), now.as_millis());
        let keys = api_keys::table
            .filter(api_keys::provider_id.eq(&id).and(api_keys::expires_at.gt(now)))
            .count();
        let tokens = tokens::table
            .filter(tokens::provider_id.eq(&id).and(tokens::expires_at.gt(now)))
            .count();
        let sessions = sessions::table
            .filter(sessions::provider_id.eq(&id).and(sessions::ends_at.gt(now)))
            .count();
        let (keys, tokens, sessions): (i64, i64, i64) = on_conn!(self, |link| (
            keys.get_result(link).await?,
            tokens.get_result(link).await?,
            sessions.get_result(link).await?,
        ));
        Ok(keys + tokens + sessions)
    }
}

impl Tx {
    /// Stores a new provider.
    ///
    /// # Errors
    ///
    /// [`Conflict::ProviderIdentifier`](crate::Conflict::ProviderIdentifier) or
    /// [`Conflict::ProviderDefault`](crate::Conflict::ProviderDefault) if another has the place.
    pub async fn insert_provider(&mut self, provider: &Provider) -> Result<(), StoreError> {
        insert_all!(self, providers::table, vec![ProviderRow::new(provider)?]);
        Ok(())
    }

    /// Stores what a provider has become: everything but its identifier, its kind, and when it was
    /// made.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such provider,
    /// [`Conflict::ProviderDefault`](crate::Conflict::ProviderDefault) if another of its kind is
    /// the default.
    pub async fn update_provider(&mut self, provider: &Provider) -> Result<(), StoreError> {
        let row = providers::table.find(provider.id.to_string());
        let put = diesel::update(row).set(ProviderRow::new(provider)?.changes);
        match on_conn!(self, |link| put.execute(link).await?) {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    /// Lets a kind of provider have no default, so that another can become it in the same change.
    /// To whoever is no default any more, this is a change like any other.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn clear_default(
        &mut self,
        kind: ProviderKind,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let default = providers::table
            .filter(providers::kind.eq(kind.as_str()))
            .filter(providers::is_default);
        let put = diesel::update(default).set((
            providers::is_default.eq(false),
            providers::version.eq(providers::version + 1),
            providers::updated_at.eq(now.as_millis()),
        ));
        on_conn!(self, |link| put.execute(link).await?);
        Ok(())
    }

    /// Removes a provider for ever, and the sessions of it that have ended, which nobody else can
    /// remove.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such provider,
    /// [`Conflict::Reference`](crate::Conflict::Reference) if a live session, or a key or token,
    /// even one that has ended, is of it.
    pub async fn remove_provider(
        &mut self,
        id: ProviderId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = id.to_string();
        let ended = sessions::table
            .filter(sessions::provider_id.eq(&id).and(sessions::ends_at.le(now.as_millis())));
        let forget = diesel::delete(ended);
        on_conn!(self, |link| forget.execute(link).await?);
        let remove = diesel::delete(providers::table.find(&id));
        match on_conn!(self, |link| remove.execute(link).await?) {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }
}

/// A provider as its table has it.
#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = providers)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(crate) struct ProviderRow {
    id: String,
    identifier: String,
    kind: String,
    created_at: i64,
    #[diesel(embed)]
    changes: ProviderChanges,
}

/// The columns that may change.
#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = providers)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(crate) struct ProviderChanges {
    name: String,
    priority: i32,
    enabled: bool,
    is_default: bool,
    allow_insecure_http: bool,
    settings: String,
    version: i64,
    updated_at: i64,
}

impl ProviderRow {
    fn new(provider: &Provider) -> Result<Self, StoreError> {
        Ok(Self {
            id: provider.id.to_string(),
            identifier: provider.identifier.as_str().to_owned(),
            kind: provider.kind.as_str().to_owned(),
            created_at: provider.created_at.as_millis(),
            changes: ProviderChanges {
                name: provider.name.as_str().to_owned(),
                priority: provider.priority,
                enabled: provider.enabled,
                is_default: provider.is_default,
                allow_insecure_http: provider.allow_insecure_http,
                settings: to_json(&SettingsColumn::new(&provider.settings)?, SETTINGS)?,
                version: provider.version.0,
                updated_at: provider.updated_at.as_millis(),
            },
        })
    }

    pub(crate) fn read(&self) -> Result<Provider, StoreError> {
        let changes = &self.changes;
        Ok(Provider {
            id: parse(&self.id, "providers.id")?,
            identifier: parse(&self.identifier, "providers.identifier")?,
            name: parse(&changes.name, "providers.name")?,
            kind: parse(&self.kind, "providers.kind")?,
            priority: changes.priority,
            enabled: changes.enabled,
            is_default: changes.is_default,
            allow_insecure_http: changes.allow_insecure_http,
            settings: from_json::<SettingsColumn>(&changes.settings, SETTINGS)?.read()?,
            version: Version(changes.version),
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(changes.updated_at),
        })
    }
}

const SETTINGS: &str = "providers.settings";
