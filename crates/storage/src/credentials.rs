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

/// Finds a secret, and the API key that it belongs to if its kind says so: whoever knows that a
/// secret is unknown or a token's need not ask for a key again.
macro_rules! find_key {
    ($conn:expr, $secret:expr) => {{
        let key = api_keys::id
            .eq(secrets::credential_id)
            .and(secrets::kind.eq(CredentialKind::ApiKey.as_str()));
        let provider = providers::id.nullable().eq(api_keys::provider_id.nullable());
        let holder = api_key_roles::key_id.nullable().eq(api_keys::id.nullable());
        let role = roles::id.nullable().eq(api_key_roles::role_id.nullable());
        let query = secrets::table
            .left_join(api_keys::table.on(key))
            .left_join(providers::table.on(provider))
            .left_join(api_key_roles::table.on(holder))
            .left_join(roles::table.on(role))
            .filter($secret)
            .order(roles::id);
        let rows: Vec<KeyRow> = on_conn!($conn, |link| {
            let columns = (
                secrets::ends_at,
                Option::<ApiKeyRow>::as_select(),
                Option::<ProviderRow>::as_select(),
                Option::<RoleRow>::as_select(),
            );
            query.select(columns).load(link).await?
        });
        rows
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
        let rows = find_key!(self, secret());
        let credential = match read_key(&rows)? {
            None if !rows.is_empty() => find_token!(self, secret()),
            credential => credential,
        };
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
        // What was made before the secret came under another pepper knows it by its former digest.
        let secret = secrets::credential_id.eq(id_text(id)).and(
            secrets::digest
                .between(least.clone(), greatest.clone())
                .or(secrets::former_digest.assume_not_null().between(least, greatest)),
        );
        match kind {
            CredentialKind::ApiKey => read_key(&find_key!(self, secret)),
            CredentialKind::PersonalAccessToken => Ok(find_token!(self, secret)),
            _ => Ok(None),
        }
    }
}

type KeyRow = (i64, Option<ApiKeyRow>, Option<ProviderRow>, Option<RoleRow>);
type OwnedRow = (i64, TokenRow, UserRow, ProviderRow, Option<RoleRow>);

/// Reads the rows of one secret, which differ in the role alone; nothing if it is no key's.
fn read_key(rows: &[KeyRow]) -> Result<Option<Credential>, StoreError> {
    let Some((ends_at, Some(key), Some(provider), _)) = rows.first() else { return Ok(None) };
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
        rights: Arc::new(Rights::of(&roles)),
        roles: roles.into(),
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
        rights: Arc::new(rights.within(token.scopes.as_ref())),
        roles: roles.into(),
        scopes: token.scopes,
    }))
}
