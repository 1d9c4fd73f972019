//! A user as their table has them: apart from the queries, and without the password, which goes
//! nowhere by accident.

use diesel::prelude::*;
use keystile_domain::{Mark, MarkKey, Metadata, Timestamp, User, UserSort, Version};
use serde_json::{Map, Value};

use crate::StoreError;
use crate::columns::{from_json, parse, parse_optional, roles_of, to_json};
use crate::limits::{from_rate_limits, to_rate_limits};
use crate::schema::users;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = users)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(crate) struct UserRow {
    id: String,
    is_service_account: bool,
    created_at: i64,
    #[diesel(embed)]
    changes: UserChanges,
}

/// The columns that may change.
#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = users, treat_none_as_null = true)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(crate) struct UserChanges {
    username: String,
    username_folded: String,
    display_name: Option<String>,
    email: Option<String>,
    enabled: bool,
    external_id: Option<String>,
    metadata: String,
    rate_limits: String,
    version: i64,
    updated_at: i64,
}

impl UserRow {
    pub(super) fn new(user: &User) -> Result<Self, StoreError> {
        Ok(Self {
            id: user.id.to_string(),
            is_service_account: user.is_service_account,
            created_at: user.created_at.as_millis(),
            changes: UserChanges {
                username: user.username.as_str().to_owned(),
                username_folded: user.username.key(),
                display_name: user.display_name.as_ref().map(|name| name.as_str().to_owned()),
                email: user.email.as_ref().map(|email| email.as_str().to_owned()),
                enabled: user.enabled,
                external_id: user.external_id.as_ref().map(|text| text.as_str().to_owned()),
                metadata: to_json(user.metadata.as_map(), METADATA)?,
                rate_limits: from_rate_limits(&user.rate_limits, RATE_LIMITS)?,
                version: user.version.0,
                updated_at: user.updated_at.as_millis(),
            },
        })
    }

    /// Reads the row, with the roles that are its own among those of several users.
    pub(crate) fn read(&self, roles: &[(String, i64)]) -> Result<User, StoreError> {
        let changes = &self.changes;
        let metadata: Map<String, Value> = from_json(&changes.metadata, METADATA)?;
        Ok(User {
            id: parse(&self.id, "users.id")?,
            username: parse(&changes.username, "users.username")?,
            display_name: parse_optional(changes.display_name.as_deref(), "users.display_name")?,
            email: parse_optional(changes.email.as_deref(), "users.email")?,
            enabled: changes.enabled,
            is_service_account: self.is_service_account,
            roles: roles_of(&self.id, roles),
            rate_limits: to_rate_limits(&changes.rate_limits, RATE_LIMITS)?,
            external_id: parse_optional(changes.external_id.as_deref(), "users.external_id")?,
            metadata: Metadata::try_from(metadata).ok().ok_or(StoreError::Corrupt(METADATA))?,
            version: Version(changes.version),
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(changes.updated_at),
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn changes(self) -> UserChanges {
        self.changes
    }

    pub(super) fn mark(&self, sort: UserSort) -> Mark {
        let key = match sort {
            UserSort::Username => MarkKey::Text(self.changes.username_folded.clone()),
            _ => MarkKey::Number(self.created_at),
        };
        Mark { key, id: self.id.clone() }
    }
}

const METADATA: &str = "users.metadata";
const RATE_LIMITS: &str = "users.rate_limits";
