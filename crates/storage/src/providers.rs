//! Providers. What only one kind has stands as JSON in one column, in a shape that belongs to this
//! file alone.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{
    Identifier, KeyLength, KeySettings, Provider, ProviderId, ProviderKind, ProviderSettings,
    SecretFormat, Timestamp, Version,
};
use serde::{Deserialize, Serialize};

use crate::columns::{from_json, parse, to_json};
use crate::conn::{insert_all, on_conn};
use crate::schema::providers;
use crate::{Conn, StoreError, Tx};

/// Runs a query for one provider.
macro_rules! find_one {
    ($conn:expr, $query:expr) => {{
        let query = $query;
        let row = on_conn!($conn, |link| {
            query.select(ProviderRow::as_select()).first(link).await.optional()?
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
}

/// A provider as its table has it.
#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = providers)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(crate) struct ProviderRow {
    id: String,
    identifier: String,
    name: String,
    kind: String,
    priority: i32,
    enabled: bool,
    is_default: bool,
    allow_insecure_http: bool,
    settings: String,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl ProviderRow {
    fn new(provider: &Provider) -> Result<Self, StoreError> {
        Ok(Self {
            id: provider.id.to_string(),
            identifier: provider.identifier.as_str().to_owned(),
            name: provider.name.as_str().to_owned(),
            kind: provider.kind.as_str().to_owned(),
            priority: provider.priority,
            enabled: provider.enabled,
            is_default: provider.is_default,
            allow_insecure_http: provider.allow_insecure_http,
            settings: to_json(&SettingsColumn::new(&provider.settings)?, SETTINGS)?,
            version: provider.version.0,
            created_at: provider.created_at.as_millis(),
            updated_at: provider.updated_at.as_millis(),
        })
    }

    pub(crate) fn read(&self) -> Result<Provider, StoreError> {
        Ok(Provider {
            id: parse(&self.id, "providers.id")?,
            identifier: parse(&self.identifier, "providers.identifier")?,
            name: parse(&self.name, "providers.name")?,
            kind: parse(&self.kind, "providers.kind")?,
            priority: self.priority,
            enabled: self.enabled,
            is_default: self.is_default,
            allow_insecure_http: self.allow_insecure_http,
            settings: from_json::<SettingsColumn>(&self.settings, SETTINGS)?.read()?,
            version: Version(self.version),
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
        })
    }
}

#[derive(Deserialize, Serialize)]
#[serde(tag = "of", rename_all = "snake_case")]
enum SettingsColumn {
    Keys(KeysColumn),
    Password,
}

#[derive(Deserialize, Serialize)]
struct KeysColumn {
    prefix: String,
    encoding: String,
    key_length: u8,
    default_expiry_minutes: Option<u32>,
    max_expiry_minutes: Option<u32>,
    header_name: String,
    accept_bearer: bool,
    allow_query_string: bool,
    query_parameter_name: String,
    admin_may_create: bool,
}

impl SettingsColumn {
    fn new(settings: &ProviderSettings) -> Result<Self, StoreError> {
        match settings {
            ProviderSettings::Keys(keys) => Ok(Self::Keys(KeysColumn {
                prefix: keys.format.prefix.as_str().to_owned(),
                encoding: keys.format.encoding.as_str().to_owned(),
                key_length: keys.format.key_length.bytes(),
                default_expiry_minutes: keys.default_expiry_minutes,
                max_expiry_minutes: keys.max_expiry_minutes,
                header_name: keys.header_name.as_str().to_owned(),
                accept_bearer: keys.accept_bearer,
                allow_query_string: keys.allow_query_string,
                query_parameter_name: keys.query_parameter_name.as_str().to_owned(),
                admin_may_create: keys.admin_may_create,
            })),
            ProviderSettings::Password => Ok(Self::Password),
            // A kind that this file was not taught must not be stored as another.
            _ => Err(StoreError::Corrupt(SETTINGS)),
        }
    }

    fn read(self) -> Result<ProviderSettings, StoreError> {
        let Self::Keys(keys) = self else { return Ok(ProviderSettings::Password) };
        Ok(ProviderSettings::Keys(KeySettings {
            format: SecretFormat {
                prefix: parse(&keys.prefix, SETTINGS)?,
                encoding: parse(&keys.encoding, SETTINGS)?,
                key_length: KeyLength::new(keys.key_length)
                    .ok()
                    .ok_or(StoreError::Corrupt(SETTINGS))?,
            },
            default_expiry_minutes: keys.default_expiry_minutes,
            max_expiry_minutes: keys.max_expiry_minutes,
            header_name: parse(&keys.header_name, SETTINGS)?,
            accept_bearer: keys.accept_bearer,
            allow_query_string: keys.allow_query_string,
            query_parameter_name: parse(&keys.query_parameter_name, SETTINGS)?,
            admin_may_create: keys.admin_may_create,
        }))
    }
}

const SETTINGS: &str = "providers.settings";
