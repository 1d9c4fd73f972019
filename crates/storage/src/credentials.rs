//! Secrets and what belongs to them: the look-up that every check ends in, and what is left of a
//! secret when its credential is gone.

use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{
    ApiKey, ApiKeyId, Credential, CredentialKind, Digest, Found, OldSecret, Principal,
    PrincipalKind, Reason, Rights, Seq, Timestamp, Tombstone,
};

use crate::api_keys::ApiKeyRow;
use crate::columns::{NEVER, PrincipalColumns, parse, parse_optional, to_expiry};
use crate::conn::{insert_all, on_conn};
use crate::providers::ProviderRow;
use crate::roles::RoleRow;
use crate::schema::{api_key_roles, api_keys, providers, roles, secrets, tombstones};
use crate::{Conn, StoreError, Tx};

/// What a tombstone says beside what the credential said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TombstoneDraft {
    /// When the credential is deleted.
    pub deleted_at: Timestamp,
    /// Who deletes it; `None`: Keystile itself.
    pub deleted_by: Option<Principal>,
    /// Why, if they say so.
    pub reason: Option<Reason>,
    /// The place of the event that tells of it.
    pub seq: Seq,
}

impl Conn {
    /// Finds what belongs to a secret.
    ///
    /// Everything about a credential comes out of one statement, and so is of one moment: no check
    /// sees the key of before a change with the roles of after it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read; `Ok(None)`
    /// says that it was asked and knows nothing of the secret.
    pub async fn find_credential(&mut self, digest: &Digest) -> Result<Option<Found>, StoreError> {
        let query = secrets::table
            .inner_join(api_keys::table.on(api_keys::id.eq(secrets::credential_id)))
            .inner_join(providers::table.on(providers::id.eq(api_keys::provider_id)))
            .left_join(api_key_roles::table.on(api_key_roles::key_id.eq(api_keys::id)))
            .left_join(roles::table.on(roles::id.nullable().eq(api_key_roles::role_id.nullable())))
            .filter(secrets::digest.eq(digest.as_bytes().as_slice()))
            .order(roles::id);
        let rows: Vec<CredentialRow> = on_conn!(self, |link| {
            let columns = (
                secrets::ends_at,
                ApiKeyRow::as_select(),
                ProviderRow::as_select(),
                Option::<RoleRow>::as_select(),
            );
            query.select(columns).load(link).await?
        });
        match rows.as_slice() {
            [] => self.find_tombstone(digest).await,
            [first, ..] => {
                let credential = read_credential(first, &rows)?;
                Ok(Some(Found::Credential(Arc::new(credential))))
            }
        }
    }

    /// Finds the secret that a key had before it was rotated, whether or not it has ended.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn find_old_secret(&mut self, id: ApiKeyId) -> Result<Option<OldSecret>, StoreError> {
        let query = secrets::table
            .filter(secrets::credential_id.eq(id.to_string()))
            .filter(diesel::dsl::not(secrets::current))
            .select(secrets::ends_at);
        let ends_at: Option<i64> = on_conn!(self, |link| query.first(link).await.optional()?);
        Ok(ends_at.map(|ends_at| OldSecret { ends_at: Timestamp::from_millis(ends_at) }))
    }

    async fn find_tombstone(&mut self, digest: &Digest) -> Result<Option<Found>, StoreError> {
        let query = tombstones::table.find(digest.as_bytes().as_slice());
        let row = on_conn!(self, |link| query
            .select(TombstoneRow::as_select())
            .first(link)
            .await
            .optional()?);
        row.map(|row: TombstoneRow| Ok(Found::Tombstone(Arc::new(row.read()?)))).transpose()
    }
}

impl Tx {
    /// Gives a key a new secret. The present one becomes the old one and ends at `old_ends_at`; an
    /// older one is forgotten. The key's row, which shows the beginning of the secret, is the
    /// caller's to update.
    ///
    /// # Errors
    ///
    /// [`Conflict::SecretDigest`](crate::Conflict::SecretDigest) if the new secret is taken,
    /// [`StoreError::NotFound`] if there is no such key.
    pub async fn replace_secret(
        &mut self,
        key: &ApiKey,
        digest: &Digest,
        old_ends_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let of_key = || secrets::table.filter(secrets::credential_id.eq(key.id.to_string()));
        let forget = diesel::delete(of_key().filter(diesel::dsl::not(secrets::current)));
        on_conn!(self, |link| forget.execute(link).await?);
        let retire = diesel::update(of_key())
            .set((secrets::current.eq(false), secrets::ends_at.eq(old_ends_at.as_millis())));
        if on_conn!(self, |link| retire.execute(link).await?) == 0 {
            return Err(StoreError::NotFound);
        }
        insert_all!(self, secrets::table, vec![SecretRow::new(key, digest, now)]);
        Ok(())
    }

