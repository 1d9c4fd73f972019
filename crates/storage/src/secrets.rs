//! Secrets: each belongs to a key or a token, one of them at present and one, after a rotation, for
//! a while longer. Both kinds share the table, and so the code.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{
    ApiKey, ApiKeyId, CredentialKind, Digest, OldSecret, SecretFormat, Timestamp, Token, TokenId,
};
use uuid::Uuid;

use crate::bulk::bulk;
use crate::columns::{NEVER, id_text};
use crate::conn::{insert_many, on_conn};
use crate::schema::secrets;
use crate::{Conn, StoreError, Tx};

/// Whose a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretOwner {
    pub(crate) kind: CredentialKind,
    pub(crate) id: Uuid,
}

/// A secret that is stored for the first time: what stands for it, and how it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSecret {
    digest: Digest,
    format: Option<String>,
}

impl NewSecret {
    /// A secret of this format, which is remembered for as long as the secret lives; `None`: of none
    /// that is remembered.
    #[must_use]
    pub fn new(digest: Digest, format: Option<&SecretFormat>) -> Self {
        Self { digest, format: format.map(ToString::to_string) }
    }
}

impl From<&Digest> for NewSecret {
    /// A secret of a format that nobody remembers.
    fn from(digest: &Digest) -> Self {
        Self::new(*digest, None)
    }
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
        let columns = (secrets::current, secrets::created_at, secrets::ends_at);
        let query = secrets_of!(owner).select(columns);
        let rows: Vec<(bool, i64, i64)> = on_conn!(self, |link| query.load(link).await?);
        let find = |is_current| rows.iter().find(|(current, ..)| *current == is_current);
        // What came in its place was made when it was replaced.
        let (Some((_, since, _)), Some((.., ends_at))) = (find(true), find(false)) else {
            return Ok(None);
        };
        let [since, ends_at] = [*since, *ends_at].map(Timestamp::from_millis);
        Ok(Some(OldSecret { since, ends_at }))
    }
}

impl Tx {
    /// Gives a credential a new secret. The present one becomes the old one and ends at
    /// `old_ends_at`; an older one is forgotten, with who showed it. The credential's row, which shows the beginning of
    /// the secret, is the caller's to update.
    ///
    /// # Errors
    ///
    /// [`Conflict::SecretDigest`](crate::Conflict::SecretDigest) if the new secret is taken,
    /// [`StoreError::NotFound`] if there is no such credential.
    pub async fn replace_secret(
        &mut self,
        owner: impl Into<SecretOwner>,
        secret: impl Into<NewSecret>,
        old_ends_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let owner = owner.into();
        let forget = diesel::delete(secrets_of!(owner).filter(diesel::dsl::not(secrets::current)));
        on_conn!(self, |link| forget.execute(link).await?);
        self.remove_old_secret_uses(owner).await?;
        let retire = diesel::update(secrets_of!(owner))
            .set((secrets::current.eq(false), secrets::ends_at.eq(old_ends_at.as_millis())));
        if on_conn!(self, |link| retire.execute(link).await?) == 0 {
            return Err(StoreError::NotFound);
        }
        self.insert_secrets([(owner, secret.into(), now)]).await
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

    /// Stores the first secrets of credentials, each with the moment that it is made. Their digests
    /// are under the [pepper](Self::pepper) of this change.
    pub(crate) async fn insert_secrets(
        &mut self,
        secrets: impl IntoIterator<Item = (SecretOwner, NewSecret, Timestamp)>,
    ) -> Result<(), StoreError> {
        let pepper = self.pepper();
        let rows = secrets.into_iter().map(|(owner, secret, now)| SecretRow {
            digest: secret.digest.as_bytes().to_vec(),
            kind: owner.kind.as_str(),
            credential_id: id_text(owner.id),
            current: true,
            // A present secret ends only with its credential.
            ends_at: NEVER,
            created_at: now.as_millis(),
            pepper,
            format: secret.format,
        });
        let mut rows: Vec<_> = rows.collect();
        // Side by side in the table, they touch each of its pages once.
        rows.sort_unstable_by(|one, other| one.digest.cmp(&other.digest));
        insert_many!(self, secrets::table, rows);
        Ok(())
    }
}

#[derive(Insertable)]
#[diesel(table_name = secrets, treat_none_as_default_value = false)]
struct SecretRow {
    digest: Vec<u8>,
    kind: &'static str,
    credential_id: String,
    current: bool,
    ends_at: i64,
    created_at: i64,
    pepper: i32,
    format: Option<String>,
}

bulk!(SecretRow, secrets, {
    digest: digest,
    kind: kind,
    credential_id: credential_id,
    current: current,
    ends_at: ends_at,
    created_at: created_at,
    pepper: pepper,
    format: format,
});
