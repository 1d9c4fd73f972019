//! A token as its table has it: apart from the queries, which never look inside.

use diesel::prelude::*;
use keystile_domain::{Mark, MarkKey, Timestamp, Token, TokenSort, Version};

use crate::StoreError;
use crate::columns::{PrincipalColumns, from_expiry, parse, parse_optional, to_expiry};
use crate::roles::{read_permissions, write_permissions};
use crate::schema::tokens;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = tokens)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(crate) struct TokenRow {
    id: String,
    owner_id: String,
    provider_id: String,
    created_by_kind: Option<String>,
    created_by_id: Option<String>,
    created_by_name: Option<String>,
    created_at: i64,
    #[diesel(embed)]
    changes: TokenChanges,
}

/// The columns that may change.
#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = tokens, treat_none_as_null = true)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(crate) struct TokenChanges {
    name: String,
    name_folded: String,
    description: Option<String>,
    key_prefix: String,
    scopes: Option<String>,
    expires_at: i64,
    version: i64,
    updated_at: i64,
}

impl TokenRow {
    pub(super) fn new(token: &Token) -> Result<Self, StoreError> {
        let created_by = PrincipalColumns::new(token.created_by.as_ref());
        let scopes = token.scopes.as_ref().map(|scopes| write_permissions(scopes, SCOPES));
        Ok(Self {
            id: token.id.to_string(),
            owner_id: token.owner.to_string(),
            provider_id: token.provider.to_string(),
            created_by_kind: created_by.kind,
            created_by_id: created_by.id,
            created_by_name: created_by.name,
            created_at: token.created_at.as_millis(),
            changes: TokenChanges {
                name: token.name.as_str().to_owned(),
                name_folded: token.name.folded(),
                description: token.description.as_ref().map(|text| text.as_str().to_owned()),
                key_prefix: token.key_prefix.clone(),
                scopes: scopes.transpose()?,
                expires_at: from_expiry(token.expiry),
                version: token.version.0,
                updated_at: token.updated_at.as_millis(),
            },
        })
    }

    pub(crate) fn read(&self) -> Result<Token, StoreError> {
        let changes = &self.changes;
        let created_by = PrincipalColumns {
            kind: self.created_by_kind.clone(),
            id: self.created_by_id.clone(),
            name: self.created_by_name.clone(),
        };
        let scopes = changes.scopes.as_deref().map(|scopes| read_permissions(scopes, SCOPES));
        Ok(Token {
            id: parse(&self.id, "tokens.id")?,
            owner: parse(&self.owner_id, "tokens.owner_id")?,
            name: parse(&changes.name, "tokens.name")?,
            description: parse_optional(changes.description.as_deref(), "tokens.description")?,
            provider: parse(&self.provider_id, "tokens.provider_id")?,
            key_prefix: changes.key_prefix.clone(),
            scopes: scopes.transpose()?,
            expiry: to_expiry(changes.expires_at),
            created_by: created_by.read("tokens.created_by")?,
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(changes.updated_at),
            version: Version(changes.version),
        })
    }

    pub(super) fn changes(self) -> TokenChanges {
        self.changes
    }

    pub(super) fn mark(&self, sort: TokenSort) -> Mark {
        let key = match sort {
            TokenSort::ExpiresAt => MarkKey::Number(self.changes.expires_at),
            TokenSort::Name => MarkKey::Text(self.changes.name_folded.clone()),
            _ => MarkKey::Number(self.created_at),
        };
        Mark { key, id: self.id.clone() }
    }
}

const SCOPES: &str = "tokens.scopes";
