//! The look-up that every check ends in.
//!
//! Everything about a credential comes out of one statement, and so is of one moment: no check sees
//! the key of before a change with the roles of after it.

use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{
    AllowedIps, Credential, CredentialKind, Digest, Found, Limits, Metadata, Principal,
    PrincipalKind, Rights, SecretTag,
};
use uuid::Uuid;

use crate::api_keys::ApiKeyRow;
use crate::columns::{id_text, to_expiry};
use crate::conn::on_conn;
use crate::providers::ProviderRow;
use crate::roles::RoleRow;
use crate::schema::{
    api_key_roles, api_keys, providers, roles, secrets, tokens, user_roles, users,
};
use crate::tokens::TokenRow;
use crate::users::UserRow;
use crate::{Conn, StoreError};

/// Finds the API key that a secret belongs to.
macro_rules! find_key {
    ($conn:expr, $secret:expr) => {{
        let query = secrets::table
            .inner_join(api_keys::table.on(api_keys::id.eq(secrets::credential_id)))
            .inner_join(providers::table.on(providers::id.eq(api_keys::provider_id)))
            .left_join(api_key_roles::table.on(api_key_roles::key_id.eq(api_keys::id)))
            .left_join(roles::table.on(roles::id.nullable().eq(api_key_roles::role_id.nullable())))
            .filter($secret.and(secrets::kind.eq(CredentialKind::ApiKey.as_str())))
            .order(roles::id);
        let rows: Vec<KeyRow> = on_conn!($conn, |link| {
            let columns = (
                secrets::ends_at,
                ApiKeyRow::as_select(),
                ProviderRow::as_select(),
                Option::<RoleRow>::as_select(),
            );
            query.select(columns).load(link).await?
        });
        read_key(&rows)?
    }};
}

/// Finds the token that a secret belongs to, with its owner.
macro_rules! find_token {
    ($conn:expr, $secret:expr) => {{
        let query = secrets::table
            .inner_join(tokens::table.on(tokens::id.eq(secrets::credential_id)))
            .inner_join(users::table.on(users::id.eq(tokens::owner_id)))
            .inner_join(providers::table.on(providers::id.eq(tokens::provider_id)))
            .left_join(user_roles::table.on(user_roles::user_id.eq(users::id)))
            .left_join(roles::table.on(roles::id.nullable().eq(user_roles::role_id.nullable())))
            .filter($secret.and(secrets::kind.eq(CredentialKind::PersonalAccessToken.as_str())))
            .order(roles::id);
        let rows: Vec<OwnedRow> = on_conn!($conn, |link| {
            let columns = (
                secrets::ends_at,
                TokenRow::as_select(),
                UserRow::as_select(),
                ProviderRow::as_select(),
                Option::<RoleRow>::as_select(),
            );
            query.select(columns).load(link).await?
        });
        read_token(&rows)?
    }};
}

impl Conn {
    /// Finds what belongs to a secret.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read; `Ok(None)`
    /// says that it was asked and knows nothing of the secret.
    pub async fn find_credential(&mut self, digest: &Digest) -> Result<Option<Found>, StoreError> {
        let secret = || secrets::digest.eq(digest.as_bytes().as_slice());
        let mut credential = find_key!(self, secret());
        if credential.is_none() {
            credential = find_token!(self, secret());
        }
        match credential {
            Some(credential) => Ok(Some(Found::Credential(Arc::new(credential)))),
            None => self.find_tombstone(digest).await,
        }
    }

    /// Finds a credential by its id and the tag of one of its secrets, as that secret would find
    /// it: for what was made with the secret and does not show it. Access tokens are not stored,
    /// and so not found.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_credential_by_tag(
        &mut self,
        kind: CredentialKind,
        id: Uuid,
        tag: SecretTag,
    ) -> Result<Option<Credential>, StoreError> {
        let [least, greatest] = tag.bounds().map(|digest| digest.as_bytes().to_vec());
        let secret =
            secrets::credential_id.eq(id_text(id)).and(secrets::digest.between(least, greatest));
        match kind {
            CredentialKind::ApiKey => Ok(find_key!(self, secret)),
            CredentialKind::PersonalAccessToken => Ok(find_token!(self, secret)),
            _ => Ok(None),
        }
    }
}

type KeyRow = (i64, ApiKeyRow, ProviderRow, Option<RoleRow>);
type OwnedRow = (i64, TokenRow, UserRow, ProviderRow, Option<RoleRow>);

/// Reads the rows of one key, which differ in the role alone.
fn read_key(rows: &[KeyRow]) -> Result<Option<Credential>, StoreError> {
    let Some((ends_at, key, provider, _)) = rows.first() else { return Ok(None) };
    let key = key.read(&[])?;
    let roles = rows.iter().filter_map(|(.., role)| role.as_ref());
    let roles = roles.map(RoleRow::read).collect::<Result<Vec<_>, _>>()?;
    let id = key.id.as_uuid();
    Ok(Some(Credential {
        id,
        kind: CredentialKind::ApiKey,
        key_prefix: key.key_prefix,
        enabled: key.enabled,
        expiry: key.expiry,
        secret_expiry: to_expiry(*ends_at),
        allowed_ips: key.allowed_ips,
        limits: Limits { holder: id, rates: key.rate_limits, quota: key.quota },
        external_id: key.external_id,
        metadata: key.metadata,
        principal: Principal { kind: PrincipalKind::ApiKey, id, name: key.name.clone() },
        owner_enabled: None,
        signed_in: false,
        name: key.name,
        provider: Arc::new(provider.read()?),
        rights: Rights::of(&roles),
        roles,
        scopes: None,
    }))
}

/// Reads the rows of one token, which differ in the owner's role alone.
fn read_token(rows: &[OwnedRow]) -> Result<Option<Credential>, StoreError> {
    let Some((ends_at, token, owner, provider, _)) = rows.first() else { return Ok(None) };
    let (token, owner) = (token.read()?, owner.read(&[])?);
    let roles = rows.iter().filter_map(|(.., role)| role.as_ref());
    let roles = roles.map(RoleRow::read).collect::<Result<Vec<_>, _>>()?;
    let rights = Rights::of(&roles);
    let is_program = owner.is_service_account;
    Ok(Some(Credential {
        id: token.id.as_uuid(),
        kind: CredentialKind::PersonalAccessToken,
        name: token.name,
        key_prefix: token.key_prefix,
        // A token has no switch of its own: it is deleted, or its owner is switched off.
        enabled: true,
        expiry: token.expiry,
        secret_expiry: to_expiry(*ends_at),
        allowed_ips: AllowedIps::default(),
        limits: Limits { rates: owner.rate_limits, ..Limits::none(owner.id.as_uuid()) },
        external_id: None,
        metadata: Metadata::default(),
        principal: Principal {
            kind: if is_program { PrincipalKind::ServiceAccount } else { PrincipalKind::User },
            id: owner.id.as_uuid(),
            name: owner.username.as_name().clone(),
        },
        owner_enabled: Some(owner.enabled),
        signed_in: false,
        provider: Arc::new(provider.read()?),
        rights: rights.within(token.scopes.as_ref()),
        roles,
        scopes: token.scopes,
    }))
}
