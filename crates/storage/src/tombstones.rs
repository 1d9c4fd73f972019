//! What is left of secrets when their credential is gone: enough to say why it stopped.

use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{Digest, Found, Name, Principal, Reason, Seq, Timestamp, Tombstone};

use crate::columns::{PrincipalColumns, id_text, parse, parse_optional};
use crate::conn::{insert_all, on_conn};
use crate::schema::{secrets, tombstones};
use crate::secrets::{SecretOwner, secrets_of};
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
    pub(crate) async fn find_tombstone(
        &mut self,
        digest: &Digest,
    ) -> Result<Option<Found>, StoreError> {
        let query = tombstones::table.find(digest.as_bytes().as_slice());
        let row = on_conn!(self, |link| query
            .select(TombstoneRow::as_select())
            .get_result(link)
            .await
            .optional()?);
        row.map(|row: TombstoneRow| Ok(Found::Tombstone(Arc::new(row.read()?)))).transpose()
    }
}

impl Tx {
    /// Turns the secrets of a credential into tombstones, which go on saying its `name` and the
    /// beginning of its secret.
    pub(crate) async fn bury_secrets(
        &mut self,
        owner: impl Into<SecretOwner>,
        (name, key_prefix): (&Name, &str),
        draft: &TombstoneDraft,
    ) -> Result<(), StoreError> {
        let owner = owner.into();
        let dig = diesel::delete(secrets_of!(owner)).returning(secrets::digest);
        let digests: Vec<Vec<u8>> = on_conn!(self, |link| dig.get_results(link).await?);
        let deleted_by = PrincipalColumns::new(draft.deleted_by.as_ref());
        let rows = digests.into_iter().map(|digest| TombstoneRow {
            digest,
            kind: owner.kind.as_str().to_owned(),
            credential_id: id_text(owner.id),
            name: name.as_str().to_owned(),
            key_prefix: key_prefix.to_owned(),
            deleted_at: draft.deleted_at.as_millis(),
            deleted_by_kind: deleted_by.kind.clone(),
            deleted_by_id: deleted_by.id.clone(),
            deleted_by_name: deleted_by.name.clone(),
            reason: draft.reason.as_ref().map(|reason| reason.as_str().to_owned()),
            seq: draft.seq.0,
        });
        insert_all!(self, tombstones::table, rows.collect());
        Ok(())
    }
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = tombstones, treat_none_as_default_value = false)]
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
