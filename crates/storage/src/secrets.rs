//! Secrets: each belongs to a key or a token, one of them at present and one, after a rotation, for
//! a while longer. Both kinds share the table, and so the code.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{
    ApiKey, ApiKeyId, CredentialKind, Digest, OldSecret, Timestamp, Token, TokenId,
};
use uuid::Uuid;

use crate::columns::{NEVER, id_text};
use crate::conn::{insert_all, on_conn};
use crate::schema::secrets;
use crate::{Conn, StoreError, Tx};

/// Whose a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretOwner {
    pub(crate) kind: CredentialKind,
    pub(crate) id: Uuid,
}

impl From<&ApiKey> for SecretOwner {
    fn from(key: &ApiKey) -> Self {
        key.id.into()
    }
}

impl From<ApiKeyId> for SecretOwner {
    fn from(id: ApiKeyId) -> Self {
        Self { kind: CredentialKind::ApiKey, id: id.as_uuid() }
    }
}

impl From<&Token> for SecretOwner {
    fn from(token: &Token) -> Self {
        token.id.into()
    }
}

impl From<TokenId> for SecretOwner {
    fn from(id: TokenId) -> Self {
        Self { kind: CredentialKind::PersonalAccessToken, id: id.as_uuid() }
    }
}

/// The secrets of one credential.
macro_rules! secrets_of {
    ($owner:expr) => {
        secrets::table
            .filter(secrets::credential_id.eq(id_text($owner.id)))
            .filter(secrets::kind.eq($owner.kind.as_str()))
    };
}
pub(crate) use secrets_of;

impl Conn {
    /// Finds the secret that a credential had before it was rotated, whether or not it has ended.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn find_old_secret(
        &mut self,
        owner: impl Into<SecretOwner>,
    ) -> Result<Option<OldSecret>, StoreError> {
        let owner = owner.into();
        let query =
            secrets_of!(owner).filter(diesel::dsl::not(secrets::current)).select(secrets::ends_at);
        let ends_at: Option<i64> = on_conn!(self, |link| query.first(link).await.optional()?);
        Ok(ends_at.map(|ends_at| OldSecret { ends_at: Timestamp::from_millis(ends_at) }))
    }
}

impl Tx {
    /// Gives a credential a new secret. The present one becomes the old one and ends at
    /// `old_ends_at`; an older one is forgotten. The credential's row, which shows the beginning of
    /// the secret, is the caller's to update.
    ///
    /// # Errors
    ///
    /// [`Conflict::SecretDigest`](crate::Conflict::SecretDigest) if the new secret is taken,
    /// [`StoreError::NotFound`] if there is no such credential.
    pub async fn replace_secret(
        &mut self,
        owner: impl Into<SecretOwner>,
        digest: &Digest,
        old_ends_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let owner = owner.into();
        let forget = diesel::delete(secrets_of!(owner).filter(diesel::dsl::not(secrets::current)));
        on_conn!(self, |link| forget.execute(link).await?);
        let retire = diesel::update(secrets_of!(owner))
            .set((secrets::current.eq(false), secrets::ends_at.eq(old_ends_at.as_millis())));
        if on_conn!(self, |link| retire.execute(link).await?) == 0 {
            return Err(StoreError::NotFound);
        }
        self.insert_secrets([(owner, digest, now)]).await
    }

    /// Moves the end of a credential's old secret.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if it has none.
    pub async fn update_old_secret_end(
        &mut self,
        owner: impl Into<SecretOwner>,
        ends_at: Timestamp,
    ) -> Result<(), StoreError> {
        let owner = owner.into();
        let old = secrets_of!(owner).filter(diesel::dsl::not(secrets::current));
        let put = diesel::update(old).set(secrets::ends_at.eq(ends_at.as_millis()));
        match on_conn!(self, |link| put.execute(link).await?) {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    /// Stores the first secrets of credentials, each with the moment that it is made.
    pub(crate) async fn insert_secrets<'a>(
        &mut self,
        secrets: impl IntoIterator<Item = (SecretOwner, &'a Digest, Timestamp)>,
    ) -> Result<(), StoreError> {
        let rows = secrets.into_iter().map(|(owner, digest, now)| SecretRow {
            digest: digest.as_bytes().to_vec(),
            kind: owner.kind.as_str(),
            credential_id: id_text(owner.id),
            current: true,
            // A present secret ends only with its credential.
            ends_at: NEVER,
            created_at: now.as_millis(),
        });
        insert_all!(self, secrets::table, rows.collect());
        Ok(())
    }
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