    /// Moves the end of a key's old secret.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if the key has none.
    pub async fn update_old_secret_end(
        &mut self,
        id: ApiKeyId,
        ends_at: Timestamp,
    ) -> Result<(), StoreError> {
        let old = secrets::table
            .filter(secrets::credential_id.eq(id.to_string()))
            .filter(diesel::dsl::not(secrets::current));
        let put = diesel::update(old).set(secrets::ends_at.eq(ends_at.as_millis()));
        match on_conn!(self, |link| put.execute(link).await?) {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    pub(crate) async fn insert_secrets(
        &mut self,
        keys: &[(ApiKey, Digest)],
    ) -> Result<(), StoreError> {
        let row = |(key, digest): &(ApiKey, Digest)| SecretRow::new(key, digest, key.created_at);
        insert_all!(self, secrets::table, keys.iter().map(row).collect());
        Ok(())
    }

    pub(crate) async fn bury_secrets(
        &mut self,
        key: &ApiKey,
        draft: &TombstoneDraft,
    ) -> Result<(), StoreError> {
        let dig =
            diesel::delete(secrets::table.filter(secrets::credential_id.eq(key.id.to_string())))
                .returning(secrets::digest);
        let digests: Vec<Vec<u8>> = on_conn!(self, |link| dig.get_results(link).await?);
        let rows = digests.into_iter().map(|digest| TombstoneRow::new(digest, key, draft));
        insert_all!(self, tombstones::table, rows.collect());
        Ok(())
    }
}

type CredentialRow = (i64, ApiKeyRow, ProviderRow, Option<RoleRow>);

/// Reads the rows of one credential, which differ in the role alone.
fn read_credential(
    (ends_at, key, provider, _): &CredentialRow,
    rows: &[CredentialRow],
) -> Result<Credential, StoreError> {
    let key = key.read(&[])?;
    let roles = rows.iter().filter_map(|(.., role)| role.as_ref());
    let roles = roles.map(RoleRow::read).collect::<Result<Vec<_>, _>>()?;
    let id = key.id.as_uuid();
    Ok(Credential {
        id,
        kind: CredentialKind::ApiKey,
        key_prefix: key.key_prefix,
        enabled: key.enabled,
        expiry: key.expiry,
        secret_expiry: to_expiry(*ends_at),
        allowed_ips: key.allowed_ips,
        external_id: key.external_id,
        metadata: key.metadata,
        principal: Principal { kind: PrincipalKind::ApiKey, id, name: key.name.clone() },
        name: key.name,
        provider: Arc::new(provider.read()?),
        rights: Rights::of(&roles),
        roles,
    })
}

#[derive(Insertable)]
#[diesel(table_name = secrets)]
struct SecretRow {
    digest: Vec<u8>,
    kind: &'static str,
    credential_id: String,
    current: bool,
    ends_at: i64,
    created_at: i64,
}

impl SecretRow {
    /// A present secret, which ends only with its key.
    fn new(key: &ApiKey, digest: &Digest, now: Timestamp) -> Self {
        Self {
            digest: digest.as_bytes().to_vec(),
            kind: CredentialKind::ApiKey.as_str(),
            credential_id: key.id.to_string(),
            current: true,
            ends_at: NEVER,
            created_at: now.as_millis(),
        }
    }
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = tombstones)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct TombstoneRow {
    digest: Vec<u8>,
    kind: String,
    credential_id: String,
    name: String,
    key_prefix: String,
    deleted_at: i64,
    deleted_by_kind: Option<String>,
    deleted_by_id: Option<String>,
    deleted_by_name: Option<String>,
    reason: Option<String>,
    seq: i64,
}

impl TombstoneRow {
    fn new(digest: Vec<u8>, key: &ApiKey, draft: &TombstoneDraft) -> Self {
        let deleted_by = PrincipalColumns::new(draft.deleted_by.as_ref());
        Self {
            digest,
            kind: CredentialKind::ApiKey.as_str().to_owned(),
            credential_id: key.id.to_string(),
            name: key.name.as_str().to_owned(),
            key_prefix: key.key_prefix.clone(),
            deleted_at: draft.deleted_at.as_millis(),
            deleted_by_kind: deleted_by.kind,
            deleted_by_id: deleted_by.id,
            deleted_by_name: deleted_by.name,
            reason: draft.reason.as_ref().map(|reason| reason.as_str().to_owned()),
            seq: draft.seq.0,
        }
    }

    fn read(self) -> Result<Tombstone, StoreError> {
        let deleted_by = PrincipalColumns {
            kind: self.deleted_by_kind,
            id: self.deleted_by_id,
            name: self.deleted_by_name,
        };
        Ok(Tombstone {
            id: parse(&self.credential_id, "tombstones.credential_id")?,
            kind: parse(&self.kind, "tombstones.kind")?,
            name: parse(&self.name, "tombstones.name")?,
            key_prefix: self.key_prefix,
            deleted_at: Timestamp::from_millis(self.deleted_at),
            deleted_by: deleted_by.read("tombstones.deleted_by")?,
            reason: parse_optional(self.reason.as_deref(), "tombstones.reason")?,
            seq: Seq(self.seq),
        })
    }
}
